//! What a host keeps, and what it says when its enclave asks.

use std::collections::BTreeMap;

use cloister_chain::wire::ToEnclave;
use cloister_chain::{B256, Bytes, Leaf, Outcome};

/// A copy of it is a copy of everything the host ever had.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub(crate) leaves: BTreeMap<Leaf, Vec<u8>>,
    pub(crate) blobs: BTreeMap<B256, Bytes>,
    pub(crate) sealed_roots: Vec<u8>,
    pub(crate) checkpoint: Vec<u8>,
    pub(crate) sealing_key: [u8; 32],
}

impl Disk {
    pub(crate) fn keep(&mut self, outcome: &Outcome) {
        for (leaf, value) in &outcome.writes {
            match value {
                Some(value) => drop(self.leaves.insert(*leaf, value.clone())),
                None => drop(self.leaves.remove(leaf)),
            }
        }
        self.blobs.extend(outcome.blobs.iter().cloned());
        self.checkpoint = outcome.checkpoint.clone();
        if let Some(roots) = &outcome.sealed_roots {
            self.sealed_roots = roots.clone();
        }
    }

    /// An honest answer.
    pub(crate) fn supply(&self, leaves: &[Leaf], positions: &[B256], blobs: &[B256]) -> ToEnclave {
        let named = |position: &B256| {
            let found = self.leaves.iter().find(|(leaf, _)| leaf.position() == *position);
            found.map(|(leaf, value)| (*leaf, value.clone()))
        };
        ToEnclave::Supply {
            sealed: positions.iter().map(named).collect(),
            leaves: leaves.iter().map(|leaf| self.leaves.get(leaf).cloned()).collect(),
            blobs: blobs.iter().map(|hash| self.blobs.get(hash).cloned()).collect(),
        }
    }

    /// What stands under a leaf, decoded.
    pub(crate) fn read<T: borsh::BorshDeserialize>(&self, leaf: &Leaf) -> Option<T> {
        borsh::from_slice(self.leaves.get(leaf)?).ok()
    }
}
