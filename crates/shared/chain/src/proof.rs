//! Proof that the state holds a value under a name, or holds nothing there.
//!
//! The state is a compressed binary trie over the 256 bits of [`Leaf::position`], most significant bit first. A branch
//! names the first bit in which its two sides differ; a side with one leaf is that leaf. So a position leads to exactly one
//! leaf: the entry itself, or the one entry that shows that it is absent. Names ground to share a prefix lengthen only the
//! paths of those names.
//!
//! ```text
//! empty            = SHA-256(label "cloister/tree/empty")
//! leaf             = SHA-256(label "cloister/tree/leaf" ‖ position (32) ‖ value hash (32))
//! branch           = SHA-256(label "cloister/tree/branch" ‖ bit (1) ‖ left (32) ‖ right (32))
//! ```

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::hash::tagged;
use crate::leaf::Leaf;

/// The path from the root to the one leaf that a position leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proof {
    /// Bit and sibling of each branch on the way, from the root down; bits strictly ascend.
    pub siblings: Vec<(u8, B256)>,
    /// Position and value hash of the leaf at the end; `None` only in the empty tree.
    pub leaf: Option<(B256, B256)>,
}

/// Why a proof does not show what it claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// Bits do not ascend, or the path leads elsewhere.
    #[error("the proof's path is malformed")]
    Path,
    /// The path does not hash to the root.
    #[error("the proof is for another root")]
    Root,
    /// The value under the name is another one, or there is none, or there is one.
    #[error("the proof shows another value")]
    Value,
}

impl Proof {
    /// Succeeds when the state with root `root` holds `value` under `leaf` (`None`: nothing).
    pub fn verify(&self, root: &B256, leaf: &Leaf, value: Option<&[u8]>) -> Result<(), ProofError> {
        let position = leaf.position();
        let Some((found, value_hash)) = self.leaf else {
            return if !self.siblings.is_empty() {
                Err(ProofError::Path)
            } else if *root != empty_root() {
                Err(ProofError::Root)
            } else {
                value.is_none().then_some(()).ok_or(ProofError::Value)
            };
        };
        let ascending = self.siblings.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let same_way = self.siblings.iter().all(|(at, _)| bit(&found, *at) == bit(&position, *at));
        if !ascending || !same_way {
            return Err(ProofError::Path);
        }
        let climbed = self.siblings.iter().rev().fold(leaf_hash(&found, &value_hash), |below, (at, sibling)| {
            if bit(&found, *at) { branch_hash(*at, sibling, &below) } else { branch_hash(*at, &below, sibling) }
        });
        if climbed != *root {
            return Err(ProofError::Root);
        }
        let shown = match value {
            Some(value) => found == position && value_hash == Leaf::value_hash(value),
            None => found != position,
        };
        shown.then_some(()).ok_or(ProofError::Value)
    }
}

/// Root of a state that holds nothing.
pub fn empty_root() -> B256 {
    tagged("cloister/tree/empty", &[])
}

/// Hash of a leaf at `position`.
pub fn leaf_hash(position: &B256, value_hash: &B256) -> B256 {
    tagged("cloister/tree/leaf", &[position.as_slice(), value_hash.as_slice()])
}

/// Hash of a branch whose sides first differ in bit `at`.
pub fn branch_hash(at: u8, left: &B256, right: &B256) -> B256 {
    tagged("cloister/tree/branch", &[&[at], left.as_slice(), right.as_slice()])
}

/// Bit `at` of a position; bit 0 is the most significant one.
pub fn bit(position: &B256, at: u8) -> bool {
    position[usize::from(at / 8)] >> (7 - at % 8) & 1 == 1
}
