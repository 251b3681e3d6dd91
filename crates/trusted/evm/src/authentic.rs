//! Authenticated memory and storage: which network ciphertexts a contract may on-board.
//!
//! A network ciphertext is not secret and anybody may copy it, so that it opens proves nothing. It may be on-boarded
//! only where this can be shown:
//!
//! | event in a frame that runs on the storage of contract C | effect |
//! | --- | --- |
//! | a frame starts | its memory is empty |
//! | `OffBoard` returns `w` | `w` enters the frame's memory ([`Memory`]) |
//! | `SSTORE(slot, w)`, `w` in the frame's memory | the mark of (C, slot) becomes `w` ([`Marks`]) |
//! | `SSTORE(slot, w)`, any other `w` | the mark of (C, slot) is wiped |
//! | `SLOAD(slot)` gives `w`, not zero, equal to the mark | `w` enters the frame's memory |
//! | `OnBoard(w)` | only if `w` is in the frame's memory |
//! | a frame reverts | its marks go back, with the state |
//!
//! (COTI gcEVM, authenticated memory and storage. One difference: a user ciphertext never enters the memory, because
//! on-boarding one would open it with the wrong key.)
//!
//! Marks ride in revm's own journal, so that they roll back exactly as storage does: they are the storage of one account,
//! [`MARKS`], that no one can hold. Its slots are places, handed out in order to those (contract, slot) pairs that had a
//! mark at any time in the block; all other slots cost nothing more than a look into [`Marks`].
//!
//! A network ciphertext is sealed by one epoch, and whoever holds a word knows by which: that of a word which a slot had before
//! the block is the slot's ([`Marks::epoch`]), and what the block itself made is the present one's. No two words are the same,
//! so an epoch does not depend on what is rolled back.

mod instructions;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use alloy_primitives::{Address, U256, address};

pub(crate) use instructions::install;

/// The account whose storage revm journals as marks: the last 20 bytes of keccak-256("cloister/v1/marks"), so that
/// neither a key nor a creation leads to it. It is always warm, so that no gas cost tells whether marks were touched.
/// Nothing of its storage leaves the machine; should somebody send it coins, it holds them like any other account.
pub const MARKS: Address = address!("f049d896a497d8421554db4644314961db5d8407");

/// Authenticated memory: for each frame that is running, the words it may on-board or authenticate in storage.
///
/// Frames are known by their depth, counted as revm's journal does: 1 for the frame of the transaction itself.
#[derive(Debug, Default)]
pub struct Memory {
    valid: BTreeMap<(usize, U256), u64>,
}

impl Memory {
    /// Forgets everything: a transaction starts.
    pub fn clear(&mut self) {
        self.valid.clear();
    }

    /// Forgets what ended frames deeper than `depth` left: the frame at `depth` is about to start another.
    pub fn forget_below(&mut self, depth: usize) {
        while self.valid.last_key_value().is_some_and(|((deepest, _), _)| *deepest > depth) {
            self.valid.pop_last();
        }
    }

    /// The frame at `depth` holds `word`, which `epoch` sealed. Zero is what an unset slot reads as, and is never held.
    pub fn admit(&mut self, depth: usize, word: U256, epoch: u64) {
        if !word.is_zero() {
            self.valid.insert((depth, word), epoch);
        }
    }

    /// Whether the frame at `depth` holds `word`.
    pub fn holds(&self, depth: usize, word: U256) -> bool {
        self.valid.contains_key(&(depth, word))
    }

    /// The epoch that sealed a word which the frame at `depth` holds.
    pub fn epoch(&self, depth: usize, word: U256) -> Option<u64> {
        self.valid.get(&(depth, word)).copied()
    }
}

/// Authenticated storage: the places in the storage of [`MARKS`].
#[derive(Debug, Default)]
pub struct Marks {
    places: BTreeMap<(Address, U256), usize>,
    initial: Vec<U256>,
    /// By contract and word.
    epochs: BTreeMap<(Address, U256), u64>,
}

impl Marks {
    /// Where the mark of a slot stands, if the slot had one at any time in this block.
    pub fn place(&self, contract: Address, slot: U256) -> Option<U256> {
        self.places.get(&(contract, slot)).map(|place| U256::from(*place))
    }

    /// Where the mark of a slot stands, or is to stand from now on.
    pub fn place_or_new(&mut self, contract: Address, slot: U256) -> U256 {
        let next = self.initial.len();
        let place = *self.places.entry((contract, slot)).or_insert(next);
        if place == next {
            self.initial.push(U256::ZERO);
        }
        U256::from(place)
    }

    /// What stood in `place` before the block: zero, unless [`Self::loaded`] said otherwise.
    pub fn initial(&self, place: U256) -> U256 {
        let place = usize::try_from(place).ok();
        place.and_then(|place| self.initial.get(place)).copied().unwrap_or_default()
    }

    /// The epoch that sealed a word which the world says is marked somewhere in the contract's storage.
    pub fn epoch(&self, contract: Address, word: U256) -> Option<u64> {
        self.epochs.get(&(contract, word)).copied()
    }

    /// The world says that `word`, in this slot, is marked, and sealed by `epoch`.
    pub fn loaded(&mut self, contract: Address, slot: U256, word: U256, epoch: u64) {
        self.epochs.insert((contract, word), epoch);
        if let Entry::Vacant(place) = self.places.entry((contract, slot)) {
            place.insert(self.initial.len());
            self.initial.push(word);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn the_marks_stand_at_an_address_without_a_key() {
        assert_eq!(MARKS.as_slice(), &keccak256("cloister/v1/marks")[12..]);
    }

    #[test]
    fn a_new_frame_does_not_inherit_from_an_ended_one_of_its_depth() {
        let (mut memory, word) = (Memory::default(), U256::from(7));
        memory.admit(1, word, 0);
        memory.admit(2, word, 0);
        memory.forget_below(1);
        assert!(memory.holds(1, word));
        assert!(!memory.holds(2, word));
    }

    #[test]
    fn zero_is_never_held() {
        let mut memory = Memory::default();
        memory.admit(1, U256::ZERO, 0);
        assert!(!memory.holds(1, U256::ZERO));
    }

    #[test]
    fn a_place_is_given_once_and_remembers_what_the_world_said() {
        let mut marks = Marks::default();
        let (contract, word) = (Address::repeat_byte(1), U256::from(9));
        marks.loaded(contract, U256::ZERO, word, 6);
        assert_eq!((marks.epoch(contract, word), marks.epoch(Address::ZERO, word)), (Some(6), None));
        let fresh = marks.place_or_new(contract, U256::from(1));
        assert_eq!(marks.place_or_new(contract, U256::from(1)), fresh);
        let loaded = marks.place(contract, U256::ZERO).unwrap();
        assert_eq!((marks.initial(loaded), marks.initial(fresh)), (word, U256::ZERO));
        assert_eq!(marks.place(Address::ZERO, U256::ZERO), None);
        assert_eq!(marks.initial(U256::MAX), U256::ZERO);
    }
}
