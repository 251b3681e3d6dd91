//! What a node says about itself: parts of `cosmos.base.tendermint.v1beta1`, `cosmos.base.node.v1beta1` and
//! `cosmos.consensus.v1`.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::DENOM;
use cloister_chain::limits;
use serde_json::json;

use super::request::{Answered, Reply};
use super::{Backend, Door, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/base/tendermint/v1beta1/node_info", get(node_info))
        .route("/cosmos/base/tendermint/v1beta1/syncing", get(syncing))
        .route("/cosmos/base/node/v1beta1/config", get(config))
        .route("/cosmos/base/node/v1beta1/status", get(status))
        .route("/cosmos/consensus/v1/params", get(consensus))
}

async fn node_info<B: Backend>(State(door): State<Door<B>>) -> Reply {
    let version = env!("CARGO_PKG_VERSION");
    Reply::of(&json!({
        "default_node_info": {
            "protocol_version": { "p2p": "0", "block": "11", "app": "0" },
            "default_node_id": "",
            "listen_addr": "",
            "network": door.backend.genesis().chain_id,
            "version": version,
            "channels": "",
            "moniker": "",
            "other": { "tx_index": "on", "rpc_address": "" },
        },
        "application_version": {
            "name": "cloister",
            "app_name": "cloister",
            "version": version,
            "git_commit": "",
            "build_tags": if door.backend.genesis().simulated { "SIMULATED" } else { "" },
            "go_version": "",
            "build_deps": [],
            "cosmos_sdk_version": "",
        },
    }))
}

async fn syncing<B: Backend>(State(door): State<Door<B>>) -> Reply {
    Reply::of(&json!({ "syncing": door.backend.syncing().is_some() }))
}

async fn config() -> Reply {
    Reply::of(&json!({
        "minimum_gas_price": format!("0.000000000000000000{DENOM}"),
        "pruning_keep_recent": "0",
        "pruning_interval": "0",
        "halt_height": "0",
    }))
}

async fn status<B: Backend>(State(door): State<Door<B>>) -> Answered {
    let reader = door.reader()?;
    let head = door.head()?;
    let mined = door.mined(&reader, head.height)?;
    Ok(Reply::of(&json!({
        "earliest_store_height": reader.oldest()?.to_string(),
        "height": head.height.to_string(),
        "timestamp": view::nanoseconds(&mined.header),
        "app_hash": view::base64(head.state_root),
        "validator_hash": view::base64(head.next_validators.hash()),
    })))
}

async fn consensus<B: Backend>(State(door): State<Door<B>>) -> Reply {
    Reply::of(&json!({
        "params": {
            "block": {
                "max_bytes": limits::BLOCK_BYTES.to_string(),
                "max_gas": door.backend.genesis().sdk_gas.to_string(),
            },
            "evidence": null,
            "validator": { "pub_key_types": ["ed25519"] },
            "version": null,
            "abci": null,
        }
    }))
}
