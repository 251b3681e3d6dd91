//! The validator's key, and what is signed and checked with keys.

use std::sync::Arc;

use async_trait::async_trait;
use cloister_chain::vote::is_signed;
use cloister_chain::{Address, B256, Validator};
use ed25519_zebra::{Signature as Raw, SigningKey, VerificationKey};
use malachite_signing::{Error, Signer, VerificationResult, Verifier};
use malachite_types::{SignedExtension, SignedProposal, SignedVote, ValidatorProof, VoteExtensionScope};
use zeroize::{Zeroize, Zeroizing};

use super::context::{Proposal, Signature, Tendermint, Vote};

/// A validator's Ed25519 signing key. It does not print, is not cloned, and is erased when dropped.
pub struct ValidatorKey(SigningKey);

/// The key with the chain it signs for.
pub(super) struct Keyring {
    key: Arc<ValidatorKey>,
    chain_id: Arc<str>,
}

impl ValidatorKey {
    /// From its seed (RFC 8032's private key).
    pub fn new(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from(**seed))
    }

    /// The verification key.
    pub fn public(&self) -> B256 {
        B256::new(VerificationKey::from(&self.0).into())
    }

    /// The address of a validator with this key.
    pub fn address(&self) -> Address {
        Validator { key: self.public(), power: 1 }.address()
    }

    /// Signs a digest that names its own domain.
    pub(super) fn sign(&self, digest: &B256) -> Signature {
        Signature(self.0.sign(digest.as_slice()).into())
    }
}

impl Keyring {
    /// Signs and checks for `chain_id`.
    pub(super) fn new(key: Arc<ValidatorKey>, chain_id: Arc<str>) -> Self {
        Self { key, chain_id }
    }

    fn check(&self, digest: B256, signature: &Signature, key: &B256) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::from_bool(is_signed(key, &digest, &signature.0)))
    }

    /// [`Signer::sign_vote`], which has nothing to wait for.
    pub(super) fn vote(&self, vote: Vote) -> SignedVote<Tendermint> {
        let signature = self.key.sign(&vote.statement().sign_bytes(&self.chain_id));
        SignedVote::new(vote, signature)
    }

    /// [`Signer::sign_proposal`], which has nothing to wait for.
    pub(super) fn proposal(&self, proposal: Proposal) -> SignedProposal<Tendermint> {
        let signature = self.key.sign(&proposal.statement().sign_bytes(&self.chain_id));
        SignedProposal::new(proposal, signature)
    }

    /// [`Signer::sign_validator_proof`], which has nothing to wait for.
    pub(super) fn proof(&self, public_key: Vec<u8>, peer_id: Vec<u8>) -> ValidatorProof<Tendermint> {
        // The engine fixes these bytes. They begin with `PoV`, and every digest of ours is 32 bytes long.
        let message = ValidatorProof::<Tendermint>::signing_bytes(&public_key, &peer_id);
        let signature = Signature(self.key.0.sign(&message).into());
        ValidatorProof::new(public_key, peer_id, signature)
    }
}

impl Drop for ValidatorKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[async_trait]
impl Signer<Tendermint> for Keyring {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedVote<Tendermint>, Error> {
        Ok(self.vote(vote))
    }

    async fn sign_proposal(&self, proposal: Proposal) -> Result<SignedProposal<Tendermint>, Error> {
        Ok(self.proposal(proposal))
    }

    async fn sign_vote_extension(
        &self,
        _: VoteExtensionScope<Tendermint>,
        _: (),
    ) -> Result<SignedExtension<Tendermint>, Error> {
        Err(Error::new())
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<Tendermint>, Error> {
        Ok(self.proof(public_key, peer_id))
    }
}

#[async_trait]
impl Verifier<Tendermint> for Keyring {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Signature,
        key: &B256,
    ) -> Result<VerificationResult, Error> {
        self.check(vote.statement().sign_bytes(&self.chain_id), signature, key)
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &Signature,
        key: &B256,
    ) -> Result<VerificationResult, Error> {
        self.check(proposal.statement().sign_bytes(&self.chain_id), signature, key)
    }

    async fn verify_signed_vote_extension(
        &self,
        _: &VoteExtensionScope<Tendermint>,
        _: &(),
        _: &Signature,
        _: &B256,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(&self, proof: &ValidatorProof<Tendermint>) -> Result<VerificationResult, Error> {
        let key = VerificationKey::try_from(proof.public_key.as_slice());
        let valid = key.is_ok_and(|key| key.verify(&Raw::from(proof.signature.0), &proof.preimage()).is_ok());
        Ok(VerificationResult::from_bool(valid))
    }
}
