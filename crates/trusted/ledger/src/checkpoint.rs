//! What a ledger knows of the last block: enough to judge the next one.

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::wire::{Execute, Halt};
use cloister_chain::{Block, Genesis, Header, ValidatorSet, limits};

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
    /// The set that signs the next block.
    pub validators: ValidatorSet,
}

impl Checkpoint {
    /// Succeeds when `next` is a decided block on top of this one.
    pub(crate) fn admit(&self, genesis: &Genesis, next: &Execute) -> Result<(), Halt> {
        let header = &next.block.header;
        let above = header.height == self.header.height.checked_add(1).ok_or(Halt::Block)?
            && header.parent == self.header.hash()
            && header.time > self.header.time;
        let same_chain = header.chain_id == genesis.chain_id && header.simulated == genesis.simulated;
        let validators = self.validators.hash();
        let same_rules = header.base_fee == self.base_fee
            && header.validators == validators
            && header.next_validators == validators
            && self.validators.iter().any(|validator| validator.address() == header.proposer);
        let sizes = next.block.txs.len() <= limits::BLOCK_TXS
            && next.block.txs.iter().map(|tx| tx.len()).fold(0, usize::saturating_add) <= limits::BLOCK_BYTES;
        if !(above && same_chain && same_rules && sizes && header.txs == Block::txs_root(&next.block.txs)) {
            return Err(Halt::Block);
        }
        // The certificate comes before the results: only a decided block may accuse this enclave of having diverged.
        next.certificate
            .verify(&genesis.chain_id, &self.validators, header.height, &header.hash())
            .map_err(|_| Halt::Certificate)?;
        if header.state_root != self.state_root || header.results != self.results {
            return Err(Halt::Diverged);
        }
        Ok(())
    }
}
