//! What a block did to the state.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use revm::state::EvmState;

use crate::authentic::MARKS;
use crate::store::Store;
use crate::world::{Account, Cell};

/// What differs from the world that the machine was built on, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts; `None` removes one (EIP-161, EIP-6780).
    pub accounts: BTreeMap<Address, Option<Account>>,
    /// Storage slots; [`Cell::default`] removes one. A word that was copied from another slot names the epoch that sealed it.
    pub cells: BTreeMap<(Address, U256), Cell>,
    /// Code of the contracts created, by its keccak-256.
    pub codes: BTreeMap<B256, Bytes>,
}

impl Changes {
    /// Compares revm's final state with what the store saw. The hash maps come out sorted, so their order is harmless.
    pub(crate) fn between<W>(before: &Store<W>, mut after: EvmState) -> Self {
        let mut changes = Self::default();
        let marks = after.get_mut(&MARKS).map(|account| std::mem::take(&mut account.storage)).unwrap_or_default();
        for (address, account) in after {
            // EIP-6780: an account destroyed in an earlier transaction and touched since was already emptied by revm.
            let destroyed = account.is_selfdestructed_locally();
            let old = before.account_before(address);
            let new = (!destroyed && !account.info.is_empty()).then_some(Account {
                sequence: account.info.nonce,
                balance: account.info.balance,
                code: account.info.code_hash,
            });
            if let (Some(new), Some(code)) = (&new, &account.info.code) {
                let had = old.map_or(KECCAK256_EMPTY, |old| old.code);
                if new.code != had && new.code != KECCAK256_EMPTY {
                    changes.codes.insert(new.code, code.original_bytes());
                }
            }
            if new.as_ref() != old {
                changes.accounts.insert(address, new);
            }
            for (slot, value) in account.storage {
                let word = if destroyed { U256::ZERO } else { value.present_value };
                let mark = before.marks.place(address, slot).map(|place| {
                    marks.get(&place).map_or_else(|| before.marks.initial(place), |value| value.present_value)
                });
                let marked = (!word.is_zero() && mark == Some(word)).then(|| before.epoch_of(address, word));
                let cell = Cell { word, marked };
                if cell != before.cell_before(address, slot) {
                    changes.cells.insert((address, slot), cell);
                }
            }
        }
        changes
    }
}
