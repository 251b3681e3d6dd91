//! Programs that may run, and who rebuilt them (M-28).

use alloy_primitives::{B256, B512};
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_teeth::{Mechanism, holds};
use ed25519_zebra::{SigningKey, VerificationKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::hash::tagged;
use crate::vote::is_signed;

/// A program that is or will be admitted.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// What it is, and what it was built from.
    pub build: Build,
    /// First height at which it is admitted.
    pub activation: u64,
    /// Who built the same: each rebuilder once.
    pub rebuilt: Vec<Rebuilt>,
}

/// What a rebuilder compares, and then signs.
///
/// ```text
/// digest = H("cloister/release", length of the chain id as u8 ‖ chain id ‖ borsh of the fields, in their order)
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Digest of what the processor measures ([`cloister_attest::Measurement::digest`]).
    pub measurement: B256,
    /// SHA-256 of the source that it was built from: of the archive of its commit.
    pub source: B256,
    /// SHA-256 of `Cargo.lock`, which names every dependency by its hash.
    pub lock: B256,
    /// The compiler and whatever else built it, in printable ASCII; at most [`TOOLCHAIN_BYTES`].
    pub toolchain: String,
    /// With which flags, in printable ASCII; at most [`FLAGS_BYTES`].
    pub flags: String,
}

/// The word of a rebuilder that these sources give this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebuilt {
    /// An Ed25519 key that the chain lists.
    pub rebuilder: B256,
    /// Its signature of [`Build::digest`], `R ‖ s`.
    pub signature: B512,
}

/// Whose word the chain wants for a program. Part of the state: validators change it by governance.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebuilders {
    /// Their Ed25519 keys, ascending.
    pub keys: Vec<B256>,
    /// So many of them have to have built the same.
    pub threshold: u32,
}

/// Why a list of rebuilders is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RebuildersError {
    /// Too many, not in ascending order, or a key that is none: under one of low order, everything is signed.
    #[error("at most {MAX_REBUILDERS} rebuilders, each once, by ascending keys under which not everything is signed")]
    Keys,
    /// More are demanded than there are.
    #[error("more rebuilders are demanded than are listed")]
    Threshold,
    /// A chain that promises hardware believes no program that fewer rebuilt.
    #[error("only a SIMULATED chain admits programs that fewer than {LEAST_REBUILDERS} rebuilt")]
    Few,
}

/// Why a program is not believed to be what its sources say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotRebuilt {
    /// Too long, or with something that does not print.
    #[error("toolchain and flags are printable ASCII, of at most {TOOLCHAIN_BYTES} and {FLAGS_BYTES} bytes")]
    Texts,
    /// One signature counts.
    #[error("rebuilder {0} signed twice")]
    Twice(B256),
    /// Not on the list.
    #[error("{0} is no rebuilder of this chain")]
    Unknown(B256),
    /// Forged, or of another build or another chain.
    #[error("the signature of rebuilder {0} is not of this build on this chain")]
    Signature(B256),
    /// Fewer than the chain demands.
    #[error("{signed} of {wanted} rebuilders have built the same")]
    Few {
        /// So many signed.
        signed: u32,
        /// So many have to.
        wanted: u32,
    },
}

impl Release {
    /// Of a program that nobody rebuilt, admitted from the first block: as a SIMULATED chain may have it.
    pub fn simulated(measurement: B256) -> Self {
        Self { build: Build { measurement, ..Build::default() }, activation: 0, rebuilt: Vec::new() }
    }
}

impl Build {
    /// What a rebuilder signs.
    pub fn digest(&self, chain_id: &str) -> B256 {
        let length = u8::try_from(chain_id.len()).expect("a genesis bounds the length of its chain id");
        let fields = borsh::to_vec(self).expect("writing to memory does not fail");
        tagged("cloister/release", &[&[length], chain_id.as_bytes(), &fields])
    }

    fn has_plain_texts(&self) -> bool {
        let plain = |text: &str, most| text.len() <= most && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        plain(&self.toolchain, TOOLCHAIN_BYTES) && plain(&self.flags, FLAGS_BYTES)
    }
}

impl Rebuilt {
    /// The word of the owner of this key, if the texts are plain.
    pub fn sign(key: &SigningKey, build: &Build, chain_id: &str) -> Result<Self, NotRebuilt> {
        if !build.has_plain_texts() {
            return Err(NotRebuilt::Texts);
        }
        let signature: [u8; 64] = key.sign(build.digest(chain_id).as_slice()).into();
        Ok(Self { rebuilder: B256::new(VerificationKey::from(key).into()), signature: signature.into() })
    }
}

impl Rebuilders {
    /// Checks what the types do not, for a chain of this kind.
    pub fn check(&self, simulated: bool) -> Result<(), RebuildersError> {
        let ascending = self.keys.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || self.keys.len() > MAX_REBUILDERS || self.keys.iter().any(signs_everything) {
            return Err(RebuildersError::Keys);
        }
        let threshold = usize::try_from(self.threshold).unwrap_or(usize::MAX);
        if threshold > self.keys.len() {
            return Err(RebuildersError::Threshold);
        }
        if !simulated && self.threshold < LEAST_REBUILDERS { Err(RebuildersError::Few) } else { Ok(()) }
    }

    /// Whether enough of them built this on the chain of this name, and nobody else says so.
    pub fn vouch(&self, release: &Release, chain_id: &str) -> Result<(), NotRebuilt> {
        if !release.build.has_plain_texts() {
            return Err(NotRebuilt::Texts);
        }
        if !holds(Mechanism::Rebuilds) {
            return Ok(());
        }
        let digest = release.build.digest(chain_id);
        for (index, Rebuilt { rebuilder, signature }) in release.rebuilt.iter().enumerate() {
            if release.rebuilt[..index].iter().any(|earlier| earlier.rebuilder == *rebuilder) {
                return Err(NotRebuilt::Twice(*rebuilder));
            }
            if self.keys.binary_search(rebuilder).is_err() {
                return Err(NotRebuilt::Unknown(*rebuilder));
            }
            if !is_signed(rebuilder, &digest, &signature.0) {
                return Err(NotRebuilt::Signature(*rebuilder));
            }
        }
        // Each is on the list, and there once.
        let signed = u32::try_from(release.rebuilt.len()).expect("no more than there are rebuilders");
        let wanted = self.threshold;
        if signed < wanted { Err(NotRebuilt::Few { signed, wanted }) } else { Ok(()) }
    }
}

/// True of what is no key, and of a key of low order: by ZIP-215, the neutral point with a zero is its signature of anything.
fn signs_everything(key: &B256) -> bool {
    let mut neutral = [0; 64];
    neutral[0] = 1;
    VerificationKey::try_from(key.0).is_err() || is_signed(key, &B256::ZERO, &neutral)
}

/// Most rebuilders of a chain. A count.
pub const MAX_REBUILDERS: usize = 16;
/// On a chain that promises hardware, at least so many rebuild a program. A count.
pub const LEAST_REBUILDERS: u32 = 2;
/// Longest name of a toolchain, in bytes.
pub const TOOLCHAIN_BYTES: usize = 256;
/// Longest list of flags, in bytes.
pub const FLAGS_BYTES: usize = 1_024;

#[cfg(test)]
mod tests;
