//! What a light client asks for, checked as it checks it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use borsh::BorshDeserialize;
use cloister_chain::hash::merkle_climb;
use cloister_chain::proof::{Proof, leaf_hash};
use cloister_chain::wire::{Answer, Query, QueryRefusal};
use cloister_chain::{B256, Block, Certificate, Genesis, Header, Leaf, Receipt, ValidatorSet};
use serde_json::{Value, json};

use super::world::*;

const CHAIN: &str = "/cloister/chain/v1";

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn read<T: BorshDeserialize>(value: &Value) -> T {
    borsh::from_slice(&bytes(value)).unwrap()
}

fn path(value: &Value) -> Vec<B256> {
    value.as_array().unwrap().iter().map(read).collect()
}

#[tokio::test]
async fn headers_come_with_what_decides_them() {
    let world = World::start().await;
    for _ in 0..3 {
        world.mine(&[]);
    }
    let told = world.get(&format!("{CHAIN}/headers?from=0&count=10")).await;
    assert_eq!(told["tip"], "3");
    let headers = told["headers"].as_array().unwrap();
    assert_eq!(headers.len(), 4, "no more than there are");
    let sets = told["validators"].as_array().unwrap();
    let set: ValidatorSet = read(&sets[0]);
    assert_eq!((sets.len(), &set), (1, &world.node.store.reader().unwrap().genesis().unwrap().validators), "once");
    let genesis: Header = read(&headers[0]["header"]);
    assert_eq!((genesis.height, &headers[0]["certificate"]), (0, &Value::Null));
    let mut parent = genesis;
    for told in &headers[1..] {
        let header: Header = read(&told["header"]);
        assert_eq!((header.parent, header.validators), (parent.hash(), set.hash()));
        let certificate: Certificate = read(&told["certificate"]);
        certificate.verify("secretdev-1", &set, parent.height + 1, &header.hash()).unwrap();
        parent = header;
    }
    let one = world.get(&format!("{CHAIN}/headers?from=2")).await;
    assert_eq!((&one["headers"][0], one["headers"].as_array().unwrap().len()), (&headers[2], 1));
    let none = world.get(&format!("{CHAIN}/headers?from=4&count=5")).await;
    assert_eq!(none, json!({ "tip": "3", "headers": [], "validators": [] }));
    let end = world.get(&format!("{CHAIN}/headers?from={}&count={}", u64::MAX, u64::MAX)).await;
    assert_eq!(end, none);
}

#[tokio::test]
async fn an_answer_has_a_hundred_headers_at_most() {
    let world = World::start().await;
    for _ in 0..110 {
        world.mine(&[]);
    }
    let told = world.get(&format!("{CHAIN}/headers?from=5&count=1000000")).await;
    assert_eq!(told["headers"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_transaction_of_either_world_is_found_and_climbs_to_both_roots() {
    let world = World::start().await;
    let tx = transfer(1);
    let all = [ethereum(0), (tx.clone(), done(&tx, Vec::new())), ethereum(1)];
    world.mine(&all);
    world.mine(&[]);
    let reader = world.node.store.reader().unwrap();
    let (header, above) = (reader.header(1).unwrap().unwrap(), reader.header(2).unwrap().unwrap());
    for (index, (tx, receipt)) in all.iter().enumerate() {
        let place = world.get(&format!("{CHAIN}/transactions/{}", upper(tx.hash()))).await;
        assert_eq!(place, json!({ "height": "1", "index": index }));
        assert_eq!(world.get(&format!("{CHAIN}/transactions/{}", tx.hash())).await, place, "with a prefix");
        let told = world.get(&format!("{CHAIN}/receipts/1/{index}")).await;
        assert_eq!((&told["height"], &told["index"], &told["count"]), (&json!("1"), &json!(index), &json!(3)));
        assert_eq!(bytes(&told["tx"]), tx.to_bytes());
        let climbed = merkle_climb(Block::tx_leaf(&tx.to_bytes()), index, 3, &path(&told["tx_path"]));
        assert_eq!(climbed, Some(header.txs));
        let found: Receipt = read(&told["receipt"]);
        assert_eq!(&found, receipt);
        assert_eq!(merkle_climb(found.hash(), index, 3, &path(&told["receipt_path"])), Some(above.results));
    }
    let nowhere = "0".repeat(64);
    assert_eq!(world.refused(&format!("{CHAIN}/transactions/{nowhere}")).await.0, 404);
    assert_eq!(world.refused(&format!("{CHAIN}/transactions/12")).await.0, 400);
    for (place, status) in [("1/3", 404), ("2/0", 404), ("0/0", 404), ("3/0", 400), ("1/x", 400), ("x/0", 400)] {
        assert_eq!(world.refused(&format!("{CHAIN}/receipts/{place}")).await.0, status, "{place}");
    }
    for far in ["1/4294967295", "1/4294967296", "18446744073709551615/0", "-1/0"] {
        let status = world.refused(&format!("{CHAIN}/receipts/{far}")).await.0;
        assert!(status == 400 || status == 404, "{far}");
    }
}

#[tokio::test]
async fn a_leaf_is_proven_by_the_enclave() {
    let world = World::start().await;
    world.mine(&[]);
    let leaf = Leaf::Account(user());
    let end = (leaf.position(), Leaf::value_hash(b"value"));
    let (root, proof) = (leaf_hash(&end.0, &end.1), Proof { siblings: vec![], leaf: Some(end) });
    let sent = proof.clone();
    *world.node.enclave.lock().unwrap() = Box::new(move |question| {
        assert_eq!(question.query, Query::Prove(leaf));
        let height = question.height.unwrap_or(1);
        Ok(Answer::Proved { height, root, value: (height == 1).then(|| b"value".to_vec()), proof: sent.clone() })
    });
    // As a URL has them: the characters of base64 that mean something else there are written with a percent sign.
    let name = STANDARD.encode(leaf.to_bytes()).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let told = world.get(&format!("{CHAIN}/proof?leaf={name}")).await;
    assert_eq!((&told["height"], bytes(&told["value"])), (&json!("1"), b"value".to_vec()));
    assert_eq!((bytes(&told["root"]), read::<Proof>(&told["proof"])), (root.to_vec(), proof));
    let absent = world.get(&format!("{CHAIN}/proof?leaf={name}&height=0")).await;
    assert_eq!((&absent["height"], &absent["value"]), (&json!("0"), &Value::Null));

    let long = STANDARD.encode([leaf.to_bytes(), vec![0]].concat()).replace('+', "%2B").replace('/', "%2F");
    for query in
        ["".into(), "leaf=!".into(), "leaf=/w==".into(), format!("leaf={long}"), format!("leaf={name}&height=x")]
    {
        assert_eq!(world.refused(&format!("{CHAIN}/proof?{query}")).await.0, 400, "{query}");
    }
    assert_eq!(world.refused(&format!("{CHAIN}/proof?leaf={name}&height=2")).await.0, 400, "in the future");
    *world.node.enclave.lock().unwrap() = Box::new(|_| Ok(Answer::Refused(QueryRefusal::Height)));
    assert_eq!(world.refused(&format!("{CHAIN}/proof?leaf={name}&height=0")).await.0, 400);
}

#[tokio::test]
async fn the_genesis_is_told_as_a_file_has_it() {
    let world = World::start().await;
    let told = world.get(&format!("{CHAIN}/genesis")).await;
    let genesis: Genesis = serde_json::from_value(told).unwrap();
    assert_eq!(genesis, world.node.store.reader().unwrap().genesis().unwrap());
}

#[tokio::test]
async fn headers_are_asked_for_by_number() {
    let world = World::start().await;
    for query in ["", "from=", "from=x", "from=-1", "from=1&count=x"] {
        assert_eq!(world.refused(&format!("{CHAIN}/headers?{query}")).await.0, 400, "{query}");
    }
}
