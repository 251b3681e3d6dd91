//! Blocks, validators, and what a node says about itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::world::*;

const BASE: &str = "/cosmos/base/tendermint/v1beta1";

#[tokio::test]
async fn a_block_shows_this_doors_transactions_only() {
    let world = World::start().await;
    world.mine(&[]);
    let certificate = world.certificate.lock().unwrap().clone().unwrap();
    let tx = transfer(1);
    let receipt = done(&tx, Vec::new());
    world.mine(&[ethereum(0), (tx.clone(), receipt), ethereum(1)]);

    let latest = world.get(&format!("{BASE}/blocks/latest")).await;
    assert_eq!(world.get(&format!("{BASE}/blocks/2")).await, latest);
    let reader = world.node.store.reader().unwrap();
    let (header, parent) = (reader.header(2).unwrap().unwrap(), reader.header(1).unwrap().unwrap());
    let b64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let id = |hash: &[u8]| json!({ "hash": b64(hash), "part_set_header": { "total": 0, "hash": "" } });
    let mut block = json!({
        "header": {
            "version": { "block": "11", "app": "0" },
            "chain_id": "secretdev-1",
            "height": "2",
            "time": "2023-11-14T22:13:22.500000014Z",
            "last_block_id": id(parent.hash().as_slice()),
            "last_commit_hash": b64(header.certificate.as_slice()),
            "data_hash": b64(header.txs.as_slice()),
            "validators_hash": b64(header.validators.as_slice()),
            "next_validators_hash": b64(header.next_validators.as_slice()),
            "consensus_hash": "",
            "app_hash": b64(header.state_root.as_slice()),
            "last_results_hash": b64(header.results.as_slice()),
            "evidence_hash": "",
            "proposer_address": b64(header.proposer.as_slice()),
        },
        "data": { "txs": [b64(raw(&tx))] },
        "evidence": { "evidence": [] },
        "last_commit": {
            "height": "1",
            "round": 0,
            "block_id": id(parent.hash().as_slice()),
            "signatures": [{
                "block_id_flag": "BLOCK_ID_FLAG_COMMIT",
                "validator_address": b64(header.proposer.as_slice()),
                "timestamp": "2023-11-14T22:13:22.500000014Z",
                "signature": b64(&certificate.precommits[0].signature),
            }],
        },
    });
    assert_eq!(latest["block"], block);
    assert_eq!(latest["block_id"], id(header.hash().as_slice()));
    let proposer = latest["sdk_block"]["header"]["proposer_address"].as_str().unwrap();
    assert!(proposer.starts_with("secretvalcons1"), "{proposer}");
    block["header"]["proposer_address"] = proposer.into();
    assert_eq!(latest["sdk_block"], block);

    let with = world.get("/cosmos/tx/v1beta1/txs/block/2").await;
    assert_eq!(with["block"], latest["block"]);
    assert_eq!(with["txs"].as_array().unwrap().len(), 1);
    assert_eq!(with["txs"][0]["body"]["messages"][0]["from_address"], USER);
    assert_eq!(with["pagination"], json!({ "next_key": null, "total": "1" }));
}

#[tokio::test]
async fn the_chain_starts_with_a_block_that_nobody_made() {
    let world = World::start().await;
    let latest = world.get(&format!("{BASE}/blocks/latest")).await;
    let header = &latest["block"]["header"];
    assert_eq!((&header["height"], &header["time"]), (&json!("0"), &json!("2023-11-14T22:13:20.000000000Z")));
    assert_eq!((&latest["block"]["data"]["txs"], &latest["block"]["last_commit"]), (&json!([]), &json!(null)));
    let error = world.refused(&format!("{BASE}/blocks/1")).await;
    assert_eq!(error, (400, 3, "requested block height is bigger then the chain length: 1".into()));
}

#[tokio::test]
async fn validators_are_those_of_the_genesis() {
    let world = World::start().await;
    world.mine(&[]);
    let set = world.get(&format!("{BASE}/validatorsets/latest")).await;
    let key = world.node.store.reader().unwrap().genesis().unwrap().validators.iter().next().unwrap().key;
    assert_eq!((&set["block_height"], &set["pagination"]["total"]), (&json!("1"), &json!("1")));
    let validator = &set["validators"][0];
    let shown = json!({ "@type": "/cosmos.crypto.ed25519.PubKey", "key": STANDARD.encode(key) });
    assert_eq!((&validator["pub_key"], &validator["voting_power"]), (&shown, &json!("1")));
    assert_eq!(world.get(&format!("{BASE}/validatorsets/0")).await["validators"], set["validators"]);
    assert_eq!(world.refused(&format!("{BASE}/validatorsets/2")).await.0, 400);
}

#[tokio::test]
async fn a_node_says_what_it_is() {
    let world = World::start().await;
    world.mine(&[]);
    let info = world.get(&format!("{BASE}/node_info")).await;
    assert_eq!(info["default_node_info"]["network"], "secretdev-1");
    assert_eq!(info["application_version"]["build_tags"], "SIMULATED");
    assert_eq!(world.get(&format!("{BASE}/syncing")).await, json!({ "syncing": false }));
    *world.node.behind.lock().unwrap() = Some(9);
    assert_eq!(world.get(&format!("{BASE}/syncing")).await, json!({ "syncing": true }));
    let status = world.get("/cosmos/base/node/v1beta1/status").await;
    assert_eq!((&status["height"], &status["earliest_store_height"]), (&json!("1"), &json!("0")));
    assert_eq!(status["timestamp"], "2023-11-14T22:13:21.250000007Z");
    let config = world.get("/cosmos/base/node/v1beta1/config").await;
    assert_eq!(config["minimum_gas_price"], "0.000000000000000000uscrt");
    let params = world.get("/cosmos/consensus/v1/params").await;
    assert_eq!(params["params"]["block"], json!({ "max_bytes": "16777216", "max_gas": "100000000" }));
}

#[tokio::test]
async fn wallets_find_empty_lists_where_there_is_nothing() {
    let world = World::start().await;
    for (path, name) in [
        (format!("authz/v1beta1/grants?granter={USER}&grantee={USER}"), "grants"),
        (format!("authz/v1beta1/grants/grantee/{USER}"), "grants"),
        (format!("authz/v1beta1/grants/granter/{USER}"), "grants"),
        (format!("staking/v1beta1/delegations/{USER}"), "delegation_responses"),
        ("gov/v1/proposals".into(), "proposals"),
        (format!("distribution/v1beta1/delegators/{USER}/rewards"), "rewards"),
    ] {
        assert_eq!(world.get(&format!("/cosmos/{path}")).await[name], json!([]), "{path}");
    }
    for path in ["/cosmos/nft/v1beta1/classes", "/ibc/core/client/v1/nothing", "/", "/nothing/here?x=y"] {
        assert_eq!(world.refused(path).await, (501, 12, "Not Implemented".into()), "{path}");
    }
}
