use core::fmt;

use cloister_teeth::{Mechanism, holds};
use x25519_dalek::{PublicKey, StaticSecret};

use super::MessageError;
use crate::Secret;

/// An X25519 key pair (RFC 7748): the network's, or a client's. Any 32 bytes are a private key.
pub struct ExchangeKey {
    private: Secret<32>,
    public: [u8; 32],
}

impl ExchangeKey {
    /// Takes over a private key and computes the public one.
    pub fn from_secret(private: Secret<32>) -> Self {
        let public = private.expose(|bytes| PublicKey::from(&StaticSecret::from(*bytes)).to_bytes());
        Self { private, public }
    }

    /// The public half: the u-coordinate, 32 little-endian bytes.
    pub const fn public(&self) -> [u8; 32] {
        self.public
    }

    /// `X25519(private, theirs)`. Keys of low order are refused: with them the result is zero for every private key.
    pub fn agree(&self, theirs: &[u8; 32]) -> Result<Secret<32>, MessageError> {
        let shared = self.private.expose(|bytes| StaticSecret::from(*bytes).diffie_hellman(&PublicKey::from(*theirs)));
        if holds(Mechanism::LowOrder) && !shared.was_contributory() {
            return Err(MessageError::PublicKey);
        }
        Ok(Secret::fill(|target| *target = *shared.as_bytes()))
    }
}

impl fmt::Debug for ExchangeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangeKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(ExchangeKey: Clone, Copy, fmt::Display, serde::Serialize);

    #[test]
    fn alice_and_bob_of_rfc_7748_agree() {
        let bob = hex!("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        let bob = ExchangeKey::from_secret(Secret::from_bytes(bob));
        let alice_public = hex!("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        let shared = hex!("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
        assert_eq!(bob.public(), hex!("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
        assert_eq!(bob.agree(&alice_public), Ok(Secret::from_bytes(shared)));
    }

    #[test]
    fn keys_of_low_order_are_refused_in_every_writing() {
        // The u-coordinates of the points of order 1, 2, 4 and 8, and those that reduce to them (Bernstein's list).
        let low = [
            hex!("0000000000000000000000000000000000000000000000000000000000000000"),
            hex!("0100000000000000000000000000000000000000000000000000000000000000"),
            hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            hex!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
            hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ];
        let key = ExchangeKey::from_secret(Secret::from_bytes([7; 32]));
        for mut point in low {
            assert_eq!(key.agree(&point), Err(MessageError::PublicKey));
            point[31] |= 0x80;
            assert_eq!(key.agree(&point), Err(MessageError::PublicKey), "the highest bit is ignored");
        }
    }
}
