//! Where fuzzing starts: valid input for every door, most of it from the vectors of the published SDKs.

pub(crate) mod blocks;
pub(crate) mod contracts;
pub(crate) mod messages;
mod rest;

use alloy_primitives::{Address, U256};
use borsh::BorshSerialize;
use cloister_chain::Parent;
use cloister_chain::genesis::GenesisAccount;
use cloister_chain::wire::{self, Answer, Boot, Call, Execute, Halt, Query, QueryAt, SealingBytes, ToEnclave, ToHost};
use cloister_chain::{B256, Genesis, Leaf, Tx};
use cloister_consensus::Solo;
use cloister_envelope::Form;
use cloister_keys::{Purpose, Roots, SealingKey, Seed};
use cloister_ledger::Ledger;
use cloister_state::{NoSupply, Tree};
use ed25519_zebra::SigningKey;
use serde_json::Value;

use crate::cells::account;
use crate::envelope;
use crate::machine::transaction;
use crate::rpc::METHODS;

/// Transactions of the published secretjs.
const COSMOS: &str = include_str!("../../../crates/shared/chain/tests/vectors/cosmos.json");
/// Input made by the published SDKs.
const VECTORS: &str = include_str!("../../../crates/shared/envelope/tests/vectors/coti.json");

/// Door and input.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = Vec::new();
    chain(&mut seeds);
    cells(&mut seeds);
    machine(&mut seeds);
    rpc(&mut seeds);
    seeds.extend(envelope::seeds().into_iter().map(|seed| ("envelope", seed)));
    messages::all(&mut seeds);
    contracts::all(&mut seeds);
    blocks::all(&mut seeds);
    rest::all(&mut seeds);
    seeds
}

fn chain(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    let mut genesis = Genesis::for_tests();
    let rich = GenesisAccount { address: account().address(), balance: U256::MAX >> 1, ..Default::default() };
    genesis.accounts = vec![rich];
    let call = Call { to: Some(Address::repeat_byte(0xc0)), data: vec![1, 2, 3].into(), ..Call::default() };
    let tx = Tx::Eth(transaction(genesis.evm_chain_id, &call)).to_bytes();
    seeds.push(("eth_tx", tx[1..].to_vec()));
    // The example of EIP-155, signed for another chain.
    seeds.push(("eth_tx", bytes("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")));
    seeds.push(("tx", tx.to_vec()));
    let cosmos: Value = serde_json::from_str(COSMOS).expect("the committed vectors");
    for vector in cosmos.as_object().into_iter().flat_map(|vectors| vectors.values()) {
        if let Some(raw) = vector["tx_raw"].as_str() {
            seeds.push(("tx", [&[2], bytes(raw).as_slice()].concat()));
        }
    }

    let (mut ledger, first) =
        Ledger::genesis(&genesis, Roots::found("test-1", Seed::from_bytes([9; 32]))).expect("a good genesis");
    let parent = Parent::genesis(&genesis, &first);
    let (block, certificate) = Solo::new(SigningKey::from([7; 32])).propose(&parent, vec![tx], genesis.time + 1);
    seeds.push(("block", encode(&(&block, &certificate))));
    let next = Execute { block, certificate };
    let outcome = ledger.execute(&next, &mut NoSupply).expect("a good block");

    let mut tree = Tree::new();
    tree.apply_writes(&first.writes);
    for (leaf, value) in &first.writes {
        seeds.push(("proof", encode(&(tree.root(), leaf, value, tree.prove(leaf)))));
    }
    let absent = Leaf::Account(Address::repeat_byte(0xee));
    seeds.push(("proof", encode(&(tree.root(), absent, None::<Vec<u8>>, tree.prove(&absent)))));

    let checkpoint = Some(vec![1; 40]);
    let boot = Boot {
        genesis,
        sealing_key: SealingBytes([5; 32]),
        sealed_roots: None,
        checkpoint,
        trail: None,
        consensus_key: B256::repeat_byte(6),
    };
    let supply = ToEnclave::Supply {
        leaves: vec![None, Some(vec![1])],
        sealed: vec![None, Some((Leaf::Chain, vec![1]))],
        blobs: vec![Some(vec![2].into())],
    };
    let queries =
        [Query::Call(call.clone()), Query::Estimate(call), Query::Prove(absent), Query::UserKey(Address::ZERO)];
    let mut to_enclave = vec![ToEnclave::Boot(boot), ToEnclave::Execute(next), supply];
    to_enclave.push(ToEnclave::Load { leaves: vec![(absent, vec![3])], last: true });
    to_enclave.extend(queries.map(|query| ToEnclave::Query(QueryAt { height: Some(1), query })));
    seeds.extend(to_enclave.iter().map(|message| ("to_enclave", frame(message))));
    let need = ToHost::Need { height: 1, leaves: vec![absent], positions: vec![B256::ZERO], blobs: vec![B256::ZERO] };
    let answer =
        ToHost::Answer(Answer::Proved { height: 1, root: tree.root(), value: None, proof: tree.prove(&absent) });
    let to_host = [
        ToHost::Outcome(outcome),
        need,
        answer,
        ToHost::Halt(Halt::Root),
        ToHost::Loaded { sealed_roots: Some(vec![3]) },
    ];
    seeds.extend(to_host.iter().map(|message| ("to_host", frame(message))));
}

fn cells(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    let vectors: Value = serde_json::from_str(VECTORS).expect("the committed vectors");
    let inputs = &vectors["inputs"];
    let context = ["address", "contract", "selector"].map(|name| bytes(text(&inputs[name]))).concat();
    for family in ["uint_it", "eip191_it"] {
        for vector in vectors[family].as_array().into_iter().flatten() {
            let (cell, signature) = (bytes(text(&vector["ciphertext"])), bytes(text(&vector["signature"])));
            let seed = [&context[..], &cell, &[0; 32], &[65], &signature, &bytes(text(&inputs["aes_key"]))].concat();
            seeds.push(("input_text", seed));
        }
    }
    for key in strings(&vectors["onboard"]) {
        seeds.push(("onboarding", key));
    }
    let sealing = SealingKey::from_bytes("test-1", [5; 32]);
    for (purpose, plain) in [(Purpose::Roots, &[7; 104][..]), (Purpose::Checkpoint, b"a checkpoint")] {
        let blob = sealing.seal(purpose, b"context", plain).expect("short");
        seeds.push(("sealed", [&[7], &b"context"[..], &blob].concat()));
    }
}

fn machine(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    // PUSH1 5, PUSH1 0, SSTORE, STOP; and some calldata.
    seeds.push(("bytecode", [&[0, 6][..], &[0x60, 5, 0x60, 0, 0x55, 0], b"calldata"].concat()));
    seeds.push(("precompile", round_trip()));
    seeds.push(("precompile", signed_input()));
    // On-boarding with a key that is none.
    seeds.push(("precompile", [&[0, 38, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 240, 1, 38][..], &[0x30; 294]].concat()));
    seeds.push(("precompile", [&[1][..], &bytes("d9b60b60"), &[4], &[0; 31], &[0; 31], &[5]].concat()));
}

/// `SetPublic(uint64, 5)`, `OffBoard` to storage, `OnBoard` from there, `Add`, `OffBoardToUser`, `Decrypt` to slot 5.
pub(crate) fn round_trip() -> Vec<u8> {
    [
        &[0][..],
        &[6, 0, 4, 0, 0, 0, 0, 1, 120, 5],
        &[2, 4, 4, 0, 0, 0, 0, 1, 0],
        &[0, 0, 4, 0, 0, 0, 0, 1, 97],
        &[9, 0, 4, 4, 0, 0, 0, 2, 0, 8],
        &[4, 0, 4, 0, 0, 0, 0, 2, 12, 200],
        &[30, 4, 4, 0, 0, 0, 0, 1, 12],
    ]
    .concat()
}

/// `ValidateCiphertext(uint64, 7, signature)`, a transfer of it, and `Decrypt` of the input to slot 2.
pub(crate) fn signed_input() -> Vec<u8> {
    [
        &[0][..],
        &[36, 0, 4, 0, 0, 0, 0, 2, 120, 7, 220],
        &[33, 0, 4, 4, 4, 0, 0, 3, 0, 0, 0],
        &[30, 4, 4, 0, 0, 0, 0, 1, 0],
    ]
    .concat()
}

fn rpc(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    let hash = "\"0x1111111111111111111111111111111111111111111111111111111111111111\"";
    let address = "\"0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0\"";
    let shapes = [
        "[]".to_owned(),
        "[\"latest\",true]".to_owned(),
        "[\"0x1\",\"0x0\"]".to_owned(),
        format!("[{hash}]"),
        format!("[{hash},true]"),
        format!("[{address},\"latest\"]"),
        format!("[{address},\"0x0\",{{\"blockHash\":{hash}}}]"),
        format!("[{{\"to\":{address},\"data\":\"0x00\",\"gas\":\"0xffff\",\"value\":\"0x1\"}},\"0x1\"]"),
        format!("[{{\"address\":[{address}],\"fromBlock\":\"0x0\",\"toBlock\":\"0x1\",\"topics\":[null,[{hash}]]}}]"),
        format!("[{{\"storage\":{{\"address\":{address},\"slot\":{hash}}}}},\"0x1\"]"),
        "[\"0x4\",\"latest\",[10,50.5]]".to_owned(),
    ];
    for method in 0..u8::try_from(METHODS.len()).expect("a short list") {
        seeds.extend(shapes.iter().map(|shape| ("json_rpc", [&[method], shape.as_bytes()].concat())));
    }
    let raw = hex::encode(Form::Raw.digest(b"no transaction"));
    seeds.push(("json_rpc", [&[32], format!("[\"0x{raw}\"]").as_bytes()].concat()));
}

fn frame<T: BorshSerialize>(message: &T) -> Vec<u8> {
    let mut frame = Vec::new();
    wire::send(&mut frame, message).expect("memory");
    frame
}

fn encode(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("memory")
}

/// Every hexadecimal string in a tree of JSON.
fn strings(value: &Value) -> Vec<Vec<u8>> {
    match value {
        Value::String(text) => hex::decode(text.trim_start_matches("0x")).into_iter().collect(),
        Value::Array(list) => list.iter().flat_map(strings).collect(),
        Value::Object(map) => map.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal.trim_start_matches("0x")).expect("hexadecimal")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
