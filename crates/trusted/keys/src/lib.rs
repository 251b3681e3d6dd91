//! Every key, salt and random number of the network, derived from two roots by one table.
//!
//! Nothing here is stored and nothing is drawn: two enclaves with the same roots derive the same bytes, so they write the
//! same ciphertexts, and a key that is needed again is derived again. The [`schedule`] is the whole truth about what comes
//! from what. There are two roots ([`Roots`]): what comes from the permanent one stays the same for ever, because wallets keep
//! it; what comes from the epoch's changes when the root steps on and, once nothing needs it any more, the old one is erased.
//!
//! This crate must not know blocks, transactions, contracts or the state; it sees hashes, heights and addresses. It draws
//! no randomness: the caller takes the seed from the operating system, once.
//!
//! ```
//! use alloy_primitives::{Address, B256};
//! use cloister_keys::{Keys, Roots, Seed};
//!
//! // 32 bytes from the operating system, drawn when the chain is founded; every later enclave receives the roots.
//! let keys = Keys::new("example-1", Roots::found("example-1", Seed::from_bytes([7; 32])));
//!
//! // A contract hands the value 5 to a user.
//! let mut tx = keys.transaction(1, B256::ZERO, B256::repeat_byte(1));
//! let user = keys.user_cipher(Address::ZERO);
//! let first = user.seal(tx.salt(), 5);
//! assert_eq!(user.open(first), 5);
//! assert_ne!(user.seal(tx.salt(), 5), first, "equal values never look equal");
//! ```

mod keys;
mod network;
mod roots;
pub mod schedule;
mod seal;
mod share;
mod state;
mod transaction;

pub use cloister_envelope::Secret;
pub use keys::Keys;
pub use network::NetworkCipher;
pub use roots::{ROOTS_BYTES, Roots, Seed};
pub use seal::{MAX_SEALED_BYTES, Purpose, SealError, SealingKey};
pub use share::{BootKey, SHARE_BYTES, ShareError};
pub use state::{MAX_VALUE_BYTES, StateError, StateKeys, VALUE_BUCKETS, WritePlace};
pub use transaction::{Onboarding, TxKeys};
