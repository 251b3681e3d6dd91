//! What absence and double signing cost (Cosmos SDK 0.50, `x/slashing` and `x/evidence`).

use std::collections::BTreeMap;

use cloister_chain::staking::{
    Absences, Decimal, Signing, Status, Unbonding, Validator, from_valoper, key_address, pool,
};
use cloister_chain::{Address, Certificate, Evidence, Leaf, ValidatorSet};
use cloister_state::Supply;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::slashing::v1beta1::{MsgUnjail, MsgUnjailResponse};

use crate::cosmos::{Fail, answer};
use crate::staking::{Stake, holder};

impl<S: Supply> Stake<'_, '_, S> {
    /// Notes who of `signers` did not sign the parent, and jails who does so too often.
    pub(crate) fn note_absences(&mut self, signers: &ValidatorSet, parent: &Certificate) -> Result<(), Fail> {
        let mut signed = parent.precommits.iter().map(|precommit| precommit.validator).peekable();
        // Both ascend by key.
        for member in signers.iter() {
            while signed.next_if(|key| *key < member.key).is_some() {}
            if signed.next_if_eq(&member.key).is_none() {
                self.note_absence(member.address(), parent.height)?;
            }
        }
        Ok(())
    }

    fn note_absence(&mut self, key: Address, height: u64) -> Result<(), Fail> {
        let Some(operator) = self.operator(key)? else { return Ok(()) };
        let (Some(validator), Some(mut signing)) = (self.find(operator)?, self.signing(key)?) else { return Ok(()) };
        if validator.jailed {
            return Ok(());
        }
        let window = self.params.signed_blocks_window;
        let mut absences: Absences = self.meter.read(Leaf::Absences(key))?.unwrap_or_default();
        absences.note(height, window);
        let known_for_long = height > signing.start.saturating_add(window);
        if !known_for_long || absences.count(height, window) <= self.params.may_miss() {
            return self.meter.write(Leaf::Absences(key), Some(&absences));
        }
        // What stood behind the vote when the set was chosen, as for evidence.
        self.slash(operator, height.saturating_sub(1), self.params.slash_fraction_downtime)?;
        self.jail(operator)?;
        signing.jailed_until = self.header.time.saturating_add(self.params.downtime_jail_duration);
        self.meter.write(Leaf::Signing(key), Some(&signing))?;
        self.meter.write(Leaf::Absences(key), None::<&Absences>)
    }

    /// Punishes who signed two things of which it may sign only one. The signatures have been checked. What is too old is
    /// ignored: those who stood behind it then have gone.
    pub(crate) fn punish(&mut self, evidence: &Evidence) -> Result<(), Fail> {
        let key = key_address(&evidence.validator);
        let (Some(operator), Some(signing)) = (self.operator(key)?, self.signing(key)?) else { return Ok(()) };
        if signing.tombstoned || evidence.height() < self.queue()?.oldest() {
            return Ok(());
        }
        let Some(validator) = self.find(operator)? else { return Ok(()) };
        // A set signs until two blocks after the choice of the next one. Words about a later height harm nobody: they would
        // be a cheap way to be punished, once and for nothing, before what was done in earnest is found.
        let last = match validator.status {
            Status::Bonded => self.header.height,
            Status::Unbonding => validator.unbonding_height.saturating_add(1),
            Status::Unbonded => return Ok(()),
        };
        if evidence.height() > last {
            return Ok(());
        }
        // The set of a height is chosen two blocks before: who left in the block between stood behind it.
        self.slash(operator, evidence.height().saturating_sub(1), self.params.slash_fraction_double_sign)?;
        self.jail(operator)?;
        let signing = Signing { jailed_until: u64::MAX, tombstoned: true, ..signing };
        self.meter.write(Leaf::Signing(key), Some(&signing))?;
        self.meter.write(Leaf::Absences(key), None::<&Absences>)
    }

    pub(crate) fn unjail(&mut self, message: &MsgUnjail) -> Result<Any, Fail> {
        let refused = |code, log: &str| Fail::of("slashing", code, log);
        let operator = from_valoper(&message.validator_addr)?;
        let mut validator = self.validator(operator)?;
        let missing = || Fail::of("staking", 19, "no delegation for (address, validator) tuple");
        let own = self.delegation(operator, operator)?.ok_or_else(missing)?;
        let (own, least) = (validator.worth(own.shares).floor(), validator.min_self_delegation);
        if own < least {
            let log = "validator's self delegation less than minimum; cannot be unjailed";
            return Err(refused(7, &format!("{own} less than {least}: {log}")));
        }
        if !validator.jailed {
            return Err(refused(5, "validator not jailed; cannot be unjailed"));
        }
        let signing = self.signing(key_address(&validator.key))?.unwrap_or_default();
        if signing.tombstoned || self.header.time < signing.jailed_until {
            return Err(refused(4, "validator still jailed; cannot be unjailed"));
        }
        validator.jailed = false;
        self.put(operator, &validator)?;
        Ok(answer("/cosmos.slashing.v1beta1.MsgUnjailResponse", &MsgUnjailResponse {}))
    }

    fn jail(&mut self, operator: Address) -> Result<(), Fail> {
        let Some(mut validator) = self.find(operator)? else { return Ok(()) };
        validator.jailed = true;
        self.put(operator, &validator)
    }

    /// Burns `fraction` of what stands behind a validator, and of what left it since the block of `height`. Costs more when
    /// more are leaving; each of them paid for that.
    pub(crate) fn slash(&mut self, operator: Address, height: u64, fraction: Decimal) -> Result<(), Fail> {
        let Some(mut validator) = self.find(operator)? else { return Ok(()) };
        let unbonders: Vec<Address> = self.listed((Leaf::Unbonders, operator), validator.unbonders)?;
        let mut leaving = 0u128;
        for delegator in unbonders {
            if let Some(mut record) = self.unbonding(delegator, operator)? {
                let cut = cut_entries(&mut record, height, |initial| fraction.of(initial), u128::MAX);
                self.meter.write(Leaf::Unbonding(delegator, operator), Some(&record))?;
                leaving = leaving.saturating_add(cut);
            }
        }
        // At once, as there may be very many.
        self.burn(pool::not_bonded(), leaving)?;
        let redelegators: Vec<(Address, Address)> =
            self.listed((Leaf::Redelegators, operator), validator.redelegators)?;
        // Many may have gone to the same validator: each is read and written once.
        let mut targets = BTreeMap::new();
        for (delegator, to) in redelegators {
            if !targets.contains_key(&to)
                && let Some(target) = self.find(to)?
            {
                targets.insert(to, target);
            }
            if let Some(target) = targets.get_mut(&to) {
                self.slash_moved((delegator, operator, to), target, height, fraction)?;
            }
            // No transaction shows what happens here.
            self.events.clear();
        }
        for (to, target) in &targets {
            self.put_or_bury(*to, target)?;
        }
        let cut = fraction.of(validator.tokens);
        validator.tokens = validator.tokens.saturating_sub(cut);
        self.burn(holder(validator.status), cut)?;
        self.put(operator, &validator)
    }

    /// Burns `fraction` of what a delegator moved from one validator to another since the block of `height`: from what it
    /// has there, and if that is no longer enough, from what it has taken away from there. The caller writes `target`.
    fn slash_moved(
        &mut self,
        (delegator, from, to): (Address, Address, Address),
        target: &mut Validator,
        height: u64,
        fraction: Decimal,
    ) -> Result<(), Fail> {
        let Some(record) = self.redelegation(delegator, from, to)? else { return Ok(()) };
        for entry in record.entries.iter().filter(|entry| entry.height >= height) {
            let held = self.delegation(delegator, to)?.map_or(Decimal::ZERO, |delegation| delegation.shares);
            let wanted = fraction.times(entry.shares);
            let shares = wanted.min(held);
            if !shares.is_zero() {
                let cut = self.unbond(delegator, to, target, shares)?;
                self.burn(holder(target.status), cut)?;
            }
            if shares < wanted
                && let Some(mut left) = self.unbonding(delegator, to)?
            {
                // The part of the coins that the missing part of the shares stood for.
                let missing =
                    Decimal::whole(fraction.of(entry.initial)).times(part(wanted.less(shares), wanted)).floor();
                let cut = cut_entries(&mut left, entry.height, |initial| initial, missing);
                self.meter.write(Leaf::Unbonding(delegator, to), Some(&left))?;
                self.burn(pool::not_bonded(), cut)?;
            }
        }
        Ok(())
    }

    fn put_or_bury(&mut self, operator: Address, validator: &Validator) -> Result<(), Fail> {
        if self.bury(operator, validator)? { Ok(()) } else { self.put(operator, validator) }
    }
}

/// Takes from the entries that began at `height` or later: of each what `cut` says of its first amount, of all no more than
/// `most`. What was taken.
fn cut_entries(record: &mut Unbonding, height: u64, cut: impl Fn(u128) -> u128, most: u128) -> u128 {
    let mut taken = 0u128;
    for entry in record.entries.iter_mut().filter(|entry| entry.height >= height) {
        let cut = cut(entry.initial).min(entry.balance).min(most.saturating_sub(taken));
        entry.balance = entry.balance.saturating_sub(cut);
        taken = taken.saturating_add(cut);
    }
    taken
}

/// `some / all`.
fn part(some: Decimal, all: Decimal) -> Decimal {
    cloister_chain::staking::mul_div(some.0, Decimal::ONE.0, all.0).map_or(Decimal::ZERO, Decimal)
}
