//! A light client: what a node says, checked against the validators' signatures.
//!
//! Whoever knows one block of a chain for certain can check everything else that any node says, however hostile. The one
//! block is a [`Checkpoint`]: the [genesis](Checkpoint::genesis), or a height and a hash that a trustworthy place names
//! ([`Anchor`]). From there a [`LightClient`] follows headers that more than two thirds of the voting power signed, and
//! checks against them what a block holds, what it did, and what the state is.
//!
//! | file | holds |
//! | --- | --- |
//! | `checkpoint` | a [`Checkpoint`], and the step from it to a later header |
//! | `inclusion` | an [`Inclusion`]: a transaction and its receipt in their blocks |
//! | `leaf` | a [`LeafProof`]: a value of the state, or its absence |
//! | `client` | the [`LightClient`], which asks a [`Source`] and believes none of it |
//! | `source` | what a client asks of a node |
//! | `node` | a [`Node`]: that, over HTTP |
//! | `error` | a [`LightError`] for each lie |
//!
//! The first three decide everything and ask nobody: they can be used with data that came in any way.
//!
//! **Results lag by one.** The results and the state of block h stand in header h+1. Until that one is signed a receipt is
//! [`State::Executed`]: the transaction is proven to stand in block h, its receipt is the node's word. Then it is
//! [`State::Agreed`].
//!
//! **What it does not show.** That a chain goes on: a node can hide what is new, and only the
//! [time](Checkpoint::time) of the newest header tells. That a refused transaction did not run elsewhere. Who the
//! validators' enclaves are: a [bundle](crate::bundle) shows that. A set of validators that the chain has long replaced may
//! have sold its keys, so that it can vouch for later headers only for a time ([`Rules::trusting`]).
//!
//! ```no_run
//! use cloister_sdk::light::{Anchor, LightClient, Node, Rules, State};
//!
//! # async fn example(hash: cloister_sdk::B256, now: u64) -> Result<(), cloister_sdk::Error> {
//! let anchor: Anchor = "1200:0x3b1f…".parse()?;
//! let mut client = LightClient::open(Node::new("http://127.0.0.1:1317")?, anchor, Rules::default()).await?;
//! let proved = client.transaction(hash, now).await?;
//! assert_eq!(proved.state, State::Agreed);
//! println!("block {}: {:?}", proved.header.height, proved.inclusion.receipt.status);
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod client;
mod error;
mod inclusion;
mod leaf;
mod node;
mod source;

#[cfg(test)]
pub(crate) mod tests;

pub use checkpoint::{Anchor, Checkpoint, Link, Rules};
pub use client::{LightClient, Proved, State, Value};
pub use cloister_chain::proof::Proof;
pub use cloister_chain::{Certificate, Genesis, Header, Leaf, Receipt, ValidatorSet};
pub use error::LightError;
pub use inclusion::Inclusion;
pub use leaf::LeafProof;
pub use node::Node;
pub use source::{Headers, Place, Source};
