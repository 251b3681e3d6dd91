#![allow(clippy::unwrap_used)]
mod door;

use std::io::Read as _;
use std::sync::Arc;

use cloister_chain::cosmos::{CosmosTx, Message as Request, sealed};
use cloister_envelope::MessageError;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::*;
use crate::cosmos::bech32;
use crate::{DoorError, Rejection};
use door::{CHAIN, CONTRACT, Door, Lie};

const WASM: &[u8] = b"\0asm\x01\0\0\0";

async fn alice() -> (Arc<Door>, Account, Contract) {
    let code_hash = sha256(WASM);
    let (door, url) = Door::open(code_hash).await;
    let account = Account::new(Wallet::random(), Client::new(&url, CHAIN).unwrap());
    (door, account, Contract { address: CONTRACT, code_hash })
}

fn sum(of: u64) -> Value {
    json!({ "sum": of })
}

#[tokio::test]
async fn a_contract_is_uploaded_made_called_and_asked() {
    let (door, alice, _) = alice().await;
    let code = alice.store_code(WASM).await.unwrap();
    assert_eq!(code, Code { id: 3, hash: sha256(WASM) });

    let made = alice.instantiate(&code, "adder", &json!({ "add": 1 }), 0).await.unwrap();
    assert_eq!(made.contract, Contract { address: CONTRACT, code_hash: code.hash });
    assert_eq!(made.called.json::<Value>().unwrap(), sum(1));

    let called = alice.execute(&made.contract, &json!({ "add": 41 }), 5).await.unwrap();
    assert_eq!(called.json::<Value>().unwrap(), sum(42));
    assert_eq!((called.attribute("sum"), called.attribute("coins")), (Some("42"), Some("1")));
    assert_eq!(called.attributes[0].contract, bech32(&CONTRACT));
    assert_eq!((called.tx.height, called.tx.gas_used), (3, 66_601));
    assert_eq!(called.tx.attribute("message", "action"), Some("/cloister.compute.v1.MsgExecute"));

    let answer = alice.query::<Value>(&made.contract, &json!({ "get": {} })).await.unwrap();
    assert_eq!(answer, Answer { height: 3, run: None, value: sum(42) });

    let (contract, called) = alice.migrate(CONTRACT, &code, &json!({})).await.unwrap();
    assert_eq!((contract, called.json::<Value>().unwrap()), (made.contract, sum(42)));
    assert_eq!(alice.client().code_hash(CONTRACT).await.unwrap(), code.hash);
    assert_eq!(door.seen().sequence, 4);
}

#[tokio::test]
async fn code_travels_compressed() {
    let (door, alice, _) = alice().await;
    let wasm = [WASM, &[0; 10_000]].concat();
    assert_eq!(alice.store_code(&wasm).await.unwrap().hash, sha256(&wasm));
    let raw = door.seen().transactions[0].clone();
    let tx = CosmosTx::decode(&raw).unwrap();
    let Request::StoreCode(stored) = &tx.messages()[0] else { panic!("{tx:?}") };
    let mut unpacked = Vec::new();
    GzDecoder::new(stored.wasm_byte_code.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == wasm && raw.len() < 1_000);
}

/// Calls can be made from any thread.
#[tokio::test]
async fn calls_run_as_tasks() {
    let (_door, alice, contract) = alice().await;
    let call = async move { alice.execute(&contract, &json!({ "add": 1 }), 0).await };
    assert_eq!(tokio::spawn(call).await.unwrap().unwrap().attribute("sum"), Some("1"));
}

#[tokio::test]
async fn the_node_reads_nothing_of_a_call_and_nothing_repeats() {
    let (door, alice, contract) = alice().await;
    let secret = json!({ "password": "correct horse battery staple" });
    for _ in 0..2 {
        alice.execute(&contract, &secret, 0).await.unwrap();
        alice.query::<Value>(&contract, &secret).await.unwrap();
    }
    let seen = door.seen();
    for bytes in seen.transactions.iter().chain(&seen.questions) {
        assert!(!bytes.windows(5).any(|part| part == b"horse"));
    }
    let input = |raw: &Vec<u8>| match &CosmosTx::decode(raw).unwrap().messages()[0] {
        Request::SealedExecute(sealed::MsgExecute { input, .. }) => input.clone(),
        other => panic!("{other:?}"),
    };
    let mut sealed: Vec<Vec<u8>> = seen.transactions.iter().map(input).chain(seen.questions.clone()).collect();
    sealed.sort();
    // Version, then the nonce: never the same twice, not even between calls and questions.
    sealed.dedup_by_key(|sealed| sealed[1..33].to_vec());
    assert_eq!(sealed.len(), 4);
}

#[tokio::test]
async fn a_contracts_error_comes_back_in_its_own_words_which_nobody_else_sees() {
    let (_door, alice, contract) = alice().await;
    let error = alice.execute(&contract, &json!({ "fail": "you owe 7" }), 0).await.unwrap_err();
    assert_eq!(error.contract_error(), Some("you owe 7"));
    let Error::Failed(failure) = error else { panic!("{error}") };
    assert_eq!((failure.height, failure.gas_used, failure.reason.code), (1, 66_601, 3));
    assert_eq!(failure.to_string(), format!("transaction {} failed in block 1: you owe 7", failure.hash));
    assert!(failure.reason.log.contains("encrypted: ") && !failure.reason.log.contains("you owe"));

    let error = alice.query::<Value>(&contract, &json!({ "fail": "wrong viewing key" })).await.unwrap_err();
    assert!(matches!(&error, Error::Answered { height: 1, text } if text == "wrong viewing key"), "{error}");
}

#[tokio::test]
async fn other_code_than_the_caller_means_reads_nothing() {
    let (_door, alice, contract) = alice().await;
    let other = Contract { code_hash: B256::ZERO, ..contract };
    // This door's enclave takes the transaction's word for the code of a call; a question names none.
    let error = alice.query::<Value>(&other, &json!({})).await.unwrap_err();
    assert!(matches!(&error, Error::Door(refused) if refused.message.ends_with("failed to decrypt data")), "{error}");
    assert_eq!(error.contract_error(), None);
}

#[tokio::test]
async fn a_node_that_tells_a_failure_as_a_success_is_found_out() {
    let (door, alice, contract) = alice().await;
    door.lie(Lie::Success);
    let error = alice.execute(&contract, &json!({ "fail": "no" }), 0).await.unwrap_err();
    assert_eq!(error.contract_error(), Some("no"));
}

#[tokio::test]
async fn a_result_of_another_transaction_does_not_open() {
    let (door, alice, contract) = alice().await;
    door.lie(Lie::Elsewhere);
    let error = alice.execute(&contract, &json!({ "add": 1 }), 0).await.unwrap_err();
    assert!(matches!(error, Error::Message(MessageError::Refused)), "{error}");
    let error = alice.execute(&contract, &json!({ "fail": "no" }), 0).await.unwrap_err();
    assert!(matches!(&error, Error::Failed(_)) && error.contract_error().is_none(), "{error}");
}

#[tokio::test]
async fn a_node_that_names_another_contract_than_was_made_is_found_out() {
    let (door, alice, contract) = alice().await;
    door.lie(Lie::Contract);
    let code = Code { id: 3, hash: contract.code_hash };
    let error = alice.instantiate(&code, "adder", &json!({}), 0).await.unwrap_err();
    assert!(matches!(error, Error::Elsewhere(CONTRACT)), "{error}");
    assert!(error.to_string().ends_with(&bech32(&CONTRACT)), "what was paid for is not lost");
}

#[tokio::test]
async fn whoever_kept_his_key_reads_his_calls_again() {
    let (door, alice, contract) = alice().await;
    let kept = |byte| ExchangeKey::from_secret(Secret::from_bytes([byte; 32]));
    let wallet = || Wallet::from_hex(&alice.wallet().to_hex()).unwrap();
    let before = Account::new(wallet(), alice.client().clone()).with_client_key(kept(5));
    let code = Code { id: 3, hash: contract.code_hash };
    let made = before.instantiate(&code, "adder", &json!({ "add": 1 }), 9).await.unwrap().called;
    let called = before.execute(&contract, &json!({ "add": 41 }), 0).await.unwrap();
    let (_, migrated) = before.migrate(CONTRACT, &code, &json!({ "add": 0 })).await.unwrap();
    let error = before.execute(&contract, &json!({ "fail": "you owe 7" }), 0).await.unwrap_err();
    let Error::Failed(failure) = error else { panic!("{error}") };
    drop(before);

    let after = Account::new(wallet(), alice.client().clone()).with_client_key(kept(5));
    for (then, input) in
        [(made, json!({ "add": 1 })), (called.clone(), json!({ "add": 41 })), (migrated, json!({ "add": 0 }))]
    {
        let again = after.reread(then.tx.hash).await.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&again.input).unwrap(), input);
        assert_eq!(again.result.unwrap(), then);
    }
    let again = after.reread(failure.hash).await.unwrap();
    assert_eq!(again.result.unwrap_err().contract_error(), Some("you owe 7"));

    // Neither another key of the same account, nor the key of another account.
    let refused = Account::new(wallet(), alice.client().clone()).with_client_key(kept(6)).reread(called.tx.hash).await;
    assert!(matches!(refused, Err(Error::Message(MessageError::Refused))));
    let bob = Account::new(Wallet::random(), alice.client().clone()).with_client_key(kept(5));
    assert!(matches!(bob.reread(called.tx.hash).await, Err(Error::NoCall(hash)) if hash == called.tx.hash));
    let sent = after.send(CONTRACT, 1).await.unwrap().hash;
    assert!(matches!(after.reread(sent).await, Err(Error::NoCall(_))), "nothing private");
    assert!(matches!(after.reread(B256::ZERO).await, Err(Error::NoCall(B256::ZERO))), "in no block");
    assert_eq!(door.seen().height, 5);
}

#[tokio::test]
async fn a_pinned_key_is_never_asked_for_and_a_false_one_is_no_use_to_the_enclave() {
    let (door, alice, contract) = alice().await;
    door.lie(Lie::Key);
    let error = alice.execute(&contract, &json!({ "add": 1 }), 0).await.unwrap_err();
    assert!(error.to_string().contains("failed to decrypt data"), "{error}");
    assert_eq!(door.seen().keys_asked, 1);

    let pinned = alice.with_network_key(NetworkKeys { input_key: door.public(), epoch: 4 });
    pinned.execute(&contract, &json!({ "add": 1 }), 0).await.unwrap();
    assert_eq!(door.seen().keys_asked, 1);
    assert_eq!(pinned.client().network_keys().await.unwrap().epoch, 4);
    assert_ne!(pinned.client().network_keys().await.unwrap().input_key, door.public());
}

#[tokio::test]
async fn calls_at_the_same_time_take_their_sequences_one_after_the_other() {
    let (door, alice, contract) = alice().await;
    // As if no block came meanwhile: the node's own count stands still.
    door.lie(Lie::Sequence);
    let (message, coins) = (json!({ "add": 1 }), 1);
    let (a, b, c) = tokio::join!(
        alice.execute(&contract, &message, coins),
        alice.execute(&contract, &message, coins),
        alice.send(CONTRACT, 9),
    );
    let mut heights = [a.unwrap().tx.height, b.unwrap().tx.height, c.unwrap().height];
    heights.sort_unstable();
    assert_eq!((heights, door.seen().transactions.len()), ([1, 2, 3], 3));
}

#[tokio::test]
async fn a_sequence_that_another_program_used_is_corrected_once() {
    let (door, alice, _) = alice().await;
    door.seen().sequence = 5;
    door.lie(Lie::Sequence);
    assert_eq!(alice.send(CONTRACT, 1).await.unwrap().height, 1);
    assert_eq!(door.seen().transactions.len(), 2);

    door.lie(Lie::NoSequence);
    let error = alice.send(CONTRACT, 1).await.unwrap_err();
    assert!(matches!(&error, Error::Rejected(Rejection { code: 32, .. })), "{error}");
    assert_eq!(door.seen().transactions.len(), 4);
}

#[tokio::test]
async fn what_is_paid_covers_the_bytes() {
    let (door, alice, _) = alice().await;
    let alice = alice.with_gas(1_000);
    alice.store_code(&[WASM, &[0; 10_000]].concat()).await.unwrap();
    alice.send(CONTRACT, 1).await.unwrap();
    let seen = door.seen();
    for raw in &seen.transactions {
        let tx = CosmosTx::decode(raw).unwrap();
        let bytes = u64::try_from(raw.len()).unwrap();
        assert!(tx.gas() > SEND_GAS + 10 * bytes && tx.gas() < 2 * CALL_GAS + 12 * bytes, "{}", tx.gas());
        assert_eq!(tx.fee(), u128::from(tx.gas()).div_ceil(10));
    }
}

#[tokio::test]
async fn a_call_can_be_estimated_and_nobody_else_reads_the_estimate() {
    let (door, alice, contract) = alice().await;
    let (good, bad) = (json!({ "add": 41 }), json!({ "fail": "you owe 7" }));
    assert_eq!(alice.estimate(&contract, &good, 0).await.unwrap(), Estimate { height: 0, gas: Some(75_000) });
    assert_eq!(alice.estimate(&contract, &bad, 0).await.unwrap(), Estimate { height: 0, gas: None });
    assert!(door.seen().transactions.is_empty(), "nothing happened");
    for bytes in &door.seen().questions {
        assert!(!bytes.windows(3).any(|part| part == b"add" || part == b"owe"));
    }

    // With estimates, the limit is the class after it; where there is none, what it would be without.
    let alice = alice.with_estimates();
    alice.execute(&contract, &good, 0).await.unwrap();
    alice.execute(&contract, &bad, 0).await.unwrap_err();
    door.lie(Lie::Spent);
    alice.execute(&contract, &good, 0).await.unwrap();
    let seen = door.seen();
    for (raw, gas) in seen.transactions.iter().zip([100_000, CALL_GAS, CALL_GAS]) {
        let (limit, bytes) = (CosmosTx::decode(raw).unwrap().gas(), u64::try_from(raw.len()).unwrap());
        assert!(limit > gas + 10 * bytes && limit < gas + 10 * bytes + 10_000, "{limit}");
    }
    assert_eq!(seen.transactions.len(), 3);
}

#[tokio::test]
async fn who_pins_a_key_asks_for_the_height_alone() {
    let (door, alice, contract) = alice().await;
    let pinned = alice.with_network_key(NetworkKeys { input_key: door.public(), epoch: 4 });
    pinned.query::<Value>(&contract, &json!({})).await.unwrap();
    let seen = door.seen();
    assert_eq!((seen.keys_asked, seen.questions.len()), (0, 1));
}

#[tokio::test]
async fn refusals_and_failures_say_who_is_to_blame() {
    let (door, alice, contract) = alice().await;
    assert_eq!(alice.balance().await.unwrap(), u128::MAX);
    let error = alice.send(CONTRACT, 13).await.unwrap_err();
    assert!(matches!(&error, Error::Failed(failure) if failure.reason.log.ends_with("insufficient funds")), "{error}");

    assert!(matches!(alice.store_code(b"\x1f\x8b").await, Err(Error::Code)));
    let long = json!({ "text": "x".repeat(2 << 20) });
    assert!(matches!(alice.query::<Value>(&contract, &long).await, Err(Error::Message(MessageError::TooLong))));
    let fits = json!({ "text": "x".repeat(500_000) });
    alice.query::<Value>(&contract, &fits).await.unwrap();
    let unexpected = alice.query::<Vec<u8>>(&contract, &json!({})).await;
    assert!(matches!(unexpected, Err(Error::Unexpected(_))));

    door.lie(Lie::Gateway);
    let error = alice.send(CONTRACT, 1).await.unwrap_err();
    let message = "<html>nobody is there</html>".to_owned();
    assert!(
        matches!(&error, Error::Door(refused) if *refused == DoorError { status: 502, code: 2, message }),
        "{error}"
    );

    let nobody = Client::new("http://127.0.0.1:1", CHAIN).unwrap();
    assert!(matches!(nobody.balance(CONTRACT).await, Err(Error::Http(_))));
    for url in ["", "127.0.0.1:1317", "https://example.org", "http://", "http:///"] {
        assert!(matches!(Client::new(url, CHAIN), Err(Error::Url(_))), "{url}");
    }
}

#[test]
fn an_account_prints_its_address_and_nothing_else() {
    let wallet = Wallet::random();
    let address = bech32(&wallet.cosmos_address());
    let account = Account::new(wallet, Client::new("http://127.0.0.1:1317", CHAIN).unwrap());
    assert_eq!(format!("{account:?}"), format!("Account {{ address: \"{address}\", .. }}"));
}
