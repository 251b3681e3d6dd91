//! Transactions: bytes in, something checked out.
//!
//! A transaction travels as one tag byte and the bytes of its own world:
//!
//! | tag | rest |
//! | --- | --- |
//! | 1 | an Ethereum transaction in its EIP-2718 form: legacy (with or without EIP-155), 2930 or 1559 |
//! | 2 | a Cosmos transaction, the protobuf `TxRaw` |

use alloy_consensus::{SignableTransaction as _, Transaction as _, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, B256, Bytes, Signature, keccak256};
use cloister_teeth::{Mechanism, holds};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
use thiserror::Error;

use crate::cosmos::{CosmosError, CosmosTx};
use crate::limits;

/// A transaction of either world, authenticated.
// The common kind stays in place: a block of transfers would otherwise be one allocation for each.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub enum Tx {
    /// From the Ethereum door.
    Eth(EthTx),
    /// From the Cosmos door. Its signatures depend on accounts and are checked against them.
    Cosmos(Box<CosmosTx>),
}

/// An Ethereum transaction with its hash and its recovered sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthTx {
    envelope: TxEnvelope,
    sender: Address,
}

/// Why bytes are not a transaction of this chain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TxError {
    /// Longer than [`limits::TX_BYTES`].
    #[error("oversized data: transaction of {0} bytes, limit {limit}", limit = limits::TX_BYTES)]
    Oversized(usize),
    /// No bytes, or an unknown tag.
    #[error("unknown kind of transaction")]
    Kind,
    /// Not RLP, truncated, or with bytes left over.
    #[error("rlp: {0}")]
    Rlp(String),
    /// A transaction type other than legacy, 2930 and 1559.
    #[error("transaction type not supported")]
    Type,
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId {
        /// Chain id in the transaction.
        have: u64,
        /// Chain id of this chain.
        want: u64,
    },
    /// The signature recovers nobody, or has a high `s` (EIP-2).
    #[error("invalid transaction v, r, s values")]
    Signature,
    /// Not a Cosmos transaction of this chain.
    #[error(transparent)]
    Cosmos(#[from] CosmosError),
}

impl Tx {
    /// Decodes what [`Tx::to_bytes`] makes. `evm_chain_id` is the chain's EIP-155 id.
    pub fn from_bytes(bytes: &[u8], evm_chain_id: u64) -> Result<Self, TxError> {
        match bytes.split_first() {
            Some((&ETH, rest)) => EthTx::decode(rest, evm_chain_id).map(Self::Eth),
            Some((&COSMOS, rest)) => Ok(Self::Cosmos(Box::new(CosmosTx::decode(rest)?))),
            _ => Err(TxError::Kind),
        }
    }

    /// The form that travels in blocks.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Eth(tx) => {
                let mut bytes = vec![ETH];
                tx.envelope.encode_2718(&mut bytes);
                bytes.into()
            }
            Self::Cosmos(tx) => [&[COSMOS], tx.bytes().as_ref()].concat().into(),
        }
    }

    /// The EIP-2718 form in what [`Tx::to_bytes`] makes, as it stands there; `None` if `bytes` are of no such transaction.
    pub fn eip2718(bytes: &Bytes) -> Option<Bytes> {
        bytes.first().filter(|tag| **tag == ETH).map(|_| bytes.slice(1..))
    }

    /// Hash by which the client knows it.
    pub fn hash(&self) -> B256 {
        match self {
            Self::Eth(tx) => tx.hash(),
            Self::Cosmos(tx) => tx.hash(),
        }
    }

    /// Account that signed it and pays for it.
    pub fn sender(&self) -> Address {
        match self {
            Self::Eth(tx) => tx.sender,
            Self::Cosmos(tx) => tx.signers().first().copied().unwrap_or_default(),
        }
    }

    /// The sender's sequence that it uses.
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Eth(tx) => tx.envelope.nonce(),
            Self::Cosmos(tx) => tx.sequence(0),
        }
    }
}

impl EthTx {
    /// Decodes an EIP-2718 transaction, all of `bytes`, and recovers its sender.
    pub fn decode(bytes: &[u8], evm_chain_id: u64) -> Result<Self, TxError> {
        if bytes.len() > limits::TX_BYTES {
            return Err(TxError::Oversized(bytes.len()));
        }
        // A first byte below 0xc0 is a transaction type (EIP-2718); the types below are the ones that this chain has.
        if matches!(bytes.first(), Some(first) if *first < 0xc0 && !matches!(first, 1 | 2)) {
            return Err(TxError::Type);
        }
        let mut rest = bytes;
        let envelope = TxEnvelope::decode_2718(&mut rest).map_err(|error| TxError::Rlp(error.to_string()))?;
        if !rest.is_empty() {
            return Err(TxError::Rlp("bytes left over after the transaction".into()));
        }
        if let Some(have) = envelope.chain_id()
            && have != evm_chain_id
        {
            return Err(TxError::ChainId { have, want: evm_chain_id });
        }
        let (signing_hash, signature) = match &envelope {
            TxEnvelope::Legacy(tx) => (tx.tx().signature_hash(), tx.signature()),
            TxEnvelope::Eip2930(tx) => (tx.tx().signature_hash(), tx.signature()),
            TxEnvelope::Eip1559(tx) => (tx.tx().signature_hash(), tx.signature()),
            _ => return Err(TxError::Type),
        };
        let sender = recover(signing_hash, signature).ok_or(TxError::Signature)?;
        Ok(Self { envelope, sender })
    }

    /// The transaction as alloy reads it.
    pub fn envelope(&self) -> &TxEnvelope {
        &self.envelope
    }

    /// Account that signed it.
    pub fn sender(&self) -> Address {
        self.sender
    }

    /// Keccak-256 of the EIP-2718 form.
    pub fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }
}

/// Address whose key made `signature` over `hash`; `None` for a high `s` (EIP-2) and for what recovers no key.
fn recover(hash: B256, signature: &Signature) -> Option<Address> {
    if holds(Mechanism::LowS) && signature.normalize_s().is_some() {
        return None;
    }
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    compact[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let id = RecoveryId::try_from(i32::from(signature.v())).ok()?;
    let signature = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = SECP256K1.recover_ecdsa(Message::from_digest(hash.0), &signature).ok()?;
    Some(Address::from_slice(&keccak256(&key.serialize_uncompressed()[1..])[12..]))
}

const ETH: u8 = 1;
const COSMOS: u8 = 2;

#[cfg(test)]
mod tests;
