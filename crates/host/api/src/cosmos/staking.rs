//! `cosmos.staking.v1beta1`: validators, and who stands behind them with coins.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use cloister_chain::cosmos::{DENOM, from_bech32};
use cloister_chain::staking::{
    Candidate, Delegation, Delegator, PAGE, Params, Redelegation, Unbonding, Validator, from_valoper, pool, valoper,
};
use cloister_chain::{Address, Leaf};
use serde_json::{Value, json};

use super::error::RestError;
use super::read;
use super::request::{Answered, Asked, Named, Page, Reply};
use super::view::{duration, pagination};
use super::{Backend, Door};

pub(super) mod shown;

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    let path = |rest: &str| format!("/cosmos/staking/v1beta1/{rest}");
    let of = |rest: &str| path(&format!("validators/{{validator}}{rest}"));
    let by = |rest: &str| path(&format!("delegators/{{delegator}}/{rest}"));
    Router::new()
        .route(&path("params"), get(params))
        .route(&path("pool"), get(pools))
        .route(&path("validators"), get(validators))
        .route(&of(""), get(validator))
        .route(&of("/delegations"), get(delegations_to))
        .route(&of("/delegations/{delegator}"), get(delegation))
        .route(&of("/delegations/{delegator}/unbonding_delegation"), get(unbonding))
        .route(&of("/unbonding_delegations"), get(unbondings_from))
        .route(&path("delegations/{delegator}"), get(delegations_of))
        .route(&by("unbonding_delegations"), get(unbondings_of))
        .route(&by("redelegations"), get(redelegations))
        .route(&by("validators"), get(validators_of))
        .route(&by("validators/{validator}"), get(validator_of))
        .route(&path("historical_info/{height}"), get(history))
}

async fn params<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let params = self::parameters(&state)?;
    Ok(Reply::at(
        state.height,
        &json!({
            "params": {
                "unbonding_time": duration(params.unbonding_time.into()),
                "max_validators": params.max_validators,
                "max_entries": params.max_entries,
                "historical_entries": 0,
                "bond_denom": DENOM,
                "min_commission_rate": params.min_commission_rate,
            }
        }),
    ))
}

async fn pools<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let held = |account| Ok::<_, RestError>(state.get::<u128>(&Leaf::Coins(account))?.unwrap_or(0).to_string());
    let (bonded, not_bonded) = (held(pool::bonded())?, held(pool::not_bonded())?);
    let pool = json!({ "not_bonded_tokens": not_bonded, "bonded_tokens": bonded });
    Ok(Reply::at(state.height, &json!({ "pool": pool })))
}

async fn validators<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let page = asked.page(VALIDATORS)?;
    let wanted = asked.text("status").unwrap_or("BOND_STATUS_UNSPECIFIED").to_owned();
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        let candidates: Vec<Candidate> = state.get(&Leaf::Candidates)?.unwrap_or_default();
        let (mut validators, mut total) = (Vec::new(), 0);
        for candidate in candidates {
            let Some(validator) = state.get::<Validator>(&Leaf::Validator(candidate.operator))? else { continue };
            if !shown::is_status(&wanted, validator.status) {
                continue;
            }
            if total >= page.offset && validators.len() < page.limit {
                validators.push(shown::validator(&candidate.operator, &validator));
            }
            total += 1;
        }
        Ok(Reply::at(state.height, &json!({ "validators": validators, "pagination": pagination(total) })))
    })
    .await
}

async fn validator<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let operator = from_valoper(&name)?;
    let state = door.state(asked.height)?;
    let validator = find(&state, operator)?;
    Ok(Reply::at(state.height, &json!({ "validator": shown::validator(&operator, &validator) })))
}

async fn delegations_to<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let (operator, page) = (from_valoper(&name)?, asked.page(ENTRIES)?);
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        let validator = find(&state, operator)?;
        let mut responses = Vec::new();
        for delegator in listed(&state, operator, Leaf::Delegators, validator.delegators, page)? {
            let Some(delegation) = state.get(&Leaf::Delegation(delegator, operator))? else { continue };
            responses.push(shown::delegation(&delegator, &operator, &validator, &delegation));
        }
        let pagination = pagination(validator.delegators as usize);
        Ok(Reply::at(state.height, &json!({ "delegation_responses": responses, "pagination": pagination })))
    })
    .await
}

async fn delegation<B: Backend>(
    State(door): State<Door<B>>,
    Path((validator, delegator)): Path<(String, String)>,
    asked: Asked,
) -> Answered {
    let (operator, delegator) = (from_valoper(&validator)?, from_bech32(&delegator)?);
    let state = door.state(asked.height)?;
    let validator = find(&state, operator)?;
    let delegation: Option<Delegation> = state.get(&Leaf::Delegation(delegator, operator))?;
    let delegation = delegation.ok_or(RestError::Nothing("delegation of this account to this validator"))?;
    let response = shown::delegation(&delegator, &operator, &validator, &delegation);
    Ok(Reply::at(state.height, &json!({ "delegation_response": response })))
}

async fn unbonding<B: Backend>(
    State(door): State<Door<B>>,
    Path((validator, delegator)): Path<(String, String)>,
    asked: Asked,
) -> Answered {
    let (operator, delegator) = (from_valoper(&validator)?, from_bech32(&delegator)?);
    let state = door.state(asked.height)?;
    let unbonding: Option<Unbonding> = state.get(&Leaf::Unbonding(delegator, operator))?;
    let unbonding = unbonding.ok_or(RestError::Nothing("unbonding delegation of this account"))?;
    Ok(Reply::at(state.height, &json!({ "unbond": shown::unbonding(&delegator, &operator, &unbonding) })))
}

async fn unbondings_from<B: Backend>(
    State(door): State<Door<B>>,
    Named(name): Named<String>,
    asked: Asked,
) -> Answered {
    let (operator, page) = (from_valoper(&name)?, asked.page(ENTRIES)?);
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        let validator = find(&state, operator)?;
        let mut responses = Vec::new();
        for delegator in listed(&state, operator, Leaf::Unbonders, validator.unbonders, page)? {
            let Some(unbonding) = state.get(&Leaf::Unbonding(delegator, operator))? else { continue };
            responses.push(shown::unbonding(&delegator, &operator, &unbonding));
        }
        let pagination = pagination(validator.unbonders as usize);
        Ok(Reply::at(state.height, &json!({ "unbonding_responses": responses, "pagination": pagination })))
    })
    .await
}

async fn delegations_of<B: Backend>(
    State(door): State<Door<B>>,
    Named(delegator): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let mut responses = Vec::new();
    for operator in record(&state, delegator)?.validators {
        let Some(delegation) = state.get(&Leaf::Delegation(delegator, operator))? else { continue };
        responses.push(shown::delegation(&delegator, &operator, &find(&state, operator)?, &delegation));
    }
    Ok(page_of("delegation_responses", responses, &state, asked.page(ENTRIES)?))
}

async fn unbondings_of<B: Backend>(
    State(door): State<Door<B>>,
    Named(delegator): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let mut responses = Vec::new();
    for operator in record(&state, delegator)?.unbonding {
        let Some(unbonding) = state.get(&Leaf::Unbonding(delegator, operator))? else { continue };
        responses.push(shown::unbonding(&delegator, &operator, &unbonding));
    }
    Ok(page_of("unbonding_responses", responses, &state, asked.page(ENTRIES)?))
}

async fn redelegations<B: Backend>(
    State(door): State<Door<B>>,
    Named(delegator): Named<Address>,
    asked: Asked,
) -> Answered {
    let side = |name: &str| asked.text(name).map(from_valoper).transpose();
    let (from, to) = (side("src_validator_addr")?, side("dst_validator_addr")?);
    let state = door.state(asked.height)?;
    let mut responses = Vec::new();
    for (left, joined) in record(&state, delegator)?.redelegations {
        if from.is_some_and(|from| from != left) || to.is_some_and(|to| to != joined) {
            continue;
        }
        let leaf = Leaf::Redelegation(delegator, left, joined);
        let Some(redelegation) = state.get::<Redelegation>(&leaf)? else { continue };
        let validator: Option<Validator> = state.get(&Leaf::Validator(joined))?;
        responses.push(shown::redelegation(&delegator, (&left, &joined), validator.as_ref(), &redelegation));
    }
    Ok(page_of("redelegation_responses", responses, &state, asked.page(ENTRIES)?))
}

async fn validators_of<B: Backend>(
    State(door): State<Door<B>>,
    Named(delegator): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let mut validators = Vec::new();
    for operator in record(&state, delegator)?.validators {
        validators.push(shown::validator(&operator, &find(&state, operator)?));
    }
    Ok(page_of("validators", validators, &state, asked.page(ENTRIES)?))
}

async fn validator_of<B: Backend>(
    State(door): State<Door<B>>,
    Path((delegator, validator)): Path<(String, String)>,
    asked: Asked,
) -> Answered {
    let (delegator, operator) = (from_bech32(&delegator)?, from_valoper(&validator)?);
    let state = door.state(asked.height)?;
    if !state.has(&Leaf::Delegation(delegator, operator))? {
        return Err(RestError::Nothing("delegation of this account to this validator"));
    }
    Ok(Reply::at(state.height, &json!({ "validator": shown::validator(&operator, &find(&state, operator)?) })))
}

async fn history(Named(_): Named<u64>) -> Answered {
    Err(RestError::Nothing("historical info of this height, see validatorsets and blocks instead"))
}

/// What may be set about staking; the defaults on a chain without it.
pub(super) fn parameters(state: &read::State) -> Result<Params, RestError> {
    Ok(state.get(&Leaf::StakingParams)?.unwrap_or_default())
}

/// The validator of an operator.
pub(super) fn find(state: &read::State, operator: Address) -> Result<Validator, RestError> {
    state.get(&Leaf::Validator(operator))?.ok_or_else(|| RestError::NoValidator(valoper(&operator)))
}

/// Where an account has what.
pub(super) fn record(state: &read::State, delegator: Address) -> Result<Delegator, RestError> {
    Ok(state.get(&Leaf::Delegator(delegator))?.unwrap_or_default())
}

/// A part of a validator's list of `total` accounts.
fn listed(
    state: &read::State,
    operator: Address,
    pages: fn(Address, u32) -> Leaf,
    total: u32,
    page: Page,
) -> Result<Vec<Address>, RestError> {
    let mut accounts = Vec::new();
    let first = u32::try_from(page.offset).unwrap_or(u32::MAX) / PAGE;
    let mut place = first as usize * PAGE as usize;
    for number in first..total.div_ceil(PAGE) {
        for account in state.get::<Vec<Address>>(&pages(operator, number))?.unwrap_or_default() {
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

/// A part of a short list, which has been read whole.
fn page_of(name: &str, all: Vec<Value>, state: &read::State, page: Page) -> Reply {
    let total = all.len();
    let part: Vec<Value> = all.into_iter().skip(page.offset).take(page.limit).collect();
    Reply::at(state.height, &json!({ name: part, "pagination": pagination(total) }))
}

/// Most validators of one answer.
const VALIDATORS: usize = cloister_chain::limits::VALIDATORS;
/// Most other entries of one answer.
const ENTRIES: usize = 200;
