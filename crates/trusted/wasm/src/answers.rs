//! The JSON of the chain's answers to contracts, and of replies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json as value};

use crate::call::json;
use crate::{Coin, QueryAnswer};

/// What became of a message that a contract sent, for its `reply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyResult {
    /// It succeeded.
    Ok {
        /// The events that the contract may read: kind, and keys with values.
        events: Vec<(String, Vec<(String, String)>)>,
        /// What it returned.
        data: Option<Vec<u8>>,
    },
    /// It failed with this text.
    Error(String),
}

/// The message of [`crate::Entry::Reply`]: `{"id":7,"result":{"ok":{"events":[…],"data":…}}}` or
/// `{"id":7,"result":{"error":"…"}}`.
pub fn reply_message(id: u64, result: &ReplyResult) -> Vec<u8> {
    let result = match result {
        ReplyResult::Ok { events, data } => Outcome::Ok {
            events: events.iter().map(ReplyEvent::new).collect(),
            data: data.as_ref().map(|data| STANDARD.encode(data)),
        },
        ReplyResult::Error(text) => Outcome::Error(text),
    };
    json(&Reply { id, result })
}

/// The answer to [`crate::QueryRequest::Balance`].
pub fn balance(amount: &Coin) -> Vec<u8> {
    json(&Amount { amount })
}

/// The answer to [`crate::QueryRequest::AllBalances`].
pub fn all_balances(amount: &[Coin]) -> Vec<u8> {
    json(&Amount { amount })
}

/// The answer to [`crate::QueryRequest::BondedDenom`].
pub fn bonded_denom(denom: &str) -> Vec<u8> {
    json(&value!({ "denom": denom }))
}

/// The answer to [`crate::QueryRequest::ContractInfo`]; `creator` and `admin` in Bech32.
pub fn contract_info(code_id: u64, creator: &str, admin: Option<&str>) -> Vec<u8> {
    json(&ContractInfo { code_id, creator, admin, pinned: false })
}

/// An error in the words of the older line: `{"generic_err":{"msg":"…"}}`.
pub fn generic_error(text: &str) -> String {
    value!({ "generic_err": { "msg": text } }).to_string()
}

impl QueryAnswer {
    /// `{"Ok":{"Ok":"<base64>"}}`, `{"Ok":{"Err":…}}` or `{"Err":{…}}`.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let answer = match self {
            Self::Ok(bytes) => value!({ "Ok": { "Ok": STANDARD.encode(bytes) } }),
            Self::ContractError(text) => {
                let object = serde_json::from_str(text).ok().filter(Value::is_object);
                value!({ "Ok": { "Err": object.unwrap_or_else(|| text.as_str().into()) } })
            }
            Self::NoSuchContract(contract) => value!({ "Err": { "no_such_contract": { "addr": contract } } }),
            Self::Unsupported(kind) => value!({ "Err": { "unsupported_request": { "kind": kind } } }),
            Self::InvalidRequest { error, request } => {
                value!({ "Err": { "invalid_request": { "error": error, "request": STANDARD.encode(request) } } })
            }
            Self::InvalidResponse { error, response } => {
                value!({ "Err": { "invalid_response": { "error": error, "response": STANDARD.encode(response) } } })
            }
            Self::TooDeep => value!({ "Err": { "exceeded_recursion_limit": {} } }),
            Self::Unknown => value!({ "Err": { "unknown": {} } }),
        };
        json(&answer)
    }
}

#[derive(Serialize)]
struct Reply<'a> {
    id: u64,
    result: Outcome<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome<'a> {
    Ok { events: Vec<ReplyEvent<'a>>, data: Option<String> },
    Error(&'a str),
}

#[derive(Serialize)]
struct ReplyEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    attributes: Vec<ReplyAttribute<'a>>,
}

#[derive(Serialize)]
struct ReplyAttribute<'a> {
    key: &'a str,
    value: &'a str,
}

impl<'a> ReplyEvent<'a> {
    fn new((kind, attributes): &'a (String, Vec<(String, String)>)) -> Self {
        Self { kind, attributes: attributes.iter().map(|(key, value)| ReplyAttribute { key, value }).collect() }
    }
}

#[derive(Serialize)]
struct Amount<T> {
    amount: T,
}

#[derive(Serialize)]
struct ContractInfo<'a> {
    code_id: u64,
    creator: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<&'a str>,
    pinned: bool,
}
