use core::fmt;

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use alloy_primitives::U256;
use cloister_envelope::Secret;
use cloister_envelope::cell::{join, split};

/// `ct = c ‖ r`, `c = AES256_k(r) XOR p`: a value in a contract's public storage, for the network's eyes only.
///
/// `k` belongs to one contract and one epoch, `r` is a [`crate::TxKeys::salt`], `p` the value as 16 big-endian bytes.
/// Like a user's cell it is not authenticated: the network's own books say which words a contract may load. The key stays where it
/// is on the heap when the cipher moves, so that it leaves no copies behind.
pub struct NetworkCipher(Box<Aes256>);

impl NetworkCipher {
    pub(crate) fn new(key: &Secret<32>) -> Self {
        Self(Box::new(key.expose(|key| Aes256::new(key.into()))))
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

    fn pad(&self, r: [u8; 16]) -> u128 {
        let mut block = Array::from(r);
        self.0.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    }
}

impl fmt::Debug for NetworkCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkCipher([REDACTED])")
    }
}
