//! The development chain, from the outside.

use std::net::TcpListener;

use crate::common::{Dev, run};
use cloister_sdk::{Account, Address, Client, HARDHAT_MNEMONIC, Receipt, U256, UserKey, Wallet, address, cosmos, sol};
use rustix::process::Signal;
use serde_json::Value;

sol! {
    function setSomeEncryptedValue(uint64 value) external;
    function setUserSomeEncryptedValue() external;
    function getUserSomeEncryptedValue() external view returns (uint256);
}

/// Where COTI's clients find the documented example on every chain.
const DATA_ON_CHAIN: Address = address!("074695f49d9c788c056FbBc697669EE6F23AE796");

async fn account(dev: &Dev, index: u32) -> Account {
    let client = Client::connect(dev.url()).await.unwrap();
    Account::new(Wallet::from_mnemonic(HARDHAT_MNEMONIC, index).unwrap(), client)
}

async fn pay(from: &Account) -> Receipt {
    from.transfer(Wallet::random().address(), U256::from(1)).await.unwrap()
}

#[tokio::test]
async fn a_chain_says_where_it_is_and_who_has_money() {
    let dev = Dev::start(None);
    assert_eq!(dev.ready["event"], "ready");
    assert_eq!(dev.ready["simulated"], true);
    assert_eq!(dev.ready["evm_chain_id"], 7_082_400);
    let accounts = dev.ready["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 14);
    assert_eq!(accounts[0]["address"], "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");

    let first = account(&dev, 0).await;
    assert_eq!(first.client().chain_id(), 7_082_400);
    let coin = U256::from(1_000_000_000_000_000_000_u64);
    assert_eq!(first.client().balance(first.address()).await.unwrap(), coin * U256::from(10_000));
    assert!(pay(&first).await.status());
}

#[tokio::test]
async fn local_secrets_accounts_are_rich_at_its_door_and_pay_there() {
    let dev = Dev::start(None);
    let accounts = dev.ready["accounts"].as_array().unwrap();
    let a = &accounts[10];
    assert_eq!(a["name"], "a");
    assert_eq!(a["secret_address"], "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03");
    assert!(accounts.iter().all(|account| account["uscrt"] == "1000000000000000000"), "hardhat's as well");

    let client = cosmos::Client::new(dev.ready["rest"].as_str().unwrap(), "secretdev-1").unwrap();
    let wallet = Wallet::from_hex(a["private_key"].as_str().unwrap()).unwrap();
    let (from, to) = (wallet.cosmos_address(), Wallet::random().cosmos_address());
    // Three at once: each sequence follows one that waits.
    let known = client.sequence(from).await.unwrap();
    for sequence in known.sequence..known.sequence + 3 {
        let place = cosmos::Place { chain_id: "secretdev-1", number: known.number, sequence };
        let terms = cosmos::Terms { gas: 100_000, fee: 10_000, ..Default::default() };
        let (raw, _) = wallet.sign_cosmos(&place, vec![cosmos::bank_send(from, to, 5)], &terms);
        client.broadcast(&raw).await.unwrap();
    }
    while client.balance(to).await.unwrap() < 15 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(client.balance(from).await.unwrap(), 1_000_000_000_000_000_000 - 15 - 30_000);
}

#[tokio::test]
async fn the_printed_aes_key_is_the_one_that_on_boarding_gives() {
    let dev = Dev::start(None);
    let mut second = account(&dev, 1).await;
    second.onboard().await.unwrap();
    let printed = dev.ready["accounts"][1]["aes_key"].as_str().unwrap();
    assert_eq!(second.user_key(), Some(&UserKey::from_client_hex(printed).unwrap()));
}

#[tokio::test]
async fn flags_of_a_new_chain_are_obeyed() {
    let flags = ["--evm-chain-id", "31337", "--chain-id", "other-1", "--accounts", "3", "--balance", "7"];
    let dev = Dev::with(None, &flags);
    assert_eq!(dev.ready["chain_id"], "other-1");
    assert_eq!(dev.ready["accounts"].as_array().unwrap().len(), 3 + 4);
    assert_eq!(dev.ready["accounts"][0]["balance"], "7");
    assert_eq!(account(&dev, 0).await.client().chain_id(), 31_337);
}

#[tokio::test]
async fn with_a_block_time_blocks_come_by_themselves() {
    let dev = Dev::with(None, &["--block-time", "0.05"]);
    let client = Client::connect(dev.url()).await.unwrap();
    while client.height().await.unwrap() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_chain_in_a_directory_is_still_there_after_ctrl_c_and_after_sigterm() {
    let home = tempfile::tempdir().unwrap();
    let (dev, receipt) = {
        let dev = Dev::start(Some(home.path()));
        let alice = account(&dev, 0).await;
        alice.write(DATA_ON_CHAIN, &setSomeEncryptedValueCall { value: 7 }).await.unwrap();
        let receipt = pay(&alice).await;
        (dev, receipt)
    };
    let keys = dev.ready["accounts"].as_array().unwrap().iter().map(|a| a["aes_key"].clone()).collect::<Vec<Value>>();
    assert!(dev.end(Signal::INT).success());

    let dev = Dev::start(Some(home.path()));
    let again = dev.ready["accounts"].as_array().unwrap().iter().map(|a| a["aes_key"].clone()).collect::<Vec<Value>>();
    assert_eq!(again, keys, "the same seed gives the same keys");
    let mut alice = account(&dev, 0).await;
    let found = alice.client().receipt(receipt.transaction_hash).await.unwrap().unwrap();
    assert_eq!(found.block_hash, receipt.block_hash);
    // What the network encrypted in the first run, it still opens in the second.
    alice.onboard().await.unwrap();
    alice.write(DATA_ON_CHAIN, &setUserSomeEncryptedValueCall {}).await.unwrap();
    let cell = alice.read(DATA_ON_CHAIN, &getUserSomeEncryptedValueCall {}).await.unwrap();
    assert_eq!(alice.open(cell).unwrap(), 7);
    assert!(dev.end(Signal::TERM).success());

    // Two transactions in the first run, two in the second, a block for each.
    assert_eq!(Dev::start(Some(home.path())).ready["height"], 4);
}

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let _dev = Dev::start(Some(home.path()));
    let second = run(&["dev", "--port", "0", "--data", home.path().to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1));
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(words.contains("in use by another process"), "{words}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (flag, others) in [
        ("--port", ["--cosmos-port=0", "--faucet-port=0"]),
        ("--cosmos-port", ["--port=0", "--faucet-port=0"]),
        ("--faucet-port", ["--port=0", "--cosmos-port=0"]),
    ] {
        let refused = run(&["dev", flag, &port, others[0], others[1]]);
        assert_eq!(refused.status.code(), Some(1));
        let words = String::from_utf8(refused.stderr).unwrap();
        let named = format!("choose one with {flag},");
        assert!(words.contains(&format!("cannot listen on 127.0.0.1:{port}")) && words.contains(&named), "{words}");
        assert!(refused.stdout.is_empty(), "nothing was ready");
    }
}

#[test]
fn an_existing_chain_is_not_made_again_with_other_flags() {
    let home = tempfile::tempdir().unwrap();
    assert!(Dev::start(Some(home.path())).end(Signal::INT).success());
    for flags in [["--evm-chain-id", "1"], ["--chain-id", "other-1"], ["--accounts", "3"], ["--balance", "1"]] {
        let refused = run(&["dev", "--port", "0", "--data", home.path().to_str().unwrap(), flags[0], flags[1]]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8(refused.stderr).unwrap().contains(flags[0]));
    }
}

#[test]
fn flags_that_make_no_sense_are_usage_errors() {
    let wrong: [&[&str]; 9] = [
        &[],
        &["dev", "--block-time", "0"],
        &["dev", "--port", "65536"],
        &["dev", "--cosmos-port", "rest"],
        &["dev", "--accounts", "0"],
        &["dev", "--host", "nowhere"],
        &["dev", "--no-such-flag"],
        &["demo", "--private-key", "00"],
        &["start-everything"],
    ];
    for arguments in wrong {
        let refused = run(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(refused.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(run(&["dev", "--port", "0", "--chain-id", "two words"]).status.code(), Some(1));
}
