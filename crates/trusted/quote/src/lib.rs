//! Evidence from the processor: turns 64 bytes of report data into a [`Statement`], on whichever machine this is.
//!
//! [`find`] looks once, at the start, for what the machine offers and opens what it needs; the [`Quoter`] that it returns asks
//! for statements later. A simulated chain makes a `Simulated` one instead (feature `simulator`): the genesis decides that,
//! never the machine, so that no host can make an enclave of a hardware chain fall back on it.
//!
//! | machine | through | a statement |
//! | --- | --- | --- |
//! | Intel TDX guest | configfs-tsm, provider `tdx_guest` | a quote of version 4 or 5 |
//! | AMD SEV-SNP guest | configfs-tsm, provider `sev_guest` | the report, and the chip's certificate (VCEK) |
//! | Intel SGX under Gramine | `/dev/attestation` | a quote of version 3 |
//! | none, SIMULATED | the simulated authority | a quote of version 3 under its root |
//!
//! Must not know: what the report data binds, whether the evidence is good enough, what a registration is. This is the one
//! trusted crate that opens files, and it opens them in one file of its own, `files.rs`.
//!
//! Nothing here was run on hardware: `docs/hardware.md` says what was.
//!
//! ```
//! use cloister_attest::ReportData;
//! use cloister_chain::wire::SealingBytes;
//! use cloister_quote::{Machine, QuoteError, Quoter, Simulated, find};
//!
//! # let root = std::env::temp_dir().join("a root without processors");
//! // A machine like most has nothing to offer, and says where it looked.
//! assert!(matches!(find(&root, None), Err(QuoteError::NoSource)));
//!
//! let mut imaginary = Simulated::new(&SealingBytes([7; 32]));
//! assert_eq!(imaginary.machine(), Machine::Simulated);
//! let data = ReportData([1; 64]);
//! assert_eq!(imaginary.statement(&data)?.claimed_data(), Ok(data));
//! # Ok::<(), QuoteError>(())
//! ```

mod certificates;
mod error;
mod files;
mod gramine;
#[cfg(feature = "simulator")]
mod simulated;
mod tsm;

use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::Path;

use cloister_attest::{ReportData, Statement};
use cloister_chain::wire::SealingBytes;

pub use error::QuoteError;
pub use gramine::Gramine;
#[cfg(feature = "simulator")]
pub use simulated::Simulated;
pub use tsm::Tsm;

/// A processor that vouches for what runs on it.
pub trait Quoter {
    /// What kind of machine this is.
    fn machine(&self) -> Machine;

    /// Has the processor sign `data`. The statement is about `data` and within [`Statement::MAX_BYTES`]; whether it proves
    /// anything is for those who verify it.
    fn statement(&mut self, data: &ReportData) -> Result<Statement, QuoteError>;

    /// The descriptors that a lock-down must leave open. With them [`statement`](Self::statement) makes no system calls but
    /// `read`, `write` and `close`.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    /// Whether [`statement`](Self::statement) opens files, so that it has to be called before a lock-down that forbids it.
    fn opens_files(&self) -> bool {
        false
    }

    /// The key that this processor gives to this program and to no other; `None` where it gives none through this interface.
    /// An enclave without one cannot keep its seed: it registers again after each start (`docs/hardware.md`).
    fn sealing_key(&self) -> Result<Option<SealingBytes>, QuoteError> {
        Ok(None)
    }
}

/// Kinds of machines, as far as their evidence is made in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// An Intel SGX enclave, run by Gramine.
    Sgx,
    /// An Intel TDX trust domain.
    Tdx,
    /// An AMD SEV-SNP guest.
    Snp,
    /// None: its chip is imaginary and its evidence SIMULATED.
    Simulated,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sgx => "Intel SGX (Gramine)",
            Self::Tdx => "Intel TDX",
            Self::Snp => "AMD SEV-SNP",
            Self::Simulated => "SIMULATED",
        })
    }
}

/// What the machine below `root` (`/`, but for tests) offers, ready to be used. The operator may know the chip's certificate,
/// `vcek` (DER): an SEV-SNP host may have none to give.
///
/// Gramine comes first: inside an enclave nothing else is to be believed.
pub fn find(root: &Path, vcek: Option<Vec<u8>>) -> Result<Box<dyn Quoter>, QuoteError> {
    if let Some(gramine) = Gramine::find(root)? {
        return Ok(Box::new(gramine));
    }
    match Tsm::find(root, vcek)? {
        Some(tsm) => Ok(Box::new(tsm)),
        None => Err(QuoteError::NoSource),
    }
}

/// A statement about other data answers somebody else's question, or none.
fn about(data: &ReportData, statement: Statement) -> Result<Statement, QuoteError> {
    if statement.claimed_data().map_err(QuoteError::Malformed)? != *data {
        return Err(QuoteError::OtherData);
    }
    Ok(statement)
}

/// Most bytes that are read of a quote: with its variant and its length it is still a [`Statement`].
const QUOTE_BYTES: usize = Statement::MAX_BYTES - 5;
