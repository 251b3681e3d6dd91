#![allow(clippy::unwrap_used)]

mod answers;
mod following;
mod links;
mod proofs;
pub(crate) mod world;
