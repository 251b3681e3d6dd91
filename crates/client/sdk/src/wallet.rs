use core::fmt;

use alloy_consensus::transaction::RlpEcdsaEncodableTx;
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, Bytes, Signature, hex};
use bip32::{ChildNumber, XPrv};
use bip39::{Language, Mnemonic};
use cloister_envelope::{AccountKey, Secret};
use zeroize::{Zeroize, Zeroizing};

use crate::Error;

/// The mnemonic of hardhat's and anvil's well-known accounts. Everybody knows it: for development only.
pub const HARDHAT_MNEMONIC: &str = "test test test test test test test test test test test junk";

/// The number of Ethereum in SLIP-44.
pub const ETHEREUM: u32 = 60;
/// The number of Secret Network in SLIP-44.
pub const SECRET: u32 = 529;

/// The secp256k1 key of one account. Signs locally; the key never travels.
///
/// The same key has an account on each side of a chain: [`Wallet::address`] at the Ethereum door,
/// [`Wallet::cosmos_address`] at the Cosmos door.
pub struct Wallet {
    pub(crate) secret: Secret<32>,
    key: AccountKey,
}

impl Wallet {
    /// Takes over a secret key.
    pub fn from_secret(secret: Secret<32>) -> Result<Self, Error> {
        let copy = Secret::fill(|target| secret.expose(|bytes| *target = *bytes));
        let key = AccountKey::from_secret(copy).map_err(|_| Error::PrivateKey)?;
        Ok(Self { secret, key })
    }

    /// Reads 64 hex digits, with or without `0x`.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::PrivateKey)?;
        let secret = Secret::from_bytes(bytes);
        bytes.zeroize();
        Self::from_secret(secret)
    }

    /// The key at `m/44'/60'/0'/0/index` of an English BIP-39 mnemonic without a passphrase: what every Ethereum wallet
    /// shows as account number `index`.
    pub fn from_mnemonic(phrase: &str, index: u32) -> Result<Self, Error> {
        Ok(Self::family(phrase, ETHEREUM, index..=index)?.remove(0))
    }

    /// Several keys `m/44'/coin'/0'/0/index` of one mnemonic (BIP-44); the costly step from words to seed is made once.
    /// `coin` is a number of SLIP-44: [`ETHEREUM`] or [`SECRET`].
    pub fn family(phrase: &str, coin: u32, indices: impl IntoIterator<Item = u32>) -> Result<Vec<Self>, Error> {
        let seed = Zeroizing::new(Mnemonic::parse_in_normalized(Language::English, phrase)?.to_seed_normalized(""));
        let path = format!("m/44'/{coin}'/0'/0").parse().map_err(|_| Error::Index(coin))?;
        let parent = XPrv::derive_from_path(*seed, &path).map_err(|_| Error::Index(coin))?;
        let child = |index| {
            let number = ChildNumber::new(index, false).map_err(|_| Error::Index(index))?;
            let key = parent.derive_child(number).map_err(|_| Error::Index(index))?;
            let bytes = Zeroizing::new(key.to_bytes());
            Self::from_secret(Secret::fill(|target| *target = *bytes))
        };
        indices.into_iter().map(child).collect()
    }

    /// A new account, from the operating system's randomness.
    pub fn random() -> Self {
        // A number outside the group has a probability of 2^-128; the loop is for the type system.
        loop {
            let secret = Secret::fill(|bytes| getrandom::fill(bytes).expect("the operating system has randomness"));
            if let Ok(wallet) = Self::from_secret(secret) {
                return wallet;
            }
        }
    }

    /// The account's address.
    pub const fn address(&self) -> Address {
        self.key.address()
    }

    /// What signs input texts and on-boarding requests.
    pub const fn key(&self) -> &AccountKey {
        &self.key
    }

    /// The key as 64 hex digits after `0x`, for a file or a developer's screen.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(self.secret.expose(|bytes| hex::encode_prefixed(bytes)))
    }

    /// Signs a transaction: the bytes that `eth_sendRawTransaction` takes.
    pub fn sign(&self, tx: &TxEip1559) -> Bytes {
        let bytes = self.key.sign_digest(tx.signature_hash());
        let signature = Signature::from_bytes_and_parity(&bytes[..64], bytes[64] == 1);
        let mut raw = Vec::with_capacity(tx.eip2718_encoded_length(&signature));
        tx.eip2718_encode(&signature, &mut raw);
        raw.into()
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wallet").field(&self.address()).finish()
    }
}

#[cfg(test)]
mod tests {
    use alloy_consensus::TxEnvelope;
    use alloy_eips::Decodable2718;
    use alloy_primitives::{TxKind, U256, address};
    use cloister_envelope::signature;

    use super::*;

    #[test]
    fn hardhats_first_and_last_account_are_where_everybody_knows_them() {
        let family = Wallet::family(HARDHAT_MNEMONIC, ETHEREUM, 0..10).expect("a valid mnemonic");
        assert_eq!(family[0].address(), address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
        assert_eq!(family[0].to_hex().as_str(), "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
        assert_eq!(family[9].address(), address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"));
        let ninth = Wallet::from_mnemonic(HARDHAT_MNEMONIC, 9).expect("a valid mnemonic");
        assert_eq!(ninth.address(), family[9].address());
    }

    #[test]
    fn a_wallet_comes_back_from_its_hex_with_or_without_a_prefix() {
        let wallet = Wallet::random();
        let text = wallet.to_hex();
        for form in [text.as_str(), &text[2..]] {
            assert_eq!(Wallet::from_hex(form).expect("its own form").address(), wallet.address());
        }
    }

    #[test]
    fn another_coin_of_the_same_words_is_another_account() {
        let secret = Wallet::family(HARDHAT_MNEMONIC, SECRET, [0]).expect("a valid mnemonic");
        let ethereum = Wallet::from_mnemonic(HARDHAT_MNEMONIC, 0).expect("a valid mnemonic");
        assert_ne!(secret[0].address(), ethereum.address());
        assert!(matches!(Wallet::family(HARDHAT_MNEMONIC, 1 << 31, [0]), Err(Error::Index(_))));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let above_the_order = "f".repeat(64);
        for text in ["", "0x", "12", &"0".repeat(64), &above_the_order, &"g".repeat(64), &"1".repeat(66)] {
            assert!(matches!(Wallet::from_hex(text), Err(Error::PrivateKey)), "{text}");
        }
        assert!(matches!(Wallet::from_mnemonic("test test junk", 0), Err(Error::Mnemonic(_))));
        assert!(matches!(Wallet::from_mnemonic(HARDHAT_MNEMONIC, 1 << 31), Err(Error::Index(_))));
    }

    #[test]
    fn a_wallet_prints_its_address_and_nothing_else() {
        let wallet = Wallet::from_mnemonic(HARDHAT_MNEMONIC, 0).expect("a valid mnemonic");
        assert_eq!(format!("{wallet:?}"), "Wallet(0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266)");
    }

    #[test]
    fn a_signed_transaction_names_its_signer_and_keeps_every_field() {
        let wallet = Wallet::random();
        let tx = TxEip1559 {
            chain_id: 7_082_400,
            nonce: 3,
            gas_limit: 21_000,
            max_fee_per_gas: 10,
            max_priority_fee_per_gas: 1,
            to: TxKind::Call(Address::repeat_byte(9)),
            value: U256::from(5),
            input: Bytes::from_static(b"data"),
            ..Default::default()
        };
        let read = TxEnvelope::decode_2718_exact(&wallet.sign(&tx)).expect("what was just encoded");
        let read = read.as_eip1559().expect("of this type");
        assert_eq!(read.tx(), &tx);
        let signer = signature::recover(&tx.encoded_for_signing(), &read.signature().as_rsy());
        assert_eq!(signer, Ok(wallet.address()));
    }
}
