use alloy_primitives::U256;
use ed25519_zebra::{SigningKey, VerificationKey};

use super::*;
use crate::Validator;

const CHAIN: &str = "test-1";
const BLOCK: B256 = B256::repeat_byte(0xab);

fn key(seed: u8) -> (SigningKey, B256) {
    let key = SigningKey::from([seed; 32]);
    let public = B256::new(VerificationKey::from(&key).into());
    (key, public)
}

/// A set with one validator for each power, and a certificate by those whose index is in `signers`.
fn certified(powers: &[u64], signers: &[usize]) -> (ValidatorSet, Certificate) {
    let keys: Vec<_> = (0..powers.len()).map(|i| key(i as u8 + 1)).collect();
    let members =
        keys.iter().zip(powers).map(|((_, public), power)| Validator { key: *public, power: *power }).collect();
    let message = sign_bytes(CHAIN, 5, 2, &BLOCK);
    let mut precommits: Vec<_> = signers
        .iter()
        .map(|i| Precommit { validator: keys[*i].1, signature: keys[*i].0.sign(message.as_slice()).into() })
        .collect();
    precommits.sort_by_key(|precommit| precommit.validator);
    (ValidatorSet::new(members).expect("a set"), Certificate { height: 5, round: 2, block: BLOCK, precommits })
}

#[test]
fn more_than_two_thirds_decide_and_exactly_two_thirds_do_not() {
    let (set, three_of_four) = certified(&[1, 1, 1, 1], &[0, 1, 2]);
    assert_eq!(three_of_four.verify(CHAIN, &set, 5, &BLOCK), Ok(()));
    let (set, two_of_three) = certified(&[1, 1, 1], &[0, 1]);
    assert_eq!(two_of_three.verify(CHAIN, &set, 5, &BLOCK), Err(CertificateError::Power));
    let (set, seven_of_ten) = certified(&[3, 4, 3], &[0, 1]);
    assert_eq!(seven_of_ten.verify(CHAIN, &set, 5, &BLOCK), Ok(()));
    let (set, nobody) = certified(&[1], &[]);
    assert_eq!(nobody.verify(CHAIN, &set, 5, &BLOCK), Err(CertificateError::Power));
}

#[test]
fn a_solo_certificate_decides_for_its_own_chain_height_round_and_block_only() {
    let (signer, public) = key(7);
    let set = ValidatorSet::new(vec![Validator { key: public, power: 10 }]).expect("a set");
    let certificate = Certificate::solo(&signer, CHAIN, 5, BLOCK);
    assert_eq!(certificate.verify(CHAIN, &set, 5, &BLOCK), Ok(()));
    assert_eq!(certificate.verify("test-2", &set, 5, &BLOCK), Err(CertificateError::Signature));
    assert_eq!(certificate.verify(CHAIN, &set, 6, &BLOCK), Err(CertificateError::OtherBlock));
    assert_eq!(certificate.verify(CHAIN, &set, 5, &B256::ZERO), Err(CertificateError::OtherBlock));
    let mut other_round = certificate.clone();
    other_round.round = 1;
    assert_eq!(other_round.verify(CHAIN, &set, 5, &BLOCK), Err(CertificateError::Signature));
    let mut moved = certificate;
    moved.height = 6;
    assert_eq!(moved.verify(CHAIN, &set, 6, &BLOCK), Err(CertificateError::Signature));
}

#[test]
fn strangers_duplicates_and_flipped_bits_are_refused() {
    let (set, good) = certified(&[1, 1, 1, 1], &[0, 1, 2]);
    let mut twice = good.clone();
    twice.precommits[1] = twice.precommits[0].clone();
    assert_eq!(twice.verify(CHAIN, &set, 5, &BLOCK), Err(CertificateError::Order));
    let mut reversed = good.clone();
    reversed.precommits.reverse();
    assert_eq!(reversed.verify(CHAIN, &set, 5, &BLOCK), Err(CertificateError::Order));

    let (small, _) = certified(&[1, 1], &[]);
    assert_eq!(good.verify(CHAIN, &small, 5, &BLOCK), Err(CertificateError::Stranger));

    for byte in 0..64 {
        let mut flipped = good.clone();
        flipped.precommits[0].signature[byte] ^= 1;
        assert_eq!(flipped.verify(CHAIN, &set, 5, &BLOCK), Err(CertificateError::Signature), "byte {byte}");
    }
}

#[test]
fn a_scalar_above_the_group_order_is_refused() {
    let (set, mut certificate) = certified(&[1], &[0]);
    // s + L, little-endian: the same signature to a lax verifier.
    let order = "7237005577332262213973186563042994240857116359379907606001950938285454250989";
    let order = U256::from_str_radix(order, 10).expect("a number");
    let scalar = U256::from_le_slice(&certificate.precommits[0].signature[32..]);
    certificate.precommits[0].signature[32..].copy_from_slice(&(scalar + order).to_le_bytes::<32>());
    assert_eq!(certificate.verify(CHAIN, &set, 5, &BLOCK), Err(CertificateError::Signature));
}

#[test]
fn sign_bytes_and_commitment_are_pinned() {
    let (_, certificate) = certified(&[1], &[0]);
    assert_eq!(
        sign_bytes(CHAIN, 5, 2, &BLOCK).to_string(),
        "0x69e0aaf78abdb8340dc6801baa4b4ed5abe9f1fe346cf5f385ae1d26275e059b"
    );
    assert_eq!(certificate.hash().to_string(), "0x89644d8ce135c6c781f4aea6e4d7671dc929fe012fc72a55665006907225c72a");
}
