//! Coins in and out of a validator.

use cloister_chain::staking::{Decimal, Delegation, MOST, Validator, from_valoper, pool};
use cloister_chain::{Address, Leaf, U256};
use cloister_state::Supply;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::staking::v1beta1::{MsgDelegate, MsgDelegateResponse};

use super::book::holder;
use super::{Stake, amount, refused, shown};
use crate::cosmos::{Fail, answer, bank, events};

/// Where the coins of a delegation come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The delegator's account.
    Account,
    /// A module's account, which holds them for the delegator already.
    Module(Address),
}

impl<S: Supply> Stake<'_, '_, S> {
    pub(super) fn delegate_message(&mut self, message: &MsgDelegate) -> Result<Any, Fail> {
        let operator = from_valoper(&message.validator_address)?;
        let delegator = bank::account(&message.delegator_address)?;
        let tokens = amount(message.amount.as_ref(), "delegation amount")?;
        let mut validator = self.validator(operator)?;
        let shares = self.delegate(delegator, operator, &mut validator, tokens, Source::Account)?;
        self.put(operator, &validator)?;
        let attributes = [
            ("validator", message.validator_address.clone()),
            ("delegator", message.delegator_address.clone()),
            ("amount", shown(tokens)),
            ("new_shares", shares.to_string()),
        ];
        self.events.push(events::event("delegate", attributes));
        Ok(answer("/cosmos.staking.v1beta1.MsgDelegateResponse", &MsgDelegateResponse {}))
    }

    /// Adds `tokens` to what a delegator has at a validator, whose record the caller writes: the shares that they buy.
    pub(crate) fn delegate(
        &mut self,
        delegator: Address,
        operator: Address,
        validator: &mut Validator,
        tokens: u128,
        source: Source,
    ) -> Result<Decimal, Fail> {
        let priceless = || refused(34, "cannot delegate to validators with invalid (zero) ex-rate");
        if validator.is_worthless() {
            return Err(priceless());
        }
        let old = self.delegation(delegator, operator)?;
        let known = old.is_some();
        let mut delegation = match old {
            Some(mut delegation) => {
                self.pay(delegator, operator, validator, &mut delegation)?;
                delegation
            }
            None => Delegation { ratio: self.settle(operator, validator)?.ratio, ..Delegation::default() },
        };
        let to = holder(validator.status);
        match source {
            Source::Module(from) => self.shift(from, to, tokens)?,
            Source::Account => {
                self.keep_below_most(tokens)?;
                bank::spend(self.meter, delegator, tokens, &mut self.events)?;
                bank::receive(self.meter, to, tokens, &mut self.events)?;
            }
        }
        let shares = validator.price(tokens).ok_or_else(priceless)?;
        let sum = validator.shares.0.checked_add(shares.0).filter(|sum| *sum >> SHARE_BITS == U256::ZERO);
        validator.shares = Decimal(sum.ok_or_else(priceless)?);
        validator.tokens = validator.tokens.saturating_add(tokens);
        delegation.shares = delegation.shares.plus(shares);
        if !known {
            delegation.slot = self.enlist((Leaf::Delegators, operator), &mut validator.delegators, delegator)?;
            let mut record = self.delegator(delegator)?;
            record.validators.push(operator);
            self.put_delegator(delegator, &record)?;
        }
        self.put_delegation(delegator, operator, Some(&delegation))?;
        Ok(shares)
    }

    /// How many shares of a delegator's a message takes away that names `tokens`.
    pub(super) fn shares_for(&mut self, delegator: Address, operator: Address, tokens: u128) -> Result<Decimal, Fail> {
        let validator = self.validator(operator)?;
        let missing = || refused(19, "no delegation for (address, validator) tuple");
        let delegation = self.delegation(delegator, operator)?.ok_or_else(missing)?;
        let shares = if validator.tokens == 0 { None } else { validator.price(tokens) };
        let shares = shares.ok_or_else(|| refused(22, "insufficient delegation shares"))?;
        if shares > delegation.shares {
            return Err(Fail::sdk(18, "invalid shares amount: invalid request"));
        }
        Ok(shares)
    }

    /// Takes `shares` out of what a delegator has at a validator, whose record the caller writes: the tokens that they are
    /// worth. Those stay with the module that holds the validator's.
    pub(crate) fn unbond(
        &mut self,
        delegator: Address,
        operator: Address,
        validator: &mut Validator,
        shares: Decimal,
    ) -> Result<u128, Fail> {
        let missing = || refused(21, "delegator does not contain delegation");
        let mut delegation = self.delegation(delegator, operator)?.ok_or_else(missing)?;
        self.pay(delegator, operator, validator, &mut delegation)?;
        if shares > delegation.shares {
            return Err(refused(24, format!("{}: not enough delegation shares", delegation.shares)));
        }
        delegation.shares = delegation.shares.less(shares);
        let left = validator.worth(delegation.shares).floor();
        if delegator == operator && left < validator.min_self_delegation {
            validator.jailed = true;
        }
        if delegation.shares.is_zero() {
            self.undo(delegator, operator, validator, &delegation)?;
        } else {
            self.put_delegation(delegator, operator, Some(&delegation))?;
        }
        // The last one takes what rounding left.
        let last = validator.shares == shares;
        let tokens = if last { validator.tokens } else { validator.worth(shares).floor() };
        validator.shares = validator.shares.less(shares);
        validator.tokens = validator.tokens.saturating_sub(tokens);
        Ok(tokens)
    }

    /// Writes a validator of which something was taken away, unless that was the last there was of it, or all of the
    /// power of the chain.
    pub(super) fn put_left(&mut self, operator: Address, validator: &Validator) -> Result<(), Fail> {
        self.put(operator, validator)?;
        if self.candidates()?.iter().all(|candidate| candidate.power().is_none()) {
            let log = "the last validator cannot leave, as nobody could sign blocks: invalid request";
            return Err(Fail::sdk(18, log));
        }
        self.bury(operator, validator).map(drop)
    }

    /// Forgets a delegation of which nothing is left.
    fn undo(
        &mut self,
        delegator: Address,
        operator: Address,
        validator: &mut Validator,
        delegation: &Delegation,
    ) -> Result<(), Fail> {
        let list = (Leaf::Delegators as super::book::Pages, operator);
        if let Some(moved) = self.strike::<Address>(list, &mut validator.delegators, delegation.slot)?
            && let Some(mut other) = self.delegation(moved, operator)?
        {
            other.slot = delegation.slot;
            self.put_delegation(moved, operator, Some(&other))?;
        }
        self.put_delegation(delegator, operator, None)?;
        let mut record = self.delegator(delegator)?;
        record.validators.retain(|one| *one != operator);
        self.put_delegator(delegator, &record)
    }

    /// Refuses what would make the chain's voting power too large to count.
    fn keep_below_most(&mut self, tokens: u128) -> Result<(), Fail> {
        let mut sum = tokens;
        for holder in [pool::bonded(), pool::not_bonded()] {
            let held: u128 = self.meter.paid().read(Leaf::Coins(holder))?.unwrap_or(0);
            sum = sum.saturating_add(held);
        }
        if sum > MOST {
            return Err(Fail::sdk(18, "more than this chain can bond: invalid request"));
        }
        Ok(())
    }
}

/// Shares of one validator have at most so many bits: losses make them cheaper, and they must stay countable.
const SHARE_BITS: usize = 160;
