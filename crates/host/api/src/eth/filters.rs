//! Filters that clients have installed, bounded in number and in idle time.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::Filter;
use jsonrpsee::core::traits::IdProvider as _;
use jsonrpsee::server::RandomIntegerIdProvider;
use jsonrpsee::types::SubscriptionId;
use tokio::sync::broadcast;

use super::error::EthError;

/// All filters of a door.
#[derive(Debug, Default)]
pub(super) struct Filters(Mutex<HashMap<U64, Entry>>);

/// What a filter watches.
pub(super) enum Watch {
    Blocks,
    Logs(Box<Filter>),
    Pending(broadcast::Receiver<B256>),
}

/// What there is to report, or what has to be searched for it.
pub(super) enum Found {
    /// Transactions that entered the mempool.
    Hashes(Vec<B256>),
    /// Blocks from this height on.
    Blocks { next: u64 },
    /// Events from this height on.
    Logs { next: u64, filter: Box<Filter> },
}

#[derive(Debug)]
struct Entry {
    watch: Watch,
    /// First height that is not reported yet.
    next: u64,
    touched: Instant,
}

impl Filters {
    /// Installs a filter that reports from height `next` on; its id is not to be guessed by other clients.
    pub(super) fn add(&self, watch: Watch, next: u64) -> Result<U64, EthError> {
        let mut entries = self.lock();
        entries.retain(|_, entry| entry.touched.elapsed() < IDLE);
        if entries.len() >= FILTERS {
            return Err(EthError::TooManyFilters);
        }
        let id = loop {
            if let SubscriptionId::Num(id) = RandomIntegerIdProvider.next_id()
                && !entries.contains_key(&U64::from(id))
            {
                break U64::from(id);
            }
        };
        entries.insert(id, Entry { watch, next, touched: Instant::now() });
        Ok(id)
    }

    /// What a filter has to report since it last did.
    pub(super) fn poll(&self, id: U64) -> Result<Found, EthError> {
        let mut entries = self.lock();
        let entry = entries.get_mut(&id).ok_or(EthError::FilterNotFound)?;
        entry.touched = Instant::now();
        Ok(match &mut entry.watch {
            Watch::Blocks => Found::Blocks { next: entry.next },
            Watch::Logs(filter) => Found::Logs { next: entry.next, filter: filter.clone() },
            Watch::Pending(arrivals) => Found::Hashes(drain(arrivals)),
        })
    }

    /// Takes note that a filter has reported all below height `next`.
    pub(super) fn reported(&self, id: U64, next: u64) {
        if let Some(entry) = self.lock().get_mut(&id) {
            entry.next = next;
        }
    }

    /// Forgets a filter; false if there is none.
    pub(super) fn remove(&self, id: U64) -> bool {
        self.lock().remove(&id).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<U64, Entry>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocks => "Blocks",
            Self::Logs(_) => "Logs",
            Self::Pending(_) => "Pending",
        })
    }
}

fn drain(arrivals: &mut broadcast::Receiver<B256>) -> Vec<B256> {
    let mut hashes = Vec::new();
    loop {
        match arrivals.try_recv() {
            Ok(hash) => hashes.push(hash),
            Err(broadcast::error::TryRecvError::Lagged(_)) => {}
            Err(_) => return hashes,
        }
    }
}

/// Most filters of a door.
const FILTERS: usize = 4_096;
/// A filter that nobody asks for this long is forgotten, as in go-ethereum.
const IDLE: Duration = Duration::from_secs(300);
