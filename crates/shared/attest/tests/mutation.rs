//! V-22: whatever bit of the evidence is changed, it is refused or proves the same.
//!
//! `CLOISTER_MUTATIONS=1000000` says how many bits are tried for each piece of evidence; without it a few are.

#![allow(clippy::unwrap_used)]

mod common;

use cloister_attest::simulated_authority::{Bulletin, Chip, Enclave, evidence};
use cloister_attest::{Evidence, Policy, ReportData, Root, verify};
use common::{SGX, TDX, TDX_15_EX, lenient};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn v22_a_changed_bit_never_changes_what_is_proven() {
    let now = 1_800_000_000;
    let enclave = Enclave { measurement: [1; 32].into(), report_data: ReportData([2; 64]), debug: false };
    let simulated = evidence(&Chip::new([7; 16]), &enclave, &Bulletin::new(now));
    let mut survivors = 0;
    for recorded in [SGX, TDX, TDX_15_EX] {
        survivors += mutate(&recorded.evidence(), &lenient(), Root::Hardware, recorded.inside);
    }
    survivors += mutate(&simulated, &Policy::production(), Root::Simulated, now);
    assert!(survivors > 0, "some bytes are signed by nobody: without any survivor the test would show little");
}

proptest! {
    #[test]
    fn v22_noise_is_refused(version in 2u8..6, noise in vec(any::<u8>(), 0..6_000)) {
        let quote = [&[version, 0, 2, 0, 0, 0, 0, 0], &noise[..]].concat();
        prop_assert!(verify(&SGX.with_quote(quote), &lenient(), Root::Hardware, SGX.inside).is_err());
        prop_assert!(Evidence::from_bytes(&noise).is_err());
    }
}

/// How many changed copies were still accepted.
fn mutate(good: &Evidence, policy: &Policy, root: Root, now: u64) -> usize {
    let expected = verify(good, policy, root, now).unwrap();
    let bytes = borsh::to_vec(good).unwrap();
    let mut random = SplitMix(0x000C_1015_7E12);
    let mut survivors = 0;
    for _ in 0..count() {
        let bit = usize::try_from(random.next()).unwrap() % (bytes.len() * 8);
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let Ok(evidence) = Evidence::from_bytes(&changed) else { continue };
        if let Ok(verified) = verify(&evidence, policy, root, now) {
            assert_eq!(verified, expected, "bit {bit}");
            survivors += 1;
        }
    }
    survivors
}

fn count() -> usize {
    std::env::var("CLOISTER_MUTATIONS").map_or(1_500, |count| count.parse().unwrap())
}

/// Steele, Lea and Flood's generator: the same bits on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
