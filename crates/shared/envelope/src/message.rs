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
//!
//! ```
//! use alloy_primitives::{Address, B256};
//! use cloister_envelope::message::gcm::{InputKey, OutputPlace, Sealer, open_call};
//! use cloister_envelope::message::{CallContext, Entry};
//! use cloister_envelope::{ExchangeKey, Secret};
//!
//! // The network's key is derived in an enclave; the client's, and its nonce, come from an operating system.
//! let network = ExchangeKey::from_secret(Secret::from_bytes([1; 32]));
//! let client = ExchangeKey::from_secret(Secret::from_bytes([2; 32]));
//! let (sender, entry) = (Address::repeat_byte(3), Entry::Execute(Address::repeat_byte(4)));
//! let context = CallContext { chain_id: "example-1", sender, entry, code_hash: B256::ZERO, funds: &[] };
//!
//! // The client seals its input for this very call.
//! let key = InputKey { epoch: 0, public: network.public() };
//! let (message, reader) = Sealer::new(&client, &key, [5; 32])?.call(&context, b"{}")?;
//!
//! // The enclave opens it and seals what the contract says, for its place in this very transaction.
//! let (keys, input) = open_call(&network, &context, &message)?;
//! assert_eq!(input.as_slice(), b"{}");
//! let place = OutputPlace { transaction: B256::repeat_byte(6), message: 0, output: 0 };
//! let output = keys.seal_output(&place, b"done")?;
//!
//! // The client finds it in the receipt.
//! assert_eq!(reader.open_output(&place, &output)?.as_slice(), b"done");
//! # Ok::<(), cloister_envelope::MessageError>(())
//! ```

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
