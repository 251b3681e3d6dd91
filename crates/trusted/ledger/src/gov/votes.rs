//! Voting.

use cloister_chain::Leaf;
use cloister_chain::cosmos::from_bech32;
use cloister_chain::gov::{Choice, METADATA_BYTES, Status, Vote};
use cloister_chain::staking::Decimal;
use cloister_state::Supply;
use secret_sdk_proto::cosmos::gov::v1::{MsgVote, MsgVoteWeighted, WeightedVoteOption};

use super::{Gov, refused};
use crate::cosmos::{Fail, events};

impl<S: Supply> Gov<'_, '_, S> {
    pub(super) fn vote(&mut self, message: &MsgVote) -> Result<(), Fail> {
        let choice = choice(message.option)?;
        self.cast(message.proposal_id, &message.voter, vec![(choice, Decimal::ONE)], &message.metadata)
    }

    pub(super) fn vote_weighted(&mut self, message: &MsgVoteWeighted) -> Result<(), Fail> {
        let options = options(&message.options)?;
        self.cast(message.proposal_id, &message.voter, options, &message.metadata)
    }

    /// Whoever votes again has voted like that.
    fn cast(&mut self, id: u64, voter: &str, options: Vec<(Choice, Decimal)>, metadata: &str) -> Result<(), Fail> {
        let (proposal, mut ballot) = self.open(id)?;
        if proposal.status != Status::Voting {
            return Err(refused(3, format!("{id}: inactive proposal")));
        }
        if metadata.len() > METADATA_BYTES {
            return Err(refused(15, format!("got metadata with length {}: metadata too long", metadata.len())));
        }
        let account = from_bech32(voter)?;
        let leaf = Leaf::Vote(id, account);
        if self.meter.read::<Vote>(leaf)?.is_none() {
            self.enlist(Leaf::Voters, id, &mut ballot.voters, account)?;
            self.meter.write(Leaf::Ballot(id), Some(&ballot))?;
        }
        let shown =
            options.iter().map(|(choice, weight)| format!(r#"{{"option":{},"weight":"{weight}"}}"#, *choice as u8));
        let shown = shown.collect::<Vec<_>>().join("\n");
        self.meter.write(leaf, Some(&Vote { options, metadata: metadata.to_owned() }))?;
        let attributes = [("voter", voter.to_owned()), ("option", shown), ("proposal_id", id.to_string())];
        self.events.push(events::event("proposal_vote", attributes));
        Ok(())
    }
}

fn choice(number: i32) -> Result<Choice, Fail> {
    Choice::from_number(number).ok_or_else(|| refused(7, format!("{number}: invalid vote option")))
}

/// Parts of one, each choice once.
fn options(list: &[WeightedVoteOption]) -> Result<Vec<(Choice, Decimal)>, Fail> {
    let invalid = |why: &str| refused(7, format!("{why}: invalid vote option"));
    if list.is_empty() {
        return Err(Fail::sdk(18, "[]: invalid request"));
    }
    let (mut options, mut sum) = (Vec::new(), Decimal::ZERO);
    for option in list {
        let choice = choice(option.option)?;
        let weight: Decimal = option.weight.parse().map_err(|_| invalid("invalid weight"))?;
        if weight.is_zero() || weight > Decimal::ONE {
            return Err(invalid(&option.weight));
        }
        if options.iter().any(|(other, _)| *other == choice) {
            return Err(invalid("duplicated vote option"));
        }
        sum = sum.plus(weight);
        options.push((choice, weight));
    }
    if sum > Decimal::ONE {
        return Err(invalid("total weight overflow 1.00"));
    }
    if sum < Decimal::ONE {
        return Err(invalid("total weight lower than 1.00"));
    }
    Ok(options)
}
