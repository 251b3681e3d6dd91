//! The way from the genesis to a state that others computed.
//!
//! A node that is far behind does not execute what it missed: it takes a state, and follows headers to the one that names
//! its root. Every header of the way is signed by exactly the set that the one before it names, so no vote of a set that
//! the chain has not agreed on counts for anything; between two changes of the set any number of headers is left out.

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_teeth::{Mechanism, holds};
use thiserror::Error;

use crate::{Certificate, Genesis, Header, Parent, ValidatorSet, limits};

/// A header on the way.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Link {
    /// The header.
    pub header: Header,
    /// The proof that it was decided, by the set that the link before names; the first one by that of the genesis.
    pub certificate: Certificate,
    /// The set that signs the next block.
    pub next: ValidatorSet,
}

/// The way to the state after a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Trail {
    /// From the genesis upwards. The last one is the header above the block, which names the state's root.
    pub links: Vec<Link>,
    /// Header of the block.
    pub header: Header,
    /// The proof that it was decided.
    pub certificate: Certificate,
    /// The set that signed it.
    pub signers: ValidatorSet,
}

/// Why a trail leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TrailError {
    /// No link, or more than [`limits::TRAIL`].
    #[error("a trail has between 1 and {} links", limits::TRAIL)]
    Length,
    /// A header of another chain, or one that is not above the one before it.
    #[error("header {0} does not follow")]
    Order(u64),
    /// Signed by, or naming, another set than it says.
    #[error("header {0} has another validator set")]
    Set(u64),
    /// Not decided.
    #[error("header {0} was not decided by its validators")]
    Certificate(u64),
    /// The last link is not the header above the block.
    #[error("the last header is not the one above the block")]
    Above,
}

impl Trail {
    /// The block that left the state, its results and what comes next, as certain as the genesis.
    pub fn verify(&self, genesis: &Genesis) -> Result<Parent, TrailError> {
        if self.links.len() > limits::TRAIL {
            return Err(TrailError::Length);
        }
        let (mut height, mut set, mut before) = (0, &genesis.validators, &genesis.validators);
        for Link { header, certificate, next } in &self.links {
            if header.height <= height || header.chain_id != genesis.chain_id || header.simulated != genesis.simulated {
                return Err(TrailError::Order(header.height));
            }
            height = header.height;
            let named = !holds(Mechanism::SetLink) || header.next_validators == next.hash();
            if header.validators != set.hash() || !named {
                return Err(TrailError::Set(height));
            }
            certificate
                .verify(&genesis.chain_id, set, height, &header.hash())
                .map_err(|_| TrailError::Certificate(height))?;
            (before, set) = (set, if holds(Mechanism::Rotation) { next } else { set });
        }
        let above = &self.links.last().ok_or(TrailError::Length)?.header;
        let header = &self.header;
        let hash = header.hash();
        if header.height.checked_add(1) != Some(above.height) || above.parent != hash {
            return Err(TrailError::Above);
        }
        if header.validators != self.signers.hash() || header.next_validators != above.validators {
            return Err(TrailError::Set(header.height));
        }
        self.certificate
            .verify(&genesis.chain_id, &self.signers, header.height, &hash)
            .map_err(|_| TrailError::Certificate(header.height))?;
        Ok(Parent {
            header: header.clone(),
            certificate: Some(self.certificate.clone()),
            state_root: above.state_root,
            results: above.results,
            base_fee: above.base_fee,
            signers: self.signers.clone(),
            validators: before.clone(),
            following: set.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
