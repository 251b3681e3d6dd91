//! The Cosmos door over one kept-alive connection.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_sdk::cosmos::{Place, Terms};
use cloister_sdk::{B256, Wallet};
use secret_sdk_proto::Any;
use serde_json::{Value, json};
use ureq::Agent;

use crate::Failure;

/// What unmodified configurations of a local chain expect.
pub(crate) const CHAIN_ID: &str = "secretdev-1";

/// One connection.
pub(crate) struct Rest {
    agent: Agent,
    url: String,
}

/// An account of the Cosmos door, and how many transactions it has sent.
pub(crate) struct Signer {
    pub(crate) wallet: Wallet,
    pub(crate) number: u64,
    pub(crate) sequence: u64,
}

impl Rest {
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(300)));
        Self { agent: config.build().into(), url: url.trim_end_matches('/').into() }
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        let mut response = self.agent.get(format!("{}{path}", self.url)).call()?;
        Ok(serde_json::from_slice(&response.body_mut().with_config().limit(BODY_BYTES).read_to_vec()?)?)
    }

    /// Posts a body that was written beforehand; the door has to take the transaction.
    pub(crate) fn broadcast(&self, body: &[u8]) -> Result<(), Failure> {
        let url = format!("{}/cosmos/tx/v1beta1/txs", self.url);
        let mut response = self.agent.post(url).content_type("application/json").send(body)?;
        let answer: Value = serde_json::from_slice(&response.body_mut().read_to_vec()?)?;
        if answer["tx_response"]["code"] != 0 {
            return Err(format!("the door refuses a transaction: {answer}").into());
        }
        Ok(())
    }

    /// The result of a transaction, once it stands in a block; it has to be a success.
    pub(crate) fn confirm(&self, hash: B256) -> Result<Value, Failure> {
        let path = format!("/cosmos/tx/v1beta1/txs/{}", format!("{hash:x}").to_uppercase());
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.get(&path)?;
            match answer.get("tx_response") {
                Some(result) if result["code"] == 0 => return Ok(result.clone()),
                Some(result) => return Err(format!("{hash} failed: {}", result["raw_log"]).into()),
                None if Instant::now() > patience => return Err(format!("{hash} is in no block: {answer}").into()),
                None => thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Number and sequence of an account.
    pub(crate) fn account(&self, address: &str) -> Result<(u64, u64), Failure> {
        let account = &self.get(&format!("/cosmos/auth/v1beta1/accounts/{address}"))?["account"];
        let number = |name: &str| account[name].as_str().and_then(|text| text.parse().ok());
        number("account_number").zip(number("sequence")).ok_or_else(|| format!("no account {address}").into())
    }
}

impl Signer {
    /// The next transaction of this account: the body that posts it, and its hash.
    pub(crate) fn sign(&mut self, message: Any, gas: u64) -> (Vec<u8>, B256) {
        let place = Place { chain_id: CHAIN_ID, number: self.number, sequence: self.sequence };
        self.sequence += 1;
        let terms = Terms { gas, ..Terms::default() };
        let (raw, hash) = self.wallet.sign_cosmos(&place, vec![message], &terms);
        let body = json!({ "tx_bytes": STANDARD.encode(&raw), "mode": "BROADCAST_MODE_SYNC" });
        (body.to_string().into_bytes(), hash)
    }
}

const BODY_BYTES: u64 = 64 << 20;
