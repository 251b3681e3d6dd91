use ed25519_zebra::{SigningKey, VerificationKey};

use super::*;

const CHAIN: &str = "test-1";
const BLOCK: B256 = B256::repeat_byte(0xab);

/// One of each kind, all of height 5 and round 2.
fn all() -> [Statement; 6] {
    let (height, round) = (5, 2);
    [
        Statement::Proposal { height, round, block: BLOCK, valid_round: None },
        Statement::Proposal { height, round, block: BLOCK, valid_round: Some(0) },
        Statement::Prevote { height, round, block: Some(BLOCK) },
        Statement::Prevote { height, round, block: None },
        Statement::Precommit { height, round, block: Some(BLOCK) },
        Statement::Precommit { height, round, block: None },
    ]
}

#[test]
fn sign_bytes_are_pinned() {
    let expected = [
        "0x6c71887bf0f8ce791af2a02eaf45dfdcba6913c7dc2bec0c3b03c0da401badba",
        "0x942ffb58d1ad1a5071bf10c6c4fda8753500a4d85258d0edda2b1cc0e2c77334",
        "0x3731354f319c08608855856d4296b1069d207c367649fc3fce86cbc90e7664ee",
        "0x823acf1076489356e49926ded847978a5dacedc541c828ea98c31b67dd8c6cfb",
        "0x69e0aaf78abdb8340dc6801baa4b4ed5abe9f1fe346cf5f385ae1d26275e059b",
        "0xc45e8c4d941cee0471937876f05efec9ae05e894962b5f22d1bd8990ec526d71",
    ];
    assert_eq!(all().map(|statement| statement.sign_bytes(CHAIN).to_string()), expected);
}

#[test]
fn no_two_statements_and_no_two_chains_share_their_bytes() {
    let mut bytes: Vec<B256> = all().iter().flat_map(|one| [one.sign_bytes(CHAIN), one.sign_bytes("test-2")]).collect();
    bytes.sort();
    bytes.dedup();
    assert_eq!(bytes.len(), 12);
}

#[test]
fn a_statement_contradicts_another_of_its_own_step_height_and_round() {
    let [proposal, again, prevote, nil, precommit, _] = all();
    assert!(prevote.contradicts(&nil) && nil.contradicts(&prevote));
    assert!(proposal.contradicts(&again), "one proposal for each round");
    assert!(!prevote.contradicts(&prevote), "to repeat oneself is allowed");
    assert!(!nil.contradicts(&precommit), "two steps");
    let later = Statement::Prevote { height: 5, round: 3, block: None };
    assert!(!prevote.contradicts(&later), "another round");
    let higher = Statement::Prevote { height: 6, round: 2, block: None };
    assert!(!prevote.contradicts(&higher), "another height");
}

#[test]
fn a_signature_is_good_for_one_key_one_statement_and_one_chain() {
    let key = SigningKey::from([7; 32]);
    let public = B256::new(VerificationKey::from(&key).into());
    let [_, _, prevote, nil, ..] = all();
    let signature = key.sign(prevote.sign_bytes(CHAIN).as_slice()).into();
    let signed = Signed { statement: prevote, signature };
    assert!(signed.is_by(&public, CHAIN));
    assert!(!signed.is_by(&public, "test-2"));
    assert!(!signed.is_by(&B256::repeat_byte(1), CHAIN));
    assert!(!Signed { statement: nil, signature }.is_by(&public, CHAIN));
}
