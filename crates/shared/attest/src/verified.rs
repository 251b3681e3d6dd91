//! What evidence proves.

use alloy_primitives::{B256, FixedBytes};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::hash::digest;

/// The outcome of [`crate::verify`]. All of it follows from signed bytes: evidence that was altered where nobody signs
/// still gives the same.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Verified {
    /// The family of the processor.
    pub family: Family,
    /// What runs.
    pub measurement: Measurement,
    /// On which chip.
    pub hardware: HardwareId,
    /// What the software says about itself: see [`crate::Binding`].
    pub report_data: ReportData,
    /// Seconds since the Unix epoch from which the evidence no longer holds: the earliest end among all certificates,
    /// revocation lists and documents.
    pub expires: u64,
    /// Names the evidence: the hash of its *signed* part. The same statement may be written in several ways elsewhere.
    pub identity: B256,
}

/// Families of processors, as far as they are trusted or denied as one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Intel SGX enclaves.
    Sgx,
    /// Intel TDX trust domains.
    Tdx,
    /// AMD SEV-SNP on EPYC 7003 (Zen 3). Its root seed can be extracted by software: denied in production.
    SnpMilan,
    /// AMD SEV-SNP on EPYC 9004 and 8004 (Zen 4).
    SnpGenoa,
    /// AMD SEV-SNP on EPYC 9005 (Zen 5).
    SnpTurin,
}

/// Who makes a family, for caps on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum Vendor {
    /// Intel.
    Intel,
    /// AMD.
    Amd,
}

impl Family {
    /// Who makes it.
    pub fn vendor(self) -> Vendor {
        match self {
            Self::Sgx | Self::Tdx => Vendor::Intel,
            Self::SnpMilan | Self::SnpGenoa | Self::SnpTurin => Vendor::Amd,
        }
    }
}

/// What was loaded, as the processor measured it. Who signed the software is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[allow(clippy::large_enum_variant, reason = "never many at once")]
pub enum Measurement {
    /// An SGX enclave: MRENCLAVE.
    Sgx {
        /// SHA-256 over the enclave's pages.
        enclave: B256,
    },
    /// A TDX trust domain.
    Tdx {
        /// MRTD: the initial memory, usually the firmware.
        domain: FixedBytes<48>,
        /// RTMR0 to RTMR3: what the firmware and the kernel measured after it.
        runtime: [FixedBytes<48>; 4],
        /// MRCONFIGID: the configuration that the host chose.
        config: FixedBytes<48>,
    },
    /// An SEV-SNP guest: the launch measurement.
    Snp {
        /// SHA-384 over the initial memory.
        launch: FixedBytes<48>,
    },
}

impl Measurement {
    /// One name of 32 bytes for release records, whatever the family.
    pub fn digest(&self) -> B256 {
        match self {
            Self::Sgx { enclave } => digest("cloister/attest/measurement/sgx", &[enclave.as_slice()]),
            Self::Tdx { domain, runtime: [zero, one, two, three], config } => {
                let parts = [domain, zero, one, two, three, config].map(FixedBytes::as_slice);
                digest("cloister/attest/measurement/tdx", &parts)
            }
            Self::Snp { launch } => digest("cloister/attest/measurement/snp", &[launch.as_slice()]),
        }
    }
}

/// Names one chip, so that the same one is not admitted twice. For Intel the hash of the platform's provisioning id (PPID),
/// for AMD that of the chip id.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub struct HardwareId(pub B256);

impl HardwareId {
    /// Of an Intel platform.
    pub fn from_ppid(ppid: &[u8; 16]) -> Self {
        Self(digest("cloister/attest/hardware/intel", &[ppid]))
    }

    /// Of an AMD chip.
    pub fn from_chip_id(chip_id: &[u8; 64]) -> Self {
        Self(digest("cloister/attest/hardware/amd", &[chip_id]))
    }
}

/// The 64 bytes that the software put into its own evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReportData(pub [u8; 64]);
