//! `cosmos.slashing.v1beta1`: which keys signed, and what it costs not to.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use bech32::{Bech32, primitives::decode::CheckedHrpstring};
use cloister_chain::cosmos::from_bytes;
use cloister_chain::staking::{Absences, Params, Signing, valcons};
use cloister_chain::{Address, Leaf};
use cloister_store::StoreError;
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Named, Reply};
use super::view::{duration, moment, pagination};
use super::{Backend, Door, read, staking};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/slashing/v1beta1/params", get(params))
        .route("/cosmos/slashing/v1beta1/signing_infos", get(infos))
        .route("/cosmos/slashing/v1beta1/signing_infos/{key}", get(info))
}

async fn params<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let params = staking::parameters(&state)?;
    Ok(Reply::at(
        state.height,
        &json!({
            "params": {
                "signed_blocks_window": params.signed_blocks_window.to_string(),
                "min_signed_per_window": params.min_signed_per_window,
                "downtime_jail_duration": duration(params.downtime_jail_duration.into()),
                "slash_fraction_double_sign": params.slash_fraction_double_sign,
                "slash_fraction_downtime": params.slash_fraction_downtime,
            }
        }),
    ))
}

async fn infos<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let page = asked.page(KEYS)?;
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        let params = staking::parameters(&state)?;
        let (mut infos, mut total) = (Vec::new(), 0);
        for piece in state.under(&Leaf::Signing(Address::ZERO).to_bytes()[..1])? {
            for (leaf, value) in piece? {
                let Leaf::Signing(key) = leaf else { continue };
                let signing: Signing = borsh::from_slice(&value).map_err(|_| StoreError::Corrupted("leaf"))?;
                if total >= page.offset && infos.len() < page.limit {
                    infos.push(shown(&state, &params, key, &signing)?);
                }
                total += 1;
            }
        }
        Ok(Reply::at(state.height, &json!({ "info": infos, "pagination": pagination(total) })))
    })
    .await
}

async fn info<B: Backend>(State(door): State<Door<B>>, Named(name): Named<String>, asked: Asked) -> Answered {
    let key = key(&name).ok_or_else(|| RestError::Invalid("the address of a key begins with secretvalcons1".into()))?;
    let state = door.state(asked.height)?;
    let signing: Option<Signing> = state.get(&Leaf::Signing(key))?;
    let signing = signing.ok_or(RestError::Nothing("SigningInfo for this validator"))?;
    let info = shown(&state, &staking::parameters(&state)?, key, &signing)?;
    Ok(Reply::at(state.height, &json!({ "val_signing_info": info })))
}

fn shown(state: &read::State, params: &Params, key: Address, signing: &Signing) -> Result<Value, RestError> {
    let absences: Absences = state.get(&Leaf::Absences(key))?.unwrap_or_default();
    let missed = absences.count(state.height, params.signed_blocks_window);
    let until = if signing.jailed_until == u64::MAX { FOR_EVER.into() } else { moment(signing.jailed_until.into()) };
    Ok(json!({
        "address": valcons(&key),
        "start_height": signing.start.to_string(),
        "index_offset": state.height.saturating_sub(signing.start).to_string(),
        "jailed_until": until,
        "tombstoned": signing.tombstoned,
        "missed_blocks_counter": missed.to_string(),
    }))
}

fn key(name: &str) -> Option<Address> {
    let decoded = CheckedHrpstring::new::<Bech32>(name).ok()?;
    (decoded.hrp().as_str() == "secretvalcons").then_some(())?;
    from_bytes(&decoded.byte_iter().collect::<Vec<u8>>()).ok()
}

/// Where protobuf's time ends.
const FOR_EVER: &str = "9999-12-31T23:59:59Z";
/// Most keys of one answer.
const KEYS: usize = cloister_chain::limits::VALIDATORS;
