//! Proposals, deposits and votes: the records that leaves hold (Cosmos SDK 0.50, `x/gov`).
//!
//! Amounts are in the micro-denomination, times are nanoseconds since 1970. Deposits lie in the module's account ([`account`]).
//!
//! | leaf | record | of |
//! | --- | --- | --- |
//! | `GovParams` | [`Params`] | the chain |
//! | `Governance` | [`Governance`] | the chain |
//! | `GovQueue(n)` | [`Due`] | the `n`th entry of a binary heap, the earliest first |
//! | `Proposal(id)` | [`Proposal`] | a proposal |
//! | `Ballot(id)` | [`Ballot`] | a proposal whose votes and deposits are still there |
//! | `Deposit(id, depositor)` | `u128` | both |
//! | `Depositors(id, page)` | `Vec<Address>`, [`PAGE`] to a page | a proposal |
//! | `Vote(id, voter)` | [`Vote`] | both |
//! | `Voters(id, page)` | `Vec<Address>`, [`PAGE`] to a page | a proposal |

mod params;

use alloy_primitives::Address;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::staking::{Decimal, pool};

pub use params::Params;

/// Entries of one page of a proposal's lists.
pub const PAGE: u32 = 64;
/// Longest metadata and title, in bytes (`MaxMetadataLen`).
pub const METADATA_BYTES: usize = 255;
/// Longest summary, in bytes.
pub const SUMMARY_BYTES: usize = 40 * METADATA_BYTES;

/// The account that holds deposits, and that the messages of a proposal that passed are sent by.
pub fn account() -> Address {
    pool::account("gov")
}

/// What the chain remembers about all proposals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Governance {
    /// Number of the last proposal; the first one has 1.
    pub last: u64,
    /// Entries of the heap of what ends with time.
    pub queued: u32,
    /// When the first of them ends: until then there is nothing to do at the end of a block.
    pub due: Option<u64>,
}

/// When a period of a proposal ends. It may be out of date: what the proposal's records say counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Due {
    /// When.
    pub time: u64,
    /// The proposal.
    pub id: u64,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// What is to happen if it passes: each a protobuf `Any` whose only signer is the module's account.
    pub messages: Vec<Vec<u8>>,
    /// How far it is.
    pub status: Status,
    /// What the votes came to, once they were counted.
    pub tally: Tally,
    /// When it was submitted.
    pub submitted: u64,
    /// Until when it waits for its deposit.
    pub deposit_end: u64,
    /// What was deposited.
    pub deposit: u128,
    /// When voting began and when it ends, once it began.
    pub voting: Option<(u64, u64)>,
    /// Whatever its proposer says of it.
    pub metadata: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub summary: String,
    /// Who submitted it.
    pub proposer: Address,
    /// It is voted on quickly, and needs more votes for that.
    pub expedited: bool,
    /// Why it did not come into effect.
    pub failed: String,
}

/// How far a proposal is. The numbers are those of the SDK's `ProposalStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Status {
    /// It waits for its deposit.
    Deposit = 1,
    /// It is voted on.
    Voting = 2,
    /// It passed and came into effect.
    Passed = 3,
    /// Too few were for it.
    Rejected = 4,
    /// It passed, and its messages failed.
    Failed = 5,
}

/// Votes, in bonded tokens, rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[allow(missing_docs)] // The SDK's names.
pub struct Tally {
    pub yes: u128,
    pub abstain: u128,
    pub no: u128,
    pub veto: u128,
}

/// What one can vote. The numbers are those of the SDK's `VoteOption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Choice {
    Yes = 1,
    Abstain = 2,
    No = 3,
    Veto = 4,
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Vote {
    /// Which part of the voter's tokens is for what: parts of one, each choice once.
    pub options: Vec<(Choice, Decimal)>,
    /// Whatever the voter says of it.
    pub metadata: String,
}

/// What has not been cleared away of a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ballot {
    /// Entries of its list of depositors.
    pub depositors: u32,
    /// Entries of its list of voters.
    pub voters: u32,
    /// How far its end is.
    pub stage: Stage,
}

/// How far the end of a proposal is. It may take several blocks: a block does a limited part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Stage {
    /// It has not begun: there may be more deposits and votes.
    #[default]
    Open,
    /// Votes are counted, the last one first.
    Counting(Count),
    /// Votes are forgotten, then deposits are given back, the last one first.
    Closing {
        /// The part of each deposit that is not given back.
        kept: Decimal,
        /// Who gets that; it is burned if nobody does.
        to: Option<Address>,
        /// Whether the votes were for it; `None` if it was never decided, and is forgotten.
        passed: Option<bool>,
    },
}

/// Votes, as far as they are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Count {
    /// The validators that signed when counting began, ascending by operator.
    pub validators: Vec<Power>,
    /// Votes of delegators, by [`Choice`].
    pub votes: [Decimal; 4],
}

/// The voting power of a validator: that of those of its delegators who do not vote themselves.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Power {
    /// Who votes with it.
    pub operator: Address,
    /// What is bonded to it.
    pub tokens: u128,
    /// Into how many shares that is divided.
    pub shares: Decimal,
    /// How many of these voted themselves.
    pub gone: Decimal,
    /// Its own vote; empty for none.
    pub options: Vec<(Choice, Decimal)>,
}

impl Proposal {
    /// When its present period ends, if it has not ended for good.
    pub fn due(&self) -> Option<u64> {
        match self.status {
            Status::Deposit => Some(self.deposit_end),
            Status::Voting => self.voting.map(|(_, end)| end),
            _ => None,
        }
    }
}

impl Choice {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Yes, Self::Abstain, Self::No, Self::Veto];

    /// The choice with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| *choice as i32 == number)
    }

    /// Its place in [`Choice::ALL`].
    pub const fn place(self) -> usize {
        self as usize - 1
    }
}

impl Count {
    /// Counts the vote of somebody who has `shares` at each of these validators.
    pub fn count(&mut self, voter: &Address, vote: Vec<(Choice, Decimal)>, delegations: &[(Address, Decimal)]) {
        for (operator, shares) in delegations {
            let Ok(at) = self.validators.binary_search_by(|power| power.operator.cmp(operator)) else { continue };
            let validator = &mut self.validators[at];
            // Shares that came after counting began belong to another validator's power, or to none.
            let shares = (*shares).min(validator.shares.less(validator.gone));
            validator.gone = validator.gone.plus(shares);
            let power = validator.worth(shares);
            add(&mut self.votes, &vote, power);
        }
        if let Ok(at) = self.validators.binary_search_by(|power| power.operator.cmp(voter)) {
            self.validators[at].options = vote;
        }
    }

    /// What the votes come to, those of validators included.
    pub fn finish(&self) -> [Decimal; 4] {
        let mut votes = self.votes;
        for validator in &self.validators {
            add(&mut votes, &validator.options, validator.worth(validator.shares.less(validator.gone)));
        }
        votes
    }

    /// All bonded tokens.
    pub fn bonded(&self) -> u128 {
        self.validators.iter().map(|validator| validator.tokens).fold(0, u128::saturating_add)
    }
}

impl Power {
    fn worth(&self, shares: Decimal) -> Decimal {
        let worth = crate::staking::mul_div(shares.0, Decimal::whole(self.tokens).0, self.shares.0);
        Decimal(worth.unwrap_or_default())
    }
}

impl Params {
    /// What `votes` decide when so much is `bonded`: whether the proposal passes, and whether its deposits are burned.
    pub fn decide(&self, votes: &[Decimal; 4], bonded: u128, expedited: bool) -> (bool, bool) {
        let of = |choice: Choice| votes[choice.place()];
        let all = Choice::ALL.into_iter().map(of).fold(Decimal::ZERO, Decimal::plus);
        let voiced = all.less(of(Choice::Abstain));
        if bonded == 0 {
            return (false, false);
        }
        if all < self.quorum.times(Decimal::whole(bonded)) {
            return (false, self.burn_vote_quorum);
        }
        if voiced.is_zero() {
            return (false, false);
        }
        if of(Choice::Veto) > self.veto_threshold.times(all) {
            return (false, self.burn_vote_veto);
        }
        let threshold = if expedited { self.expedited_threshold } else { self.threshold };
        (of(Choice::Yes) > threshold.times(voiced), false)
    }
}

impl From<[Decimal; 4]> for Tally {
    fn from(votes: [Decimal; 4]) -> Self {
        let [yes, abstain, no, veto] = votes.map(Decimal::floor);
        Self { yes, abstain, no, veto }
    }
}

fn add(votes: &mut [Decimal; 4], options: &[(Choice, Decimal)], power: Decimal) {
    for (choice, weight) in options {
        let sum = &mut votes[choice.place()];
        *sum = sum.plus(power.times(*weight));
    }
}

#[cfg(test)]
mod tests;
