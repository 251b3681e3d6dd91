//! JSON-RPC over one kept-alive connection, with bodies that were written beforehand: a client that shares two cores with
//! the node must not cost much.

use std::time::Duration;

use cloister_sdk::{B256, Bytes, U256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;

use crate::Failure;

/// One connection.
pub(crate) struct Rpc {
    agent: Agent,
    url: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    id: u64,
    result: Option<T>,
    error: Option<Value>,
}

/// What of a receipt is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    pub(crate) transaction_hash: B256,
    pub(crate) status: U256,
    pub(crate) gas_used: U256,
    pub(crate) contract_address: Option<cloister_sdk::Address>,
}

impl Rpc {
    pub(crate) fn new(url: &str) -> Self {
        let agent = Agent::config_builder().timeout_global(Some(Duration::from_secs(300))).build().into();
        Self { agent, url: url.into() }
    }

    /// One request.
    pub(crate) fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, Failure> {
        self.maybe(method, params)?.ok_or_else(|| format!("{method}: no result").into())
    }

    /// One request whose result may be null.
    pub(crate) fn maybe<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<Option<T>, Failure> {
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params }).to_string();
        let answer: Answer<T> = serde_json::from_slice(&self.post(body.as_bytes())?)?;
        if let Some(error) = answer.error {
            return Err(format!("{method}: {error}").into());
        }
        Ok(answer.result)
    }

    /// The same request with many parameters; results in order.
    pub(crate) fn ask_all<T: DeserializeOwned>(&self, method: &str, params: &[Value]) -> Result<Vec<T>, Failure> {
        let call = |(id, params)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut results = Vec::with_capacity(params.len());
        for chunk in params.chunks(500) {
            let calls: Vec<Value> = chunk.iter().enumerate().map(call).collect();
            results.extend(self.batch(Value::from(calls).to_string().as_bytes())?);
        }
        Ok(results)
    }

    /// A batch that was written beforehand; every answer has to be a result.
    pub(crate) fn batch<T: DeserializeOwned>(&self, body: &[u8]) -> Result<Vec<T>, Failure> {
        let mut answers: Vec<Answer<T>> = serde_json::from_slice(&self.post(body)?)?;
        answers.sort_by_key(|answer| answer.id);
        let result = |answer: Answer<T>| match (answer.result, answer.error) {
            (Some(result), None) => Ok(result),
            (_, error) => Err(Failure::from(format!("request {}: {}", answer.id, error.unwrap_or_default()))),
        };
        answers.into_iter().map(result).collect()
    }

    /// Sends a transaction and waits for its receipt, which has to be a success.
    pub(crate) fn confirm(&self, raw: &Bytes) -> Result<Receipt, Failure> {
        let hash: B256 = self.ask("eth_sendRawTransaction", json!([raw]))?;
        loop {
            if let Some(receipt) = self.maybe::<Receipt>("eth_getTransactionReceipt", json!([hash]))? {
                return if receipt.status.is_zero() { Err(format!("{hash} failed").into()) } else { Ok(receipt) };
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn post(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let request = self.agent.post(&self.url).header("content-type", "application/json");
        let mut response = request.send(body)?;
        Ok(response.body_mut().with_config().limit(1 << 30).read_to_vec()?)
    }
}

/// The body of a batch of `eth_sendRawTransaction`.
pub(crate) fn send_batch(raws: &[Bytes]) -> Vec<u8> {
    let call = |(id, raw)| json!({ "jsonrpc": "2.0", "id": id, "method": "eth_sendRawTransaction", "params": [raw] });
    Value::from(raws.iter().enumerate().map(call).collect::<Vec<_>>()).to_string().into_bytes()
}
