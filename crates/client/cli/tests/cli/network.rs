//! `cloister dev --validators`: a network on this machine, from the outside.

use std::time::{Duration, Instant};

use crate::common::{Dev, run};
use cloister_sdk::{Account, Address, Client, HARDHAT_MNEMONIC, U256, Wallet};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_is_given_every_node_shows() {
    let dev = Dev::with(None, &["--validators", "4"]);
    assert_eq!((&dev.ready["validators"], &dev.ready["simulated"]), (&json!(4), &json!(true)));
    let nodes = nodes(&dev);
    assert_eq!(nodes.len(), 4);
    assert_eq!(nodes[0]["rpc"], dev.ready["rpc"]);
    let receiver = Wallet::random().address();
    // Each transaction through another node.
    for (index, node) in (0_u32..).zip(&nodes) {
        assert!(account(node, index).await.transfer(receiver, U256::from(1)).await.unwrap().status());
    }
    for node in &nodes {
        balance_reaches(node, receiver, 4).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_reported_and_three_of_four_go_on_and_ctrl_c_ends_them() {
    let mut dev = Dev::with(None, &["--validators", "4"]);
    let nodes = nodes(&dev);
    let pids: Vec<Pid> = nodes.iter().map(pid).collect();
    kill_process(pids[3], Signal::KILL).unwrap();
    let ended = dev.next();
    assert_eq!((&ended["event"], &ended["node"], &ended["left"]), (&json!("ended"), &json!("node3"), &json!(3)));
    let receiver = Wallet::random().address();
    assert!(account(&nodes[0], 0).await.transfer(receiver, U256::from(7)).await.unwrap().status());
    balance_reaches(&nodes[2], receiver, 7).await;
    assert!(dev.end(Signal::INT).success());
    assert!(pids.iter().all(|pid| test_kill_process(*pid).is_err()), "no node is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_do_not_outlive_the_program_that_started_them() {
    let dev = Dev::with(None, &["--validators", "2"]);
    let pids: Vec<Pid> = nodes(&dev).iter().map(pid).collect();
    dev.kill();
    let start = Instant::now();
    while pids.iter().any(|pid| test_kill_process(*pid).is_ok()) {
        assert!(start.elapsed() < Duration::from_secs(30), "a node is left behind");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_in_a_directory_goes_on_where_it_was() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("net");
    let receiver = Wallet::random().address();
    let dev = Dev::with(Some(&data), &["--validators", "3"]);
    assert!(account(&nodes(&dev)[0], 0).await.transfer(receiver, U256::from(5)).await.unwrap().status());
    assert!(dev.end(Signal::TERM).success());

    let other = run(&["dev", "--port", "0", "--validators", "4", "--data", data.to_str().unwrap()]);
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other.stderr).contains("--validators"));

    // The directory says how many there are.
    let dev = Dev::start(Some(&data));
    assert_eq!(nodes(&dev).len(), 3);
    for node in nodes(&dev) {
        balance_reaches(&node, receiver, 5).await;
    }
    assert!(account(&nodes(&dev)[1], 0).await.transfer(receiver, U256::from(1)).await.unwrap().status());
}

fn nodes(dev: &Dev) -> Vec<Value> {
    dev.ready["nodes"].as_array().unwrap().clone()
}

fn pid(node: &Value) -> Pid {
    Pid::from_raw(i32::try_from(node["pid"].as_u64().unwrap()).unwrap()).unwrap()
}

async fn account(node: &Value, index: u32) -> Account {
    let client = Client::connect(node["rpc"].as_str().unwrap()).await.unwrap();
    Account::new(Wallet::from_mnemonic(HARDHAT_MNEMONIC, index).unwrap(), client)
}

async fn balance_reaches(node: &Value, address: Address, wei: u64) {
    let client = Client::connect(node["rpc"].as_str().unwrap()).await.unwrap();
    let start = Instant::now();
    while client.balance(address).await.unwrap() < U256::from(wei) {
        assert!(start.elapsed() < Duration::from_secs(60), "{} does not follow", node["name"]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
