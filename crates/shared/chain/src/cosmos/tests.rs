use alloy_primitives::hex;
use proptest::prelude::*;
use secp256k1::{Message as Digest, SECP256K1, SecretKey};
use secret_sdk_proto::Any;
use secret_sdk_proto::Timestamp;
use secret_sdk_proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgSend, Output};
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::crypto::multisig;
use secret_sdk_proto::cosmos::crypto::multisig::v1beta1::{CompactBitArray, MultiSignature};
use secret_sdk_proto::cosmos::feegrant::v1beta1::{AllowedMsgAllowance, BasicAllowance, MsgGrantAllowance};
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Multi, Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};

use super::*;

const CHAIN: &str = "secretdev-1";

fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("../../tests/vectors/cosmos.json")).expect("the vectors are JSON")
}

fn bytes(value: &serde_json::Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a string")).expect("hex")
}

fn signer(sequence: u64) -> SignerData {
    SignerData { number: 7, sequence, key: None }
}

#[test]
fn secretjs_transactions_decode_and_verify_in_every_mode() {
    let vectors = vectors();
    let account = vectors["wallet"]["address"].as_str().expect("a string");
    for name in ["direct_bank_send", "direct_execute", "amino_execute", "amino_instantiate"] {
        let raw = bytes(&vectors[name]["tx_raw"]);
        let tx = CosmosTx::decode(&raw).expect(name);
        assert_eq!(tx.signers(), [from_bech32(account).expect("an address")], "{name}");
        if let Some(hash) = vectors[name]["txhash"].as_str() {
            assert_eq!(hex::encode_upper(tx.hash()), hash, "{name}");
        }
        tx.verify(CHAIN, &[signer(3)]).expect(name);
        assert_eq!(tx.verify(CHAIN, &[signer(4)]), Err(CosmosError::Sequence { want: 4, have: 3 }), "{name}");
        for (chain, number) in [("secret-4", 7), (CHAIN, 8)] {
            let other = SignerData { number, ..signer(3) };
            assert!(matches!(tx.verify(chain, &[other]), Err(CosmosError::Signature { .. })), "{name}");
        }
    }
}

#[test]
fn sign_documents_are_byte_for_byte_those_of_secretjs() {
    let vectors = vectors();
    for name in ["amino_execute", "amino_instantiate"] {
        let tx = CosmosTx::decode(&bytes(&vectors[name]["tx_raw"])).expect(name);
        let document = amino::document(&tx, CHAIN, 7, 3).expect("shown").compact();
        assert_eq!(document, vectors[name]["sign_bytes_utf8"].as_str().expect("a string"), "{name}");
    }
}

#[test]
fn keys_have_the_addresses_of_the_published_wallet() {
    let wallet = &vectors()["wallet"];
    let key = PublicKey::Single(bytes(&wallet["public_key"]).try_into().expect("33 bytes"));
    assert_eq!(bech32(&key.address()), wallet["address"].as_str().expect("a string"));
    assert_eq!(PublicKey::decode(&key.to_any()), Ok(key));
}

#[test]
fn keys_inside_keys_are_not_followed() {
    let multi = |members| {
        let key = multisig::LegacyAminoPubKey { threshold: 1, public_keys: members };
        Any { type_url: "/cosmos.crypto.multisig.LegacyAminoPubKey".into(), value: key.encode_to_vec() }
    };
    let single = PublicKey::Single([2; 33]).to_any();
    assert!(PublicKey::decode(&multi(vec![single.clone()])).is_ok());
    let deep = (0..10_000).fold(multi(vec![single]), |inner, _| multi(vec![inner]));
    assert!(matches!(PublicKey::decode(&deep), Err(CosmosError::PublicKey(_))), "and the stack is still there");
}

#[test]
fn addresses_of_other_chains_and_damaged_ones_are_refused() {
    let good = "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03";
    assert_eq!(bech32(&from_bech32(good).expect("an address")), good);
    for bad in [
        "",
        "secret1",
        "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s04",
        "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh",
    ] {
        assert!(matches!(from_bech32(bad), Err(CosmosError::Address(_))), "{bad}");
    }
}

/// A user of the tests.
fn secret(user: u8) -> SecretKey {
    SecretKey::from_byte_array([user; 32]).expect("a key")
}

fn key(user: u8) -> PublicKey {
    PublicKey::Single(secret(user).public_key(SECP256K1).serialize())
}

fn coins(amount: &str) -> Vec<Coin> {
    vec![Coin { denom: "uscrt".into(), amount: amount.into() }]
}

fn send(from: &PublicKey, amount: &str) -> Any {
    let message =
        MsgSend { from_address: bech32(&from.address()), to_address: bech32(&Address::ZERO), amount: coins(amount) };
    Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: message.encode_to_vec() }
}

fn info(key: &PublicKey, sum: Sum) -> SignerInfo {
    SignerInfo { public_key: Some(key.to_any()), mode_info: Some(ModeInfo { sum: Some(sum) }), sequence: 3 }
}

fn raw(messages: Vec<Any>, signer_infos: Vec<SignerInfo>, fee: &str, signatures: Vec<Vec<u8>>) -> TxRaw {
    let fee = Some(Fee { amount: coins(fee), gas_limit: 50_000, ..Default::default() });
    TxRaw {
        body_bytes: TxBody { messages, ..Default::default() }.encode_to_vec(),
        auth_info_bytes: AuthInfo { signer_infos, fee, ..Default::default() }.encode_to_vec(),
        signatures,
    }
}

fn sign(user: u8, digest: [u8; 32]) -> Vec<u8> {
    SECP256K1.sign_ecdsa(Digest::from_digest(digest), &secret(user)).serialize_compact().to_vec()
}

fn single(mode: i32) -> Sum {
    Sum::Single(Single { mode })
}

#[test]
fn two_of_three_keys_sign_together_and_one_does_not() {
    let members: Vec<[u8; 33]> = (1..=3).map(|user| secret(user).public_key(SECP256K1).serialize()).collect();
    let key = PublicKey::Multi { threshold: 2, members };
    let build = |signers: &[u8]| {
        let mask = signers.iter().fold(0u8, |mask, user| mask | 0x80 >> (user - 1));
        let bitarray = Some(CompactBitArray { extra_bits_stored: 3, elems: vec![mask] });
        let mode_infos = signers.iter().map(|_| ModeInfo { sum: Some(single(127)) }).collect();
        let infos = vec![info(&key, Sum::Multi(Multi { bitarray, mode_infos }))];
        let unsigned = raw(vec![send(&key, "5")], infos, "10", vec![vec![]]);
        let document = amino::document(&CosmosTx::decode(&unsigned.encode_to_vec()).expect("decodes"), CHAIN, 7, 3)
            .expect("shown")
            .compact();
        let signatures = signers.iter().map(|user| sign(*user, Sha256::digest(&document).into())).collect();
        let signed = TxRaw { signatures: vec![MultiSignature { signatures }.encode_to_vec()], ..unsigned };
        CosmosTx::decode(&signed.encode_to_vec()).expect("decodes").verify(CHAIN, &[signer(3)])
    };
    assert_eq!(build(&[1, 3]), Ok(()));
    assert_eq!(build(&[1, 2, 3]), Ok(()));
    assert!(matches!(build(&[2]), Err(CosmosError::Signature { .. })));
}

#[test]
fn an_ethereum_wallet_signs_the_document_as_it_shows_it() {
    let unsigned = raw(vec![send(&key(1), "5")], vec![info(&key(1), single(191))], "10", vec![vec![]]);
    let shown = amino::document(&CosmosTx::decode(&unsigned.encode_to_vec()).expect("decodes"), CHAIN, 7, 3)
        .expect("shown")
        .pretty();
    assert!(shown.starts_with("{\n    \"account_number\": \"7\",\n    \"chain_id\": \"secretdev-1\","));
    let signature = sign(1, alloy_primitives::eip191_hash_message(shown).0);
    let signed = TxRaw { signatures: vec![signature], ..unsigned };
    CosmosTx::decode(&signed.encode_to_vec()).expect("decodes").verify(CHAIN, &[signer(3)]).expect("verifies");
}

#[test]
fn every_signer_signs_and_nobody_else_can() {
    let infos = vec![info(&key(1), single(1)), info(&key(2), single(1))];
    let unsigned = raw(vec![send(&key(1), "5"), send(&key(2), "6")], infos, "10", vec![]);
    let signed = |users: [u8; 2]| {
        let TxRaw { body_bytes, auth_info_bytes, .. } = unsigned.clone();
        let document =
            SignDoc { body_bytes, auth_info_bytes, chain_id: CHAIN.into(), account_number: 7 }.encode_to_vec();
        let signatures = users.map(|user| sign(user, Sha256::digest(&document).into())).to_vec();
        CosmosTx::decode(&TxRaw { signatures, ..unsigned.clone() }.encode_to_vec()).expect("decodes")
    };
    assert_eq!(signed([1, 2]).verify(CHAIN, &[signer(3), signer(3)]), Ok(()));
    assert!(signed([1, 1]).verify(CHAIN, &[signer(3), signer(3)]).is_err());
    assert!(signed([2, 1]).verify(CHAIN, &[signer(3), signer(3)]).is_err());
    assert_eq!(
        CosmosTx::decode(&unsigned.encode_to_vec()).expect_err("nobody signed"),
        CosmosError::Signers { want: 2, have: 0 }
    );
}

#[test]
fn amounts_and_shapes_that_the_sdk_refuses_are_refused() {
    let infos = || vec![info(&key(1), single(1))];
    let refusal = |message: Any, fee: &str| {
        let bytes = raw(vec![message], infos(), fee, vec![vec![0; 64]]).encode_to_vec();
        CosmosTx::decode(&bytes).expect_err("refused").code()
    };
    for amount in ["0", "-5", "+5", "", "5.0", "340282366920938463463374607431768211456"] {
        assert_eq!(refusal(send(&key(1), amount), "10"), 10, "{amount}");
    }
    assert_eq!(refusal(send(&key(1), "5"), "x"), 10);
    let unknown = Any { type_url: "/cosmos.nft.v1beta1.MsgSend".into(), value: vec![] };
    assert_eq!(refusal(unknown, "10"), 6);
    let garbage = Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: vec![0xff] };
    assert_eq!(refusal(garbage, "10"), 2);
    let side = |amount| (bech32(&key(1).address()), coins(amount));
    let (address, coins_in) = side("5");
    let uneven = MsgMultiSend {
        inputs: vec![Input { address: address.clone(), coins: coins_in }],
        outputs: vec![Output { address, coins: coins("6") }],
    };
    let uneven = Any { type_url: "/cosmos.bank.v1beta1.MsgMultiSend".into(), value: uneven.encode_to_vec() };
    assert_eq!(refusal(uneven, "10"), 18);
}

#[test]
fn a_transaction_has_one_encoding() {
    let good = bytes(&vectors()["direct_bank_send"]["tx_raw"]);
    // An unknown field and a repeated one: both would decode, under another hash.
    for tail in [&[0x7a, 0x00][..], &[0x1a, 0x00][..]] {
        assert!(CosmosTx::decode(&[&good, tail].concat()).is_err());
    }
    for cut in 0..good.len() {
        assert!(CosmosTx::decode(&good[..cut]).is_err(), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = CosmosTx::decode(&bytes);
    }

    #[test]
    fn a_changed_byte_never_verifies(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut raw = bytes(&vectors()["direct_execute"]["tx_raw"]);
        let at = at.index(raw.len());
        raw[at] ^= flip;
        if let Ok(tx) = CosmosTx::decode(&raw) {
            prop_assert!(tx.verify(CHAIN, &[signer(3)]).is_err());
        }
    }
}

#[test]
fn an_allowance_without_times_is_shown_and_one_with_times_is_signed_directly() {
    let (granter, grantee) = (bech32(&key(1).address()), bech32(&key(2).address()));
    let any = |name: &str, value: Vec<u8>| Any { type_url: format!("/cosmos.feegrant.v1beta1.{name}"), value };
    let signed = |expiration: Option<Timestamp>, mode: i32| {
        let spend_limit = vec![Coin { denom: "uscrt".into(), amount: "9".into() }];
        let basic = any("BasicAllowance", BasicAllowance { spend_limit, expiration }.encode_to_vec());
        let allowed = AllowedMsgAllowance { allowance: Some(basic), allowed_messages: vec!["/a.B".into()] };
        let allowance = Some(any("AllowedMsgAllowance", allowed.encode_to_vec()));
        let grant = MsgGrantAllowance { granter: granter.clone(), grantee: grantee.clone(), allowance };
        let message = any("MsgGrantAllowance", grant.encode_to_vec());
        let unsigned = raw(vec![message], vec![info(&key(1), single(mode))], "10", vec![vec![]]);
        let tx = CosmosTx::decode(&unsigned.encode_to_vec()).expect("decodes");
        let document = amino::document(&tx, CHAIN, 7, 3).map(|document| document.compact());
        let signature = sign(1, Sha256::digest(document.clone().unwrap_or_default()).into());
        let tx = TxRaw { signatures: vec![signature], ..unsigned };
        (document, CosmosTx::decode(&tx.encode_to_vec()).expect("decodes").verify(CHAIN, &[signer(3)]))
    };
    let (document, verified) = signed(None, 127);
    assert_eq!(verified, Ok(()));
    let basic = r#"{"type":"cosmos-sdk/BasicAllowance","value":{"spend_limit":[{"amount":"9","denom":"uscrt"}]}}"#;
    let allowance = format!(
        r#"{{"type":"cosmos-sdk/AllowedMsgAllowance","value":{{"allowance":{basic},"allowed_messages":["/a.B"]}}}}"#
    );
    let shown = format!(r#""value":{{"allowance":{allowance},"grantee":"{grantee}","granter":"{granter}"}}"#);
    assert!(document.as_ref().is_some_and(|document| document.contains(&shown)), "{document:?}");
    let (document, verified) = signed(Some(Timestamp { seconds: 5, nanos: 0 }), 127);
    assert_eq!((document, verified.map_err(|error| error.code())), (None, Err(18)));
    let direct = signed(Some(Timestamp { seconds: 5, nanos: 0 }), 1).1;
    assert!(matches!(direct, Err(CosmosError::Signature { .. })), "that is a mode for it; only the signature is wrong");
}
