//! Validators, and who stands behind them with coins (Cosmos SDK 0.50, `x/staking`).
//!
//! Records are those of [`cloister_chain::staking`]. A block begins with [`begin_block`]: fees of the parent are given out,
//! who was absent or signed twice is punished. It ends with [`end_block`]: if any candidate changed, the set that signs two
//! blocks later is chosen anew; what ends with time ends. Blocks without such messages read two leaves here and write none,
//! fees apart; no block's ends cost more because there are more delegators.
//!
//! What differs from the SDK, on purpose:
//! - The set never becomes empty: nobody may take away the last power there is, and whoever is jailed last goes on signing
//!   until somebody else can.
//! - What ends with time ends in the order in which it began, also when the unbonding time was made shorter in between.
//! - Rewards are counted by the share instead of by the token, so that a slash needs no correction of them.
//! - A validator of which nothing is left stays until those who are leaving it have left.
//! - A key with which nobody can sign is accepted as the SDK accepts it, and never bonded.
//! - A chain has a limited number of candidates. A validator that another one pushed out can be elected again once it changes
//!   and has more behind it than the weakest.
//! - Evidence counts for heights at which the key could have been asked to sign, and for no later ones.
//!
//! | file | holds |
//! | --- | --- |
//! | `book` | reading and writing records, lists and the queue |
//! | `validators` | making and describing validators |
//! | `delegations` | coins in and out of a validator |
//! | `unbonding` | coins on their way out |
//! | `redelegations` | coins on their way to another validator |
//! | `election` | who signs |

mod book;
mod delegations;
mod election;
mod redelegations;
mod unbonding;
mod validators;

use cloister_chain::cosmos::{DENOM, StakeMessage};
use cloister_chain::receipt::Event;
use cloister_chain::staking::{Params, pool};
use cloister_chain::wire::Halt;
use cloister_chain::{Block, Genesis, Header, Leaf, ValidatorSet};
use cloister_state::{Overlay, Supply};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use time::OffsetDateTime;

pub(crate) use book::holder;
pub(crate) use election::genesis;

use crate::cosmos::{Fail, Meter};

/// The records of staking, at work on one message or on one end of a block.
pub(crate) struct Stake<'a, 'm, S> {
    pub(crate) meter: &'a mut Meter<'m, S>,
    pub(crate) header: &'a Header,
    pub(crate) params: Params,
    pub(crate) events: Vec<Event>,
}

/// What hung on stake when a block began.
#[derive(Default)]
pub(crate) struct Before {
    /// The candidates, as they stand in the state.
    candidates: Option<Vec<u8>>,
    /// The parameters.
    params: Option<Vec<u8>>,
}

/// The leaves that the ends of a block touch for certain.
pub(crate) fn foreseen(genesis: &Genesis) -> Vec<Leaf> {
    let own = [Leaf::Candidates, Leaf::StakingParams, Leaf::StakingQueue, Leaf::FeePool, Leaf::Governance];
    let coins = [pool::fee_collector(), pool::distribution()].map(Leaf::Coins);
    let all = own.into_iter().chain([Leaf::GovParams]).chain(coins);
    all.filter(|_| genesis.staking.is_some()).collect()
}

/// What comes before a block's transactions. `signers` is the set that signed the parent.
pub(crate) fn begin_block<S: Supply>(
    state: &mut Overlay<S>,
    genesis: &Genesis,
    block: &Block,
    signers: &ValidatorSet,
) -> Result<Before, Halt> {
    if genesis.staking.is_none() {
        return Ok(Before::default());
    }
    let supply = |_| Halt::Supply;
    let before = Before {
        candidates: state.read(&Leaf::Candidates).map_err(supply)?,
        params: state.read(&Leaf::StakingParams).map_err(supply)?,
    };
    let mut meter = Meter::new(state, u64::MAX);
    let mut stake = Stake::new(&mut meter, &block.header).map_err(halt)?;
    stake.begin(block, signers).map_err(halt)?;
    Ok(before)
}

/// What comes after them: the set that signs two blocks later. `current` signs the next one.
pub(crate) fn end_block<S: Supply>(
    state: &mut Overlay<S>,
    genesis: &Genesis,
    header: &Header,
    before: &Before,
    current: &ValidatorSet,
) -> Result<ValidatorSet, Halt> {
    if genesis.staking.is_none() {
        return Ok(current.clone());
    }
    let supply = |_| Halt::Supply;
    // What ends leaves room for candidates, so the choice comes after it.
    Stake::new(&mut Meter::new(state, u64::MAX), header).and_then(|mut stake| stake.mature()).map_err(halt)?;
    let same = state.read(&Leaf::Candidates).map_err(supply)? == before.candidates
        && state.read(&Leaf::StakingParams).map_err(supply)? == before.params;
    if same {
        return Ok(current.clone());
    }
    let mut meter = Meter::new(state, u64::MAX);
    Stake::new(&mut meter, header).and_then(|mut stake| stake.elect(current)).map_err(halt)
}

/// A message about stake: its response and its events.
pub(crate) fn handle<S: Supply>(
    meter: &mut Meter<'_, S>,
    genesis: &Genesis,
    header: &Header,
    message: &StakeMessage,
) -> Result<(Any, Vec<Event>), Fail> {
    if genesis.staking.is_none() {
        let log = format!("no message handler found for {}: unknown request", message.type_url());
        return Err(Fail::sdk(6, log));
    }
    let mut stake = Stake::new(meter, header)?;
    let response = match message {
        StakeMessage::CreateValidator(message) => stake.create_validator(message),
        StakeMessage::EditValidator(message) => stake.edit_validator(message),
        StakeMessage::Delegate(message) => stake.delegate_message(message),
        StakeMessage::Undelegate(message) => stake.undelegate(message),
        StakeMessage::BeginRedelegate(message) => stake.begin_redelegate(message),
        StakeMessage::CancelUnbonding(message) => stake.cancel_unbonding(message),
        StakeMessage::WithdrawReward(message) => stake.withdraw_reward(message),
        StakeMessage::WithdrawCommission(message) => stake.withdraw_commission(message),
        StakeMessage::SetWithdrawAddress(message) => stake.set_withdraw_address(message),
        StakeMessage::FundCommunityPool(message) => stake.fund_community_pool(message),
        StakeMessage::Unjail(message) => stake.unjail(message),
    }?;
    Ok((response, stake.events))
}

impl<'a, 'm, S: Supply> Stake<'a, 'm, S> {
    pub(crate) fn new(meter: &'a mut Meter<'m, S>, header: &'a Header) -> Result<Self, Fail> {
        let params = meter.read(Leaf::StakingParams)?.ok_or(Fail::Halt(Halt::Supply))?;
        Ok(Self { meter, header, params, events: Vec::new() })
    }

    fn begin(&mut self, block: &Block, signers: &ValidatorSet) -> Result<(), Fail> {
        self.distribute(signers)?;
        if let Some(parent) = &block.parent {
            self.note_absences(signers, parent)?;
        }
        for evidence in &block.evidence {
            self.punish(evidence)?;
        }
        self.mark()
    }
}

/// The one coin of a message, more than none of it; `what` names it in the error.
fn amount(coin: Option<&Coin>, what: &str) -> Result<u128, Fail> {
    let invalid = || Fail::sdk(18, format!("invalid {what}: invalid request"));
    let coin = coin.ok_or_else(invalid)?;
    let digits = coin.amount.bytes().all(|byte| byte.is_ascii_digit());
    let amount: u128 = coin.amount.parse().ok().filter(|amount| digits && *amount > 0).ok_or_else(invalid)?;
    if coin.denom != DENOM {
        let log = format!("invalid coin denomination: got {}, expected {DENOM}: invalid request", coin.denom);
        return Err(Fail::sdk(18, log));
    }
    Ok(amount)
}

/// As clients show an amount, also none.
pub(crate) fn shown(amount: u128) -> String {
    format!("{amount}{DENOM}")
}

/// A moment as events show it (RFC 3339, whole seconds).
fn moment(nanoseconds: u64) -> String {
    let seconds = i64::try_from(nanoseconds / SECOND).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second) = time.to_hms();
    format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", time.year(), u8::from(time.month()), time.day())
}

/// A moment as responses carry it.
fn timestamp(nanoseconds: u64) -> secret_sdk_proto::Timestamp {
    let seconds = i64::try_from(nanoseconds / SECOND).unwrap_or(i64::MAX);
    secret_sdk_proto::Timestamp { seconds, nanos: i32::try_from(nanoseconds % SECOND).unwrap_or(0) }
}

/// An error of the module's.
fn refused(code: u32, log: impl Into<String>) -> Fail {
    Fail::of("staking", code, log)
}

/// Before and after transactions nobody is there to be told of a rule: none may be broken.
fn halt(fail: Fail) -> Halt {
    match fail {
        Fail::Halt(halt) => halt,
        Fail::Rule { .. } => Halt::Supply,
    }
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests;
