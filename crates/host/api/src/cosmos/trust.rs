//! Enclaves that were admitted, and what is demanded of them: `secret.registration.v1beta1` and our own `cloister.trust.v1`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::bech32;
use cloister_chain::trust::{Node, Release, Trust};
use cloister_chain::{B256, Epoch, Leaf};
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Named, Reply};
use super::{Backend, Door, read, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/registration/v1beta1/encrypted-seed/{key}", get(encrypted_seed))
        .route("/cloister/trust/v1/epoch", get(epoch))
        .route("/cloister/trust/v1/params", get(params))
        .route("/cloister/trust/v1/nodes", get(nodes))
        .route("/cloister/trust/v1/nodes/{chip}", get(node))
}

/// The seed, sealed to the boot key that is named in hex; empty if it has to wait for the next epoch.
async fn encrypted_seed<B: Backend>(State(door): State<Door<B>>, Named(key): Named<String>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let key = word(&key)?;
    let chip: Option<B256> = state.get(&Leaf::BootKey(key))?;
    let node: Option<Node> = chip.map(|chip| state.get(&Leaf::Node(chip))).transpose()?.flatten();
    // A later run of the same chip has a share of its own, under another key.
    let node = node.filter(|node| node.boot.kem == key && !node.revoked);
    let node = node.ok_or(RestError::Nothing("seed for this key"))?;
    Ok(Reply::at(state.height, &json!({ "encrypted_seed": view::base64(&node.share) })))
}

/// Which keys are in use, as the state says and [`Leaf::Epoch`] proves.
async fn epoch<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let epoch: Epoch = state.get(&Leaf::Epoch)?.ok_or(RestError::Nothing("epoch at this height"))?;
    let retiring = epoch.retiring.map(|retiring| {
        json!({
            "input_key": view::base64(retiring.input),
            "cursor": retiring.cursor,
            "swept": retiring.swept,
        })
    });
    let keys = epoch.keys;
    Ok(Reply::at(
        state.height,
        &json!({
            "epoch": epoch.number.to_string(),
            "height": epoch.height.to_string(),
            "began": epoch.began.to_string(),
            "io_key": view::base64(keys.io),
            "registration_key": view::base64(keys.registration),
            "input_key": view::base64(keys.input),
            "retiring": retiring,
        }),
    ))
}

async fn params<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let trust: Trust = state.get(&Leaf::Trust)?.ok_or(RestError::Nothing("admission on this chain"))?;
    let releases = trust.releases.iter().map(|Release { build, activation, rebuilt }| {
        json!({
            "measurement": build.measurement,
            "source": build.source,
            "lock": build.lock,
            "toolchain": build.toolchain,
            "flags": build.flags,
            "activation": activation.to_string(),
            "rebuilt": rebuilt,
        })
    });
    let releases: Vec<_> = releases.collect();
    let delay = trust.delay.to_string();
    let Trust { policy, rebuilders, caps, .. } = trust;
    let params = json!({
        "policy": policy, "releases": releases, "delay": delay, "rebuilders": rebuilders, "caps": caps,
    });
    Ok(Reply::at(state.height, &params))
}

async fn nodes<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let page = asked.page(NODES)?;
    let state = door.state(asked.height)?;
    let chips: Vec<B256> = state.get(&Leaf::Nodes)?.unwrap_or_default();
    let listed = chips.iter().skip(page.offset).take(page.limit);
    let nodes = listed.map(|chip| find(&state, *chip)).collect::<Result<Vec<_>, _>>()?;
    let total = chips.len();
    Ok(Reply::at(state.height, &json!({ "nodes": nodes, "pagination": view::pagination(total) })))
}

async fn node<B: Backend>(State(door): State<Door<B>>, Named(chip): Named<String>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    Ok(Reply::at(state.height, &json!({ "node": find(&state, word(&chip)?)? })))
}

fn find(state: &read::State, chip: B256) -> Result<Value, RestError> {
    let node: Node = state.get(&Leaf::Node(chip))?.ok_or(RestError::Nothing("node with this chip"))?;
    Ok(json!({
        "chip": chip,
        "owner": bech32(&node.owner),
        "consensus_key": view::base64(node.consensus_key),
        "boot_key": node.boot.kem,
        "family": node.family,
        "measurement": node.measurement,
        "evidence": node.evidence,
        "collateral": node.collateral,
        "registered_height": node.registered.height.to_string(),
        "registered_index": node.registered.index,
        "expires": node.expires.to_string(),
        "revoked": node.revoked,
    }))
}

/// Thirty-two bytes in hex.
fn word(text: &str) -> Result<B256, RestError> {
    text.parse().map_err(|_| RestError::Invalid("a key and a chip are 64 hex digits".into()))
}

/// On one page, unless asked for fewer.
const NODES: usize = 100;
