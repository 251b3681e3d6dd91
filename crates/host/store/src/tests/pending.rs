//! Above the tip.

use super::*;

#[test]
fn a_decided_block_waits_for_its_execution_and_is_no_tip_before() {
    let store = started();
    let (first, proof) = block(1, vec![Bytes::from_static(b"one")]);
    store.decide(&first, &proof).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!((reader.tip().unwrap(), reader.block(1).unwrap()), (Some(0), None));
    let waiting = reader.decided(1).unwrap().unwrap();
    assert_eq!((waiting.block, waiting.certificate), (first.clone(), proof.clone()));

    let made = outcome(1, Vec::new(), vec![receipt(B256::with_last_byte(1), Status::Success)]);
    store.commit(&first, &proof, &made).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.tip().unwrap(), Some(1));
    assert_eq!(reader.decided(1).unwrap(), reader.block(1).unwrap());
    assert_eq!(reader.decided(2).unwrap(), None);
    assert_eq!(reader.oldest_block().unwrap(), Some(1));
}

#[test]
fn blocks_are_decided_one_after_the_other() {
    let store = started();
    let (first, second, third) = (block(1, vec![]), block(2, vec![]), block(3, vec![]));
    store.decide(&first.0, &first.1).unwrap();
    assert!(matches!(store.decide(&first.0, &first.1), Err(StoreError::Order { expected: 2, found: 1 })));
    assert!(matches!(store.decide(&third.0, &third.1), Err(StoreError::Order { expected: 2, found: 3 })));
    assert!(matches!(store.decide(&second.0, &first.1), Err(StoreError::Mismatch)));
    store.decide(&second.0, &second.1).unwrap();
    store.commit(&first.0, &first.1, &outcome(1, Vec::new(), Vec::new())).unwrap();
    assert!(store.reader().unwrap().decided(2).unwrap().is_some(), "the next one still waits");
}

#[test]
fn a_fuller_certificate_takes_the_place_of_the_first_one() {
    let store = started();
    let (first, proof) = block(1, vec![]);
    store.decide(&first, &proof).unwrap();
    let fuller = Certificate { round: 3, ..proof.clone() };
    store.extend(&fuller).unwrap();
    store.commit(&first, &proof, &outcome(1, Vec::new(), Vec::new())).unwrap();
    let held = || store.reader().unwrap().block(1).unwrap().unwrap().certificate;
    assert_eq!(held(), fuller, "what was known when the execution began does not undo it");
    store.extend(&proof).unwrap();
    assert_eq!(held(), proof);
    let other = Certificate { block: B256::ZERO, ..proof };
    assert!(matches!(store.extend(&other), Err(StoreError::Mismatch)));
    assert!(matches!(store.extend(&block(2, vec![]).1), Err(StoreError::Mismatch)), "nothing was decided there");
}

#[test]
fn proposals_are_kept_until_their_height_is_executed() {
    let store = started();
    let [one, two] = [1, 2].map(B256::repeat_byte);
    store.keep(1, 7, &one, b"late").unwrap();
    store.keep(1, 0, &two, b"early").unwrap();
    store.keep(2, 0, &one, b"above").unwrap();
    let kept = |height| store.reader().unwrap().proposals(height).unwrap();
    assert_eq!(kept(1), [b"early".to_vec(), b"late".to_vec()]);
    store.keep(1, 0, &two, b"again").unwrap();
    assert_eq!(kept(1).first().unwrap(), b"again");
    add(&store, Vec::new(), Vec::new());
    assert_eq!((kept(1).len(), kept(2).len(), kept(3).len()), (0, 1, 0));
}
