//! A proof bundle: one file from which a wallet sees, offline, whose keys it seals to (M-33, G8).
//!
//! A [`Bundle`] leads from a block that the wallet trusts to a header of the chain, and from the state that this header
//! names to the network's public keys, to what the chain demands of enclaves, and to enclaves that are admitted, each with the
//! evidence that it registered with. [`Bundle::verify`] asks nobody: it follows the signatures, climbs the proofs, and runs
//! the same verifier of evidence as the enclaves do ([`cloister_attest::verify`]).
//!
//! | file | holds |
//! | --- | --- |
//! | `collect` | [`Bundle::collect`]: a bundle from what a node says, none of which is believed |
//! | `enclave` | a [`Member`], and what is checked of it |
//! | `error` | a [`BundleError`] for each reason |
//! | `format` | JSON, bounded: see `docs/bundle.md` |
//! | `verdict` | the [`Verdict`]: who vouches for the keys |
//!
//! **What it does not show** stands in `docs/bundle.md`: above all that a SIMULATED chain keeps anything from its hosts, and
//! that more than two thirds of the voting power did not agree on a lie.
//!
//! ```
//! use cloister_sdk::bundle::{Bundle, Demands};
//!
//! # fn example(text: &str, anchor: &str, now: u64) -> Result<(), Box<dyn std::error::Error>> {
//! let bundle = Bundle::from_json(text)?;
//! let verdict = bundle.verify(&anchor.parse()?, &Demands::default(), now)?;
//! println!("SIMULATED: {}; sealed to {}", verdict.simulated, verdict.epoch.keys.input);
//! # Ok(())
//! # }
//! ```

mod collect;
mod enclave;
mod error;
mod format;
mod verdict;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::collections::BTreeSet;

use alloy_primitives::B256;
use borsh::BorshDeserialize;
use cloister_chain::epoch::Epoch;
use cloister_chain::trust::Trust;
use cloister_chain::{Header, Leaf, ValidatorSet};
use serde::{Deserialize, Serialize};

use crate::light::{Anchor, Checkpoint, LeafProof, Link, Rules};

pub use cloister_attest::{Family, Refused, Vendor};
pub use enclave::Member;
pub use error::{BundleError, Unfit};
pub use verdict::{Enclave, Verdict};

/// What vouches for the network's keys. Nothing in it is believed before [`Bundle::verify`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// The chain, as its headers name it.
    pub chain_id: String,
    /// True for a SIMULATED chain, as its headers say.
    pub simulated: bool,
    /// The block that the wallet has to trust.
    pub start: Start,
    /// The way from it. The last header, or that of `start` if there are none, names the root of the state that all proofs
    /// here are of: the state after the block below it.
    #[serde(with = "format::links")]
    pub links: Vec<Link>,
    /// What stands under [`Leaf::Trust`].
    #[serde(with = "format::proof")]
    pub trust: LeafProof,
    /// What stands under [`Leaf::Epoch`].
    #[serde(with = "format::proof")]
    pub epoch: LeafProof,
    /// What stands under [`Leaf::Nodes`].
    #[serde(with = "format::proof")]
    pub nodes: LeafProof,
    /// Enclaves that vouch.
    pub members: Vec<Member>,
}

/// Where a bundle begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The header.
    #[serde(with = "format::borsh")]
    pub header: Header,
    /// The set that signs the next block.
    #[serde(with = "format::borsh")]
    pub next_validators: ValidatorSet,
}

/// What a wallet wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// At least so many enclaves, each on a chip of its own.
    pub nodes: usize,
    /// Of at least so many makers of chips. `None`: of two on a chain with hardware, so that one maker alone cannot vouch; of
    /// one on a SIMULATED chain, whose authority is one.
    pub vendors: Option<usize>,
    /// How old the newest header may be. An older one may hide that an enclave was revoked, or that the keys are retired.
    pub max_age: Duration,
    /// What headers on the way have to keep to.
    pub rules: Rules,
}

impl Bundle {
    /// Whether it leads from `trusted`, a block that the wallet knows from elsewhere, to keys that enough admitted enclaves
    /// have. `now` is the wallet's clock, in nanoseconds since the Unix epoch.
    pub fn verify(&self, trusted: &Anchor, demands: &Demands, now: u64) -> Result<Verdict, BundleError> {
        self.check_bounds()?;
        let reached = self.follow(trusted, &demands.rules, now)?;
        let header = reached.header();
        self.check_header(header, demands, now)?;

        let trust: Trust = proven("trust", Leaf::Trust, &self.trust, header)?;
        trust.check(&header.chain_id, header.simulated)?;
        let epoch: Epoch = proven("epoch", Leaf::Epoch, &self.epoch, header)?;
        let nodes: Vec<B256> = proven("nodes", Leaf::Nodes, &self.nodes, header)?;
        let court = enclave::Court { header, trust: &trust, nodes: &nodes, now };
        let mut enclaves: Vec<Enclave> = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let enclave = court.admit(member).map_err(|why| BundleError::Member { chip: member.chip, why })?;
            if enclaves.iter().any(|known| known.chip == enclave.chip) {
                return Err(BundleError::Member { chip: member.chip, why: Unfit::Twice });
            }
            enclaves.push(enclave);
        }
        let vendors: BTreeSet<Vendor> = enclaves.iter().map(|enclave| enclave.family.vendor()).collect();
        demands.check(header.simulated, enclaves.len(), vendors.len())?;
        let genesis = (self.start.header.height == 0).then_some(self.start.header.parent);
        Ok(Verdict {
            chain_id: header.chain_id.clone(),
            simulated: header.simulated,
            genesis,
            newest: reached.anchor(),
            time: header.time,
            epoch,
            registered: nodes.len(),
            enclaves,
        })
    }

    fn check_bounds(&self) -> Result<(), BundleError> {
        if self.format != FORMAT {
            return Err(BundleError::Format);
        }
        let within = self.links.len() <= MAX_LINKS && self.members.len() <= MAX_MEMBERS;
        within.then_some(()).ok_or(BundleError::Oversize)
    }

    /// The newest header, as certain as the block that is trusted.
    fn follow(&self, trusted: &Anchor, rules: &Rules, now: u64) -> Result<Checkpoint, BundleError> {
        let Start { header, next_validators } = &self.start;
        let mut reached = Checkpoint::new(*trusted, header.clone(), next_validators.clone())?;
        for link in &self.links {
            reached = reached.advance(link, rules, now)?;
        }
        Ok(reached)
    }

    fn check_header(&self, header: &Header, demands: &Demands, now: u64) -> Result<(), BundleError> {
        if header.chain_id != self.chain_id || header.simulated != self.simulated {
            return Err(BundleError::Named);
        }
        let age = Duration::from_nanos(now.saturating_sub(header.time));
        if age > demands.max_age {
            return Err(BundleError::Stale(age.as_secs()));
        }
        let ahead = Duration::from_nanos(header.time.saturating_sub(now));
        if ahead > demands.rules.drift { Err(BundleError::Future) } else { Ok(()) }
    }
}

impl Demands {
    fn check(&self, simulated: bool, nodes: usize, vendors: usize) -> Result<(), BundleError> {
        if nodes < self.nodes {
            return Err(BundleError::Nodes { wanted: self.nodes, shown: nodes });
        }
        let wanted = self.vendors(simulated);
        if vendors < wanted { Err(BundleError::Vendors { wanted, shown: vendors }) } else { Ok(()) }
    }

    fn vendors(&self, simulated: bool) -> usize {
        self.vendors.unwrap_or(if simulated { 1 } else { 2 })
    }
}

impl Default for Demands {
    /// One enclave, the usual number of makers, a header of the last day.
    fn default() -> Self {
        Self { nodes: 1, vendors: None, max_age: Duration::from_secs(24 * 60 * 60), rules: Rules::default() }
    }
}

/// What is proven to stand under a leaf.
fn proven<T: BorshDeserialize>(
    what: &'static str,
    leaf: Leaf,
    shown: &LeafProof,
    header: &Header,
) -> Result<T, BundleError> {
    shown.verify(&leaf, header).map_err(|error| BundleError::State { what, error })?;
    let value = shown.value.as_deref().ok_or(BundleError::Absent(what))?;
    borsh::from_slice(value).map_err(|_| BundleError::Value(what))
}

/// What the format of a bundle is called.
pub const FORMAT: &str = "cloister-bundle-v1";
/// Longest bundle, in bytes of JSON.
pub const MAX_BYTES: usize = 16 << 20;
/// Most links of a bundle. A count, as is the next.
pub const MAX_LINKS: usize = 4_096;
/// Most members of a bundle.
pub const MAX_MEMBERS: usize = 256;
