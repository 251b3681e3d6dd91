//! Solidity contracts on revm, with COTI's confidential precompile at `0x64`.
//!
//! Purpose: run the transactions of one block, or one query, on a verified [`World`], and say what changed. The
//! precompile computes on secret values that contracts name by *handles*; what leaves it is ciphertext.
//!
//! Must not know: keys (a [`Vault`] seals and opens), consensus, the host, the ledger's other rules. It draws no
//! randomness and reads no clock: all of it comes from the vault, the world and the block.
//!
//! | module | what it says |
//! | --- | --- |
//! | [`machine`] | a block: one EVM, transaction after transaction, then the changes |
//! | [`query`] | `eth_call` and gas estimation, which never show a secret |
//! | [`precompile`] | the functions of `0x64`, their metadata, arithmetic, gas |
//! | [`authentic`] | which network ciphertexts a contract may on-board: the ones it made itself |
//! | [`world`], [`vault`] | what the machine asks for: state, and sealing |
//!
//! ```
//! use alloy_primitives::U256;
//! use cloister_evm::precompile::{ops::Checked, types::Width};
//!
//! let (overflow, sum) = Checked::Add.apply(Width::U8, U256::from(200), U256::from(100));
//! assert!(overflow);
//! assert_eq!(sum.word, U256::from(44));
//! ```

pub mod authentic;
mod changes;
pub mod machine;
pub mod precompile;
pub mod query;
mod store;
pub mod tx;
pub mod vault;
pub mod world;

pub use changes::Changes;
pub use machine::{BlockInfo, Machine};
pub use query::{CallInput, Estimate, call, estimate};
pub use tx::{Ending, Executed, Failure, Invalid, Price, TxInput};
pub use vault::{KeyForm, Vault};
pub use world::{Account, Cell, World, WorldError};

#[cfg(test)]
mod stories;
#[cfg(test)]
mod testing;
