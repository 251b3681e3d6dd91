//! The door's reads of the store: states of a height, and blocks as this door shows them.
//!
//! A block may also hold transactions of the Ethereum door. A Cosmos client is shown none of them; indexes are the block's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use alloy_primitives::B256;
use borsh::BorshDeserialize;
use cloister_chain::wire::QueryRefusal;
use cloister_chain::{Bytes, Certificate, CosmosResult, CosmosTx, Header, Leaf, Receipt};
use cloister_store::{Head, Leaves, Reader, StoreError};

use super::error::RestError;
use super::{Backend, Door};

/// The public state after the block of a height.
pub(super) struct State {
    reader: Reader,
    /// The height.
    pub(super) height: u64,
}

impl State {
    /// What a leaf holds.
    pub(super) fn get<T: BorshDeserialize>(&self, leaf: &Leaf) -> Result<Option<T>, RestError> {
        let value = self.reader.leaf(leaf, self.height)?;
        let value = value.map(|bytes| T::try_from_slice(&bytes)).transpose();
        value.map_err(|_| StoreError::Corrupted("leaf").into())
    }

    /// Whether a leaf holds anything.
    pub(super) fn has(&self, leaf: &Leaf) -> Result<bool, RestError> {
        Ok(self.reader.leaf(leaf, self.height)?.is_some())
    }

    /// Leaves whose encoded names begin with `prefix`, in pieces of about [`PIECE_BYTES`].
    pub(super) fn under(&self, prefix: &[u8]) -> Result<Leaves, RestError> {
        Ok(self.reader.leaves_under(prefix, self.height, PIECE_BYTES)?)
    }

    /// Time of the height's block, in nanoseconds since 1970.
    pub(super) fn time(&self) -> Result<u64, RestError> {
        let header = self.reader.header(self.height)?;
        Ok(header.ok_or(StoreError::Corrupted("headers"))?.time)
    }

    /// A blob by its hash.
    pub(super) fn blob(&self, hash: &B256) -> Result<Bytes, RestError> {
        self.reader.blob(hash)?.ok_or_else(|| StoreError::Corrupted("code").into())
    }
}

/// A committed block and what it did.
#[derive(Debug)]
pub(super) struct Mined {
    /// Hash of the header.
    pub(super) hash: B256,
    /// The header.
    pub(super) header: Header,
    txs: Vec<Bytes>,
    receipts: Vec<Receipt>,
}

/// A Cosmos transaction of a block.
pub(super) struct Placed<'a> {
    /// Its block.
    pub(super) header: &'a Header,
    /// The transaction.
    pub(super) tx: CosmosTx,
    /// What it did.
    pub(super) receipt: &'a Receipt,
    /// What it did in the Cosmos world's words.
    pub(super) result: &'a CosmosResult,
}

impl Mined {
    /// The transaction at `index` of the block, if it is one of this door.
    pub(super) fn placed(&self, index: u32) -> Result<Option<Placed<'_>>, RestError> {
        let index = index as usize;
        let (Some(bytes), Some(receipt)) = (self.txs.get(index), self.receipts.get(index)) else { return Ok(None) };
        let Some(result) = &receipt.cosmos else { return Ok(None) };
        let corrupted = || RestError::Store(StoreError::Corrupted("Cosmos transaction of a block"));
        let tx = CosmosTx::decode(raw(bytes)).map_err(|_| corrupted())?;
        Ok(Some(Placed { header: &self.header, tx, receipt, result }))
    }

    /// Indexes of this door's transactions.
    pub(super) fn indexes(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.receipts).filter(|(_, receipt)| receipt.cosmos.is_some()).map(|(index, _)| index)
    }

    /// This door's transactions, each a `TxRaw`.
    pub(super) fn raw(&self) -> impl Iterator<Item = &[u8]> {
        self.indexes().filter_map(|index| self.txs.get(index as usize)).map(raw)
    }

    /// Every transaction of either world, as it travelled.
    pub(super) fn txs(&self) -> &[Bytes] {
        &self.txs
    }

    /// What they did.
    pub(super) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Bytes of the transaction at `index`.
    pub(super) fn size(&self, index: u32) -> usize {
        self.txs.get(index as usize).map_or(0, |tx| tx.len())
    }
}

impl<B: Backend> Door<B> {
    pub(super) fn reader(&self) -> Result<Reader, RestError> {
        Ok(self.backend.store().reader()?)
    }

    /// The state of a height; without one, of the tip.
    pub(super) fn state(&self, height: Option<u64>) -> Result<State, RestError> {
        let reader = self.reader()?;
        let tip = tip(&reader)?;
        let height = height.unwrap_or(tip);
        let oldest = reader.oldest()?;
        if height > tip {
            return Err(RestError::Future);
        }
        if height < oldest {
            return Err(RestError::Pruned { height, oldest });
        }
        Ok(State { reader, height })
    }

    /// The last committed block and what follows from it.
    pub(super) fn head(&self) -> Result<Head, RestError> {
        self.reader()?.head()?.ok_or(RestError::Refused(QueryRefusal::NotReady))
    }

    /// The block of a height. Clients ask for the same few blocks again and again (each transaction of a block is such a
    /// question), so the last ones are kept.
    pub(super) fn mined(&self, reader: &Reader, height: u64) -> Result<Arc<Mined>, RestError> {
        let Some(header) = reader.header(height)? else { return Err(RestError::NoBlock(height)) };
        let hash = header.hash();
        if let Some(mined) = self.recent.find(&hash) {
            return Ok(mined);
        }
        let txs = reader.block(height)?.map_or_else(Vec::new, |stored| stored.block.txs);
        let receipts = reader.receipts(height)?.unwrap_or_default();
        let mined = Arc::new(Mined { hash, header, txs, receipts });
        self.recent.keep(mined.clone());
        Ok(mined)
    }

    /// The certificate of the block of a height; there is none of height 0.
    pub(super) fn certificate(&self, reader: &Reader, height: u64) -> Result<Option<Certificate>, RestError> {
        Ok(reader.block(height)?.map(|stored| stored.certificate))
    }
}

/// Height of the last committed block.
pub(super) fn tip(reader: &Reader) -> Result<u64, RestError> {
    reader.tip()?.ok_or(RestError::Refused(QueryRefusal::NotReady))
}

/// The blocks that were asked for last.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<VecDeque<Arc<Mined>>>);

impl Recent {
    fn find(&self, hash: &B256) -> Option<Arc<Mined>> {
        let recent = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        recent.iter().find(|mined| mined.hash == *hash).cloned()
    }

    fn keep(&self, mined: Arc<Mined>) {
        let mut recent = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        recent.truncate(RECENT_BLOCKS - 1);
        recent.push_front(mined);
    }
}

/// In a block a transaction stands behind the tag byte of its world ([`cloister_chain::tx`]).
fn raw(bytes: &Bytes) -> &[u8] {
    bytes.get(1..).unwrap_or_default()
}

/// A block holds at most [`cloister_chain::limits::BLOCK_BYTES`] of transactions.
const RECENT_BLOCKS: usize = 8;
/// A list of leaves is read so many bytes at a time.
const PIECE_BYTES: usize = 64 << 10;
