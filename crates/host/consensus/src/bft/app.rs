//! The application that the engine drives: what is proposed, what is valid, what was decided.
//!
//! A state machine without I/O of its own. Each message of the engine has a method of its name, in a file of its name; a
//! method returns the answer, and parts to publish where there are any. What has to be on disk is there when a method
//! returns: [`Chain`] sees to it. An [`End`] means that nothing more may be said.

use std::sync::Arc;

use cloister_chain::{B256, Block, Certificate, Parent};
use malachite::app::streaming::{StreamId, StreamMessage};
use malachite::app::types::ProposedValue;
use malachite_types::{HeightParams, Round, Validity};

use super::context::{Address, BlockHash, Height, Tendermint};
use super::key::ValidatorKey;
use super::parts::{Announcement, Assembler, Part, Whole, split};
use super::validators::ValidatorSet;
use super::{Chain, Divergence, End, Kept, Pace};

mod decided;
mod finalized;
mod get_value;
mod heard;
mod history;
mod judge;
mod ready;
mod received_part;
mod restream;
mod started_round;
mod synced;

/// See the module.
pub(super) struct App {
    chain: Box<dyn Chain>,
    chain_id: Arc<str>,
    key: Arc<ValidatorKey>,
    pace: Pace,
    /// The height that is being decided, or was decided last. `None` until the engine is ready.
    current: Option<Current>,
    /// Blocks of the height after it that arrived whole before their parent was executed.
    early: Vec<Whole>,
    assembler: Assembler,
    /// Streams opened by this node.
    streams: u64,
}

/// One height.
struct Current {
    height: u64,
    round: u32,
    parent: Arc<Parent>,
    set: ValidatorSet,
    /// What the store keeps for this height.
    kept: Vec<Kept>,
    /// The last blocks of this height that are invalid, and why.
    refused: Vec<(B256, Divergence)>,
    /// Others have decided it already.
    behind: bool,
    stage: Stage,
}

/// How far it is.
enum Stage {
    /// Not decided.
    Open,
    /// Decided; the engine still collects precommits.
    Decided(Outcome),
    /// The engine waits for the next height.
    Finished(Outcome),
}

/// What is to be known of a decided height before the next one starts.
struct Outcome {
    certificate: Certificate,
    /// The next height is not to wait: results to agree on, or others who are ahead.
    hurry: bool,
}

/// Where the engine starts, and with whom.
pub(super) type Start = (Height, HeightParams<Tendermint>);

/// Parts to publish, in order.
pub(super) type Parts = Vec<StreamMessage<Part>>;

impl App {
    /// An application on top of what `chain` has executed.
    pub fn new(chain: Box<dyn Chain>, chain_id: Arc<str>, key: Arc<ValidatorKey>, pace: Pace) -> Self {
        let assembler = Assembler::default();
        Self { chain, chain_id, key, pace, current: None, early: Vec::new(), assembler, streams: 0 }
    }

    /// The node's clock, in nanoseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.chain.now()
    }

    /// Starts the height after `parent`.
    fn start(&mut self, parent: Arc<Parent>) -> Result<Start, End> {
        let height = parent.header.height + 1;
        let set = ValidatorSet::from(&parent.validators);
        let kept = self.chain.kept(height)?;
        self.assembler.forget_below(height);
        self.early.retain(|whole| whole.announcement.height == height);
        let (refused, stage) = (Vec::new(), Stage::Open);
        let set_now = set.clone();
        self.current = Some(Current { height, round: 0, parent, set: set_now, kept, refused, behind: false, stage });
        Ok((Height(height), HeightParams::new(set, self.pace.timeouts(), self.pace.target)))
    }

    /// The height if it is this one and still open.
    fn open(&mut self, height: Height) -> Option<&mut Current> {
        self.current.as_mut().filter(|current| current.height == height.0 && matches!(current.stage, Stage::Open))
    }

    /// Keeps a valid block of the open height.
    fn keep(&mut self, kept: Kept) -> Result<(), End> {
        let current = self.current.as_mut().expect("a block is judged only on top of an open height");
        if !current.has(&kept) {
            self.chain.keep(&kept)?;
            current.kept.push(kept);
        }
        Ok(())
    }

    /// The parts of a kept block, in a new stream.
    fn parts(&mut self, kept: &Kept) -> Parts {
        self.streams += 1;
        let mut name = self.chain.now().to_be_bytes().to_vec();
        name.extend_from_slice(&self.streams.to_be_bytes());
        let rounds = (kept.round, kept.valid_round);
        let stream = StreamId::new(name.into());
        split(&self.chain_id, rounds, &kept.block, &self.key, stream).unwrap_or_default()
    }
}

impl Current {
    fn has(&self, kept: &Kept) -> bool {
        let hash = kept.block.header.hash();
        self.kept.iter().any(|other| {
            (other.round, other.valid_round) == (kept.round, kept.valid_round) && other.block.header.hash() == hash
        })
    }

    /// The kept block with this hash.
    fn block(&self, hash: &BlockHash) -> Option<&Block> {
        self.kept.iter().map(|kept| &kept.block).find(|block| block.header.hash() == hash.0)
    }

    /// Remembers why a block is invalid, for the case that it is decided.
    fn refuse(&mut self, block: B256, difference: Divergence) {
        if self.refused.len() == REFUSED {
            self.refused.remove(0);
        }
        self.refused.push((block, difference));
    }

    /// Whose turn a round is.
    fn proposer(&self, round: u32) -> Address {
        self.set.proposer(self.height, round).address()
    }
}

/// What the engine is told of a block.
fn proposed(height: u64, round: u32, valid: Option<u32>, by: Address, block: BlockHash, ok: bool) -> Proposed {
    ProposedValue {
        height: Height(height),
        round: Round::new(round),
        valid_round: Round::from(valid),
        proposer: by,
        value: block,
        validity: Validity::from_bool(ok),
    }
}

type Proposed = ProposedValue<Tendermint>;

/// A kept block is a valid one.
impl From<&Kept> for Proposed {
    fn from(kept: &Kept) -> Self {
        let header = &kept.block.header;
        let by = Address(kept.proposer);
        proposed(header.height, kept.round, kept.valid_round, by, BlockHash(header.hash()), true)
    }
}

/// What is kept of an announced block that is valid.
fn kept(announcement: &Announcement, proposer: Address, block: Block) -> Kept {
    let Announcement { round, valid_round, .. } = *announcement;
    Kept { round, valid_round, proposer: proposer.0, block }
}

/// Most invalid blocks of a height that are remembered.
const REFUSED: usize = 16;

#[cfg(test)]
mod tests;
