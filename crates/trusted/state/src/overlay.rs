//! The writes of a block, above the state before it.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes, keccak256};
use cloister_chain::Leaf;

use crate::{StateError, Supply, View};

/// A state that can be written: what was written, else what the view holds.
#[derive(Debug)]
pub struct Overlay<S> {
    view: View<S>,
    /// The block's writes, and above them those of each layer that is open.
    layers: Vec<BTreeMap<Leaf, Option<Vec<u8>>>>,
    blobs: BTreeMap<B256, Bytes>,
}

/// What a block changed, in the form of an [`cloister_chain::Outcome`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Leaves with another value than before, ascending; `None` removes one.
    pub writes: Vec<(Leaf, Option<Vec<u8>>)>,
    /// Blobs that were put, ascending by keccak-256.
    pub blobs: Vec<(B256, Bytes)>,
}

impl<S: Supply> Overlay<S> {
    /// Nothing written yet above `view`.
    pub fn new(view: View<S>) -> Self {
        Self { view, layers: vec![BTreeMap::new()], blobs: BTreeMap::new() }
    }

    /// The value under `leaf`.
    pub fn read(&mut self, leaf: &Leaf) -> Result<Option<Vec<u8>>, StateError> {
        match self.layers.iter().rev().find_map(|layer| layer.get(leaf)) {
            Some(value) => Ok(value.clone()),
            None => self.view.read(leaf),
        }
    }

    /// Sets the value under `leaf`, or removes it (`None`).
    pub fn write(&mut self, leaf: Leaf, value: Option<Vec<u8>>) {
        if let Some(top) = self.layers.last_mut() {
            top.insert(leaf, value);
        }
    }

    /// Opens a layer: what is written from now on can be undone together. Layers nest.
    pub fn open(&mut self) {
        self.layers.push(BTreeMap::new());
    }

    /// Closes the layer opened last, and keeps what was written in it, or forgets it. Blobs stay: their names are hashes.
    pub fn close(&mut self, keep: bool) {
        // The lowest layer is the block's own and is never closed.
        if self.layers.len() > 1
            && let Some(top) = self.layers.pop()
            && keep
            && let Some(below) = self.layers.last_mut()
        {
            below.extend(top);
        }
    }

    /// Brings leaves near that will be read: [`View::prefetch`].
    pub fn prefetch(&mut self, leaves: &[Leaf], positions: &[B256]) -> Result<Vec<Leaf>, StateError> {
        self.view.prefetch(leaves, positions)
    }

    /// The blob whose keccak-256 is `hash`.
    pub fn blob(&mut self, hash: &B256) -> Result<Bytes, StateError> {
        match self.blobs.get(hash) {
            Some(blob) => Ok(blob.clone()),
            None => self.view.blob(hash),
        }
    }

    /// Adds a blob and returns its keccak-256.
    pub fn put_blob(&mut self, blob: Bytes) -> B256 {
        let hash = keccak256(&blob);
        self.blobs.insert(hash, blob);
        hash
    }

    /// What differs from the state below. A leaf that got its old value back is not among it.
    pub fn finish(self) -> Changes {
        let tree = self.view.tree();
        let changed =
            |leaf: &Leaf, value: &Option<Vec<u8>>| tree.get(&leaf.position()) != value.as_deref().map(Leaf::value_hash);
        let joined = |mut below: BTreeMap<_, _>, top| {
            below.extend(top);
            below
        };
        let writes = self.layers.into_iter().reduce(joined).unwrap_or_default();
        let writes = writes.into_iter().filter(|(leaf, value)| changed(leaf, value)).collect();
        Changes { writes, blobs: self.blobs.into_iter().collect() }
    }
}

impl<S> Overlay<S> {
    /// The state below.
    pub fn view(&self) -> &View<S> {
        &self.view
    }
}
