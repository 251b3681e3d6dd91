//! A small chain behind a real door: real store, real mempool, real certificates. Only execution is told by the test.

use std::sync::{Arc, Mutex};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Signature, TxKind, keccak256};
use cloister_chain::receipt::{Outcome, Receipt, Status};
use cloister_chain::wire::{Answer, QueryAt};
use cloister_chain::{Account, Address, B256, Bytes, Cell, Certificate, EthTx, Genesis, Leaf, Log, Parent, Tx, U256};
use cloister_consensus::{Admission, Limits, Mempool, Solo, SubmitError};
use cloister_store::Store;
use ed25519_zebra::SigningKey;
use jsonrpsee::core::client::{ClientT as _, Error};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use secp256k1::{Message, SECP256K1, SecretKey};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, watch};

use crate::eth::{ServerHandle, serve};
use crate::{Backend, Unavailable};

pub const CHAIN: u64 = 7_082_400;
pub const BASE: u64 = 5_000_000;

/// A chain with an open Ethereum door.
pub struct World {
    pub node: Arc<Node>,
    pub door: ServerHandle,
    client: HttpClient,
    solo: Solo,
    parent: Mutex<Parent>,
    certificate: Mutex<Option<Certificate>>,
}

/// The node behind the door.
pub struct Node {
    genesis: Genesis,
    pub store: Store,
    pool: Mempool,
    heads: watch::Sender<u64>,
    arrivals: broadcast::Sender<B256>,
    /// What the enclave says.
    pub enclave: Mutex<Enclave>,
    pub behind: Mutex<Option<u64>>,
    /// Happens the next time that the door looks into the mempool, just before it sees anything.
    pub meanwhile: Mutex<Option<Meanwhile>>,
}

type Meanwhile = Box<dyn FnOnce() + Send>;

type Enclave = Box<dyn FnMut(QueryAt) -> Result<Answer, Unavailable> + Send>;

/// What a transaction did, as a test tells it.
#[derive(Clone)]
pub struct Effect {
    pub status: Status,
    pub gas: u64,
    pub logs: Vec<Log>,
    pub contract: Option<Address>,
}

impl Default for Effect {
    fn default() -> Self {
        Self { status: Status::Success, gas: 21_000, logs: Vec::new(), contract: None }
    }
}

impl World {
    /// A chain at height 0 on which users 1 to 9 are rich and one contract has code and a slot.
    pub async fn start() -> Self {
        let genesis = Genesis::for_tests();
        let store = Store::create(None, &genesis).unwrap();
        let code = contract_code();
        let mut writes: Vec<(Leaf, Option<Vec<u8>>)> = (1..10).map(|seed| account(user(seed), 0)).collect();
        let contract = Account { sequence: 1, balance: U256::from(7), code: keccak256(&code) };
        writes.push((Leaf::Account(CONTRACT), Some(borsh::to_vec(&contract).unwrap())));
        writes.push((Leaf::Storage(CONTRACT, B256::with_last_byte(3)), Some(cell(5))));
        let outcome = outcome(&genesis, 0, Vec::new(), writes, vec![(keccak256(&code), code)]);
        store.commit_genesis(&outcome).unwrap();
        let node = Arc::new(Node {
            pool: Mempool::new(&genesis.chain_id, Limits { block_gas: genesis.evm_gas, ..Limits::default() }, 0),
            heads: watch::Sender::new(0),
            arrivals: broadcast::Sender::new(64),
            enclave: Mutex::new(Box::new(|_| Err(Unavailable::Busy))),
            behind: Mutex::new(None),
            meanwhile: Mutex::new(None),
            store,
            genesis,
        });
        let door = serve(node.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let client = HttpClientBuilder::default().build(format!("http://{}", door.address())).unwrap();
        let parent = Parent::genesis(&node.genesis, &outcome);
        let solo = Solo::new(SigningKey::from([7; 32]));
        Self { node, door, client, solo, parent: Mutex::new(parent), certificate: Mutex::new(None) }
    }

    /// Commits a block of `txs`, each of which did what stands beside it.
    pub fn mine(&self, txs: &[(EthTx, Effect)]) -> u64 {
        self.mine_with(txs, Vec::new())
    }

    /// The same, and some leaves change.
    pub fn mine_with(&self, txs: &[(EthTx, Effect)], mut writes: Vec<(Leaf, Option<Vec<u8>>)>) -> u64 {
        let mut parent = self.parent.lock().unwrap();
        let bodies = txs.iter().map(|(tx, _)| Tx::Eth(tx.clone()).to_bytes()).collect();
        // Blocks stand two and a half seconds apart: headers know nanoseconds, Ethereum seconds.
        let (block, certificate) = self.solo.propose(&parent, bodies, parent.header.time + 2_500_000_000);
        let height = block.header.height;
        let receipts = txs.iter().map(|(tx, effect)| receipt(tx, effect)).collect();
        for (tx, _) in txs {
            writes.push(account(tx.sender(), Tx::Eth(tx.clone()).sequence() + 1));
        }
        let outcome = outcome(&self.node.genesis, height, receipts, writes, Vec::new());
        self.node.store.commit(&block, &certificate, &outcome).unwrap();
        let hashes: Vec<B256> = txs.iter().map(|(tx, _)| tx.hash()).collect();
        let reader = self.node.store.reader().unwrap();
        let senders = txs.iter().map(|(tx, _)| (tx.sender(), reader.account(&tx.sender(), height).unwrap().into()));
        self.node.pool.committed(height, &hashes, &senders.collect());
        *parent = parent.then(block.header, certificate.clone(), &outcome);
        *self.certificate.lock().unwrap() = Some(certificate);
        self.node.heads.send_replace(height);
        height
    }

    /// The answer to a request, or code, message and data of the error.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, (i32, String, Option<Value>)> {
        let mut list = ArrayParams::new();
        for param in params.as_array().unwrap() {
            list.insert(param).unwrap();
        }
        self.client.request(method, list).await.map_err(|error| match error {
            Error::Call(error) => {
                let data = error.data().map(|data| serde_json::from_str(data.get()).unwrap());
                (error.code(), error.message().to_string(), data)
            }
            other => panic!("{method}: {other}"),
        })
    }

    /// The answer to a request that must succeed.
    pub async fn get(&self, method: &str, params: Value) -> Value {
        self.ask(method, params).await.unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    /// Code and message of a request that must fail.
    pub async fn refused(&self, method: &str, params: Value) -> (i32, String) {
        let error = self.ask(method, params).await.expect_err(method);
        (error.0, error.1)
    }

    /// Posts `body` as it is: status line and answer.
    pub async fn post(&self, body: &[u8], headers: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.door.address()).await.unwrap();
        let length = body.len();
        let head =
            format!("POST / HTTP/1.1\r\nHost: anything.example\r\nConnection: close\r\nContent-Length: {length}\r\n");
        stream.write_all(format!("{head}{headers}\r\n").as_bytes()).await.unwrap();
        // The door may answer and hang up before it has read everything.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.to_ascii_lowercase(), body.to_string())
    }

    /// Sets what the enclave says.
    pub fn enclave(&self, says: impl FnMut(QueryAt) -> Result<Answer, Unavailable> + Send + 'static) {
        *self.node.enclave.lock().unwrap() = Box::new(says);
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
        let meanwhile = self.meanwhile.lock().unwrap().take();
        meanwhile.into_iter().for_each(|happens| happens());
        &self.pool
    }

    fn submit(&self, tx: Tx) -> Result<B256, SubmitError> {
        let reader = self.store.reader().unwrap();
        let height = reader.tip().unwrap().unwrap();
        let account = reader.account(&tx.sender(), height).unwrap();
        let hash =
            self.pool.add(&tx, &Admission { signers: vec![account.into()], height, base_fee: BASE, granter: None })?;
        let _ = self.arrivals.send(hash);
        Ok(hash)
    }

    fn arrivals(&self) -> broadcast::Receiver<B256> {
        self.arrivals.subscribe()
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
    writes: Vec<(Leaf, Option<Vec<u8>>)>,
    blobs: Vec<(B256, Bytes)>,
) -> Outcome {
    Outcome {
        height,
        results: Receipt::root(&receipts),
        receipts,
        writes,
        blobs,
        state_root: root(height),
        next_base_fee: BASE,
        next_validators: genesis.validators.clone(),
        following_validators: genesis.validators.clone(),
        checkpoint: Vec::new(),
        sealed_roots: None,
    }
}

fn receipt(tx: &EthTx, effect: &Effect) -> Receipt {
    use alloy_consensus::Transaction as _;
    let Effect { status, gas, logs, contract } = effect.clone();
    let gas_price = tx.envelope().effective_gas_price(Some(BASE));
    Receipt { tx: tx.hash(), from: tx.sender(), status, gas_used: gas, gas_price, contract, logs, cosmos: None }
}

/// The state root after the block of a height.
pub fn root(height: u64) -> B256 {
    B256::repeat_byte(0xa0 + u8::try_from(height).unwrap())
}

/// A transfer of one wei by user `seed`, with a tip of 1 gwei at most.
pub fn transfer(seed: u8, nonce: u64) -> EthTx {
    send(seed, call(nonce, Address::repeat_byte(0x77), b""))
}

/// A message to `to`.
pub fn call(nonce: u64, to: Address, input: &'static [u8]) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(to),
        value: U256::from(1),
        input: Bytes::from_static(input),
        ..Default::default()
    }
}

/// `tx`, signed by user `seed`.
pub fn send<T: SignableTransaction<Signature>>(seed: u8, tx: T) -> EthTx
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    EthTx::decode(&sign(seed, tx), CHAIN).unwrap()
}

/// The EIP-2718 bytes of `tx`, signed by user `seed`.
pub fn sign<T: SignableTransaction<Signature>>(seed: u8, tx: T) -> Vec<u8>
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let message = Message::from_digest(tx.signature_hash().0);
    let (id, rs) = SECP256K1.sign_ecdsa_recoverable(message, &key(seed)).serialize_compact();
    let signature = Signature::new(U256::from_be_slice(&rs[..32]), U256::from_be_slice(&rs[32..]), i32::from(id) == 1);
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718()
}

/// Address of user `seed`.
pub fn user(seed: u8) -> Address {
    let key = key(seed).public_key(SECP256K1).serialize_uncompressed();
    Address::from_slice(&keccak256(&key[1..])[12..])
}

/// An event of the contract, with `topics` small numbers.
pub fn event(topics: &[u8], data: &'static [u8]) -> Log {
    let topics = topics.iter().map(|topic| B256::with_last_byte(*topic)).collect();
    Log { address: CONTRACT, topics, data: Bytes::from_static(data) }
}

/// A slot's value.
pub fn cell(word: u64) -> Vec<u8> {
    borsh::to_vec(&Cell { word: U256::from(word), marked: None }).unwrap()
}

/// The contract's code.
pub fn contract_code() -> Bytes {
    Bytes::from_static(&[0x60, 0x01, 0x60, 0x00, 0xf3])
}

fn account(address: Address, sequence: u64) -> (Leaf, Option<Vec<u8>>) {
    let account = Account { sequence, balance: U256::from(10u128.pow(21)), ..Account::default() };
    (Leaf::Account(address), Some(borsh::to_vec(&account).unwrap()))
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_byte_array([seed; 32]).unwrap()
}

/// The one contract.
pub const CONTRACT: Address = Address::repeat_byte(0xcc);
