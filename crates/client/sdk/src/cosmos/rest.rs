//! Requests to the REST door, and the JSON of its answers (Cosmos SDK, gRPC gateway: 64-bit numbers are strings).

use core::fmt::Display;
use core::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{B256, hex};
use cloister_chain::receipt::{CosmosResult, Event};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use tokio::task::spawn_blocking;
use ureq::{Agent, Body, http};

use crate::{DoorError, Error, Rejection};

/// Requests over connections that are kept. Plain HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    agent: Agent,
    url: Arc<str>,
}

impl Rest {
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        if host.is_none_or(str::is_empty) {
            return Err(Error::Url(url.into()));
        }
        // A door says what is wrong in the body of its answer. A proxy of the environment is not meant for a node.
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).timeout_global(Some(PATIENCE));
        Ok(Self { agent: config.build().into(), url: url.trim_end_matches('/').into() })
    }

    pub(crate) async fn get<T>(&self, path: &str, query: &[(&'static str, String)]) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let (agent, url, query) = (self.agent.clone(), format!("{}{path}", self.url), query.to_vec());
        blocking(move || agent.get(url).query_pairs(query).call()).await
    }

    pub(super) async fn post<T>(&self, path: &str, body: &impl Serialize) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let body = serde_json::to_vec(body).map_err(Error::Json)?;
        let (agent, url) = (self.agent.clone(), format!("{}{path}", self.url));
        blocking(move || agent.post(url).content_type("application/json").send(&body)).await
    }
}

/// Runs one request where waiting holds nobody up, and reads its answer.
async fn blocking<T, F>(request: F) -> Result<T, Error>
where
    T: DeserializeOwned + Send + 'static,
    F: FnOnce() -> Result<http::Response<Body>, ureq::Error> + Send + 'static,
{
    let broken = |error| Error::Http(Box::new(error));
    let answered = move || {
        let mut response = request().map_err(broken)?;
        let body = response.body_mut().with_config().limit(BODY_BYTES).read_to_vec().map_err(broken)?;
        read(response.status().as_u16(), &body)
    };
    spawn_blocking(answered).await.expect("a request neither panics nor is cancelled")
}

fn read<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, Error> {
    if (200..300).contains(&status) {
        return serde_json::from_slice(body).map_err(Error::Answer);
    }
    // Whatever stands before a node may speak another dialect.
    let refused = serde_json::from_slice(body)
        .unwrap_or_else(|_| Refused { code: 2, message: String::from_utf8_lossy(body).chars().take(200).collect() });
    Err(DoorError { status, code: refused.code, message: refused.message }.into())
}

/// A transaction that stands in a block and succeeded, as the node tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Included {
    /// Its hash.
    pub hash: B256,
    /// The block.
    pub height: u64,
    /// Gas used, in the SDK's units.
    pub gas_used: u64,
    /// What everybody is told.
    pub events: Vec<Event>,
    /// One response for each message.
    pub responses: Vec<Any>,
}

impl Included {
    /// The first value of a public attribute that a message gave an event of this kind. Those of the fee do not count.
    pub fn attribute(&self, kind: &str, key: &str) -> Option<&str> {
        let of_message = |event: &&Event| event.attributes.iter().any(|(name, _)| name == "msg_index");
        let events = self.events.iter().filter(|event| event.kind == kind).filter(of_message);
        let mut pairs = events.flat_map(|event| &event.attributes);
        pairs.find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The response to the `index`th message, if it is one of this type.
    pub(super) fn response<T: prost::Message + Default>(&self, index: usize, type_url: &str) -> Result<T, Error> {
        let response = self.responses.get(index).filter(|response| response.type_url == type_url);
        response.and_then(|any| T::decode(any.value.as_slice()).ok()).ok_or(Error::Result(self.hash))
    }
}

/// A transaction that stands in a block, however it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The block.
    pub height: u64,
    /// Gas used, in the SDK's units.
    pub gas_used: u64,
    /// What it did, or why it failed.
    pub result: Result<Included, Rejection>,
}

impl Placed {
    /// What a receipt says of the transaction `hash` in the block of a height.
    pub(super) fn of(hash: B256, height: u64, gas_used: u64, told: &CosmosResult) -> Result<Self, Error> {
        if told.code != 0 {
            let (codespace, log) = (told.codespace.clone(), told.log.clone());
            return Ok(Self { height, gas_used, result: Err(Rejection { codespace, code: told.code, log }) });
        }
        let data = TxMsgData::decode(told.data.as_ref()).map_err(|_| Error::Result(hash))?;
        let responses = data.msg_responses;
        let tx = Included { hash, height, gas_used, events: told.events.clone(), responses };
        Ok(Self { height, gas_used, result: Ok(tx) })
    }
}

#[derive(Deserialize)]
struct Refused {
    code: i64,
    message: String,
}

#[derive(Deserialize)]
pub(super) struct TxEnvelope {
    pub(super) tx_response: TxResponse,
}

#[derive(Deserialize)]
pub(super) struct TxResponse {
    #[serde(deserialize_with = "number")]
    height: u64,
    codespace: String,
    pub(super) code: u32,
    data: String,
    raw_log: String,
    #[serde(deserialize_with = "number")]
    gas_used: u64,
    events: Vec<TxEvent>,
}

#[derive(Deserialize)]
struct TxEvent {
    #[serde(rename = "type")]
    kind: String,
    attributes: Vec<TxAttribute>,
}

#[derive(Deserialize)]
struct TxAttribute {
    key: String,
    value: String,
}

impl TxResponse {
    pub(super) fn rejection(self) -> Rejection {
        Rejection { codespace: self.codespace, code: self.code, log: self.raw_log }
    }

    /// What became of the transaction `hash`.
    pub(super) fn placed(self, hash: B256) -> Result<Placed, Error> {
        let (height, gas_used) = (self.height, self.gas_used);
        if self.code != 0 {
            return Ok(Placed { height, gas_used, result: Err(self.rejection()) });
        }
        let data = hex::decode(&self.data).ok().and_then(|data| TxMsgData::decode(data.as_slice()).ok());
        let responses = data.ok_or(Error::Result(hash))?.msg_responses;
        let pair = |attribute: TxAttribute| (attribute.key, attribute.value);
        let event =
            |event: TxEvent| Event { kind: event.kind, attributes: event.attributes.into_iter().map(pair).collect() };
        let events = self.events.into_iter().map(event).collect();
        Ok(Placed { height, gas_used, result: Ok(Included { hash, height, gas_used, events, responses }) })
    }
}

/// A number that travels as a string, or as one.
pub(crate) fn number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        other => other.to_string(),
    };
    text.parse().map_err(D::Error::custom)
}

/// Longest answer: a transaction with the largest code is told twice, in base64.
const BODY_BYTES: u64 = 32 << 20;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(60);
