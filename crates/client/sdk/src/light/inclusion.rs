use alloy_primitives::{B256, Bytes, keccak256};
use cloister_chain::hash::merkle_climb;
use cloister_chain::{Block, CosmosTx, Header, Receipt, Tx};

use super::LightError;

/// A transaction with its receipt, and the ways from both to the roots that headers name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Index in the block, from 0.
    pub index: u32,
    /// How many transactions the block has.
    pub count: u32,
    /// The transaction as it travelled: [`Tx::to_bytes`].
    pub tx: Bytes,
    /// Siblings from it up to the root of the transactions.
    pub tx_path: Vec<B256>,
    /// What it did.
    pub receipt: Receipt,
    /// Siblings from that up to the root of the results.
    pub receipt_path: Vec<B256>,
}

impl Inclusion {
    /// Succeeds when the transaction that clients know by `hash` stands in the block of `header`, at this index.
    pub fn verify_tx(&self, hash: &B256, header: &Header) -> Result<(), LightError> {
        if client_hash(&self.tx) != Some(*hash) {
            return Err(LightError::OtherTransaction(*hash));
        }
        if self.climb(Block::tx_leaf(&self.tx), &self.tx_path) != Some(header.txs) {
            return Err(LightError::Transaction(header.height));
        }
        // Nothing proves the receipt yet, but one of something else proves the node a liar.
        if self.receipt.tx != *hash {
            return Err(LightError::OtherReceipt);
        }
        Ok(())
    }

    /// Succeeds when the receipt is what the validators agreed on for the transaction at this index of the block of `header`.
    /// `above` is the next header.
    pub fn verify_receipt(&self, header: &Header, above: &Header) -> Result<(), LightError> {
        if above.parent != header.hash() {
            return Err(LightError::Parent(above.height));
        }
        if self.climb(self.receipt.hash(), &self.receipt_path) != Some(above.results) {
            return Err(LightError::Receipt(header.height));
        }
        Ok(())
    }

    fn climb(&self, leaf: B256, path: &[B256]) -> Option<B256> {
        let (index, count) = (usize::try_from(self.index).ok()?, usize::try_from(self.count).ok()?);
        merkle_climb(leaf, index, count, path)
    }
}

/// Hash by which clients know a transaction: Keccak-256 of the EIP-2718 form, SHA-256 of the `TxRaw`.
fn client_hash(tx: &Bytes) -> Option<B256> {
    match Tx::eip2718(tx) {
        Some(raw) => Some(keccak256(&raw)),
        // Behind the byte that names its world.
        None => CosmosTx::decode(tx.get(1..)?).ok().map(|tx| tx.hash()),
    }
}
