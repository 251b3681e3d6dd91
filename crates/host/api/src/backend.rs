//! What a door needs from the node behind it.

use std::future::Future;

use cloister_chain::wire::{Answer, QueryAt};
use cloister_chain::{B256, Genesis, Tx};
use cloister_consensus::{Mempool, SubmitError};
use cloister_store::Store;
use thiserror::Error;
use tokio::sync::{broadcast, watch};

use crate::ops::Vitals;

/// A running node, as its doors see it.
pub trait Backend: Send + Sync + 'static {
    /// The chain.
    fn genesis(&self) -> &Genesis;

    /// Committed blocks, receipts and leaves. Reads are synchronous and cheap.
    fn store(&self) -> &Store;

    /// Height of the last committed block; it changes once the block is in the store and out of the mempool.
    fn heads(&self) -> watch::Receiver<u64>;

    /// Transactions that wait. Doors only look; they add through [`Backend::submit`].
    fn mempool(&self) -> &Mempool;

    /// Offers a transaction to the mempool; its hash once it waits there.
    fn submit(&self, tx: Tx) -> Result<B256, SubmitError>;

    /// Hash of each transaction as it enters the mempool. A slow receiver misses some.
    fn arrivals(&self) -> broadcast::Receiver<B256>;

    /// Asks the enclave.
    fn query(&self, question: QueryAt) -> impl Future<Output = Result<Answer, Unavailable>> + Send;

    /// Number of connected peers.
    fn peers(&self) -> usize;

    /// What the node counts about itself, if it does.
    fn vitals(&self) -> Option<&Vitals> {
        None
    }

    /// What the consensus engine counts about itself, as Prometheus reads it.
    fn engine_metrics(&self) -> Option<String> {
        None
    }

    /// The height that this node is catching up to; `None` once it is there.
    fn syncing(&self) -> Option<u64>;
}

/// Why the enclave gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unavailable {
    /// Too many questions are waiting.
    #[error("too many queries are waiting, try again later")]
    Busy,
    /// The enclave process ended over this question or beside it, and is started again.
    #[error("the enclave is restarting, try again")]
    Restarting,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}
