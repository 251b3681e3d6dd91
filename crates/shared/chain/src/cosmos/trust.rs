//! Messages about enclaves: Secret Network's registration, and what the validators decide about admission
//! (`cloister.trust.v1`).

use alloy_primitives::{Address, B256, B512};
use cloister_attest::Policy;
use prost::{DecodeError, Message as _};
use secret_sdk_proto::secret::registration::v1beta1::RaAuthenticate;

use super::CosmosError;
use super::address::{from_bech32, from_bytes};
use crate::trust::{Build, Caps, MAX_REBUILDERS, POLICY_BYTES, Rebuilders, Rebuilt, Registration, Release};

/// A message about enclaves, its addresses and sizes checked.
#[derive(Clone, Debug, PartialEq)]
pub enum TrustMessage {
    /// Registers an enclave, with a [`Registration`] as its certificate.
    Register(RaAuthenticate),
    /// Only a proposal: other rules for evidence.
    SetPolicy(MsgSetPolicy),
    /// Only a proposal: another program, or another time for it.
    Release(MsgRelease),
    /// Only a proposal: a program is not admitted any more. Nodes that run it stay until they expire.
    Retire(MsgRetire),
    /// Only a proposal: a chip is never admitted again.
    Revoke(MsgRevoke),
    /// Only a proposal: others, or more or fewer, have to rebuild a program.
    SetRebuilders(MsgSetRebuilders),
    /// Only a proposal: other caps on accounts and families.
    SetCaps(MsgSetCaps),
}

/// `/cloister.trust.v1.MsgSetPolicy`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgSetPolicy {
    /// The account of governance, in Bech32.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// The whole new policy, in JSON as a genesis has it.
    #[prost(string, tag = "2")]
    pub policy: String,
}

/// `/cloister.trust.v1.MsgRelease`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgRelease {
    /// The account of governance, in Bech32.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// Digest of the measurement, 32 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub measurement: Vec<u8>,
    /// SHA-256 of the source, 32 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub source: Vec<u8>,
    /// First height at which it is admitted.
    #[prost(uint64, tag = "4")]
    pub activation: u64,
    /// SHA-256 of `Cargo.lock`, 32 bytes.
    #[prost(bytes = "vec", tag = "5")]
    pub lock: Vec<u8>,
    /// See [`Build::toolchain`].
    #[prost(string, tag = "6")]
    pub toolchain: String,
    /// See [`Build::flags`].
    #[prost(string, tag = "7")]
    pub flags: String,
    /// Who built the same.
    #[prost(message, repeated, tag = "8")]
    pub rebuilt: Vec<MsgRebuilt>,
}

/// `cloister.trust.v1.Rebuilt`, in a [`MsgRelease`].
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgRebuilt {
    /// The rebuilder's Ed25519 key, 32 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub rebuilder: Vec<u8>,
    /// Its signature of [`Build::digest`], 64 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
}

/// `/cloister.trust.v1.MsgRetire`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgRetire {
    /// The account of governance, in Bech32.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// Digest of the measurement, 32 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub measurement: Vec<u8>,
}

/// `/cloister.trust.v1.MsgRevoke`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgRevoke {
    /// The account of governance, in Bech32.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// The chip, 32 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub hardware: Vec<u8>,
}

/// `/cloister.trust.v1.MsgSetRebuilders`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgSetRebuilders {
    /// The account of governance, in Bech32.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// The whole new list of Ed25519 keys, 32 bytes each, ascending.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub keys: Vec<Vec<u8>>,
    /// So many of them have to have built the same.
    #[prost(uint32, tag = "3")]
    pub threshold: u32,
}

/// `/cloister.trust.v1.MsgSetCaps`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgSetCaps {
    /// The account of governance, in Bech32.
    #[prost(string, tag = "1")]
    pub authority: String,
    /// All new caps, in JSON as a genesis has them.
    #[prost(string, tag = "2")]
    pub caps: String,
}

impl TrustMessage {
    /// Reads a message; `None` if it is of another kind.
    pub(super) fn decode(url: &str, value: &[u8]) -> Option<Result<Self, DecodeError>> {
        Some(match url {
            REGISTER => RaAuthenticate::decode(value).map(Self::Register),
            SET_POLICY => MsgSetPolicy::decode(value).map(Self::SetPolicy),
            RELEASE => MsgRelease::decode(value).map(Self::Release),
            RETIRE => MsgRetire::decode(value).map(Self::Retire),
            REVOKE => MsgRevoke::decode(value).map(Self::Revoke),
            SET_REBUILDERS => MsgSetRebuilders::decode(value).map(Self::SetRebuilders),
            SET_CAPS => MsgSetCaps::decode(value).map(Self::SetCaps),
            _ => return None,
        })
    }

    /// Name of the kind.
    pub const fn type_url(&self) -> &'static str {
        match self {
            Self::Register(_) => REGISTER,
            Self::SetPolicy(_) => SET_POLICY,
            Self::Release(_) => RELEASE,
            Self::Retire(_) => RETIRE,
            Self::Revoke(_) => REVOKE,
            Self::SetRebuilders(_) => SET_REBUILDERS,
            Self::SetCaps(_) => SET_CAPS,
        }
    }

    /// The account that has to sign it.
    pub fn signer(&self) -> Result<Address, CosmosError> {
        match self {
            Self::Register(message) => from_bytes(&message.sender),
            Self::SetPolicy(MsgSetPolicy { authority, .. })
            | Self::Release(MsgRelease { authority, .. })
            | Self::Retire(MsgRetire { authority, .. })
            | Self::Revoke(MsgRevoke { authority, .. })
            | Self::SetRebuilders(MsgSetRebuilders { authority, .. })
            | Self::SetCaps(MsgSetCaps { authority, .. }) => from_bech32(authority),
        }
    }

    pub(super) fn check(&self) -> Result<(), CosmosError> {
        self.signer()?;
        match self {
            Self::Register(message) if message.certificate.len() > Registration::MAX_BYTES => {
                Err(CosmosError::Invalid("the certificate is too long".into()))
            }
            Self::Register(_) => Ok(()),
            Self::SetPolicy(message) => message.read().map(drop),
            Self::Release(message) => message.read().map(drop),
            Self::Retire(message) => word(&message.measurement).map(drop),
            Self::Revoke(message) => word(&message.hardware).map(drop),
            Self::SetRebuilders(message) => message.read().map(drop),
            Self::SetCaps(message) => message.read().map(drop),
        }
    }
}

impl MsgSetPolicy {
    /// The policy.
    pub fn read(&self) -> Result<Policy, CosmosError> {
        let policy = (self.policy.len() <= POLICY_BYTES).then(|| serde_json::from_str(&self.policy).ok()).flatten();
        policy.ok_or_else(|| CosmosError::Invalid("the policy is not one, in JSON".into()))
    }
}

impl MsgRelease {
    /// The message that asks for this release.
    pub fn new(authority: String, release: &Release) -> Self {
        let Release { build, activation, rebuilt } = release;
        let by = |rebuilt: &Rebuilt| MsgRebuilt {
            rebuilder: rebuilt.rebuilder.to_vec(),
            signature: rebuilt.signature.to_vec(),
        };
        Self {
            authority,
            measurement: build.measurement.to_vec(),
            source: build.source.to_vec(),
            activation: *activation,
            lock: build.lock.to_vec(),
            toolchain: build.toolchain.clone(),
            flags: build.flags.clone(),
            rebuilt: rebuilt.iter().map(by).collect(),
        }
    }

    /// The release.
    pub fn read(&self) -> Result<Release, CosmosError> {
        if self.rebuilt.len() > MAX_REBUILDERS {
            return Err(CosmosError::Invalid(format!("at most {MAX_REBUILDERS} rebuilders sign a release")));
        }
        let long = || CosmosError::Invalid("a signature has 64 bytes".into());
        let by = |rebuilt: &MsgRebuilt| {
            let signature = B512::try_from(rebuilt.signature.as_slice()).map_err(|_| long())?;
            Ok(Rebuilt { rebuilder: word(&rebuilt.rebuilder)?, signature })
        };
        let build = Build {
            measurement: word(&self.measurement)?,
            source: word(&self.source)?,
            lock: word(&self.lock)?,
            toolchain: self.toolchain.clone(),
            flags: self.flags.clone(),
        };
        let rebuilt = self.rebuilt.iter().map(by).collect::<Result<_, CosmosError>>()?;
        Ok(Release { build, activation: self.activation, rebuilt })
    }
}

impl MsgSetRebuilders {
    /// The list.
    pub fn read(&self) -> Result<Rebuilders, CosmosError> {
        if self.keys.len() > MAX_REBUILDERS {
            return Err(CosmosError::Invalid(format!("a chain has at most {MAX_REBUILDERS} rebuilders")));
        }
        let keys = self.keys.iter().map(|key| word(key)).collect::<Result<_, _>>()?;
        Ok(Rebuilders { keys, threshold: self.threshold })
    }
}

impl MsgSetCaps {
    /// The caps.
    pub fn read(&self) -> Result<Caps, CosmosError> {
        let caps = (self.caps.len() <= POLICY_BYTES).then(|| serde_json::from_str(&self.caps).ok()).flatten();
        caps.ok_or_else(|| CosmosError::Invalid("the caps are none, in JSON".into()))
    }
}

/// Thirty-two bytes.
pub fn word(bytes: &[u8]) -> Result<B256, CosmosError> {
    B256::try_from(bytes)
        .map_err(|_| CosmosError::Invalid("a measurement, a hash, a key and a chip have 32 bytes".into()))
}

const REGISTER: &str = "/secret.registration.v1beta1.RaAuthenticate";
const SET_POLICY: &str = "/cloister.trust.v1.MsgSetPolicy";
const RELEASE: &str = "/cloister.trust.v1.MsgRelease";
const RETIRE: &str = "/cloister.trust.v1.MsgRetire";
const REVOKE: &str = "/cloister.trust.v1.MsgRevoke";
const SET_REBUILDERS: &str = "/cloister.trust.v1.MsgSetRebuilders";
const SET_CAPS: &str = "/cloister.trust.v1.MsgSetCaps";

#[cfg(test)]
mod tests;
