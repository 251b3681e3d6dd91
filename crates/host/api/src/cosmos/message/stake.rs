//! Messages about stake, as a Cosmos client reads them.

use cloister_chain::cosmos::StakeMessage;
use cloister_chain::staking::Decimal;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::crypto::ed25519;
use secret_sdk_proto::cosmos::staking::v1beta1::{CommissionRates, Description, MsgCreateValidator};
use serde_json::{Value, json};

use super::super::view::{base64, coins};

pub(super) fn view(message: &StakeMessage) -> Value {
    match message {
        StakeMessage::CreateValidator(message) => create_validator(message),
        StakeMessage::EditValidator(message) => json!({
            "description": description(message.description.as_ref()),
            "validator_address": message.validator_address,
            "commission_rate": optional(&message.commission_rate).map(decimal),
            "min_self_delegation": optional(&message.min_self_delegation),
        }),
        StakeMessage::Delegate(message) => json!({
            "delegator_address": message.delegator_address,
            "validator_address": message.validator_address,
            "amount": coin(message.amount.as_ref()),
        }),
        StakeMessage::Undelegate(message) => json!({
            "delegator_address": message.delegator_address,
            "validator_address": message.validator_address,
            "amount": coin(message.amount.as_ref()),
        }),
        StakeMessage::BeginRedelegate(message) => json!({
            "delegator_address": message.delegator_address,
            "validator_src_address": message.validator_src_address,
            "validator_dst_address": message.validator_dst_address,
            "amount": coin(message.amount.as_ref()),
        }),
        StakeMessage::CancelUnbonding(message) => json!({
            "delegator_address": message.delegator_address,
            "validator_address": message.validator_address,
            "amount": coin(message.amount.as_ref()),
            "creation_height": message.creation_height.to_string(),
        }),
        StakeMessage::WithdrawReward(message) => json!({
            "delegator_address": message.delegator_address,
            "validator_address": message.validator_address,
        }),
        StakeMessage::WithdrawCommission(message) => json!({ "validator_address": message.validator_address }),
        StakeMessage::SetWithdrawAddress(message) => json!({
            "delegator_address": message.delegator_address,
            "withdraw_address": message.withdraw_address,
        }),
        StakeMessage::FundCommunityPool(message) => json!({
            "amount": coins(&message.amount),
            "depositor": message.depositor,
        }),
        StakeMessage::Unjail(message) => json!({ "validator_addr": message.validator_addr }),
    }
}

#[allow(deprecated)] // The delegator's address is shown as it was sent.
fn create_validator(message: &MsgCreateValidator) -> Value {
    let CommissionRates { rate, max_rate, max_change_rate } = message.commission.clone().unwrap_or_default();
    json!({
        "description": description(message.description.as_ref()),
        "commission": {
            "rate": decimal(&rate),
            "max_rate": decimal(&max_rate),
            "max_change_rate": decimal(&max_change_rate),
        },
        "min_self_delegation": message.min_self_delegation,
        "delegator_address": message.delegator_address,
        "validator_address": message.validator_address,
        "pubkey": message.pubkey.as_ref().map(key),
        "value": coin(message.value.as_ref()),
    })
}

fn description(description: Option<&Description>) -> Value {
    let Description { moniker, identity, website, security_contact, details } =
        description.cloned().unwrap_or_default();
    json!({
        "moniker": moniker,
        "identity": identity,
        "website": website,
        "security_contact": security_contact,
        "details": details,
    })
}

fn key(any: &Any) -> Value {
    let key = ed25519::PubKey::decode(any.value.as_slice()).unwrap_or_default();
    json!({ "@type": any.type_url, "key": base64(&key.key) })
}

fn coin(coin: Option<&Coin>) -> Value {
    coin.and_then(|coin| coins(std::slice::from_ref(coin)).get(0).cloned()).unwrap_or_default()
}

/// A fraction with its point; what is none is shown as it was sent.
fn decimal(atto: &str) -> String {
    Decimal::from_atto(atto).map_or_else(|_| atto.to_owned(), |decimal| decimal.to_string())
}

fn optional(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
