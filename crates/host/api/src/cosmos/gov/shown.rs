//! Proposals, votes and deposits in the JSON of either form.

use cloister_chain::Address;
use cloister_chain::cosmos::{Decree, GovKind, GovMessage, Message, bech32};
use cloister_chain::gov::{Choice, Params, Proposal, Status, Tally, Vote};
use cloister_chain::staking::Decimal;
use prost::Message as _;
use secret_sdk_proto::Any;
use serde_json::{Value, json};

use super::super::message;
use super::super::view::{amount, duration, moment};

/// Which form of the module a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Form {
    V1,
    Beta,
}

impl Form {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Beta => "v1beta1",
        }
    }

    /// The answer about parameters of this kind; `None` if there is no such kind.
    pub(super) fn params(self, kind: &str, params: &Params) -> Option<Value> {
        if !["voting", "deposit", "tallying"].contains(&kind) {
            return None;
        }
        let voting = json!({ "voting_period": duration(params.voting_period.into()) });
        let deposit = json!({
            "min_deposit": [amount(params.min_deposit)],
            "max_deposit_period": duration(params.max_deposit_period.into()),
        });
        let tally = json!({
            "quorum": params.quorum.to_string(),
            "threshold": params.threshold.to_string(),
            "veto_threshold": params.veto_threshold.to_string(),
        });
        let zero = Decimal::ZERO.to_string();
        let none = match self {
            Self::V1 => [Value::Null, Value::Null, Value::Null],
            // There they cannot be absent.
            Self::Beta => [
                json!({ "voting_period": "0s" }),
                json!({ "min_deposit": [], "max_deposit_period": "0s" }),
                json!({ "quorum": zero, "threshold": zero, "veto_threshold": zero }),
            ],
        };
        let [no_voting, no_deposit, no_tally] = none;
        let mut shown = json!({
            "voting_params": if kind == "voting" { voting } else { no_voting },
            "deposit_params": if kind == "deposit" { deposit } else { no_deposit },
            "tally_params": if kind == "tallying" { tally } else { no_tally },
        });
        if self == Self::V1 {
            shown["params"] = all(params);
        }
        Some(shown)
    }

    pub(super) fn proposal(self, id: u64, proposal: &Proposal) -> Value {
        let time = |time: u64| moment(time.into());
        let coins = if proposal.deposit == 0 { json!([]) } else { json!([amount(proposal.deposit)]) };
        let mut shown = json!({
            "status": name(proposal.status),
            "final_tally_result": self.tally(&proposal.tally),
            "submit_time": time(proposal.submitted),
            "deposit_end_time": time(proposal.deposit_end),
            "total_deposit": coins,
        });
        let voting = proposal.voting.map(|(start, end)| (time(start), time(end)));
        let messages: Vec<Message> = proposal.messages.iter().filter_map(|bytes| read(bytes)).collect();
        match self {
            Self::V1 => {
                shown["id"] = id.to_string().into();
                shown["messages"] = messages.iter().map(message::view).collect();
                shown["metadata"] = proposal.metadata.as_str().into();
                shown["title"] = proposal.title.as_str().into();
                shown["summary"] = proposal.summary.as_str().into();
                shown["proposer"] = bech32(&proposal.proposer).into();
                shown["expedited"] = proposal.expedited.into();
                shown["failed_reason"] = proposal.failed.as_str().into();
                let (start, end) = voting.unzip();
                shown["voting_start_time"] = start.into();
                shown["voting_end_time"] = end.into();
            }
            Self::Beta => {
                shown["proposal_id"] = id.to_string().into();
                shown["content"] = content(&messages);
                let (start, end) = voting.unwrap_or_else(|| (NEVER.into(), NEVER.into()));
                shown["voting_start_time"] = start.into();
                shown["voting_end_time"] = end.into();
            }
        }
        shown
    }

    pub(super) fn tally(self, tally: &Tally) -> Value {
        let Tally { yes, abstain, no, veto } = tally;
        let [yes, abstain, no, veto] = [yes, abstain, no, veto].map(u128::to_string);
        match self {
            Self::V1 => {
                json!({ "yes_count": yes, "abstain_count": abstain, "no_count": no, "no_with_veto_count": veto })
            }
            Self::Beta => json!({ "yes": yes, "abstain": abstain, "no": no, "no_with_veto": veto }),
        }
    }

    pub(super) fn vote(self, id: u64, voter: &Address, vote: &Vote) -> Value {
        let option = |(choice, weight): &(Choice, Decimal)| json!({ "option": option(*choice), "weight": weight });
        let mut shown = json!({
            "proposal_id": id.to_string(),
            "voter": bech32(voter),
            "options": vote.options.iter().map(option).collect::<Vec<_>>(),
        });
        match self {
            Self::V1 => shown["metadata"] = vote.metadata.as_str().into(),
            Self::Beta => {
                let [(choice, Decimal::ONE)] = vote.options[..] else {
                    shown["option"] = "VOTE_OPTION_UNSPECIFIED".into();
                    return shown;
                };
                shown["option"] = self::option(choice).into();
            }
        }
        shown
    }
}

pub(super) fn deposit(id: u64, depositor: &Address, deposited: u128) -> Value {
    json!({ "proposal_id": id.to_string(), "depositor": bech32(depositor), "amount": [amount(deposited)] })
}

/// What a client means by a status: any if it names none.
pub(super) fn status(text: &str) -> Option<Option<Status>> {
    let all = [Status::Deposit, Status::Voting, Status::Passed, Status::Rejected, Status::Failed];
    if text == "PROPOSAL_STATUS_UNSPECIFIED" || text == "0" {
        return Some(None);
    }
    all.into_iter().find(|status| name(*status) == text || (*status as u8).to_string() == text).map(Some)
}

fn all(params: &Params) -> Value {
    json!({
        "min_deposit": [amount(params.min_deposit)],
        "max_deposit_period": duration(params.max_deposit_period.into()),
        "voting_period": duration(params.voting_period.into()),
        "quorum": params.quorum,
        "threshold": params.threshold,
        "veto_threshold": params.veto_threshold,
        "min_initial_deposit_ratio": params.min_initial_deposit_ratio,
        "proposal_cancel_ratio": params.proposal_cancel_ratio,
        "proposal_cancel_dest": params.proposal_cancel_dest.as_ref().map(bech32).unwrap_or_default(),
        "expedited_voting_period": duration(params.expedited_voting_period.into()),
        "expedited_threshold": params.expedited_threshold,
        "expedited_min_deposit": [amount(params.expedited_min_deposit)],
        "burn_vote_quorum": params.burn_vote_quorum,
        "burn_proposal_deposit_prevote": params.burn_proposal_deposit_prevote,
        "burn_vote_veto": params.burn_vote_veto,
        "min_deposit_ratio": params.min_deposit_ratio,
    })
}

/// What the older form calls a proposal's content; nothing if it is about something else.
fn content(messages: &[Message]) -> Value {
    match messages {
        [Message::Gov(GovMessage { kind: GovKind::Decree(Decree::Content(_, content)), .. })] => {
            message::gov::content(content)
        }
        _ => Value::Null,
    }
}

fn read(bytes: &[u8]) -> Option<Message> {
    Message::decode(&Any::decode(bytes).ok()?).ok()
}

const fn name(status: Status) -> &'static str {
    match status {
        Status::Deposit => "PROPOSAL_STATUS_DEPOSIT_PERIOD",
        Status::Voting => "PROPOSAL_STATUS_VOTING_PERIOD",
        Status::Passed => "PROPOSAL_STATUS_PASSED",
        Status::Rejected => "PROPOSAL_STATUS_REJECTED",
        Status::Failed => "PROPOSAL_STATUS_FAILED",
    }
}

const fn option(choice: Choice) -> &'static str {
    match choice {
        Choice::Yes => "VOTE_OPTION_YES",
        Choice::Abstain => "VOTE_OPTION_ABSTAIN",
        Choice::No => "VOTE_OPTION_NO",
        Choice::Veto => "VOTE_OPTION_NO_WITH_VETO",
    }
}

/// A time that has not come, in the older form.
const NEVER: &str = "0001-01-01T00:00:00Z";
