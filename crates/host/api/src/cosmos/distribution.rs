//! `cosmos.distribution.v1beta1`: who has earned what. Rewards are those that a withdrawal in the next block would pay.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use cloister_chain::cosmos::{DENOM, bech32, from_bech32};
use cloister_chain::staking::{Decimal, Delegation, FeePool, Rewards, Validator, from_valoper, key_address, valoper};
use cloister_chain::{Address, Leaf};
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Named, Reply};
use super::view::pagination;
use super::{Backend, Door, read, staking};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    let path = |rest: &str| format!("/cosmos/distribution/v1beta1/{rest}");
    let by = |rest: &str| path(&format!("delegators/{{delegator}}/{rest}"));
    let of = |rest: &str| path(&format!("validators/{{validator}}{rest}"));
    Router::new()
        .route(&path("params"), get(params))
        .route(&path("community_pool"), get(community))
        .route(&by("rewards"), get(all_rewards))
        .route(&by("rewards/{validator}"), get(rewards))
        .route(&by("validators"), get(validators))
        .route(&by("withdraw_address"), get(withdraw_address))
        .route(&of(""), get(validator))
        .route(&of("/commission"), get(commission))
        .route(&of("/outstanding_rewards"), get(outstanding))
        .route(&of("/slashes"), get(slashes))
}

async fn params<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let params = staking::parameters(&state)?;
    Ok(Reply::at(
        state.height,
        &json!({
            "params": {
                "community_tax": params.community_tax,
                "base_proposer_reward": Decimal::ZERO,
                "bonus_proposer_reward": Decimal::ZERO,
                "withdraw_addr_enabled": true,
            }
        }),
    ))
}

async fn community<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    Ok(Reply::at(state.height, &json!({ "pool": coins(pool(&state)?.community) })))
}

async fn all_rewards<B: Backend>(
    State(door): State<Door<B>>,
    Named(delegator): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let (mut rewards, mut total) = (Vec::new(), Decimal::ZERO);
    for operator in staking::record(&state, delegator)?.validators {
        let earned = Earnings::of(&state, operator)?.delegator(&state, delegator)?.unwrap_or_default();
        total = total.plus(earned);
        rewards.push(json!({ "validator_address": valoper(&operator), "reward": coins(earned) }));
    }
    Ok(Reply::at(state.height, &json!({ "rewards": rewards, "total": coins(total) })))
}

async fn rewards<B: Backend>(
    State(door): State<Door<B>>,
    Path((delegator, validator)): Path<(String, String)>,
    asked: Asked,
) -> Answered {
    let (delegator, operator) = (from_bech32(&delegator)?, from_valoper(&validator)?);
    let state = door.state(asked.height)?;
    let earned = Earnings::of(&state, operator)?.delegator(&state, delegator)?;
    let earned = earned.ok_or(RestError::Nothing("delegation of this account to this validator"))?;
    Ok(Reply::at(state.height, &json!({ "rewards": coins(earned) })))
}

async fn validators<B: Backend>(
    State(door): State<Door<B>>,
    Named(delegator): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let validators: Vec<String> = staking::record(&state, delegator)?.validators.iter().map(valoper).collect();
    Ok(Reply::at(state.height, &json!({ "validators": validators })))
}

async fn withdraw_address<B: Backend>(
    State(door): State<Door<B>>,
    Named(delegator): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let to = staking::record(&state, delegator)?.withdraw.unwrap_or(delegator);
    Ok(Reply::at(state.height, &json!({ "withdraw_address": bech32(&to) })))
}

async fn validator<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let operator = from_valoper(&name)?;
    let state = door.state(asked.height)?;
    let earnings = Earnings::of(&state, operator)?;
    let own = earnings.delegator(&state, operator)?.unwrap_or_default();
    Ok(Reply::at(
        state.height,
        &json!({
            "operator_address": bech32(&operator),
            "self_bond_rewards": coins(own),
            "commission": coins(earnings.rewards.commission),
        }),
    ))
}

async fn commission<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let earned = Earnings::of(&state, from_valoper(&name)?)?.rewards.commission;
    Ok(Reply::at(state.height, &json!({ "commission": { "commission": coins(earned) } })))
}

async fn outstanding<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let earned = Earnings::of(&state, from_valoper(&name)?)?.rewards.outstanding;
    Ok(Reply::at(state.height, &json!({ "rewards": { "rewards": coins(earned) } })))
}

/// A slash changes the validator's tokens at once, so none has to be remembered.
async fn slashes<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    staking::find(&state, from_valoper(&name)?)?;
    Ok(Reply::at(state.height, &json!({ "slashes": [], "pagination": pagination(0) })))
}

/// What a validator and its delegators have earned, the last fees included.
struct Earnings {
    operator: Address,
    rewards: Rewards,
}

impl Earnings {
    fn of(state: &read::State, operator: Address) -> Result<Self, RestError> {
        let validator: Validator = staking::find(state, operator)?;
        let mut rewards: Rewards = state.get(&Leaf::Rewards(operator))?.unwrap_or_default();
        rewards.settle(pool(state)?.pending(&key_address(&validator.key)), &validator);
        Ok(Self { operator, rewards })
    }

    /// A delegator's part; `None` if he has none.
    fn delegator(&self, state: &read::State, delegator: Address) -> Result<Option<Decimal>, RestError> {
        let delegation: Option<Delegation> = state.get(&Leaf::Delegation(delegator, self.operator))?;
        Ok(delegation.map(|delegation| delegation.earned(&self.rewards)))
    }
}

fn pool(state: &read::State) -> Result<FeePool, RestError> {
    Ok(state.get(&Leaf::FeePool)?.unwrap_or_default())
}

/// An amount with its fraction; no entry for nothing.
fn coins(amount: Decimal) -> Value {
    if amount.is_zero() { json!([]) } else { json!([{ "denom": DENOM, "amount": amount }]) }
}
