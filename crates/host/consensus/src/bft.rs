//! Many validators: Malachite's Tendermint behind our own types.
//!
//! ```text
//! engine threads                    one thread of ours                  the node
//! Malachite ── messages ──▶ App (a state machine without I/O) ── Chain ──▶ store, mempool
//!           ◀─ answers, parts ──                              ◀── Event ── executor, mempool
//! ```
//!
//! What is agreed on is the 32-byte hash of a header; the block travels in parts. Whatever the application answers with is
//! on disk first.

mod app;
mod chain;
mod codec;
mod context;
mod engine;
mod event;
mod key;
mod pace;
mod parts;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod testing;
mod validators;

pub use chain::{Chain, Fatal, Kept};
pub use engine::{Engine, EngineConfig, Events, Spread, StartError};
pub use event::{Divergence, End, Event};
pub use key::ValidatorKey;
pub use pace::Pace;
