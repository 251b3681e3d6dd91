//! Who is bonded from the start.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Decimal, MOST, POWER, Params};
use crate::gov;
use crate::validators::{Validator, ValidatorSet};

/// Staking on a new chain. A genesis without it has the same validators for ever.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisStaking {
    /// The parameters of block 1.
    #[serde(default)]
    pub params: Params,
    /// What governance begins with.
    #[serde(default)]
    pub governance: gov::Params,
    /// The validators of block 1, all of them bonded.
    pub validators: Vec<GenesisValidator>,
}

/// A validator that is bonded from the start.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisValidator {
    /// The account that it belongs to.
    pub operator: Address,
    /// Its Ed25519 key, which signs blocks.
    pub key: B256,
    /// What it bonds, beside the coins that its account has: at least one unit of power.
    pub bond: u128,
    /// Its name.
    pub moniker: String,
    /// The part of its delegators' rewards that it keeps.
    #[serde(default)]
    pub commission: Decimal,
    /// The most that this may ever become.
    #[serde(default = "fifth")]
    pub max_commission: Decimal,
    /// The most by which it may change on one day.
    #[serde(default = "hundredth")]
    pub max_commission_change: Decimal,
}

/// Why a chain cannot start with such validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StakingError {
    /// A fraction above one, or a count or time of zero or beyond its limit.
    #[error("a staking parameter is out of range")]
    Params,
    /// The set that signs block 1 is another one.
    #[error("the validators of the staking section are not those of the validator set")]
    Set,
    /// An operator or a key twice.
    #[error("the same operator or key stands in the staking section twice")]
    Duplicate,
    /// No power, or too much.
    #[error("a validator bonds less than one unit of power, or all of them too much")]
    Bond,
    /// A commission above its maximum, below the chain's minimum, or above one.
    #[error("a validator's commission is out of range")]
    Commission,
    /// A name that is empty or too long.
    #[error("a validator's name has between 1 and {MONIKER_BYTES} bytes")]
    Moniker,
}

impl GenesisStaking {
    /// The set that these validators are, each with a unit of power for every [`POWER`] of its bond.
    pub fn set(&self) -> Result<ValidatorSet, StakingError> {
        let power = |bond: u128| u64::try_from(bond / POWER).map_err(|_| StakingError::Bond);
        let member = |one: &GenesisValidator| Ok(Validator { key: one.key, power: power(one.bond)? });
        let members = self.validators.iter().map(member).collect::<Result<_, StakingError>>()?;
        ValidatorSet::new(members).map_err(|_| StakingError::Set)
    }

    /// Checks what the types do not; `set` signs block 1.
    pub fn check(&self, set: &ValidatorSet) -> Result<(), StakingError> {
        let most = usize::try_from(self.params.max_validators).unwrap_or(usize::MAX);
        if !self.params.are_sound() || !self.governance.are_sound() || self.validators.len() > most {
            return Err(StakingError::Params);
        }
        let (mut operators, mut keys, mut sum) = (BTreeSet::new(), BTreeSet::new(), 0u128);
        for one in &self.validators {
            if !operators.insert(one.operator) || !keys.insert(one.key) {
                return Err(StakingError::Duplicate);
            }
            sum = sum.checked_add(one.bond).filter(|sum| *sum <= MOST).ok_or(StakingError::Bond)?;
            if one.bond < POWER {
                return Err(StakingError::Bond);
            }
            let (rate, max, change) = (one.commission, one.max_commission, one.max_commission_change);
            if rate > max || max > Decimal::ONE || change > max || rate < self.params.min_commission_rate {
                return Err(StakingError::Commission);
            }
            if one.moniker.is_empty() || one.moniker.len() > MONIKER_BYTES {
                return Err(StakingError::Moniker);
            }
        }
        if self.set()? == *set { Ok(()) } else { Err(StakingError::Set) }
    }
}

fn fifth() -> Decimal {
    Decimal::percent(20)
}

fn hundredth() -> Decimal {
    Decimal::percent(1)
}

/// Longest name (`MaxMonikerLength`).
const MONIKER_BYTES: usize = 70;
