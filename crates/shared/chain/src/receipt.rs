//! What a transaction did, as the chain agrees on it.

use alloy_primitives::{Address, B256, Bytes, U256};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::hash::{merkle_root, tagged};
use crate::leaf::Leaf;
use crate::validators::ValidatorSet;

/// The result of one transaction.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// Hash by which the client knows the transaction (for an Ethereum transaction keccak-256 of its EIP-2718 form).
    pub tx: B256,
    /// Account that signed it.
    pub from: Address,
    /// How it ended.
    pub status: Status,
    /// Gas used, in the units of the transaction's own world; zero for a refused transaction.
    pub gas_used: u64,
    /// Price paid per unit of gas, in wei.
    pub gas_price: u128,
    /// Address of a contract that it created.
    pub contract: Option<Address>,
    /// Events, in order; empty unless it succeeded.
    pub logs: Vec<Log>,
    /// What a Cosmos client is told beside that; `None` for an Ethereum transaction.
    pub cosmos: Option<CosmosResult>,
}

/// The result of a Cosmos transaction, as ABCI has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CosmosResult {
    /// Number of the error in its codespace; zero for success.
    pub code: u32,
    /// Module that the number belongs to; empty for success.
    pub codespace: String,
    /// Text of the error; empty for success.
    pub log: String,
    /// Gas limit of the transaction.
    pub gas_wanted: u64,
    /// Protobuf `TxMsgData`: one response for each message; empty unless it succeeded.
    pub data: Bytes,
    /// Events of the ante part, then of the messages; the latter only if it succeeded.
    pub events: Vec<Event>,
}

/// An event of the Cosmos world.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Event {
    /// Its type.
    pub kind: String,
    /// Keys and values, in order.
    pub attributes: Vec<(String, String)>,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Status {
    /// Everything it asked for happened.
    Success,
    /// It ran and failed: gas is charged, its other effects are undone.
    Failed,
    /// It could not run at all: nothing happened and nothing is charged.
    Refused(Refusal),
}

/// Why an ordered transaction could not run. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Refusal {
    /// The bytes are not a transaction of this chain.
    Malformed = 1,
    /// The sequence is not the account's next one.
    Sequence = 2,
    /// The account cannot pay value and fee.
    Funds = 3,
    /// The fee is below the block's base fee, or malformed.
    Fee = 4,
    /// The gas limit is below the intrinsic cost, or above what is left of the block.
    Gas = 5,
    /// Any other rule of the transaction's own world.
    Rule = 6,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Log {
    /// Contract that emitted it.
    pub address: Address,
    /// Up to four topics.
    pub topics: Vec<B256>,
    /// Data.
    pub data: Bytes,
}

/// What executing one block produced: the enclave's one answer to one block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Outcome {
    /// Height of the block.
    pub height: u64,
    /// One receipt for each transaction, in the block's order.
    pub receipts: Vec<Receipt>,
    /// Leaves that changed, ascending; `None` removes one.
    pub writes: Vec<(Leaf, Option<Vec<u8>>)>,
    /// Content-addressed blobs that are new: EVM code by its keccak-256.
    pub blobs: Vec<(B256, Bytes)>,
    /// Root of the state after the block.
    pub state_root: B256,
    /// Merkle root of the receipts.
    pub results: B256,
    /// Base fee of the next block, in wei per gas.
    pub next_base_fee: u64,
    /// The set that signs the next block.
    pub next_validators: ValidatorSet,
    /// The set that signs the one after it, as this block left it.
    pub following_validators: ValidatorSet,
    /// The enclave's own sealed note of height, header hash and root: a cache that lets it go on after a restart.
    pub checkpoint: Vec<u8>,
    /// The network's roots, sealed to this machine, if the block switched epochs or erased a root: they take the place of those
    /// that the host keeps, of which no copy may be left.
    pub sealed_roots: Option<Vec<u8>>,
}

impl Receipt {
    /// Merkle root of `receipts`: each leaf is SHA-256 of the borsh form under its own label.
    pub fn root(receipts: &[Receipt]) -> B256 {
        let hashes: Vec<B256> = receipts.iter().map(Receipt::hash).collect();
        merkle_root(&hashes)
    }

    /// Hash of this receipt, a leaf of [`Receipt::root`].
    pub fn hash(&self) -> B256 {
        tagged("cloister/receipt", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }

    /// Fee charged, in wei.
    pub fn fee(&self) -> U256 {
        U256::from(self.gas_used) * U256::from(self.gas_price)
    }
}
