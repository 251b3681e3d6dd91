//! Contracts in blocks: the prober does what it is told, and the chain is watched.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{bech32, from_bech32};
use cloister_chain::wire::{ContractQuery, Form};
use cloister_chain::{CosmosResult, Event, leaf};
use cloister_envelope::message::{plain::Plaintext, siv};
use cloister_envelope::{ExchangeKey, Secret};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgExecuteContract, MsgExecuteContractResponse, MsgInstantiateContract, MsgInstantiateContractResponse,
    MsgStoreCode, MsgStoreCodeResponse,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::cosmos::{RICH, account, signed, start};
use super::*;

mod asked;
mod authorized;
mod basics;
#[cfg(debug_assertions)]
mod blind;
mod calls;
mod epochs;
mod hostile;
mod money;
mod own_form;
mod private;

macro_rules! artifact {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../contracts/cosmwasm/artifacts/", $name, ".wasm"))
    };
}

pub(super) const PROBER: &[u8] = artifact!("prober");
pub(super) const COUNTER: &[u8] = artifact!("counter");

/// A chain and the user who speaks secret.js's form to it.
struct Story {
    chain: Chain,
    client: ExchangeKey,
    sequence: u64,
    nonce: u8,
}

/// A contract and the code that it runs.
#[derive(Clone)]
struct Made {
    address: Address,
    code_id: u64,
    code_hash: B256,
}

/// What a transaction came to, opened by its sender.
struct Seen {
    status: Status,
    result: CosmosResult,
    gas_used: u64,
    session: Option<siv::Session>,
}

impl Story {
    fn new() -> Self {
        let client = ExchangeKey::from_secret(Secret::from_bytes([3; 32]));
        Self { chain: start(), client, sequence: 0, nonce: 0 }
    }

    /// One transaction of user 1, alone in its block.
    fn send(&mut self, messages: Vec<Any>) -> Seen {
        self.send_with_gas(messages, 10_000_000)
    }

    fn send_with_gas(&mut self, messages: Vec<Any>, gas: u64) -> Seen {
        let tx = signed(1, self.sequence, (gas, 0, 0), messages);
        self.sequence += 1;
        let receipt = self.chain.run(vec![tx])[0].clone();
        let result = receipt.cosmos.expect("a Cosmos result");
        Seen { status: receipt.status, result, gas_used: receipt.gas_used, session: None }
    }

    fn store(&mut self, code: &[u8]) -> (u64, B256) {
        let value = MsgStoreCode { sender: account(1).to_vec(), wasm_byte_code: code.to_vec(), ..Default::default() };
        let stored = self.send_with_gas(vec![any("MsgStoreCode", &value)], 50_000_000);
        assert_eq!(stored.result.log, "");
        let MsgStoreCodeResponse { code_id } = stored.response(0);
        (code_id, B256::from_slice(&Sha256::digest(code)))
    }

    fn session(&mut self) -> siv::Session {
        self.nonce = self.nonce.wrapping_add(1);
        let Answer::NetworkKeys(keys) = self.chain.ask(Query::NetworkKeys) else { panic!("the network's keys") };
        siv::Session::of_client(&self.client, &keys.io, [self.nonce; 32]).expect("a session")
    }

    fn make(&mut self, (code_id, code_hash): (u64, B256), label: &str, message: &Value) -> Made {
        let (made, seen) = self.try_make((code_id, code_hash), label, message);
        assert_eq!(seen.error(), "");
        made.expect("made")
    }

    fn try_make(&mut self, (code_id, code_hash): (u64, B256), label: &str, message: &Value) -> (Option<Made>, Seen) {
        let session = self.session();
        let value = MsgInstantiateContract {
            sender: account(1).to_vec(),
            code_id,
            label: label.into(),
            init_msg: sealed(&session, code_hash, message),
            admin: bech32(&account(1)),
            ..Default::default()
        };
        let mut seen = self.send(vec![any("MsgInstantiateContract", &value)]);
        seen.session = Some(session);
        let made = (seen.status == Status::Success).then(|| {
            let response: MsgInstantiateContractResponse = seen.response(0);
            Made { address: from_bech32(&response.address).expect("an address"), code_id, code_hash }
        });
        (made, seen)
    }

    fn prober(&mut self) -> Made {
        let code = self.store(PROBER);
        self.make(code, "prober", &json!({}))
    }

    /// Another contract of the prober's code.
    fn another(&mut self, prober: &Made, label: &str) -> Made {
        self.make((prober.code_id, prober.code_hash), label, &json!({}))
    }

    /// Lets `contract` send messages: how they are to be replied to, and what they are.
    fn sub(&mut self, contract: &Made, messages: &[(&str, Value)]) -> Seen {
        let sub =
            |(id, (reply_on, msg)): (usize, &(&str, Value))| json!({ "id": id, "reply_on": reply_on, "msg": msg });
        let msgs: Vec<Value> = messages.iter().enumerate().map(sub).collect();
        self.execute(contract, &json!({ "sub": { "msgs": msgs } }))
    }

    fn read(&mut self, contract: &Made, key: &str) -> Value {
        self.query(contract, &json!({ "read": { "key": key } })).expect("an answer")["value"].clone()
    }

    fn execute(&mut self, contract: &Made, message: &Value) -> Seen {
        self.execute_with(contract, message, 0)
    }

    fn execute_with(&mut self, contract: &Made, message: &Value, funds: u128) -> Seen {
        let session = self.session();
        let message = execution(1, contract.address, sealed(&session, contract.code_hash, message), funds);
        let mut seen = self.send(vec![message]);
        seen.session = Some(session);
        seen
    }

    fn query(&mut self, contract: &Made, message: &Value) -> Result<Value, String> {
        let session = self.session();
        let message = sealed(&session, contract.code_hash, message).into();
        let query = ContractQuery { contract: contract.address, form: Form::Siv, message };
        match self.chain.ask(Query::Contract(query)) {
            Answer::Contract { sealed, .. } => {
                let text = session.open(&sealed).expect("sealed for the asker");
                Ok(serde_json::from_slice(&STANDARD.decode(&*text).expect("base64")).expect("JSON"))
            }
            Answer::Rejected(rejection) => match rejection.log.strip_prefix("encrypted: ") {
                Some(text) => {
                    let opened = session.open(&STANDARD.decode(text).expect("base64")).expect("sealed for the asker");
                    Err(String::from_utf8(opened.to_vec()).expect("text"))
                }
                None => Err(rejection.log),
            },
            other => panic!("{other:?}"),
        }
    }

    fn info(&self, contract: &Made) -> leaf::Contract {
        let bytes = self.chain.host.leaves.get(&Leaf::Contract(contract.address)).expect("a contract");
        borsh::from_slice(bytes).expect("a contract's bytes")
    }
}

impl Made {
    /// A call of it, as the prober is told to send it.
    fn call(&self, message: &Value) -> Value {
        let msg = STANDARD.encode(message.to_string());
        json!({ "execute": { "contract": bech32(&self.address), "code_hash": hex::encode(self.code_hash), "msg": msg, "funds": [] } })
    }
}

impl Seen {
    fn response<T: prost::Message + Default>(&self, index: usize) -> T {
        let data = TxMsgData::decode(self.result.data.as_ref()).expect("responses");
        T::decode(data.msg_responses[index].value.as_slice()).expect("a response")
    }

    /// The data of the first message, an execution.
    fn data(&self) -> Vec<u8> {
        let MsgExecuteContractResponse { data } = self.response(0);
        let text = self.session.as_ref().expect("a session").open(&data).expect("sealed for the sender");
        STANDARD.decode(&*text).expect("base64")
    }

    /// The log, with the contract's part opened.
    fn error(&self) -> String {
        let log = &self.result.log;
        let Some((before, rest)) = log.split_once("encrypted: ") else { return log.clone() };
        let (sealed, after) = rest.split_once(": ").expect("who failed");
        let sealed = STANDARD.decode(sealed).expect("base64");
        let opened = self.session.as_ref().expect("a session").open(&sealed).expect("sealed for the sender");
        format!("{before}{}: {after}", String::from_utf8_lossy(&opened))
    }

    /// Kinds of the events after the ante part's.
    fn kinds(&self) -> Vec<&str> {
        self.messages().iter().map(|event| event.kind.as_str()).collect()
    }

    fn messages(&self) -> Vec<&Event> {
        let of_message = |event: &&Event| event.attributes.iter().any(|(key, _)| key == "msg_index");
        self.result.events.iter().filter(of_message).collect()
    }

    /// Attributes of the first event of a kind.
    fn event(&self, kind: &str) -> Vec<(String, String)> {
        let found = self.messages().into_iter().find(|event| event.kind == kind);
        found.map(|event| event.attributes.clone()).unwrap_or_default()
    }
}

pub(super) fn any(name: &str, value: &impl prost::Message) -> Any {
    Any { type_url: format!("/secret.compute.v1beta1.{name}"), value: value.encode_to_vec() }
}

fn sealed(session: &siv::Session, code_hash: B256, message: &Value) -> Vec<u8> {
    let message = message.to_string();
    session.seal_message(&Plaintext::of_user(code_hash, message.as_bytes()).to_bytes()).expect("short")
}

pub(super) fn execution(from: u8, contract: Address, msg: Vec<u8>, funds: u128) -> Any {
    let coin = Coin { denom: "uscrt".into(), amount: funds.to_string() };
    let sent_funds = if funds > 0 { vec![coin] } else { Vec::new() };
    let (sender, contract) = (account(from).to_vec(), contract.to_vec());
    any("MsgExecuteContract", &MsgExecuteContract { sender, contract, msg, sent_funds, ..Default::default() })
}
