//! Validators and delegations as a Cosmos client reads them.

use cloister_chain::Address;
use cloister_chain::cosmos::bech32;
use cloister_chain::staking::{Delegation, Redelegation, Status, Unbonding, Validator, valoper};
use serde_json::{Value, json};

use super::super::view::{amount, base64, moment};

/// A validator, by its operator.
pub(in super::super) fn validator(operator: &Address, validator: &Validator) -> Value {
    let (about, commission) = (&validator.description, &validator.commission);
    json!({
        "operator_address": valoper(operator),
        "consensus_pubkey": { "@type": "/cosmos.crypto.ed25519.PubKey", "key": base64(validator.key) },
        "jailed": validator.jailed,
        "status": status(validator.status),
        "tokens": validator.tokens.to_string(),
        "delegator_shares": validator.shares,
        "description": {
            "moniker": about.moniker,
            "identity": about.identity,
            "website": about.website,
            "security_contact": about.security_contact,
            "details": about.details,
        },
        "unbonding_height": validator.unbonding_height.to_string(),
        "unbonding_time": moment(validator.unbonding_time.into()),
        "commission": {
            "commission_rates": {
                "rate": commission.rate,
                "max_rate": commission.max_rate,
                "max_change_rate": commission.max_change_rate,
            },
            "update_time": moment(commission.updated.into()),
        },
        "min_self_delegation": validator.min_self_delegation.to_string(),
        "unbonding_on_hold_ref_count": "0",
        "unbonding_ids": [],
    })
}

pub(super) fn delegation(
    delegator: &Address,
    operator: &Address,
    validator: &Validator,
    delegation: &Delegation,
) -> Value {
    json!({
        "delegation": {
            "delegator_address": bech32(delegator),
            "validator_address": valoper(operator),
            "shares": delegation.shares,
        },
        "balance": amount(validator.worth(delegation.shares).floor()),
    })
}

pub(super) fn unbonding(delegator: &Address, operator: &Address, unbonding: &Unbonding) -> Value {
    let entries = unbonding.entries.iter().map(|entry| {
        json!({
            "creation_height": entry.height.to_string(),
            "completion_time": moment(entry.completion.into()),
            "initial_balance": entry.initial.to_string(),
            "balance": entry.balance.to_string(),
            "unbonding_id": entry.id.to_string(),
            "unbonding_on_hold_ref_count": "0",
        })
    });
    json!({
        "delegator_address": bech32(delegator),
        "validator_address": valoper(operator),
        "entries": entries.collect::<Vec<_>>(),
    })
}

/// `validator` is the one that the coins went to.
pub(super) fn redelegation(
    delegator: &Address,
    (from, to): (&Address, &Address),
    validator: Option<&Validator>,
    redelegation: &Redelegation,
) -> Value {
    let entries = redelegation.entries.iter().map(|entry| {
        let balance = validator.map_or(0, |validator| validator.worth(entry.shares).floor());
        json!({
            "redelegation_entry": {
                "creation_height": entry.height.to_string(),
                "completion_time": moment(entry.completion.into()),
                "initial_balance": entry.initial.to_string(),
                "shares_dst": entry.shares,
                "unbonding_id": entry.id.to_string(),
                "unbonding_on_hold_ref_count": "0",
            },
            "balance": balance.to_string(),
        })
    });
    json!({
        "redelegation": {
            "delegator_address": bech32(delegator),
            "validator_src_address": valoper(from),
            "validator_dst_address": valoper(to),
            "entries": null,
        },
        "entries": entries.collect::<Vec<_>>(),
    })
}

/// Whether a client that asks for `wanted` means this status.
pub(super) fn is_status(wanted: &str, status: Status) -> bool {
    let any = ["BOND_STATUS_UNSPECIFIED", "0"].contains(&wanted);
    any || wanted == self::status(status) || wanted == (status as u8).to_string()
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Unbonded => "BOND_STATUS_UNBONDED",
        Status::Unbonding => "BOND_STATUS_UNBONDING",
        Status::Bonded => "BOND_STATUS_BONDED",
    }
}
