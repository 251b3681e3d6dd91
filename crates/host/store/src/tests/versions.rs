//! Versions of leaves, against a plain map for every height.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::tables::{split_version_key, version_key};

type Model = BTreeMap<Leaf, Vec<u8>>;

/// Leaves of every kind, some of which are neighbours in the store.
fn leaf() -> impl Strategy<Value = Leaf> {
    let address = prop::sample::select(vec![0x00u8, 0x01, 0xff]).prop_map(Address::repeat_byte);
    let slot = prop::sample::select(vec![0x00u8, 0x01, 0xff]).prop_map(B256::repeat_byte);
    prop_oneof![
        Just(Leaf::Chain),
        prop::sample::select(vec![0u8, 1, 255]).prop_map(Leaf::BlockHash),
        address.clone().prop_map(Leaf::Account),
        (address, slot).prop_map(|(address, slot)| Leaf::Storage(address, slot)),
    ]
}

fn writes() -> impl Strategy<Value = BTreeMap<Leaf, Option<Vec<u8>>>> {
    prop::collection::btree_map(leaf(), prop::option::of(prop::collection::vec(any::<u8>(), 0..3)), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_kept_height_reads_as_it_was(
        blocks in prop::collection::vec((writes(), prop::option::weighted(0.2, 0..4u64)), 1..14),
        piece in 1..200usize,
    ) {
        let store = started();
        let mut models = vec![Model::new()];
        let mut oldest = 0;
        for (writes, prune) in blocks {
            let tip = add(&store, writes.clone().into_iter().collect(), Vec::new());
            let mut model = models.last().unwrap().clone();
            for (leaf, value) in writes {
                match value {
                    Some(value) => model.insert(leaf, value),
                    None => model.remove(&leaf),
                };
            }
            models.push(model);
            if let Some(keep) = prune {
                let below = tip.saturating_sub(keep);
                store.prune(below).unwrap();
                oldest = oldest.max(below);
            }
        }
        let reader = store.reader().unwrap();
        prop_assert_eq!(reader.oldest().unwrap(), oldest);
        let known: Vec<Leaf> = models.iter().flat_map(Model::keys).copied().chain([Leaf::BlockHash(7)]).collect();
        for (height, model) in (0u64..).zip(&models) {
            if height < oldest {
                let pruned = |error| matches!(error, StoreError::Pruned { height: of, oldest: from } if of == height && from == oldest);
                prop_assert!(reader.leaf(&Leaf::Chain, height).is_err_and(pruned));
                prop_assert!(reader.leaves(height, piece).err().is_some_and(pruned));
                continue;
            }
            let expected: Vec<_> = known.iter().map(|leaf| model.get(leaf).cloned()).collect();
            prop_assert_eq!(reader.leaf_values(&known, height).unwrap(), expected);
            let all: Vec<_> = reader.leaves(height, piece).unwrap().flat_map(Result::unwrap).collect();
            prop_assert_eq!(all, model.clone().into_iter().collect::<Vec<_>>());
        }
        let ahead = |error| matches!(error, StoreError::Ahead { .. });
        prop_assert!(reader.leaf(&Leaf::Chain, models.len() as u64).is_err_and(ahead));
    }
}

#[test]
fn pruning_to_the_tip_leaves_one_version_of_what_there_is_and_none_of_what_there_is_not() {
    let store = started();
    for round in 0..5u8 {
        add(&store, vec![(Leaf::Chain, Some(vec![round])), (Leaf::BlockHash(1), Some(vec![round]))], Vec::new());
    }
    let tip = add(&store, vec![(Leaf::BlockHash(1), None)], Vec::new());
    store.prune(tip).unwrap();
    store.prune(tip - 3).unwrap();
    assert!(matches!(store.prune(tip + 1), Err(StoreError::Ahead { .. })));
    let reader = store.reader().unwrap();
    assert_eq!(reader.oldest().unwrap(), tip, "what is gone does not come back");
    assert_eq!(reader.version_count().unwrap(), 1);
    assert_eq!(reader.leaf(&Leaf::Chain, tip).unwrap(), Some(vec![4]));
    assert!(reader.block(1).unwrap().is_some(), "blocks stay");
}

#[test]
fn the_state_comes_in_pieces_of_about_the_size_asked_for() {
    let store = started();
    let writes = (0..100).map(|number| (Leaf::BlockHash(number), Some(vec![number; 98]))).collect();
    let tip = add(&store, writes, Vec::new());
    let pieces: Vec<usize> =
        store.reader().unwrap().leaves(tip, 1_000).unwrap().map(|piece| piece.unwrap().len()).collect();
    assert_eq!(pieces, [10; 10]);
}

#[test]
fn keys_of_versions_are_pinned() {
    let key = version_key(&Leaf::BlockHash(7), 3);
    assert_eq!(key, [1, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc]);
    assert_eq!(split_version_key(&key).unwrap(), (&[1, 7][..], 3));
    assert!(version_key(&Leaf::BlockHash(7), 4) < key, "the newer comes first");
    assert!(split_version_key(&[0; 7]).is_err());
}
