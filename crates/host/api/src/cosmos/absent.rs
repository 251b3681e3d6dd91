//! Modules that this chain does not have, where the truth is an empty list: wallets ask for all of these before they show
//! anything. Whatever else is asked of such a module is not implemented.

use std::future::ready;

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use super::request::Reply;
use super::{Backend, Door, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    let lists = [
        // Nobody can grant anything.
        ("/cosmos/authz/v1beta1/grants", "grants"),
        ("/cosmos/authz/v1beta1/grants/granter/{granter}", "grants"),
        ("/cosmos/authz/v1beta1/grants/grantee/{grantee}", "grants"),
        // Coins cannot be staked.
        ("/cosmos/staking/v1beta1/delegations/{delegator}", "delegation_responses"),
        ("/cosmos/staking/v1beta1/delegators/{delegator}/unbonding_delegations", "unbonding_responses"),
        ("/cosmos/staking/v1beta1/delegators/{delegator}/redelegations", "redelegation_responses"),
        ("/cosmos/staking/v1beta1/delegators/{delegator}/validators", "validators"),
        // Nobody can propose anything.
        ("/cosmos/gov/v1/proposals", "proposals"),
        ("/cosmos/gov/v1beta1/proposals", "proposals"),
        ("/cosmos/evidence/v1beta1/evidence", "evidence"),
    ];
    let fixed = [
        ("/cosmos/distribution/v1beta1/delegators/{delegator}/rewards", json!({ "rewards": [], "total": [] })),
        ("/cosmos/distribution/v1beta1/delegators/{delegator}/validators", json!({ "validators": [] })),
        ("/cosmos/upgrade/v1beta1/current_plan", json!({ "plan": null })),
    ];
    let empty = |name: &str| -> Value { json!({ name: [], "pagination": view::pagination(0) }) };
    let lists = lists.into_iter().map(|(path, name)| (path, empty(name)));
    lists
        .chain(fixed)
        .fold(Router::new(), |routes, (path, answer)| routes.route(path, get(move || ready(Reply::of(&answer)))))
}
