//! `ct = c ‖ r`, `c = AES128_k(r) XOR p`: one value of up to 128 bits under a user's key, in one 256-bit word.
//!
//! * `k` is the user's AES-128 key, `r` 16 bytes, `p` the value as 16 big-endian bytes; `c` is the high half of the word.
//! * Opening computes `p = AES128_k(r) XOR c`. Every word opens to something: an unset storage word opens to `AES128_k(0)`.
//! * `r` must never come twice under one key: two cells with the same `r` show the XOR of their values.
//! * Nothing authenticates a cell. Flipping a bit of `c` flips that bit of the value, so nothing may ever be concluded from
//!   the fact that a cell opens; the signature of an input text or the network's own books have to vouch for it.
//!
//! (COTI gcEVM user ciphertext; the mode is CTR of FIPS 197 / SP 800-38A with a random counter and a single block.)

use core::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use alloy_primitives::U256;

use crate::UserKey;

/// A user's AES key, prepared for many cells: the key schedule is computed once. Overwritten when dropped.
pub struct UserCipher(Aes128);

impl UserCipher {
    /// Prepares `key`.
    pub fn new(key: &UserKey) -> Self {
        Self(key.expose(|key| Aes128::new(key.into())))
    }

    /// Seals `plain` under `r`, which must never have been used with this key before.
    pub fn seal(&self, r: [u8; 16], plain: u128) -> U256 {
        join(self.pad(r) ^ plain, r)
    }

    /// Opens a cell. Always succeeds: a foreign or altered cell gives a wrong value, not an error.
    pub fn open(&self, cell: U256) -> u128 {
        let (c, r) = split(cell);
        self.pad(r) ^ c
    }

    /// Seals 256 bits as two cells under two different `r`.
    pub fn seal_wide(&self, r_high: [u8; 16], r_low: [u8; 16], plain: U256) -> WideCell {
        let (high, low) = halves(plain);
        WideCell { high: self.seal(r_high, high), low: self.seal(r_low, low) }
    }

    /// Opens 256 bits from two cells.
    pub fn open_wide(&self, cells: &WideCell) -> U256 {
        U256::from(self.open(cells.high)) << 128 | U256::from(self.open(cells.low))
    }

    fn pad(&self, r: [u8; 16]) -> u128 {
        let mut block = Array::from(r);
        self.0.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    }
}

impl fmt::Debug for UserCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCipher([REDACTED])")
    }
}

/// A 256-bit value as COTI's `struct { uint256 ciphertextHigh; uint256 ciphertextLow; }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WideCell {
    /// The cell of bits 255 to 128.
    pub high: U256,
    /// The cell of bits 127 to 0.
    pub low: U256,
}

/// Puts `c` into the high and `r` into the low 16 bytes of a word.
pub fn join(c: u128, r: [u8; 16]) -> U256 {
    U256::from(c) << 128 | U256::from(u128::from_be_bytes(r))
}

/// Takes `c` and `r` out of a word.
pub fn split(cell: U256) -> (u128, [u8; 16]) {
    let (c, r) = halves(cell);
    (c, r.to_be_bytes())
}

/// The high and the low 128 bits of a word.
pub fn halves(word: U256) -> (u128, u128) {
    let [low_0, low_1, high_0, high_1] = word.into_limbs().map(u128::from);
    (high_1 << 64 | high_0, low_1 << 64 | low_0)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::b256;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn five_under_the_documented_key_is_the_documented_word() {
        let cipher = UserCipher::new(&UserKey::from_client_hex("000102030405060708090a0b0c0d0e0f").expect("hex"));
        let r = core::array::from_fn(|index| 0xf0 + u8::try_from(index).expect("16 bytes"));
        let word: U256 = b256!("66a7c7e8345231489751de073316ada8f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").into();
        assert_eq!(cipher.seal(r, 5), word);
        assert_eq!(cipher.open(word), 5);
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_to_the_same_value(key: [u8; 16], r: [u8; 16], plain: u128) {
            let cipher = UserCipher::new(&UserKey::from_bytes(key));
            prop_assert_eq!(cipher.open(cipher.seal(r, plain)), plain);
            prop_assert_eq!(split(cipher.seal(r, plain)).1, r);
        }

        #[test]
        fn wide_values_open_to_the_same_value(key: [u8; 16], high: [u8; 16], low: [u8; 16], plain: [u8; 32]) {
            let cipher = UserCipher::new(&UserKey::from_bytes(key));
            let plain = U256::from_be_bytes(plain);
            let cells = cipher.seal_wide(high, low, plain);
            prop_assert_eq!(cipher.open_wide(&cells), plain);
            prop_assert_eq!(U256::from(cipher.open(cells.low)), plain & U256::from(u128::MAX));
        }

        #[test]
        fn another_key_opens_to_another_value(a: [u8; 16], b: [u8; 16], r: [u8; 16], plain: u128) {
            prop_assume!(a != b);
            let sealed = UserCipher::new(&UserKey::from_bytes(a)).seal(r, plain);
            prop_assert_ne!(UserCipher::new(&UserKey::from_bytes(b)).open(sealed), plain);
        }

        #[test]
        fn a_word_is_its_two_halves(word: [u8; 32]) {
            let (c, r) = split(U256::from_be_bytes(word));
            prop_assert_eq!(&c.to_be_bytes()[..], &word[..16]);
            prop_assert_eq!(&r[..], &word[16..]);
            prop_assert_eq!(join(c, r), U256::from_be_bytes(word));
        }
    }
}
