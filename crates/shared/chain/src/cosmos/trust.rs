//! Messages about enclaves: Secret Network's registration, and what the validators decide about admission
//! (`cloister.trust.v1`).

use alloy_primitives::{Address, B256};
use cloister_attest::Policy;
use prost::{DecodeError, Message as _};
use secret_sdk_proto::secret::registration::v1beta1::RaAuthenticate;

use super::CosmosError;
use super::address::{from_bech32, from_bytes};
use crate::trust::{POLICY_BYTES, Registration};

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

impl TrustMessage {
    /// Reads a message; `None` if it is of another kind.
    pub(super) fn decode(url: &str, value: &[u8]) -> Option<Result<Self, DecodeError>> {
        Some(match url {
            REGISTER => RaAuthenticate::decode(value).map(Self::Register),
            SET_POLICY => MsgSetPolicy::decode(value).map(Self::SetPolicy),
            RELEASE => MsgRelease::decode(value).map(Self::Release),
            RETIRE => MsgRetire::decode(value).map(Self::Retire),
            REVOKE => MsgRevoke::decode(value).map(Self::Revoke),
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
        }
    }

    /// The account that has to sign it.
    pub fn signer(&self) -> Result<Address, CosmosError> {
        match self {
            Self::Register(message) => from_bytes(&message.sender),
            Self::SetPolicy(MsgSetPolicy { authority, .. })
            | Self::Release(MsgRelease { authority, .. })
            | Self::Retire(MsgRetire { authority, .. })
            | Self::Revoke(MsgRevoke { authority, .. }) => from_bech32(authority),
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
            Self::Release(message) => word(&message.measurement).and_then(|_| word(&message.source)).map(drop),
            Self::Retire(message) => word(&message.measurement).map(drop),
            Self::Revoke(message) => word(&message.hardware).map(drop),
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

/// Thirty-two bytes.
pub fn word(bytes: &[u8]) -> Result<B256, CosmosError> {
    B256::try_from(bytes).map_err(|_| CosmosError::Invalid("a measurement, a hash and a chip have 32 bytes".into()))
}

const REGISTER: &str = "/secret.registration.v1beta1.RaAuthenticate";
const SET_POLICY: &str = "/cloister.trust.v1.MsgSetPolicy";
const RELEASE: &str = "/cloister.trust.v1.MsgRelease";
const RETIRE: &str = "/cloister.trust.v1.MsgRetire";
const REVOKE: &str = "/cloister.trust.v1.MsgRevoke";
