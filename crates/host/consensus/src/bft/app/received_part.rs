//! `ReceivedProposalPart`: blocks of others.

use malachite::app::streaming::StreamMessage;
use malachite::app::types::PeerId;
use tracing::{debug, error};

use super::judge::{self, Rules};
use super::{Announcement, App, Part, Proposed, Stage, Whole, kept, proposed};
use crate::bft::End;
use crate::bft::context::BlockHash;
use crate::bft::validators::ValidatorSet;

/// How many rounds ahead of this node's a proposal may be: as many as the engine looks at.
const ROUNDS_AHEAD: u32 = 10;
/// From this round the engine asks whoever locks a block to repeat the proposal of another.
const LATE_ROUND: u32 = 10;
/// Most different blocks of one round that are looked at; a round has one honest proposal.
const PER_ROUND: usize = 2;
/// Most blocks that wait for their parent's execution.
const EARLY: usize = 4;

impl App {
    /// Takes one part. Gives the engine its value when a block of the open height is whole: it is valid and kept by then,
    /// or it is invalid.
    pub fn received_part(
        &mut self,
        from: PeerId,
        publisher: Option<PeerId>,
        message: StreamMessage<Part>,
    ) -> Result<Option<Proposed>, End> {
        let mut assembler = std::mem::take(&mut self.assembler);
        let whole = assembler.take(from, publisher.unwrap_or(from), message, |first| self.wants(first));
        self.assembler = assembler;
        let Some(whole) = whole else { return Ok(None) };
        let now = self.current.as_ref().is_some_and(|current| current.height == whole.announcement.height);
        if now {
            return self.consider(whole).map(Some);
        }
        let known = self.early.iter().any(|early| early.announcement.block == whole.announcement.block);
        if !known && self.early.len() < EARLY {
            self.early.push(whole);
        }
        Ok(None)
    }

    /// Judges a block of the open height.
    pub(super) fn consider(&mut self, whole: Whole) -> Result<Proposed, End> {
        let Whole { announcement, block } = whole;
        let current = self.current.as_ref().expect("blocks are wanted only once the engine has started");
        let proposer = current.proposer(announcement.round);
        // A block that more than two thirds wanted in an earlier round was made by whoever proposed then.
        let rounds = announcement.valid_round.map_or(announcement.round..=announcement.round, |valid| 0..=valid);
        let may = |by| rounds.clone().any(|round| current.proposer(round).0 == by);
        let rules = Rules { chain_id: &self.chain_id, may_propose: &may, now: Some(self.chain.now()) };
        if let Err(difference) = judge::judge(&block, &current.parent, &rules) {
            error!(round = announcement.round, %proposer, %difference, "this node votes against a proposal");
            let Announcement { height, round, valid_round, block, .. } = announcement;
            self.current.as_mut().expect("it is the open height").refuse(block, difference);
            return Ok(proposed(height, round, valid_round, proposer, BlockHash(block), false));
        }
        let kept = kept(&announcement, proposer, block);
        let answer = Proposed::from(&kept);
        self.keep(kept)?;
        Ok(answer)
    }

    /// True for a block of the open height, or of the one after, from the validator whose turn it is.
    fn wants(&self, first: &Announcement) -> bool {
        let Some(current) = &self.current else { return false };
        let next: ValidatorSet;
        let (set, round) = if first.height == current.height && matches!(current.stage, Stage::Open) {
            (&current.set, current.round)
        } else if Some(first.height) == current.height.checked_add(1) {
            next = ValidatorSet::from(&current.parent.following);
            (&next, 0)
        } else {
            return false;
        };
        if first.round > round.saturating_add(ROUNDS_AHEAD)
            || first.valid_round.is_some_and(|valid| valid >= first.round)
        {
            return false;
        }
        let in_turn = set.proposer(first.height, first.round).address() == first.sender;
        let sender = set.find(&first.sender).filter(|_| in_turn || first.round >= LATE_ROUND);
        let signed = sender.is_some_and(|sender| first.is_by(&sender.key(), &self.chain_id));
        if !signed {
            debug!(height = first.height, round = first.round, sender = %first.sender, "refused a proposal's parts");
        }
        signed && !self.is_crowded(first)
    }

    /// True if the round has as many other blocks as are looked at.
    fn is_crowded(&self, first: &Announcement) -> bool {
        let kept = self.current.iter().flat_map(|current| &current.kept);
        let kept = kept.map(|kept| (kept.block.header.height, kept.round, kept.block.header.hash()));
        let early = self.early.iter().map(|whole| whole.announcement);
        let early = early.map(|early| (early.height, early.round, early.block));
        let others = kept
            .chain(early)
            .filter(|(height, round, block)| (*height, *round) == (first.height, first.round) && *block != first.block);
        others.count() >= PER_ROUND
    }
}
