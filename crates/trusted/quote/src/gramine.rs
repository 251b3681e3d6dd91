use std::path::{Path, PathBuf};

use cloister_attest::{ReportData, Statement};
use cloister_chain::hash::tagged;
use cloister_chain::wire::SealingBytes;

use crate::files::{self, Access};
use crate::{Machine, QUOTE_BYTES, QuoteError, Quoter, about};

/// An SGX enclave that Gramine runs: its pseudo-files (Gramine `Documentation/attestation.rst`, "Low-level /dev/attestation
/// interface"), which are made inside the enclave.
///
/// | below `/dev/attestation` | |
/// | --- | --- |
/// | `attestation_type` | `dcap`; `none` and `epid` are of no use |
/// | `user_report_data` | written: the 64 bytes of report data, which count at once |
/// | `quote` | read: the quote, made when the file is **opened** (Gramine `libos/src/fs/libos_fs_pseudo.c`) |
/// | `keys/_sgx_mrenclave` | 16 bytes that this processor gives to this measurement |
///
/// So nothing can be kept open: a quote is of the report data that were written before its file was opened, and
/// [`statement`](Quoter::statement) opens both each time. The lock-down of an ordinary process would forbid it; Gramine has
/// no such filters, the enclave's own wall takes their place (`docs/hardware.md`).
///
/// The key of the *signer*, `_sgx_mrsigner`, is never touched: it opens to every program that its holder signs (M-05).
pub struct Gramine {
    folder: PathBuf,
}

impl Gramine {
    /// The interface below `root`; `None` if there is none.
    pub fn find(root: &Path) -> Result<Option<Self>, QuoteError> {
        let folder = root.join(FOLDER);
        let descriptor = match files::open(&folder.join(KIND), Access::Read) {
            Ok(descriptor) => descriptor,
            Err(QuoteError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        match files::read_word(&descriptor, KIND)?.as_str() {
            "dcap" => Ok(Some(Self { folder })),
            other => Err(QuoteError::AttestationType(other.to_owned())),
        }
    }
}

impl Quoter for Gramine {
    fn machine(&self) -> Machine {
        Machine::Sgx
    }

    fn statement(&mut self, data: &ReportData) -> Result<Statement, QuoteError> {
        files::write(files::open(&self.folder.join(DATA), Access::Write)?, DATA, &data.0)?;
        let quote = files::read(&files::open(&self.folder.join(QUOTE), Access::Read)?, QUOTE, QUOTE_BYTES)?;
        about(data, Statement::from_quote(&quote).map_err(QuoteError::Malformed)?)
    }

    fn opens_files(&self) -> bool {
        true
    }

    fn sealing_key(&self) -> Result<Option<SealingBytes>, QuoteError> {
        let key = files::read(&files::open(&self.folder.join(KEY), Access::Read)?, KEY, KEY_BYTES)?;
        if key.len() != KEY_BYTES {
            return Err(QuoteError::Unreadable(KEY));
        }
        // Thirty-two bytes of a key of 128 bits; one way, so that Gramine's own use of it stays apart.
        Ok(Some(SealingBytes(tagged("cloister/quote/sgx-sealing-key", &[&key]).0)))
    }
}

const FOLDER: &str = "dev/attestation";
const KIND: &str = "attestation_type";
const DATA: &str = "user_report_data";
const QUOTE: &str = "quote";
const KEY: &str = "keys/_sgx_mrenclave";
const KEY_BYTES: usize = 16;
