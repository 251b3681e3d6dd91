use alloy_primitives::{B256, Bytes};
use cloister_attest::Verified;
use cloister_chain::trust::{Node, NotAdmitted, Registration, Trust};
use cloister_chain::{Header, Leaf};
use serde::{Deserialize, Serialize};

use super::{Enclave, Unfit, format};
use crate::light::LeafProof;

/// An enclave, as a bundle shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its chip.
    pub chip: B256,
    /// What stands under [`Leaf::Node`] of the chip.
    #[serde(with = "format::proof")]
    pub node: LeafProof,
    /// What it registered with: the certificate, [`Registration::to_bytes`].
    #[serde(with = "format::bytes")]
    pub registration: Bytes,
}

/// What the state of a header says about enclaves, and the wallet's clock.
pub(super) struct Court<'a> {
    pub(super) header: &'a Header,
    pub(super) trust: &'a Trust,
    pub(super) nodes: &'a [B256],
    pub(super) now: u64,
}

impl Court<'_> {
    /// What is proven of a member, if it counts.
    ///
    /// The chain's own record says that the enclave registered, and with what: keys, evidence and collateral by their
    /// hashes. The wallet verifies that evidence itself, under the policy as it is now and at a time when all of it has to
    /// hold still. That is more than the chain demanded when the enclave registered: what held before, and has not ended,
    /// holds now. So the block with the registration is not needed, however far below it lies.
    pub(super) fn admit(&self, member: &Member) -> Result<Enclave, Unfit> {
        let node = self.record(member)?;
        let now = (self.now / SECOND).max(self.header.seconds());
        if node.revoked {
            return Err(Unfit::Revoked);
        }
        if !node.is_admitted(now) {
            return Err(Unfit::Expired);
        }
        let registration = Registration::from_bytes(&member.registration).ok_or(Unfit::Registration)?;
        if (registration.consensus_key, registration.boot) != (node.consensus_key, node.boot) {
            return Err(Unfit::OtherRegistration);
        }
        let Header { chain_id, simulated, height, .. } = self.header;
        // A header names the state after the block below it.
        let verified = registration.verify(chain_id, *simulated, self.trust, now, height.saturating_sub(1))?;
        if verified.hardware.0 != member.chip {
            return Err(Unfit::Binding);
        }
        if !is_of(&node, &verified) || registration.evidence.collateral.hash() != node.collateral {
            return Err(Unfit::OtherRegistration);
        }
        let release = self.trust.release(&node.measurement, height.saturating_sub(1)).ok_or(Unfit::Unreleased)?;
        Ok(Enclave {
            chip: member.chip,
            family: node.family,
            build: release.build.clone(),
            rebuilders: release.rebuilt.iter().map(|rebuilt| rebuilt.rebuilder).collect(),
            owner: node.owner,
            consensus_key: node.consensus_key,
            registered: node.registered,
            expires: node.expires,
        })
    }

    fn record(&self, member: &Member) -> Result<Node, Unfit> {
        if !self.nodes.contains(&member.chip) {
            return Err(Unfit::Unlisted);
        }
        member.node.verify(&Leaf::Node(member.chip), self.header).map_err(Unfit::State)?;
        let value = member.node.value.as_deref().ok_or(Unfit::Absent)?;
        borsh::from_slice(value).map_err(|_| Unfit::Absent)
    }
}

impl From<NotAdmitted> for Unfit {
    fn from(why: NotAdmitted) -> Self {
        match why {
            NotAdmitted::Evidence(refused) => Self::Evidence(refused),
            NotAdmitted::Binding => Self::Binding,
            NotAdmitted::Release => Self::Unreleased,
        }
    }
}

/// Whether the chain's record is of this evidence.
fn is_of(node: &Node, verified: &Verified) -> bool {
    let recorded = (node.family, node.measurement, node.evidence, node.expires);
    recorded == (verified.family, verified.measurement.digest(), verified.identity, verified.expires)
}

/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;
