//! Signatures, as contracts check and make them.

mod wycheproof;

use ed25519_zebra::{SigningKey, VerificationKey};
use secp256k1::ecdsa::Signature;
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use sha2::{Digest as _, Sha256};

use super::World;
use super::wat::{code, db_write, import, region};
use crate::{Entry, gas};

/// Calls an import with regions of these bytes, and `last` as it is if there is one. Gives the number that came back; for an
/// i64 also the bytes of the region that it names.
fn calling(name: &str, arguments: &[&[u8]], last: Option<u32>, long: bool) -> (u64, Vec<u8>) {
    let mut functions = region(1024, b"code") + &region(1060, b"bytes") + &region(1100, &[0; 8]);
    let (mut at, mut pushed) = (4096, String::new());
    for argument in arguments {
        functions += &region(at, argument);
        pushed += &format!("(i32.const {at}) ");
        at += 12 + u32::try_from(argument.len()).unwrap().next_multiple_of(16) + 16;
    }
    pushed += &last.map(|last| format!("(i32.const {last})")).unwrap_or_default();
    let count = arguments.len() + usize::from(last.is_some());
    let kind = if long { "i64" } else { "i32" };
    let import = import(name, &format!("(param {}) (result {kind})", "i32 ".repeat(count)));
    let keep = if long {
        r#"(if (i32.load (i32.const 1112)) (then (call $db_write (i32.const 1060) (i32.load (i32.const 1112)))))"#
    } else {
        ""
    };
    functions += &format!(
        r#"(func (export "execute") (param i32 i32 i32) (result i32)
            ({kind}.store (i32.const 1112) (call ${name} {pushed}))
            (call $db_write (i32.const 1024) (i32.const 1100)) {keep} (i32.const 16))"#
    );
    let mut world = World::new();
    let ran = world.call(&code(&(db_write() + &import), &functions), Entry::Execute, b"{}");
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    assert!(ran.gas_used > gas::ED25519_BATCH);
    let number = u64::from_le_bytes(world.at("code").try_into().unwrap());
    (number, world.at("bytes"))
}

fn verify(name: &str, arguments: [&[u8]; 3]) -> u64 {
    calling(name, &arguments, None, false).0
}

struct Secp {
    hash: [u8; 32],
    signature: [u8; 64],
    key: PublicKey,
}

fn secp() -> Secp {
    let secret = SecretKey::from_byte_array([3; 32]).unwrap();
    let hash: [u8; 32] = Sha256::digest(b"message").into();
    let signature = SECP256K1.sign_ecdsa(Message::from_digest(hash), &secret).serialize_compact();
    Secp { hash, signature, key: PublicKey::from_secret_key(SECP256K1, &secret) }
}

/// The other signature of the same message: `n - s` in the place of `s`.
fn high(signature: [u8; 64]) -> [u8; 64] {
    let order = hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap();
    let mut high = signature;
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i32::from(order[at]) - i32::from(signature[32 + at]) - borrow;
        borrow = i32::from(difference < 0);
        high[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    high
}

#[test]
fn secp256k1_verify_says_what_is_wrong() {
    let Secp { hash, signature, key } = secp();
    let (short, long) = (key.serialize(), key.serialize_uncompressed());
    let verify = |hash: &[u8], signature: &[u8], key: &[u8]| verify("secp256k1_verify", [hash, signature, key]);
    assert_eq!(verify(&hash, &signature, &short), 0);
    assert_eq!(verify(&hash, &signature, &long), 0);
    assert_eq!(verify(&[0; 32], &signature, &short), 1);
    assert_eq!(verify(&hash[1..], &signature, &short), 3);
    assert_eq!(verify(&hash, &signature[1..], &short), 4);
    assert_eq!(verify(&hash, &signature, &short[1..]), 5);
    assert_eq!(verify(&hash, &signature, &long[..33]), 5);
    assert_eq!(verify(&hash, &signature, b""), 5);
    assert_eq!(verify(&hash, &[0xff; 64], &short), 10);
    let nowhere = [&[2][..], &[0xff; 32]].concat();
    assert_eq!(verify(&hash, &signature, &nowhere), 10);
}

#[test]
fn a_signature_with_a_high_s_does_not_verify() {
    let Secp { hash, signature, key } = secp();
    let high = high(signature);
    // It is the same signature: with its `s` lowered it verifies.
    let mut lowered = Signature::from_compact(&high).unwrap();
    lowered.normalize_s();
    assert_eq!(lowered.serialize_compact(), signature);
    assert_eq!(verify("secp256k1_verify", [&hash, &high, &key.serialize()]), 1);
}

#[test]
fn secp256k1_recover_gives_a_compressed_key() {
    let Secp { hash, signature, key } = secp();
    let recover = |hash: &[u8], signature: &[u8], id| {
        let (number, bytes) = calling("secp256k1_recover_pubkey", &[hash, signature], Some(id), true);
        (number >> 32, bytes)
    };
    let recovered = [0, 1].map(|id| recover(&hash, &signature, id));
    assert!(recovered.contains(&(0, key.serialize().to_vec())));
    assert_ne!(recovered[0], recovered[1]);
    assert_eq!(recover(&hash[1..], &signature, 0).0, 3);
    assert_eq!(recover(&hash, &signature[1..], 0).0, 4);
    assert_eq!(recover(&hash, &signature, 4).0, 6);
    assert_eq!(recover(&hash, &signature, u32::MAX).0, 6);
    assert_eq!(recover(&hash, &[0xff; 64], 0), (10, Vec::new()));
}

#[test]
fn secp256k1_sign_signs_the_hash_of_the_message() {
    let Secp { signature, .. } = secp();
    let sign = |key: &[u8]| {
        let (number, bytes) = calling("secp256k1_sign", &[b"message", key], None, true);
        (number >> 32, bytes)
    };
    assert_eq!(sign(&[3; 32]), (0, signature.to_vec()));
    for wrong in [&[0; 32][..], &[0xff; 32], &[3; 31], b""] {
        assert_eq!(sign(wrong), (1_000, Vec::new()));
    }
}

#[test]
fn ed25519_signs_and_verifies() {
    let secret = SigningKey::from([5; 32]);
    let signature = secret.sign(b"message").to_bytes();
    let (number, made) = calling("ed25519_sign", &[b"message", &[5; 32]], None, true);
    assert_eq!((number >> 32, made.as_slice()), (0, &signature[..]));
    assert_eq!(calling("ed25519_sign", &[b"message", &[5; 31]], None, true).0 >> 32, 1_000);

    let key: [u8; 32] = VerificationKey::from(&secret).into();
    let verify = |message: &[u8], signature: &[u8], key: &[u8]| verify("ed25519_verify", [message, signature, key]);
    assert_eq!(verify(b"message", &signature, &key), 0);
    assert_eq!(verify(b"another", &signature, &key), 1);
    assert_eq!(verify(b"message", &signature[1..], &key), 4);
    assert_eq!(verify(b"message", &signature, &key[1..]), 5);
}

/// Joins parts as contracts do.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [*part, &u32::try_from(part.len()).unwrap().to_be_bytes()].concat()).collect()
}

#[test]
fn a_batch_verifies_if_all_of_it_does() {
    let secrets = [SigningKey::from([5; 32]), SigningKey::from([6; 32])];
    let keys: [[u8; 32]; 2] = secrets.each_ref().map(|secret| VerificationKey::from(secret).into());
    let messages: [&[u8]; 2] = [b"one", b"the other"];
    let signed = |secret: usize, message: usize| secrets[secret].sign(messages[message]).to_bytes();
    let batch = |messages: &[&[u8]], signatures: &[&[u8]], keys: &[&[u8]]| {
        verify("ed25519_batch_verify", [&joined(messages), &joined(signatures), &joined(keys)])
    };
    let all = |signatures: [[u8; 64]; 2]| batch(&messages, &[&signatures[0], &signatures[1]], &[&keys[0], &keys[1]]);
    assert_eq!(all([signed(0, 0), signed(1, 1)]), 0);
    assert_eq!(all([signed(1, 1), signed(0, 0)]), 1);
    assert_eq!(all([signed(0, 0), signed(1, 0)]), 1);
    // One message for all, one key for all, nothing at all.
    assert_eq!(batch(&messages[..1], &[&signed(0, 0), &signed(1, 0)], &[&keys[0], &keys[1]]), 0);
    assert_eq!(batch(&messages, &[&signed(0, 0), &signed(0, 1)], &[&keys[0]]), 0);
    assert_eq!(batch(&[], &[], &[]), 0);
    // Numbers that do not go together, and parts that are longer than there is.
    assert_eq!(batch(&messages, &[&signed(0, 0)], &[&keys[0]]), 7);
    assert_eq!(batch(&messages, &[&signed(0, 0), &signed(1, 1)], &[]), 7);
    assert_eq!(verify("ed25519_batch_verify", [&[0, 0, 0, 9], b"", b""]), 7);
    assert_eq!(verify("ed25519_batch_verify", [&[0, 0, 9], b"", b""]), 7);
}
