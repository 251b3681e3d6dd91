//! Blocks, transactions, state and fees.

use cloister_chain::Leaf;
use cloister_chain::{Address, B256};
use serde_json::{Value, json};

use super::world::*;

#[tokio::test]
async fn the_node_says_who_it_is() {
    let world = World::start().await;
    let version = format!("cloister/v{}/SIMULATED", env!("CARGO_PKG_VERSION"));
    let keccak_of_nothing = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    for (method, params, answer) in [
        ("web3_clientVersion", json!([]), json!(version)),
        ("web3_sha3", json!(["0x"]), json!(keccak_of_nothing)),
        ("net_version", json!([]), json!("7082400")),
        ("net_listening", json!([]), json!(true)),
        ("net_peerCount", json!([]), json!("0x3")),
        ("eth_chainId", json!([]), json!("0x6c11a0")),
        ("eth_syncing", json!([]), json!(false)),
        ("eth_accounts", json!([]), json!([])),
        ("eth_blockNumber", json!([]), json!("0x0")),
    ] {
        assert_eq!(world.get(method, params).await, answer, "{method}");
    }
    *world.node.behind.lock().unwrap() = Some(9);
    let syncing = world.get("eth_syncing", json!([])).await;
    assert_eq!((&syncing["currentBlock"], &syncing["highestBlock"]), (&json!("0x0"), &json!("0x9")));
}

#[tokio::test]
async fn a_block_is_found_by_height_tag_and_hash() {
    let world = World::start().await;
    world.mine(&[]);
    world.mine(&[(transfer(1, 0), Effect::default()), (transfer(2, 0), Effect::default())]);
    let latest = world.get("eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(latest["number"], "0x2");
    for tag in ["pending", "safe", "finalized", "0x2"] {
        assert_eq!(world.get("eth_getBlockByNumber", json!([tag, false])).await, latest, "blocks are final: {tag}");
    }
    let hash = &latest["hash"];
    assert_eq!(world.get("eth_getBlockByHash", json!([hash, false])).await, latest);
    let below = world.get("eth_getBlockByNumber", json!(["0x1", false])).await;
    assert_eq!(latest["parentHash"], below["hash"]);
    assert_eq!(world.get("eth_getBlockByNumber", json!(["earliest", false])).await["hash"], below["parentHash"]);
    for (method, unknown) in [
        ("eth_getBlockByNumber", json!(["0x3", false])),
        ("eth_getBlockByNumber", json!(["0xffffffffffffffff", true])),
        ("eth_getBlockByHash", json!([B256::ZERO, false])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x3"])),
        ("eth_getBlockReceipts", json!(["0x3"])),
        ("eth_getUncleCountByBlockNumber", json!(["0x3"])),
        ("eth_getUncleByBlockNumberAndIndex", json!(["0x2", "0x0"])),
        ("eth_getUncleByBlockHashAndIndex", json!([hash, "0x0"])),
        ("eth_getTransactionByHash", json!([B256::ZERO])),
        ("eth_getTransactionReceipt", json!([B256::ZERO])),
        ("eth_getRawTransactionByHash", json!([B256::ZERO])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x2", "0x2"])),
    ] {
        assert_eq!(world.get(method, unknown).await, Value::Null, "{method}");
    }
    for (method, params, count) in [
        ("eth_getBlockTransactionCountByNumber", json!(["0x2"]), "0x2"),
        ("eth_getBlockTransactionCountByHash", json!([hash]), "0x2"),
        ("eth_getUncleCountByBlockNumber", json!(["latest"]), "0x0"),
        ("eth_getUncleCountByBlockHash", json!([hash]), "0x0"),
    ] {
        assert_eq!(world.get(method, params).await, count, "{method}");
    }
}

#[tokio::test]
async fn a_transaction_is_found_by_hash_and_by_place() {
    let world = World::start().await;
    let (first, second) = (transfer(1, 0), transfer(2, 0));
    world.mine(&[(first, Effect::default()), (second.clone(), Effect::default())]);
    let found = world.get("eth_getTransactionByHash", json!([second.hash()])).await;
    assert_eq!((&found["transactionIndex"], &found["from"]), (&json!("0x1"), &json!(user(2))));
    let block = &found["blockHash"];
    assert_eq!(world.get("eth_getTransactionByBlockHashAndIndex", json!([block, "0x1"])).await, found);
    assert_eq!(world.get("eth_getTransactionByBlockNumberAndIndex", json!(["0x1", "0x1"])).await, found);
    let receipt = world.get("eth_getTransactionReceipt", json!([second.hash()])).await;
    assert_eq!(world.get("eth_getBlockReceipts", json!([block])).await[1], receipt);
    assert_eq!(world.get("eth_getBlockReceipts", json!([{ "blockHash": block }])).await[1], receipt);
}

#[tokio::test]
async fn state_is_read_at_every_height_that_is_kept() {
    let world = World::start().await;
    let slot = B256::with_last_byte(3);
    let write = |word| vec![(Leaf::Storage(CONTRACT, slot), Some(cell(word)))];
    world.mine_with(&[(transfer(1, 0), Effect::default())], write(6));
    world.mine_with(&[(transfer(1, 1), Effect::default())], write(7));
    let word = |word: u8| json!(B256::with_last_byte(word));
    let hash = world.get("eth_getBlockByNumber", json!(["0x1", false])).await["hash"].clone();
    for (at, expected) in [
        (json!("0x0"), 5),
        (json!("earliest"), 5),
        (json!("0x1"), 6),
        (json!(hash), 6),
        (json!({ "blockHash": hash }), 6),
        (json!({ "blockNumber": "0x1" }), 6),
        (json!("latest"), 7),
        (json!("pending"), 7),
        (Value::Null, 7),
    ] {
        assert_eq!(world.get("eth_getStorageAt", json!([CONTRACT, "0x3", at])).await, word(expected), "{at}");
    }
    assert_eq!(world.get("eth_getStorageAt", json!([CONTRACT, slot])).await, word(7), "a full slot, no height");
    assert_eq!(world.get("eth_getStorageAt", json!([CONTRACT, "0x4", "latest"])).await, word(0));
    assert_eq!(world.get("eth_getTransactionCount", json!([user(1), "0x1"])).await, "0x1");
    assert_eq!(world.get("eth_getTransactionCount", json!([user(1), "latest"])).await, "0x2");
    assert_eq!(world.get("eth_getBalance", json!([CONTRACT, "latest"])).await, "0x7");
    assert_eq!(world.get("eth_getBalance", json!([user(1)])).await, "0x3635c9adc5dea00000");
    assert_eq!(world.get("eth_getBalance", json!([Address::repeat_byte(1), "0x0"])).await, "0x0");
    assert_eq!(world.get("eth_getCode", json!([CONTRACT, "latest"])).await, "0x60016000f3");
    assert_eq!(world.get("eth_getCode", json!([user(1), "latest"])).await, "0x");

    let beyond = (-32000, "header not found".to_string());
    assert_eq!(world.refused("eth_getBalance", json!([CONTRACT, "0x3"])).await, beyond);
    assert_eq!(world.refused("eth_getStorageAt", json!([CONTRACT, "0x3", B256::ZERO])).await, beyond);
    world.node.store.prune(2).unwrap();
    let pruned = (-32000, "missing trie node: the state of block 1 is no longer kept".to_string());
    assert_eq!(world.refused("eth_getStorageAt", json!([CONTRACT, "0x3", "0x1"])).await, pruned);
    assert_eq!(world.get("eth_getStorageAt", json!([CONTRACT, "0x3", "0x2"])).await, word(7));
}

#[tokio::test]
async fn fees_follow_the_chain() {
    let world = World::start().await;
    assert_eq!(world.get("eth_gasPrice", json!([])).await, "0x989680", "base fee and tip, 5 000 000 wei each");
    assert_eq!(world.get("eth_maxPriorityFeePerGas", json!([])).await, "0x4c4b40");
    // Three quarters of the gas paid a tip of 1 gwei, one quarter 3 gwei.
    let mut generous = call(0, CONTRACT, b"");
    (generous.max_fee_per_gas, generous.max_priority_fee_per_gas) = (9_000_000_000, 3_000_000_000);
    let effect = |gas| Effect { gas, ..Effect::default() };
    world.mine(&[(send(1, generous), effect(150_000_000)), (transfer(2, 0), effect(450_000_000))]);
    let history = world.get("eth_feeHistory", json!(["0x5", "latest", [0, 50, 75, 76, 100]])).await;
    let (low, high) = ("0x3b9aca00", "0xb2d05e00");
    assert_eq!(
        history,
        json!({
            "oldestBlock": "0x0",
            "baseFeePerGas": ["0x4c4b40", "0x4c4b40", "0x4c4b40"],
            "gasUsedRatio": [0.0, 0.5],
            "reward": [["0x0", "0x0", "0x0", "0x0", "0x0"], [low, low, low, high, high]],
        })
    );
    let short = world.get("eth_feeHistory", json!([1, "0x0"])).await;
    assert_eq!(
        short,
        json!({ "oldestBlock": "0x0", "baseFeePerGas": ["0x4c4b40", "0x4c4b40"], "gasUsedRatio": [0.0] })
    );
    for bad in [json!([-1]), json!([101]), json!([5, 4])] {
        let error = world.refused("eth_feeHistory", json!(["0x1", "latest", bad])).await;
        assert_eq!(error, (-32602, "invalid reward percentile".to_string()));
    }
}
