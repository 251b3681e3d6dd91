//! The chain's rules: a decided block in, its outcome out.
//!
//! Purpose: [`Ledger`] checks that a block follows from the last one and was decided (M-01), that its header agrees with
//! what this enclave itself computed (M-02), runs its transactions in order, and says what changed. [`Snapshots`] answers
//! queries on committed states, on other threads. The ledger joins the rooms below it: it gives the machines a world made of
//! verified leaves and a vault made of keys, and neither of them learns of the other.
//!
//! Must not know: sockets, files, the clock. A block's time is its header's (M-08), and nothing is opened that was not
//! ordered (M-07).

mod checkpoint;
mod compute;
mod cosmos;
mod distribution;
mod epoch;
mod eth;
mod genesis;
mod gov;
mod ledger;
mod query;
mod registration;
mod run;
mod slashing;
mod staking;

pub use checkpoint::Checkpoint;
pub use ledger::{Ledger, Loading};
pub use query::Snapshots;
