//! Transactions and what they did, as a Cosmos client reads them.

use alloy_primitives::{B256, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{Allowance, Authorization, DENOM, Grant, PublicKey, StakeKind, Validators, bech32};
use cloister_chain::staking::valoper;
use cloister_chain::wire::Rejection;
use cloister_chain::{Address, CosmosTx, Event, Header};
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::crypto::multisig::v1beta1::CompactBitArray;
use secret_sdk_proto::cosmos::tx::signing::v1beta1::SignMode;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::Sum;
use secret_sdk_proto::cosmos::tx::v1beta1::{ModeInfo, SignerInfo};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::message;
use super::read::Placed;

/// A transaction: `cosmos.tx.v1beta1.Tx`.
pub(super) fn tx(tx: &CosmosTx) -> Value {
    let (body, auth, signatures) = tx.parts();
    let messages: Vec<Value> = tx.messages().iter().map(message::view).collect();
    let fee = auth.fee.as_ref().map(|fee| {
        json!({
            "amount": coins(&fee.amount),
            "gas_limit": fee.gas_limit.to_string(),
            "payer": fee.payer,
            "granter": fee.granter,
        })
    });
    json!({
        "body": {
            "messages": messages,
            "memo": body.memo,
            "timeout_height": body.timeout_height.to_string(),
            // A transaction with options is none of this chain.
            "extension_options": [],
            "non_critical_extension_options": [],
        },
        "auth_info": {
            "signer_infos": auth.signer_infos.iter().map(signer).collect::<Vec<_>>(),
            "fee": fee,
            "tip": null,
        },
        "signatures": signatures.iter().map(base64).collect::<Vec<_>>(),
    })
}

/// What a transaction in a block did: `cosmos.base.abci.v1beta1.TxResponse`. `shown` is [`tx`] of it.
pub(super) fn included(placed: &Placed<'_>, shown: &Value) -> Value {
    let Placed { header, receipt, result, .. } = placed;
    let mut tx = shown.clone();
    tx["@type"] = "/cosmos.tx.v1beta1.Tx".into();
    json!({
        "height": header.height.to_string(),
        "txhash": hex::encode_upper(receipt.tx),
        "codespace": result.codespace,
        "code": result.code,
        "data": hex::encode_upper(&result.data),
        "raw_log": result.log,
        "logs": [],
        "info": "",
        "gas_wanted": result.gas_wanted.to_string(),
        "gas_used": receipt.gas_used.to_string(),
        "tx": tx,
        "timestamp": seconds(header),
        "events": result.events.iter().map(event).collect::<Vec<_>>(),
    })
}

/// What a broadcast answers: nothing has happened yet, and perhaps nothing will.
pub(super) fn broadcast(hash: &B256, refused: Option<&Rejection>) -> Value {
    json!({
        "height": "0",
        "txhash": hex::encode_upper(hash),
        "codespace": refused.map_or("", |refused| &refused.codespace),
        "code": refused.map_or(0, |refused| refused.code),
        "data": "",
        "raw_log": refused.map_or("", |refused| &refused.log),
        "logs": [],
        "info": "",
        "gas_wanted": "0",
        "gas_used": "0",
        "tx": null,
        "timestamp": "",
        "events": [],
    })
}

/// A key that an account signs with.
pub(super) fn public_key(key: &PublicKey) -> Value {
    match key {
        PublicKey::Single(key) => json!({ "@type": "/cosmos.crypto.secp256k1.PubKey", "key": base64(key) }),
        PublicKey::Multi { threshold, members } => {
            let members = members.iter().map(|member| public_key(&PublicKey::Single(*member)));
            json!({
                "@type": "/cosmos.crypto.multisig.LegacyAminoPubKey",
                "threshold": threshold,
                "public_keys": members.collect::<Vec<_>>(),
            })
        }
    }
}

/// Amounts.
pub(super) fn coins(coins: &[Coin]) -> Value {
    coins.iter().map(|coin| json!({ "denom": coin.denom, "amount": coin.amount })).collect()
}

/// What one account may spend on fees of another's coins.
pub(super) fn allowance(allowance: &Allowance) -> Value {
    let amount = |amount: u128| json!([{ "denom": DENOM, "amount": amount.to_string() }]);
    let mut basic = json!({
        "spend_limit": allowance.limit.map_or_else(|| json!([]), amount),
        "expiration": allowance.expiration.map(moment),
    });
    let mut shown = match &allowance.period {
        None => {
            basic["@type"] = "/cosmos.feegrant.v1beta1.BasicAllowance".into();
            basic
        }
        Some(period) => json!({
            "@type": "/cosmos.feegrant.v1beta1.PeriodicAllowance",
            "basic": basic,
            "period": duration(period.length),
            "period_spend_limit": amount(period.limit),
            "period_can_spend": if period.left == 0 { json!([]) } else { amount(period.left) },
            "period_reset": moment(period.reset),
        }),
    };
    if let Some(messages) = &allowance.messages {
        shown = json!({
            "@type": "/cosmos.feegrant.v1beta1.AllowedMsgAllowance",
            "allowance": shown,
            "allowed_messages": messages,
        });
    }
    shown
}

/// What one account lets another do.
pub(super) fn grant(grant: &Grant) -> Value {
    json!({ "authorization": authorization(&grant.authorization), "expiration": grant.expiration.map(moment) })
}

fn authorization(authorization: &Authorization) -> Value {
    match authorization {
        Authorization::Generic(url) => {
            json!({ "@type": "/cosmos.authz.v1beta1.GenericAuthorization", "msg": url })
        }
        Authorization::Send { limit, to } => json!({
            "@type": "/cosmos.bank.v1beta1.SendAuthorization",
            "spend_limit": [amount(*limit)],
            "allow_list": to.iter().map(bech32).collect::<Vec<_>>(),
        }),
        Authorization::Stake { kind, limit, validators } => {
            let kind = match kind {
                StakeKind::Delegate => "AUTHORIZATION_TYPE_DELEGATE",
                StakeKind::Undelegate => "AUTHORIZATION_TYPE_UNDELEGATE",
                StakeKind::Redelegate => "AUTHORIZATION_TYPE_REDELEGATE",
                StakeKind::CancelUnbonding => "AUTHORIZATION_TYPE_CANCEL_UNBONDING_DELEGATION",
            };
            let mut shown = json!({
                "@type": "/cosmos.staking.v1beta1.StakeAuthorization",
                "max_tokens": limit.map(amount),
                "authorization_type": kind,
            });
            let list = |these: &[Address]| json!({ "address": these.iter().map(valoper).collect::<Vec<_>>() });
            match validators {
                Validators::Any => {}
                Validators::Only(these) => shown["allow_list"] = list(these),
                Validators::Never(these) => shown["deny_list"] = list(these),
            }
            shown
        }
    }
}

/// An amount of the chain's denomination.
pub(super) fn amount(amount: u128) -> Value {
    json!({ "denom": DENOM, "amount": amount.to_string() })
}

/// Nanoseconds since 1970, with a fraction if there is one.
pub(super) fn moment(nanoseconds: u128) -> String {
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let calendar = calendar(u64::try_from(seconds).unwrap_or(u64::MAX));
    if rest == 0 { format!("{calendar}Z") } else { format!("{calendar}.{rest:09}Z") }
}

/// Nanoseconds as protobuf's JSON has them: in seconds, with a fraction if there is one.
pub(super) fn duration(nanoseconds: u128) -> String {
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    if rest == 0 { format!("{seconds}s") } else { format!("{seconds}.{rest:09}s") }
}

/// Bytes, in base64.
pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Bytes that a message may lack: those of the `compute` module are null then.
pub(super) fn bytes(bytes: &[u8]) -> Value {
    if bytes.is_empty() { Value::Null } else { base64(bytes).into() }
}

/// The end of a list that is given whole.
pub(super) fn pagination(total: usize) -> Value {
    json!({ "next_key": null, "total": total.to_string() })
}

/// Time of a block to the second, as transactions show it.
pub(super) fn seconds(header: &Header) -> String {
    format!("{}Z", calendar(header.seconds()))
}

/// Time of a block to the nanosecond, always with nine digits.
pub(super) fn nanoseconds(header: &Header) -> String {
    format!("{}.{:09}Z", calendar(header.seconds()), header.time % 1_000_000_000)
}

/// RFC 3339 without fraction and zone.
fn calendar(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

fn event(event: &Event) -> Value {
    let attribute = |(key, value): &(String, String)| json!({ "key": key, "value": value, "index": true });
    json!({ "type": event.kind, "attributes": event.attributes.iter().map(attribute).collect::<Vec<_>>() })
}

fn signer(info: &SignerInfo) -> Value {
    let key = info.public_key.as_ref().and_then(|any| PublicKey::decode(any).ok());
    json!({
        "public_key": key.as_ref().map(public_key),
        "mode_info": info.mode_info.as_ref().map(|info| mode(info, MODES)),
        "sequence": info.sequence.to_string(),
    })
}

/// How a signature was made; `depth` more levels are looked at, since only the signer's patience limits how many there are.
fn mode(info: &ModeInfo, depth: usize) -> Value {
    match &info.sum {
        Some(Sum::Single(single)) => {
            let mode = SignMode::try_from(single.mode).unwrap_or(SignMode::Unspecified);
            json!({ "single": { "mode": mode.as_str_name() } })
        }
        Some(Sum::Multi(multi)) if depth > 0 => json!({
            "multi": {
                "bitarray": multi.bitarray.as_ref().map(bits),
                "mode_infos": multi.mode_infos.iter().map(|info| mode(info, depth - 1)).collect::<Vec<_>>(),
            }
        }),
        Some(Sum::Multi(_)) | None => json!({}),
    }
}

fn bits(bits: &CompactBitArray) -> Value {
    json!({ "extra_bits_stored": bits.extra_bits_stored, "elems": base64(&bits.elems) })
}

/// A multisig key's members are no multisig keys.
const MODES: usize = 1;
