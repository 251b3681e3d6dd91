//! What may be set about governance.

use alloy_primitives::Address;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::staking::Decimal;

/// Parameters of governance, with the SDK's names; governance may change them. Amounts are in the micro-denomination,
/// periods in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// What has to be deposited before a proposal is voted on.
    pub min_deposit: u128,
    /// How long a proposal waits for that.
    pub max_deposit_period: u64,
    /// How long it is voted on.
    pub voting_period: u64,
    /// The part of the bonded tokens that has to vote.
    pub quorum: Decimal,
    /// The part of those who do not abstain that has to be exceeded by those who are for it.
    pub threshold: Decimal,
    /// The part of the votes that those who veto it must not exceed.
    pub veto_threshold: Decimal,
    /// The part of the deposit that comes with the proposal.
    pub min_initial_deposit_ratio: Decimal,
    /// The part of the deposits that is lost when the proposal is taken back.
    pub proposal_cancel_ratio: Decimal,
    /// Who gets that; it is burned if nobody does.
    pub proposal_cancel_dest: Option<Address>,
    /// How long an expedited proposal is voted on.
    pub expedited_voting_period: u64,
    /// [`Params::threshold`] of an expedited proposal.
    pub expedited_threshold: Decimal,
    /// [`Params::min_deposit`] of an expedited proposal.
    pub expedited_min_deposit: u128,
    /// Too few votes burn the deposits.
    pub burn_vote_quorum: bool,
    /// Too small a deposit burns the deposits.
    pub burn_proposal_deposit_prevote: bool,
    /// A veto burns the deposits.
    pub burn_vote_veto: bool,
    /// The part of the deposit that each depositor has to give at least.
    pub min_deposit_ratio: Decimal,
}

impl Params {
    /// True if no proposal breaks under them.
    pub fn are_sound(&self) -> bool {
        let part = |decimal: Decimal| decimal <= Decimal::ONE;
        let threshold = |decimal: Decimal| part(decimal) && !decimal.is_zero();
        let period = |length: u64| (1..=LONGEST).contains(&length);
        self.min_deposit > 0
            && self.expedited_min_deposit > self.min_deposit
            && period(self.max_deposit_period)
            && period(self.voting_period)
            && period(self.expedited_voting_period)
            && self.expedited_voting_period < self.voting_period
            && part(self.quorum)
            && threshold(self.threshold)
            && threshold(self.expedited_threshold)
            && self.expedited_threshold > self.threshold
            && threshold(self.veto_threshold)
            && part(self.min_initial_deposit_ratio)
            && part(self.proposal_cancel_ratio)
            && part(self.min_deposit_ratio)
    }

    /// What has to be deposited.
    pub const fn wanted(&self, expedited: bool) -> u128 {
        if expedited { self.expedited_min_deposit } else { self.min_deposit }
    }

    /// How long voting lasts.
    pub const fn period(&self, expedited: bool) -> u64 {
        if expedited { self.expedited_voting_period } else { self.voting_period }
    }
}

impl Default for Params {
    /// The Cosmos SDK's.
    fn default() -> Self {
        let thousandths = |number: u64| Decimal(alloy_primitives::U256::from(number) * Decimal::ONE.0 / thousand());
        Self {
            min_deposit: 10_000_000,
            max_deposit_period: 2 * DAY,
            voting_period: 2 * DAY,
            quorum: thousandths(334),
            threshold: Decimal::percent(50),
            veto_threshold: thousandths(334),
            min_initial_deposit_ratio: Decimal::ZERO,
            proposal_cancel_ratio: Decimal::percent(50),
            proposal_cancel_dest: None,
            expedited_voting_period: DAY,
            expedited_threshold: thousandths(667),
            expedited_min_deposit: 50_000_000,
            burn_vote_quorum: false,
            burn_proposal_deposit_prevote: false,
            burn_vote_veto: true,
            min_deposit_ratio: Decimal::percent(1),
        }
    }
}

fn thousand() -> alloy_primitives::U256 {
    alloy_primitives::U256::from(1_000)
}

const DAY: u64 = 24 * 3_600 * 1_000_000_000;
/// Ten years, in nanoseconds.
const LONGEST: u64 = 3_650 * DAY;
