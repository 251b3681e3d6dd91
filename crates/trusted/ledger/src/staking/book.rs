//! Reading and writing records, lists and the queue.

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::staking::{
    Candidate, Delegation, Delegator, Due, PAGE, Queue, Signing, Status, VALIDATORS, Validator, is_signing_key,
    key_address, pool,
};
use cloister_chain::{Address, Leaf};
use cloister_state::Supply;

use super::{Stake, refused};
use crate::cosmos::{Fail, bank};

/// One of a validator's lists.
pub(crate) type Pages = fn(Address, u32) -> Leaf;

impl<S: Supply> Stake<'_, '_, S> {
    /// The validator that a message names.
    pub(crate) fn validator(&mut self, operator: Address) -> Result<Validator, Fail> {
        self.find(operator)?.ok_or_else(|| refused(3, "validator does not exist"))
    }

    pub(crate) fn find(&mut self, operator: Address) -> Result<Option<Validator>, Fail> {
        self.meter.read(Leaf::Validator(operator))
    }

    /// Writes a validator, and what the choice of signers has to know of it.
    pub(crate) fn put(&mut self, operator: Address, validator: &Validator) -> Result<(), Fail> {
        self.meter.write(Leaf::Validator(operator), Some(validator))?;
        let mut all = self.candidates()?;
        let place = all.binary_search_by(|candidate| candidate.operator.cmp(&operator));
        let sound = match place {
            Ok(at) => all[at].sound,
            Err(_) => is_signing_key(&validator.key),
        };
        let candidate = Candidate {
            operator,
            key: validator.key,
            sound,
            tokens: validator.tokens,
            jailed: validator.jailed,
            bonded: validator.status == Status::Bonded,
        };
        match place {
            Ok(at) if all[at] == candidate => return Ok(()),
            Ok(at) => all[at] = candidate,
            Err(at) => all.insert(at, candidate),
        }
        if all.len() > VALIDATORS {
            // Whoever has least behind him makes room: not those who came first, nor those who cost nothing.
            let strength = |at: &usize| (all[*at].power(), all[*at].tokens);
            let weakest = (0..all.len()).filter(|at| !all[*at].bonded).min_by_key(strength);
            weakest.map(|at| all.remove(at));
        }
        self.put_candidates(&all)
    }

    /// Forgets a validator of which nothing is left and whom nobody is leaving any more; true if it did.
    pub(crate) fn bury(&mut self, operator: Address, validator: &Validator) -> Result<bool, Fail> {
        let lists = [validator.delegators, validator.unbonders, validator.redelegators];
        let empty = validator.shares.is_zero() && lists == [0; 3];
        if !empty || validator.status != Status::Unbonded {
            return Ok(false);
        }
        self.close_rewards(operator, validator)?;
        let key = key_address(&validator.key);
        self.meter.write(Leaf::Validator(operator), None::<&Validator>)?;
        self.meter.write(Leaf::Consensus(key), None::<&Address>)?;
        self.meter.write(Leaf::Absences(key), None::<&Address>)?;
        // Who signed twice stays known.
        if self.signing(key)?.is_some_and(|signing| !signing.tombstoned) {
            self.meter.write(Leaf::Signing(key), None::<&Signing>)?;
        }
        let mut all = self.candidates()?;
        all.retain(|candidate| candidate.operator != operator);
        self.put_candidates(&all)?;
        Ok(true)
    }

    /// Validators, by operator: all, or those with most behind them. The SDK finds them by other means, so that no message
    /// pays for their number.
    pub(crate) fn candidates(&mut self) -> Result<Vec<Candidate>, Fail> {
        Ok(self.meter.paid().read(Leaf::Candidates)?.unwrap_or_default())
    }

    fn put_candidates(&mut self, all: &Vec<Candidate>) -> Result<(), Fail> {
        self.meter.paid().write(Leaf::Candidates, Some(all))
    }

    /// Whose this key is.
    pub(crate) fn operator(&mut self, key: Address) -> Result<Option<Address>, Fail> {
        self.meter.read(Leaf::Consensus(key))
    }

    pub(crate) fn signing(&mut self, key: Address) -> Result<Option<Signing>, Fail> {
        self.meter.read(Leaf::Signing(key))
    }

    pub(crate) fn delegator(&mut self, delegator: Address) -> Result<Delegator, Fail> {
        Ok(self.meter.read(Leaf::Delegator(delegator))?.unwrap_or_default())
    }

    pub(crate) fn put_delegator(&mut self, delegator: Address, record: &Delegator) -> Result<(), Fail> {
        let kept = (*record != Delegator::default()).then_some(record);
        self.meter.write(Leaf::Delegator(delegator), kept)
    }

    pub(crate) fn delegation(&mut self, delegator: Address, operator: Address) -> Result<Option<Delegation>, Fail> {
        self.meter.read(Leaf::Delegation(delegator, operator))
    }

    pub(crate) fn put_delegation(
        &mut self,
        delegator: Address,
        operator: Address,
        delegation: Option<&Delegation>,
    ) -> Result<(), Fail> {
        self.meter.write(Leaf::Delegation(delegator, operator), delegation)
    }

    /// Adds to the end of one of a validator's lists, which has `count` entries: the place.
    pub(crate) fn enlist<T: BorshSerialize + BorshDeserialize>(
        &mut self,
        (pages, operator): (Pages, Address),
        count: &mut u32,
        member: T,
    ) -> Result<u32, Fail> {
        let slot = *count;
        let leaf = pages(operator, slot / PAGE);
        let mut page: Vec<T> = self.meter.read(leaf)?.unwrap_or_default();
        page.push(member);
        self.meter.write(leaf, Some(&page))?;
        *count = slot.checked_add(1).ok_or_else(|| Fail::sdk(18, "the list is full: invalid request"))?;
        Ok(slot)
    }

    /// Takes the entry at `slot` out of a list. The last entry takes its place, and is returned if it moved: its owner has
    /// to be told.
    pub(crate) fn strike<T: BorshSerialize + BorshDeserialize + Clone>(
        &mut self,
        (pages, operator): (Pages, Address),
        count: &mut u32,
        slot: u32,
    ) -> Result<Option<T>, Fail> {
        let last = count.saturating_sub(1);
        let leaf = pages(operator, last / PAGE);
        let mut page: Vec<T> = self.meter.read(leaf)?.unwrap_or_default();
        let member = page.pop();
        *count = last;
        self.meter.write(leaf, (!page.is_empty()).then_some(&page))?;
        let Some(member) = member.filter(|_| slot < last) else { return Ok(None) };
        let leaf = pages(operator, slot / PAGE);
        let mut page: Vec<T> = self.meter.read(leaf)?.unwrap_or_default();
        if let Some(entry) = usize::try_from(slot % PAGE).ok().and_then(|at| page.get_mut(at)) {
            *entry = member.clone();
        }
        self.meter.write(leaf, Some(&page))?;
        Ok(Some(member))
    }

    /// All entries of a list.
    pub(crate) fn listed<T: BorshDeserialize>(
        &mut self,
        (pages, operator): (Pages, Address),
        count: u32,
    ) -> Result<Vec<T>, Fail> {
        let mut all = Vec::new();
        for page in 0..count.div_ceil(PAGE) {
            all.append(&mut self.meter.read(pages(operator, page))?.unwrap_or_default());
        }
        Ok(all)
    }

    pub(crate) fn queue(&mut self) -> Result<Queue, Fail> {
        Ok(self.meter.paid().read(Leaf::StakingQueue)?.unwrap_or_default())
    }

    pub(crate) fn put_queue(&mut self, queue: &Queue) -> Result<(), Fail> {
        self.meter.paid().write(Leaf::StakingQueue, Some(queue))
    }

    /// Lets something end after the unbonding time, and not before what is already to end: its number, and when.
    pub(crate) fn enqueue(&mut self, due: Due) -> Result<(u64, u64), Fail> {
        let mut queue = self.queue()?;
        let (id, end) = (queue.tail, self.header.time.saturating_add(self.params.unbonding_time).max(queue.last));
        self.meter.write(Leaf::StakingDue(id), Some(&(end, due)))?;
        queue.due.get_or_insert(end);
        queue.tail = id.saturating_add(1);
        queue.last = end;
        self.put_queue(&queue)?;
        Ok((id, end))
    }

    /// Ends what is due, up to [`ENDINGS`] things in one block.
    pub(crate) fn mature(&mut self) -> Result<(), Fail> {
        let now = self.header.time;
        if self.queue()?.due.is_none_or(|due| due > now) {
            return Ok(());
        }
        for _ in 0..ENDINGS {
            let mut queue = self.queue()?;
            let head: Option<(u64, Due)> = self.meter.read(Leaf::StakingDue(queue.head))?;
            queue.due = head.map(|(end, _)| end);
            let Some((end, due)) = head.filter(|(end, _)| *end <= now) else {
                return self.put_queue(&queue);
            };
            let id = queue.head;
            self.meter.write(Leaf::StakingDue(id), None::<&(u64, Due)>)?;
            queue.head = id.saturating_add(1);
            self.put_queue(&queue)?;
            match due {
                Due::Unbonding(delegator, operator) => self.release(delegator, operator, id)?,
                Due::Redelegation(delegator, from, to) => self.acquit(delegator, from, to, id)?,
                Due::Validator(operator) => self.retire(operator, end)?,
            }
        }
        let mut queue = self.queue()?;
        let head: Option<(u64, Due)> = self.meter.read(Leaf::StakingDue(queue.head))?;
        queue.due = head.map(|(end, _)| end);
        self.put_queue(&queue)
    }

    /// Remembers when this height was, now and then.
    pub(crate) fn mark(&mut self) -> Result<(), Fail> {
        let mut queue = self.queue()?;
        if queue.mark(self.header.height, self.header.time, self.params.unbonding_time) {
            self.put_queue(&queue)?;
        }
        Ok(())
    }

    /// Moves coins between module accounts.
    pub(crate) fn shift(&mut self, from: Address, to: Address, amount: u128) -> Result<(), Fail> {
        if amount == 0 || from == to {
            return Ok(());
        }
        bank::send(self.meter, from, to, amount, &mut self.events)
    }

    /// Takes coins of a module's out of the world.
    pub(crate) fn burn(&mut self, from: Address, amount: u128) -> Result<(), Fail> {
        if amount == 0 {
            return Ok(());
        }
        bank::burn(self.meter, from, amount, &mut self.events)
    }
}

/// The account that holds what is delegated to a validator of this status.
pub(crate) fn holder(status: Status) -> Address {
    if status == Status::Bonded { pool::bonded() } else { pool::not_bonded() }
}

/// Most things that end in one block; the next one goes on.
const ENDINGS: usize = 1_000;
