//! Enclaves that may have the seed: what the chain demands of them, and who was admitted (M-21 to M-28).
//!
//! A node's enclave makes keys for one run and has its processor state that it made them: a [`Registration`]. It travels as
//! the `certificate` of Secret Network's `RaAuthenticate`. Every enclave of the network verifies it while it executes the
//! block; if it holds, the chain has a [`Node`], and in it the seed, sealed to the key that the statement vouches for.

mod caps;
mod release;

use alloy_primitives::{Address, B256, Bytes};
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_attest::{
    Binding, Collateral, Evidence, Family, HardwareId, Policy, Refused, ReportData, Root, Statement, Verified,
};
use cloister_teeth::{Mechanism, holds};
use ed25519_zebra::{SigningKey, VerificationKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::hash::tagged;
use crate::leaf::Position;

pub use caps::{Caps, CapsError, OverCap, Share};
pub use release::{
    Build, FLAGS_BYTES, LEAST_REBUILDERS, MAX_REBUILDERS, NotRebuilt, Rebuilders, RebuildersError, Rebuilt, Release,
    TOOLCHAIN_BYTES,
};

/// What the chain demands of an enclave. Part of the state, and of the genesis.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Which evidence is good enough.
    pub policy: Policy,
    /// Which programs may run, by ascending measurement.
    pub releases: Vec<Release>,
    /// Blocks that have to pass between the decision for a release and its first admission.
    pub delay: u64,
    /// Whose word is wanted for a release.
    #[serde(default)]
    pub rebuilders: Rebuilders,
    /// How many of the enclaves one account, or one family, may have.
    #[serde(default)]
    pub caps: Caps,
}

/// Why the trust section of a genesis, or a change of it, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TrustError {
    /// Too many releases, or not in ascending order.
    #[error("at most {MAX_RELEASES} releases, each once, by ascending measurement")]
    Releases,
    /// More blocks than any chain waits, or so few that nobody sees a release coming.
    #[error("the delay of releases is at most {MAX_DELAY} blocks, and at least {MIN_DELAY} where hardware is promised")]
    Delay,
    /// The list of rebuilders breaks a rule.
    #[error(transparent)]
    Rebuilders(#[from] RebuildersError),
    /// Nobody, or too few, vouch for a release.
    #[error("release {measurement}: {why}")]
    NotRebuilt {
        /// Its measurement.
        measurement: B256,
        /// Why its signatures do not do.
        why: NotRebuilt,
    },
    /// The caps break a rule.
    #[error(transparent)]
    Caps(#[from] CapsError),
}

/// An enclave that has the seed when the chain begins: it proved what it is to the enclave that made the seed, and proves it
/// to everybody who reads the genesis.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisNode {
    /// Who may renew it.
    pub owner: Address,
    /// A [`Registration`]. Its evidence has to hold at the time of the genesis.
    pub certificate: Bytes,
}

/// Why an enclave is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAdmitted {
    /// Not genuine, not good enough for the policy, or not at this time.
    #[error("the evidence is refused: {0}")]
    Evidence(Refused),
    /// Of another registration, chain or chip.
    #[error("the evidence is not of this registration")]
    Binding,
    /// Not released, or not yet.
    #[error("the program is not released")]
    Release,
}

impl Trust {
    /// Checks what the types do not, for the chain of this name and kind.
    pub fn check(&self, chain_id: &str, simulated: bool) -> Result<(), TrustError> {
        let ascending = self.releases.windows(2).all(|pair| pair[0].build.measurement < pair[1].build.measurement);
        if !ascending || self.releases.len() > MAX_RELEASES {
            return Err(TrustError::Releases);
        }
        if self.delay > MAX_DELAY || (self.delay < MIN_DELAY && !simulated) {
            return Err(TrustError::Delay);
        }
        self.rebuilders.check(simulated)?;
        for release in &self.releases {
            let vouched = self.rebuilders.vouch(release, chain_id);
            vouched.map_err(|why| TrustError::NotRebuilt { measurement: release.build.measurement, why })?;
        }
        Ok(self.caps.check(simulated)?)
    }

    /// The same as a chain that promises hardware may have it, for tests: its releases were rebuilt by two, whose secret keys are
    /// thirty-two bytes of 1 and of 2.
    pub fn on_hardware(mut self, chain_id: &str) -> Self {
        let secrets = [1, 2].map(|secret| SigningKey::from([secret; 32]));
        for release in &mut self.releases {
            let by =
                |secret| Rebuilt::sign(secret, &release.build, chain_id).expect("a build of tests has plain texts");
            release.rebuilt = secrets.iter().map(by).collect();
        }
        let mut keys: Vec<B256> =
            secrets.iter().map(|secret| B256::new(VerificationKey::from(secret).into())).collect();
        keys.sort_unstable();
        let rebuilders = Rebuilders { keys, threshold: 2 };
        Self { rebuilders, caps: Caps::PRODUCTION, delay: self.delay.max(MIN_DELAY), ..self }
    }

    /// The release of the program with this measurement, if it is admitted at `height`.
    pub fn release(&self, measurement: &B256, height: u64) -> Option<&Release> {
        let active = |release: &&Release| release.build.measurement == *measurement && release.activation <= height;
        self.releases.iter().find(active)
    }
}

/// What an enclave registers with.
///
/// ```text
/// certificate  = borsh of the fields, in their order
/// registration = H("cloister/registration", consensus key ‖ boot signing key ‖ boot key ‖ nonce)
/// ```
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Registration {
    /// The Ed25519 key with which the node's validator votes, or would.
    pub consensus_key: B256,
    /// Boot keys and nonce.
    pub boot: Boot,
    /// What vouches for them.
    pub evidence: Evidence,
}

/// The public part of what an enclave makes for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Boot {
    /// Ed25519. Bound to the run; nothing is signed with it yet.
    pub sign: B256,
    /// X25519: opens what is handed over to this run.
    pub kem: B256,
    /// Drawn for this run.
    pub nonce: B256,
}

impl Registration {
    /// Most bytes of a certificate.
    pub const MAX_BYTES: usize = Statement::MAX_BYTES + Collateral::MAX_BYTES + 256;

    /// Reads a certificate.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > Self::MAX_BYTES {
            return None;
        }
        borsh::from_slice(bytes).ok()
    }

    /// The certificate.
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// Its name, which what is handed over is bound to.
    pub fn id(&self) -> B256 {
        self.boot.registration(&self.consensus_key)
    }

    /// What the evidence proves, if it is of this very registration and of an enclave that the chain of this name and kind wants
    /// at `height`. `now` is in seconds since the Unix epoch.
    pub fn verify(
        &self,
        chain_id: &str,
        simulated: bool,
        trust: &Trust,
        now: u64,
        height: u64,
    ) -> Result<Verified, NotAdmitted> {
        let root = Root::of_genesis(simulated);
        let verified = cloister_attest::verify(&self.evidence, &trust.policy, root, now);
        let verified = verified.map_err(NotAdmitted::Evidence)?;
        let stated = self.boot.report_data(chain_id, &self.consensus_key, &verified.hardware);
        if holds(Mechanism::EvidenceBinding) && verified.report_data != stated {
            return Err(NotAdmitted::Binding);
        }
        let released = trust.release(&verified.measurement.digest(), height).is_some();
        if holds(Mechanism::Releases) && !released {
            return Err(NotAdmitted::Release);
        }
        Ok(verified)
    }
}

impl Boot {
    /// The name of the registration of this run for a node with this consensus key.
    pub fn registration(&self, consensus_key: &B256) -> B256 {
        let Self { sign, kem, nonce } = self;
        tagged("cloister/registration", &[&consensus_key[..], &sign[..], &kem[..], &nonce[..]])
    }

    /// What the processor has to state about it (M-21).
    pub fn report_data(&self, chain_id: &str, consensus_key: &B256, hardware: &HardwareId) -> ReportData {
        let Self { sign, kem, nonce } = self;
        let (boot_sign, boot_kem) = (sign.as_slice(), kem.as_slice());
        Binding { chain_id, consensus_key, boot_sign, boot_kem, nonce, hardware }.report_data()
    }
}

/// An enclave that was admitted. One for each chip.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Node {
    /// Who registered it, and alone may renew it.
    pub owner: Address,
    /// See [`Registration`].
    pub consensus_key: B256,
    /// See [`Registration`].
    pub boot: Boot,
    /// What kind of processor.
    pub family: Family,
    /// Digest of what runs on it.
    pub measurement: B256,
    /// Hash of the signed part of its evidence.
    pub evidence: B256,
    /// Hash of the collateral that the evidence was verified with.
    pub collateral: B256,
    /// Where the registration, with the whole evidence, stands: at height 0 in the genesis.
    pub registered: Position,
    /// Seconds since the Unix epoch from which it is no longer admitted without new evidence.
    pub expires: u64,
    /// The seed, sealed to [`Boot::kem`]. Empty once the node is revoked; and until the next epoch for a node of the genesis, which
    /// got it before, and for a run that took the place of another one (M-06).
    pub share: Bytes,
    /// Revoked by the validators, for ever.
    pub revoked: bool,
}

impl Node {
    /// The record of a registration that was verified. It has no share yet.
    pub fn new(owner: Address, registration: &Registration, verified: &Verified, registered: Position) -> Self {
        Self {
            owner,
            consensus_key: registration.consensus_key,
            boot: registration.boot,
            family: verified.family,
            measurement: verified.measurement.digest(),
            evidence: verified.identity,
            collateral: registration.evidence.collateral.hash(),
            registered,
            expires: verified.expires,
            share: Bytes::new(),
            revoked: false,
        }
    }

    /// True if it counts as an enclave of the network at `now`, in seconds since the Unix epoch.
    pub fn is_admitted(&self, now: u64) -> bool {
        !self.revoked && now < self.expires
    }
}

/// Most releases at a time. A count, as is the next.
pub const MAX_RELEASES: usize = 64;
/// Most nodes that are registered at a time.
pub const MAX_NODES: usize = 1_024;
/// Shortest delay of a release on a chain that promises hardware, in blocks.
pub const MIN_DELAY: u64 = 1_000;
/// Longest delay of a release, in blocks.
pub const MAX_DELAY: u64 = 100_000_000;
/// Longest policy in a message, in bytes of JSON.
pub const POLICY_BYTES: usize = 16 << 10;
