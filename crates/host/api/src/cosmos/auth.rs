//! `cosmos.auth.v1beta1`: accounts.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::bech32;
use cloister_chain::leaf::Auth;
use cloister_chain::{Account, Address, Leaf, limits};
use cloister_store::StoreError;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::RestError;
use super::request::{Answered, Asked, Named, Reply};
use super::{Backend, Door, read, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/auth/v1beta1/accounts", get(accounts))
        .route("/cosmos/auth/v1beta1/accounts/{address}", get(account))
        .route("/cosmos/auth/v1beta1/address_by_id/{number}", get(by_number))
        .route("/cosmos/auth/v1beta1/account_info/{address}", get(account_info))
        .route("/cosmos/auth/v1beta1/module_accounts", get(module_accounts))
        .route("/cosmos/auth/v1beta1/module_accounts/{name}", get(module_account))
        .route("/cosmos/auth/v1beta1/params", get(params))
        .route("/cosmos/auth/v1beta1/bech32", get(prefix))
}

/// A page of all accounts, in the order of their addresses.
async fn accounts<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let page = asked.page(ACCOUNTS)?;
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        let (mut accounts, mut total) = (Vec::new(), 0);
        for address in all(&state)? {
            let (address, _) = address?;
            if total >= page.offset && accounts.len() < page.limit {
                accounts.push(shown(&state, address)?);
            }
            total += 1;
        }
        Ok(Reply::at(state.height, &json!({ "accounts": accounts, "pagination": view::pagination(total) })))
    })
    .await
}

async fn by_number<B: Backend>(State(door): State<Door<B>>, Named(number): Named<u64>, asked: Asked) -> Answered {
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        for account in all(&state)? {
            let (address, auth) = account?;
            if auth.number == number {
                return Ok(Reply::at(state.height, &json!({ "account_address": bech32(&address) })));
            }
        }
        Err(RestError::Nothing("account with this number"))
    })
    .await
}

async fn account<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    Ok(Reply::at(state.height, &json!({ "account": shown(&state, address)? })))
}

async fn account_info<B: Backend>(
    State(door): State<Door<B>>,
    Named(address): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    Ok(Reply::at(state.height, &json!({ "info": base(&state, address)? })))
}

async fn module_accounts<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let mut accounts = Vec::new();
    for name in MODULES {
        match base(&state, module(name)) {
            Ok(account) => accounts.push(module_view(name, account)),
            // It comes to be with the first fee.
            Err(RestError::NoAccount(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Reply::at(state.height, &json!({ "accounts": accounts })))
}

async fn module_account<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let name = MODULES.into_iter().find(|known| *known == name).ok_or(RestError::Nothing("module account"))?;
    let account = module_view(name, base(&state, module(name))?);
    Ok(Reply::at(state.height, &json!({ "account": account })))
}

async fn params() -> Reply {
    Reply::of(&json!({
        "params": {
            "max_memo_characters": limits::MEMO_BYTES.to_string(),
            "tx_sig_limit": limits::COSMOS_SIGNERS.to_string(),
            "tx_size_cost_per_byte": "10",
            "sig_verify_cost_ed25519": "590",
            "sig_verify_cost_secp256k1": "1000",
        }
    }))
}

async fn prefix() -> Reply {
    Reply::of(&json!({ "bech32_prefix": "secret" }))
}

/// Every account and what the door knows of it.
fn all(state: &read::State) -> Result<impl Iterator<Item = Result<(Address, Auth), RestError>>, RestError> {
    let pieces = state.under(&Leaf::Auth(Address::ZERO).to_bytes()[..1])?;
    let read = |(leaf, value): (Leaf, Vec<u8>)| match (leaf, borsh::from_slice(&value)) {
        (Leaf::Auth(address), Ok(auth)) => Ok((address, auth)),
        _ => Err(StoreError::Corrupted("leaf").into()),
    };
    Ok(pieces.flat_map(move |piece| match piece {
        Ok(piece) => piece.into_iter().map(read).collect::<Vec<_>>(),
        Err(error) => vec![Err(RestError::from(error))],
    }))
}

/// An account with its `@type`.
fn shown(state: &read::State, address: Address) -> Result<Value, RestError> {
    let mut account = base(state, address)?;
    if let Some(name) = MODULES.into_iter().find(|name| module(name) == address) {
        account = module_view(name, account);
    } else {
        account["@type"] = "/cosmos.auth.v1beta1.BaseAccount".into();
    }
    Ok(account)
}

/// The members of a `BaseAccount`.
fn base(state: &read::State, address: Address) -> Result<Value, RestError> {
    let auth: Auth = state.get(&Leaf::Auth(address))?.ok_or(RestError::NoAccount(address))?;
    let account: Account = state.get(&Leaf::Account(address))?.unwrap_or_default();
    let key = auth.public_key()?;
    Ok(json!({
        "address": bech32(&address),
        "pub_key": key.as_ref().map(view::public_key),
        "account_number": auth.number.to_string(),
        "sequence": account.sequence.to_string(),
    }))
}

fn module_view(name: &str, base: Value) -> Value {
    json!({
        "@type": "/cosmos.auth.v1beta1.ModuleAccount",
        "base_account": base,
        "name": name,
        "permissions": [],
    })
}

/// A module's account: the first 20 bytes of SHA-256 of its name (Cosmos SDK, ADR-028).
fn module(name: &str) -> Address {
    Address::from_slice(&Sha256::digest(name.as_bytes())[..20])
}

/// Modules that hold coins.
const MODULES: [&str; 5] = ["bonded_tokens_pool", "distribution", "fee_collector", "gov", "not_bonded_tokens_pool"];
/// Most accounts of one answer.
const ACCOUNTS: usize = 100;
