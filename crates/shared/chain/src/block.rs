//! Headers and blocks.

use alloy_primitives::{Address, B256, Bytes};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::hash::{merkle_root, tagged};
use crate::{Certificate, Evidence, Genesis};

/// What validators sign. Its hash is the block's hash in every door.
///
/// Results lag by one: `state_root`, `results` and `certificate` speak of the parent.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// Chain id of the genesis.
    pub chain_id: String,
    /// Height; the genesis header has 0.
    pub height: u64,
    /// Nanoseconds since the Unix epoch; strictly greater than the parent's.
    pub time: u64,
    /// Hash of the parent's header; for the genesis header, of the genesis.
    pub parent: B256,
    /// Hash of the parent's certificate, which the block carries; zero up to height 1.
    pub certificate: B256,
    /// Merkle root of the hashes of this block's transactions.
    pub txs: B256,
    /// Merkle root of this block's evidence.
    pub evidence: B256,
    /// Root of the state after the parent.
    pub state_root: B256,
    /// Merkle root of the parent's receipts.
    pub results: B256,
    /// Base fee per EVM gas of this block, in wei.
    pub base_fee: u64,
    /// Hash of the validator set that signs this block.
    pub validators: B256,
    /// Hash of the validator set that signs the next block.
    pub next_validators: B256,
    /// Address of the proposer, who receives the tips.
    pub proposer: Address,
    /// True for a SIMULATED chain, which has no confidentiality against its host.
    pub simulated: bool,
}

impl Header {
    /// The header that every chain starts from. Nobody signs it: it follows from the genesis.
    pub fn genesis(genesis: &Genesis) -> Self {
        let validators = genesis.validators.hash();
        Self {
            chain_id: genesis.chain_id.clone(),
            height: 0,
            time: genesis.time,
            parent: genesis.hash(),
            certificate: B256::ZERO,
            txs: merkle_root(&[]),
            evidence: merkle_root(&[]),
            state_root: B256::ZERO,
            results: merkle_root(&[]),
            base_fee: genesis.base_fee,
            validators,
            next_validators: validators,
            proposer: Address::ZERO,
            simulated: genesis.simulated,
        }
    }

    /// The block's hash: SHA-256 over the borsh form, under its own label.
    pub fn hash(&self) -> B256 {
        tagged("cloister/header", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }

    /// Seconds since the Unix epoch, floored: the EVM's `TIMESTAMP`.
    pub fn seconds(&self) -> u64 {
        self.time / 1_000_000_000
    }
}

/// A header and what it commits to.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// Encoded transactions ([`crate::Tx`]), in order, as they travelled.
    pub txs: Vec<Bytes>,
    /// The proof that the parent was decided, as the proposer has it; `None` up to height 1. Others may have other precommits
    /// of the parent: these count for who was absent.
    pub parent: Option<Certificate>,
    /// Validators who contradicted themselves, at most [`crate::limits::EVIDENCE`] of them.
    pub evidence: Vec<Evidence>,
}

impl Block {
    /// Merkle root of `txs`: each leaf is SHA-256 of the transaction's bytes under its own label.
    pub fn txs_root(txs: &[Bytes]) -> B256 {
        let hashes: Vec<B256> = txs.iter().map(|tx| Self::tx_leaf(tx)).collect();
        merkle_root(&hashes)
    }

    /// What [`Block::txs_root`] makes of one transaction's bytes.
    pub fn tx_leaf(tx: &[u8]) -> B256 {
        tagged("cloister/tx", &[tx])
    }

    /// True if the header commits to all of the rest.
    pub fn is_whole(&self) -> bool {
        let header = &self.header;
        header.txs == Self::txs_root(&self.txs)
            && header.evidence == Evidence::root(&self.evidence)
            && header.certificate == self.parent.as_ref().map_or(B256::ZERO, Certificate::hash)
    }
}
