//! Searching events, and filters.

use cloister_chain::{Address, B256, Log};
use serde_json::{Value, json};

use super::world::*;

/// Heights 1 to 4; events of the contract with topics (1, 2), (1), of another contract with (1), none, (1, 3).
async fn chain() -> World {
    let world = World::start().await;
    let logs = |logs: &[Log]| Effect { logs: logs.to_vec(), ..Effect::default() };
    let other = Log { address: OTHER, ..event(&[1], b"") };
    world
        .mine(&[(transfer(1, 0), Effect::default()), (transfer(2, 0), logs(&[event(&[1, 2], b""), event(&[1], b"")]))]);
    world.mine(&[(transfer(1, 1), logs(&[other]))]);
    world.mine(&[(transfer(1, 2), Effect::default())]);
    world.mine(&[(transfer(2, 1), logs(&[event(&[1, 3], b"")]))]);
    world
}

/// Height, transaction and log index of each event.
fn places(logs: &Value) -> Vec<(&str, &str, &str)> {
    let text = |log: &'_ Value, name: &str| -> String { log[name].as_str().unwrap().to_string() };
    let place = |log| [text(log, "blockNumber"), text(log, "transactionIndex"), text(log, "logIndex")];
    logs.as_array().unwrap().iter().map(place).map(|[a, b, c]| (&*a.leak(), &*b.leak(), &*c.leak())).collect()
}

const FIRST: (&str, &str, &str) = ("0x1", "0x1", "0x0");
const SECOND: (&str, &str, &str) = ("0x1", "0x1", "0x1");
const THIRD: (&str, &str, &str) = ("0x2", "0x0", "0x0");
const FOURTH: (&str, &str, &str) = ("0x4", "0x0", "0x0");
const OTHER: Address = Address::repeat_byte(0xee);

#[tokio::test]
async fn events_are_found_by_range_address_and_topics() {
    let world = chain().await;
    let topic = |n: u8| json!(B256::with_last_byte(n));
    let hash = world.get("eth_getBlockByNumber", json!(["0x1", false])).await["hash"].clone();
    for (filter, expected) in [
        (json!({ "fromBlock": "0x0" }), vec![FIRST, SECOND, THIRD, FOURTH]),
        (json!({ "fromBlock": "earliest", "toBlock": "latest" }), vec![FIRST, SECOND, THIRD, FOURTH]),
        (json!({}), vec![FOURTH]),
        (json!({ "fromBlock": "0x1", "toBlock": "0x2" }), vec![FIRST, SECOND, THIRD]),
        (json!({ "fromBlock": "0x3", "toBlock": "0x99" }), vec![FOURTH]),
        (json!({ "fromBlock": "0x98", "toBlock": "0x99" }), vec![]),
        (json!({ "blockHash": hash }), vec![FIRST, SECOND]),
        (json!({ "fromBlock": "0x0", "address": OTHER }), vec![THIRD]),
        (
            json!({ "fromBlock": "0x0", "address": [OTHER, CONTRACT], "topics": [topic(1), null] }),
            vec![FIRST, SECOND, THIRD, FOURTH],
        ),
        (json!({ "fromBlock": "0x0", "topics": [null, topic(2)] }), vec![FIRST]),
        (json!({ "fromBlock": "0x0", "topics": [topic(1), [topic(2), topic(3)]] }), vec![FIRST, FOURTH]),
        (json!({ "fromBlock": "0x0", "topics": [topic(2)] }), vec![]),
    ] {
        let logs = world.get("eth_getLogs", json!([filter])).await;
        assert_eq!(places(&logs), expected, "{filter}");
    }
    for (filter, code, text) in [
        (json!({ "fromBlock": "0x2", "toBlock": "0x1" }), -32602, "invalid block range params"),
        (json!({ "blockHash": B256::ZERO }), -32000, "unknown block"),
    ] {
        assert_eq!(world.refused("eth_getLogs", json!([filter])).await, (code, text.to_string()));
    }
}

#[tokio::test]
async fn one_answer_holds_so_many_events() {
    let world = World::start().await;
    let flood = Effect { logs: vec![event(&[], b""); 10_001], ..Effect::default() };
    world.mine(&[(transfer(1, 0), flood)]);
    world.mine(&[]);
    let all = json!([{ "fromBlock": "0x0" }]);
    assert_eq!(world.refused("eth_getLogs", all).await, (-32005, "query returned more than 10000 results".into()));
    let one = world.get("eth_getLogs", json!([{ "fromBlock": "0x1", "toBlock": "0x1" }])).await;
    assert_eq!(one.as_array().unwrap().len(), 10_001, "a client can always go on block by block");
}

#[tokio::test]
async fn filters_report_each_thing_once() {
    let world = chain().await;
    let logs = world.get("eth_newFilter", json!([{ "fromBlock": "0x2", "address": CONTRACT }])).await;
    let blocks = world.get("eth_newBlockFilter", json!([])).await;
    let pending = world.get("eth_newPendingTransactionFilter", json!([])).await;
    let changes = async |id: &Value| world.get("eth_getFilterChanges", json!([id])).await;
    for id in [&logs, &blocks, &pending] {
        assert_eq!(changes(id).await, json!([]), "nothing is new yet");
    }
    let tx = transfer(3, 0);
    crate::Backend::submit(&*world.node, cloister_chain::Tx::Eth(tx.clone())).unwrap();
    world.mine(&[(tx.clone(), Effect { logs: vec![event(&[5], b"")], ..Effect::default() })]);
    world.mine(&[]);
    let hash = async |at: &str| world.get("eth_getBlockByNumber", json!([at, false])).await["hash"].clone();
    assert_eq!(changes(&pending).await, json!([tx.hash()]));
    assert_eq!(changes(&blocks).await, json!([hash("0x5").await, hash("0x6").await]));
    assert_eq!(places(&changes(&logs).await), [("0x5", "0x0", "0x0")]);
    for id in [&logs, &blocks, &pending] {
        assert_eq!(changes(id).await, json!([]), "it was reported");
    }
    let all = world.get("eth_getFilterLogs", json!([logs])).await;
    assert_eq!(places(&all), [FOURTH, ("0x5", "0x0", "0x0")], "the whole range again");

    let gone = (-32000, "filter not found".to_string());
    assert_eq!(world.refused("eth_getFilterLogs", json!([blocks])).await, gone);
    assert_eq!(world.get("eth_uninstallFilter", json!([logs])).await, true);
    assert_eq!(world.get("eth_uninstallFilter", json!([logs])).await, false);
    assert_eq!(world.refused("eth_getFilterChanges", json!([logs])).await, gone);
    assert_eq!(world.refused("eth_getFilterChanges", json!(["0x1"])).await, gone);
}

#[tokio::test]
async fn a_door_holds_so_many_filters() {
    let filters = crate::eth::filters::Filters::default();
    for _ in 0..4_096 {
        filters.add(crate::eth::filters::Watch::Blocks, 1).unwrap();
    }
    let error = filters.add(crate::eth::filters::Watch::Blocks, 1).unwrap_err();
    assert_eq!(error.to_string(), "too many filters, uninstall some");
}
