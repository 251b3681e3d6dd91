//! A vote that the engine cannot use yet: others have begun the next height.

use malachite_types::SignedVote;

use super::{App, Stage};
use crate::bft::context::{Tendermint, signed_vote};

impl App {
    /// Takes note of a vote for a later height by one who may vote in the next: then it is not to wait.
    pub fn heard(&mut self, vote: &SignedVote<Tendermint>) {
        let Some(current) = self.current.as_mut() else { return };
        let (Stage::Decided(outcome) | Stage::Finished(outcome)) = &mut current.stage else { return };
        if outcome.hurry || vote.message.height.0 <= current.height {
            return;
        }
        let mut next = current.parent.following.iter();
        let voter = next.find(|validator| validator.address() == vote.message.voter.0);
        outcome.hurry = voter.is_some_and(|voter| signed_vote(vote).is_by(&voter.key, &self.chain_id));
    }
}
