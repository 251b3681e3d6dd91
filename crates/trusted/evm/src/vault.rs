//! What the machine asks of the keys.

use alloy_primitives::{Address, B256, U256};
use cloister_envelope::Recipient;

/// The keys, seen from the machine: it hands over plaintext and receives ciphertext, or the reverse, and never meets a
/// key. Everything is derived, so that every enclave gives the same answers for the same transaction; a counter inside
/// one transaction never steps back, not even when the EVM reverts, because a nonce must not repeat.
pub trait Vault {
    /// Starts the transaction `tx`: what follows derives from its hash and from a counter that starts anew.
    fn begin(&mut self, tx: B256);

    /// A fresh handle: unguessable without the key, never zero, never the same twice.
    fn handle(&mut self) -> U256;

    /// 256 uniform bits that nobody could know before the transaction was ordered.
    fn random(&mut self) -> U256;

    /// The epoch that seals network ciphertexts now.
    fn epoch(&self) -> u64;

    /// A network ciphertext of `plain` for `contract`, salted: two of equal plaintexts do not look equal. Never zero.
    fn seal_network(&mut self, contract: Address, plain: u128) -> U256;

    /// The plaintext of a network ciphertext which the machine knows that `contract` itself made in `epoch`; `None` if the keys
    /// of that epoch are erased, which those of no word that the state holds are.
    fn open_network(&mut self, contract: Address, sealed: U256, epoch: u64) -> Option<u128>;

    /// COTI's user ciphertext of `plain` under the AES key of `user`.
    fn seal_user(&mut self, user: Address, plain: u128) -> U256;

    /// The plaintext of a user ciphertext. It is not authenticated: any word gives some plaintext.
    fn open_user(&mut self, user: Address, sealed: U256) -> u128;

    /// The AES key of `user`, encrypted with RSA-OAEP to `recipient`, whose request that user signed:
    /// 512 bytes for [`KeyForm::Shares`], 256 for [`KeyForm::Whole`].
    fn user_key(&mut self, user: Address, recipient: &Recipient, form: KeyForm) -> Vec<u8>;
}

/// In which form a user's AES key leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// Two ciphertexts of 256 bytes, of two shares whose XOR is the key.
    Shares,
    /// One ciphertext of 256 bytes, of the key: what the library of May 2024 expects.
    Whole,
}

impl<V: Vault + ?Sized> Vault for &mut V {
    fn begin(&mut self, tx: B256) {
        (**self).begin(tx);
    }

    fn handle(&mut self) -> U256 {
        (**self).handle()
    }

    fn random(&mut self) -> U256 {
        (**self).random()
    }

    fn seal_network(&mut self, contract: Address, plain: u128) -> U256 {
        (**self).seal_network(contract, plain)
    }

    fn epoch(&self) -> u64 {
        (**self).epoch()
    }

    fn open_network(&mut self, contract: Address, sealed: U256, epoch: u64) -> Option<u128> {
        (**self).open_network(contract, sealed, epoch)
    }

    fn seal_user(&mut self, user: Address, plain: u128) -> U256 {
        (**self).seal_user(user, plain)
    }

    fn open_user(&mut self, user: Address, sealed: U256) -> u128 {
        (**self).open_user(user, sealed)
    }

    fn user_key(&mut self, user: Address, recipient: &Recipient, form: KeyForm) -> Vec<u8> {
        (**self).user_key(user, recipient, form)
    }
}
