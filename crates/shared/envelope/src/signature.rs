//! The signature rule that input texts and on-boarding requests share (COTI gcEVM; secp256k1 of SEC 2, keccak-256).
//!
//! A signature is `r(32) ‖ s(32) ‖ v(1)`. `v` says over which digest of the message it was made:
//!
//! | `v` | digest | made by |
//! | --- | --- | --- |
//! | 0, 1 | `keccak256(message)` | SDKs that hold the account's key |
//! | 27, 28 | `keccak256("\x19Ethereum Signed Message:\n" ‖ decimal length ‖ message)` (EIP-191) | browser wallets |
//!
//! Everything else is refused, and so is `s` in the upper half of the group order, which would give every signature a twin.

use core::fmt;
use std::sync::LazyLock;

use alloy_primitives::{Address, B256, eip191_hash_message, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use secp256k1::ffi::types::AlignedType;
use secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey, VerifyOnlyPreallocated};

use crate::{Error, Secret};

/// The length of a signature.
pub const SIGNATURE_BYTES: usize = 65;

/// Succeeds when `signature` is `signer`'s over `message`, in either form.
pub fn verify(message: &[u8], signature: &[u8], signer: Address) -> Result<(), Error> {
    if recover(message, signature)? == signer { Ok(()) } else { Err(Error::WrongSigner) }
}

/// The account that made `signature` over `message`.
///
/// Any well-formed signature recovers to *some* account: compare it with the expected one, as [`verify`] does.
pub fn recover(message: &[u8], signature: &[u8]) -> Result<Address, Error> {
    let signature: &[u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| Error::SignatureLength)?;
    let (compact, v) = (&signature[..64], signature[64]);
    let (form, parity) = match v {
        0 | 1 => (Form::Raw, v),
        27 | 28 => (Form::Personal, v - 27),
        _ => return Err(Error::RecoveryId),
    };
    recover_digest(form.digest(message), compact, parity)
}

/// The account that made `r ‖ s` over `digest`, with the low `s` that has this parity of R's y.
fn recover_digest(digest: B256, compact: &[u8], parity: u8) -> Result<Address, Error> {
    let signature = RecoverableSignature::from_compact(compact, RecoveryId::from_u8_masked(parity))
        .map_err(|_| Error::Unrecoverable)?;
    let mut low_s = signature.to_standard();
    low_s.normalize_s();
    if low_s != signature.to_standard() {
        return Err(Error::HighS);
    }
    let key = VERIFIER.recover_ecdsa(Message::from_digest(digest.0), &signature).map_err(|_| Error::Unrecoverable)?;
    Ok(address(&key))
}

/// Whether `r ‖ s`, with the low `s`, is the signature over `digest` by this compressed public key.
pub(crate) fn is_signed(digest: B256, compact: &[u8; 64], key: &[u8; 33]) -> bool {
    let (Ok(signature), Ok(key)) = (Signature::from_compact(compact), PublicKey::from_byte_array_compressed(*key))
    else {
        return false;
    };
    // The library takes no high `s`.
    VERIFIER.verify_ecdsa(Message::from_digest(digest.0), &signature, &key).is_ok()
}

/// Over which digest of a message a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `keccak256(message)`, `v` = 0 or 1.
    Raw,
    /// EIP-191 `personal_sign`, `v` = 27 or 28.
    Personal,
}

impl Form {
    /// The digest that is signed.
    pub fn digest(self, message: &[u8]) -> B256 {
        match self {
            Self::Raw => keccak256(message),
            Self::Personal => eip191_hash_message(message),
        }
    }
}

/// The secret key of an account. For clients: the network never signs in a user's name.
pub struct AccountKey {
    secret: Secret<32>,
    address: Address,
}

impl AccountKey {
    /// Takes over a secret key: 32 big-endian bytes, neither zero nor above the group order.
    pub fn from_secret(secret: Secret<32>) -> Result<Self, Error> {
        let mut key = secret.expose(|bytes| SecretKey::from_byte_array(*bytes)).map_err(|_| Error::AccountKey)?;
        let address = address(&key.public_key(&SIGNER));
        key.non_secure_erase();
        Ok(Self { secret, address })
    }

    /// The account's 20-byte address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The account's public key, compressed (SEC 1).
    pub fn public_key(&self) -> [u8; 33] {
        let mut key = self.key();
        let public = key.public_key(&SIGNER).serialize();
        key.non_secure_erase();
        public
    }

    /// Signs `message`: the same bytes for the same message (RFC 6979), low s.
    pub fn sign(&self, message: &[u8], form: Form) -> [u8; SIGNATURE_BYTES] {
        let mut signature = self.sign_digest(form.digest(message));
        if form == Form::Personal {
            signature[64] += 27;
        }
        signature
    }

    /// Signs a digest, for example of a transaction: `r ‖ s ‖ y parity`, the last byte 0 or 1.
    pub fn sign_digest(&self, digest: B256) -> [u8; SIGNATURE_BYTES] {
        let mut key = self.key();
        let signature = SIGNER.sign_ecdsa_recoverable(Message::from_digest(digest.0), &key);
        key.non_secure_erase();
        let (parity, compact) = signature.serialize_compact();
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = u8::from(parity == RecoveryId::One);
        bytes
    }

    /// For whoever erases it.
    fn key(&self) -> SecretKey {
        let key = self.secret.expose(|bytes| SecretKey::from_byte_array(*bytes));
        key.expect("an AccountKey is only made from a valid secret key")
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccountKey").field(&self.address).finish()
    }
}

fn address(key: &PublicKey) -> Address {
    Address::from_raw_public_key(&key.serialize_uncompressed()[1..])
}

/// Made in a buffer of our own because the plain constructor asks the operating system for randomness, which a
/// verifier does not need and a locked-down enclave may not have. The buffer lives as long as the process.
static VERIFIER: LazyLock<Secp256k1<VerifyOnlyPreallocated<'static>>> = LazyLock::new(|| {
    let buffer = vec![AlignedType::zeroed(); Secp256k1::preallocate_verification_size()].leak();
    Secp256k1::preallocated_verification_only(buffer).expect("the buffer has the size that the library asked for")
});

static SIGNER: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, uint};
    use proptest::prelude::*;
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(AccountKey: Clone, Copy, fmt::Display, serde::Serialize);

    const GROUP_ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

    fn account(byte: u8) -> AccountKey {
        AccountKey::from_secret(Secret::from_bytes([byte; 32])).expect("below the group order")
    }

    #[test]
    fn both_forms_verify_and_neither_passes_for_the_other() {
        let (alice, message) = (account(1), b"message");
        for (form, other_v) in [(Form::Raw, 27), (Form::Personal, 0)] {
            let mut signature = alice.sign(message, form);
            assert_eq!(verify(message, &signature, alice.address()), Ok(()));
            signature[64] = signature[64] % 27 + other_v;
            assert_eq!(verify(message, &signature, alice.address()), Err(Error::WrongSigner));
        }
    }

    #[test]
    fn only_65_bytes_are_a_signature() {
        let (alice, message) = (account(1), b"message");
        let signature = alice.sign(message, Form::Raw);
        let longer = [signature.as_slice(), &[0]].concat();
        for refused in [&[][..], &[0; 64], &signature[..64], &longer] {
            assert_eq!(verify(message, refused, alice.address()), Err(Error::SignatureLength));
        }
    }

    #[test]
    fn only_four_values_of_v_are_known() {
        let mut signature = account(1).sign(b"message", Form::Raw);
        for v in (2..=26).chain(29..=255) {
            signature[64] = v;
            assert_eq!(recover(b"message", &signature), Err(Error::RecoveryId));
        }
    }

    #[test]
    fn the_twin_with_the_high_s_is_refused() {
        let mut signature = account(1).sign(b"message", Form::Raw);
        let s = U256::from_be_slice(&signature[32..64]);
        signature[32..64].copy_from_slice(&(GROUP_ORDER - s).to_be_bytes::<32>());
        signature[64] ^= 1;
        assert_eq!(recover(b"message", &signature), Err(Error::HighS));
    }

    #[test]
    fn numbers_outside_the_group_are_refused() {
        let good = account(1).sign(b"message", Form::Raw);
        for part in [0..32, 32..64] {
            for number in [U256::ZERO, GROUP_ORDER, U256::MAX] {
                let mut signature = good;
                signature[part.clone()].copy_from_slice(&number.to_be_bytes::<32>());
                assert_eq!(recover(b"message", &signature), Err(Error::Unrecoverable));
            }
        }
    }

    #[test]
    fn a_key_outside_the_group_is_no_key() {
        for number in [U256::ZERO, GROUP_ORDER, U256::MAX] {
            let key = AccountKey::from_secret(Secret::from_bytes(number.to_be_bytes()));
            assert_eq!(key.err(), Some(Error::AccountKey));
        }
    }

    #[test]
    fn an_account_key_prints_its_address_only() {
        assert_eq!(format!("{:?}", account(1)), "AccountKey(0x1a642f0e3c3af545e7acbd38b07251b3990914f1)");
    }

    proptest! {
        #[test]
        fn any_65_bytes_end_in_an_answer(bytes: [[u8; 13]; 5], v in prop::sample::select(vec![0_u8, 1, 27, 28])) {
            let mut signature: Vec<u8> = bytes.concat();
            signature[64] = v;
            let _ = recover(b"message", &signature);
        }

        #[test]
        fn every_signature_verifies_for_its_signer_and_message_only(
            secret in 1_u8..=254, message: Vec<u8>, personal: bool, other: Vec<u8>,
        ) {
            let (form, key) = (if personal { Form::Personal } else { Form::Raw }, account(secret));
            let signature = key.sign(&message, form);
            prop_assert_eq!(recover(&message, &signature), Ok(key.address()));
            if other != message {
                prop_assert_eq!(verify(&other, &signature, key.address()), Err(Error::WrongSigner));
            }
        }
    }
}

#[cfg(test)]
mod wycheproof;
