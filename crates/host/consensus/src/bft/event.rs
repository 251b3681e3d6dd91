//! What the node tells consensus, and how it ends.

use cloister_chain::B256;
use thiserror::Error;

use super::Fatal;

/// What happened outside of consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The block of this height was executed: [`super::Chain::parent`] speaks of it now, and the mempool knows.
    Executed(u64),
    /// [`super::Chain::has_work`] may have become true.
    Work,
}

/// Why consensus ended.
#[derive(Debug, Error)]
pub enum End {
    /// Somebody asked for it.
    #[error("consensus was stopped")]
    Stopped,
    /// The engine stopped by itself; a restart is safe.
    #[error("the consensus engine failed; see its log")]
    Failed,
    /// The engine's log of what it signed cannot be relied on. It says nothing more, and must not be started again before
    /// somebody has looked: a vote that was forgotten could be contradicted.
    #[error("the log of signed votes failed: do not start this validator again before the cause is known")]
    Unsafe,
    /// The node's store failed.
    #[error(transparent)]
    Store(#[from] Fatal),
    /// More than two thirds decided what this node computes differently.
    #[error(transparent)]
    Diverged(#[from] Divergence),
}

/// A decided block says something else of its parent than this node's enclave (R10).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("block {height}, which was decided, says {theirs} for the {field} of block {}, and this node has {ours}", height - 1)]
pub struct Divergence {
    /// Height of the block that was decided.
    pub height: u64,
    /// Field of its header.
    pub field: &'static str,
    /// What this node has.
    pub ours: B256,
    /// What the decided block has.
    pub theirs: B256,
}
