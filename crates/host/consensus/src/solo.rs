//! The proposer of a chain with one validator.

use cloister_chain::{B256, Block, Bytes, Certificate, Header, Outcome};
use ed25519_zebra::{SigningKey, VerificationKey};

/// What the next header says of its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The parent's header.
    pub header: Header,
    /// Hash of the parent's certificate; zero for the genesis header.
    pub certificate: B256,
    /// Root of the state after the parent.
    pub state_root: B256,
    /// Merkle root of the parent's receipts.
    pub results: B256,
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
    /// Hash of the validator set that signs the next block.
    pub validators: B256,
}

/// A validator that decides alone.
pub struct Solo {
    key: SigningKey,
    public: cloister_chain::Validator,
}

impl Parent {
    /// The parent as it stands after its execution. `certificate` is `None` for the genesis header.
    pub fn new(header: Header, certificate: Option<&Certificate>, outcome: &Outcome) -> Self {
        Self {
            header,
            certificate: certificate.map_or(B256::ZERO, Certificate::hash),
            state_root: outcome.state_root,
            results: outcome.results,
            base_fee: outcome.next_base_fee,
            validators: outcome.next_validators.hash(),
        }
    }
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

    /// Decides a block of `txs` on top of `parent`. `now` is nanoseconds since the Unix epoch; the header's time is that,
    /// or one nanosecond after the parent's if the clock went back.
    pub fn propose(&self, parent: &Parent, txs: Vec<Bytes>, now: u64) -> (Block, Certificate) {
        let above = &parent.header;
        let header = Header {
            chain_id: above.chain_id.clone(),
            height: above.height + 1,
            time: now.max(above.time + 1),
            parent: above.hash(),
            certificate: parent.certificate,
            txs: Block::txs_root(&txs),
            state_root: parent.state_root,
            results: parent.results,
            base_fee: parent.base_fee,
            validators: parent.validators,
            next_validators: parent.validators,
            proposer: self.public.address(),
            simulated: above.simulated,
        };
        let certificate = Certificate::solo(&self.key, &header.chain_id, header.height, header.hash());
        (Block { header, txs }, certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloister_chain::Genesis;

    #[test]
    fn a_solo_block_follows_its_parent_and_its_certificate_decides_it() {
        let genesis = Genesis::for_tests();
        let solo = Solo::new(SigningKey::from([7; 32]));
        let parent = Parent {
            header: Header::genesis(&genesis),
            certificate: B256::ZERO,
            state_root: B256::repeat_byte(1),
            results: B256::repeat_byte(2),
            base_fee: 9,
            validators: genesis.validators.hash(),
        };
        let (block, certificate) = solo.propose(&parent, vec![Bytes::from_static(b"tx")], 0);
        let header = &block.header;
        assert_eq!((header.height, header.parent, header.base_fee), (1, parent.header.hash(), 9));
        assert_eq!(header.time, genesis.time + 1, "time goes up even when the clock does not");
        assert_eq!((header.state_root, header.results), (parent.state_root, parent.results));
        certificate.verify(&genesis.chain_id, &genesis.validators, 1, &header.hash()).expect("decided");
        let (later, _) = solo.propose(&parent, vec![], genesis.time + 50);
        assert_eq!(later.header.time, genesis.time + 50);
    }
}
