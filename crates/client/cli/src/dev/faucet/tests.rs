#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;

use cloister_api::Unavailable;
use cloister_chain::cosmos::Message;
use cloister_chain::receipt::{Outcome, Receipt};
use cloister_chain::wire::{Answer, QueryAt};
use cloister_chain::{Account, Genesis};
use cloister_consensus::{Admission, Limits, Mempool, Standing};
use cloister_store::Store;
use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio::task::spawn_blocking;

use super::*;
use crate::dev::accounts::LOCAL_SECRET;

const COINS: u128 = 1_000_000_000_000_000_000;
const FIRST: u64 = 3;

/// A node that makes no blocks: a real store, a real pool.
struct Node {
    genesis: Genesis,
    store: Store,
    mempool: Mempool,
}

fn a() -> Wallet {
    Wallet::family(LOCAL_SECRET[0].1, cloister_sdk::SECRET, [0]).unwrap().remove(0)
}

fn account() -> (Auth, Account) {
    (Auth { number: 7, key: None }, Account { sequence: FIRST, ..Account::default() })
}

impl Node {
    fn new(funded: bool) -> Arc<Self> {
        let genesis = Genesis::for_tests();
        let store = Store::create(None, &genesis).unwrap();
        let (auth, account) = account();
        let bytes = |leaf, value: Vec<u8>| (leaf, Some(value));
        let writes = vec![
            bytes(Leaf::Account(a().cosmos_address()), borsh::to_vec(&account).unwrap()),
            bytes(Leaf::Coins(a().cosmos_address()), borsh::to_vec(&COINS).unwrap()),
            bytes(Leaf::Auth(a().cosmos_address()), borsh::to_vec(&auth).unwrap()),
        ];
        let outcome = Outcome {
            height: 0,
            receipts: Vec::new(),
            writes: if funded { writes } else { Vec::new() },
            blobs: Vec::new(),
            state_root: B256::ZERO,
            results: Receipt::root(&[]),
            next_base_fee: genesis.base_fee,
            next_validators: genesis.validators.clone(),
            following_validators: genesis.validators.clone(),
            checkpoint: Vec::new(),
            sealed_roots: None,
        };
        store.commit_genesis(&outcome).unwrap();
        let mempool = Mempool::new(&genesis.chain_id, Limits::default(), 0);
        Arc::new(Self { genesis, store, mempool })
    }

    /// A transfer of the faucet's account that the faucet knows nothing of.
    fn another(&self, sequence: u64) -> B256 {
        let place = Place { chain_id: &self.genesis.chain_id, number: 7, sequence };
        let terms = Terms { gas: GAS, fee: FEE, memo: String::new() };
        let (raw, _) = a().sign_cosmos(&place, vec![bank_send(a().cosmos_address(), Address::ZERO, 1)], &terms);
        self.submit(Tx::Cosmos(Box::new(CosmosTx::decode(&raw).unwrap()))).unwrap()
    }

    fn waiting(&self, hash: &Value) -> CosmosTx {
        match self.mempool.get(&hash.as_str().unwrap().parse().unwrap()) {
            Some(Tx::Cosmos(tx)) => *tx,
            other => panic!("{other:?}"),
        }
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
        watch::Sender::new(0).subscribe()
    }

    fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    fn submit(&self, tx: Tx) -> Result<B256, SubmitError> {
        let (auth, account) = account();
        let standing = Standing { account, coins: COINS, auth: Some(auth) };
        self.mempool.add(&tx, &Admission { signers: vec![standing], height: 0, base_fee: 0, granter: None })
    }

    fn arrivals(&self) -> broadcast::Receiver<B256> {
        broadcast::Sender::new(1).subscribe()
    }

    async fn query(&self, _: QueryAt) -> Result<Answer, Unavailable> {
        Err(Unavailable::Stopping)
    }

    fn peers(&self) -> usize {
        0
    }

    fn syncing(&self) -> Option<u64> {
        None
    }
}

/// An open faucet, and how it answers.
struct Open(ServerHandle);

impl Open {
    async fn at(node: &Arc<Node>) -> Self {
        Self(serve(Arc::clone(node), a(), "127.0.0.1:0".parse().unwrap()).await.unwrap())
    }

    async fn ask(&self, path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.0.address());
        let request = move || {
            let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
            let mut response = ureq::Agent::from(config.build()).get(url).call().unwrap();
            let body = response.body_mut().read_to_vec().unwrap();
            (response.status().as_u16(), serde_json::from_slice(&body).unwrap())
        };
        spawn_blocking(request).await.unwrap()
    }

    async fn give(&self) -> (u16, Value) {
        self.ask("/faucet?address=secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne").await
    }
}

#[tokio::test]
async fn it_says_who_gives_how_much() {
    let faucet = Open::at(&Node::new(true)).await;
    for path in ["/", "/status"] {
        let expected = json!({
            "faucet_address": "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03",
            "amount": "1000000000",
        });
        assert_eq!(faucet.ask(path).await, (200, expected));
    }
}

#[tokio::test]
async fn who_asks_gets_it() {
    let node = Node::new(true);
    let (status, answer) = Open::at(&node).await.give().await;
    assert_eq!(status, 200, "{answer}");
    let hash = answer["txhash"].as_str().unwrap();
    assert!(hash.len() == 64 && !hash.contains(|c: char| c.is_ascii_lowercase()), "{hash}");
    let tx = node.waiting(&answer["txhash"]);
    let [Message::Send(send)] = tx.messages() else { panic!("{tx:?}") };
    assert_eq!(send.to_address, "secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne");
    assert_eq!((send.amount[0].denom.as_str(), send.amount[0].amount.as_str()), ("uscrt", "1000000000"));
}

#[tokio::test]
async fn many_who_ask_at_once_all_get_it() {
    let node = Node::new(true);
    let faucet = Arc::new(Open::at(&node).await);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let faucet = Arc::clone(&faucet);
                async move { faucet.give().await }
            })
        })
        .collect();
    let mut sequences = BTreeSet::new();
    for asked in asking {
        let (status, answer) = asked.await.unwrap();
        assert_eq!(status, 200, "{answer}");
        sequences.insert(node.waiting(&answer["txhash"]).sequence(0));
    }
    assert_eq!(sequences, (FIRST..FIRST + 20).collect());
}

#[tokio::test]
async fn it_goes_on_where_others_used_its_account_or_its_own_were_lost() {
    let node = Node::new(true);
    let faucet = Open::at(&node).await;
    let mut hashes = vec![node.another(FIRST), node.another(FIRST + 1)];
    for sequence in [FIRST + 2, FIRST + 3] {
        let (_, answer) = faucet.give().await;
        assert_eq!(node.waiting(&answer["txhash"]).sequence(0), sequence, "{answer}");
        hashes.push(answer["txhash"].as_str().unwrap().parse().unwrap());
    }
    // As when an enclave refused them in a block: gone, and no sequence used.
    node.mempool.committed(0, &hashes, &BTreeMap::new());
    let (_, answer) = faucet.give().await;
    assert_eq!(node.waiting(&answer["txhash"]).sequence(0), FIRST, "{answer}");
}

#[tokio::test]
async fn who_asks_wrongly_is_told_so_and_nothing_is_sent() {
    let node = Node::new(true);
    let faucet = Open::at(&node).await;
    for path in ["/faucet", "/faucet?", "/faucet?address=", "/faucet?to=secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne"]
    {
        assert_eq!(faucet.ask(path).await, (400, json!({ "error": "address is required" })), "{path}");
    }
    for address in
        ["0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh", "%00"]
    {
        let (status, answer) = faucet.ask(&format!("/faucet?address={address}")).await;
        assert!(status == 400 && answer["error"].as_str().unwrap().contains("invalid address"), "{answer}");
    }
    assert_eq!(faucet.ask("/elsewhere").await.0, 404);
    assert_eq!(node.mempool.status().cosmos, 0);
}

#[tokio::test]
async fn a_chain_that_began_without_the_account_has_no_faucet() {
    let (status, answer) = Open::at(&Node::new(false)).await.give().await;
    let error = "the faucet's account secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03 has nothing on this chain";
    assert_eq!((status, answer), (500, json!({ "error": error })));
}
