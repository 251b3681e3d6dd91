//! The one way in which the enclave asks the host for state.

use alloy_primitives::{B256, Bytes};
use cloister_chain::Leaf;
use thiserror::Error;

/// Somebody who has values: across the wall the host, in tests a map. Nothing it says is believed.
pub trait Supply {
    /// The values of `leaves` as of `height`, and the blobs with the hashes `blobs`, each list in the order asked. A caller
    /// asks for at most [`cloister_chain::limits::SUPPLY_ITEMS`] leaves and blobs together.
    fn supply(&mut self, height: u64, leaves: &[Leaf], blobs: &[B256]) -> Result<Supplied, SupplyError>;
}

/// An answer. `None`: nothing under that name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supplied {
    /// Values of the leaves.
    pub leaves: Vec<Option<Vec<u8>>>,
    /// Blobs.
    pub blobs: Vec<Option<Bytes>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SupplyError {
    /// The stream to the host broke or ended.
    #[error("the host is gone")]
    Gone,
    /// The host answered with something other than an answer.
    #[error("the host broke the protocol")]
    Protocol,
}

/// A host that has nothing: for a state that is still empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSupply;

impl Supply for NoSupply {
    fn supply(&mut self, _: u64, leaves: &[Leaf], blobs: &[B256]) -> Result<Supplied, SupplyError> {
        Ok(Supplied { leaves: vec![None; leaves.len()], blobs: vec![None; blobs.len()] })
    }
}

impl<S: Supply + ?Sized> Supply for &mut S {
    fn supply(&mut self, height: u64, leaves: &[Leaf], blobs: &[B256]) -> Result<Supplied, SupplyError> {
        (**self).supply(height, leaves, blobs)
    }
}
