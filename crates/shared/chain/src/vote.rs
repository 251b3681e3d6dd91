//! What validators sign in consensus.
//!
//! Every signature is over SHA-256 of a domain with the chain id, then fields of fixed size, so that no signature means
//! anything on another chain or in another step. Keys, points and signatures follow ZIP-215 everywhere.

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_zebra::{Signature, VerificationKey};

use crate::hash::tagged;

/// One message of Tendermint (arXiv:1807.04938), as it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Statement {
    /// This is to be the block of this height.
    Proposal {
        /// Height.
        height: u64,
        /// Round in which it is proposed.
        round: u32,
        /// Hash of the block's header.
        block: B256,
        /// Earlier round in which more than two thirds prevoted for it.
        valid_round: Option<u32>,
    },
    /// The first vote of a round.
    Prevote {
        /// Height.
        height: u64,
        /// Round.
        round: u32,
        /// Hash of the block's header; `None` for nil.
        block: Option<B256>,
    },
    /// The second vote of a round.
    Precommit {
        /// Height.
        height: u64,
        /// Round.
        round: u32,
        /// Hash of the block's header; `None` for nil.
        block: Option<B256>,
    },
}

/// A statement with an Ed25519 signature over its [`Statement::sign_bytes`], `R ‖ s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Signed {
    /// What is said.
    pub statement: Statement,
    /// The signature.
    pub signature: [u8; 64],
}

impl Statement {
    /// What is signed:
    /// `SHA-256(label ‖ len(chain id) as u8 ‖ chain id ‖ height (8, LE) ‖ round (4, LE) ‖ rest)`.
    ///
    /// | statement | label | rest |
    /// | --- | --- | --- |
    /// | proposal | `cloister/v1/proposal` | block (32) ‖ valid round + 1, or 0 (8, LE) |
    /// | prevote | `cloister/v1/prevote` | block (32) |
    /// | prevote nil | `cloister/v1/prevote-nil` | |
    /// | precommit | `cloister/v1/precommit` | block (32) |
    /// | precommit nil | `cloister/v1/precommit-nil` | |
    pub fn sign_bytes(&self, chain_id: &str) -> B256 {
        let valid: [u8; 8];
        let (label, rest): (_, [&[u8]; 2]) = match self {
            Self::Proposal { block, valid_round, .. } => {
                valid = valid_round.map_or(0, |round| u64::from(round).saturating_add(1)).to_le_bytes();
                ("cloister/v1/proposal", [block.as_slice(), &valid])
            }
            Self::Prevote { block: Some(block), .. } => ("cloister/v1/prevote", [block.as_slice(), &[]]),
            Self::Prevote { block: None, .. } => ("cloister/v1/prevote-nil", [&[], &[]]),
            Self::Precommit { block: Some(block), .. } => ("cloister/v1/precommit", [block.as_slice(), &[]]),
            Self::Precommit { block: None, .. } => ("cloister/v1/precommit-nil", [&[], &[]]),
        };
        let length = u8::try_from(chain_id.len()).expect("a genesis bounds the length of its chain id");
        let (height, round) = (self.height().to_le_bytes(), self.round().to_le_bytes());
        tagged(label, &[&[length], chain_id.as_bytes(), &height, &round, rest[0], rest[1]])
    }

    /// Height that it is about.
    pub const fn height(&self) -> u64 {
        match *self {
            Self::Proposal { height, .. } | Self::Prevote { height, .. } | Self::Precommit { height, .. } => height,
        }
    }

    /// Round that it is about.
    pub const fn round(&self) -> u32 {
        match *self {
            Self::Proposal { round, .. } | Self::Prevote { round, .. } | Self::Precommit { round, .. } => round,
        }
    }

    /// True if nobody honest makes both: the same step of the same height and round, but not the same words.
    pub fn contradicts(&self, other: &Self) -> bool {
        let same_step = std::mem::discriminant(self) == std::mem::discriminant(other);
        same_step && self.height() == other.height() && self.round() == other.round() && self != other
    }
}

impl Signed {
    /// True if the validator with this Ed25519 key signed it.
    pub fn is_by(&self, key: &B256, chain_id: &str) -> bool {
        is_signed(key, &self.statement.sign_bytes(chain_id), &self.signature)
    }
}

/// The one rule of the chain for Ed25519 (ZIP-215).
pub fn is_signed(key: &B256, message: &B256, signature: &[u8; 64]) -> bool {
    VerificationKey::try_from(key.0)
        .is_ok_and(|key| key.verify(&Signature::from(*signature), message.as_slice()).is_ok())
}

#[cfg(test)]
mod tests;
