//! The proof that a block was decided: signatures of more than two thirds of the voting power over its hash.
//!
//! The enclave, the light client and the host check it with this one function (M-01). Points and signatures follow
//! ZIP-215, so that no two implementations can disagree on what is valid.

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_teeth::{Mechanism, holds};
use ed25519_zebra::{SigningKey, VerificationKey};
use thiserror::Error;

use crate::hash::tagged;
use crate::validators::ValidatorSet;
use crate::vote::{Statement, is_signed};

/// Precommits of one round for one block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Certificate {
    /// Height of the block.
    pub height: u64,
    /// Tendermint round in which it was decided.
    pub round: u32,
    /// Hash of the block's header.
    pub block: B256,
    /// Precommits, strictly ascending by validator key.
    pub precommits: Vec<Precommit>,
}

/// One validator's signature over [`sign_bytes`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Precommit {
    /// The validator's Ed25519 key.
    pub validator: B256,
    /// Ed25519 signature, `R ‖ s`.
    pub signature: [u8; 64],
}

/// Why a certificate does not decide a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// It names another height or another block.
    #[error("the certificate is for another block")]
    OtherBlock,
    /// Precommits out of order, or one validator twice.
    #[error("precommits are not strictly ascending by validator")]
    Order,
    /// A signer who is not in the validator set.
    #[error("a precommit is by a stranger to the validator set")]
    Stranger,
    /// A signature that does not verify.
    #[error("a precommit's signature does not verify")]
    Signature,
    /// Two thirds of the power or less.
    #[error("the precommits hold two thirds of the voting power or less")]
    Power,
}

/// What a precommit signs: [`Statement::sign_bytes`] of a precommit for `block`.
pub fn sign_bytes(chain_id: &str, height: u64, round: u32, block: &B256) -> B256 {
    Statement::Precommit { height, round, block: Some(*block) }.sign_bytes(chain_id)
}

impl Certificate {
    /// A certificate by one validator alone: what a solo proposer makes.
    pub fn solo(key: &SigningKey, chain_id: &str, height: u64, block: B256) -> Self {
        let signature = key.sign(sign_bytes(chain_id, height, 0, &block).as_slice());
        let validator = B256::new(VerificationKey::from(key).into());
        Self { height, round: 0, block, precommits: vec![Precommit { validator, signature: signature.into() }] }
    }

    /// Succeeds when more than two thirds of the power of `set` signed `block` at `height` on `chain_id`.
    pub fn verify(
        &self,
        chain_id: &str,
        set: &ValidatorSet,
        height: u64,
        block: &B256,
    ) -> Result<(), CertificateError> {
        if self.height != height || self.block != *block {
            return Err(CertificateError::OtherBlock);
        }
        let distinct = self.precommits.windows(2).all(|pair| pair[0].validator < pair[1].validator);
        if holds(Mechanism::DistinctSigners) && !distinct {
            return Err(CertificateError::Order);
        }
        let message = sign_bytes(chain_id, height, self.round, block);
        let mut power = 0u64;
        for precommit in &self.precommits {
            let member = set.find(&precommit.validator).ok_or(CertificateError::Stranger)?;
            let signed = is_signed(&precommit.validator, &message, &precommit.signature);
            if holds(Mechanism::Signatures) && !signed {
                return Err(CertificateError::Signature);
            }
            power = power.checked_add(member.power).ok_or(CertificateError::Power)?;
        }
        let enough = u128::from(power) * 3 > u128::from(set.total_power()) * 2;
        if holds(Mechanism::Power) && !enough {
            return Err(CertificateError::Power);
        }
        Ok(())
    }

    /// Commitment that the next header carries.
    pub fn hash(&self) -> B256 {
        tagged("cloister/certificate", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }
}

#[cfg(test)]
mod tests;
