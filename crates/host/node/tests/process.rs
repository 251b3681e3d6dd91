//! A node with a real enclave process, killed and restarted.
//!
//! The enclave crosses into this test only as a program: rooms of the host do not link rooms of the trusted side.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_primitives::{Signature, TxKind, keccak256};
use cloister_api::Backend;
use cloister_chain::cosmos::{self, CosmosTx, bech32};
use cloister_chain::genesis::GenesisAccount;
use cloister_chain::wire::{Answer, Query, QueryAt};
use cloister_chain::{Address, B256, EthTx, Genesis, Leaf, Status, Tx, U256, Validator, ValidatorSet};
use cloister_consensus::PoolStatus;
use cloister_node::{Config, EnclaveError, Home, Node, NodeError, Spawner, process};
use common::enclave;
use prost::Message as _;
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn a_transfer_is_executed_behind_walls_and_its_state_is_proven_to_the_next_header() {
    let home = Home::in_memory().unwrap();
    let (node, _) = start(genesis(&home), home);
    assert!(node.lockdown().seccomp, "the barrier stands");
    pay(&node, 0).await;
    pay(&node, 1).await;

    let store = node.store().reader().unwrap();
    let receipts = store.receipts(1).unwrap().unwrap();
    assert_eq!((receipts.len(), receipts[0].status, receipts[0].gas_used), (1, Status::Success, 21_000));
    assert_eq!(store.account(&BENEFICIARY, 2).unwrap().balance, U256::from(2));
    let leaf = Leaf::Account(BENEFICIARY);
    let question = QueryAt { height: Some(1), query: Query::Prove(leaf) };
    let Ok(Answer::Proved { height: 1, root, value, proof }) = node.query(question).await else { panic!("proved") };
    assert_eq!(root, store.header(2).unwrap().unwrap().state_root);
    proof.verify(&root, &leaf, value.as_deref()).unwrap();
}

#[tokio::test]
async fn a_restart_from_the_directory_goes_on_from_the_same_root_at_the_same_height() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::open(directory.path()).unwrap();
    let genesis = genesis(&home);
    let (node, _) = start(genesis.clone(), home);
    for nonce in 0..5 {
        pay(&node, nonce).await;
    }
    let before = node.store().reader().unwrap().head().unwrap();
    let key = user_key(&node).await;
    node.stop();
    node.ended().await.unwrap();
    drop(node);

    let home = Home::open(directory.path()).unwrap();
    assert_eq!(home.genesis().unwrap().as_ref(), Some(&genesis));
    let (node, _) = start(genesis, home);
    assert_eq!(node.store().reader().unwrap().head().unwrap(), before);
    assert_eq!(*node.heads().borrow(), 5);
    assert_eq!(user_key(&node).await, key, "the same seed");
    pay(&node, 5).await;
    assert_eq!(*node.heads().borrow(), 6);
}

#[tokio::test]
async fn both_worlds_wait_together_and_a_transaction_of_two_signers_uses_a_sequence_of_each() {
    let home = Home::in_memory().unwrap();
    let (node, _) = start(genesis(&home), home);
    let mut hashes = Vec::new();
    // The second signer's own transactions stand around the common one.
    for signers in [&[(2, 0)][..], &[(1, 0), (2, 1)], &[(2, 2)], &[(1, 1)]] {
        hashes.push(node.submit(coins(signers)).unwrap());
        hashes.push(node.submit(payment(hashes.len() as u64 / 2)).unwrap());
    }
    let store = || node.store().reader().unwrap();
    let by = |hash, head| store().locate(hash).unwrap().is_some_and(|(height, _)| height <= head);
    node.heads().wait_for(|head| hashes.iter().all(|hash| by(hash, *head))).await.unwrap();
    let place = |hash: &B256| store().locate(hash).unwrap().unwrap();
    for hash in &hashes {
        let (height, index) = place(hash);
        let receipt = store().receipts(height).unwrap().unwrap().swap_remove(index as usize);
        assert_eq!(receipt.status, Status::Success, "{:?}", receipt.cosmos);
    }
    let height = *node.heads().borrow();
    for (user, sequence) in [(1, 2), (2, 3)] {
        assert_eq!(store().account(&key(user).address(), height).unwrap().sequence, sequence);
    }
    assert_eq!(node.mempool().status(), PoolStatus::default());
    let refused = node.submit(coins(&[(2, 2)])).unwrap_err();
    assert_eq!(refused.to_string(), "account sequence mismatch, expected 3, got 2: incorrect account sequence");
}

#[tokio::test]
async fn a_killed_enclave_comes_back_and_nothing_confirmed_is_lost() {
    let home = Home::in_memory().unwrap();
    let (node, pids) = start(genesis(&home), home);
    let node = Arc::new(node);
    let asking = {
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            let (mut answered, mut unavailable) = (0, 0);
            while *node.heads().borrow() < PAYMENTS {
                match node.query(tip(Query::Prove(Leaf::Chain))).await {
                    Ok(Answer::Proved { .. }) => answered += 1,
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => unavailable += 1,
                }
            }
            (answered, unavailable)
        })
    };
    for nonce in 0..PAYMENTS {
        // Between two blocks, in the middle of one, and while it starts: the kill comes before, with or after the work.
        if nonce % 4 == 1 {
            kill(*pids.lock().unwrap().last().unwrap());
        }
        pay(&node, nonce).await;
    }
    let (answered, _) = asking.await.unwrap();
    assert!(answered > 0);
    assert!(pids.lock().unwrap().len() > 3, "it was really started again");
    let store = node.store().reader().unwrap();
    assert_eq!(store.account(&BENEFICIARY, PAYMENTS).unwrap().balance, U256::from(PAYMENTS), "each payment once");
    assert!(matches!(node.query(tip(Query::Prove(Leaf::Chain))).await, Ok(Answer::Proved { .. })));
}

#[tokio::test]
async fn an_enclave_killed_while_nobody_works_is_started_again_at_once() {
    let home = Home::in_memory().unwrap();
    let (node, pids) = start(genesis(&home), home);
    let key = user_key(&node).await;
    kill(pids.lock().unwrap()[0]);
    while pids.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(user_key(&node).await, key);
    pay(&node, 0).await;
}

#[tokio::test]
async fn a_lost_sealing_key_is_said_and_nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::open(directory.path()).unwrap();
    let genesis = genesis(&home);
    let (node, _) = start(genesis.clone(), home);
    pay(&node, 0).await;
    drop(node);

    let path = directory.path().join("sealing.key");
    let key = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let other = Home::open(directory.path()).unwrap();
    let error = Node::start(config(genesis.clone(), other, enclave())).unwrap_err();
    assert!(matches!(error, NodeError::Enclave(EnclaveError::Halted(_))), "{error}");
    assert!(error.to_string().contains("made on another machine"), "{error}");

    std::fs::write(&path, key).unwrap();
    let (node, _) = start(genesis, Home::open(directory.path()).unwrap());
    pay(&node, 1).await;
}

#[test]
fn an_enclave_that_does_not_start_is_an_error_at_once() {
    let refuse = |program: &str| {
        let home = Home::in_memory().unwrap();
        Node::start(config(genesis(&home), home, process(program.into(), vec![], 1))).unwrap_err()
    };
    assert!(matches!(refuse("/does/not/exist"), NodeError::Enclave(EnclaveError::Spawn(_))));
    let error = refuse("/bin/false");
    assert!(matches!(&error, NodeError::Enclave(EnclaveError::Died(_))), "{error}");
    assert!(error.to_string().contains("exit status: 1"), "{error}");
}

fn start(genesis: Genesis, home: Home) -> (Node, Arc<Mutex<Vec<u32>>>) {
    let (pids, inner) = (Arc::new(Mutex::new(Vec::new())), enclave());
    let known = Arc::clone(&pids);
    let spawner: Spawner = Arc::new(move || {
        let streams = inner()?;
        known.lock().unwrap().push(streams.process.as_ref().unwrap().id());
        Ok(streams)
    });
    (Node::start(config(genesis, home, spawner)).unwrap(), pids)
}

fn config(genesis: Genesis, home: Home, enclave: Spawner) -> Config {
    Config { genesis, home, block_time: None, network: None, enclave }
}

fn genesis(home: &Home) -> Genesis {
    let validators = ValidatorSet::new(vec![Validator { key: home.validator(), power: 1 }]).unwrap();
    let public = PublicKey::from_secret_key(SECP256K1, &secret()).serialize_uncompressed();
    let address = Address::from_slice(&keccak256(&public[1..])[12..]);
    let rich = GenesisAccount { address, balance: U256::from(1u128 << 100), ..GenesisAccount::default() };
    let coins = |user| GenesisAccount { address: key(user).address(), coins: 1_000_000, ..GenesisAccount::default() };
    Genesis { validators, accounts: vec![rich, coins(1), coins(2)], ..Genesis::for_tests() }
}

/// Submits a payment of one wei and waits until it is committed.
async fn pay(node: &Node, nonce: u64) {
    let mut heads = node.heads();
    let hash = node.submit(payment(nonce)).unwrap();
    heads.wait_for(|_| node.store().reader().unwrap().locate(&hash).unwrap().is_some()).await.unwrap();
}

fn payment(nonce: u64) -> Tx {
    let tx = TxEip1559 {
        chain_id: Genesis::for_tests().evm_chain_id,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(BENEFICIARY),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let message = Message::from_digest(tx.signature_hash().0);
    let (id, rs) = SECP256K1.sign_ecdsa_recoverable(message, &secret()).serialize_compact();
    let signature = Signature::new(U256::from_be_slice(&rs[..32]), U256::from_be_slice(&rs[32..]), i32::from(id) == 1);
    let bytes = alloy_eips::eip2718::Encodable2718::encoded_2718(&TxEnvelope::Eip1559(tx.into_signed(signature)));
    Tx::Eth(EthTx::decode(&bytes, Genesis::for_tests().evm_chain_id).unwrap())
}

/// A coin from each of these users, whose account numbers are 0 and 1, with the sequences that they use.
fn coins(signers: &[(u8, u64)]) -> Tx {
    let coins = |amount: u32| vec![Coin { denom: "uscrt".into(), amount: amount.to_string() }];
    let send = |(user, _): &(u8, u64)| {
        let (from_address, to_address) = (bech32(&key(*user).address()), bech32(&BENEFICIARY));
        let value = MsgSend { from_address, to_address, amount: coins(1) }.encode_to_vec();
        Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value }
    };
    let info = |(user, sequence): &(u8, u64)| SignerInfo {
        public_key: Some(key(*user).to_any()),
        mode_info: Some(ModeInfo { sum: Some(Sum::Single(Single { mode: 1 })) }),
        sequence: *sequence,
    };
    let fee = Some(Fee { amount: coins(500), gas_limit: 200_000, ..Fee::default() });
    let body = TxBody { messages: signers.iter().map(send).collect(), ..TxBody::default() };
    let auth = AuthInfo { signer_infos: signers.iter().map(info).collect(), fee, ..AuthInfo::default() };
    let (body_bytes, auth_info_bytes) = (body.encode_to_vec(), auth.encode_to_vec());
    let sign = |(user, _): &(u8, u64)| {
        let (chain_id, account_number) = (Genesis::for_tests().chain_id, u64::from(*user) - 1);
        let (body_bytes, auth_info_bytes) = (body_bytes.clone(), auth_info_bytes.clone());
        let document = SignDoc { body_bytes, auth_info_bytes, chain_id, account_number }.encode_to_vec();
        let message = Message::from_digest(Sha256::digest(document).into());
        SECP256K1.sign_ecdsa(message, &user_secret(*user)).serialize_compact().to_vec()
    };
    let signatures = signers.iter().map(sign).collect();
    let raw = TxRaw { body_bytes: body_bytes.clone(), auth_info_bytes: auth_info_bytes.clone(), signatures };
    Tx::Cosmos(Box::new(CosmosTx::decode(&raw.encode_to_vec()).unwrap()))
}

fn key(user: u8) -> cosmos::PublicKey {
    cosmos::PublicKey::Single(user_secret(user).public_key(SECP256K1).serialize())
}

fn user_secret(user: u8) -> SecretKey {
    SecretKey::from_byte_array([user; 32]).unwrap()
}

async fn user_key(node: &Node) -> B256 {
    loop {
        match node.query(tip(Query::UserKey(BENEFICIARY))).await {
            Ok(Answer::UserKey(key)) => return keccak256(key.0),
            Ok(other) => panic!("{other:?}"),
            // In flight when it was killed: ask again.
            Err(_) => continue,
        }
    }
}

fn tip(query: Query) -> QueryAt {
    QueryAt { height: None, query }
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    // It may be dead already.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

fn secret() -> SecretKey {
    SecretKey::from_byte_array([0x11; 32]).unwrap()
}

const BENEFICIARY: Address = Address::repeat_byte(0xbe);
const PAYMENTS: u64 = 24;
