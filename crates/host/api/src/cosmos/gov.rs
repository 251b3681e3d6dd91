//! `cosmos.gov.v1` and `v1beta1`: proposals, votes and deposits.
//!
//! Both forms have the same paths under their own name; [`Form`] says which JSON an answer has.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use cloister_chain::cosmos::from_bech32;
use cloister_chain::gov::{Ballot, Count, Governance, PAGE, Params, Power, Proposal, Stage, Status, Tally, Vote};
use cloister_chain::staking::{Candidate, Decimal, Delegation, Delegator, Validator};
use cloister_chain::{Address, Leaf};
use serde_json::{Value, json};

use super::error::RestError;
use super::read;
use super::request::{Answered, Asked, Named, Page, Reply};
use super::view::pagination;
use super::{Backend, Door};

mod shown;

pub(super) use shown::Form;

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    let constitution = Reply::of(&json!({ "constitution": "" }));
    routes_of(Form::V1)
        .merge(routes_of(Form::Beta))
        .route("/cosmos/gov/v1/constitution", get(move || std::future::ready(constitution.clone())))
}

fn routes_of<B: Backend>(form: Form) -> Router<Door<B>> {
    let path = |rest: &str| format!("/cosmos/gov/{}/{rest}", form.name());
    Router::new()
        .route(&path("params/{kind}"), get(move |door, kind, asked| params(form, door, kind, asked)))
        .route(&path("proposals"), get(move |door, asked| proposals(form, door, asked)))
        .route(&path("proposals/{id}"), get(move |door, id, asked| proposal(form, door, id, asked)))
        .route(&path("proposals/{id}/tally"), get(move |door, id, asked| tally(form, door, id, asked)))
        .route(&path("proposals/{id}/deposits"), get(move |door, id, asked| deposits(door, id, asked)))
        .route(&path("proposals/{id}/deposits/{depositor}"), get(move |door, id, asked| deposit(door, id, asked)))
        .route(&path("proposals/{id}/votes"), get(move |door, id, asked| votes(form, door, id, asked)))
        .route(&path("proposals/{id}/votes/{voter}"), get(move |door, id, asked| vote(form, door, id, asked)))
}

async fn params<B: Backend>(
    form: Form,
    State(door): State<Door<B>>,
    Named(kind): Named<String>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let params: Params = state.get(&Leaf::GovParams)?.unwrap_or_default();
    let shown = form.params(&kind, &params);
    let shown = shown.ok_or_else(|| RestError::Invalid(format!("{kind} is not a valid parameter type")))?;
    Ok(Reply::at(state.height, &shown))
}

async fn proposals<B: Backend>(form: Form, State(door): State<Door<B>>, asked: Asked) -> Answered {
    let page = asked.page(PROPOSALS)?;
    let wanted = Wanted {
        status: match asked.text("proposal_status") {
            Some(text) => shown::status(text).ok_or_else(|| RestError::Invalid("unknown proposal status".into()))?,
            None => None,
        },
        voter: asked.text("voter").map(from_bech32).transpose()?,
        depositor: asked.text("depositor").map(from_bech32).transpose()?,
    };
    door.scan(move |door| door.proposals(form, &wanted, asked.height, page)).await
}

async fn proposal<B: Backend>(
    form: Form,
    State(door): State<Door<B>>,
    Named(id): Named<u64>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let proposal = find(&state, id)?;
    Ok(Reply::at(state.height, &json!({ "proposal": form.proposal(id, &proposal) })))
}

async fn tally<B: Backend>(form: Form, State(door): State<Door<B>>, Named(id): Named<u64>, asked: Asked) -> Answered {
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        let proposal = find(&state, id)?;
        let tally = counted(&state, id, &proposal)?;
        Ok(Reply::at(state.height, &json!({ "tally": form.tally(&tally) })))
    })
    .await
}

async fn deposits<B: Backend>(State(door): State<Door<B>>, Named(id): Named<u64>, asked: Asked) -> Answered {
    let page = asked.page(ENTRIES)?;
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        find(&state, id)?;
        let total = ballot(&state, id)?.depositors;
        let mut deposits = Vec::new();
        for depositor in listed(&state, id, Leaf::Depositors, total, page)? {
            let amount: u128 = state.get(&Leaf::Deposit(id, depositor))?.unwrap_or(0);
            deposits.push(shown::deposit(id, &depositor, amount));
        }
        let pagination = pagination(total as usize);
        Ok(Reply::at(state.height, &json!({ "deposits": deposits, "pagination": pagination })))
    })
    .await
}

async fn deposit<B: Backend>(
    State(door): State<Door<B>>,
    Path((id, depositor)): Path<(String, String)>,
    asked: Asked,
) -> Answered {
    let (id, depositor) = (number(&id)?, from_bech32(&depositor)?);
    let state = door.state(asked.height)?;
    find(&state, id)?;
    let amount: Option<u128> = state.get(&Leaf::Deposit(id, depositor))?;
    let amount = amount.ok_or(RestError::Nothing("deposit for this proposal"))?;
    Ok(Reply::at(state.height, &json!({ "deposit": shown::deposit(id, &depositor, amount) })))
}

async fn votes<B: Backend>(form: Form, State(door): State<Door<B>>, Named(id): Named<u64>, asked: Asked) -> Answered {
    let page = asked.page(ENTRIES)?;
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        find(&state, id)?;
        let total = ballot(&state, id)?.voters;
        let mut votes = Vec::new();
        for voter in listed(&state, id, Leaf::Voters, total, page)? {
            let Some(vote) = state.get::<Vote>(&Leaf::Vote(id, voter))? else { continue };
            votes.push(form.vote(id, &voter, &vote));
        }
        let pagination = pagination(total as usize);
        Ok(Reply::at(state.height, &json!({ "votes": votes, "pagination": pagination })))
    })
    .await
}

async fn vote<B: Backend>(
    form: Form,
    State(door): State<Door<B>>,
    Path((id, voter)): Path<(String, String)>,
    asked: Asked,
) -> Answered {
    let (id, voter) = (number(&id)?, from_bech32(&voter)?);
    let state = door.state(asked.height)?;
    find(&state, id)?;
    let vote: Option<Vote> = state.get(&Leaf::Vote(id, voter))?;
    let vote = vote.ok_or(RestError::Nothing("vote on this proposal"))?;
    Ok(Reply::at(state.height, &json!({ "vote": form.vote(id, &voter, &vote) })))
}

/// Which proposals a list shows.
struct Wanted {
    status: Option<Status>,
    voter: Option<Address>,
    depositor: Option<Address>,
}

impl<B: Backend> Door<B> {
    fn proposals(&self, form: Form, wanted: &Wanted, height: Option<u64>, page: Page) -> Answered {
        let state = self.state(height)?;
        let last = state.get::<Governance>(&Leaf::Governance)?.unwrap_or_default().last;
        let ids: Box<dyn Iterator<Item = u64>> =
            if page.reverse { Box::new((1..=last).rev()) } else { Box::new(1..=last) };
        let (mut proposals, mut total) = (Vec::<Value>::new(), 0usize);
        for id in ids {
            let Some(proposal) = state.get::<Proposal>(&Leaf::Proposal(id))? else { continue };
            let here = |leaf: Option<Leaf>| match leaf {
                Some(leaf) => state.has(&leaf),
                None => Ok(true),
            };
            if wanted.status.is_some_and(|status| status != proposal.status)
                || !here(wanted.voter.map(|voter| Leaf::Vote(id, voter)))?
                || !here(wanted.depositor.map(|depositor| Leaf::Deposit(id, depositor)))?
            {
                continue;
            }
            if total >= page.offset && proposals.len() < page.limit {
                proposals.push(form.proposal(id, &proposal));
            }
            total += 1;
        }
        Ok(Reply::at(state.height, &json!({ "proposals": proposals, "pagination": pagination(total) })))
    }
}

fn find(state: &read::State, id: u64) -> Result<Proposal, RestError> {
    state.get(&Leaf::Proposal(id))?.ok_or(RestError::NoProposal(id))
}

/// What is left of a proposal's votes and deposits; nothing after its end.
fn ballot(state: &read::State, id: u64) -> Result<Ballot, RestError> {
    Ok(state.get(&Leaf::Ballot(id))?.unwrap_or_default())
}

/// A part of a list of `total` accounts.
fn listed(
    state: &read::State,
    id: u64,
    pages: fn(u64, u32) -> Leaf,
    total: u32,
    page: Page,
) -> Result<Vec<Address>, RestError> {
    let mut accounts = Vec::new();
    let first = u32::try_from(page.offset).unwrap_or(u32::MAX) / PAGE;
    let mut place = first as usize * PAGE as usize;
    for number in first..total.div_ceil(PAGE) {
        for account in state.get::<Vec<Address>>(&pages(id, number))?.unwrap_or_default() {
            if place >= page.offset && accounts.len() < page.limit {
                accounts.push(account);
            }
            place += 1;
        }
        if accounts.len() >= page.limit {
            break;
        }
    }
    Ok(accounts)
}

/// What the votes come to, as they are now if voting goes on.
fn counted(state: &read::State, id: u64, proposal: &Proposal) -> Result<Tally, RestError> {
    let ballot = ballot(state, id)?;
    if proposal.status != Status::Voting {
        return Ok(proposal.tally);
    }
    let mut count = match ballot.stage {
        Stage::Closing { .. } => return Ok(proposal.tally),
        Stage::Counting(count) => count,
        Stage::Open => Count { validators: powers(state)?, ..Count::default() },
    };
    if ballot.voters > MOST_COUNTED {
        return Err(RestError::Much("too many votes to count for one request; the chain counts them when voting ends"));
    }
    let all = Page { offset: 0, limit: usize::MAX, reverse: false };
    for voter in listed(state, id, Leaf::Voters, ballot.voters, all)? {
        let Some(vote) = state.get::<Vote>(&Leaf::Vote(id, voter))? else { continue };
        let delegator: Delegator = state.get(&Leaf::Delegator(voter))?.unwrap_or_default();
        let mut delegations = Vec::with_capacity(delegator.validators.len());
        for operator in delegator.validators {
            let delegation: Option<Delegation> = state.get(&Leaf::Delegation(voter, operator))?;
            delegations.extend(delegation.map(|delegation| (operator, delegation.shares)));
        }
        count.count(&voter, vote.options, &delegations);
    }
    Ok(count.finish().into())
}

fn powers(state: &read::State) -> Result<Vec<Power>, RestError> {
    let candidates: Vec<Candidate> = state.get(&Leaf::Candidates)?.unwrap_or_default();
    let mut powers = Vec::new();
    for candidate in candidates.into_iter().filter(|candidate| candidate.bonded) {
        let operator = candidate.operator;
        let Some(Validator { tokens, shares, .. }) = state.get(&Leaf::Validator(operator))? else { continue };
        powers.push(Power { operator, tokens, shares, gone: Decimal::ZERO, options: Vec::new() });
    }
    Ok(powers)
}

fn number(text: &str) -> Result<u64, RestError> {
    text.parse().map_err(|_| RestError::Invalid("a proposal is named by a number".into()))
}

/// Most proposals of one answer.
const PROPOSALS: usize = 100;
/// Most votes or deposits of one answer.
const ENTRIES: usize = 100;
/// Most votes that one request counts.
const MOST_COUNTED: u32 = 20_000;
