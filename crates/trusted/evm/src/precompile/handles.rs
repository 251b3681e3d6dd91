//! The secret values of the transaction that is running, by handle.

use std::collections::BTreeMap;

use alloy_primitives::U256;

use super::types::{Operand, Value, Width};

/// The table of handles. A handle works at every call depth of its transaction and nowhere else; since it is only a
/// name, it need not go away when the call that made it reverts.
#[derive(Default)]
pub(crate) struct Handles {
    values: BTreeMap<U256, Value>,
}

impl Handles {
    /// A transaction starts.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    pub(crate) fn insert(&mut self, handle: U256, value: Value) {
        self.values.insert(handle, value);
    }

    /// The value behind a handle; `None` for an unknown one and for one of another width.
    pub(crate) fn get(&self, width: Width, handle: U256) -> Option<U256> {
        self.values.get(&handle).filter(|value| value.width == width).map(|value| value.word)
    }

    /// How many bytes the values have without leading zeros, for the price that nobody pays: see [`super`].
    pub(crate) fn bytes(&self) -> u64 {
        self.values.values().fold(0, |sum, value| sum.saturating_add(value.word.byte_len() as u64))
    }

    /// The value of an operand, behind a handle or in the clear.
    pub(crate) fn operand(&self, operand: Operand, word: U256) -> Option<U256> {
        if operand.secret {
            return self.get(operand.width, word);
        }
        operand.width.admits(word).then(|| operand.width.truncate(word))
    }
}
