//! Coins on their way out.

use cloister_chain::staking::{Due, Exit, Status, Unbonding, Validator, from_valoper, pool};
use cloister_chain::{Address, Leaf};
use cloister_state::Supply;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::staking::v1beta1::{
    MsgCancelUnbondingDelegation, MsgCancelUnbondingDelegationResponse, MsgUndelegate, MsgUndelegateResponse,
};

use super::book::Pages;
use super::delegations::Source;
use super::{Stake, amount, moment, refused, shown, timestamp};
use crate::cosmos::{Fail, answer, bank, events};

impl<S: Supply> Stake<'_, '_, S> {
    pub(super) fn undelegate(&mut self, message: &MsgUndelegate) -> Result<Any, Fail> {
        let operator = from_valoper(&message.validator_address)?;
        let delegator = bank::account(&message.delegator_address)?;
        let tokens = amount(message.amount.as_ref(), "shares amount")?;
        let shares = self.shares_for(delegator, operator, tokens)?;
        let mut record = self.unbonding(delegator, operator)?;
        if self.is_full(record.as_ref().map_or(0, |record| record.entries.len())) {
            let log = "too many unbonding delegation entries for (delegator, validator) tuple";
            return Err(refused(27, log));
        }
        let mut validator = self.validator(operator)?;
        let tokens = self.unbond(delegator, operator, &mut validator, shares)?;
        if validator.status == Status::Bonded {
            self.shift(pool::bonded(), pool::not_bonded(), tokens)?;
        }
        let completion = self.leave(delegator, operator, &mut validator, &mut record, tokens)?;
        self.put_left(operator, &validator)?;
        let attributes = [
            ("validator", message.validator_address.clone()),
            ("delegator", message.delegator_address.clone()),
            ("amount", shown(tokens)),
            ("completion_time", moment(completion)),
        ];
        self.events.push(events::event("unbond", attributes));
        let amount = message.amount.as_ref().map(|coin| Coin { amount: tokens.to_string(), ..coin.clone() });
        let response = MsgUndelegateResponse { completion_time: Some(timestamp(completion)), amount };
        Ok(answer("/cosmos.staking.v1beta1.MsgUndelegateResponse", &response))
    }

    pub(super) fn cancel_unbonding(&mut self, message: &MsgCancelUnbondingDelegation) -> Result<Any, Fail> {
        let invalid = |log: &str| Fail::sdk(18, format!("{log}: invalid request"));
        let operator = from_valoper(&message.validator_address)?;
        let delegator = bank::account(&message.delegator_address)?;
        let tokens = amount(message.amount.as_ref(), "amount")?;
        let height = u64::try_from(message.creation_height).ok().filter(|height| *height > 0);
        let height = height.ok_or_else(|| invalid("invalid height"))?;
        let mut validator = self.validator(operator)?;
        if validator.is_worthless() {
            return Err(refused(34, "cannot delegate to validators with invalid (zero) ex-rate"));
        }
        if validator.jailed {
            return Err(refused(7, "validator for this address is currently jailed"));
        }
        let missing = || {
            let (delegator, operator) = (&message.delegator_address, &message.validator_address);
            let log = format!("unbonding delegation with delegator {delegator} not found for validator {operator}");
            Fail::sdk(38, format!("{log}: not found"))
        };
        let mut record = self.unbonding(delegator, operator)?.ok_or_else(missing)?;
        let entry = record.entries.iter_mut().find(|entry| entry.height == height).ok_or_else(|| {
            Fail::sdk(38, format!("unbonding delegation entry is not found at block height {height}: not found"))
        })?;
        if entry.balance < tokens {
            return Err(invalid("amount is greater than the unbonding delegation entry balance"));
        }
        if entry.completion < self.header.time {
            return Err(invalid("unbonding delegation is already processed"));
        }
        entry.balance -= tokens;
        entry.initial = entry.initial.saturating_sub(tokens);
        record.entries.retain(|entry| entry.balance > 0);
        self.delegate(delegator, operator, &mut validator, tokens, Source::Module(pool::not_bonded()))?;
        self.put_unbonding(delegator, operator, &mut validator, &record)?;
        self.put(operator, &validator)?;
        let attributes = [
            ("amount", shown(tokens)),
            ("validator", message.validator_address.clone()),
            ("delegator", message.delegator_address.clone()),
            ("creation_height", height.to_string()),
        ];
        self.events.push(events::event("cancel_unbonding_delegation", attributes));
        let response = MsgCancelUnbondingDelegationResponse {};
        Ok(answer("/cosmos.staking.v1beta1.MsgCancelUnbondingDelegationResponse", &response))
    }

    /// Frees the coins of the unbonding that ends with number `id`, if it has not been cancelled.
    pub(super) fn release(&mut self, delegator: Address, operator: Address, id: u64) -> Result<(), Fail> {
        let Some(mut record) = self.unbonding(delegator, operator)? else { return Ok(()) };
        let Some(at) = record.entries.iter().position(|entry| entry.id == id) else { return Ok(()) };
        let entry = record.entries.remove(at);
        if let Some(mut validator) = self.find(operator)? {
            self.put_unbonding(delegator, operator, &mut validator, &record)?;
            if !self.bury(operator, &validator)? {
                self.put(operator, &validator)?;
            }
        }
        self.hand_over(pool::not_bonded(), delegator, entry.balance)
    }

    pub(crate) fn unbonding(&mut self, delegator: Address, operator: Address) -> Result<Option<Unbonding>, Fail> {
        self.meter.read(Leaf::Unbonding(delegator, operator))
    }

    /// Writes an unbonding, or forgets it if it has no entries. The caller writes the validator.
    pub(crate) fn put_unbonding(
        &mut self,
        delegator: Address,
        operator: Address,
        validator: &mut Validator,
        record: &Unbonding,
    ) -> Result<(), Fail> {
        let leaf = Leaf::Unbonding(delegator, operator);
        if !record.entries.is_empty() {
            return self.meter.write(leaf, Some(record));
        }
        let list = (Leaf::Unbonders as Pages, operator);
        if let Some(moved) = self.strike::<Address>(list, &mut validator.unbonders, record.slot)?
            && let Some(mut other) = self.unbonding(moved, operator)?
        {
            other.slot = record.slot;
            self.meter.write(Leaf::Unbonding(moved, operator), Some(&other))?;
        }
        self.meter.write(leaf, None::<&Unbonding>)?;
        let mut owner = self.delegator(delegator)?;
        owner.unbonding.retain(|one| *one != operator);
        self.put_delegator(delegator, &owner)
    }

    /// True if a record has as many entries as it may.
    pub(super) fn is_full(&self, entries: usize) -> bool {
        u32::try_from(entries).is_ok_and(|entries| entries >= self.params.max_entries)
    }

    /// Notes that `tokens` are on their way out: when they will be free.
    fn leave(
        &mut self,
        delegator: Address,
        operator: Address,
        validator: &mut Validator,
        record: &mut Option<Unbonding>,
        tokens: u128,
    ) -> Result<u64, Fail> {
        let height = self.header.height;
        let record = match record {
            Some(record) => record,
            None => {
                let slot = self.enlist((Leaf::Unbonders, operator), &mut validator.unbonders, delegator)?;
                let mut owner = self.delegator(delegator)?;
                owner.unbonding.push(operator);
                self.put_delegator(delegator, &owner)?;
                record.insert(Unbonding { entries: Vec::new(), slot })
            }
        };
        let completion = match record.entries.last_mut() {
            // Twice in one block counts as once.
            Some(last) if last.height == height => {
                last.initial = last.initial.saturating_add(tokens);
                last.balance = last.balance.saturating_add(tokens);
                last.completion
            }
            _ => {
                let (id, completion) = self.enqueue(Due::Unbonding(delegator, operator))?;
                record.entries.push(Exit { id, height, completion, initial: tokens, balance: tokens });
                completion
            }
        };
        self.meter.write(Leaf::Unbonding(delegator, operator), Some(&*record))?;
        Ok(completion)
    }
}
