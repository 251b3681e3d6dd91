use cloister_attest::simulated_authority::{self as authority, Chip, Enclave};
use cloister_attest::{ReportData, Statement};
use cloister_chain::wire::SealingBytes;

use crate::{Machine, QuoteError, Quoter};

/// SIMULATED: an imaginary chip of the simulated authority. Whoever reads the source can issue what it issues.
///
/// The chip follows from the machine's sealing key ([`authority::chip_of`]): a machine that keeps it is the same chip after a
/// restart, and two machines are two chips. The measurement stands for a release ([`authority::program`]); nothing was measured.
pub struct Simulated {
    chip: Chip,
}

impl Simulated {
    /// The chip of the machine that seals with `key`, of which it shows nothing.
    pub fn new(key: &SealingBytes) -> Self {
        Self { chip: authority::chip_of(&key.0) }
    }
}

impl Quoter for Simulated {
    fn machine(&self) -> Machine {
        Machine::Simulated
    }

    fn statement(&mut self, data: &ReportData) -> Result<Statement, QuoteError> {
        let enclave = Enclave { measurement: authority::program(), report_data: *data, debug: false };
        Ok(authority::statement(&self.chip, &enclave))
    }
}
