//! What the node tells consensus, and how it ends.

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
    #[error("a decided block differs: {0}")]
    Diverged(#[from] Divergence),
}

/// A block says something else than this node expects on top of what it executed. If the block was decided, this node is
/// in the minority and its enclave computes something else than the others' (R10).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("block {height} has {theirs} for its {field}; this node expects {ours}")]
pub struct Divergence {
    /// Height of the block.
    pub height: u64,
    /// Field of its header, or what of its body.
    pub field: &'static str,
    /// What this node expects.
    pub ours: String,
    /// What the block has.
    pub theirs: String,
}
