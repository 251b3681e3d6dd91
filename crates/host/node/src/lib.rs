//! Assembly and lifecycle: the parts of a node joined, and kept alive.
//!
//! Purpose: a [`Node`] starts the enclave process, makes blocks of what waits in the mempool, has them executed, and
//! commits them. It answers the enclave's questions from the store and passes the doors' questions to the enclave. When the
//! enclave dies, the node starts it again from what is committed and repeats the block that was not; when it halts, or dies
//! of the same block every time, the node stops and says of which.
//!
//! Must not know: keys of the network, plaintext, how an enclave works inside. An enclave is two kinds of streams
//! ([`Streams`]); whether a process or a thread of a test is at their other end, the node cannot tell.

mod alone;
mod enclave;
mod executor;
mod home;
mod network;
mod node;
mod provision;
mod queries;
mod roots;
mod signal;
mod snapshot;
mod spawn;

pub use cloister_consensus::Pace;
pub use enclave::EnclaveError;
pub use home::{Home, HomeError, HomeLock};
pub use network::Network;
pub use node::{Config, Node, NodeError};
pub use provision::{Applicant, Introduction, ProvisionError, found};
pub use snapshot::SnapshotError;
pub use spawn::{Spawner, Streams, process};

#[cfg(test)]
mod tests;
