//! States of others.

use cloister_chain::trail::Trail;
use cloister_chain::{Parent, Validator, ValidatorSet};
use ed25519_zebra::{SigningKey, VerificationKey};

use super::*;
use crate::Item;

fn key(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

fn set(seed: u8) -> ValidatorSet {
    let key = B256::new(VerificationKey::from(&key(seed)).into());
    ValidatorSet::new(vec![Validator { key, power: 1 }]).unwrap()
}

/// A chain whose block 2 is the first that another validator signs, and what its blocks left.
fn chain(store: &Store) -> Vec<Parent> {
    let genesis = Genesis::for_tests();
    let mut last = Parent::genesis(&genesis, &outcome(0, Vec::new(), Vec::new()));
    last.following = set(8);
    let mut all = vec![last];
    for height in 1..=5_u64 {
        let last = all.last().unwrap();
        let block = last.block(vec![], vec![], 0, Address::ZERO);
        let signer = if height == 1 { 7 } else { 8 };
        let certificate = Certificate::solo(&key(signer), &genesis.chain_id, height, block.header.hash());
        let code = Bytes::from(vec![height as u8; 3]);
        let writes = vec![
            (Leaf::Chain, Some(vec![height as u8])),
            (Leaf::Code(height), Some(vec![1])),
            (Leaf::Code(height - 1), None),
        ];
        let made = Outcome {
            next_validators: set(8),
            following_validators: set(8),
            blobs: vec![(keccak256(&code), code)],
            ..outcome(height, writes, Vec::new())
        };
        store.commit(&block, &certificate, &made).unwrap();
        all.push(last.then(block.header, certificate, &made));
    }
    all
}

/// The state after a block as it travels.
fn items(store: &Store, height: u64) -> Vec<Item> {
    let reader = store.reader().unwrap();
    let leaves = reader.leaves(height, 1).unwrap().flat_map(Result::unwrap);
    let leaves = leaves.map(|(leaf, value)| Item::Leaf(leaf, value));
    leaves.chain(reader.blobs().unwrap().map(|blob| blob.map(|(hash, blob)| Item::Blob(hash, blob)).unwrap())).collect()
}

fn adopt(store: &Store, parent: &Parent, trail: &Trail, items: Vec<Item>) -> Result<(), StoreError> {
    store.adopt(parent, trail, b"sealed", items.into_iter().map(Ok))
}

#[test]
fn a_store_begins_with_a_state_that_it_was_given_and_goes_on() {
    let giver = started();
    let parents = chain(&giver);
    let trail = giver.reader().unwrap().trail(3).unwrap().unwrap();
    assert_eq!(trail.links.len(), 2, "the change of the set, and the header above");
    let genesis = Genesis::for_tests();
    assert_eq!(trail.verify(&genesis).unwrap(), parents[3]);

    let taker = Store::create(None, &genesis).unwrap();
    adopt(&taker, &parents[3], &trail, items(&giver, 3)).unwrap();
    let reader = taker.reader().unwrap();
    assert_eq!((reader.tip().unwrap(), reader.oldest().unwrap()), (Some(3), 3));
    assert_eq!(reader.checkpoint().unwrap(), Some(b"sealed".to_vec()));
    assert_eq!(reader.tip_certificate().unwrap(), parents[3].certificate);
    assert_eq!(reader.leaf(&Leaf::Chain, 3).unwrap(), Some(vec![3]));
    assert_eq!(reader.leaf(&Leaf::Code(2), 3).unwrap(), None);
    assert!(reader.leaf(&Leaf::Chain, 2).is_err(), "older states are not here");
    assert_eq!(reader.blob(&keccak256([2, 2, 2])).unwrap(), Some(Bytes::from(vec![2; 3])));
    assert_eq!((reader.block(3).unwrap(), reader.header(2).unwrap()), (None, None));
    assert_eq!(reader.header(0).unwrap(), Some(Header::genesis(&genesis)));

    // The blocks above it come as to any other node, and it can show the way itself.
    for height in [4, 5] {
        let stored = giver.reader().unwrap().block(height).unwrap().unwrap();
        let made = Outcome {
            next_validators: set(8),
            following_validators: set(8),
            ..outcome(height, vec![(Leaf::Chain, Some(vec![9]))], Vec::new())
        };
        taker.commit(&stored.block, &stored.certificate, &made).unwrap();
    }
    let reader = taker.reader().unwrap();
    assert_eq!(reader.trail(4).unwrap(), giver.reader().unwrap().trail(4).unwrap());
    assert_eq!(reader.trail(3).unwrap(), Some(trail));
    assert_eq!((reader.trail(5).unwrap(), reader.trail(2).unwrap()), (None, None));
}

#[test]
fn a_store_that_has_a_tip_takes_no_other_state_and_a_broken_one_leaves_nothing() {
    let giver = started();
    let parents = chain(&giver);
    let trail = giver.reader().unwrap().trail(4).unwrap().unwrap();
    let refused = adopt(&giver, &parents[4], &trail, Vec::new());
    assert!(matches!(refused, Err(StoreError::Order { .. })));

    let taker = Store::create(None, &Genesis::for_tests()).unwrap();
    let broken = [Ok(Item::Leaf(Leaf::Chain, vec![1])), Err(StoreError::Mismatch)];
    let refused = taker.adopt(&parents[4], &trail, b"sealed", broken.into_iter());
    assert!(matches!(refused, Err(StoreError::Mismatch)));
    assert_eq!(taker.reader().unwrap().tip().unwrap(), None);
    adopt(&taker, &parents[4], &trail, items(&giver, 5)).unwrap();
}
