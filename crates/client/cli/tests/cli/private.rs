//! Private calls of a CosmWasm contract in our own form, through a running development chain.

use crate::common::Dev;
use cloister_sdk::cosmos::{Account, Client, Contract};
use cloister_sdk::{Error, Wallet, cosmos};
use serde_json::{Value, json};

const COUNTER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/counter.wasm");

/// One of LocalSecret's accounts.
fn account(dev: &Dev, name: &str) -> Account {
    let accounts = dev.ready["accounts"].as_array().unwrap();
    let known = accounts.iter().find(|account| account["name"] == name).unwrap();
    let wallet = Wallet::from_hex(known["private_key"].as_str().unwrap()).unwrap();
    let client = Client::new(dev.ready["rest"].as_str().unwrap(), "secretdev-1").unwrap();
    Account::new(wallet, client)
}

async fn count(account: &Account, contract: &Contract) -> (u64, Value) {
    let answer = account.query::<Value>(contract, &json!({ "get_count": {} })).await.unwrap();
    (answer.height, answer.value["count"].clone())
}

#[tokio::test]
async fn a_contract_is_made_called_asked_and_migrated() {
    let dev = Dev::start(None);
    let (alice, bob) = (account(&dev, "a"), account(&dev, "b"));
    let code = alice.store_code(COUNTER).await.unwrap();
    let admin = Some(alice.address());
    let made = alice.instantiate_for(&code, "counter", admin, &json!({ "count": 7 }), 0).await.unwrap();
    let contract = made.contract;
    assert_eq!(alice.client().code_hash(contract.address).await.unwrap(), code.hash);

    let called = alice.execute(&contract, &json!({ "increment": {} }), 0).await.unwrap();
    assert_eq!(called.json::<Value>().unwrap(), json!({ "count": 8 }));
    assert_eq!(called.attribute("count"), Some("8"));
    assert_eq!(called.attributes[0].contract, cosmos::bech32(&contract.address));
    // What is private stands in no event; what the contract made public does.
    assert_eq!(called.tx.attribute("wasm", "action"), Some("increment"));
    assert_eq!(called.tx.attribute("wasm", "count"), None);

    bob.execute(&contract, &json!({ "increment": {} }), 0).await.unwrap();
    let (height, counted) = count(&bob, &contract).await;
    assert_eq!((height, counted), (called.tx.height + 1, json!(9)));

    let (contract, _) = alice.migrate(contract.address, &code, &json!({ "count": 40 })).await.unwrap();
    assert_eq!(count(&alice, &contract).await.1, 40);
}

#[tokio::test]
async fn a_contracts_error_is_for_its_caller() {
    let dev = Dev::start(None);
    let alice = account(&dev, "a");
    let code = alice.store_code(COUNTER).await.unwrap();
    let contract = alice.instantiate(&code, "counter", &json!({ "count": 0 }), 0).await.unwrap().contract;

    let error = alice.execute(&contract, &json!({ "fail": {} }), 0).await.unwrap_err();
    let Error::Failed(failure) = &error else { panic!("{error}") };
    assert!(failure.contract.as_ref().unwrap().contains("failed on request"), "{error}");
    assert!(failure.reason.log.starts_with("failed to execute message; message index: 0: encrypted: "), "{error}");
    assert!(failure.reason.log.ends_with(": execute contract failed"), "{error}");

    let error = alice.query::<Value>(&contract, &json!({ "get_nothing": {} })).await.unwrap_err();
    assert!(error.contract_error().unwrap().contains("get_nothing"), "{error}");

    // Sealed to other code than the contract runs: the enclave does not open it.
    let other = Contract { code_hash: cloister_sdk::B256::ZERO, ..contract };
    let error = alice.execute(&other, &json!({ "increment": {} }), 0).await.unwrap_err();
    assert!(matches!(&error, Error::Failed(failure) if failure.contract.is_none()), "{error}");
    assert!(alice.query::<Value>(&other, &json!({ "get_count": {} })).await.is_err());
    assert_eq!(count(&alice, &contract).await.1, 0);

    let error = alice.migrate(contract.address, &code, &json!({})).await.unwrap_err();
    assert!(error.to_string().contains("unauthorized"), "nobody may: {error}");
    let twice = alice.instantiate(&code, "counter", &json!({ "count": 0 }), 0).await.unwrap_err();
    assert!(twice.to_string().contains("already exists"), "{twice}");
}

#[tokio::test]
async fn a_call_is_estimated_before_it_is_paid_for() {
    let dev = Dev::start(None);
    let alice = account(&dev, "a").with_estimates();
    let code = alice.store_code(COUNTER).await.unwrap();
    let contract = alice.instantiate(&code, "counter", &json!({ "count": 0 }), 0).await.unwrap().contract;
    let increment = json!({ "increment": {} });
    let estimated = alice.estimate(&contract, &increment, 0).await.unwrap().gas.unwrap();
    assert_eq!(alice.estimate(&contract, &json!({ "fail": {} }), 0).await.unwrap().gas, None);
    assert_eq!(count(&alice, &contract).await.1, 0, "nothing happened yet");
    let gas = alice.execute(&contract, &increment, 0).await.unwrap().tx.gas_used;
    assert!((estimated..estimated + 20_000).contains(&gas), "{gas} for {estimated}");
}

#[tokio::test]
async fn many_calls_of_one_account_run_at_the_same_time() {
    let dev = Dev::start(None);
    let alice = account(&dev, "a");
    let code = alice.store_code(COUNTER).await.unwrap();
    let contract = alice.instantiate(&code, "counter", &json!({ "count": 0 }), 0).await.unwrap().contract;
    let increment = json!({ "increment": {} });
    let call = || alice.execute(&contract, &increment, 0);
    let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
    let mut counts: Vec<String> =
        [a, b, c, d].into_iter().map(|called| called.unwrap().attribute("count").unwrap().to_owned()).collect();
    counts.sort();
    assert_eq!(counts, ["1", "2", "3", "4"]);
}
