//! What the attacks play on: an honest chain, and a host that has it in its hands.

mod chain;
mod code;
mod cosmos;
mod dice;
mod disk;
mod enclave;
mod ether;
mod machine;

use cloister_teeth::Mechanism;

use crate::Failure;
pub(crate) use chain::{Chain, genesis, key, named, next_of, signed_by};
pub(crate) use code::{Code, keeper};
pub(crate) use cosmos::{Counter, account, execute, response, signed};
pub(crate) use dice::Dice;
pub(crate) use disk::Disk;
pub(crate) use enclave::{ENCLAVE, Enclave, Reply, become_enclave};
pub(crate) use ether::{address, call, create, secret, transfer};
pub(crate) use machine::{Clock, is_deceived, memory};

/// One run of one attack.
pub(crate) struct Stage {
    pub(crate) dice: Dice,
    without: Option<Mechanism>,
}

impl Stage {
    pub(crate) fn new(seed: u64, without: Option<Mechanism>) -> Self {
        switch(without);
        Self { dice: Dice::new(seed), without }
    }

    /// Puts everything back to work.
    pub(crate) fn close(self) {
        switch(None);
    }

    /// An enclave process that belongs to no chain yet.
    pub(crate) fn enclave(&self) -> Result<Enclave, Failure> {
        Enclave::start(self.without)
    }

    /// The same on a machine with that clock.
    pub(crate) fn enclave_under(&self, clock: Clock) -> Result<Enclave, Failure> {
        Enclave::start_in(self.without, &clock.environment()?)
    }
}

/// In this process, for what clients and attackers compute themselves.
fn switch(without: Option<Mechanism>) {
    #[cfg(feature = "teeth")]
    cloister_teeth::only_without(without);
    #[cfg(not(feature = "teeth"))]
    assert!(without.is_none(), "a build without switches was asked to use one");
}
