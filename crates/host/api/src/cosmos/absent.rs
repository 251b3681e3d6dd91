//! Modules that this chain does not have, or has nothing to say of. Wallets ask for many of them before they show anything,
//! so where there is a true answer, an empty list or a value that never changes, it is given. What could only be asked of
//! something that does not exist is not found. `docs/modules.md` says which is which.

use std::future::ready;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::{DENOM, bech32};
use cloister_chain::gov;
use cloister_chain::staking::Decimal;
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Reply};
use super::{Backend, Door, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    let empty = |name: &str| -> Value { json!({ name: [], "pagination": view::pagination(0) }) };
    let lists = LISTS.into_iter().map(|(path, name)| (path, empty(name)));
    let mut routes = Router::new();
    for (path, answer) in lists.chain(fixed()) {
        routes = routes.route(path, get(move || ready(Reply::of(&answer))));
    }
    for (path, name) in IBC_LISTS {
        routes = routes.route(path, get(move |door, asked| ibc_list(name, door, asked)));
    }
    for (path, what) in MISSING {
        routes = routes.route(path, get(move || ready(Answered::Err(RestError::Nothing(what)))));
    }
    routes
}

/// A list of IBC's, which says at which height it is empty.
async fn ibc_list<B: Backend>(name: &'static str, State(door): State<Door<B>>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let height = json!({ "revision_number": "0", "revision_height": state.height.to_string() });
    Ok(Reply::at(state.height, &json!({ name: [], "pagination": view::pagination(0), "height": height })))
}

fn fixed() -> Vec<(&'static str, Value)> {
    let none = Decimal::ZERO;
    vec![
        // Nothing is minted.
        ("/cosmos/mint/v1beta1/inflation", json!({ "inflation": none })),
        ("/cosmos/mint/v1beta1/annual_provisions", json!({ "annual_provisions": none })),
        (
            "/cosmos/mint/v1beta1/params",
            json!({
                "params": {
                    "mint_denom": DENOM,
                    "inflation_rate_change": none,
                    "inflation_max": none,
                    "inflation_min": none,
                    "goal_bonded": Decimal::percent(67),
                    "blocks_per_year": "6311520",
                }
            }),
        ),
        // Secret Network's own: no tax goes to a foundation, and rewards wait until somebody takes them.
        ("/cosmos/distribution/v1beta1/foundation_tax", json!({ "tax": none, "foundation_address": "" })),
        ("/cosmos/distribution/v1beta1/restake_threshold", json!({ "threshold": Decimal::whole(10_000_000) })),
        ("/cosmos/distribution/v1beta1/restake_entries", json!({ "validators": [] })),
        // The program changes when its operators start another one.
        ("/cosmos/upgrade/v1beta1/current_plan", json!({ "plan": null })),
        ("/cosmos/upgrade/v1beta1/applied_plan/{name}", json!({ "height": "0" })),
        ("/cosmos/upgrade/v1beta1/module_versions", json!({ "module_versions": [] })),
        ("/cosmos/upgrade/v1beta1/authority", json!({ "address": bech32(&gov::account()) })),
        ("/cosmos/upgrade/v1beta1/upgraded_consensus_state/{height}", json!({ "upgraded_consensus_state": null })),
        // Every module keeps its own parameters.
        ("/cosmos/params/v1beta1/subspaces", json!({ "subspaces": [] })),
        ("/cosmos/circuit/v1/disable_list", json!({ "disabled_list": [] })),
        (
            "/cosmos/circuit/v1/accounts/{address}",
            json!({ "permission": { "level": "LEVEL_NONE_UNSPECIFIED", "limit_type_urls": [] } }),
        ),
        ("/emergencybutton/v1beta1/params", json!({ "params": { "switch_status": "off", "pauser_address": "" } })),
        // Nothing goes to other chains.
        ("/ibc/core/client/v1/params", json!({ "params": { "allowed_clients": [] } })),
        ("/ibc/core/connection/v1/params", json!({ "params": { "max_expected_time_per_block": "30000000000" } })),
        (
            "/ibc/core/channel/v1/params",
            json!({
                "params": {
                    "upgrade_timeout": {
                        "height": { "revision_number": "0", "revision_height": "0" },
                        "timestamp": "600000000000",
                    }
                }
            }),
        ),
        ("/ibc/apps/transfer/v1/params", json!({ "params": { "send_enabled": false, "receive_enabled": false } })),
        ("/ibc/apps/transfer/v1/denoms/{denom}/total_escrow", json!({ "amount": { "denom": DENOM, "amount": "0" } })),
        ("/ibc/apps/interchain_accounts/controller/v1/params", json!({ "params": { "controller_enabled": false } })),
        (
            "/ibc/apps/interchain_accounts/host/v1/params",
            json!({ "params": { "host_enabled": false, "allow_messages": [] } }),
        ),
        ("/ibc/apps/packetforward/v1/params", json!({ "params": { "fee_percentage": none } })),
        ("/ibc/apps/fee/v1/channels/{channel}/ports/{port}/fee_enabled", json!({ "fee_enabled": false })),
    ]
}

/// Lists that are empty.
const LISTS: [(&str, &str); 6] = [
    // A misdeed stands in its block, and what came of it in the validator.
    ("/cosmos/evidence/v1beta1/evidence", "evidence"),
    ("/cosmos/circuit/v1/accounts", "accounts"),
    ("/ibc/core/client/v1/client_states", "client_states"),
    ("/ibc/apps/transfer/v1/denom_traces", "denom_traces"),
    ("/ibc/apps/fee/v1/incentivized_packets", "incentivized_packets"),
    ("/ibc/apps/fee/v1/fee_enabled", "fee_enabled_channels"),
];

/// Lists that are empty and name a height.
const IBC_LISTS: [(&str, &str); 3] = [
    ("/ibc/core/connection/v1/connections", "connections"),
    ("/ibc/core/channel/v1/channels", "channels"),
    ("/ibc/core/channel/v1/connections/{connection}/channels", "channels"),
];

/// Things that do not exist, by name.
const MISSING: [(&str, &str); 12] = [
    ("/cosmos/evidence/v1beta1/evidence/{hash}", "evidence with this hash"),
    ("/cosmos/params/v1beta1/params", "subspace"),
    ("/ibc/core/client/v1/client_states/{client}", "light client"),
    ("/ibc/core/client/v1/client_status/{client}", "light client"),
    ("/ibc/core/client/v1/consensus_states/{client}", "light client"),
    ("/ibc/core/client/v1/consensus_states/{client}/heights", "light client"),
    ("/ibc/core/client/v1/upgraded_client_states", "upgraded client"),
    ("/ibc/core/connection/v1/connections/{connection}", "connection"),
    ("/ibc/core/connection/v1/client_connections/{client}", "light client"),
    ("/ibc/core/channel/v1/channels/{channel}/ports/{port}", "channel"),
    ("/ibc/apps/transfer/v1/denom_traces/{hash}", "denomination of another chain"),
    ("/ibc/apps/transfer/v1/denom_hashes/{trace}", "denomination of another chain"),
];
