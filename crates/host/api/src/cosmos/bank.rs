//! `cosmos.bank.v1beta1`: balances. The chain has one denomination; contracts burn coins, and nothing makes them.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::DENOM;
use cloister_chain::leaf::ChainState;
use cloister_chain::{Address, Leaf};
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Named, Reply};
use super::view::pagination;
use super::{Backend, Door};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/bank/v1beta1/balances/{address}", get(balances))
        .route("/cosmos/bank/v1beta1/balances/{address}/by_denom", get(balance))
        .route("/cosmos/bank/v1beta1/spendable_balances/{address}", get(balances))
        .route("/cosmos/bank/v1beta1/spendable_balances/{address}/by_denom", get(balance))
        .route("/cosmos/bank/v1beta1/supply", get(supply))
        .route("/cosmos/bank/v1beta1/supply/by_denom", get(supply_of))
        .route("/cosmos/bank/v1beta1/params", get(params))
        .route("/cosmos/bank/v1beta1/send_enabled", get(send_enabled))
        .route("/cosmos/bank/v1beta1/denoms_metadata", get(all_metadata))
        .route("/cosmos/bank/v1beta1/denoms_metadata/{*denom}", get(metadata_of))
}

async fn balances<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let held: Option<u128> = state.get(&Leaf::Coins(address))?;
    let balances: Vec<Value> = held.into_iter().map(|held| coin(DENOM, held)).collect();
    let pagination = pagination(balances.len());
    Ok(Reply::at(state.height, &json!({ "balances": balances, "pagination": pagination })))
}

async fn balance<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    let denom = denom(&asked)?;
    let state = door.state(asked.height)?;
    let held: Option<u128> = state.get(&Leaf::Coins(address))?.filter(|_| denom == DENOM);
    Ok(Reply::at(state.height, &json!({ "balance": coin(denom, held.unwrap_or(0)) })))
}

async fn supply<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let (height, supply) = door.supply(asked.height)?;
    Ok(Reply::at(height, &json!({ "supply": [coin(DENOM, supply)], "pagination": pagination(1) })))
}

async fn supply_of<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let denom = denom(&asked)?;
    let (height, supply) = door.supply(asked.height)?;
    Ok(Reply::at(height, &json!({ "amount": coin(denom, if denom == DENOM { supply } else { 0 }) })))
}

async fn params() -> Reply {
    Reply::of(&json!({ "params": { "send_enabled": [], "default_send_enabled": true } }))
}

async fn send_enabled() -> Reply {
    Reply::of(&json!({ "send_enabled": [], "pagination": pagination(0) }))
}

async fn all_metadata() -> Reply {
    Reply::of(&json!({ "metadatas": [metadata()], "pagination": pagination(1) }))
}

async fn metadata_of(Named(denom): Named<String>) -> Answered {
    if denom != DENOM {
        return Err(RestError::Nothing("client metadata for this denom"));
    }
    Ok(Reply::of(&json!({ "metadata": metadata() })))
}

impl<B: Backend> Door<B> {
    /// A height, and all coins there are at it.
    fn supply(&self, height: Option<u64>) -> Result<(u64, u128), RestError> {
        let state = self.state(height)?;
        let chain: Option<ChainState> = state.get(&Leaf::Chain)?;
        Ok((state.height, chain.map_or(0, |chain| chain.supply)))
    }
}

fn denom(asked: &Asked) -> Result<&str, RestError> {
    asked.text("denom").ok_or_else(|| RestError::Invalid("invalid denom".into()))
}

fn coin(denom: &str, amount: u128) -> Value {
    json!({ "denom": denom, "amount": amount.to_string() })
}

fn metadata() -> Value {
    let unit = |denom: &str, exponent: u32| json!({ "denom": denom, "exponent": exponent, "aliases": [] });
    json!({
        "description": "The coin that the Cosmos door's fees are paid in",
        "denom_units": [unit(DENOM, 0), unit("scrt", 6)],
        "base": DENOM,
        "display": "scrt",
        "name": "SCRT",
        "symbol": "SCRT",
        "uri": "",
        "uri_hash": "",
    })
}
