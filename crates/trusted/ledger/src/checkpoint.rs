//! What a ledger knows of the last block: enough to judge the next one.

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::wire::{Execute, Halt};
use cloister_chain::{Genesis, Header, Parent, ValidatorSet, limits};
use cloister_teeth::{Mechanism, holds};

/// The last executed block and its results. Sealed by the enclave and kept by the host, it is a cache (M-05): it lets an
/// enclave go on with certified blocks from its height upward, and grants nothing else.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Checkpoint {
    /// Header of the block.
    pub header: Header,
    /// Root of the state after it.
    pub state_root: B256,
    /// Merkle root of its receipts.
    pub results: B256,
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
    /// The set that signed the block.
    pub signers: ValidatorSet,
    /// The set that signs the next block.
    pub validators: ValidatorSet,
    /// The set that signs the one after, as this block left it.
    pub following: ValidatorSet,
}

/// What is left without the proof that the block was decided: whoever makes a checkpoint has checked that.
impl From<Parent> for Checkpoint {
    fn from(parent: Parent) -> Self {
        let Parent { header, certificate: _, state_root, results, base_fee, signers, validators, following } = parent;
        Self { header, state_root, results, base_fee, signers, validators, following }
    }
}

impl Checkpoint {
    /// Succeeds when `next` is a decided block on top of this one.
    pub(crate) fn admit(&self, genesis: &Genesis, next: &Execute) -> Result<(), Halt> {
        let header = &next.block.header;
        let above = header.height == self.header.height.checked_add(1).ok_or(Halt::Block)?
            && header.parent == self.header.hash()
            && (header.time > self.header.time || !holds(Mechanism::Time));
        let whole = next.block.is_whole() || !holds(Mechanism::DataHash);
        let same_chain = header.chain_id == genesis.chain_id && header.simulated == genesis.simulated;
        let same_rules = header.base_fee == self.base_fee
            && header.validators == self.validators.hash()
            && header.next_validators == self.following.hash()
            && self.validators.iter().any(|validator| validator.address() == header.proposer);
        let sizes = next.block.txs.len() <= limits::BLOCK_TXS
            && next.block.txs.iter().map(|tx| tx.len()).fold(0, usize::saturating_add) <= limits::BLOCK_BYTES
            && next.block.evidence.len() <= limits::EVIDENCE;
        if !((above || !holds(Mechanism::Succession)) && same_chain && same_rules && sizes && whole) {
            return Err(Halt::Block);
        }
        // The certificates come before the results: only a decided block may accuse this enclave of having diverged.
        let decided =
            next.certificate.verify(&genesis.chain_id, &self.validators, header.height, &header.hash()).is_ok();
        if holds(Mechanism::Certificate) && !decided {
            return Err(Halt::Certificate);
        }
        if !holds(Mechanism::Succession) {
            return Ok(());
        }
        match &next.block.parent {
            // Nobody signs the genesis header.
            None if self.header.height == 0 => {}
            // Its precommits say who was there, so a proposer may not invent them.
            Some(parent) if self.header.height > 0 => parent
                .verify(&genesis.chain_id, &self.signers, self.header.height, &header.parent)
                .map_err(|_| Halt::Certificate)?,
            _ => return Err(Halt::Block),
        }
        if next.block.evidence.iter().any(|evidence| evidence.verify(&genesis.chain_id).is_err()) {
            return Err(Halt::Block);
        }
        if header.state_root != self.state_root || header.results != self.results {
            return Err(Halt::Diverged);
        }
        Ok(())
    }
}
