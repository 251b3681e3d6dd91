//! On-boarding from end to end, and everything that is refused on the way.

#![allow(missing_docs, clippy::unwrap_used)]

use alloy_primitives::hex;
use cloister_envelope::onboard::{ANSWER_BYTES, SHARE_BYTES, open_request};
use cloister_envelope::{AccountKey, Error, Form, OnboardingKey, Recipient, Secret, UserKey};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey};
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey};
use serde_json::Value;

/// The RSA key pair of the published SDKs' vectors.
fn sdk_key() -> OnboardingKey {
    let vectors: Value = serde_json::from_str(include_str!("vectors/coti.json")).unwrap();
    let der = hex::decode(vectors["onboard"]["rsa_private_key_pkcs1_der"].as_str().unwrap()).unwrap();
    OnboardingKey::from_pkcs1_der(&der).unwrap()
}

fn account() -> AccountKey {
    AccountKey::from_secret(Secret::from_bytes([1; 32])).unwrap()
}

fn request(spki: &[u8]) -> Vec<u8> {
    [&account().sign(spki, Form::Raw)[..], spki].concat()
}

/// Repeatable stand-in for the operating system's randomness (xorshift64*).
fn toy_randomness() -> impl FnMut(&mut [u8]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |target| {
        for byte in target {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            *byte = state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0];
        }
    }
}

#[test]
fn a_fresh_key_carries_the_users_key_home() {
    let client = OnboardingKey::generate(toy_randomness());
    let recipient = open_request(&request(&client.spki()), account().address()).unwrap();

    let key = UserKey::from_bytes([7; 16]);
    let coins = [Secret::from_bytes([1; 32]), Secret::from_bytes([2; 32])];
    let answer = recipient.seal_key(&key, &Secret::from_bytes([3; 16]), [&coins[0], &coins[1]]);
    assert_eq!(answer.len(), ANSWER_BYTES);
    assert_eq!(client.recover(&answer[..SHARE_BYTES], &answer[SHARE_BYTES..]), Ok(key));

    let whole = recipient.seal_whole_key(&UserKey::from_bytes([8; 16]), &coins[0]);
    assert_eq!(client.recover_whole(&whole), Ok(UserKey::from_bytes([8; 16])));

    let stranger = sdk_key();
    assert_eq!(stranger.recover_whole(&whole), Err(Error::Share));
}

#[test]
fn given_coins_give_the_bytes_of_rfc_8017() {
    let golden: Value = serde_json::from_str(include_str!("vectors/oaep.json")).unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let coins = [0, 1].map(|index| Secret::from_bytes(bytes(&golden["coins"][index]).try_into().unwrap()));
    let key = UserKey::from_bytes(bytes(&golden["key"]).try_into().unwrap());
    let share = Secret::from_bytes(bytes(&golden["share"]).try_into().unwrap());

    let recipient = Recipient::from_spki(&sdk_key().spki()).unwrap();
    let answer = recipient.seal_key(&key, &share, [&coins[0], &coins[1]]);
    assert_eq!(answer[..], bytes(&golden["answer"]));
    assert_eq!(recipient.seal_whole_key(&key, &coins[0])[..], bytes(&golden["legacy_answer"]));
    assert_eq!(sdk_key().recover(&answer[..SHARE_BYTES], &answer[SHARE_BYTES..]), Ok(key));
}

#[test]
fn an_altered_share_does_not_open() {
    let key = UserKey::from_bytes([7; 16]);
    let recipient = Recipient::from_spki(&sdk_key().spki()).unwrap();
    let mut sealed = recipient.seal_whole_key(&key, &Secret::from_bytes([1; 32]));
    sealed[200] ^= 1;
    assert_eq!(sdk_key().recover_whole(&sealed), Err(Error::Share));
    assert_eq!(sdk_key().recover_whole(&sealed[1..]), Err(Error::Share));
    assert_eq!(sdk_key().recover_whole(&[]), Err(Error::Share));
}

#[test]
fn a_request_is_bounded_before_anything_else_is_looked_at() {
    let origin = account().address();
    for length in [0, 65, 294, 65 + 256, 65 + 513, 100_000] {
        assert_eq!(open_request(&vec![0; length], origin), Err(Error::RequestLength), "{length}");
    }
    let good = request(&sdk_key().spki());
    assert!(open_request(&good, origin).is_ok());
    assert_eq!(open_request(&[&good[..], &[0]].concat(), origin), Err(Error::WrongSigner));
}

#[test]
fn a_signed_key_that_is_not_the_one_der_form_is_refused() {
    let spki = sdk_key().spki();
    let refused = |spki: &[u8], error| assert_eq!(open_request(&request(spki), account().address()), Err(error));
    refused(&[&spki[..], &[0]].concat(), Error::PublicKey);
    refused(&spki[..293], Error::PublicKey);
    refused(&[0; 294], Error::PublicKey);
    // Every header byte matters: SEQUENCE, algorithm, NULL, BIT STRING, SEQUENCE, INTEGER and their lengths.
    for index in 0..32 {
        let mut altered = spki.clone();
        altered[index] ^= 1;
        refused(&altered, Error::PublicKey);
    }
    // The zero byte before the modulus turned into a 2049th bit.
    let mut altered = spki.clone();
    altered[32] ^= 1;
    refused(&altered, Error::KeySize);
}

#[test]
fn the_same_numbers_written_in_another_way_are_refused() {
    let spki = sdk_key().spki();
    let (modulus, exponent) = (&spki[33..289], &spki[291..]);
    let nested = |modulus: &[u8], exponent: &[u8], parameters: &[u8]| {
        let numbers = der(0x30, &[der(0x02, modulus), der(0x02, exponent)].concat());
        let algorithm = der(0x30, &[&spki[6..17], parameters].concat());
        der(0x30, &[algorithm, der(0x03, &[&[0], &numbers[..]].concat())].concat())
    };
    let padded = |number: &[u8], zeroes: usize| [&vec![0; zeroes], number].concat();
    let (null, refused) = ([0x05, 0x00], Some(Error::PublicKey));
    let canonical = nested(&padded(modulus, 1), exponent, &null);
    assert_eq!(canonical, spki);
    for other in [
        nested(modulus, exponent, &null),
        nested(&padded(modulus, 2), exponent, &null),
        nested(&padded(modulus, 1), &padded(exponent, 1), &null),
        nested(&padded(modulus, 1), exponent, &[]),
        nested(&padded(modulus, 1), exponent, &[0x05, 0x00, 0x05, 0x00]),
    ] {
        assert_eq!(Recipient::from_spki(&other).err(), refused, "{}", hex::encode(other));
    }
}

/// Tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match content.len() {
        0..128 => vec![tag, length[1]],
        128..256 => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [header, content.to_vec()].concat()
}

#[test]
fn another_size_or_exponent_is_refused() {
    let of = |bits: usize, exponent: u32| {
        let modulus = (BigUint::from(1_u32) << (bits - 1)) + BigUint::from(1_u32);
        let key = RsaPublicKey::new(modulus, BigUint::from(exponent)).unwrap();
        Recipient::from_spki(key.to_public_key_der().unwrap().as_bytes()).err()
    };
    assert_eq!(of(2048, 65_537), None);
    assert_eq!(of(2047, 65_537), Some(Error::KeySize));
    assert_eq!(of(2049, 65_537), Some(Error::KeySize));
    assert_eq!(of(1024, 65_537), Some(Error::KeySize));
    assert_eq!(of(2048, 3), Some(Error::Exponent));
    assert_eq!(of(2048, 65_539), Some(Error::Exponent));
}

#[test]
fn a_private_key_is_read_from_either_sdks_form() {
    let mut randomness = toy_randomness();
    let small = RsaPrivateKey::new(&mut TestRng(&mut randomness), 512).unwrap();
    let pkcs8 = small.to_pkcs8_der().unwrap();
    assert_eq!(OnboardingKey::from_pkcs8_der(pkcs8.as_bytes()).err(), Some(Error::PrivateKey));
    assert_eq!(OnboardingKey::from_pkcs1_der(b"nonsense").err(), Some(Error::PrivateKey));

    let vectors: Value = serde_json::from_str(include_str!("vectors/coti.json")).unwrap();
    let pkcs1 = hex::decode(vectors["onboard"]["rsa_private_key_pkcs1_der"].as_str().unwrap()).unwrap();
    let key: RsaPrivateKey = rsa::pkcs1::DecodeRsaPrivateKey::from_pkcs1_der(&pkcs1).unwrap();
    let again = OnboardingKey::from_pkcs8_der(key.to_pkcs8_der().unwrap().as_bytes()).unwrap();
    assert_eq!(again.spki(), sdk_key().spki());
    assert_eq!(format!("{again:?}"), "OnboardingKey([REDACTED])");
}

struct TestRng<'a, F>(&'a mut F);

impl<F: FnMut(&mut [u8])> rsa::rand_core::RngCore for TestRng<'_, F> {
    fn next_u32(&mut self) -> u32 {
        rsa::rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rsa::rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        (self.0)(target);
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(target);
        Ok(())
    }
}

impl<F: FnMut(&mut [u8])> rsa::rand_core::CryptoRng for TestRng<'_, F> {}
