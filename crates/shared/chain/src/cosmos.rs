//! Cosmos transactions: bytes in, something checked out.
//!
//! The bytes are a `cosmos.tx.v1beta1.TxRaw`, as secretjs and every Cosmos client send it. Types come from the published
//! protobuf definitions; this module adds what the definitions do not say: bounds, signers, and the four things that a
//! signature may cover ([`sign`]).

mod address;
mod amino;
mod authz;
mod feegrant;
mod gov;
mod message;
pub mod sealed;
mod sign;
mod stake;
pub mod trust;

use alloy_primitives::{Address, B256, Bytes};
use prost::Message as _;
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::limits;

pub use address::{PublicKey, bech32, from_bech32, from_bytes};
pub use authz::{Authorization, AuthorizationError, AuthzMessage, Exec, Grant, StakeKind, Validators};
pub use feegrant::{Allowance, AllowanceError, Period};
pub use gov::{Content, Decree, GovKind, GovMessage, Submit};
pub use message::{DENOM, Message, coins};
pub use sign::SignerData;
pub use stake::StakeMessage;
pub use trust::TrustMessage;

/// A Cosmos transaction, decoded. Its signatures are checked by [`CosmosTx::verify`], which needs the accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct CosmosTx {
    bytes: Bytes,
    raw: TxRaw,
    body: TxBody,
    auth: AuthInfo,
    messages: Vec<Message>,
    signers: Vec<Address>,
    gas: u64,
    fee: u128,
    granter: Option<Address>,
}

/// Why bytes are not a transaction that this chain can run. Code, codespace and text are those of the Cosmos SDK.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CosmosError {
    /// Not the one canonical encoding of a `TxRaw` with a body, or a message that does not decode.
    #[error("{0}: tx parse error")]
    Parse(String),
    /// Longer than [`limits::TX_BYTES`].
    #[error("transaction of {0} bytes: tx too large")]
    TooLarge(usize),
    /// No message, or more than [`limits::COSMOS_MESSAGES`].
    #[error("must contain between 1 and {} messages: invalid request", limits::COSMOS_MESSAGES)]
    Messages,
    /// A message of a kind that this chain does not have.
    #[error("no message handler found for {0}: unknown request")]
    Unknown(String),
    /// Something in a message or in the fee is not what it has to be.
    #[error("{0}: invalid request")]
    Invalid(String),
    /// An address that is not one of this chain.
    #[error("{0}: invalid address")]
    Address(String),
    /// An amount that is not one, or of another denomination.
    #[error("{0}: invalid coins")]
    Coins(String),
    /// A memo above [`limits::MEMO_BYTES`].
    #[error("maximum number of characters is {limit} but received {0} characters: memo too large", limit = limits::MEMO_BYTES)]
    Memo(usize),
    /// A signature that does not verify, or a key that is not the signer's.
    #[error(
        "signature verification failed; please verify account number ({number}), sequence ({sequence}) and chain-id ({chain}): unauthorized"
    )]
    Signature {
        /// Account number that the signature has to cover.
        number: u64,
        /// Sequence.
        sequence: u64,
        /// Chain id.
        chain: String,
    },
    /// Signatures and signers do not match in number, or a public key is missing or unknown.
    #[error("{0}: invalid pubkey")]
    PublicKey(String),
    /// Wrong number of signatures.
    #[error("invalid number of signer;  expected: {want}, got {have}: unauthorized")]
    Signers {
        /// How many accounts have to sign.
        want: usize,
        /// How many signatures there are.
        have: usize,
    },
    /// The sequence is not the account's next one.
    #[error("account sequence mismatch, expected {want}, got {have}: incorrect account sequence")]
    Sequence {
        /// The account's next one.
        want: u64,
        /// The transaction's.
        have: u64,
    },
}

impl CosmosError {
    /// Number in the codespace `sdk`.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Parse(_) => 2,
            Self::Signature { .. } | Self::Signers { .. } => 4,
            Self::Unknown(_) => 6,
            Self::Address(_) => 7,
            Self::PublicKey(_) => 8,
            Self::Coins(_) => 10,
            Self::Memo(_) => 12,
            Self::Messages | Self::Invalid(_) => 18,
            Self::TooLarge(_) => 21,
            Self::Sequence { .. } => 32,
        }
    }
}

impl CosmosTx {
    /// Decodes a `TxRaw`, all of `bytes` and in its one canonical encoding (ADR-027), so that nobody can give a
    /// transaction another hash.
    pub fn decode(bytes: &[u8]) -> Result<Self, CosmosError> {
        if bytes.len() > limits::TX_BYTES {
            return Err(CosmosError::TooLarge(bytes.len()));
        }
        let parse = |error: prost::DecodeError| CosmosError::Parse(error.to_string());
        let raw = TxRaw::decode(bytes).map_err(parse)?;
        if raw.encode_to_vec() != bytes {
            return Err(CosmosError::Parse("not the canonical encoding of a transaction".into()));
        }
        let body = TxBody::decode(raw.body_bytes.as_slice()).map_err(parse)?;
        let auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).map_err(parse)?;
        if !body.extension_options.is_empty() || !body.non_critical_extension_options.is_empty() {
            return Err(CosmosError::Invalid("extension options are not supported".into()));
        }
        if body.messages.is_empty() || body.messages.len() > limits::COSMOS_MESSAGES {
            return Err(CosmosError::Messages);
        }
        if body.memo.len() > limits::MEMO_BYTES {
            return Err(CosmosError::Memo(body.memo.len()));
        }
        let messages = body.messages.iter().map(Message::decode).collect::<Result<Vec<_>, _>>()?;
        let mut signers: Vec<Address> = Vec::new();
        for signer in messages.iter().flat_map(Message::signers) {
            if !signers.contains(&signer) {
                signers.push(signer);
            }
        }
        let have = raw.signatures.len();
        if signers.len() != have || auth.signer_infos.len() != have || have > limits::COSMOS_SIGNERS {
            return Err(CosmosError::Signers { want: signers.len(), have });
        }
        let (gas, fee, granter) = message::fee(auth.fee.as_ref(), &signers)?;
        Ok(Self { bytes: Bytes::copy_from_slice(bytes), raw, body, auth, messages, signers, gas, fee, granter })
    }

    /// Checks every signature against the accounts of [`CosmosTx::signers`], in that order.
    pub fn verify(&self, chain_id: &str, accounts: &[SignerData]) -> Result<(), CosmosError> {
        if accounts.len() != self.signers.len() {
            return Err(CosmosError::Signers { want: self.signers.len(), have: accounts.len() });
        }
        for (index, account) in accounts.iter().enumerate() {
            let info = &self.auth.signer_infos[index];
            if info.sequence != account.sequence {
                return Err(CosmosError::Sequence { want: account.sequence, have: info.sequence });
            }
            let refused = || CosmosError::Signature {
                number: account.number,
                sequence: account.sequence,
                chain: chain_id.to_owned(),
            };
            let key = self.public_key(index)?.or_else(|| account.key.clone());
            let key = key.ok_or_else(|| CosmosError::PublicKey("pubkey on account is not set".into()))?;
            if key.address() != self.signers[index] {
                return Err(CosmosError::PublicKey("pubKey does not match signer address".into()));
            }
            let mode = info.mode_info.as_ref().and_then(|info| info.sum.as_ref()).ok_or_else(refused)?;
            let covered = sign::Covered { tx: self, chain_id, number: account.number, sequence: account.sequence };
            if !covered.verify(&key, mode, &self.raw.signatures[index]) {
                if !sign::direct(mode) && self.messages.iter().any(|message| message.amino().is_none()) {
                    let log = "a message of this transaction can be signed directly only";
                    return Err(CosmosError::Invalid(log.into()));
                }
                return Err(refused());
            }
        }
        Ok(())
    }

    /// The public key that the transaction shows for its `index`th signer, if it shows one.
    pub fn public_key(&self, index: usize) -> Result<Option<PublicKey>, CosmosError> {
        let shown = self.auth.signer_infos.get(index).and_then(|info| info.public_key.as_ref());
        shown.map(PublicKey::decode).transpose()
    }

    /// The `TxRaw`.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// SHA-256 of the bytes: what clients show in upper-case hexadecimal.
    pub fn hash(&self) -> B256 {
        B256::from_slice(&Sha256::digest(&self.bytes))
    }

    /// What it asks for, in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Accounts that have to sign, each once, in the order in which messages name them. The first pays the fee.
    pub fn signers(&self) -> &[Address] {
        &self.signers
    }

    /// Sequence that the transaction claims for its `index`th signer.
    pub fn sequence(&self, index: usize) -> u64 {
        self.auth.signer_infos.get(index).map_or(0, |info| info.sequence)
    }

    /// Gas limit, in the SDK's units.
    pub fn gas(&self) -> u64 {
        self.gas
    }

    /// Fee in the chain's micro-denomination.
    pub fn fee(&self) -> u128 {
        self.fee
    }

    /// The account that is to pay the fee in the first signer's place, if one is named.
    pub fn granter(&self) -> Option<Address> {
        self.granter
    }

    /// Last height at which it may run; 0 for none.
    pub fn timeout_height(&self) -> u64 {
        self.body.timeout_height
    }

    /// Body and authentication part, as protobuf types.
    pub fn parts(&self) -> (&TxBody, &AuthInfo, &[Vec<u8>]) {
        (&self.body, &self.auth, &self.raw.signatures)
    }
}

#[cfg(test)]
mod tests;
