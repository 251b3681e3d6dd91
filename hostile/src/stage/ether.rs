//! Transactions of the Ethereum world.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, keccak256};
use secp256k1::{Message, SECP256K1, SecretKey};

/// The key of a user. 1 is the victim, 2 the host's own account.
pub(crate) fn secret(user: u8) -> SecretKey {
    SecretKey::from_byte_array([user; 32]).expect("a small number is a key")
}

pub(crate) fn address(user: u8) -> Address {
    let public = secret(user).public_key(SECP256K1).serialize_uncompressed();
    Address::from_slice(&keccak256(&public[1..])[12..])
}

pub(crate) fn call(user: u8, nonce: u64, to: Address, input: impl Into<Bytes>) -> Bytes {
    sign(user, TxEip1559 { to: TxKind::Call(to), input: input.into(), ..plain(nonce) })
}

pub(crate) fn create(user: u8, nonce: u64, init: Bytes) -> Bytes {
    sign(user, TxEip1559 { to: TxKind::Create, input: init, ..plain(nonce) })
}

pub(crate) fn transfer(user: u8, nonce: u64, to: Address, value: u64) -> Bytes {
    sign(user, TxEip1559 { to: TxKind::Call(to), value: U256::from(value), ..plain(nonce) })
}

/// As it stands in a block.
pub(crate) fn sign(user: u8, tx: TxEip1559) -> Bytes {
    let message = Message::from_digest(tx.signature_hash().0);
    let (id, rs) = SECP256K1.sign_ecdsa_recoverable(message, &secret(user)).serialize_compact();
    let signature = Signature::new(U256::from_be_slice(&rs[..32]), U256::from_be_slice(&rs[32..]), i32::from(id) == 1);
    let mut bytes = vec![1];
    TxEnvelope::Eip1559(tx.into_signed(signature)).encode_2718(&mut bytes);
    bytes.into()
}

fn plain(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: 7_082_400,
        nonce,
        gas_limit: 5_000_000,
        max_fee_per_gas: 1_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Create,
        value: U256::ZERO,
        access_list: Default::default(),
        input: Bytes::new(),
    }
}
