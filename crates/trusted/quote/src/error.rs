use std::io;
use std::path::PathBuf;

use cloister_attest::{Refused, Statement};
use thiserror::Error;

/// Why there is no statement. Each is for the operator of the machine, and says what to look at; none holds a secret.
#[derive(Debug, Error)]
pub enum QuoteError {
    /// The machine offers no evidence. Usually: not a confidential machine, or a guest whose kernel is older than 6.7.
    #[error(
        "this machine offers no evidence: there is neither /dev/attestation (Gramine) nor /sys/kernel/config/tsm/report \
         (a guest's kernel from 6.7 on, with configfs mounted)"
    )]
    NoSource,
    /// configfs-tsm exists, but no driver of a processor stands behind it. Usually: the module `tdx_guest` or `sev_guest` is
    /// not loaded.
    #[error("{} exists, but no processor is behind it: load the kernel module tdx_guest or sev_guest", .0.display())]
    NoProvider(PathBuf),
    /// A kernel names a kind of evidence that this program does not know.
    #[error(
        "the kernel's evidence is of the kind {0:?}, which this program does not know: it knows tdx_guest and sev_guest"
    )]
    UnknownProvider(String),
    /// Gramine runs without remote attestation, or with a kind that chains do not accept.
    #[error("Gramine's attestation is {0:?}: sgx.remote_attestation has to be \"dcap\" in the manifest")]
    AttestationType(String),
    /// The program's user may not use a file. Usually: an entry of configfs-tsm that root made.
    #[error("no permission for {}: it has to belong to the user who runs the enclave", .0.display())]
    Denied(PathBuf),
    /// A file that belongs to the interface is missing.
    #[error("{} is missing", .0.display())]
    Absent(PathBuf),
    /// A file could not be opened for another reason.
    #[error("{}: {error}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// A file that is open fails. `EIO` or `ETIMEDOUT` from `outblob`: the host has no quoting service, or it does not answer.
    #[error("{file}: {error}; the host's quoting service may be missing or busy")]
    Io {
        /// Its name in the interface.
        file: &'static str,
        /// What the kernel said.
        error: io::Error,
    },
    /// A file holds more than it may.
    #[error("{file} holds more than {most} bytes")]
    Oversize {
        /// Its name in the interface.
        file: &'static str,
        /// The limit.
        most: usize,
    },
    /// A small file does not hold what its interface says.
    #[error("{0} does not hold what it should")]
    Unreadable(&'static str),
    /// What the processor answered is no statement. Usually: cut off by the host.
    #[error("the processor's answer is no statement: {0}")]
    Malformed(Refused),
    /// The statement is about other data than was asked for: somebody else's, or old.
    #[error("the statement is about other data than was asked for")]
    OtherData,
    /// Somebody else asked at the same time, again and again.
    #[error("another process uses {} as well", .0.display())]
    Busy(PathBuf),
    /// Every prepared question was asked.
    #[error("this process has asked for evidence as often as it can: start the enclave again")]
    Spent,
    /// An SEV-SNP host gave no certificate of its chip, and the operator none either.
    #[error(
        "the host gives no certificate of this chip: fetch its VCEK from AMD's key service \
         (chip id {chip_id}, reported TCB {tcb}) and hand it to the enclave"
    )]
    NoCertificate {
        /// 64 bytes, hex.
        chip_id: String,
        /// Eight bytes as they stand in the report, hex: least significant first.
        tcb: String,
    },
    /// The host signs with a key that AMD leased to a cloud (VLEK), not with the chip's own.
    #[error("the host signs reports with a leased key (VLEK): chains accept the chip's own (VCEK) only")]
    LeasedKey,
    /// The host's table of certificates points outside itself.
    #[error("the host's table of certificates is damaged")]
    CertificateTable,
    /// Report and certificate together are above [`Statement::MAX_BYTES`].
    #[error("the statement is larger than the {} bytes that a chain accepts", Statement::MAX_BYTES)]
    StatementSize,
}
