//! The state beyond the machine.

use alloy_primitives::{Address, B256, Bytes, U256};
pub use cloister_chain::{Account, Cell};
use revm::database_interface::DBErrorMarker;
use thiserror::Error;

/// The verified state that a block or a query reads. Every answer is already checked against the state's root, and the
/// answers do not change while a machine runs on them.
pub trait World {
    /// The account at `address`, `None` when it is empty or absent (EIP-161).
    fn account(&mut self, address: Address) -> Result<Option<Account>, WorldError>;

    /// The storage slot `slot` of the contract at `address`; [`Cell::default`] when it was never written.
    fn cell(&mut self, address: Address, slot: U256) -> Result<Cell, WorldError>;

    /// The code whose keccak-256 is `hash`. Asked only for hashes that [`Self::account`] named.
    fn code(&mut self, hash: B256) -> Result<Bytes, WorldError>;

    /// Hash of the block at `number`. Asked only for the 256 blocks before the present one.
    fn block_hash(&mut self, number: u64) -> Result<B256, WorldError>;
}

/// The world could not be read. It is fatal for the whole block and never becomes a revert: a host that withholds an
/// answer must not be able to choose the outcome of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WorldError {
    /// The host gave no answer.
    #[error("the host gave no answer to a state read")]
    Unavailable,
    /// The host's answer is not the one that the state root commits to.
    #[error("the host forged the answer to a state read")]
    Forged,
}

impl DBErrorMarker for WorldError {}

impl<W: World + ?Sized> World for &mut W {
    fn account(&mut self, address: Address) -> Result<Option<Account>, WorldError> {
        (**self).account(address)
    }

    fn cell(&mut self, address: Address, slot: U256) -> Result<Cell, WorldError> {
        (**self).cell(address, slot)
    }

    fn code(&mut self, hash: B256) -> Result<Bytes, WorldError> {
        (**self).code(hash)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, WorldError> {
        (**self).block_hash(number)
    }
}
