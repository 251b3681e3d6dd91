//! Cosmos transactions are found by what they did.

use cloister_chain::{CosmosResult, Event};
use proptest::prelude::*;

use super::*;
use crate::Tag;

fn cosmos(tx: u8, attributes: &[(&str, &str, &str)]) -> Receipt {
    let events = attributes
        .iter()
        .map(|(kind, key, value)| Event { kind: (*kind).into(), attributes: vec![((*key).into(), (*value).into())] });
    let result = CosmosResult { events: events.collect(), ..CosmosResult::default() };
    Receipt { cosmos: Some(result), ..receipt(B256::with_last_byte(tx), Status::Success) }
}

fn found(store: &Store, tag: Tag) -> Vec<(u64, Vec<u32>)> {
    store.reader().unwrap().tagged(&tag, 0..=u64::MAX).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_transaction_is_filed_under_the_value_of_each_attribute() {
    let store = started();
    let send = [
        ("message", "action", "send"),
        ("message", "sender", "a"),
        ("message", "sender", "b"),
        ("message", "sender", "a"),
        ("message", "msg_index", "0"),
    ];
    let one = cosmos(1, &send);
    let eth = receipt(B256::with_last_byte(2), Status::Success);
    let refused = Receipt { status: Status::Refused(Refusal::Rule), ..cosmos(9, &send) };
    let two = cosmos(3, &[("message", "action", "send"), ("wasm-x", "k", "")]);
    add(&store, Vec::new(), vec![one, eth, two]);
    add(&store, Vec::new(), vec![receipt(B256::with_last_byte(4), Status::Success), refused]);
    add(&store, Vec::new(), vec![cosmos(5, &send[..1])]);

    assert_eq!(
        found(&store, Tag::every()),
        [(1, vec![0, 2]), (3, vec![0])],
        "neither Ethereum ones nor the refused one"
    );
    assert_eq!(found(&store, Tag::value("message.action", "send")), [(1, vec![0, 2]), (3, vec![0])]);
    assert_eq!(found(&store, Tag::value("message.sender", "a")), [(1, vec![0])], "once, though it says so twice");
    assert_eq!(found(&store, Tag::value("message.sender", "b")), [(1, vec![0])]);
    assert_eq!(found(&store, Tag::value("wasm-x.k", "")), [(1, vec![2])]);
    assert_eq!(found(&store, Tag::value("message.msg_index", "0")), []);
    assert_eq!(found(&store, Tag::value("message.action", "sen")), []);
}

#[test]
fn heights_bound_a_search_and_it_goes_both_ways() {
    let store = started();
    for height in 1..=5 {
        add(&store, Vec::new(), vec![cosmos(height, &[("a", "b", "c")])]);
    }
    let reader = store.reader().unwrap();
    let tag = Tag::value("a.b", "c");
    let heights = |range| -> Vec<u64> { reader.tagged(&tag, range).unwrap().map(|entry| entry.unwrap().0).collect() };
    assert_eq!(heights(2..=4), [2, 3, 4]);
    assert_eq!(heights(5..=u64::MAX), [5]);
    #[allow(clippy::reversed_empty_ranges)]
    let none = heights(4..=3);
    assert_eq!(none, [0; 0]);
    let back: Vec<u64> = reader.tagged(&tag, 0..=3).unwrap().rev().map(|entry| entry.unwrap().0).collect();
    assert_eq!(back, [3, 2, 1]);
}

#[test]
fn tags_are_pinned() {
    let hex = |tag: Tag| alloy_primitives::hex::encode(tag.at(258));
    assert_eq!(hex(Tag::every()), "8a94c599333d4ecb65b97706e798f2a50000000000000102");
    assert_eq!(hex(Tag::value("message.action", "send")), "08b54e4aeeacbcf10cb16ce5b951a7760000000000000102");
}

proptest! {
    #[test]
    fn a_name_never_runs_into_its_value(a in "[a-c.]{0,3}", b in "[a-c.]{0,3}", c in "[a-c.]{0,3}", d in "[a-c.]{0,3}") {
        prop_assert_eq!(Tag::value(&a, &b) == Tag::value(&c, &d), (&a, &b) == (&c, &d));
        prop_assert_ne!(Tag::value(&a, &b), Tag::every());
    }
}
