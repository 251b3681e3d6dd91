use cloister_attest::simulated_authority::{self, Chip, Enclave};
use cloister_attest::{Measurement, ReportData, Statement};
use cloister_chain::B256;
use cloister_chain::hash::tagged;
use cloister_chain::wire::SealingBytes;

use crate::{Machine, QuoteError, Quoter};

/// SIMULATED: an imaginary chip of the simulated authority. Whoever reads the source can issue what it issues.
///
/// ```text
/// PPID        = first 16 bytes of H("cloister/quote/simulated-chip", sealing key)
/// MRENCLAVE   = H("cloister/quote/simulated-measurement", version of this package)
/// ```
///
/// The chip follows from the machine's sealing key: a machine that keeps it is the same chip after a restart, and two machines
/// are two chips. The measurement stands for a release; nothing was measured.
pub struct Simulated {
    chip: Chip,
}

impl Simulated {
    /// The chip of the machine that seals with `key`, of which it shows nothing.
    pub fn new(key: &SealingBytes) -> Self {
        let hash = tagged("cloister/quote/simulated-chip", &[&key.0]);
        let (ppid, _) = hash.split_first_chunk().expect("a hash is longer than a PPID");
        Self { chip: Chip::new(*ppid) }
    }
}

/// SIMULATED: what every simulated enclave of this release is said to be.
pub fn simulated_measurement() -> Measurement {
    Measurement::Sgx { enclave: enclave() }
}

impl Quoter for Simulated {
    fn machine(&self) -> Machine {
        Machine::Simulated
    }

    fn statement(&mut self, data: &ReportData) -> Result<Statement, QuoteError> {
        let enclave = Enclave { measurement: enclave(), report_data: *data, debug: false };
        Ok(simulated_authority::statement(&self.chip, &enclave))
    }
}

fn enclave() -> B256 {
    tagged("cloister/quote/simulated-measurement", &[env!("CARGO_PKG_VERSION").as_bytes()])
}
