//! Coins on their way to another validator: they are there at once, and answer for the one that they left for some time.

use cloister_chain::staking::{Due, Move, Redelegation, Status, Validator, from_valoper};
use cloister_chain::{Address, Leaf};
use cloister_state::Supply;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::staking::v1beta1::{MsgBeginRedelegate, MsgBeginRedelegateResponse};

use super::book::{Pages, holder};
use super::delegations::Source;
use super::{Stake, amount, moment, refused, shown, timestamp};
use crate::cosmos::{Fail, answer, bank, events};

impl<S: Supply> Stake<'_, '_, S> {
    pub(super) fn begin_redelegate(&mut self, message: &MsgBeginRedelegate) -> Result<Any, Fail> {
        let from = from_valoper(&message.validator_src_address)?;
        let to = from_valoper(&message.validator_dst_address)?;
        let delegator = bank::account(&message.delegator_address)?;
        let tokens = amount(message.amount.as_ref(), "shares amount")?;
        let shares = self.shares_for(delegator, from, tokens)?;
        if from == to {
            return Err(refused(29, "cannot redelegate to the same validator"));
        }
        let mut source = self.validator(from)?;
        let missing = || refused(31, "redelegation destination validator not found");
        let mut target = self.find(to)?.ok_or_else(missing)?;
        let owner = self.delegator(delegator)?;
        // What came from elsewhere answers for elsewhere, and may not run ahead of it.
        if owner.redelegations.iter().any(|(_, into)| *into == from) {
            let log = "redelegation to this validator already in progress; \
                       first redelegation to this validator must complete before next redelegation";
            return Err(refused(32, log));
        }
        let record = self.redelegation(delegator, from, to)?;
        if self.is_full(record.as_ref().map_or(0, |record| record.entries.len())) {
            let log = "too many redelegation entries for (delegator, src-validator, dst-validator) tuple";
            return Err(refused(33, log));
        }
        let moved = self.unbond(delegator, from, &mut source, shares)?;
        if moved == 0 {
            return Err(refused(30, "too few tokens to redelegate (truncates to zero tokens)"));
        }
        let bought = self.delegate(delegator, to, &mut target, moved, Source::Module(holder(source.status)))?;
        self.put(to, &target)?;
        // Who left a validator that answers for nothing any more answers for nothing, either.
        let completion = if source.status == Status::Unbonded {
            self.header.time
        } else {
            let entry = (moved, bought);
            self.answer_for((delegator, from, to), &mut source, record, entry)?
        };
        self.put_left(from, &source)?;
        let attributes = [
            ("source_validator", message.validator_src_address.clone()),
            ("destination_validator", message.validator_dst_address.clone()),
            ("amount", shown(tokens)),
            ("completion_time", moment(completion)),
        ];
        self.events.push(events::event("redelegate", attributes));
        let response = MsgBeginRedelegateResponse { completion_time: Some(timestamp(completion)) };
        Ok(answer("/cosmos.staking.v1beta1.MsgBeginRedelegateResponse", &response))
    }

    /// Lets the coins of a redelegation no longer answer for the validator that they left.
    pub(super) fn acquit(&mut self, delegator: Address, from: Address, to: Address, id: u64) -> Result<(), Fail> {
        let Some(mut record) = self.redelegation(delegator, from, to)? else { return Ok(()) };
        record.entries.retain(|entry| entry.id != id);
        let leaf = Leaf::Redelegation(delegator, from, to);
        if !record.entries.is_empty() {
            return self.meter.write(leaf, Some(&record));
        }
        self.meter.write(leaf, None::<&Redelegation>)?;
        let mut owner = self.delegator(delegator)?;
        owner.redelegations.retain(|pair| *pair != (from, to));
        self.put_delegator(delegator, &owner)?;
        let Some(mut validator) = self.find(from)? else { return Ok(()) };
        let list = (Leaf::Redelegators as Pages, from);
        if let Some((other, into)) =
            self.strike::<(Address, Address)>(list, &mut validator.redelegators, record.slot)?
            && let Some(mut moved) = self.redelegation(other, from, into)?
        {
            moved.slot = record.slot;
            self.meter.write(Leaf::Redelegation(other, from, into), Some(&moved))?;
        }
        if !self.bury(from, &validator)? {
            self.put(from, &validator)?;
        }
        Ok(())
    }

    pub(crate) fn redelegation(
        &mut self,
        delegator: Address,
        from: Address,
        to: Address,
    ) -> Result<Option<Redelegation>, Fail> {
        self.meter.read(Leaf::Redelegation(delegator, from, to))
    }

    /// Notes for what the coins answer: until when. The caller writes the validator that they left.
    fn answer_for(
        &mut self,
        (delegator, from, to): (Address, Address, Address),
        source: &mut Validator,
        record: Option<Redelegation>,
        (initial, shares): (u128, cloister_chain::staking::Decimal),
    ) -> Result<u64, Fail> {
        let mut record = match record {
            Some(record) => record,
            None => {
                let slot = self.enlist((Leaf::Redelegators, from), &mut source.redelegators, (delegator, to))?;
                let mut owner = self.delegator(delegator)?;
                owner.redelegations.push((from, to));
                self.put_delegator(delegator, &owner)?;
                Redelegation { entries: Vec::new(), slot }
            }
        };
        let (id, completion) = self.enqueue(Due::Redelegation(delegator, from, to))?;
        record.entries.push(Move { id, height: self.header.height, completion, initial, shares });
        self.meter.write(Leaf::Redelegation(delegator, from, to), Some(&record))?;
        Ok(completion)
    }
}
