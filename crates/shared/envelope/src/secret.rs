use core::fmt;

use alloy_primitives::hex;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::Error;

/// `N` secret bytes: never printed, copied or serialised, compared in constant time, overwritten when dropped.
///
/// The bytes live on the heap, so that moving a secret moves a pointer and leaves no copy behind.
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Takes over `bytes`; the caller's own copy is the caller's to erase.
    pub fn from_bytes(mut bytes: [u8; N]) -> Self {
        let secret = Self::fill(|target| *target = bytes);
        bytes.zeroize();
        secret
    }

    /// Lets `fill` write the bytes in place, so that no other copy ever exists.
    pub fn fill(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// Shows the bytes to `read` and to nobody else.
    pub fn expose<T>(&self, read: impl FnOnce(&[u8; N]) -> T) -> T {
        read(&self.0)
    }

    /// `self XOR other`: splits a key into shares and joins the shares again.
    pub fn xor(&self, other: &Self) -> Self {
        Self::fill(|target| {
            for (byte, (a, b)) in target.iter_mut().zip(self.0.iter().zip(other.0.iter())) {
                *byte = a ^ b;
            }
        })
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// A user's AES-128 key: what on-boarding delivers and what every user ciphertext of one address is made with.
#[derive(Debug, PartialEq, Eq)]
pub struct UserKey(Secret<16>);

impl UserKey {
    /// Takes over 16 key bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// Reads what a wallet stores: exactly 32 lower-case hex digits. For clients only.
    pub fn from_client_hex(text: &str) -> Result<Self, Error> {
        if text.len() != 32 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(Error::KeyText);
        }
        Ok(Self(Secret::fill(|target| hex::decode_to_slice(text, target).expect("32 hex digits, checked above"))))
    }

    /// Writes what a wallet stores: 32 lower-case hex digits. For clients only: an enclave never has a reason to.
    pub fn to_client_hex(&self) -> Zeroizing<String> {
        self.expose(|key| Zeroizing::new(hex::encode(key)))
    }

    /// Shows the bytes to `read` and to nobody else.
    pub fn expose<T>(&self, read: impl FnOnce(&[u8; 16]) -> T) -> T {
        self.0.expose(read)
    }

    pub(crate) fn secret(&self) -> &Secret<16> {
        &self.0
    }
}

impl From<Secret<16>> for UserKey {
    fn from(secret: Secret<16>) -> Self {
        Self(secret)
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Secret<16>: Clone, Copy, fmt::Display, fmt::LowerHex, AsRef<[u8]>, serde::Serialize);
    assert_not_impl_any!(UserKey: Clone, Copy, fmt::Display, fmt::LowerHex, AsRef<[u8]>, serde::Serialize);

    #[test]
    fn a_secret_prints_as_redacted_however_it_is_wrapped() {
        assert_eq!(format!("{:?}", Secret::from_bytes([0xab; 4])), "[REDACTED]");
        assert_eq!(format!("{:?}", Some(UserKey::from_bytes([0xab; 16]))), "Some(UserKey([REDACTED]))");
    }

    #[test]
    fn secrets_are_equal_when_every_byte_is() {
        let secret = Secret::from_bytes([1, 2, 3]);
        assert_eq!(secret, Secret::fill(|bytes| *bytes = [1, 2, 3]));
        assert_ne!(secret, Secret::from_bytes([1, 2, 4]));
        assert_ne!(secret, Secret::from_bytes([0, 2, 3]));
    }

    #[test]
    fn a_split_secret_joins_again() {
        let (key, share) = (Secret::from_bytes([0x0f, 0xf0]), Secret::from_bytes([0xff, 0x33]));
        let other = key.xor(&share);
        assert_eq!(other, Secret::from_bytes([0xf0, 0xc3]));
        assert_eq!(other.xor(&share), key);
    }

    #[test]
    fn a_wallet_stores_32_lower_case_digits_and_nothing_else_is_read() {
        let text = "000102030405060708090a0b0c0d0e0f";
        let key = UserKey::from_client_hex(text).expect("the SDKs' own form");
        key.expose(|bytes| assert_eq!(bytes[15], 0x0f));
        assert_eq!(key.to_client_hex().as_str(), text);
        for refused in [
            "",
            "0x000102030405060708090a0b0c0d0e",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}00"),
            "é0102030405060708090a0b0c0d0e0f",
        ] {
            assert_eq!(UserKey::from_client_hex(refused), Err(Error::KeyText), "{refused}");
        }
    }
}
