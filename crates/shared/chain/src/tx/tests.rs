use alloy_consensus::{TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_primitives::{TxKind, U256, hex};
use secp256k1::{Message, SECP256K1, SecretKey};

use super::*;

const CHAIN: u64 = 7_082_400;

/// The hash to sign, signed by hardhat's first key.
fn sign(hash: B256) -> Signature {
    let key = hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    let key = SecretKey::from_byte_array(key).expect("a key");
    let (id, bytes) = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &key).serialize_compact();
    Signature::new(U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..]), i32::from(id) == 1)
}

fn encode(envelope: TxEnvelope) -> Vec<u8> {
    envelope.encoded_2718()
}

fn legacy(chain_id: Option<u64>) -> TxEnvelope {
    let tx = TxLegacy { chain_id, nonce: 3, gas_price: 7, gas_limit: 21_000, to: TxKind::Create, ..Default::default() };
    let signature = sign(tx.signature_hash());
    TxEnvelope::Legacy(tx.into_signed(signature))
}

fn sender() -> Address {
    Address::new(hex!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266"))
}

#[test]
fn every_accepted_type_gives_its_sender_and_travels_unchanged() {
    let access = TxEip2930 { chain_id: CHAIN, nonce: 3, gas_limit: 21_000, ..Default::default() };
    let dynamic = TxEip1559 { chain_id: CHAIN, nonce: 3, gas_limit: 21_000, ..Default::default() };
    let (access_signature, dynamic_signature) = (sign(access.signature_hash()), sign(dynamic.signature_hash()));
    let envelopes = [
        legacy(None),
        legacy(Some(CHAIN)),
        TxEnvelope::Eip2930(access.into_signed(access_signature)),
        TxEnvelope::Eip1559(dynamic.into_signed(dynamic_signature)),
    ];
    for envelope in envelopes {
        let bytes = encode(envelope);
        let tx = Tx::Eth(EthTx::decode(&bytes, CHAIN).expect("a good transaction"));
        assert_eq!((tx.sender(), tx.sequence(), tx.hash()), (sender(), 3, keccak256(&bytes)));
        let travelling = tx.to_bytes();
        assert_eq!(Tx::eip2718(&travelling), Some(bytes.clone().into()));
        assert_eq!(Tx::eip2718(&Bytes::from_static(&[2, 1])), None, "of no world");
        assert_eq!(travelling[..], [&[1], bytes.as_slice()].concat());
        assert_eq!(Tx::from_bytes(&travelling, CHAIN), Ok(tx));
    }
}

#[test]
fn foreign_truncated_overlong_and_unknown_transactions_are_refused() {
    let good = encode(legacy(Some(CHAIN)));
    assert_eq!(EthTx::decode(&encode(legacy(Some(1))), CHAIN), Err(TxError::ChainId { have: 1, want: CHAIN }));
    for cut in 0..good.len() {
        assert!(matches!(EthTx::decode(&good[..cut], CHAIN), Err(TxError::Rlp(_))), "cut at {cut}");
    }
    assert!(matches!(EthTx::decode(&[good.as_slice(), &[0]].concat(), CHAIN), Err(TxError::Rlp(_))));
    let set_code = TxEip7702 { chain_id: CHAIN, ..Default::default() };
    let signature = sign(set_code.signature_hash());
    assert_eq!(EthTx::decode(&encode(TxEnvelope::Eip7702(set_code.into_signed(signature))), CHAIN), Err(TxError::Type));
    assert_eq!(EthTx::decode(&[3, 0xc0], CHAIN), Err(TxError::Type));
    assert_eq!(EthTx::decode(&[0x7f], CHAIN), Err(TxError::Type));
    assert_eq!(EthTx::decode(&vec![0xf8; limits::TX_BYTES + 1], CHAIN), Err(TxError::Oversized(limits::TX_BYTES + 1)));
    assert_eq!(Tx::from_bytes(&[], CHAIN), Err(TxError::Kind));
    assert_eq!(Tx::from_bytes(&[9, 9], CHAIN), Err(TxError::Kind));
}

#[test]
fn a_signature_with_high_s_is_refused() {
    let TxEnvelope::Legacy(signed) = legacy(Some(CHAIN)) else { panic!("legacy") };
    let (tx, low) = (signed.tx().clone(), *signed.signature());
    let order = U256::from_be_bytes(hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
    let high = Signature::new(low.r(), order - low.s(), !low.v());
    assert_eq!(
        EthTx::decode(&encode(TxEnvelope::Legacy(tx.clone().into_signed(high))), CHAIN),
        Err(TxError::Signature)
    );
    let zero = Signature::new(U256::ZERO, low.s(), low.v());
    assert_eq!(EthTx::decode(&encode(TxEnvelope::Legacy(tx.into_signed(zero))), CHAIN), Err(TxError::Signature));
}

proptest::proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = Tx::from_bytes(&bytes, CHAIN);
        let _ = EthTx::decode(&bytes, CHAIN);
    }
}
