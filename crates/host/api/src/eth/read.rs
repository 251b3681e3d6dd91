//! The door's reads of the store: from a client's block identifier to heights, blocks, accounts and slots.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag};
use cloister_chain::wire::QueryRefusal;
use cloister_chain::{Account, Block, Cell};
use cloister_store::{Head, Reader, StoreError};

use super::error::EthError;
use super::view::{After, Mined};
use super::{Backend, Door};

impl<B: Backend> Door<B> {
    pub(super) fn reader(&self) -> Result<Reader, EthError> {
        Ok(self.backend.store().reader()?)
    }

    /// The last committed block and what follows from it.
    pub(super) fn head(&self) -> Result<Head, EthError> {
        self.reader()?.head()?.ok_or(EthError::Refused(QueryRefusal::NotReady))
    }

    /// Height of the last committed block.
    pub(super) fn tip(&self) -> Result<u64, EthError> {
        tip(&self.reader()?)
    }

    /// The height that a client means, if there is such a block.
    pub(super) fn find(&self, id: BlockId) -> Result<Option<u64>, EthError> {
        find(&self.reader()?, id)
    }

    /// The height that a client means; without an identifier, the tip.
    pub(super) fn height(&self, id: Option<BlockId>) -> Result<u64, EthError> {
        height(&self.reader()?, id)
    }

    /// The block that a client means.
    pub(super) fn mined_at(&self, id: BlockId) -> Result<Option<Arc<Mined>>, EthError> {
        let reader = self.reader()?;
        find(&reader, id)?.map(|height| self.mined(&reader, height)).transpose()
    }

    /// The block with a transaction in it, and the transaction's index there.
    pub(super) fn mined_with(&self, tx: &B256) -> Result<Option<(Arc<Mined>, usize)>, EthError> {
        let reader = self.reader()?;
        let Some((height, index)) = reader.locate(tx)? else { return Ok(None) };
        let mined = self.mined(&reader, height)?;
        Ok(mined.index_of(index as usize).map(|index| (mined, index)))
    }

    /// The block of a height that is at most the tip. Clients ask for the same few blocks again and again (each receipt of a
    /// block is such a question), so the last ones are kept.
    pub(super) fn mined(&self, reader: &Reader, height: u64) -> Result<Arc<Mined>, EthError> {
        let missing = StoreError::Corrupted("block below the tip");
        let Some(header) = reader.header(height)? else { return Err(missing.into()) };
        let hash = header.hash();
        if let Some(mined) = self.recent.find(&hash) {
            return Ok(mined);
        }
        // The roots after a block stand in the header above, and before there is one, in the head.
        let (state_root, results) = match (reader.header(height + 1)?, reader.head()?) {
            (Some(above), _) => (above.state_root, above.results),
            (None, Some(head)) => (head.state_root, head.results),
            (None, None) => return Err(missing.into()),
        };
        let after = After { state_root, results, bloom: reader.bloom(height)? };
        let block = reader
            .block(height)?
            .map_or(Block { header, txs: Vec::new(), parent: None, evidence: Vec::new() }, |stored| stored.block);
        let receipts = reader.receipts(height)?.unwrap_or_default();
        let mined = Arc::new(Mined::new(block, receipts, after, self.backend.genesis().evm_gas));
        self.recent.keep(mined.clone());
        Ok(mined)
    }

    pub(super) fn account(&self, address: Address, at: Option<BlockId>) -> Result<Account, EthError> {
        let reader = self.reader()?;
        Ok(reader.account(&address, height(&reader, at)?)?)
    }

    pub(super) fn cell(&self, address: Address, slot: B256, at: Option<BlockId>) -> Result<Cell, EthError> {
        let reader = self.reader()?;
        Ok(reader.cell(&address, &slot, height(&reader, at)?)?)
    }

    pub(super) fn code_of(&self, account: &Account) -> Result<Bytes, EthError> {
        if account.code == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        let code = self.reader()?.blob(&account.code)?;
        code.ok_or_else(|| StoreError::Corrupted("code of an account").into())
    }
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

pub(super) fn tip(reader: &Reader) -> Result<u64, EthError> {
    reader.tip()?.ok_or(EthError::Refused(QueryRefusal::NotReady))
}

fn find(reader: &Reader, id: BlockId) -> Result<Option<u64>, EthError> {
    match id {
        BlockId::Hash(hash) => Ok(reader.height_of(&hash.block_hash)?),
        BlockId::Number(BlockNumberOrTag::Earliest) => Ok(Some(0)),
        BlockId::Number(BlockNumberOrTag::Number(number)) => Ok((number <= tip(reader)?).then_some(number)),
        BlockId::Number(_) => tip(reader).map(Some),
    }
}

fn height(reader: &Reader, id: Option<BlockId>) -> Result<u64, EthError> {
    find(reader, id.unwrap_or_default())?.ok_or(EthError::HeaderNotFound)
}

/// A block holds at most [`cloister_chain::limits::BLOCK_BYTES`] of transactions.
const RECENT_BLOCKS: usize = 8;
