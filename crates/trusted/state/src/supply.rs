//! The one way in which the enclave asks the host for state.

use alloy_primitives::{B256, Bytes};
use cloister_chain::Leaf;
use thiserror::Error;

/// Somebody who has values: across the wall the host, in tests a map. Nothing it says is believed.
pub trait Supply {
    /// What is wanted as of `height`, each list in the order asked.
    fn supply(&mut self, height: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError>;
}

/// A question: at most [`cloister_chain::limits::SUPPLY_ITEMS`] leaves and blobs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Names of leaves.
    pub leaves: &'a [Leaf],
    /// Positions of sealed values, of which the name is wanted, too. At most [`cloister_chain::epoch::MAX_SWEEP`].
    pub positions: &'a [B256],
    /// Hashes of blobs.
    pub blobs: &'a [B256],
}

/// An answer. `None`: nothing under that name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supplied {
    /// Values of the leaves.
    pub leaves: Vec<Option<Vec<u8>>>,
    /// Names and values at the positions.
    pub sealed: Vec<Option<(Leaf, Vec<u8>)>>,
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
    fn supply(&mut self, _: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError> {
        let Wanted { leaves, positions, blobs } = wanted;
        let (leaves, blobs) = (vec![None; leaves.len()], vec![None; blobs.len()]);
        Ok(Supplied { leaves, sealed: vec![None; positions.len()], blobs })
    }
}

impl<S: Supply + ?Sized> Supply for &mut S {
    fn supply(&mut self, height: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError> {
        (**self).supply(height, wanted)
    }
}
