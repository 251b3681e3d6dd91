//! A door with an enclave behind it, in few words: it checks signatures and sequences, opens what is sealed to its key, and
//! runs one contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use alloy_primitives::{Address, B256, hex};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::sealed::{
    MsgExecuteResponse, MsgInstantiateResponse, MsgMigrateResponse, Output, PrivateAttribute,
};
use cloister_chain::cosmos::{CosmosTx, Message as Request, PublicKey, SignerData, bech32, sealed};
use cloister_envelope::message::gcm::permit::{self, Asked, Term};
use cloister_envelope::message::gcm::{self, OutputPlace};
use cloister_envelope::message::{CallContext, Coin, Entry, QueryContext};
use cloister_envelope::{ExchangeKey, Secret};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use secret_sdk_proto::secret::compute::v1beta1::MsgStoreCodeResponse;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(super) const CHAIN: &str = "example-1";
pub(super) const CONTRACT: Address = Address::repeat_byte(0xcc);
const NUMBER: u64 = 7;

/// How this door lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lie {
    #[default]
    None,
    /// A failed call is told as a success.
    Success,
    /// A new contract is told to be another one.
    Contract,
    /// Results are those of another transaction.
    Elsewhere,
    /// The key of messages is one of its own.
    Key,
    /// The account's sequence is an old one.
    Sequence,
    /// No sequence is ever right.
    NoSequence,
    /// Nothing but words of something that stands before it.
    Gateway,
    /// No question is answered any more.
    Spent,
}

#[derive(Default)]
pub(super) struct Seen {
    pub(super) lie: Lie,
    pub(super) height: u64,
    pub(super) sequence: u64,
    /// Everything that was handed over.
    pub(super) transactions: Vec<Vec<u8>>,
    pub(super) questions: Vec<Vec<u8>>,
    pub(super) keys_asked: u32,
    results: BTreeMap<String, Value>,
    polled: BTreeSet<String>,
    sums: u64,
}

pub(super) struct Door {
    network: ExchangeKey,
    code: B256,
    seen: Mutex<Seen>,
}

type Reply = (StatusCode, String);

impl Door {
    /// Opens a door whose only contract runs `code`.
    pub(super) async fn open(code: B256) -> (Arc<Self>, String) {
        let network = ExchangeKey::from_secret(Secret::from_bytes([9; 32]));
        let door = Arc::new(Self { network, code, seen: Mutex::default() });
        let router = Router::new()
            .route("/cosmos/auth/v1beta1/accounts/{address}", get(account))
            .route("/cosmos/bank/v1beta1/balances/{address}/by_denom", get(balance))
            .route("/cosmos/tx/v1beta1/txs", post(broadcast))
            .route("/cosmos/tx/v1beta1/txs/{hash}", get(transaction))
            .route("/cosmos/base/tendermint/v1beta1/blocks/{height}", get(block))
            .route("/cloister/compute/v1/keys", get(keys))
            .route("/cloister/compute/v1/query/{contract}", post(question))
            .route("/cloister/compute/v1/estimate", post(estimate))
            .route("/cosmos/base/node/v1beta1/status", get(status))
            .route("/compute/v1beta1/code_hash/by_contract_address/{contract}", get(code_hash))
            .with_state(Arc::clone(&door));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(router.clone());
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        (door, url)
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub(super) fn lie(&self, lie: Lie) {
        self.seen().lie = lie;
    }

    pub(super) fn public(&self) -> [u8; 32] {
        self.network.public()
    }

    fn term(&self, seen: &Seen) -> Term {
        Term { tip: seen.height, most: 1_000 }
    }

    /// Runs one transaction: responses and events, or the log of its failure.
    fn run(&self, seen: &mut Seen, tx: &CosmosTx) -> Result<(Any, Value), String> {
        let [message] = tx.messages() else { return Err("one message at a time".into()) };
        let call = |sender: &[u8], entry, code_hash: &[u8], funds: &[_], input: &[u8], seen: &mut Seen| {
            let amounts: Vec<Coin<'_>> = funds
                .iter()
                .map(|coin: &secret_sdk_proto::cosmos::base::v1beta1::Coin| Coin {
                    denom: &coin.denom,
                    amount: coin.amount.parse().unwrap(),
                })
                .collect();
            let (sender, code_hash) = (Address::from_slice(sender), B256::from_slice(code_hash));
            let context = CallContext { chain_id: CHAIN, sender, entry, code_hash, funds: &amounts };
            let (keys, input) = gcm::open_call(&self.network, &context, input)
                .map_err(|_| "Execution error: Enclave: failed to decrypt data: execute contract failed".to_owned())?;
            let mut output = contract(seen, &serde_json::from_slice(&input).unwrap(), funds.len());
            if entry == Entry::Instantiate && output.error.is_empty() {
                output.contract = bech32(&CONTRACT);
            }
            let transaction = if seen.lie == Lie::Elsewhere { B256::ZERO } else { tx.hash() };
            let place = OutputPlace { transaction, message: 0, output: 0 };
            let sealed = keys.seal_output(&place, &output.encode_to_vec()).unwrap();
            if output.error.is_empty() || seen.lie == Lie::Success {
                return Ok(sealed);
            }
            Err(format!("dispatch: submessages: encrypted: {}: execute contract failed", STANDARD.encode(sealed)))
        };
        let (url, value) = match message {
            Request::SealedInstantiate(m) => {
                let output = call(&m.sender, Entry::Instantiate, &m.code_hash, &m.funds, &m.input, seen)?;
                let address = if seen.lie == Lie::Contract { Address::ZERO } else { CONTRACT };
                let response = MsgInstantiateResponse { address: bech32(&address), output };
                ("/cloister.compute.v1.MsgInstantiateResponse", response.encode_to_vec())
            }
            Request::SealedExecute(m) => {
                let entry = Entry::Execute(Address::from_slice(&m.contract));
                let output = call(&m.sender, entry, &m.code_hash, &m.funds, &m.input, seen)?;
                ("/cloister.compute.v1.MsgExecuteResponse", MsgExecuteResponse { output }.encode_to_vec())
            }
            Request::SealedMigrate(m) => {
                let entry = Entry::Migrate(Address::from_slice(&m.contract));
                let output = call(&m.sender, entry, &m.code_hash, &[], &m.input, seen)?;
                ("/cloister.compute.v1.MsgMigrateResponse", MsgMigrateResponse { output }.encode_to_vec())
            }
            Request::StoreCode(_) => {
                let response = MsgStoreCodeResponse { code_id: 3 };
                ("/secret.compute.v1beta1.MsgStoreCodeResponse", response.encode_to_vec())
            }
            Request::Send(send) if send.amount[0].amount == "13" => {
                return Err("spendable balance 1uscrt is smaller than 13uscrt: insufficient funds".into());
            }
            _ => ("/cosmos.bank.v1beta1.MsgSendResponse", Vec::new()),
        };
        let attribute = |key, value| json!({ "key": key, "value": value, "index": true });
        let events = json!([
            { "type": "message", "attributes": [attribute("action", "of the fee")] },
            { "type": "message", "attributes": [attribute("action", message.type_url()), attribute("msg_index", "0")] },
        ]);
        Ok((Any { type_url: url.into(), value }, events))
    }
}

/// The one contract: it adds, and fails when it is told to.
fn contract(seen: &mut Seen, message: &Value, coins: usize) -> Output {
    if let Some(text) = message["fail"].as_str() {
        return Output { error: text.into(), ..Output::default() };
    }
    seen.sums += message["add"].as_u64().unwrap_or(0);
    let attribute = |key: &str, value: String| PrivateAttribute { contract: bech32(&CONTRACT), key: key.into(), value };
    Output {
        data: json!({ "sum": seen.sums }).to_string().into_bytes(),
        attributes: vec![attribute("sum", seen.sums.to_string()), attribute("coins", coins.to_string())],
        ..Output::default()
    }
}

async fn account(State(door): State<Arc<Door>>, Path(address): Path<String>) -> Reply {
    let seen = door.seen();
    if seen.lie == Lie::Gateway {
        return (StatusCode::BAD_GATEWAY, "<html>nobody is there</html>".into());
    }
    let sequence = if seen.lie == Lie::Sequence { 0 } else { seen.sequence };
    let account = json!({
        "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": address, "pub_key": null,
        "account_number": NUMBER.to_string(), "sequence": sequence.to_string(),
    });
    ok(&json!({ "account": account }))
}

async fn balance(State(_): State<Arc<Door>>, Query(query): Query<BTreeMap<String, String>>) -> Reply {
    ok(&json!({ "balance": { "denom": query["denom"], "amount": "340282366920938463463374607431768211455" } }))
}

async fn broadcast(State(door): State<Arc<Door>>, body: String) -> Reply {
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["mode"], "BROADCAST_MODE_SYNC");
    let bytes = STANDARD.decode(body["tx_bytes"].as_str().unwrap()).unwrap();
    let tx = CosmosTx::decode(&bytes).unwrap();
    let mut seen = door.seen();
    let moving = u64::try_from(seen.transactions.len()).unwrap() + 1_000;
    let sequence = if seen.lie == Lie::NoSequence { moving } else { seen.sequence };
    let told = match tx.verify(CHAIN, &[SignerData { number: NUMBER, sequence, key: None }]) {
        Err(error) => response(0, error.code(), "sdk", &error.to_string(), "", &json!([])),
        Ok(()) => {
            seen.sequence += 1;
            seen.height += 1;
            let height = seen.height;
            let placed = match door.run(&mut seen, &tx) {
                Ok((any, events)) => {
                    let data = TxMsgData { msg_responses: vec![any], ..TxMsgData::default() }.encode_to_vec();
                    response(height, 0, "", "", &hex::encode_upper(data), &events)
                }
                Err(log) => {
                    let log = format!("failed to execute message; message index: 0: {log}");
                    response(height, 3, "compute", &log, "", &json!([]))
                }
            };
            seen.results.insert(hex::encode_upper(tx.hash()), placed);
            response(0, 0, "", "", "", &json!([]))
        }
    };
    seen.transactions.push(bytes);
    ok(&told)
}

async fn transaction(State(door): State<Arc<Door>>, Path(hash): Path<String>) -> Reply {
    let mut seen = door.seen();
    // The first look comes too early.
    if seen.polled.insert(hash.clone()) {
        return refused(StatusCode::NOT_FOUND, 5, &format!("tx not found: {hash}"));
    }
    ok(&seen.results[&hash])
}

async fn keys(State(door): State<Arc<Door>>) -> Reply {
    let mut seen = door.seen();
    seen.keys_asked += 1;
    let own = ExchangeKey::from_secret(Secret::from_bytes([66; 32])).public();
    let key = if seen.lie == Lie::Key { own } else { door.public() };
    ok(&json!({ "input_key": STANDARD.encode(key), "epoch": "4", "height": seen.height.to_string() }))
}

async fn status(State(door): State<Arc<Door>>) -> Reply {
    ok(&json!({ "earliest_store_height": "0", "height": door.seen().height.to_string(), "timestamp": "" }))
}

/// Every call that would not fail is told to cost the same.
async fn estimate(State(door): State<Arc<Door>>, body: String) -> Reply {
    let body: Value = serde_json::from_str(&body).unwrap();
    let any = Any::decode(STANDARD.decode(body["message"].as_str().unwrap()).unwrap().as_slice()).unwrap();
    let Ok(Request::SealedExecute(m)) = Request::decode(&any) else { panic!("{any:?}") };
    let (sender, entry) = (Address::from_slice(&m.sender), Entry::Execute(Address::from_slice(&m.contract)));
    let context = CallContext { chain_id: CHAIN, sender, entry, code_hash: B256::from_slice(&m.code_hash), funds: &[] };
    let mut seen = door.seen();
    if seen.lie == Lie::Spent {
        return refused(StatusCode::TOO_MANY_REQUESTS, 8, "no more questions");
    }
    let (keys, asked) = permit::open_estimate(&door.network, &context, &m.input, door.term(&seen)).unwrap();
    assert_eq!(PublicKey::Single(asked.reader).address(), sender);
    seen.questions.push(m.input);
    let fails = serde_json::from_slice::<Value>(&asked.text).unwrap()["fail"].is_string();
    let estimate = sealed::Estimate { gas: if fails { 0 } else { 75_000 }, height: seen.height };
    ok(&json!({ "data": STANDARD.encode(keys.seal_answer(&estimate.encode_to_vec()).unwrap()) }))
}

/// One transaction in each block.
async fn block(State(door): State<Arc<Door>>, Path(height): Path<usize>) -> Reply {
    let txs = [STANDARD.encode(&door.seen().transactions[height - 1])];
    ok(&json!({ "block_id": {}, "block": { "header": {}, "data": { "txs": txs } } }))
}

async fn question(State(door): State<Arc<Door>>, Path(address): Path<String>, body: String) -> Reply {
    assert_eq!(address, bech32(&CONTRACT));
    let body: Value = serde_json::from_str(&body).unwrap();
    let mut seen = door.seen();
    let sealed = STANDARD.decode(body["query"].as_str().unwrap()).unwrap();
    let context = QueryContext { chain_id: CHAIN, contract: CONTRACT, code_hash: door.code };
    let opened = permit::open_query(&door.network, &context, &sealed, door.term(&seen));
    seen.questions.push(sealed);
    let Ok((keys, Asked { text: question, .. })) = opened else {
        let message =
            "codespace compute code 4: query contract failed: Execution error: Enclave: failed to decrypt data";
        return refused(StatusCode::INTERNAL_SERVER_ERROR, 2, message);
    };
    let seal = |output: Output| STANDARD.encode(keys.seal_answer(&output.encode_to_vec()).unwrap());
    let height = seen.height;
    let question: Value = serde_json::from_slice(&question).unwrap();
    match question["fail"].as_str() {
        None => {
            let data = json!({ "sum": seen.sums }).to_string().into_bytes();
            ok(&json!({ "data": seal(Output { data, height, ..Output::default() }) }))
        }
        Some(text) => {
            let text = seal(Output { error: text.into(), height, ..Output::default() });
            let message = format!("codespace compute code 4: query contract failed: encrypted: {text}");
            refused(StatusCode::INTERNAL_SERVER_ERROR, 2, &message)
        }
    }
}

async fn code_hash(State(door): State<Arc<Door>>) -> Reply {
    ok(&json!({ "code_hash": hex::encode(door.code) }))
}

fn response(height: u64, code: u32, codespace: &str, log: &str, data: &str, events: &Value) -> Value {
    json!({ "tx_response": {
        "height": height.to_string(), "txhash": "", "codespace": codespace, "code": code, "data": data, "raw_log": log,
        "logs": [], "info": "", "gas_wanted": "200000", "gas_used": "66601", "tx": null, "timestamp": "", "events": events,
    } })
}

fn ok(value: &Value) -> Reply {
    (StatusCode::OK, value.to_string())
}

fn refused(status: StatusCode, code: u32, message: &str) -> Reply {
    (status, json!({ "code": code, "message": message, "details": [] }).to_string())
}
