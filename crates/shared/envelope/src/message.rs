//! The private input of a contract call or query, and its private outputs: between one user and the network's enclaves.
//!
//! There are two forms. Each has its own types and, on the network's side, its own key pair; none is ever tried for the
//! other, and bytes that do not open are an error and nothing else.
//!
//! | module | form | for whom | cipher | network key |
//! | --- | --- | --- | --- | --- |
//! | [`gcm`] | our own | our SDK | AES-256-GCM, one key per message, padded, bound to its purpose | changes with the epoch |
//! | [`siv`] | secretjs's | the wallets and libraries of Secret Network | AES-128-SIV, one key per transaction message | never changes |
//!
//! [`plain`] is what stands inside a [`siv`] message, [`callback`] is how that form marks a call from contract to contract.
//! X25519 (RFC 7748) agrees on a shared secret; a peer's key of low order, whose "secret" everybody knows, is refused.
//! Nonces are drawn by the client from its operating system, 32 bytes for each message, and never used twice.

pub mod callback;
mod context;
mod error;
mod exchange;
pub mod gcm;
pub mod plain;
pub mod siv;

use crate::padding::Buckets;

pub use context::{CallContext, Coin, Entry, QueryContext};
pub use error::MessageError;
pub use exchange::ExchangeKey;
pub use plain::{Plaintext, ReplyTo};

/// The buckets of [`gcm`]: 256 bytes to 2 MiB.
pub const BUCKETS: Buckets = Buckets::new(256, 2 << 20);
/// The longest plaintext of a message or an output, in both forms.
pub const MAX_PLAIN_BYTES: usize = BUCKETS.capacity();
