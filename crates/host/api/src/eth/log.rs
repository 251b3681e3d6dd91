//! Events: searching ranges of blocks, and filters that remember how far a client has read.

use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::{BlockNumberOrTag, Filter, FilterBlockOption, FilterChanges, Log};
use cloister_store::Reader;
use jsonrpsee::core::async_trait;
use jsonrpsee::proc_macros::rpc;

use super::error::EthError;
use super::filters::{Found, Watch};
use super::view::{Place, TxView, log};
use super::{Backend, Door, read};

#[rpc(server, namespace = "eth")]
pub trait EthLog {
    /// Events of a range of blocks. What lies above the tip is not there yet, and no error.
    #[method(name = "getLogs")]
    async fn logs(&self, filter: Filter) -> Result<Vec<Log>, EthError>;

    /// Starts to watch for events.
    #[method(name = "newFilter")]
    fn new_filter(&self, filter: Filter) -> Result<U64, EthError>;

    /// Starts to watch for blocks.
    #[method(name = "newBlockFilter")]
    fn new_block_filter(&self) -> Result<U64, EthError>;

    /// Starts to watch for transactions that enter the mempool; by their hashes.
    #[method(name = "newPendingTransactionFilter")]
    fn new_pending_filter(&self, full: Option<bool>) -> Result<U64, EthError>;

    /// What is new since the last call.
    #[method(name = "getFilterChanges")]
    async fn changes(&self, id: U64) -> Result<FilterChanges<TxView>, EthError>;

    /// All events of a filter's range.
    #[method(name = "getFilterLogs")]
    async fn filter_logs(&self, id: U64) -> Result<Vec<Log>, EthError>;

    /// Forgets a filter; false if there is none with that id.
    #[method(name = "uninstallFilter")]
    fn uninstall(&self, id: U64) -> Result<bool, EthError>;
}

#[async_trait]
impl<B: Backend> EthLogServer for Door<B> {
    async fn logs(&self, filter: Filter) -> Result<Vec<Log>, EthError> {
        self.scan(move |door| door.search(&filter)).await
    }

    fn new_filter(&self, filter: Filter) -> Result<U64, EthError> {
        self.filters.add(Watch::Logs(Box::new(filter)), self.tip()? + 1)
    }

    fn new_block_filter(&self) -> Result<U64, EthError> {
        self.filters.add(Watch::Blocks, self.tip()? + 1)
    }

    fn new_pending_filter(&self, full: Option<bool>) -> Result<U64, EthError> {
        if full == Some(true) {
            return Err(EthError::Params("a filter gives hashes, use eth_subscribe for full transactions"));
        }
        self.filters.add(Watch::Pending(self.backend.arrivals()), self.tip()? + 1)
    }

    async fn changes(&self, id: U64) -> Result<FilterChanges<TxView>, EthError> {
        let tip = self.tip()?;
        let changes = match self.filters.poll(id)? {
            Found::Hashes(hashes) => return Ok(FilterChanges::Hashes(hashes)),
            Found::Blocks { next } => FilterChanges::Hashes(self.scan(move |door| door.hashes(next, tip)).await?),
            Found::Logs { next, filter } => {
                FilterChanges::Logs(self.scan(move |door| door.since(&filter, next, tip)).await?)
            }
        };
        // A search that failed has reported nothing, so only success moves the filter on.
        self.filters.reported(id, tip + 1);
        Ok(changes)
    }

    async fn filter_logs(&self, id: U64) -> Result<Vec<Log>, EthError> {
        match self.filters.poll(id)? {
            Found::Logs { filter, .. } => self.scan(move |door| door.search(&filter)).await,
            Found::Hashes(_) | Found::Blocks { .. } => Err(EthError::FilterNotFound),
        }
    }

    fn uninstall(&self, id: U64) -> Result<bool, EthError> {
        Ok(self.filters.remove(id))
    }
}

impl<B: Backend> Door<B> {
    /// All events that a filter asks for.
    fn search(&self, filter: &Filter) -> Result<Vec<Log>, EthError> {
        let reader = self.reader()?;
        let tip = read::tip(&reader)?;
        let (from, to) = match &filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let height = reader.height_of(hash)?.ok_or(EthError::UnknownBlock)?;
                (height, height)
            }
            FilterBlockOption::Range { from_block, to_block } => (bound(from_block, tip), bound(to_block, tip)),
        };
        if from > to {
            return Err(EthError::Params("invalid block range params"));
        }
        range(&reader, filter, from, to.min(tip))
    }

    /// The events from height `next` to the tip that lie in a filter's range.
    fn since(&self, filter: &Filter, next: u64, tip: u64) -> Result<Vec<Log>, EthError> {
        let (from, to) = match &filter.block_option {
            FilterBlockOption::AtBlockHash(_) => return Ok(Vec::new()),
            FilterBlockOption::Range { from_block, to_block } => (number(from_block), number(to_block)),
        };
        range(&self.reader()?, filter, from.unwrap_or(0).max(next), to.unwrap_or(u64::MAX).min(tip))
    }

    /// The events of one block.
    pub(super) fn logs_at(&self, filter: &Filter, height: u64) -> Result<Vec<Log>, EthError> {
        range(&self.reader()?, filter, height, height)
    }

    fn hashes(&self, from: u64, to: u64) -> Result<Vec<B256>, EthError> {
        let reader = self.reader()?;
        let headers = (from..=to).map_while(|height| reader.header(height).transpose());
        Ok(headers.map(|header| header.map(|header| header.hash())).collect::<Result<_, _>>()?)
    }
}

/// The events of the heights `from` to `to` that have a filter's addresses and topics.
fn range(reader: &Reader, filter: &Filter, from: u64, to: u64) -> Result<Vec<Log>, EthError> {
    let mut found = Vec::new();
    for height in from..=to {
        let bloom = reader.bloom(height)?;
        if bloom.is_zero() || !filter.matches_bloom(bloom) {
            continue;
        }
        let (Some(header), Some(receipts)) = (reader.header(height)?, reader.receipts(height)?) else { break };
        let place = Place::new(&header);
        let events = (0u64..)
            .zip(receipts.iter().filter(|receipt| receipt.cosmos.is_none()))
            .flat_map(|(index, receipt)| receipt.logs.iter().map(move |event| (index, receipt.tx, event)));
        for (log_index, (index, tx, event)) in (0u64..).zip(events) {
            if filter.matches_address(event.address) && filter.matches_topics(&event.topics) {
                found.push(log(&place, tx, index, log_index, event));
            }
        }
        if found.len() > LOGS && from < to {
            return Err(EthError::TooManyLogs(LOGS));
        }
    }
    Ok(found)
}

/// The height that one end of a range means; without one, the tip.
fn bound(end: &Option<BlockNumberOrTag>, tip: u64) -> u64 {
    number(end).unwrap_or(tip)
}

fn number(end: &Option<BlockNumberOrTag>) -> Option<u64> {
    match end {
        Some(BlockNumberOrTag::Number(number)) => Some(*number),
        Some(BlockNumberOrTag::Earliest) => Some(0),
        _ => None,
    }
}

/// Most events in one answer about more than one block.
const LOGS: usize = 10_000;
