//! The state at one height, each value checked before it is returned.

use alloy_primitives::{B256, Bytes, keccak256};
use cloister_chain::proof::Proof;
use cloister_chain::{Leaf, limits};
use cloister_teeth::{Mechanism, holds};
use thiserror::Error;

use crate::{Cache, Supplied, Supply, SupplyError, Tree, Wanted};

/// Reads the state whose tree it holds. Nothing that the host says is returned unless the tree says the same (M-03).
#[derive(Debug)]
pub struct View<S> {
    tree: Tree,
    height: u64,
    cache: Cache,
    supply: S,
}

/// Why a read failed. Each is the host's doing and none can be caused by a contract: a block that meets one is not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// There is no answer.
    #[error(transparent)]
    Supply(#[from] SupplyError),
    /// More or fewer answers than questions.
    #[error("the host gave another number of answers than it was asked for")]
    Count,
    /// The answer is not the value that the tree holds: an older one, another name's, none, or an invented one.
    #[error("the host gave something else than the value of {0:?}")]
    Forged(Leaf),
    /// The answer is not the leaf at this position with the value that the tree holds, or there is none.
    #[error("the host gave something else than the leaf at {0}")]
    ForgedName(B256),
    /// The answer does not have the hash asked for, or there is none.
    #[error("the host gave something else than the blob {0}")]
    ForgedBlob(B256),
}

impl<S: Supply> View<S> {
    /// The state of `tree`, whose values `supply` knows as of `height`.
    pub fn new(tree: Tree, height: u64, cache: Cache, supply: S) -> Self {
        Self { tree, height, cache, supply }
    }

    /// The value under `leaf`. What is absent, and what the cache holds, takes no crossing of the wall.
    pub fn read(&mut self, leaf: &Leaf) -> Result<Option<Vec<u8>>, StateError> {
        let Some(hash) = self.tree.get(&leaf.position()) else {
            return Ok(None);
        };
        if let Some(value) = self.cache.value(&hash) {
            return Ok(Some(value.to_vec()));
        }
        let (fetched, _) = self.fetch(&[(*leaf, hash)], &[])?;
        Ok(fetched.first().map(|value| value.to_vec()))
    }

    /// Brings what the cache lacks of `leaves`, in one crossing for every [`limits::SUPPLY_ITEMS`] of them, and in the first of
    /// these the leaves at `positions`, which are in the tree. Returns their names.
    pub fn prefetch(&mut self, leaves: &[Leaf], positions: &[B256]) -> Result<Vec<Leaf>, StateError> {
        let mut sorted = leaves.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let held = sorted.into_iter().filter_map(|leaf| Some((leaf, self.tree.get(&leaf.position())?)));
        let lacking: Vec<_> = held.filter(|(_, hash)| self.cache.value(hash).is_none()).collect();
        let mut pieces = lacking.chunks(limits::SUPPLY_ITEMS);
        let named = self.fetch(pieces.next().unwrap_or_default(), positions)?.1;
        for piece in pieces {
            self.fetch(piece, &[])?;
        }
        Ok(named)
    }

    /// The blob whose keccak-256 is `hash`.
    pub fn blob(&mut self, hash: &B256) -> Result<Bytes, StateError> {
        if let Some(blob) = self.cache.blob(hash) {
            return Ok(blob);
        }
        let blob = self.ask(&Wanted { blobs: &[*hash], ..Wanted::default() })?.blobs.pop().flatten();
        let proven = |blob: &Bytes| !holds(Mechanism::BlobHash) || keccak256(blob) == *hash;
        let blob = blob.filter(proven).ok_or(StateError::ForgedBlob(*hash))?;
        self.cache.put_blob(*hash, blob.clone());
        Ok(blob)
    }

    /// The value under `leaf`, if there is one, and the proof of it against the root of [`View::tree`].
    pub fn prove(&mut self, leaf: &Leaf) -> Result<(Option<Vec<u8>>, Proof), StateError> {
        Ok((self.read(leaf)?, self.tree.prove(leaf)))
    }

    /// Asks the host for leaves, and for those at positions, and checks what it says by their hashes.
    fn fetch(&mut self, wanted: &[(Leaf, B256)], positions: &[B256]) -> Result<(Vec<Bytes>, Vec<Leaf>), StateError> {
        if wanted.is_empty() && positions.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let leaves: Vec<Leaf> = wanted.iter().map(|(leaf, _)| *leaf).collect();
        let supplied = self.ask(&Wanted { leaves: &leaves, positions, blobs: &[] })?;
        let check = |((leaf, hash), value): (&(Leaf, B256), Option<Vec<u8>>)| {
            let proven = |value: &Vec<u8>| !holds(Mechanism::ReadProof) || Leaf::value_hash(value) == *hash;
            let value = value.filter(proven).ok_or(StateError::Forged(*leaf))?;
            let value = Bytes::from(value);
            self.cache.put_value(*hash, value.clone());
            Ok(value)
        };
        let values = wanted.iter().zip(supplied.leaves).map(check).collect::<Result<_, StateError>>()?;
        let check = |(position, named): (&B256, Option<(Leaf, Vec<u8>)>)| {
            let hash = self.tree.get(position);
            let proven =
                |(leaf, value): &(Leaf, Vec<u8>)| leaf.position() == *position && Some(Leaf::value_hash(value)) == hash;
            let (leaf, value) = named.filter(proven).ok_or(StateError::ForgedName(*position))?;
            self.cache.put_value(Leaf::value_hash(&value), Bytes::from(value));
            Ok(leaf)
        };
        Ok((values, positions.iter().zip(supplied.sealed).map(check).collect::<Result<_, StateError>>()?))
    }

    /// One crossing; as many answers as questions.
    fn ask(&mut self, wanted: &Wanted<'_>) -> Result<Supplied, StateError> {
        let supplied = self.supply.supply(self.height, wanted)?;
        let got = [supplied.leaves.len(), supplied.sealed.len(), supplied.blobs.len()];
        if got != [wanted.leaves.len(), wanted.positions.len(), wanted.blobs.len()] {
            return Err(StateError::Count);
        }
        Ok(supplied)
    }
}

impl<S> View<S> {
    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The height whose state this is.
    pub fn height(&self) -> u64 {
        self.height
    }
}
