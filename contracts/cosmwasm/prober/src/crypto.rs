//! Verdicts are the JSON `true` or `false`; keys and signatures are bare bytes.

use cosmwasm_std::{Api, Binary, StdError, to_binary};

use crate::{Answer, Curve};

pub fn verify_secp(api: &dyn Api, hash: &[u8], signature: &[u8], key: &[u8]) -> Answer {
    to_binary(&api.secp256k1_verify(hash, signature, key)?)
}

pub fn verify_ed(api: &dyn Api, message: &[u8], signature: &[u8], key: &[u8]) -> Answer {
    to_binary(&api.ed25519_verify(message, signature, key)?)
}

pub fn verify_ed_batch(api: &dyn Api, messages: &[Binary], signatures: &[Binary], keys: &[Binary]) -> Answer {
    let [messages, signatures, keys] =
        [messages, signatures, keys].map(|list| list.iter().map(Binary::as_slice).collect::<Vec<_>>());
    to_binary(&api.ed25519_batch_verify(&messages, &signatures, &keys)?)
}

pub fn sign(api: &dyn Api, curve: Curve, message: &[u8], key: &[u8]) -> Answer {
    let signed = match curve {
        Curve::Secp256k1 => api.secp256k1_sign(message, key),
        Curve::Ed25519 => api.ed25519_sign(message, key),
    };
    signed.map(Binary).map_err(|error| StdError::generic_err(error.to_string()))
}

pub fn recover(api: &dyn Api, hash: &[u8], signature: &[u8], param: u8) -> Answer {
    Ok(Binary(api.secp256k1_recover_pubkey(hash, signature, param)?))
}
