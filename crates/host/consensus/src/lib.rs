//! From transactions to decided blocks.
//!
//! Purpose: the [`Mempool`] checks what clients send against public leaves and keeps it in order; a proposer takes from it
//! and decides. With one validator the proposer is [`Solo`]: it signs alone, and its certificate passes the same check as
//! any other.
//!
//! Must not know: plaintext, keys of the network, storage. It is told what an account holds; it never looks.

mod bft;
pub mod gossip;
mod mempool;
mod solo;

pub use bft::{
    Chain, Divergence, End, Engine, EngineConfig, Event, Events, Fatal, Kept, Pace, Spread, StartError, ValidatorKey,
};
pub use gossip::Gossip;
pub use mempool::{Admission, Budget, Granter, Limits, Mempool, PoolStatus, Standing, SubmitError};
pub use solo::Solo;
