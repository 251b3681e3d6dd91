//! Who may sign blocks, and with how much power.

use alloy_primitives::{Address, B256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::hash::tagged;
use crate::limits;

/// One validator: an Ed25519 key (ZIP-215 rules) and its voting power.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Validator {
    /// Ed25519 verification key, compressed point.
    pub key: B256,
    /// Voting power, at least 1.
    pub power: u64,
}

impl Validator {
    /// First 20 bytes of SHA-256 of the key, as Tendermint derives it. Receives the tips of the blocks it proposes.
    pub fn address(&self) -> Address {
        use sha2::{Digest, Sha256};
        Address::from_slice(&Sha256::digest(self.key)[..20])
    }
}

/// A set of validators, ordered by key, without duplicates, with a total power below 2^62: the engine multiplies it by 3.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, Serialize, Deserialize)]
#[serde(try_from = "Vec<Validator>", into = "Vec<Validator>")]
pub struct ValidatorSet(Vec<Validator>);

/// Why a list of validators is not a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ValidatorSetError {
    /// No validator, or more than [`limits::VALIDATORS`].
    #[error("a validator set has between 1 and {} members", limits::VALIDATORS)]
    Count,
    /// The same key twice.
    #[error("the same validator key stands in the set twice")]
    Duplicate,
    /// A power of zero, or a sum of 2^62 or more.
    #[error("validator power is zero or too large")]
    Power,
}

impl ValidatorSet {
    /// Orders and checks `validators`.
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() || validators.len() > limits::VALIDATORS {
            return Err(ValidatorSetError::Count);
        }
        validators.sort();
        if validators.windows(2).any(|pair| pair[0].key == pair[1].key) {
            return Err(ValidatorSetError::Duplicate);
        }
        let mut total = 0u64;
        for validator in &validators {
            total = total.checked_add(validator.power).ok_or(ValidatorSetError::Power)?;
            if validator.power == 0 || total >= 1 << 62 {
                return Err(ValidatorSetError::Power);
            }
        }
        Ok(Self(validators))
    }

    /// Sum of all powers.
    pub fn total_power(&self) -> u64 {
        self.0.iter().map(|validator| validator.power).sum()
    }

    /// The member with this key.
    pub fn find(&self, key: &B256) -> Option<&Validator> {
        self.0.binary_search_by(|member| member.key.cmp(key)).ok().map(|index| &self.0[index])
    }

    /// Members in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Validator> {
        self.0.iter()
    }

    /// Commitment that a header carries.
    pub fn hash(&self) -> B256 {
        tagged("cloister/validators", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }
}

impl BorshDeserialize for ValidatorSet {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let list = Vec::<Validator>::deserialize_reader(reader)?;
        let set =
            Self::new(list.clone()).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
        // One set has one encoding: a list out of order is refused rather than put in order.
        if set.0 != list {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "validators are out of order"));
        }
        Ok(set)
    }
}

impl TryFrom<Vec<Validator>> for ValidatorSet {
    type Error = ValidatorSetError;

    fn try_from(list: Vec<Validator>) -> Result<Self, Self::Error> {
        Self::new(list)
    }
}

impl From<ValidatorSet> for Vec<Validator> {
    fn from(set: ValidatorSet) -> Self {
        set.0
    }
}
