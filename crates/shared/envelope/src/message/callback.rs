//! How secretjs's form marks a call that an enclave made for a contract: `SHA-256(secret ‖ M ‖ F)`.
//!
//! * `secret` is known to enclaves only, `M` the ciphertext of the message without nonce and public key (the bare message in
//!   a plaintext flow, nothing for a change of admin), `F` the funds as compact JSON: `[{"denom":"uscrt","amount":"5"}]`.
//! * The sender is not part of it, nothing separates `M` from `F`, and whoever has one signature can extend `F` (SHA-256's
//!   length extension). So it identifies a call that was made here and proves no more: it must never be accepted from a
//!   user's transaction in place of a signature. (Secret Network's callback signature.)

use alloy_primitives::B256;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Coin;
use crate::Secret;

/// The signature of a call with these funds.
pub fn sign(secret: &Secret<32>, message: &[u8], funds: &[Coin<'_>]) -> B256 {
    let hash = secret.expose(|secret| Sha256::new().chain_update(secret));
    B256::from_slice(&hash.chain_update(message).chain_update(funds_json(funds)).finalize())
}

/// Whether `signature` is the one of a call with these funds; compared in constant time.
pub fn verify(secret: &Secret<32>, message: &[u8], funds: &[Coin<'_>], signature: &[u8]) -> bool {
    sign(secret, message, funds).as_slice().ct_eq(signature).into()
}

/// A denomination consists of letters, digits and `/:._-`, so that nothing has to be escaped.
fn funds_json(funds: &[Coin<'_>]) -> String {
    let coin = |coin: &Coin<'_>| format!(r#"{{"denom":"{}","amount":"{}"}}"#, coin.denom, coin.amount);
    format!("[{}]", funds.iter().map(coin).collect::<Vec<_>>().join(","))
}
