//! The machine that an enclave runs on: what it seals to, and what vouches for it.
//!
//! In a build with the feature `simulator` the machine is SIMULATED: a secret that the host keeps in a file stands for what a
//! processor has burnt in. Its chip and its statements follow from it, and everybody who reads the source can issue the same.
//! Such a build is for simulated chains, every other build for chains that promise hardware, and neither begins the other kind
//! (D11, V-41).

use cloister_attest::{HardwareId, ReportData, Statement};
use cloister_chain::Genesis;
use cloister_chain::wire::{Halt, SealingBytes};
use cloister_teeth::{Mechanism, holds};

use crate::sealed::Vault;

pub(crate) struct Machine(SealingBytes);

impl Machine {
    /// The machine with this sealing key.
    #[cfg(feature = "simulator")]
    pub(crate) fn new(sealing_key: SealingBytes) -> Result<Self, Halt> {
        Ok(Self(sealing_key))
    }

    /// There is no way yet to ask a processor.
    #[cfg(not(feature = "simulator"))]
    pub(crate) fn new(_: SealingBytes) -> Result<Self, Halt> {
        Err(Halt::Genesis)
    }

    /// What seals for a chain here; nothing does for a chain of another kind of machine.
    pub(crate) fn vault(&self, genesis: &Genesis) -> Result<Vault, Halt> {
        if holds(Mechanism::SimulatedOnly) && genesis.simulated != cfg!(feature = "simulator") {
            return Err(Halt::Genesis);
        }
        Ok(Vault::new(genesis, &self.0))
    }

    /// What the processor says about `data`, which names the chip that it is.
    #[cfg(feature = "simulator")]
    pub(crate) fn statement(&self, data: impl FnOnce(&HardwareId) -> ReportData) -> Result<Statement, Halt> {
        use cloister_attest::simulated_authority::{self as authority, Enclave};

        let chip = authority::chip_of(&self.0.0);
        let report_data = data(&chip.hardware_id());
        let enclave = Enclave { measurement: authority::program(), report_data, debug: false };
        Ok(authority::statement(&chip, &enclave))
    }

    /// No processor was asked.
    #[cfg(not(feature = "simulator"))]
    pub(crate) fn statement(&self, _: impl FnOnce(&HardwareId) -> ReportData) -> Result<Statement, Halt> {
        Err(Halt::Genesis)
    }
}
