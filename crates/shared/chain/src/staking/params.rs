//! What may be set about staking.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use super::Decimal;
use crate::limits;

/// Parameters of staking, slashing and distribution; governance may change them. The denomination is the chain's own.
/// Nothing is minted: inflation is zero.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// How long coins take to leave, in nanoseconds; also how long a validator answers for what it signed.
    pub unbonding_time: u64,
    /// Most validators that sign.
    pub max_validators: u32,
    /// Most entries of one unbonding or redelegation.
    pub max_entries: u32,
    /// Blocks over which absences count.
    pub signed_blocks_window: u64,
    /// The part of these that a validator has to sign.
    pub min_signed_per_window: Decimal,
    /// How long an absent validator is jailed, in nanoseconds.
    pub downtime_jail_duration: u64,
    /// What double signing costs.
    pub slash_fraction_double_sign: Decimal,
    /// What absence costs.
    pub slash_fraction_downtime: Decimal,
    /// The part of all fees that is the community's.
    pub community_tax: Decimal,
    /// Lowest commission that a validator may take.
    pub min_commission_rate: Decimal,
}

impl Params {
    /// True if no module breaks under them.
    pub fn are_sound(&self) -> bool {
        let part = |decimal: Decimal| decimal <= Decimal::ONE;
        let count = usize::try_from(self.max_validators).is_ok_and(|count| count > 0 && count <= limits::VALIDATORS);
        count
            && self.unbonding_time > 0
            && self.unbonding_time <= LONGEST
            && self.downtime_jail_duration <= LONGEST
            && (1..=MOST_ENTRIES).contains(&self.max_entries)
            && (1..=LONGEST_WINDOW).contains(&self.signed_blocks_window)
            && part(self.min_signed_per_window)
            && part(self.slash_fraction_double_sign)
            && part(self.slash_fraction_downtime)
            && part(self.community_tax)
            && part(self.min_commission_rate)
    }

    /// How many blocks of a window a validator may miss.
    pub fn may_miss(&self) -> u64 {
        let signed = self.min_signed_per_window.of(self.signed_blocks_window.into());
        self.signed_blocks_window.saturating_sub(u64::try_from(signed).unwrap_or(u64::MAX))
    }
}

impl Default for Params {
    /// The Cosmos SDK's.
    fn default() -> Self {
        Self {
            unbonding_time: 21 * 24 * 3_600 * SECOND,
            max_validators: 100,
            max_entries: 7,
            signed_blocks_window: 100,
            min_signed_per_window: Decimal::percent(50),
            downtime_jail_duration: 600 * SECOND,
            slash_fraction_double_sign: Decimal::percent(5),
            slash_fraction_downtime: Decimal::percent(1),
            community_tax: Decimal::percent(2),
            min_commission_rate: Decimal::ZERO,
        }
    }
}

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// Ten years, in nanoseconds.
const LONGEST: u64 = 3_650 * 24 * 3_600 * SECOND;
/// Most entries that one record may have.
const MOST_ENTRIES: u32 = 64;
/// Most blocks over which absences may count.
const LONGEST_WINDOW: u64 = 1 << 32;
