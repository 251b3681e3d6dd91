//! Transactions signed in `SIGN_MODE_DIRECT` (Cosmos SDK, ADR-020).

use alloy_primitives::{Address, B256};
use cloister_chain::cosmos::{DENOM, PublicKey, bech32};
use prost::Message as _;
use secp256k1::{SECP256K1, SecretKey};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use sha2::{Digest as _, Sha256};

use crate::Wallet;

/// Where a signature counts: once, on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The chain.
    pub chain_id: &'a str,
    /// Number of the account at the Cosmos door.
    pub number: u64,
    /// The account's next sequence.
    pub sequence: u64,
}

/// What a transaction says beside its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Most gas that it may use, in the SDK's units.
    pub gas: u64,
    /// What it pays, used or not, in [`DENOM`].
    pub fee: u128,
    /// A remark that everybody reads, of at most 256 bytes.
    pub memo: String,
}

impl Wallet {
    /// The account of this key at the Cosmos door, RIPEMD-160 of SHA-256 of the public key: another one than
    /// [`Wallet::address`]. [`bech32`] writes it as people know it.
    pub fn cosmos_address(&self) -> Address {
        self.public_key().address()
    }

    /// The public key, as transactions show it.
    pub fn public_key(&self) -> PublicKey {
        let key = self.secret.expose(|bytes| SecretKey::from_byte_array(*bytes));
        let mut key = key.expect("a wallet is only made from a valid key");
        let public = key.public_key(SECP256K1).serialize();
        key.non_secure_erase();
        PublicKey::Single(public)
    }

    /// Signs a transaction that asks for `messages`, all of them or nothing: the bytes of a `TxRaw`, and their hash, by which
    /// the chain knows it. The same transaction has the same signature (RFC 6979).
    pub fn sign_cosmos(&self, place: &Place<'_>, messages: Vec<Any>, terms: &Terms) -> (Vec<u8>, B256) {
        let body = TxBody { messages, memo: terms.memo.clone(), ..TxBody::default() };
        let signer = SignerInfo {
            public_key: Some(self.public_key().to_any()),
            mode_info: Some(ModeInfo { sum: Some(Sum::Single(Single { mode: DIRECT })) }),
            sequence: place.sequence,
        };
        let fee = Fee { amount: coins(terms.fee), gas_limit: terms.gas, ..Fee::default() };
        let auth = AuthInfo { signer_infos: vec![signer], fee: Some(fee), ..AuthInfo::default() };
        let document = SignDoc {
            body_bytes: body.encode_to_vec(),
            auth_info_bytes: auth.encode_to_vec(),
            chain_id: place.chain_id.into(),
            account_number: place.number,
        };
        let signature = self.key().sign_digest(sha256(&document.encode_to_vec()))[..64].to_vec();
        let SignDoc { body_bytes, auth_info_bytes, .. } = document;
        let raw = TxRaw { body_bytes, auth_info_bytes, signatures: vec![signature] }.encode_to_vec();
        let hash = sha256(&raw);
        (raw, hash)
    }
}

/// The message that sends `amount` of [`DENOM`].
pub fn bank_send(from: Address, to: Address, amount: u128) -> Any {
    let message = MsgSend { from_address: bech32(&from), to_address: bech32(&to), amount: coins(amount) };
    Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: message.encode_to_vec() }
}

/// `amount` as a list of coins, which is empty for nothing.
pub(super) fn coins(amount: u128) -> Vec<Coin> {
    let coin = || Coin { denom: DENOM.into(), amount: amount.to_string() };
    (amount > 0).then(coin).into_iter().collect()
}

pub(super) fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}

/// The number of `SIGN_MODE_DIRECT`.
const DIRECT: i32 = 1;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloy_primitives::hex;
    use cloister_chain::cosmos::{CosmosTx, SignerData, from_bech32};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Made by secretjs 1.22.1; see the README beside them.
    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../../shared/chain/tests/vectors/cosmos.json")).unwrap()
    }

    fn wallet() -> Wallet {
        let words = vectors()["wallet"]["mnemonic"].as_str().unwrap().to_owned();
        Wallet::family(&words, crate::SECRET, [0]).unwrap().remove(0)
    }

    const PLACE: Place<'static> = Place { chain_id: "secretdev-1", number: 7, sequence: 3 };

    #[test]
    fn a_mnemonic_has_the_key_and_the_address_that_secretjs_gives_it() {
        let known = &vectors()["wallet"];
        let wallet = wallet();
        assert_eq!(wallet.to_hex()[2..], *known["private_key"].as_str().unwrap());
        assert_eq!(
            wallet.public_key(),
            PublicKey::Single(hex::decode_to_array(known["public_key"].as_str().unwrap()).unwrap())
        );
        assert_eq!(bech32(&wallet.cosmos_address()), known["address"].as_str().unwrap());
        assert_ne!(wallet.cosmos_address(), wallet.address());
    }

    #[test]
    fn a_transfer_is_byte_for_byte_the_one_of_secretjs() {
        let known = &vectors()["direct_bank_send"];
        let (wallet, to) = (wallet(), from_bech32(known["to"].as_str().unwrap()).unwrap());
        let terms = Terms { gas: 20_000, fee: 2_000, memo: String::new() };
        let (raw, hash) = wallet.sign_cosmos(&PLACE, vec![bank_send(wallet.cosmos_address(), to, 1)], &terms);
        assert_eq!(hex::encode(&raw), known["tx_raw"].as_str().unwrap());
        assert_eq!(hex::encode_upper(hash), known["txhash"].as_str().unwrap());
    }

    #[test]
    fn any_message_is_signed_as_secretjs_signs_it() {
        let known = &vectors()["direct_execute"];
        let theirs = CosmosTx::decode(&hex::decode(known["tx_raw"].as_str().unwrap()).unwrap()).unwrap();
        let terms = Terms { gas: 200_000, fee: 20_000, memo: String::new() };
        let (raw, hash) = wallet().sign_cosmos(&PLACE, theirs.parts().0.messages.clone(), &terms);
        assert_eq!(hex::encode(&raw), known["tx_raw"].as_str().unwrap());
        assert_eq!(hex::encode_upper(hash), known["txhash"].as_str().unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_chain_takes_what_a_wallet_signs_in_its_place_only(
            number: u64, sequence in 0..u64::MAX, amount in 1_u128.., gas: u64, fee: u128, memo in "[ -~]{0,256}",
        ) {
            let wallet = Wallet::random();
            let place = Place { chain_id: "example-1", number, sequence };
            let send = bank_send(wallet.cosmos_address(), Address::ZERO, amount);
            let (raw, hash) = wallet.sign_cosmos(&place, vec![send], &Terms { gas, fee, memo: memo.clone() });
            let tx = CosmosTx::decode(&raw).unwrap();
            prop_assert_eq!((tx.hash(), tx.gas(), tx.fee()), (hash, gas, fee));
            prop_assert_eq!(tx.signers(), [wallet.cosmos_address()]);
            prop_assert_eq!(&tx.parts().0.memo, &memo);
            let account = SignerData { number, sequence, key: None };
            prop_assert_eq!(tx.verify("example-1", std::slice::from_ref(&account)), Ok(()));
            prop_assert!(tx.verify("example-2", std::slice::from_ref(&account)).is_err());
            let later = SignerData { sequence: sequence + 1, ..account.clone() };
            let other = SignerData { number: !number, ..account };
            for elsewhere in [later, other] {
                prop_assert!(tx.verify("example-1", &[elsewhere]).is_err());
            }
        }
    }
}
