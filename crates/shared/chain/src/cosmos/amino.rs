//! Amino JSON: the sign document of wallets that show what they sign.
//!
//! Every object has its keys in order, numbers are strings, and the text is escaped as Go's `encoding/json` does it.

mod authz;
mod stake;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use alloy_primitives::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;

use super::{Allowance, CosmosTx, DENOM, Message};

/// A JSON value, as far as sign documents need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<&'static str, Json>),
}

/// The sign document of `tx`, if all of its messages have a form in it.
pub(super) fn document(tx: &CosmosTx, chain_id: &str, number: u64, sequence: u64) -> Option<Json> {
    let fee = tx.auth.fee.clone().unwrap_or_default();
    let fee = object(
        [("amount", list(&fee.amount)), ("gas", text(fee.gas_limit))]
            .into_iter()
            .chain(unless_empty("granter", &fee.granter))
            .chain(unless_empty("payer", &fee.payer)),
    );
    let mut document = vec![
        ("account_number", text(number)),
        ("chain_id", text(chain_id)),
        ("fee", fee),
        ("memo", text(&tx.body.memo)),
        ("msgs", Json::List(tx.messages.iter().map(Message::amino).collect::<Option<_>>()?)),
        ("sequence", text(sequence)),
    ];
    if tx.body.timeout_height > 0 {
        document.push(("timeout_height", text(tx.body.timeout_height)));
    }
    Some(object(document))
}

/// `{"type", "value"}` of one message.
pub(super) fn message(message: &Message) -> Option<Json> {
    let (name, value) = match message {
        Message::Stake(m) => return stake::message(m),
        Message::Authz(m) => return authz::message(m),
        // Their options are numbers, and published clients do not agree with the SDK on their names.
        Message::Gov(_) => return None,
        // No wallet shows what a processor states.
        Message::Trust(_) => return None,
        Message::Send(m) => (
            "cosmos-sdk/MsgSend",
            object([
                ("amount", list(&m.amount)),
                ("from_address", text(&m.from_address)),
                ("to_address", text(&m.to_address)),
            ]),
        ),
        Message::MultiSend(m) => {
            let side = |address: &str, coins: &[Coin]| object([("address", text(address)), ("coins", list(coins))]);
            let inputs = m.inputs.iter().map(|input| side(&input.address, &input.coins)).collect();
            let outputs = m.outputs.iter().map(|output| side(&output.address, &output.coins)).collect();
            ("cosmos-sdk/MsgMultiSend", object([("inputs", Json::List(inputs)), ("outputs", Json::List(outputs))]))
        }
        Message::StoreCode(m) => (
            "wasm/MsgStoreCode",
            object(
                [("sender", bytes(&m.sender)), ("wasm_byte_code", bytes(&m.wasm_byte_code))]
                    .into_iter()
                    .chain(unless_empty("source", &m.source))
                    .chain(unless_empty("builder", &m.builder)),
            ),
        ),
        Message::Instantiate(m) => (
            "wasm/MsgInstantiateContract",
            object(
                [
                    ("code_id", text(m.code_id)),
                    ("init_funds", list(&m.init_funds)),
                    ("init_msg", bytes(&m.init_msg)),
                    ("label", text(&m.label)),
                    ("sender", bytes(&m.sender)),
                ]
                .into_iter()
                .chain(unless_empty("admin", &m.admin))
                .chain(unless_empty("callback_code_hash", &m.callback_code_hash)),
            ),
        ),
        Message::Execute(m) => (
            "wasm/MsgExecuteContract",
            object(
                [
                    ("contract", bytes(&m.contract)),
                    ("msg", bytes(&m.msg)),
                    ("sender", bytes(&m.sender)),
                    ("sent_funds", list(&m.sent_funds)),
                ]
                .into_iter()
                .chain(unless_empty("callback_code_hash", &m.callback_code_hash)),
            ),
        ),
        Message::Migrate(m) => (
            "wasm/MsgMigrateContract",
            object([
                ("code_id", text(m.code_id)),
                ("contract", text(&m.contract)),
                ("msg", bytes(&m.msg)),
                ("sender", text(&m.sender)),
            ]),
        ),
        Message::UpdateAdmin(m) => (
            "wasm/MsgUpdateAdmin",
            object([("contract", text(&m.contract)), ("new_admin", text(&m.new_admin)), ("sender", text(&m.sender))]),
        ),
        Message::ClearAdmin(m) => {
            ("wasm/MsgClearAdmin", object([("contract", text(&m.contract)), ("sender", text(&m.sender))]))
        }
        Message::SealedInstantiate(m) => (
            "cloister/MsgInstantiate",
            object(
                [
                    ("code_hash", bytes(&m.code_hash)),
                    ("code_id", text(m.code_id)),
                    ("funds", list(&m.funds)),
                    ("input", bytes(&m.input)),
                    ("label", text(&m.label)),
                    ("sender", bytes(&m.sender)),
                ]
                .into_iter()
                .chain(unless_empty("admin", &m.admin)),
            ),
        ),
        Message::SealedExecute(m) => (
            "cloister/MsgExecute",
            object([
                ("code_hash", bytes(&m.code_hash)),
                ("contract", bytes(&m.contract)),
                ("funds", list(&m.funds)),
                ("input", bytes(&m.input)),
                ("sender", bytes(&m.sender)),
            ]),
        ),
        Message::SealedMigrate(m) => (
            "cloister/MsgMigrate",
            object([
                ("code_hash", bytes(&m.code_hash)),
                ("code_id", text(m.code_id)),
                ("contract", bytes(&m.contract)),
                ("input", bytes(&m.input)),
                ("sender", bytes(&m.sender)),
            ]),
        ),
        Message::GrantAllowance(m) => (
            "cosmos-sdk/MsgGrantAllowance",
            object([
                ("allowance", allowance(&Allowance::decode(m.allowance.as_ref()?).ok()?)?),
                ("grantee", text(&m.grantee)),
                ("granter", text(&m.granter)),
            ]),
        ),
        Message::RevokeAllowance(m) => {
            ("cosmos-sdk/MsgRevokeAllowance", object([("grantee", text(&m.grantee)), ("granter", text(&m.granter))]))
        }
    };
    Some(typed(name, value))
}

/// An allowance without times: published clients do not agree with the SDK on how those look.
fn allowance(allowance: &Allowance) -> Option<Json> {
    if allowance.expiration.is_some() || allowance.period.is_some() {
        return None;
    }
    let coin = |amount: u128| Coin { denom: DENOM.into(), amount: amount.to_string() };
    let limit: Vec<Coin> = allowance.limit.into_iter().map(coin).collect();
    let basic = typed("cosmos-sdk/BasicAllowance", object([("spend_limit", list(&limit))]));
    let Some(messages) = &allowance.messages else { return Some(basic) };
    let messages = Json::List(messages.iter().map(text).collect());
    Some(typed("cosmos-sdk/AllowedMsgAllowance", object([("allowance", basic), ("allowed_messages", messages)])))
}

fn typed(name: &str, value: Json) -> Json {
    object([("type", text(name)), ("value", value)])
}

impl Json {
    /// Without white space: what amino signatures cover.
    pub(super) fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// Indented by four spaces: what an EIP-191 wallet shows and signs.
    pub(super) fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    fn write(&self, out: &mut String, depth: Option<usize>) {
        match self {
            Self::Text(text) => quote(text, out),
            Self::List(items) => {
                surround(out, '[', ']', depth, items.iter(), |item, out, depth| item.write(out, depth));
            }
            Self::Object(members) => {
                surround(out, '{', '}', depth, members.iter(), |(key, value), out, depth| {
                    quote(key, out);
                    out.push_str(if depth.is_some() { ": " } else { ":" });
                    value.write(out, depth);
                });
            }
        }
    }
}

fn surround<T>(
    out: &mut String,
    open: char,
    close: char,
    depth: Option<usize>,
    items: impl ExactSizeIterator<Item = T>,
    write: impl Fn(T, &mut String, Option<usize>),
) {
    let empty = items.len() == 0;
    let inner = depth.map(|depth| depth.saturating_add(1));
    let line = |out: &mut String, depth: Option<usize>| {
        if let Some(depth) = depth {
            out.push('\n');
            out.extend(std::iter::repeat_n("    ", depth));
        }
    };
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, inner);
        write(item, out, inner);
    }
    if !empty {
        line(out, depth);
    }
    out.push(close);
}

/// As Go's `encoding/json` quotes it.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '&' | '<' | '>' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ =
                    write!(out, "\\u{}", hex::encode(u16::try_from(u32::from(character)).unwrap_or(0).to_be_bytes()));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn object(members: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    Json::Object(members.into_iter().collect())
}

fn list(coins: &[Coin]) -> Json {
    let coin = |coin: &Coin| object([("amount", text(&coin.amount)), ("denom", text(&coin.denom))]);
    Json::List(coins.iter().map(coin).collect())
}

fn text(value: impl ToString) -> Json {
    Json::Text(value.to_string())
}

fn bytes(value: &[u8]) -> Json {
    Json::Text(STANDARD.encode(value))
}

fn unless_empty(key: &'static str, value: &str) -> Option<(&'static str, Json)> {
    (!value.is_empty()).then(|| (key, text(value)))
}
