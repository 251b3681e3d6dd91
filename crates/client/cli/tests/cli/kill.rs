//! `kill -9` at any moment: of the node, and of the enclave alone. Nothing that was confirmed is lost.
//!
//! `CLOISTER_KILLS` says how often (5 when it is not set).

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::Dev;
use cloister_sdk::{
    Account, Address, Block, BlockNumberOrTag, Client, Error, HARDHAT_MNEMONIC, Receipt, U256, Wallet, rpc_params,
};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

/// What a client was told, and may rely on for ever.
#[derive(Default)]
struct Promises {
    confirmed: Vec<Receipt>,
    blocks: Vec<Block>,
    received: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_comes_back_with_everything_it_confirmed() {
    let home = tempfile::tempdir().unwrap();
    let receiver = Wallet::random().address();
    let mut promises = Promises::default();
    for round in 0..kills() {
        let dev = Dev::start(Some(home.path()));
        promises.check(&dev, receiver).await;
        // Killed while transactions are under way, each time after another while.
        let client = Client::connect(dev.url()).await.unwrap();
        let sender = tokio::spawn(send(client, receiver));
        tokio::time::sleep(Duration::from_millis(50 + 37 * (round % 7))).await;
        promises.remember(&dev, receiver).await;
        dev.kill();
        let confirmed = sender.await.unwrap();
        promises.received += confirmed.len() as u64;
        promises.confirmed.extend(confirmed);
    }
    assert!(!promises.confirmed.is_empty(), "the rounds are too short to confirm anything");
    promises.check(&Dev::start(Some(home.path())), receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_enclave_is_started_again_and_the_chain_goes_on() {
    let home = tempfile::tempdir().unwrap();
    for directory in [None, Some(home.path())] {
        survive(directory).await;
    }
}

async fn survive(directory: Option<&Path>) {
    let dev = Dev::start(directory);
    let client = Client::connect(dev.url()).await.unwrap();
    let receiver = Wallet::random().address();
    let enough = Arc::new(AtomicBool::new(false));
    let sender = tokio::spawn(send_until(Arc::clone(&enough), client.clone(), receiver));
    let mut enclave = dev.enclave().unwrap();
    for round in 0..kills() {
        tokio::time::sleep(Duration::from_millis(20 + 13 * (round % 7))).await;
        kill_process(enclave, Signal::KILL).unwrap();
        enclave = dev.enclave_after(enclave);
    }
    enough.store(true, Ordering::Relaxed);
    let confirmed = sender.await.unwrap();
    assert!(confirmed > kills(), "only {confirmed} transfers beside {} deaths", kills());
    assert_eq!(client.balance(receiver).await.unwrap(), U256::from(confirmed));

    let mut alice = account(client);
    alice.onboard().await.unwrap();
    let printed = dev.ready["accounts"][0]["aes_key"].as_str().unwrap();
    assert_eq!(alice.user_key().unwrap().to_client_hex().as_str(), printed, "the seed survived");
}

/// Sends until it is told to stop, and more often than there are deaths; gives how many were confirmed. The node never
/// fails its client: what it cannot do at once, it does when the enclave is back.
async fn send_until(enough: Arc<AtomicBool>, client: Client, receiver: Address) -> u64 {
    let alice = account(client);
    let mut confirmed = 0;
    while !enough.load(Ordering::Relaxed) || confirmed <= kills() {
        alice.transfer(receiver, U256::from(1)).await.unwrap();
        confirmed += 1;
    }
    confirmed
}

impl Promises {
    /// Everything that was promised is so.
    async fn check(&self, dev: &Dev, receiver: Address) {
        let client = Client::connect(dev.url()).await.unwrap();
        for promised in &self.confirmed {
            let found = client.receipt(promised.transaction_hash).await.unwrap();
            let found = found.unwrap_or_else(|| panic!("lost: {}", promised.transaction_hash));
            assert_eq!((found.block_hash, found.transaction_index), (promised.block_hash, promised.transaction_index));
        }
        // One that was under way may have been confirmed without the client having heard of it.
        let balance: u64 = client.balance(receiver).await.unwrap().to();
        assert!(balance >= self.received, "{balance} of {}", self.received);
        for promised in &self.blocks {
            let height = BlockNumberOrTag::Number(promised.header.number);
            let found = client.block(height).await.unwrap().expect("the chain is as high as it was");
            assert_eq!(found.header.hash, promised.header.hash);
            assert_eq!(found.header.state_root, promised.header.state_root);
        }
        tip(&client, receiver).await;
    }

    async fn remember(&mut self, dev: &Dev, receiver: Address) {
        let client = Client::connect(dev.url()).await.unwrap();
        self.blocks.push(tip(&client, receiver).await);
    }
}

/// The newest block with its state root, which the enclave confirms from its own tree.
async fn tip(client: &Client, receiver: Address) -> Block {
    let block = client.block(BlockNumberOrTag::Latest).await.unwrap().unwrap();
    let at = BlockNumberOrTag::Number(block.header.number);
    let params = rpc_params![json!({ "account": receiver }), at];
    let proof: Value = client.request("cloister_getProof", params).await.unwrap();
    assert_eq!(proof["root"], json!(block.header.state_root), "the enclave has another root");
    block
}

/// Sends until the node is gone; gives what was confirmed.
async fn send(client: Client, receiver: Address) -> Vec<Receipt> {
    let alice = account(client);
    let mut confirmed = Vec::new();
    loop {
        match alice.transfer(receiver, U256::from(1)).await {
            Ok(receipt) => confirmed.push(receipt),
            Err(Error::Transport(_)) => return confirmed,
            Err(other) => panic!("the node went wrong before it was killed: {other}"),
        }
    }
}

fn account(client: Client) -> Account {
    Account::new(Wallet::from_mnemonic(HARDHAT_MNEMONIC, 0).unwrap(), client)
}

fn kills() -> u64 {
    std::env::var("CLOISTER_KILLS").map_or(5, |count| count.parse().expect("CLOISTER_KILLS is a number"))
}

#[tokio::test]
async fn many_connections_leave_room_for_another_enclave() {
    let mut few = Command::new("sh");
    few.args(["-c", r#"ulimit -S -n 100 && exec "$0" "$@""#, env!("CARGO_BIN_EXE_cloister")]);
    let dev = Dev::of(few, None, &[]);
    let address = dev.url().trim_start_matches("http://").to_owned();
    let _connections: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let client = Client::connect(dev.url()).await.unwrap();
    let old = dev.enclave().unwrap();
    kill_process(old, Signal::KILL).unwrap();
    dev.enclave_after(old);
    assert_eq!(client.height().await.unwrap(), 0);
}
