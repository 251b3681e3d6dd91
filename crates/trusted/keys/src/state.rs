use core::fmt;

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit};
use alloy_primitives::{Address, B256};
use cloister_envelope::padding::Buckets;
use cloister_teeth::{Mechanism, holds};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::schedule::{Parent, STATE_CIPHER, STATE_NAME, STATE_NONCE, State, info};

/// The buckets of values: 32 bytes to 512 KiB.
pub const VALUE_BUCKETS: Buckets = Buckets::new(32, 512 << 10);
/// The longest value.
pub const MAX_VALUE_BYTES: usize = VALUE_BUCKETS.capacity();
/// The last part of the associated data's purpose string; no label of the key schedule.
pub(crate) const VALUE_LABEL: &str = "contract state value";
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + NONCE_BYTES;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Seals the entries of one contract's state: AES-256-GCM-SIV (RFC 8452).
///
/// ```text
/// name  = derive("state name", plain key)                            stands in the tree in the place of the contract's key
/// value = version(1) = 1 ‖ nonce(12) ‖ AES-256-GCM-SIV(key, nonce, ad, pad(plain value))
/// key   = derive("state cipher")
/// nonce = derive("state nonce", name, height, header hash, transaction index, write index)
/// ad    = part("cloister/v1/<chain id>/contract state value") ‖ part(contract) ‖ part(name) ‖ part(epoch)
/// ```
///
/// *derive* and *part* are those of the key schedule, under a parent that belongs to one contract and one epoch. The header
/// of the writing block is in the nonce, so that a block which competes for its height, or follows a revert, has other ones;
/// should a nonce come twice all the same, GCM-SIV shows whether two values of one entry are equal and no more. A value put
/// into another entry, contract, epoch or chain does not open. An older value of the same entry does: the tree's root says
/// which one is current. Names show which entry is touched; the padding ([`VALUE_BUCKETS`]) leaves a value's bucket to see.
pub struct StateKeys {
    parent: Parent<State>,
    cipher: Aes256GcmSiv,
    contract: Address,
    epoch: u64,
}

impl StateKeys {
    pub(crate) fn new(parent: Parent<State>, contract: Address, epoch: u64) -> Self {
        let cipher = parent.derive(&STATE_CIPHER, &[]).expose(|key| Aes256GcmSiv::new(key.into()));
        Self { parent, cipher, contract, epoch }
    }

    /// The name under which the tree knows the entry with this key.
    pub fn name(&self, plain_key: &[u8]) -> B256 {
        self.parent.derive(&STATE_NAME, &[plain_key]).expose(|name| B256::from(*name))
    }

    /// Seals what a contract writes into the entry of that name. No two writes of a block have the same place.
    pub fn seal(&self, name: B256, place: &WritePlace, value: &[u8]) -> Result<Vec<u8>, StateError> {
        let padded = VALUE_BUCKETS.pad(value).ok_or(StateError::TooLong)?;
        let nonce = self.nonce(name, place);
        let payload = Payload { msg: &padded, aad: &self.associated_data(name) };
        let sealed = self.cipher.encrypt(&nonce.into(), payload).map_err(|_| StateError::TooLong)?;
        Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
    }

    /// Opens what stands in the entry of that name.
    pub fn open(&self, name: B256, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, StateError> {
        let (version, rest) = value.split_first().ok_or(StateError::Length)?;
        if *version != VERSION {
            return Err(StateError::Version);
        }
        let padded = value.len().checked_sub(HEAD_BYTES + TAG_BYTES).ok_or(StateError::Length)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(StateError::Length)?;
        if !VALUE_BUCKETS.holds(padded) {
            return Err(StateError::Length);
        }
        let payload = Payload { msg: sealed, aad: &self.associated_data(name) };
        let padded = self.cipher.decrypt(nonce.into(), payload).map_err(|_| StateError::Refused)?;
        VALUE_BUCKETS.unpad(Zeroizing::new(padded)).ok_or(StateError::Refused)
    }

    fn nonce(&self, name: B256, place: &WritePlace) -> [u8; NONCE_BYTES] {
        let context = [
            name.as_slice(),
            &place.height.to_be_bytes(),
            place.header_hash.as_slice(),
            &place.transaction.to_be_bytes(),
            &place.write.to_be_bytes(),
        ];
        self.parent.derive(&STATE_NONCE, &context).expose(|nonce| *nonce)
    }

    fn associated_data(&self, name: B256) -> Vec<u8> {
        let name = if holds(Mechanism::StateContext) { name } else { B256::ZERO };
        let context = [self.contract.as_slice(), name.as_slice(), &self.epoch.to_be_bytes()];
        info(self.parent.chain_id(), VALUE_LABEL, &context)
    }
}

impl fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKeys([REDACTED])")
    }
}

/// Which write it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WritePlace {
    /// The height of the block.
    pub height: u64,
    /// The hash of its own header.
    pub header_hash: B256,
    /// Which transaction of the block, from 0.
    pub transaction: u64,
    /// Which write of the transaction, from 0. It counts on when a contract's call is reverted.
    pub write: u64,
}

/// Why a value was not sealed or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StateError {
    /// More than [`MAX_VALUE_BYTES`]: the contract's own mistake, unless the machine refused it before.
    #[error("a value of a contract's state holds at most {MAX_VALUE_BYTES} bytes")]
    TooLong,
    /// Sealed values do not have that length: what the tree holds is no sealed value.
    #[error("no sealed value has that length")]
    Length,
    /// Sealed by a later release.
    #[error("unknown version of a sealed value")]
    Version,
    /// Altered, or sealed in another entry, contract, epoch or chain.
    #[error("the sealed value does not belong to this entry")]
    Refused,
}
