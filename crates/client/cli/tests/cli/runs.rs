//! A network that counts questions: its enclaves answer once the chain lists their runs (M-04), which nodes see to by themselves.

use std::time::{Duration, Instant};

use cloister_sdk::cosmos::{Account, Answer, Client, Contract};
use cloister_sdk::{HARDHAT_MNEMONIC, Wallet};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::common::Dev;
use crate::testnet::{init, start};

const COUNTER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/counter.wasm");
const CHAIN: &str = "cloister-test-1";
const ALLOWED: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn v04_a_node_has_each_run_of_its_enclave_listed_and_answers_as_often_as_the_chain_allows() {
    let root = tempfile::tempdir().unwrap();
    init(&root.path().join("net"), &["--validators", "1", "--queries", &ALLOWED.to_string()]);
    // No block comes by itself while this runs.
    let node = start(&root.path().join("net/node0"), &["--idle", "3600"]);
    let alice = alice(&node);
    let code = alice.store_code(COUNTER).await.unwrap();
    let counter = alice.instantiate(&code, "counter", &json!({ "count": 7 }), 0).await.unwrap().contract;
    listed(&alice, &counter).await;
    for _ in 1..ALLOWED {
        let answer = count(&alice, &counter).await.unwrap();
        assert_eq!((&answer.value["count"], json!(answer.run)), (&json!(7), boot_key(&node)), "and names its run");
    }
    let refused = count(&alice, &counter).await.unwrap_err();
    assert!(refused.contains("answers no more questions to contracts before the next block"), "{refused}");

    let (run, enclave) = (boot_key(&node), node.enclave().unwrap());
    kill_process(enclave, Signal::KILL).unwrap();
    node.enclave_after(enclave);
    // A start is no way around the count: what makes it answer again is a block that has its registration.
    listed(&alice, &counter).await;
    assert_ne!(boot_key(&node), run);
}

/// Asks until there is an answer.
async fn listed(alice: &Account, counter: &Contract) {
    let begin = Instant::now();
    while let Err(refused) = count(alice, counter).await {
        assert!(begin.elapsed() < Duration::from_secs(60), "{refused}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn count(alice: &Account, counter: &Contract) -> Result<Answer<Value>, String> {
    alice.query(counter, &json!({ "get_count": {} })).await.map_err(|error| error.to_string())
}

/// Of the run that the chain lists.
fn boot_key(node: &Dev) -> Value {
    let url = format!("{}/cloister/trust/v1/nodes", node.ready["rest"].as_str().unwrap());
    let told = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    told["nodes"][0]["boot_key"].clone()
}

fn alice(node: &Dev) -> Account {
    let wallet = Wallet::from_mnemonic(HARDHAT_MNEMONIC, 0).unwrap();
    Account::new(wallet, Client::new(node.ready["rest"].as_str().unwrap(), CHAIN).unwrap())
}
