//! What the next header says of its parent.

use alloy_primitives::{Address, B256, Bytes};

use crate::{Block, Certificate, Evidence, Genesis, Header, Outcome, ValidatorSet};

/// The last executed block, its results and its proof: all that the next header is made of, and judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its header.
    pub header: Header,
    /// Its certificate; `None` for the genesis header, which nobody signs.
    pub certificate: Option<Certificate>,
    /// Root of the state after it.
    pub state_root: B256,
    /// Merkle root of its receipts.
    pub results: B256,
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
    /// The set that signed it.
    pub signers: ValidatorSet,
    /// The set that signs the next block.
    pub validators: ValidatorSet,
    /// The set that signs the one after.
    pub following: ValidatorSet,
}

impl Parent {
    /// The genesis of a chain, executed.
    pub fn genesis(genesis: &Genesis, outcome: &Outcome) -> Self {
        Self::new(Header::genesis(genesis), None, genesis.validators.clone(), outcome)
    }

    /// The next block, executed, with its certificate.
    pub fn then(&self, header: Header, certificate: Certificate, outcome: &Outcome) -> Self {
        Self::new(header, Some(certificate), self.validators.clone(), outcome)
    }

    /// The parent as it stands after its execution. `signers` is the set that signed it.
    pub fn new(header: Header, certificate: Option<Certificate>, signers: ValidatorSet, outcome: &Outcome) -> Self {
        Self {
            header,
            certificate,
            state_root: outcome.state_root,
            results: outcome.results,
            base_fee: outcome.next_base_fee,
            signers,
            validators: outcome.next_validators.clone(),
            following: outcome.following_validators.clone(),
        }
    }

    /// A block on top of it. `now` is nanoseconds since the Unix epoch; the header's time is that, or one nanosecond after
    /// the parent's if the clock went back.
    pub fn block(&self, txs: Vec<Bytes>, evidence: Vec<Evidence>, now: u64, proposer: Address) -> Block {
        let above = &self.header;
        let header = Header {
            chain_id: above.chain_id.clone(),
            height: above.height.saturating_add(1),
            time: now.max(above.time.saturating_add(1)),
            parent: above.hash(),
            certificate: self.certificate.as_ref().map_or(B256::ZERO, Certificate::hash),
            txs: Block::txs_root(&txs),
            evidence: Evidence::root(&evidence),
            state_root: self.state_root,
            results: self.results,
            base_fee: self.base_fee,
            validators: self.validators.hash(),
            next_validators: self.following.hash(),
            proposer,
            simulated: above.simulated,
        };
        Block { header, txs, parent: self.certificate.clone(), evidence }
    }

    /// The genesis of a chain whose state nobody computed, for tests and examples.
    pub fn for_tests(genesis: &Genesis) -> Self {
        let set = genesis.validators.clone();
        Self {
            header: Header::genesis(genesis),
            certificate: None,
            state_root: B256::repeat_byte(1),
            results: B256::repeat_byte(2),
            base_fee: 9,
            signers: set.clone(),
            validators: set.clone(),
            following: set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_says_of_its_parent_what_is_known_of_it() {
        let genesis = Genesis::for_tests();
        let parent = Parent::for_tests(&genesis);
        let block = parent.block(vec![Bytes::from_static(b"tx")], vec![], 0, Address::repeat_byte(3));
        let header = &block.header;
        assert_eq!((header.height, header.parent, header.base_fee), (1, parent.header.hash(), 9));
        assert_eq!((header.state_root, header.results), (parent.state_root, parent.results));
        assert_eq!(header.time, genesis.time + 1, "time goes up even when the clock does not");
        assert!(block.is_whole());
        let later = parent.block(vec![], vec![], genesis.time + 50, Address::ZERO);
        assert_eq!(later.header.time, genesis.time + 50);
    }
}
