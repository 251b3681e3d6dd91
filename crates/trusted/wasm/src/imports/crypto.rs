//! Signatures, for contracts: natively, fifteen times quicker than inside.
//!
//! The numbers are Secret Network's: 0 for a signature that verifies, 1 for one that does not, anything else for arguments
//! of the wrong form. Functions that return a region have that number in the upper half of an i64 and the region's pointer in
//! the lower.

use ed25519_zebra::{SigningKey, VerificationKey};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use sha2::{Digest as _, Sha256};
use wasmi::{Caller, Error as WasmError};
use zeroize::Zeroizing;

use crate::memory::{Guest, Machine};
use crate::{Trap, gas, limits};

type Contract<'a, 'h> = Caller<'a, Guest<'h>>;

/// `secp256k1_verify(hash, signature, key) -> code`. A signature with a high `s` does not verify.
pub(super) fn secp256k1_verify(
    mut caller: Contract<'_, '_>,
    hash: u32,
    signature: u32,
    key: u32,
) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::SECP256K1_VERIFY)?;
    let [hash, signature, key] = read(&mut machine, [hash, signature, key])?;
    let check = || {
        let hash = <[u8; 32]>::try_from(hash).map_err(|_| HASH_FORM)?;
        if signature.len() != 64 {
            return Err(SIGNATURE_FORM);
        }
        match (key.first(), key.len()) {
            (Some(2 | 3), 33) | (Some(4 | 6 | 7), 65) => {}
            _ => return Err(KEY_FORM),
        }
        let signature = Signature::from_compact(&signature).map_err(|_| OTHER)?;
        let key = PublicKey::from_slice(&key).map_err(|_| OTHER)?;
        let verified = SECP256K1.verify_ecdsa(Message::from_digest(hash), &signature, &key);
        verified.map_err(|_| INVALID)
    };
    Ok(check().map_or_else(|code| code, |()| VALID))
}

/// `secp256k1_recover_pubkey(hash, signature, recovery id) -> code << 32 | region` with the key in its compressed form.
pub(super) fn secp256k1_recover(
    mut caller: Contract<'_, '_>,
    hash: u32,
    signature: u32,
    id: u32,
) -> Result<u64, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::SECP256K1_VERIFY)?;
    let [hash, signature] = read(&mut machine, [hash, signature])?;
    let recover = || {
        let hash = <[u8; 32]>::try_from(hash).map_err(|_| HASH_FORM)?;
        if signature.len() != 64 {
            return Err(SIGNATURE_FORM);
        }
        let id = i32::try_from(id).ok().and_then(|id| RecoveryId::try_from(id).ok()).ok_or(RECOVERY_ID)?;
        let signature = RecoverableSignature::from_compact(&signature, id).map_err(|_| OTHER)?;
        let key = SECP256K1.recover_ecdsa(Message::from_digest(hash), &signature).map_err(|_| OTHER)?;
        Ok(key.serialize().to_vec())
    };
    give(&mut machine, recover())
}

/// `secp256k1_sign(message, private key) -> code << 32 | region` with the 64-byte signature of the message's SHA-256.
pub(super) fn secp256k1_sign(mut caller: Contract<'_, '_>, message: u32, key: u32) -> Result<u64, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::SECP256K1_SIGN)?;
    let [message, key] = read(&mut machine, [message, key])?;
    let key = Zeroizing::new(key);
    let sign = || {
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| PRIVATE_KEY)?;
        let mut key = SecretKey::from_byte_array(*Zeroizing::new(key)).map_err(|_| PRIVATE_KEY)?;
        let digest = Message::from_digest(Sha256::digest(&message).into());
        let signature = SECP256K1.sign_ecdsa(digest, &key).serialize_compact();
        key.non_secure_erase();
        Ok(signature.to_vec())
    };
    give(&mut machine, sign())
}

/// `ed25519_verify(message, signature, key) -> code`, by the rules of ZIP-215.
pub(super) fn ed25519_verify(
    mut caller: Contract<'_, '_>,
    message: u32,
    signature: u32,
    key: u32,
) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::ED25519_VERIFY)?;
    let [message, signature, key] = read(&mut machine, [message, signature, key])?;
    Ok(verify(&message, &signature, &key))
}

/// `ed25519_batch_verify(messages, signatures, keys) -> code`: 0 if all of them verify. One message may go with many
/// signatures and keys, and one key with many messages and signatures.
pub(super) fn ed25519_batch_verify(
    mut caller: Contract<'_, '_>,
    messages: u32,
    signatures: u32,
    keys: u32,
) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::ED25519_BATCH)?;
    let arguments = read(&mut machine, [messages, signatures, keys])?;
    let [Some(messages), Some(signatures), Some(keys)] = arguments.each_ref().map(|argument| sections(argument)) else {
        return Ok(BATCH_FORM);
    };
    let count = signatures.len();
    let fits = match (messages.len(), keys.len()) {
        (m, k) if m == count && k == count => true,
        (1, k) if k == count => true,
        (m, 1) if m == count => true,
        _ => false,
    };
    if !fits {
        return Ok(BATCH_FORM);
    }
    let each = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(gas::ED25519_BATCH_EACH);
    machine.charge(each)?;
    // One by one, and not with random weights: the machine has no random numbers, and the verdict is the same.
    let mut pairs = signatures.iter().enumerate().map(|(at, signature)| {
        let message = if messages.len() == 1 { messages.first() } else { messages.get(at) };
        let key = if keys.len() == 1 { keys.first() } else { keys.get(at) };
        message.zip(key).map_or(BATCH_FORM, |(message, key)| verify(message, signature, key))
    });
    Ok(pairs.find(|code| *code != VALID).unwrap_or(VALID))
}

/// `ed25519_sign(message, private key) -> code << 32 | region` with the 64-byte signature.
pub(super) fn ed25519_sign(mut caller: Contract<'_, '_>, message: u32, key: u32) -> Result<u64, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::ED25519_SIGN)?;
    let [message, key] = read(&mut machine, [message, key])?;
    let key = Zeroizing::new(key);
    let sign = || {
        let key = SigningKey::try_from(key.as_slice()).map_err(|_| PRIVATE_KEY)?;
        Ok(key.sign(&message).to_bytes().to_vec())
    };
    give(&mut machine, sign())
}

fn read<const N: usize>(machine: &mut Machine<'_, '_>, pointers: [u32; N]) -> Result<[Vec<u8>; N], Trap> {
    let mut arguments = [const { Vec::new() }; N];
    for (argument, pointer) in arguments.iter_mut().zip(pointers) {
        *argument = machine.read(pointer, limits::SIGNED_BYTES)?;
    }
    Ok(arguments)
}

/// The returned i64.
fn give(machine: &mut Machine<'_, '_>, result: Result<Vec<u8>, u32>) -> Result<u64, WasmError> {
    match result {
        Ok(bytes) => machine.give(&bytes).map(u64::from),
        Err(code) => Ok(u64::from(code) << 32),
    }
}

fn verify(message: &[u8], signature: &[u8], key: &[u8]) -> u32 {
    let check = || {
        let signature = <[u8; 64]>::try_from(signature).map_err(|_| SIGNATURE_FORM)?;
        let key = <[u8; 32]>::try_from(key).map_err(|_| KEY_FORM)?;
        let key = VerificationKey::try_from(key).map_err(|_| OTHER)?;
        key.verify(&signature.into(), message).map_err(|_| INVALID)
    };
    check().map_or_else(|code| code, |()| VALID)
}

/// Splits what contracts join: each part, then its length in four bytes, big-endian. Read from the end.
fn sections(mut joined: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while !joined.is_empty() {
        let (rest, length) = joined.split_last_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (rest, part) = rest.split_at_checked(rest.len().checked_sub(length)?)?;
        parts.push(part);
        if parts.len() > limits::BATCH {
            return None;
        }
        joined = rest;
    }
    parts.reverse();
    Some(parts)
}

const VALID: u32 = 0;
const INVALID: u32 = 1;
const HASH_FORM: u32 = 3;
const SIGNATURE_FORM: u32 = 4;
const KEY_FORM: u32 = 5;
const RECOVERY_ID: u32 = 6;
const BATCH_FORM: u32 = 7;
const OTHER: u32 = 10;
const PRIVATE_KEY: u32 = 1_000;
