//! The machine that an enclave runs on: what it seals to, and what vouches for it.
//!
//! In a build with the feature `simulator` the machine is SIMULATED: a secret that the host keeps in a file stands for what a
//! processor has burnt in, and everybody who reads the source can issue the same statements. Such a build is for simulated
//! chains, every other build for chains that promise hardware, and neither begins the other kind (D11, V-41).

use std::os::fd::BorrowedFd;

use cloister_attest::{HardwareId, ReportData, Statement};
use cloister_chain::Genesis;
use cloister_chain::wire::{Halt, SealingBytes};
use cloister_quote::{QuoteError, Quoter};
use cloister_teeth::{Mechanism, holds};

use crate::process::complain;
use crate::sealed::Vault;

/// Found before the lock-down, which leaves open what is asked through it.
pub(crate) struct Machine {
    sealing_key: SealingBytes,
    quoter: Box<dyn Quoter>,
}

impl Machine {
    /// SIMULATED: the machine that seals with `given`.
    #[cfg(feature = "simulator")]
    pub(crate) fn find(given: &SealingBytes) -> Result<Self, Halt> {
        let quoter = Box::new(cloister_quote::Simulated::new(given));
        Ok(Self { sealing_key: SealingBytes(given.0), quoter })
    }

    /// The processor that this runs on. What the host gave is looked at by nobody.
    #[cfg(not(feature = "simulator"))]
    pub(crate) fn find(_: &SealingBytes) -> Result<Self, Halt> {
        let quoter = cloister_quote::find(std::path::Path::new("/"), None).map_err(unable)?;
        let sealing_key = quoter.sealing_key().map_err(unable)?;
        // It would forget the seed with each start: docs/hardware.md.
        let Some(sealing_key) = sealing_key else {
            complain(&"this processor gives the program no key to seal to");
            return Err(Halt::Genesis);
        };
        Ok(Self { sealing_key, quoter })
    }

    /// What the lock-down has to leave open.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.quoter.descriptors()
    }

    /// What seals for a chain here; nothing does for a chain of another kind of machine.
    pub(crate) fn vault(&self, genesis: &Genesis) -> Result<Vault, Halt> {
        serves(genesis)?;
        Ok(Vault::new(genesis, &self.sealing_key))
    }

    /// Which chip this is, and what the processor says about `data`, which names it.
    pub(crate) fn statement(
        &mut self,
        data: impl FnOnce(&HardwareId) -> ReportData,
    ) -> Result<(HardwareId, Statement), Halt> {
        // A first statement is the way to learn the chip's name.
        let first = self.quoter.statement(&ReportData([0; 64])).map_err(unable)?;
        let chip = first.claimed_hardware().map_err(|why| unable(QuoteError::Malformed(why)))?;
        let statement = self.quoter.statement(&data(&chip)).map_err(unable)?;
        Ok((chip, statement))
    }
}

/// Refuses a chain of the other kind of machine. Before the processor is looked for, too: an operator whose program is the wrong one
/// is to hear that.
pub(crate) fn serves(genesis: &Genesis) -> Result<(), Halt> {
    if !holds(Mechanism::SimulatedOnly) || genesis.simulated == cfg!(feature = "simulator") {
        return Ok(());
    }
    complain(match genesis.simulated {
        true => &"this program serves chains that promise hardware, and the genesis says SIMULATED",
        false => &"this program is SIMULATED, and the genesis promises hardware",
    });
    Err(Halt::Genesis)
}

/// What failed is for the operator, and tells nothing that a client sent.
fn unable(why: QuoteError) -> Halt {
    complain(&why);
    Halt::Genesis
}
