//! Validators, delegations and what they earn and lose: the records that leaves hold (Cosmos SDK 0.50, `x/staking`,
//! `x/slashing`, `x/distribution`).
//!
//! Amounts are in the micro-denomination, times are nanoseconds since 1970. Coins that are bonded or on their way out belong
//! to module accounts ([`pool`]), and these records say whose they are.
//!
//! | leaf | record | of |
//! | --- | --- | --- |
//! | `StakingParams` | [`Params`] | the chain |
//! | `StakingQueue` | [`Queue`] | the chain |
//! | `StakingDue(n)` | [`Due`] | the `n`th thing that ends with time |
//! | `Candidates` | `Vec<`[`Candidate`]`>`, ascending by operator | the chain: its validators, at most [`VALIDATORS`] |
//! | `Validator(operator)` | [`Validator`] | a validator |
//! | `Consensus(key address)` | operator, 20 bytes | a validator's key |
//! | `Signing(key address)` | [`Signing`] | a validator's key |
//! | `Absences(key address)` | [`Absences`] | a validator's key, if it was absent |
//! | `Rewards(operator)` | [`Rewards`] | a validator |
//! | `FeePool` | [`FeePool`] | the chain |
//! | `Delegator(delegator)` | [`Delegator`] | a delegator: where it has what |
//! | `Delegation(delegator, operator)` | [`Delegation`] | both |
//! | `Unbonding(delegator, operator)` | [`Unbonding`] | both |
//! | `Redelegation(delegator, from, to)` | [`Redelegation`] | all three |
//! | `Delegators(operator, page)` | `Vec<Address>`, [`PAGE`] to a page | delegators of a validator |
//! | `Unbonders(operator, page)` | `Vec<Address>` | delegators that are leaving it |
//! | `Redelegators(operator, page)` | `Vec<(Address, Address)>` | delegators that left it for another one |
//!
//! The counts of these lists stand in the [`Validator`]; all pages but the last are full.

mod address;
mod decimal;
mod genesis;
mod params;
mod records;

pub use address::{from_valoper, is_signing_key, key_address, pool, valcons, valoper};
pub use decimal::{Decimal, DecimalError, mul_div};
pub use genesis::{GenesisStaking, GenesisValidator, StakingError};
pub use params::Params;
pub use records::{
    Absences, Candidate, Commission, Delegation, Delegator, Description, Due, Exit, FeePool, Move, Queue, Redelegation,
    Rewards, Signing, Status, Unbonding, Validator,
};

/// Micro-denomination in one unit of voting power.
pub const POWER: u128 = 1_000_000;
/// Most that may be bonded and unbonding on the chain together: a total power below 2^62.
pub const MOST: u128 = ((1 << 62) - 1) * POWER;
/// Entries of one page of a validator's lists.
pub const PAGE: u32 = 64;
/// Most candidates, bonded or not: of more validators those with least behind them are none until they have more. A count.
pub const VALIDATORS: usize = 1_024;

#[cfg(test)]
mod tests;
