//! What contracts return, from its JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Attribute, ContractError, Event, Message, ReplyOn, Response, Returned, SubMessage};
use crate::{Coin, Version};

/// Reads what any entry point but `query` returns.
pub(crate) fn response(version: Version, json: &[u8]) -> Result<Returned, serde_json::Error> {
    let parsed = match version {
        Version::V1 => serde_json::from_slice::<Outcome<ResponseV1>>(json)?.map(Response::from),
        Version::V010 => serde_json::from_slice::<Outcome<ResponseV010>>(json)?.map(Response::from),
    };
    Ok(match parsed {
        Outcome::Ok(response) => Returned::Response(response),
        Outcome::Err(error) => Returned::Error(ContractError::new(error)),
    })
}

/// Reads what `query` returns.
pub(crate) fn answer(json: &[u8]) -> Result<Returned, serde_json::Error> {
    Ok(match serde_json::from_slice::<QueryOutcome>(json)? {
        QueryOutcome::Ok(Binary(bytes)) => Returned::Answer(bytes),
        QueryOutcome::Err(error) => Returned::Error(ContractError::new(error)),
    })
}

impl ContractError {
    fn new(mut error: Value) -> Self {
        // The map of this crate's JSON is sorted unless somebody in the build asks for another one.
        error.sort_all_objects();
        // Secret Network takes every quote from both ends, not only the pair that encloses a text; clients expect it.
        Self { text: error.to_string().trim_matches('"').to_owned() }
    }
}

#[derive(Deserialize)]
enum Outcome<T> {
    Ok(T),
    Err(Value),
}

impl<T> Outcome<T> {
    fn map<U>(self, convert: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Ok(value) => Outcome::Ok(convert(value)),
            Self::Err(error) => Outcome::Err(error),
        }
    }
}

/// Contracts of CosmWasm's own standard library write the names of a query's outcomes small.
#[derive(Deserialize)]
enum QueryOutcome {
    #[serde(alias = "ok")]
    Ok(Binary),
    #[serde(alias = "error")]
    Err(Value),
}

#[derive(Deserialize)]
struct ResponseV1 {
    #[serde(default)]
    messages: Vec<SubMessageV1>,
    #[serde(default)]
    attributes: Vec<AttributeJson>,
    #[serde(default)]
    events: Vec<EventJson>,
    data: Option<Binary>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseV010 {
    messages: Vec<MessageJson>,
    log: Vec<AttributeJson>,
    data: Option<Binary>,
}

#[derive(Deserialize)]
struct SubMessageV1 {
    id: u64,
    msg: MessageJson,
    gas_limit: Option<u64>,
    reply_on: ReplyOn,
}

#[derive(Deserialize)]
struct AttributeJson {
    key: String,
    value: String,
    #[serde(default = "encrypted")]
    encrypted: bool,
}

const fn encrypted() -> bool {
    true
}

#[derive(Deserialize)]
struct EventJson {
    #[serde(rename = "type")]
    kind: String,
    attributes: Vec<AttributeJson>,
}

/// `CosmosMsg` of both lines: what they have in common differs in the names of members only.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum MessageJson {
    Bank(Bank),
    Wasm(Wasm),
    Stargate { type_url: String, value: Binary },
    FinalizeTx(IgnoredAny),
    Staking(IgnoredAny),
    Distribution(IgnoredAny),
    Gov(IgnoredAny),
    Ibc(IgnoredAny),
    Custom(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bank {
    Send { from_address: Option<String>, to_address: String, amount: Vec<Coin> },
    Burn { amount: Vec<Coin> },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wasm {
    Execute {
        contract_addr: String,
        #[serde(alias = "callback_code_hash")]
        code_hash: String,
        msg: Binary,
        #[serde(alias = "funds")]
        send: Vec<Coin>,
    },
    Instantiate {
        admin: Option<String>,
        code_id: u64,
        #[serde(alias = "callback_code_hash")]
        code_hash: String,
        msg: Binary,
        #[serde(alias = "funds")]
        send: Vec<Coin>,
        label: String,
    },
    Migrate {
        contract_addr: String,
        #[serde(alias = "callback_code_hash")]
        code_hash: String,
        code_id: u64,
        msg: Binary,
    },
    UpdateAdmin {
        contract_addr: String,
        admin: String,
    },
    ClearAdmin {
        contract_addr: String,
    },
}

impl From<ResponseV1> for Response {
    fn from(json: ResponseV1) -> Self {
        Self {
            messages: json.messages.into_iter().map(SubMessage::from).collect(),
            attributes: json.attributes.into_iter().map(Attribute::from).collect(),
            events: json.events.into_iter().map(Event::from).collect(),
            data: json.data.map(|data| data.0),
        }
    }
}

impl From<ResponseV010> for Response {
    fn from(json: ResponseV010) -> Self {
        let silent = |message| SubMessage { id: 0, message, gas_limit: None, reply_on: ReplyOn::Never };
        Self {
            messages: json.messages.into_iter().map(|message| silent(message.into())).collect(),
            attributes: json.log.into_iter().map(Attribute::from).collect(),
            events: Vec::new(),
            data: json.data.map(|data| data.0),
        }
    }
}

impl From<SubMessageV1> for SubMessage {
    fn from(SubMessageV1 { id, msg, gas_limit, reply_on }: SubMessageV1) -> Self {
        Self { id, message: msg.into(), gas_limit, reply_on }
    }
}

impl From<AttributeJson> for Attribute {
    fn from(AttributeJson { key, value, encrypted }: AttributeJson) -> Self {
        Self { key, value, encrypted }
    }
}

impl From<EventJson> for Event {
    fn from(EventJson { kind, attributes }: EventJson) -> Self {
        Self { kind, attributes: attributes.into_iter().map(Attribute::from).collect() }
    }
}

impl From<MessageJson> for Message {
    fn from(json: MessageJson) -> Self {
        match json {
            MessageJson::Bank(Bank::Send { from_address: from, to_address: to, amount }) => {
                Self::Send { from, to, amount }
            }
            MessageJson::Bank(Bank::Burn { amount }) => Self::Burn { amount },
            MessageJson::Wasm(message) => message.into(),
            MessageJson::Stargate { type_url, value } => Self::Stargate { type_url, value: value.0 },
            MessageJson::FinalizeTx(_) => Self::FinalizeTx,
            MessageJson::Staking(_) => Self::Unsupported("staking"),
            MessageJson::Distribution(_) => Self::Unsupported("distribution"),
            MessageJson::Gov(_) => Self::Unsupported("gov"),
            MessageJson::Ibc(_) => Self::Unsupported("ibc"),
            MessageJson::Custom(_) => Self::Unsupported("custom"),
        }
    }
}

impl From<Wasm> for Message {
    fn from(json: Wasm) -> Self {
        match json {
            Wasm::Execute { contract_addr: contract, code_hash, msg, send: funds } => {
                Self::Execute { contract, code_hash, message: msg.0, funds }
            }
            Wasm::Instantiate { admin, code_id, code_hash, msg, send: funds, label } => {
                Self::Instantiate { admin, code_id, code_hash, message: msg.0, funds, label }
            }
            Wasm::Migrate { contract_addr: contract, code_hash, code_id, msg } => {
                Self::Migrate { contract, code_hash, code_id, message: msg.0 }
            }
            Wasm::UpdateAdmin { contract_addr: contract, admin } => Self::UpdateAdmin { contract, admin },
            Wasm::ClearAdmin { contract_addr: contract } => Self::ClearAdmin { contract },
        }
    }
}

/// Bytes, in JSON base64 with padding.
pub(crate) struct Binary(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}
