//! A small chain behind a real door: real store, real mempool, real certificates. Only execution is told by the test.

use std::sync::{Arc, Mutex};

use alloy_primitives::{hex, keccak256};
use borsh::BorshSerialize;
use cloister_chain::cosmos::{Message, bech32, from_bech32};
use cloister_chain::leaf::{Auth, ChainState};
use cloister_chain::receipt::{CosmosResult, Event, Outcome, Receipt, Status};
use cloister_chain::wire::{Answer, QueryAt};
use cloister_chain::{Account, Address, B256, Bytes, Certificate, CosmosTx, Genesis, Leaf, Parent, Tx};
use cloister_consensus::{Admission, Granter, Limits, Mempool, Solo, Standing, SubmitError};
use cloister_store::Store;
use ed25519_zebra::SigningKey;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignerInfo, TxBody, TxRaw};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, watch};

use crate::cosmos::{ServerHandle, serve};
use crate::{Backend, Unavailable};

/// A chain with an open Cosmos door.
pub struct World {
    pub node: Arc<Node>,
    pub door: ServerHandle,
    solo: Solo,
    parent: Mutex<Parent>,
    pub certificate: Mutex<Option<Certificate>>,
}

/// The node behind the door.
pub struct Node {
    genesis: Genesis,
    pub store: Store,
    pub pool: Mempool,
    heads: watch::Sender<u64>,
    /// What the enclave says.
    pub enclave: Mutex<Enclave>,
    /// What the mempool says, if not the real one is to.
    pub refuses: Mutex<Option<SubmitError>>,
    pub behind: Mutex<Option<u64>>,
}

type Enclave = Box<dyn FnMut(QueryAt) -> Result<Answer, Unavailable> + Send>;
pub type Writes = Vec<(Leaf, Option<Vec<u8>>)>;

/// An answer: status, headers in lower case, JSON.
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

impl World {
    /// A chain at height 0 on which the vectors' account exists as number 7 and has sent three transactions.
    pub async fn start() -> Self {
        let genesis = Genesis {
            chain_id: "secretdev-1".into(),
            accounts: vec![cloister_chain::genesis::GenesisAccount {
                address: user(),
                coins: COINS,
                ..Default::default()
            }],
            ..Genesis::for_tests()
        };
        let store = Store::create(None, &genesis).unwrap();
        let writes = vec![
            leaf(Leaf::Chain, &ChainState { base_fee: 1, accounts: 8, codes: 0, instances: 0, supply: COINS }),
            leaf(Leaf::Account(user()), &Account { sequence: 3, ..Account::default() }),
            leaf(Leaf::Coins(user()), &COINS),
            leaf(Leaf::Auth(user()), &Auth { number: 7, key: None }),
        ];
        let outcome = outcome(&genesis, 0, Vec::new(), writes, Vec::new());
        store.commit_genesis(&outcome).unwrap();
        let node = Arc::new(Node {
            pool: Mempool::new(&genesis.chain_id, Limits::default(), 0),
            heads: watch::Sender::new(0),
            enclave: Mutex::new(Box::new(|_| Err(Unavailable::Busy))),
            refuses: Mutex::new(None),
            behind: Mutex::new(None),
            store,
            genesis,
        });
        let door = serve(node.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let parent = Parent::genesis(&node.genesis, &outcome);
        let solo = Solo::new(SigningKey::from([7; 32]));
        Self { node, door, solo, parent: Mutex::new(parent), certificate: Mutex::new(None) }
    }

    /// Commits a block of `txs`, each of which did what stands beside it.
    pub fn mine(&self, txs: &[(Tx, Receipt)]) -> u64 {
        self.mine_with(txs, Vec::new(), Vec::new())
    }

    /// The same, and some leaves change and some blobs are new.
    pub fn mine_with(&self, txs: &[(Tx, Receipt)], writes: Writes, blobs: Vec<Bytes>) -> u64 {
        let mut parent = self.parent.lock().unwrap();
        let bodies = txs.iter().map(|(tx, _)| tx.to_bytes()).collect();
        let (block, certificate) = self.solo.propose(&parent, bodies, parent.header.time + 1_250_000_007);
        let height = block.header.height;
        let receipts = txs.iter().map(|(_, receipt)| receipt.clone()).collect();
        let blobs = blobs.into_iter().map(|blob| (keccak256(&blob), blob)).collect();
        let outcome = outcome(&self.node.genesis, height, receipts, writes, blobs);
        self.node.store.commit(&block, &certificate, &outcome).unwrap();
        *parent = parent.then(block.header, certificate.clone(), &outcome);
        *self.certificate.lock().unwrap() = Some(certificate);
        self.node.heads.send_replace(height);
        height
    }

    /// Asks, with `headers` each ending with a line break.
    pub async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Got {
        let mut stream = TcpStream::connect(self.door.address()).await.unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: anything.example\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The door may answer and hang up before it has read everything.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        Got { status, head: head.to_ascii_lowercase(), body }
    }

    /// The answer to a GET that must succeed; as secretjs asks, with a question mark at the end.
    pub async fn get(&self, path: &str) -> Value {
        self.get_at(path, "").await
    }

    /// The same, with headers.
    pub async fn get_at(&self, path: &str, headers: &str) -> Value {
        let path = if path.contains('?') { path.to_owned() } else { format!("{path}?") };
        let got = self.ask("GET", &path, headers, b"").await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        assert!(got.head.contains("content-type: application/json"), "{}", got.head);
        got.body
    }

    /// Status, code and message of a GET that must fail.
    pub async fn refused(&self, path: &str) -> (u16, u64, String) {
        self.ask("GET", path, "", b"").await.error()
    }

    /// The answer to a POST as secretjs sends it.
    pub async fn post(&self, path: &str, body: &Value) -> Got {
        let text = "Content-Type: text/plain;charset=UTF-8\r\n";
        self.ask("POST", path, text, body.to_string().as_bytes()).await
    }

    /// Sets what the enclave says.
    pub fn enclave(&self, says: impl FnMut(QueryAt) -> Result<Answer, Unavailable> + Send + 'static) {
        *self.node.enclave.lock().unwrap() = Box::new(says);
    }
}

impl Got {
    /// Status, code and message of an error of the gateway's shape.
    pub fn error(&self) -> (u16, u64, String) {
        let body = &self.body;
        assert_eq!(body["details"], serde_json::json!([]), "{} {body}", self.status);
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        (self.status, body["code"].as_u64().unwrap(), body["message"].as_str().unwrap().to_owned())
    }
}

impl Backend for Node {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.heads.subscribe()
    }

    fn mempool(&self) -> &Mempool {
        &self.pool
    }

    fn submit(&self, tx: Tx) -> Result<B256, SubmitError> {
        if let Some(refusal) = self.refuses.lock().unwrap().take() {
            return Err(refusal);
        }
        let Tx::Cosmos(cosmos) = &tx else { panic!("the Cosmos door sends Cosmos transactions") };
        let reader = self.store.reader().unwrap();
        let height = reader.tip().unwrap().unwrap();
        let standing = |signer: &Address| Standing {
            account: reader.account(signer, height).unwrap(),
            coins: reader.leaf(&Leaf::Coins(*signer), height).unwrap().map_or(0, |b| borsh::from_slice(&b).unwrap()),
            auth: reader.leaf(&Leaf::Auth(*signer), height).unwrap().map(|b| borsh::from_slice(&b).unwrap()),
        };
        let signers: Vec<Standing> = cosmos.signers().iter().map(standing).collect();
        let granter = cosmos.granter().map(|granter| {
            let leaf = Leaf::Allowance(cosmos.signers()[0], granter);
            let allowance = reader.leaf(&leaf, height).unwrap().map(|b| borsh::from_slice(&b).unwrap());
            let time = reader.header(height).unwrap().unwrap().time;
            Granter { coins: standing(&granter).coins, allowance, time }
        });
        self.pool.add(&tx, &Admission { signers, height, base_fee: 1, granter })
    }

    fn arrivals(&self) -> broadcast::Receiver<B256> {
        broadcast::Sender::new(1).subscribe()
    }

    async fn query(&self, question: QueryAt) -> Result<Answer, Unavailable> {
        (self.enclave.lock().unwrap())(question)
    }

    fn peers(&self) -> usize {
        3
    }

    fn syncing(&self) -> Option<u64> {
        *self.behind.lock().unwrap()
    }
}

fn outcome(
    genesis: &Genesis,
    height: u64,
    receipts: Vec<Receipt>,
    writes: Writes,
    blobs: Vec<(B256, Bytes)>,
) -> Outcome {
    Outcome {
        height,
        results: Receipt::root(&receipts),
        receipts,
        writes,
        blobs,
        state_root: B256::repeat_byte(0xa0),
        next_base_fee: 1,
        next_validators: genesis.validators.clone(),
        following_validators: genesis.validators.clone(),
        checkpoint: Vec::new(),
        sealed_roots: None,
    }
}

/// A leaf and its value.
pub fn leaf(leaf: Leaf, value: &impl BorshSerialize) -> (Leaf, Option<Vec<u8>>) {
    (leaf, Some(borsh::to_vec(value).unwrap()))
}

/// The published SDK's vectors.
pub fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../../shared/chain/tests/vectors/cosmos.json")).unwrap()
}

/// A vector's transaction as it travels.
pub fn vector(name: &str) -> Vec<u8> {
    hex::decode(vectors()[name]["tx_raw"].as_str().unwrap()).unwrap()
}

/// The vectors' account: secretjs's first of LocalSecret.
pub fn user() -> Address {
    from_bech32(USER).unwrap()
}

/// A transaction that succeeded with `events` after two thirds of its gas.
pub fn done(tx: &Tx, events: Vec<Event>) -> Receipt {
    let Tx::Cosmos(cosmos) = tx else { panic!("a Cosmos transaction") };
    let result = CosmosResult { gas_wanted: cosmos.gas(), events, ..CosmosResult::default() };
    receipt(tx, Status::Success, result)
}

/// A transaction that ended as `result` says.
pub fn receipt(tx: &Tx, status: Status, result: CosmosResult) -> Receipt {
    Receipt {
        tx: tx.hash(),
        from: tx.sender(),
        status,
        gas_used: 66_601,
        gas_price: 0,
        contract: None,
        logs: Vec::new(),
        cosmos: Some(result),
    }
}

/// An Ethereum transaction with its receipt: something that this door does not show.
pub fn ethereum(nonce: u64) -> (Tx, Receipt) {
    let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let tx = alloy_consensus::TxLegacy { nonce, to: to.into(), ..Default::default() };
    let key = secp256k1::SecretKey::from_byte_array([1; 32]).unwrap();
    let tx = {
        use alloy_consensus::SignableTransaction as _;
        use alloy_eips::eip2718::Encodable2718 as _;
        let digest = secp256k1::Message::from_digest(tx.signature_hash().0);
        let (id, rs) = secp256k1::SECP256K1.sign_ecdsa_recoverable(digest, &key).serialize_compact();
        let signature = alloy_primitives::Signature::from_bytes_and_parity(&rs, i32::from(id) == 1);
        let bytes = alloy_consensus::TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
        Tx::Eth(cloister_chain::EthTx::decode(&bytes, 1).unwrap())
    };
    let receipt = Receipt {
        tx: tx.hash(),
        from,
        status: Status::Success,
        gas_used: 21_000,
        gas_price: 1,
        contract: None,
        logs: Vec::new(),
        cosmos: None,
    };
    (tx, receipt)
}

/// The vectors' user sends `amount` to someone. Nobody has signed it.
pub fn transfer(amount: u64) -> Tx {
    let coin = |amount: u64| vec![Coin { denom: "uscrt".into(), amount: amount.to_string() }];
    let send =
        MsgSend { from_address: USER.into(), to_address: bech32(&Address::repeat_byte(9)), amount: coin(amount) };
    let message = Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: send.encode_to_vec() };
    unsigned(vec![message])
}

/// A transaction of these messages with one signer and no signature worth the name.
pub fn unsigned(messages: Vec<Any>) -> Tx {
    let single = ModeInfo { sum: Some(Sum::Single(Single { mode: 1 })) };
    let signer = SignerInfo { public_key: None, mode_info: Some(single), sequence: 3 };
    let fee = Fee {
        amount: vec![Coin { denom: "uscrt".into(), amount: "2500".into() }],
        gas_limit: 25_000,
        ..Default::default()
    };
    let auth = AuthInfo { signer_infos: vec![signer], fee: Some(fee), ..Default::default() };
    let body = TxBody { messages, ..Default::default() };
    let raw = TxRaw {
        body_bytes: body.encode_to_vec(),
        auth_info_bytes: auth.encode_to_vec(),
        signatures: vec![vec![0; 64]],
    };
    cosmos(&raw.encode_to_vec())
}

/// A transaction, decoded.
pub fn cosmos(bytes: &[u8]) -> Tx {
    Tx::Cosmos(Box::new(CosmosTx::decode(bytes).unwrap()))
}

/// The bytes that a Cosmos client knows it by.
pub fn raw(tx: &Tx) -> &[u8] {
    let Tx::Cosmos(tx) = tx else { panic!("a Cosmos transaction") };
    tx.bytes()
}

/// The events of a message, as the ledger gives them.
pub fn events(tx: &Tx, more: &[(&str, &str, &str)]) -> Vec<Event> {
    let Tx::Cosmos(cosmos) = tx else { panic!("a Cosmos transaction") };
    let action = |message: &Message| {
        let sender = message.signers().first().map(bech32).unwrap_or_default();
        event("message", &[("action", message.type_url()), ("sender", &sender), ("msg_index", "0")])
    };
    let more = more.iter().map(|(kind, key, value)| event(kind, &[(key, value)]));
    cosmos.messages().iter().map(action).chain(more).collect()
}

/// An event.
pub fn event(kind: &str, attributes: &[(&str, &str)]) -> Event {
    let attributes = attributes.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Event { kind: kind.into(), attributes }
}

/// As clients write a hash.
pub fn upper(hash: B256) -> String {
    hex::encode_upper(hash)
}

pub const USER: &str = "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03";
/// What the user holds at height 0.
pub const COINS: u128 = 1_000_000_000_000_000_000;
