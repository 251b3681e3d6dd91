//! What the host keeps for the enclave and cannot read or alter: the roots, and a checkpoint for each block.
//!
//! ```text
//! roots      = blob                  context: genesis hash (32)
//! checkpoint = height (8, LE) ‖ blob context: genesis hash (32) ‖ height (8, LE)
//! ```
//!
//! Roots are sealed anew when they change. Whoever kept the older blob and breaks this machine has the older root: that it is
//! erased is for the host to do, and for hardware that counts to enforce.
//!
//! An old checkpoint opens as well as the newest: it is a cache that lets the enclave go on with certified blocks from its
//! height upward, and grants nothing else (M-05).

use cloister_chain::wire::{Halt, SealingBytes};
use cloister_chain::{B256, Genesis};
use cloister_keys::{Purpose, Roots, SealingKey, Secret, Seed};
use cloister_ledger::Checkpoint;
use cloister_teeth::{Mechanism, holds};

/// Seals for one chain on one machine.
pub(crate) struct Vault {
    key: SealingKey,
    chain: B256,
}

impl Vault {
    pub(crate) fn new(genesis: &Genesis, key: &SealingBytes) -> Self {
        let machine = if holds(Mechanism::MachineKey) { key.0 } else { [0; 32] };
        Self { key: SealingKey::from_bytes(&genesis.chain_id, machine), chain: genesis.hash() }
    }

    pub(crate) fn seal_roots(&self, roots: &Roots) -> Vec<u8> {
        self.key.seal_roots(self.chain.as_slice(), roots).expect("roots are short")
    }

    pub(crate) fn open_roots(&self, sealed: &[u8]) -> Result<Roots, Halt> {
        self.key.open_roots(self.chain.as_slice(), sealed).map_err(|_| Halt::Sealed)
    }

    pub(crate) fn seal_checkpoint(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        let plain = borsh::to_vec(checkpoint).expect("writing to memory does not fail");
        let height = checkpoint.header.height;
        let blob = self.key.seal(Purpose::Checkpoint, &self.context(height), &plain);
        [&height.to_le_bytes(), blob.expect("a checkpoint is far below the limit").as_slice()].concat()
    }

    pub(crate) fn open_checkpoint(&self, sealed: &[u8]) -> Result<Checkpoint, Halt> {
        let (height, blob) = sealed.split_first_chunk().ok_or(Halt::Sealed)?;
        let context = self.context(u64::from_le_bytes(*height));
        let plain = self.key.open(Purpose::Checkpoint, &context, blob).map_err(|_| Halt::Sealed)?;
        borsh::from_slice(&plain).map_err(|_| Halt::Sealed)
    }

    fn context(&self, height: u64) -> Vec<u8> {
        [self.chain.as_slice(), &height.to_le_bytes()].concat()
    }
}

/// The roots of a chain that never was before: the seed they come from is gone when this returns.
pub(crate) fn fresh_roots(genesis: &Genesis) -> Result<Roots, Halt> {
    Ok(Roots::found(&genesis.chain_id, Seed::from_secret(fresh_secret()?)))
}

/// Thirty-two bytes from the operating system.
pub(crate) fn fresh_secret() -> Result<Secret<32>, Halt> {
    let mut drawn = Ok(());
    let secret = Secret::fill(|bytes| drawn = getrandom::fill(bytes));
    drawn.map(|()| secret).map_err(|_| Halt::Lockdown)
}
