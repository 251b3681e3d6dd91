//! Proof that a validator signed two things of which it may sign only one.

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::hash::{merkle_root, tagged};
use crate::vote::Signed;

/// Two contradicting statements of one validator. A block carries it; whoever is named in it loses part of his stake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// The validator's Ed25519 key.
    pub validator: B256,
    /// The lesser of the two, in the order of [`Signed`].
    pub first: Signed,
    /// The greater.
    pub second: Signed,
}

/// Why evidence shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EvidenceError {
    /// The two go together, or stand in the wrong order.
    #[error("the two statements do not contradict each other, or are out of order")]
    NoConflict,
    /// A signature that is not the validator's.
    #[error("a statement was not signed by the validator")]
    Signature,
}

impl Evidence {
    /// Of two statements of `validator`, whichever came first.
    pub fn new(validator: B256, one: Signed, other: Signed) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self { validator, first, second }
    }

    /// Succeeds when the validator signed both and they contradict each other. Says nothing of whether the key was a
    /// validator's at that height.
    pub fn verify(&self, chain_id: &str) -> Result<(), EvidenceError> {
        if self.first >= self.second || !self.first.statement.contradicts(&self.second.statement) {
            return Err(EvidenceError::NoConflict);
        }
        if !self.first.is_by(&self.validator, chain_id) || !self.second.is_by(&self.validator, chain_id) {
            return Err(EvidenceError::Signature);
        }
        Ok(())
    }

    /// Height at which it happened.
    pub const fn height(&self) -> u64 {
        self.first.statement.height()
    }

    /// Hash of the borsh form under its own label: a leaf of [`Evidence::root`].
    pub fn hash(&self) -> B256 {
        tagged("cloister/evidence", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }

    /// What a header says of its block's evidence.
    pub fn root(list: &[Self]) -> B256 {
        let hashes: Vec<B256> = list.iter().map(Self::hash).collect();
        merkle_root(&hashes)
    }
}

#[cfg(test)]
mod tests;
