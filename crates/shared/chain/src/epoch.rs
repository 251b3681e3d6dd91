//! Epochs: how long the network's keys of our own form and of the state live, and which are in use (M-26).
//!
//! The chain says in its state which epoch it is in and to which public keys clients seal: [`Leaf::Epoch`] holds an [`Epoch`],
//! provable like every leaf. When an epoch has lasted long enough, the block that notices it ends with a *switch*: from the
//! next block on there are new keys. The former epoch then *retires*: blocks seal its values again under the new keys, a few
//! each (the *sweep*), and until the time of grace is over messages to its input key still open. When both are done, the
//! enclaves erase its root. Only then can the next switch come.
//!
//! [`Leaf::Epoch`]: crate::Leaf::Epoch

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Header;

/// How epochs follow each other. Part of the genesis: it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epochs {
    /// How long an epoch lasts at least, in nanoseconds of block time.
    pub length: u64,
    /// How long after a switch messages to the former input key still open, in nanoseconds of block time.
    pub grace: u64,
    /// How many sealed values one block of the sweep looks at: at most [`MAX_SWEEP`].
    pub sweep: u32,
}

/// Where the chain stands. Holds from the block after the one that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Epoch {
    /// Its number, from 0.
    pub number: u64,
    /// Height of the block that ended with the switch to it; 0 for the first one.
    pub height: u64,
    /// That block's time, in nanoseconds since the Unix epoch.
    pub began: u64,
    /// The network's public keys in it.
    pub keys: PublicKeys,
    /// The epoch before it, until its root is erased.
    pub retiring: Option<Retiring>,
}

/// The network's public keys: u-coordinates of X25519, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PublicKeys {
    /// To which secret.js seals (`tx-key`). Never changes.
    pub io: B256,
    /// Of the hand-over to joining nodes (`registration-key`). Never changes.
    pub registration: B256,
    /// To which our own form is sealed, in this epoch.
    pub input: B256,
}

/// What is left of the former epoch. Its number is one less than the present one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Retiring {
    /// The former input key.
    pub input: B256,
    /// Position of the leaf up to which the sweep has come, itself included. Zero before it begins.
    pub cursor: B256,
    /// No value is sealed with the former epoch's keys any more.
    pub swept: bool,
}

/// Why the epochs of a genesis are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EpochsError {
    /// An epoch ends before the messages to the one before it.
    #[error("an epoch has to last longer than the time of grace for the keys of the one before, which is not nothing")]
    Length,
    /// Nothing is swept, or more than one answer of a host can hold.
    #[error("a block sweeps 1 to {MAX_SWEEP} values")]
    Sweep,
}

impl Epochs {
    /// Checks what the types do not.
    pub fn check(&self) -> Result<(), EpochsError> {
        if self.grace == 0 || self.length <= self.grace {
            return Err(EpochsError::Length);
        }
        if (1..=MAX_SWEEP).contains(&self.sweep) { Ok(()) } else { Err(EpochsError::Sweep) }
    }

    /// True if a block of this time ends with a switch, were nothing retiring.
    pub fn is_over(&self, epoch: &Epoch, time: u64) -> bool {
        time >= epoch.began.saturating_add(self.length)
    }

    /// True if messages to the former input key still open in a block of this time.
    pub fn is_grace(&self, epoch: &Epoch, time: u64) -> bool {
        epoch.retiring.is_some() && time < epoch.began.saturating_add(self.grace)
    }
}

impl Epoch {
    /// The first epoch of a chain whose genesis has this header.
    pub fn first(genesis: &Header, keys: PublicKeys) -> Self {
        Self { number: 0, height: genesis.height, began: genesis.time, keys, retiring: None }
    }

    /// The number of the oldest epoch of which the state may hold values.
    pub fn oldest(&self) -> u64 {
        let former = u64::from(self.retiring.is_some_and(|retiring| !retiring.swept));
        self.number.saturating_sub(former)
    }
}

/// Most values that one block of a sweep looks at. The largest ones, of half a MiB, fill half of a frame across the wall.
pub const MAX_SWEEP: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCHS: Epochs = Epochs { length: 100, grace: 10, sweep: 2 };

    fn epoch(retiring: Option<Retiring>) -> Epoch {
        let key = B256::repeat_byte;
        let keys = PublicKeys { io: key(1), registration: key(2), input: key(3) };
        Epoch { number: 7, height: 5, began: 1_000, keys, retiring }
    }

    #[test]
    fn an_epoch_lasts_from_its_switch_to_its_length_and_the_former_keys_to_the_grace() {
        let retiring = Some(Retiring { input: B256::repeat_byte(4), cursor: B256::ZERO, swept: false });
        assert_eq!([1_099, 1_100].map(|time| EPOCHS.is_over(&epoch(None), time)), [false, true]);
        assert_eq!([1_009, 1_010].map(|time| EPOCHS.is_grace(&epoch(retiring), time)), [true, false]);
        assert!(!EPOCHS.is_grace(&epoch(None), 1_000), "without a former epoch there is no grace");
        let swept = retiring.map(|retiring| Retiring { swept: true, ..retiring });
        assert_eq!([None, retiring, swept].map(|retiring| epoch(retiring).oldest()), [7, 6, 7]);
    }

    #[test]
    fn what_could_never_be_kept_is_refused() {
        assert_eq!(EPOCHS.check(), Ok(()));
        assert_eq!(Epochs { length: 10, ..EPOCHS }.check(), Err(EpochsError::Length));
        assert_eq!(Epochs { grace: 0, ..EPOCHS }.check(), Err(EpochsError::Length));
        assert_eq!(Epochs { sweep: 0, ..EPOCHS }.check(), Err(EpochsError::Sweep));
        assert_eq!(Epochs { sweep: MAX_SWEEP + 1, ..EPOCHS }.check(), Err(EpochsError::Sweep));
    }

    #[test]
    fn the_bytes_are_pinned() {
        let retiring = Retiring { input: B256::repeat_byte(4), cursor: B256::repeat_byte(5), swept: true };
        let numbers = [7u64, 5, 1_000].map(u64::to_le_bytes).concat();
        let keys = [1, 2, 3].map(|byte| [byte; 32]).concat();
        let bytes = [numbers.as_slice(), &keys, &[1], &[4; 32], &[5; 32], &[1]].concat();
        assert_eq!(borsh::to_vec(&epoch(Some(retiring))).expect("memory"), bytes);
        assert_eq!(
            borsh::to_vec(&EPOCHS).expect("memory"),
            [&[100, 0, 0, 0, 0, 0, 0, 0, 10], &[0; 7][..], &[2, 0, 0, 0]].concat()
        );
    }
}
