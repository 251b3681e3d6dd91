//! What a node keeps: blocks, receipts, the versions of the state's leaves, and indexes over them.
//!
//! Purpose: one [`Store`] in a directory or in memory; [`Store::commit`] adds a block with all that came of it in one atomic
//! and durable step, and [`Reader`] is an immutable picture of what was committed. Everything here is public or ciphertext;
//! the enclave checks what it is given from here, so a damaged or hostile store stops a node and deceives nobody.
//!
//! Must not know: plaintext, keys, sockets, what a leaf's value means beyond accounts and cells.
//!
//! In its directory a store is one file, `chain.redb` (mode 0600; the directory, if the store makes it, 0700), locked while
//! it is open. `tables.rs` gives its layout.
//!
//! ```
//! use cloister_chain::Genesis;
//! use cloister_store::Store;
//!
//! let store = Store::create(None, &Genesis::for_tests())?;
//! assert_eq!(store.reader()?.tip()?, None, "not even the genesis is executed yet");
//! # Ok::<(), cloister_store::StoreError>(())
//! ```

mod error;
mod events;
mod pending;
mod reader;
mod store;
mod tables;
mod trail;

pub use alloy_primitives::Bloom;
pub use error::StoreError;
pub use events::{Tag, Tagged};
pub use reader::{Entry, Leaves, Reader, StoredBlock};
pub use store::{Head, Store};
pub use trail::Item;

#[cfg(test)]
mod tests;
