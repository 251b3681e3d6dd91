//! The proposer of a chain with one validator.

use cloister_chain::{B256, Block, Bytes, Certificate, Parent};
use ed25519_zebra::{SigningKey, VerificationKey};

/// A validator that decides alone.
pub struct Solo {
    key: SigningKey,
    public: cloister_chain::Validator,
}

impl Solo {
    /// A proposer that signs with `key`.
    pub fn new(key: SigningKey) -> Self {
        let public = B256::new(VerificationKey::from(&key).into());
        Self { key, public: cloister_chain::Validator { key: public, power: 1 } }
    }

    /// The validator's public key.
    pub fn public(&self) -> B256 {
        self.public.key
    }

    /// Decides a block of `txs` on top of `parent`. `now` is nanoseconds since the Unix epoch.
    pub fn propose(&self, parent: &Parent, txs: Vec<Bytes>, now: u64) -> (Block, Certificate) {
        let block = parent.block(txs, Vec::new(), now, self.public.address());
        let header = &block.header;
        let certificate = Certificate::solo(&self.key, &header.chain_id, header.height, header.hash());
        (block, certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloister_chain::Genesis;

    #[test]
    fn a_solo_block_is_decided_by_its_own_certificate_and_carries_its_parents() {
        let genesis = Genesis::for_tests();
        let solo = Solo::new(SigningKey::from([7; 32]));
        let parent = Parent::for_tests(&genesis);
        let (block, certificate) = solo.propose(&parent, vec![Bytes::from_static(b"tx")], 0);
        assert_eq!((block.header.height, &block.parent), (1, &None), "nobody decided the genesis");
        certificate.verify(&genesis.chain_id, &genesis.validators, 1, &block.header.hash()).expect("decided");

        let parent = Parent { header: block.header, certificate: Some(certificate.clone()), ..parent };
        let (block, _) = solo.propose(&parent, vec![], 0);
        assert_eq!((block.header.height, &block.parent), (2, &Some(certificate)));
        assert!(block.is_whole());
    }
}
