//! Transactions are found by what they did.

use cloister_chain::Tx;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::request::Page;
use super::super::search::Search;
use super::world::*;

/// As browsers and secretjs write parameters.
fn escape(text: &str) -> String {
    text.bytes().map(|byte| if byte == b' ' { "+".into() } else { format!("%{byte:02X}") }).collect()
}

/// Hashes found by a query with further parameters, and the total.
async fn found(world: &World, query: &str, more: &str) -> (Vec<String>, String) {
    let answer = world.get(&format!("/cosmos/tx/v1beta1/txs?query={}{more}", escape(query))).await;
    let responses = answer["tx_responses"].as_array().unwrap();
    assert_eq!(responses.len(), answer["txs"].as_array().unwrap().len());
    for (tx, response) in answer["txs"].as_array().unwrap().iter().zip(responses) {
        assert_eq!(tx["body"], response["tx"]["body"]);
    }
    assert_eq!(answer["pagination"], Value::Null);
    let hashes = responses.iter().map(|response| response["txhash"].as_str().unwrap().to_owned());
    (hashes.collect(), answer["total"].as_str().unwrap().to_owned())
}

/// Blocks 1 to 4 with transfers of 1 to 7, two in each block but the last. The odd ones have an event with their number.
async fn busy() -> (World, Vec<String>) {
    let world = World::start().await;
    let mut hashes = Vec::new();
    for first in [1u64, 3, 5, 7] {
        let made = |amount: u64| {
            let (tx, number) = (transfer(amount), format!("number {amount}"));
            let more: &[_] = if amount % 2 == 1 { &[("wasm-odd", "number", number.as_str())] } else { &[] };
            let receipt = done(&tx, events(&tx, more));
            (tx, receipt)
        };
        let mut txs: Vec<(Tx, _)> = (first..=7).take(2).map(made).collect();
        hashes.extend(txs.iter().map(|(tx, _)| upper(tx.hash())));
        txs.insert(0, ethereum(first));
        world.mine(&txs);
    }
    (world, hashes)
}

#[tokio::test]
async fn conditions_are_joined() {
    let (world, all) = busy().await;
    let pick = |picked: &[usize]| -> Vec<String> { picked.iter().map(|index| all[index - 1].clone()).collect() };
    let third = &all[2];
    for (query, expected) in [
        ("message.action='/cosmos.bank.v1beta1.MsgSend'", vec![1, 2, 3, 4, 5, 6, 7]),
        ("message.action='/cosmos.bank.v1beta1.MsgSend' AND tx.height>3", vec![7]),
        (&format!("message.sender='{USER}' AND tx.height >= 2 AND tx.height<4"), vec![3, 4, 5, 6]),
        ("tx.height=1", vec![1, 2]),
        ("tx.height = '1'", vec![1, 2]),
        ("tx.height<=0", vec![]),
        ("tx.height<0", vec![]),
        ("tx.height>18446744073709551615", vec![]),
        ("tx.height EXISTS", vec![1, 2, 3, 4, 5, 6, 7]),
        (&format!("tx.hash='{third}'"), vec![3]),
        (&format!("tx.hash='{}'", third.to_lowercase()), vec![3]),
        (&format!("tx.hash='{third}' AND tx.height=2 AND wasm-odd.number='number 3'"), vec![3]),
        (&format!("tx.hash='{third}' AND tx.height=1"), vec![]),
        (&format!("tx.hash='{third}' AND wasm-odd.number='number 1'"), vec![]),
        (&format!("tx.hash='{}'", "0".repeat(64)), vec![]),
        ("wasm-odd.number EXISTS", vec![1, 3, 5, 7]),
        ("wasm-odd.number EXISTS AND tx.height=2", vec![3]),
        ("wasm-odd.number CONTAINS 'ber 5'", vec![5]),
        ("wasm-odd.number CONTAINS 'number' AND message.sender EXISTS", vec![1, 3, 5, 7]),
        ("wasm-odd.number CONTAINS 'number' AND wasm-odd.number CONTAINS '7'", vec![7]),
        ("wasm-odd.number='number 3' AND wasm-odd.number='number 5'", vec![]),
        ("wasm-odd.number=''", vec![]),
        ("nothing.like='this'", vec![]),
    ] {
        let hashes = pick(&expected);
        assert_eq!(found(&world, query, "").await, (hashes, expected.len().to_string()), "{query}");
    }
}

#[tokio::test]
async fn pages_are_as_secretjs_asks_for_them() {
    let (world, all) = busy().await;
    // The request of the published client's trace, with another action in it and pages of two.
    let events = "events=message.action%3D%27%2Fcosmos.bank.v1beta1.MsgSend%27&events=tx.height%3E1";
    let query = "query=message.action%3D%27%2Fcosmos.bank.v1beta1.MsgSend%27+AND+tx.height%3E1";
    let pages = "pagination.limit=2&pagination.offset=1&limit=2&page=2";
    let both = world.get(&format!("/cosmos/tx/v1beta1/txs?{events}&{query}&{pages}")).await;
    let hashes: Vec<_> = both["tx_responses"].as_array().unwrap().iter().map(|r| r["txhash"].clone()).collect();
    assert_eq!((hashes, &both["total"]), (vec![json!(all[4]), json!(all[5])], &json!("5")));
    assert_eq!(world.get(&format!("/cosmos/tx/v1beta1/txs?{events}&{pages}")).await, both, "the older form");

    let every = "message.sender EXISTS";
    let total = "7".to_owned();
    for (more, expected) in [
        ("&pagination.limit=3", &all[0..3]),
        ("&pagination.limit=3&pagination.offset=5", &all[5..7]),
        ("&limit=3&page=1", &all[0..3]),
        ("&limit=3&page=3", &all[6..7]),
        ("&limit=3&page=4", &[][..]),
        ("&limit=1000000", &all[..]),
        ("&limit=0&page=0", &all[..]),
        ("&page=18446744073709551615", &[][..]),
    ] {
        assert_eq!(found(&world, every, more).await, (expected.to_vec(), total.clone()), "{more}");
    }
    let mut back = all.clone();
    back.reverse();
    assert_eq!(found(&world, every, "&order_by=ORDER_BY_DESC").await, (back.clone(), total.clone()));
    assert_eq!(found(&world, every, "&order_by=2&limit=2&page=2").await, (back[2..4].to_vec(), total));
    assert_eq!(
        found(&world, "wasm-odd.number EXISTS", "&order_by=ORDER_BY_DESC").await.0,
        [all[6].clone(), all[4].clone(), all[2].clone(), all[0].clone()]
    );
}

#[tokio::test]
async fn what_is_no_query_says_where() {
    let world = World::start().await;
    for query in [
        "message",
        "message.action",
        "message.action=",
        "message.action='x",
        "message.action=x",
        "message.action='x' OR message.action='y'",
        "message.action='x' AND",
        "message.action='x' AND ",
        "message.action='x'AND",
        "AND message.action='x'",
        "='x'",
        "message.action>'x'",
        "message.action>3",
        "tx.height>'x'",
        "tx.height>-1",
        "tx.height CONTAINS '1'",
        "tx.hash='00'",
        "tx.hash CONTAINS '00'",
        "a.b='1' \u{1F600}",
        "\u{1F600}.\u{1F600}",
    ] {
        let error = world.refused(&format!("/cosmos/tx/v1beta1/txs?query={}", escape(query))).await;
        assert_eq!((error.0, error.1), (400, 3), "{query}");
        assert!(error.2.starts_with("failed to parse query: expected "), "{query}: {}", error.2);
    }
    for path in ["/cosmos/tx/v1beta1/txs", "/cosmos/tx/v1beta1/txs?query=", "/cosmos/tx/v1beta1/txs?events=&limit=3"] {
        assert_eq!(world.refused(path).await, (400, 3, "query cannot be empty".into()));
    }
    let long = "a".repeat(5_000);
    assert_eq!(world.refused(&format!("/cosmos/tx/v1beta1/txs?query={long}")).await.0, 400);
    let error = world.refused("/cosmos/tx/v1beta1/txs?query=tx.height%3E1&limit=x").await;
    assert_eq!(error, (400, 3, "limit is not a number".into()));
}

#[tokio::test]
async fn an_answer_holds_no_more_than_a_block() {
    use prost::Message as _;
    use secret_sdk_proto::Any;
    use secret_sdk_proto::secret::compute::v1beta1::MsgStoreCode;
    let world = World::start().await;
    // Six uploads of almost 3 MiB in two blocks.
    for block in 0..2u8 {
        let upload = |number: u8| {
            let message = MsgStoreCode {
                sender: user().to_vec(),
                wasm_byte_code: vec![3 * block + number; 2_900_000],
                ..Default::default()
            };
            let type_url = "/secret.compute.v1beta1.MsgStoreCode".into();
            let tx = unsigned(vec![Any { type_url, value: message.encode_to_vec() }]);
            let receipt = done(&tx, events(&tx, &[]));
            (tx, receipt)
        };
        world.mine(&[upload(0), upload(1), upload(2)]);
    }
    let path = "/cosmos/tx/v1beta1/txs?query=tx.height%3E0";
    let error = world.refused(path).await;
    assert_eq!((error.0, error.1), (429, 8), "{}", error.2);
    let some = world.get(&format!("{path}&limit=5")).await;
    assert_eq!((some["txs"].as_array().unwrap().len(), &some["total"]), (5, &json!("6")));
    let block = world.get("/cosmos/tx/v1beta1/txs/block/2").await;
    assert_eq!(block["txs"].as_array().unwrap().len(), 3);
}

proptest! {
    #[test]
    fn no_query_is_too_strange(query in "[a-z.=<>' ANDEXISTSCONTAINS0-9\u{1F600}]{0,60}") {
        let _ = Search::parse(&query);
    }
}

#[tokio::test]
async fn a_search_finds_what_looking_at_every_transaction_finds() {
    let world = World::start().await;
    let mut model: Vec<(u64, u32, Vec<u8>)> = Vec::new();
    // Three attributes, each in its own rhythm, over forty blocks of up to three transactions.
    for round in 1..=40u64 {
        let made = |number: u64| {
            let kinds: Vec<u8> = [(b'a', 2), (b'b', 3), (b'c', 7)]
                .into_iter()
                .filter(|(_, rhythm)| number.is_multiple_of(*rhythm))
                .map(|(kind, _)| kind)
                .collect();
            let names: Vec<String> = kinds.iter().map(|kind| char::from(*kind).to_string()).collect();
            let more: Vec<_> = names.iter().map(|name| (name.as_str(), "k", "v")).collect();
            let tx = transfer(number);
            let receipt = done(&tx, events(&tx, &more));
            ((tx, receipt), kinds)
        };
        let block: Vec<_> = (0..round % 4).map(|index| made(round * 4 + index)).collect();
        let height = round;
        model.extend((0u32..).zip(&block).map(|(index, (_, kinds))| (height, index, kinds.clone())));
        let txs: Vec<_> = block.into_iter().map(|(tx, _)| tx).collect();
        assert_eq!(world.mine(&txs), height);
    }
    let door = super::super::Door::new(world.node.clone());
    for wanted in ["", "a", "b", "ab", "bc", "abc"] {
        for (from, to) in [(0, 40), (7, 31), (40, 40)] {
            for reverse in [false, true] {
                let tags = wanted.chars().map(|name| format!(" AND {name}.k='v'")).collect::<String>();
                let search = Search::parse(&format!("tx.height>={from} AND tx.height<={to}{tags}")).unwrap();
                let mut expected: Vec<(u64, u32)> = model
                    .iter()
                    .filter(|(height, _, kinds)| {
                        (from..=to).contains(height) && wanted.bytes().all(|kind| kinds.contains(&kind))
                    })
                    .map(|(height, index, _)| (*height, *index))
                    .collect();
                if reverse {
                    expected.reverse();
                }
                let total = expected.len();
                let expected: Vec<_> = expected.into_iter().skip(2).take(5).collect();
                let found = door.search(&search, Page { offset: 2, limit: 5, reverse }).unwrap();
                assert_eq!((found.places, found.total), (expected, total), "{wanted} {from} {to} {reverse}");
            }
        }
    }
}
