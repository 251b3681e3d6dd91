//! Proposals, deposits and votes, and what happens when a proposal passes (Cosmos SDK 0.50, `x/gov`).
//!
//! Records are those of [`cloister_chain::gov`]. A message changes them within its transaction's gas; what ends with time
//! ends in [`end_block`], which reads one leaf in a block in which nothing does.
//!
//! What differs from the SDK, on purpose:
//! - An end does a limited amount of work in a block and goes on in the next one: votes are counted and deposits given back
//!   from the last to the first. The power of validators is that of the block in which counting began.
//! - A proposal that passed runs within the gas of one block, and at most one of them does in a block.
//! - What happens at the end of a block has no events: no transaction shows them.
//! - Deposits that were taken back wait for the end of the block, as all deposits do.
//!
//! | file | holds |
//! | --- | --- |
//! | `proposals` | submitting, depositing, taking back |
//! | `votes` | voting |
//! | `ending` | the end of a period: counting, deciding, paying back, coming into effect |
//! | `decrees` | what only a proposal may do |
//! | `book` | lists, and the queue of what ends with time |

mod book;
mod decrees;
mod ending;
mod proposals;
mod votes;

use cloister_chain::cosmos::{GovKind, GovMessage};
use cloister_chain::gov::{Ballot, Params, Proposal};
use cloister_chain::receipt::Event;
use cloister_chain::{Header, Leaf};
use cloister_state::Supply;
use prost::Message as _;
use secret_sdk_proto::cosmos::gov::v1::{MsgCancelProposalResponse, MsgSubmitProposalResponse};
use secret_sdk_proto::{Any, Timestamp};

use crate::cosmos::{Fail, Meter};

pub(crate) use decrees::only_by_proposal;
pub(crate) use ending::end_block;

/// The records of governance, at work on one message or on one end of a block.
pub(crate) struct Gov<'a, 'm, S> {
    meter: &'a mut Meter<'m, S>,
    header: &'a Header,
    params: Params,
    events: Vec<Event>,
}

/// A message of the module: its response and its events.
pub(crate) fn handle<S: Supply>(
    meter: &mut Meter<'_, S>,
    header: &Header,
    message: &GovMessage,
) -> Result<(Any, Vec<Event>), Fail> {
    let mut gov = Gov::new(meter, header)?;
    // Messages of both forms answer alike.
    let value = match &message.kind {
        GovKind::Submit(submit) => MsgSubmitProposalResponse { proposal_id: gov.submit(submit)? }.encode_to_vec(),
        GovKind::Deposit(deposit) => gov.add_deposit(deposit).map(|()| Vec::new())?,
        GovKind::Vote(vote) => gov.vote(vote).map(|()| Vec::new())?,
        GovKind::VoteWeighted(vote) => gov.vote_weighted(vote).map(|()| Vec::new())?,
        GovKind::Cancel(cancel) => {
            gov.cancel(cancel)?;
            let response = MsgCancelProposalResponse {
                proposal_id: cancel.proposal_id,
                canceled_time: Some(stamp(header)),
                canceled_height: header.height,
            };
            response.encode_to_vec()
        }
        GovKind::Decree(decree) => gov.decree(decree).map(|()| Vec::new())?,
    };
    let type_url = format!("{}Response", message.type_url());
    Ok((Any { type_url, value }, gov.events))
}

impl<'a, 'm, S: Supply> Gov<'a, 'm, S> {
    fn new(meter: &'a mut Meter<'m, S>, header: &'a Header) -> Result<Self, Fail> {
        let params = meter.read(Leaf::GovParams)?.unwrap_or_default();
        Ok(Self { meter, header, params, events: Vec::new() })
    }

    /// A proposal for which there may be deposits and votes, and what there is of these.
    fn open(&mut self, id: u64) -> Result<(Proposal, Ballot), Fail> {
        let unknown = || refused(17, format!("proposal {id} doesn't exist: proposal is not found"));
        let proposal: Proposal = self.meter.read(Leaf::Proposal(id))?.ok_or_else(unknown)?;
        match self.meter.read::<Ballot>(Leaf::Ballot(id))? {
            Some(ballot) if ballot.stage == Default::default() => Ok((proposal, ballot)),
            _ => Err(refused(3, format!("{id}: inactive proposal"))),
        }
    }
}

fn stamp(header: &Header) -> Timestamp {
    let seconds = i64::try_from(header.seconds()).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: i32::try_from(header.time % 1_000_000_000).unwrap_or(0) }
}

fn refused(code: u32, log: impl Into<String>) -> Fail {
    Fail::of("gov", code, log)
}

#[cfg(test)]
mod tests;
