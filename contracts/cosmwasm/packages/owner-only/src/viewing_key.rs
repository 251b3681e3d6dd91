//! Viewing keys: a word that the owner told the contract in a sealed message.

use cosmwasm_std::{CanonicalAddr, Storage};
use sha2::{Digest, Sha256};

/// What a query answers, as a success, to a wrong key and to an owner without one: they cannot be told apart.
pub const WRONG: &str = "Wrong viewing key for this address or viewing key not set";

/// Followed by the owner: SHA-256 of the key (32).
const KEY: u8 = b'k';

/// From now on, this key is the owner's.
pub fn set(storage: &mut dyn Storage, owner: &CanonicalAddr, key: &str) {
    storage.set(&entry(owner), &Sha256::digest(key));
}

/// Whether this key is the owner's. Hashes are compared: how far they agree tells nothing about the key.
pub fn fits(storage: &dyn Storage, owner: &CanonicalAddr, key: &str) -> bool {
    storage.get(&entry(owner)).is_some_and(|expected| expected == Sha256::digest(key).as_slice())
}

fn entry(owner: &CanonicalAddr) -> Vec<u8> {
    [&[KEY], owner.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use cosmwasm_std::testing::MockStorage;

    use super::*;

    #[test]
    fn only_the_owners_latest_key_fits() {
        let mut storage = MockStorage::new();
        let (alice, bob) = (CanonicalAddr::from(vec![1; 20]), CanonicalAddr::from(vec![2; 20]));
        assert!(!fits(&storage, &alice, ""));
        set(&mut storage, &alice, "first");
        assert!(fits(&storage, &alice, "first"));
        assert!(!fits(&storage, &bob, "first"));
        set(&mut storage, &alice, "second");
        assert!(!fits(&storage, &alice, "first"));
        assert!(fits(&storage, &alice, "second"));
    }
}
