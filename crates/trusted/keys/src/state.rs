use core::fmt;
use std::sync::Arc;

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit};
use alloy_primitives::{Address, B256};
use cloister_envelope::padding::Buckets;
use cloister_teeth::{Mechanism, decrypted, holds};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::roots::EpochRoot;
use crate::schedule::{Names, Parent, STATE_CIPHER, STATE_NAME, STATE_NONCE, State, info};

/// The buckets of values: 32 bytes to 512 KiB.
pub const VALUE_BUCKETS: Buckets = Buckets::new(32, 512 << 10);
/// The longest value.
pub const MAX_VALUE_BYTES: usize = VALUE_BUCKETS.capacity();
/// The last part of the associated data's purpose string; no label of the key schedule.
pub(crate) const VALUE_LABEL: &str = "contract state value";
const VERSION: u8 = 2;
const HEAD_BYTES: usize = 1 + EPOCH_BYTES + NONCE_BYTES;
const EPOCH_BYTES: usize = 8;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Seals the entries of one contract's state: AES-256-GCM-SIV (RFC 8452).
///
/// ```text
/// name  = derive("state name", plain key)                            stands in the tree in the place of the contract's key
/// value = version(1) = 2 ‖ epoch(8, BE) ‖ nonce(12) ‖ AES-256-GCM-SIV(key, nonce, ad, pad(plain value))
/// key   = derive("state cipher")
/// nonce = derive("state nonce", name, height, header hash, transaction index, write index)
/// ad    = part("cloister/v1/<chain id>/contract state value") ‖ part(contract) ‖ part(name) ‖ part(epoch)
/// ```
///
/// *derive* and *part* are those of the key schedule: of names under a parent that belongs to one contract for ever, of all else
/// under one that belongs to one contract and one epoch. The header
/// of the writing block is in the nonce, so that a block which competes for its height, or follows a revert, has other ones;
/// should a nonce come twice all the same, GCM-SIV shows whether two values of one entry are equal and no more. A value put
/// into another entry, contract, epoch or chain does not open. An older value of the same entry does, as long as its epoch's key
/// is there: the tree's root says
/// which one is current. Names show which entry is touched; the padding ([`VALUE_BUCKETS`]) leaves a value's bucket to see.
pub struct StateKeys {
    names: Parent<Names>,
    current: Sealing,
    /// Until it is erased. What it sealed is rare, so its keys are derived when they are needed.
    former: Option<Arc<EpochRoot>>,
    contract: Address,
}

/// What one epoch seals with.
struct Sealing {
    parent: Parent<State>,
    cipher: Aes256GcmSiv,
    epoch: u64,
}

impl StateKeys {
    pub(crate) fn new(
        names: Parent<Names>,
        current: &EpochRoot,
        former: Option<Arc<EpochRoot>>,
        contract: Address,
    ) -> Self {
        Self { names, current: Sealing::new(current, contract), former, contract }
    }

    /// The name under which the tree knows the entry with this key. It outlives the epochs.
    pub fn name(&self, plain_key: &[u8]) -> B256 {
        self.names.derive(&STATE_NAME, &[plain_key]).expose(|name| B256::from(*name))
    }

    /// Seals what a contract writes into the entry of that name, with the present epoch's key. No two writes of a block have
    /// the same place.
    pub fn seal(&self, name: B256, place: &WritePlace, value: &[u8]) -> Result<Vec<u8>, StateError> {
        let Sealing { parent, cipher, epoch } = &self.current;
        let padded = VALUE_BUCKETS.pad(value).ok_or(StateError::TooLong)?;
        let nonce = nonce(parent, name, place);
        let payload = Payload { msg: &padded, aad: &self.associated_data(name, *epoch) };
        let sealed = cipher.encrypt(&nonce.into(), payload).map_err(|_| StateError::TooLong)?;
        Ok([&[VERSION], epoch.to_be_bytes().as_slice(), &nonce, &sealed].concat())
    }

    /// Opens what stands in the entry of that name.
    pub fn open(&self, name: B256, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, StateError> {
        let (version, rest) = value.split_first().ok_or(StateError::Length)?;
        if *version != VERSION {
            return Err(StateError::Version);
        }
        let padded = value.len().checked_sub(HEAD_BYTES + TAG_BYTES).ok_or(StateError::Length)?;
        let (epoch, rest) = rest.split_first_chunk::<EPOCH_BYTES>().ok_or(StateError::Length)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(StateError::Length)?;
        if !VALUE_BUCKETS.holds(padded) {
            return Err(StateError::Length);
        }
        let epoch = u64::from_be_bytes(*epoch);
        let former = self.former.as_ref().filter(|former| former.epoch() == epoch);
        let former = former.map(|former| Sealing::new(former, self.contract));
        let sealing = former.as_ref().unwrap_or(&self.current);
        if sealing.epoch != epoch {
            return Err(StateError::Epoch);
        }
        let payload = Payload { msg: sealed, aad: &self.associated_data(name, epoch) };
        let padded = sealing.cipher.decrypt(nonce.into(), payload).map_err(|_| StateError::Refused)?;
        decrypted();
        VALUE_BUCKETS.unpad(Zeroizing::new(padded)).ok_or(StateError::Refused)
    }

    fn associated_data(&self, name: B256, epoch: u64) -> Vec<u8> {
        let name = if holds(Mechanism::StateContext) { name } else { B256::ZERO };
        let epoch = if holds(Mechanism::EpochOfItsOwn) { epoch } else { 0 };
        let context = [self.contract.as_slice(), name.as_slice(), &epoch.to_be_bytes()];
        info(self.names.chain_id(), VALUE_LABEL, &context)
    }
}

impl Sealing {
    fn new(root: &EpochRoot, contract: Address) -> Self {
        let parent = root.contract_state(contract);
        let cipher = parent.derive(&STATE_CIPHER, &[]).expose(|key| Aes256GcmSiv::new(key.into()));
        Self { parent, cipher, epoch: root.epoch() }
    }
}

fn nonce(parent: &Parent<State>, name: B256, place: &WritePlace) -> [u8; NONCE_BYTES] {
    let context = [
        name.as_slice(),
        &place.height.to_be_bytes(),
        place.header_hash.as_slice(),
        &place.transaction.to_be_bytes(),
        &place.write.to_be_bytes(),
    ];
    parent.derive(&STATE_NONCE, &context).expose(|nonce| *nonce)
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
    /// Which transaction of the block, from 0; what the block itself seals again has [`WritePlace::SWEEP`].
    pub transaction: u64,
    /// Which write of the transaction, from 0. It counts on when a contract's call is reverted.
    pub write: u64,
}

impl WritePlace {
    /// No transaction has this index.
    pub const SWEEP: u64 = u64::MAX;
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
    /// Sealed in an epoch whose key is erased, or is still to come.
    #[error("the key of that epoch is not there")]
    Epoch,
    /// Altered, or sealed in another entry, contract or chain.
    #[error("the sealed value does not belong to this entry")]
    Refused,
}
