use ed25519_zebra::{SigningKey, VerificationKey};

use super::*;
use crate::vote::Statement;

const CHAIN: &str = "test-1";

fn prevote(key: &SigningKey, block: Option<B256>) -> Signed {
    let statement = Statement::Prevote { height: 5, round: 2, block };
    Signed { statement, signature: key.sign(statement.sign_bytes(CHAIN).as_slice()).into() }
}

fn key() -> (SigningKey, B256) {
    let key = SigningKey::from([7; 32]);
    let public = B256::new(VerificationKey::from(&key).into());
    (key, public)
}

#[test]
fn two_prevotes_of_one_round_convict_whoever_signed_both() {
    let (key, public) = key();
    let (one, other) = (prevote(&key, None), prevote(&key, Some(B256::repeat_byte(1))));
    let evidence = Evidence::new(public, one, other);
    assert_eq!(evidence.verify(CHAIN), Ok(()));
    assert_eq!(evidence, Evidence::new(public, other, one), "there is one form of it");
    assert_eq!(evidence.height(), 5);
    assert_eq!(evidence.verify("test-2"), Err(EvidenceError::Signature), "testimony of another chain");
    let framed = Evidence { validator: B256::repeat_byte(9), ..evidence.clone() };
    assert_eq!(framed.verify(CHAIN), Err(EvidenceError::Signature));
    let swapped = Evidence { first: evidence.second, second: evidence.first, ..evidence };
    assert_eq!(swapped.verify(CHAIN), Err(EvidenceError::NoConflict));
}

#[test]
fn the_same_vote_twice_convicts_nobody() {
    let (key, public) = key();
    let vote = prevote(&key, None);
    assert_eq!(Evidence::new(public, vote, vote).verify(CHAIN), Err(EvidenceError::NoConflict));
    // A second signature over the same words is no second statement.
    let mut other = vote;
    other.signature[0] ^= 1;
    assert_eq!(Evidence::new(public, vote, other).verify(CHAIN), Err(EvidenceError::NoConflict));
}

#[test]
fn a_list_has_a_root_of_its_own_for_each_order() {
    let (key, public) = key();
    let one = Evidence::new(public, prevote(&key, None), prevote(&key, Some(B256::repeat_byte(1))));
    let two = Evidence::new(public, prevote(&key, None), prevote(&key, Some(B256::repeat_byte(2))));
    let both = [one.clone(), two.clone()];
    assert_ne!(Evidence::root(&both), Evidence::root(&[two, one]));
    assert_ne!(Evidence::root(&both), Evidence::root(&[]));
}
