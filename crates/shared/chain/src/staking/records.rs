//! What leaves hold.

use alloy_primitives::{Address, B256, U256};
use borsh::{BorshDeserialize, BorshSerialize};

use super::{Decimal, POWER, mul_div};

/// A validator, as far as the choice of who signs needs it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Candidate {
    /// The account that it belongs to.
    pub operator: Address,
    /// Its Ed25519 key.
    pub key: B256,
    /// True if somebody can sign with that key: not all 32 bytes are one.
    pub sound: bool,
    /// What is delegated to it.
    pub tokens: u128,
    /// True while it may not sign.
    pub jailed: bool,
    /// True while it signs.
    pub bonded: bool,
}

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Validator {
    /// Its Ed25519 key.
    pub key: B256,
    /// Whether it signs.
    pub status: Status,
    /// True while it may not sign: it was absent, signed twice, or its owner took too much of his own stake away.
    pub jailed: bool,
    /// What is delegated to it.
    pub tokens: u128,
    /// Into how many shares that is divided. A slash takes tokens and leaves the shares.
    pub shares: Decimal,
    /// How it describes itself.
    pub description: Description,
    /// What it keeps of its delegators' rewards.
    pub commission: Commission,
    /// What its owner has to delegate to it, lest it be jailed.
    pub min_self_delegation: u128,
    /// When it began to unbond; zero unless it did. A height.
    pub unbonding_height: u64,
    /// When that ends, or ended.
    pub unbonding_time: u64,
    /// Entries of its list of delegators.
    pub delegators: u32,
    /// Entries of its list of those that are leaving it.
    pub unbonders: u32,
    /// Entries of its list of those that left it for another one.
    pub redelegators: u32,
}

/// Whether a validator signs. The numbers are those of the SDK's `BondStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Status {
    /// It does not.
    Unbonded = 1,
    /// It no longer does, and still answers for what it signed.
    Unbonding = 2,
    /// It does.
    Bonded = 3,
}

/// How a validator describes itself. Lengths are limited as in the SDK.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[allow(missing_docs)] // The SDK's names.
pub struct Description {
    pub moniker: String,
    pub identity: String,
    pub website: String,
    pub security_contact: String,
    pub details: String,
}

/// The part of its delegators' rewards that a validator keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Commission {
    /// The part.
    pub rate: Decimal,
    /// The most that it may ever become.
    pub max_rate: Decimal,
    /// The most by which it may change on one day.
    pub max_change_rate: Decimal,
    /// When it last changed.
    pub updated: u64,
}

/// What a delegator has, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Delegator {
    /// Who gets its rewards; itself unless set.
    pub withdraw: Option<Address>,
    /// Operators that it delegates to, in the order in which it began.
    pub validators: Vec<Address>,
    /// Operators that it is leaving.
    pub unbonding: Vec<Address>,
    /// Operators that it left for another one: from, to.
    pub redelegations: Vec<(Address, Address)>,
}

/// What a delegator has at a validator.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Delegation {
    /// Its part of the validator's shares.
    pub shares: Decimal,
    /// [`Rewards::ratio`] when it was last paid.
    pub ratio: U256,
    /// Its place in the validator's list.
    pub slot: u32,
}

/// What a delegator is taking away from a validator.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Unbonding {
    /// Each time that it did, the earliest first.
    pub entries: Vec<Exit>,
    /// Its place in the validator's list.
    pub slot: u32,
}

/// Coins on their way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Exit {
    /// Number of the [`Due`] that ends it.
    pub id: u64,
    /// Height at which it began.
    pub height: u64,
    /// When the coins are free.
    pub completion: u64,
    /// How many there were.
    pub initial: u128,
    /// How many there are: slashes take from them.
    pub balance: u128,
}

/// What a delegator moved from one validator to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Redelegation {
    /// Each time that it did, the earliest first.
    pub entries: Vec<Move>,
    /// Its place in the list of the validator that it left.
    pub slot: u32,
}

/// Coins that still answer for a validator that they left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Move {
    /// Number of the [`Due`] that ends it.
    pub id: u64,
    /// Height at which it began.
    pub height: u64,
    /// Until when they answer.
    pub completion: u64,
    /// How many there were.
    pub initial: u128,
    /// Which shares of the other validator they became.
    pub shares: Decimal,
}

/// Things that end with time, first come, first served: none ends before one that began earlier.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Queue {
    /// Number of the first one.
    pub head: u64,
    /// Number that the next one gets.
    pub tail: u64,
    /// When the first one ends, if there is one.
    pub due: Option<u64>,
    /// When the last one ends.
    pub last: u64,
    /// Some heights and their times, ascending, back to one unbonding time ago: what is older than the first is forgotten.
    pub marks: Vec<(u64, u64)>,
}

/// Something that ends with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Due {
    /// An entry of an unbonding: the delegator's coins are free.
    Unbonding(Address, Address),
    /// An entry of a redelegation, from, to: the coins no longer answer for the first validator.
    Redelegation(Address, Address, Address),
    /// A validator no longer answers for what it signed.
    Validator(Address),
}

/// What is known of a key that signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signing {
    /// Height from which its absences count.
    pub start: u64,
    /// Until when it may not come back; the largest number means for ever.
    pub jailed_until: u64,
    /// It signed twice and may never come back.
    pub tombstoned: bool,
}

/// When a key did not sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Absences {
    /// First and last height of each absence, ascending. At most [`Absences::SPELLS`]: older ones are forgotten.
    pub spells: Vec<(u64, u64)>,
}

/// What a validator and its delegators have earned and not yet taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Rewards {
    /// What one share has earned since the beginning, times 10^36. (Each delegation remembers the value at which it was
    /// last paid: what the F1 paper stores for the end of a period. By the share, not by the token, so that slashes need
    /// no correction.)
    pub ratio: U256,
    /// What is the operator's own.
    pub commission: Decimal,
    /// All of it.
    pub outstanding: Decimal,
}

/// Fees that were given out and not yet taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FeePool {
    /// The community's.
    pub community: Decimal,
    /// Of the validators, by the address of the key, ascending: since the last time that any of its delegators changed.
    pub pending: Vec<(Address, Decimal)>,
}

impl Candidate {
    /// Voting power, if it may sign.
    pub fn power(&self) -> Option<u64> {
        let power = u64::try_from(self.tokens / POWER).unwrap_or(u64::MAX);
        (self.sound && !self.jailed && power > 0).then_some(power)
    }
}

impl Validator {
    /// What `shares` of it are worth.
    pub fn worth(&self, shares: Decimal) -> Decimal {
        let worth = mul_div(shares.0, Decimal::whole(self.tokens).0, self.shares.0);
        // Nobody has more than all shares.
        Decimal(worth.unwrap_or_default())
    }

    /// How many shares `tokens` buy; `None` if nobody can say.
    pub fn price(&self, tokens: u128) -> Option<Decimal> {
        if self.shares.is_zero() {
            return Some(Decimal::whole(tokens));
        }
        mul_div(self.shares.0, U256::from(tokens), U256::from(self.tokens)).map(Decimal)
    }

    /// True after it lost everything: what is left of it has no price.
    pub fn is_worthless(&self) -> bool {
        self.tokens == 0 && !self.shares.is_zero()
    }
}

impl Rewards {
    /// Divides what came in since the last time among the shares of `validator`. What is left: all of it when there are none.
    pub fn settle(&mut self, pending: Decimal, validator: &Validator) -> Decimal {
        if pending.is_zero() {
            return Decimal::ZERO;
        }
        let commission = pending.times(validator.commission.rate);
        let Some(each) = mul_div(pending.less(commission).0, scale(), validator.shares.0) else {
            return pending;
        };
        self.ratio = self.ratio.saturating_add(each);
        self.commission = self.commission.plus(commission);
        self.outstanding = self.outstanding.plus(pending);
        Decimal::ZERO
    }
}

impl Delegation {
    /// What it has earned since it was last paid; `rewards` are settled.
    pub fn earned(&self, rewards: &Rewards) -> Decimal {
        let each = rewards.ratio.saturating_sub(self.ratio);
        let earned = mul_div(self.shares.0, each, scale()).unwrap_or_default();
        Decimal(earned.min(rewards.outstanding.less(rewards.commission).0))
    }
}

impl FeePool {
    /// Adds to what is the validator's with this key address.
    pub fn give(&mut self, key: Address, amount: Decimal) {
        match self.pending.binary_search_by(|(owner, _)| owner.cmp(&key)) {
            Ok(at) => self.pending[at].1 = self.pending[at].1.plus(amount),
            Err(at) => self.pending.insert(at, (key, amount)),
        }
    }

    /// What is the validator's with this key address.
    pub fn pending(&self, key: &Address) -> Decimal {
        self.pending.binary_search_by(|(owner, _)| owner.cmp(key)).map_or(Decimal::ZERO, |at| self.pending[at].1)
    }

    /// Takes it.
    pub fn take(&mut self, key: &Address) -> Decimal {
        let found = self.pending.binary_search_by(|(owner, _)| owner.cmp(key));
        found.map_or(Decimal::ZERO, |at| self.pending.remove(at).1)
    }
}

impl Absences {
    /// Most absences that are remembered.
    pub const SPELLS: usize = 2_048;

    /// Notes that the block of `height` was not signed, and forgets what no longer counts.
    pub fn note(&mut self, height: u64, window: u64) {
        match self.spells.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(height) => *last = height,
            _ => self.spells.push((height, height)),
        }
        let first = height.saturating_sub(window).saturating_add(1);
        let gone = self.spells.iter().take_while(|(_, last)| *last < first).count();
        let over = self.spells.len().saturating_sub(Self::SPELLS);
        self.spells.drain(..gone.max(over));
    }

    /// How many of the `window` blocks up to `height` were not signed.
    pub fn count(&self, height: u64, window: u64) -> u64 {
        let first = height.saturating_sub(window).saturating_add(1);
        let within = |(from, to): &(u64, u64)| (*to).min(height).saturating_add(1).saturating_sub((*from).max(first));
        self.spells.iter().map(within).fold(0, u64::saturating_add)
    }
}

impl Queue {
    /// Lowest height whose misdeeds are still punished.
    pub fn oldest(&self) -> u64 {
        self.marks.first().map_or(0, |(height, _)| *height)
    }

    /// Remembers `height` and its `time`, now and then, for one `span`.
    pub fn mark(&mut self, height: u64, time: u64, span: u64) -> bool {
        if self.marks.last().is_some_and(|(_, last)| time.saturating_sub(*last) < span / MARKS) {
            return false;
        }
        self.marks.push((height, time));
        let start = time.saturating_sub(span);
        // The last one before the span stays: it says what lies before.
        let gone = self.marks.iter().take_while(|(_, time)| *time <= start).count().saturating_sub(1);
        self.marks.drain(..gone);
        true
    }
}

/// 10^36: of [`Rewards::ratio`]. A power of ten, so that round sums give round parts.
fn scale() -> U256 {
    Decimal::ONE.0.saturating_mul(Decimal::ONE.0)
}

/// Marks of one span.
const MARKS: u64 = 16;
