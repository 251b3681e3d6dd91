//! Who signs.

use std::collections::BTreeSet;

use cloister_chain::staking::{
    Commission, Decimal, Delegation, Delegator, Description, Due, GenesisStaking, GenesisValidator, Queue, Rewards,
    Signing, Status, Validator, key_address, pool,
};
use cloister_chain::{Address, Header, Leaf, Validator as Member, ValidatorSet};
use cloister_state::{NoSupply, Overlay, Supply};

use super::Stake;
use crate::cosmos::{Fail, Meter, credit};
use crate::eth::encode;

impl<S: Supply> Stake<'_, '_, S> {
    /// The set of those with most behind them. When nobody may sign, those who do go on: a chain without validators would
    /// stand for ever.
    pub(super) fn elect(&mut self, current: &ValidatorSet) -> Result<ValidatorSet, Fail> {
        let all = self.candidates()?;
        let mut able: Vec<_> = all.iter().filter(|candidate| candidate.power().is_some()).collect();
        able.sort_by(|one, other| other.tokens.cmp(&one.tokens).then(one.operator.cmp(&other.operator)));
        able.truncate(usize::try_from(self.params.max_validators).unwrap_or(usize::MAX));
        let member = |power, key| Member { key, power };
        let members = able.iter().filter_map(|one| Some(member(one.power()?, one.key))).collect();
        let Ok(set) = ValidatorSet::new(members) else { return Ok(current.clone()) };
        let chosen: BTreeSet<Address> = able.iter().map(|candidate| candidate.operator).collect();
        for candidate in &all {
            match (candidate.bonded, chosen.contains(&candidate.operator)) {
                (true, false) => self.unseat(candidate.operator)?,
                (false, true) => self.seat(candidate.operator)?,
                _ => {}
            }
        }
        Ok(set)
    }

    /// Lets a validator no longer answer for what it signed, if nothing has changed since it stopped.
    pub(super) fn retire(&mut self, operator: Address, end: u64) -> Result<(), Fail> {
        let Some(mut validator) = self.find(operator)? else { return Ok(()) };
        if validator.status != Status::Unbonding || validator.unbonding_time != end {
            return Ok(());
        }
        validator.status = Status::Unbonded;
        if self.bury(operator, &validator)? { Ok(()) } else { self.put(operator, &validator) }
    }

    fn seat(&mut self, operator: Address) -> Result<(), Fail> {
        let mut validator = self.validator(operator)?;
        self.shift(pool::not_bonded(), pool::bonded(), validator.tokens)?;
        (validator.status, validator.unbonding_height, validator.unbonding_time) = (Status::Bonded, 0, 0);
        let key = key_address(&validator.key);
        let known = self.signing(key)?.unwrap_or_default();
        // It signs two blocks later.
        let signing = Signing { start: self.header.height.saturating_add(2), ..known };
        self.meter.write(Leaf::Signing(key), Some(&signing))?;
        self.put(operator, &validator)
    }

    fn unseat(&mut self, operator: Address) -> Result<(), Fail> {
        let mut validator = self.validator(operator)?;
        self.shift(pool::bonded(), pool::not_bonded(), validator.tokens)?;
        let (_, end) = self.enqueue(Due::Validator(operator))?;
        validator.status = Status::Unbonding;
        (validator.unbonding_height, validator.unbonding_time) = (self.header.height, end);
        self.put(operator, &validator)
    }
}

/// Writes who is bonded from the start. `accounts` counts the accounts so far; what is bonded comes beside their coins, and
/// is returned.
pub(crate) fn genesis(
    genesis: &GenesisStaking,
    header: &Header,
    state: &mut Overlay<NoSupply>,
    accounts: &mut u64,
) -> u128 {
    state.write(Leaf::StakingParams, Some(encode(&genesis.params)));
    let queue = Queue { marks: vec![(0, header.time)], ..Queue::default() };
    state.write(Leaf::StakingQueue, Some(encode(&queue)));
    let sum = genesis.validators.iter().map(|one| one.bond).fold(0, u128::saturating_add);
    credit(state, pool::bonded(), sum, *accounts);
    *accounts = accounts.saturating_add(1);
    let mut meter = Meter::new(state, u64::MAX);
    let mut stake = Stake::new(&mut meter, header).expect("the parameters were just written");
    for one in &genesis.validators {
        stake.found(one).expect("the first state is all in memory, and nothing in it costs gas");
    }
    sum
}

impl<S: Supply> Stake<'_, '_, S> {
    fn found(&mut self, one: &GenesisValidator) -> Result<(), Fail> {
        let (operator, key, shares) = (one.operator, key_address(&one.key), Decimal::whole(one.bond));
        let mut validator = Validator {
            key: one.key,
            status: Status::Bonded,
            jailed: false,
            tokens: one.bond,
            shares,
            description: Description { moniker: one.moniker.clone(), ..Description::default() },
            commission: Commission {
                rate: one.commission,
                max_rate: one.max_commission,
                max_change_rate: one.max_commission_change,
                updated: self.header.time,
            },
            min_self_delegation: 1,
            unbonding_height: 0,
            unbonding_time: 0,
            delegators: 0,
            unbonders: 0,
            redelegators: 0,
        };
        let slot = self.enlist((Leaf::Delegators, operator), &mut validator.delegators, operator)?;
        self.put_delegation(operator, operator, Some(&Delegation { shares, slot, ..Delegation::default() }))?;
        self.put_delegator(operator, &Delegator { validators: vec![operator], ..Delegator::default() })?;
        self.meter.write(Leaf::Consensus(key), Some(&operator))?;
        self.meter.write(Leaf::Signing(key), Some(&Signing { start: 1, ..Signing::default() }))?;
        self.meter.write(Leaf::Rewards(operator), Some(&Rewards::default()))?;
        self.put(operator, &validator)
    }
}
