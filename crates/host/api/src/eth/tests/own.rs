//! The chain's own methods.

use cloister_chain::proof::{Proof, leaf_hash};
use cloister_chain::wire::{Answer, Query, QueryRefusal};
use cloister_chain::{Address, B256, Certificate, Genesis, Header, Leaf};
use serde_json::{Value, json};

use super::world::*;

#[tokio::test]
async fn the_chain_says_who_it_is() {
    let world = World::start().await;
    world.mine(&[]);
    let genesis = Genesis::for_tests();
    let validator = genesis.validators.iter().next().unwrap();
    let block = world.get("eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(
        world.get("cloister_chain", json!([])).await,
        json!({
            "chainId": "test-1",
            "evmChainId": "0x6c11a0",
            "simulated": true,
            "genesisHash": genesis.hash(),
            "height": "0x1",
            "blockHash": block["hash"],
            "validators": [{ "key": validator.key, "power": "0x1", "address": validator.address() }],
        })
    );
}

#[tokio::test]
async fn a_client_can_check_a_proof_from_the_answer_alone() {
    let world = World::start().await;
    let slot = B256::with_last_byte(3);
    let leaf = Leaf::Storage(CONTRACT, slot);
    // A state with one leaf: its hash is the root.
    let end = (leaf.position(), Leaf::value_hash(&cell(5)));
    let proof = Proof { siblings: vec![], leaf: Some(end) };
    let answer = Answer::Proved { height: 0, root: leaf_hash(&end.0, &end.1), value: Some(cell(5)), proof };
    world.enclave(move |question| {
        assert_eq!((question.height, question.query), (None, Query::Prove(leaf)));
        Ok(answer.clone())
    });
    let ask = json!([{ "storage": { "address": CONTRACT, "slot": slot } }, "latest"]);
    let early = world.get("cloister_getProof", ask.clone()).await;
    assert_eq!((&early["header"], &early["certificate"]), (&Value::Null, &Value::Null), "the next block is missing");
    world.mine(&[]);
    let answer = world.get("cloister_getProof", ask).await;

    let bytes = |value: &Value| alloy_primitives::hex::decode(value.as_str().unwrap()).unwrap();
    let hash = |value: &Value| value.as_str().unwrap().parse::<B256>().unwrap();
    let named: Leaf = borsh::from_slice(&bytes(&answer["leaf"])).unwrap();
    assert_eq!(named, leaf);
    let end = &answer["proof"]["leaf"];
    let proof = Proof { siblings: vec![], leaf: Some((hash(&end["position"]), hash(&end["valueHash"]))) };
    proof.verify(&hash(&answer["root"]), &named, Some(&bytes(&answer["value"]))).unwrap();
    let header: Header = borsh::from_slice(&bytes(&answer["header"])).unwrap();
    let certificate: Certificate = borsh::from_slice(&bytes(&answer["certificate"])).unwrap();
    let genesis = Genesis::for_tests();
    certificate.verify(&genesis.chain_id, &genesis.validators, header.height, &header.hash()).unwrap();
    assert_eq!((header.height, header.state_root), (1, root(0)));
}

#[tokio::test]
async fn absence_and_siblings_are_shown_as_they_are() {
    let world = World::start().await;
    let proof = Proof { siblings: vec![(0, B256::repeat_byte(1)), (9, B256::repeat_byte(2))], leaf: None };
    world.enclave(move |question| {
        assert_eq!(question.query, Query::Prove(Leaf::Account(Address::ZERO)));
        Ok(Answer::Proved { height: 0, root: root(0), value: None, proof: proof.clone() })
    });
    let answer = world.get("cloister_getProof", json!([{ "account": Address::ZERO }])).await;
    assert_eq!(
        answer,
        json!({
            "height": "0x0",
            "root": root(0),
            "leaf": "0x020000000000000000000000000000000000000000",
            "value": null,
            "proof": {
                "siblings": [{ "bit": 0, "hash": B256::repeat_byte(1) }, { "bit": 9, "hash": B256::repeat_byte(2) }],
                "leaf": null,
            },
            "header": null,
            "certificate": null,
        })
    );
    world.enclave(|_| Ok(Answer::Refused(QueryRefusal::Height)));
    assert_eq!(world.refused("cloister_getProof", json!([{ "account": Address::ZERO }, "0x0"])).await.0, -32000);
    for name in [json!({}), json!({ "account": "0x1" }), json!({ "code": Address::ZERO }), json!("account")] {
        assert_eq!(world.refused("cloister_getProof", json!([name])).await.0, -32602);
    }
}
