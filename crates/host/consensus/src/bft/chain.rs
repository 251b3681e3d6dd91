//! What consensus asks of the node around it.

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::{Address, Block, Bytes, Certificate, Evidence, Parent};
use thiserror::Error;

/// The node, as consensus sees it. Calls may touch the disk; none executes a block.
pub trait Chain: Send + 'static {
    /// What the next header has to say of its parent: the last *executed* block, with the set that signs the next one.
    fn parent(&self) -> Arc<Parent>;

    /// Transactions for a block on top of it, in order, within the limits of a block.
    fn select(&self, parent: &Parent) -> Vec<Bytes>;

    /// Evidence that waits to be put into a block.
    fn evidence(&self) -> Vec<Evidence>;

    /// True while something waits for a block: transactions, evidence, or whatever else is not to wait for an idle block.
    /// Asked after each executed block and after each [`super::Event::Work`].
    fn has_work(&self) -> bool;

    /// Takes evidence that consensus came across. The same piece may come more than once.
    fn report(&mut self, evidence: Evidence);

    /// Keeps a block that is not decided yet. On disk when it returns; the same block again of the same round replaces.
    fn keep(&mut self, kept: &Kept) -> Result<(), Fatal>;

    /// All that was kept for `height`, until a block of this height or a later one is decided.
    fn kept(&self, height: u64) -> Result<Vec<Kept>, Fatal>;

    /// `block` was decided. It and its certificate are on disk when this returns; its execution starts elsewhere.
    fn decide(&mut self, block: &Block, certificate: &Certificate) -> Result<(), Fatal>;

    /// A certificate with at least as many precommits for the block decided last.
    fn extend(&mut self, certificate: &Certificate) -> Result<(), Fatal>;

    /// Height of the block decided last; 0 if there is none. Its execution may still be under way.
    fn tip(&self) -> Result<u64, Fatal>;

    /// A decided block that is still kept.
    fn decided(&self, height: u64) -> Result<Option<(Block, Certificate)>, Fatal>;

    /// Lowest height whose block is still kept.
    fn oldest(&self) -> Result<u64, Fatal>;

    /// Nanoseconds since the Unix epoch.
    fn now(&self) -> u64;
}

/// A block that was proposed and is not decided yet.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Kept {
    /// Round in which it was proposed (again). With the block's hash and height: the key to keep it under.
    pub round: u32,
    /// Earlier round in which more than two thirds prevoted for it, if it is proposed again for that reason.
    pub valid_round: Option<u32>,
    /// Who proposed it in `round`; the block's header names who made it.
    pub proposer: Address,
    /// The block. This node has found it valid on top of what it executed.
    pub block: Block,
}

/// The node's store failed: consensus stops at once and says nothing more, because what it said may be forgotten.
#[derive(Debug, Error)]
#[error("the store failed: {0}")]
pub struct Fatal(#[from] pub Box<dyn std::error::Error + Send + Sync>);
