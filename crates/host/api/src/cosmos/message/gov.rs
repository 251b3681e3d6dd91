//! Messages of governance, as a Cosmos client reads them.

use cloister_chain::cosmos::{Content, Decree, GovKind, GovMessage, Message, Submit};
use cloister_chain::staking::Decimal;
use secret_sdk_proto::cosmos::distribution::v1beta1 as distribution;
use secret_sdk_proto::cosmos::gov::v1::{self, VoteOption};
use secret_sdk_proto::cosmos::slashing::v1beta1 as slashing;
use secret_sdk_proto::cosmos::staking::v1beta1 as staking;
use secret_sdk_proto::tendermint::google::protobuf::Duration;
use serde_json::{Value, json};

use super::super::view::{self, coins};

pub(super) fn view(message: &GovMessage) -> Value {
    let beta = message.beta;
    let mut shown = match &message.kind {
        GovKind::Submit(submit) if beta => old_submit(submit),
        GovKind::Submit(submit) => new_submit(submit),
        GovKind::Deposit(message) => json!({
            "proposal_id": message.proposal_id.to_string(),
            "depositor": message.depositor,
            "amount": coins(&message.amount),
        }),
        GovKind::Vote(message) => json!({
            "proposal_id": message.proposal_id.to_string(),
            "voter": message.voter,
            "option": option(message.option),
            "metadata": message.metadata,
        }),
        GovKind::VoteWeighted(message) => json!({
            "proposal_id": message.proposal_id.to_string(),
            "voter": message.voter,
            "options": message.options.iter().map(weighted).collect::<Vec<_>>(),
            "metadata": message.metadata,
        }),
        GovKind::Cancel(message) => {
            json!({ "proposal_id": message.proposal_id.to_string(), "proposer": message.proposer })
        }
        GovKind::Decree(message) => decree(message),
    };
    if let (true, Some(members)) = (beta, shown.as_object_mut()) {
        members.remove("metadata");
    }
    shown
}

/// What a proposal of the older form is about, with its `@type`.
pub(in super::super) fn content(content: &Content) -> Value {
    match content {
        Content::Text(text) => json!({
            "@type": "/cosmos.gov.v1beta1.TextProposal",
            "title": text.title,
            "description": text.description,
        }),
        Content::CommunityPoolSpend(spend) => json!({
            "@type": "/cosmos.distribution.v1beta1.CommunityPoolSpendProposal",
            "title": spend.title,
            "description": spend.description,
            "recipient": spend.recipient,
            "amount": coins(&spend.amount),
        }),
    }
}

fn new_submit(submit: &Submit) -> Value {
    let message = &submit.message;
    json!({
        "messages": submit.messages.iter().map(super::view).collect::<Vec<_>>(),
        "initial_deposit": coins(&message.initial_deposit),
        "proposer": message.proposer,
        "metadata": message.metadata,
        "title": message.title,
        "summary": message.summary,
        "expedited": message.expedited,
    })
}

fn old_submit(submit: &Submit) -> Value {
    let about = submit.messages.first().and_then(|message| match message {
        Message::Gov(GovMessage { kind: GovKind::Decree(Decree::Content(_, about)), .. }) => Some(content(about)),
        _ => None,
    });
    json!({
        "content": about,
        "initial_deposit": coins(&submit.message.initial_deposit),
        "proposer": submit.message.proposer,
    })
}

fn decree(decree: &Decree) -> Value {
    let authority = decree.authority();
    match decree {
        Decree::Content(_, about) => json!({ "content": content(about), "authority": authority }),
        Decree::CommunityPoolSpend(message) => json!({
            "authority": authority,
            "recipient": message.recipient,
            "amount": coins(&message.amount),
        }),
        Decree::GovParams(message) => params(authority, message.params.as_ref().map(gov_params)),
        Decree::StakingParams(message) => params(authority, message.params.as_ref().map(staking_params)),
        Decree::SlashingParams(message) => params(authority, message.params.as_ref().map(slashing_params)),
        Decree::DistributionParams(message) => params(authority, message.params.as_ref().map(distribution_params)),
    }
}

fn params(authority: &str, params: Option<Value>) -> Value {
    json!({ "authority": authority, "params": params })
}

fn gov_params(params: &v1::Params) -> Value {
    json!({
        "min_deposit": coins(&params.min_deposit),
        "max_deposit_period": length(params.max_deposit_period.as_ref()),
        "voting_period": length(params.voting_period.as_ref()),
        "quorum": params.quorum,
        "threshold": params.threshold,
        "veto_threshold": params.veto_threshold,
        "min_initial_deposit_ratio": params.min_initial_deposit_ratio,
        "proposal_cancel_ratio": params.proposal_cancel_ratio,
        "proposal_cancel_dest": params.proposal_cancel_dest,
        "expedited_voting_period": length(params.expedited_voting_period.as_ref()),
        "expedited_threshold": params.expedited_threshold,
        "expedited_min_deposit": coins(&params.expedited_min_deposit),
        "burn_vote_quorum": params.burn_vote_quorum,
        "burn_proposal_deposit_prevote": params.burn_proposal_deposit_prevote,
        "burn_vote_veto": params.burn_vote_veto,
        "min_deposit_ratio": params.min_deposit_ratio,
    })
}

fn staking_params(params: &staking::Params) -> Value {
    json!({
        "unbonding_time": length(params.unbonding_time.as_ref()),
        "max_validators": params.max_validators,
        "max_entries": params.max_entries,
        "historical_entries": params.historical_entries,
        "bond_denom": params.bond_denom,
        "min_commission_rate": atto(params.min_commission_rate.as_bytes()),
    })
}

fn slashing_params(params: &slashing::Params) -> Value {
    json!({
        "signed_blocks_window": params.signed_blocks_window.to_string(),
        "min_signed_per_window": atto(&params.min_signed_per_window),
        "downtime_jail_duration": length(params.downtime_jail_duration.as_ref()),
        "slash_fraction_double_sign": atto(&params.slash_fraction_double_sign),
        "slash_fraction_downtime": atto(&params.slash_fraction_downtime),
    })
}

fn distribution_params(params: &distribution::Params) -> Value {
    json!({
        "community_tax": atto(params.community_tax.as_bytes()),
        "base_proposer_reward": Decimal::ZERO.to_string(),
        "bonus_proposer_reward": Decimal::ZERO.to_string(),
        "withdraw_addr_enabled": params.withdraw_addr_enabled,
    })
}

fn weighted(option_: &v1::WeightedVoteOption) -> Value {
    json!({ "option": option(option_.option), "weight": option_.weight })
}

fn option(number: i32) -> &'static str {
    VoteOption::try_from(number).unwrap_or(VoteOption::Unspecified).as_str_name()
}

fn length(duration: Option<&Duration>) -> Option<String> {
    let Duration { seconds, nanos } = duration?;
    let (seconds, nanos) = (u128::try_from(*seconds).ok()?, u128::try_from(*nanos).ok()?);
    Some(view::duration(seconds.saturating_mul(1_000_000_000).saturating_add(nanos)))
}

/// A fraction that travels as digits of it times 10^18; nothing if it is none.
fn atto(digits: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(digits).ok()?;
    Decimal::from_atto(text).ok().map(|decimal| decimal.to_string())
}
