//! Staking, distribution and slashing in sign documents.

use prost::Message as _;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::crypto::ed25519;
use secret_sdk_proto::cosmos::staking::v1beta1::Description;

use super::{Json, bytes, list, object, text, typed, unless_empty};
use crate::cosmos::StakeMessage;
use crate::staking::Decimal;

/// `{"type", "value"}` of one message; names and members are those of the SDK's amino annotations.
pub(super) fn message(message: &StakeMessage) -> Option<Json> {
    let (name, value) = match message {
        StakeMessage::CreateValidator(m) => {
            let commission = m.commission.clone().unwrap_or_default();
            let key = ed25519::PubKey::decode(m.pubkey.as_ref()?.value.as_slice()).ok()?;
            let value = object([
                ("description", description(m.description.as_ref())),
                (
                    "commission",
                    object([
                        ("rate", decimal(&commission.rate)?),
                        ("max_rate", decimal(&commission.max_rate)?),
                        ("max_change_rate", decimal(&commission.max_change_rate)?),
                    ]),
                ),
                ("min_self_delegation", text(&m.min_self_delegation)),
                #[allow(deprecated)] // Clients that still fill it in sign it, too.
                ("delegator_address", text(&m.delegator_address)),
                ("validator_address", text(&m.validator_address)),
                ("pubkey", typed("tendermint/PubKeyEd25519", bytes(&key.key))),
                ("value", coin(m.value.as_ref())),
            ]);
            ("cosmos-sdk/MsgCreateValidator", without(value, "delegator_address"))
        }
        StakeMessage::EditValidator(m) => {
            let rate = if m.commission_rate.is_empty() { None } else { Some(decimal(&m.commission_rate)?) };
            let members = [
                ("description", description(m.description.as_ref())),
                ("validator_address", text(&m.validator_address)),
            ];
            let rate = rate.map(|rate| ("commission_rate", rate));
            let least = unless_empty("min_self_delegation", &m.min_self_delegation);
            ("cosmos-sdk/MsgEditValidator", object(members.into_iter().chain(rate).chain(least)))
        }
        StakeMessage::Delegate(m) => (
            "cosmos-sdk/MsgDelegate",
            object([
                ("amount", coin(m.amount.as_ref())),
                ("delegator_address", text(&m.delegator_address)),
                ("validator_address", text(&m.validator_address)),
            ]),
        ),
        StakeMessage::Undelegate(m) => (
            "cosmos-sdk/MsgUndelegate",
            object([
                ("amount", coin(m.amount.as_ref())),
                ("delegator_address", text(&m.delegator_address)),
                ("validator_address", text(&m.validator_address)),
            ]),
        ),
        StakeMessage::BeginRedelegate(m) => (
            "cosmos-sdk/MsgBeginRedelegate",
            object([
                ("amount", coin(m.amount.as_ref())),
                ("delegator_address", text(&m.delegator_address)),
                ("validator_dst_address", text(&m.validator_dst_address)),
                ("validator_src_address", text(&m.validator_src_address)),
            ]),
        ),
        StakeMessage::CancelUnbonding(m) => (
            "cosmos-sdk/MsgCancelUnbondingDelegation",
            object([
                ("amount", coin(m.amount.as_ref())),
                ("creation_height", text(m.creation_height)),
                ("delegator_address", text(&m.delegator_address)),
                ("validator_address", text(&m.validator_address)),
            ]),
        ),
        StakeMessage::WithdrawReward(m) => (
            "cosmos-sdk/MsgWithdrawDelegationReward",
            object([
                ("delegator_address", text(&m.delegator_address)),
                ("validator_address", text(&m.validator_address)),
            ]),
        ),
        StakeMessage::WithdrawCommission(m) => {
            ("cosmos-sdk/MsgWithdrawValCommission", object([("validator_address", text(&m.validator_address))]))
        }
        StakeMessage::SetWithdrawAddress(m) => (
            "cosmos-sdk/MsgModifyWithdrawAddress",
            object([
                ("delegator_address", text(&m.delegator_address)),
                ("withdraw_address", text(&m.withdraw_address)),
            ]),
        ),
        StakeMessage::FundCommunityPool(m) => (
            "cosmos-sdk/MsgFundCommunityPool",
            object([("amount", list(&m.amount)), ("depositor", text(&m.depositor))]),
        ),
        StakeMessage::Unjail(m) => ("cosmos-sdk/MsgUnjail", object([("address", text(&m.validator_addr))])),
    };
    Some(typed(name, value))
}

fn description(description: Option<&Description>) -> Json {
    let description = description.cloned().unwrap_or_default();
    let members = [
        ("moniker", &description.moniker),
        ("identity", &description.identity),
        ("website", &description.website),
        ("security_contact", &description.security_contact),
        ("details", &description.details),
    ];
    object(members.into_iter().flat_map(|(key, value)| unless_empty(key, value)))
}

fn coin(coin: Option<&Coin>) -> Json {
    let coin = coin.cloned().unwrap_or_default();
    object([("amount", text(&coin.amount)), ("denom", text(&coin.denom))])
}

/// A fraction with its point.
fn decimal(atto: &str) -> Option<Json> {
    Decimal::from_atto(atto).ok().map(text)
}

/// Without a member that is empty.
fn without(mut value: Json, key: &str) -> Json {
    if let Json::Object(members) = &mut value
        && members.get(key) == Some(&Json::Text(String::new()))
    {
        members.remove(key);
    }
    value
}
