//! The end of a period: votes are counted, deposits given back, and what passed comes into effect.

use cloister_chain::cosmos::Message;
use cloister_chain::gov::{Ballot, Count, Due, Governance, Power, Proposal, Stage, Status, Vote, account};
use cloister_chain::hash::tagged;
use cloister_chain::staking::{Candidate, Decimal, Delegation, Delegator, FeePool, Validator, pool};
use cloister_chain::wire::Halt;
use cloister_chain::{Address, Leaf};
use cloister_state::{Overlay, Supply};
use prost::Message as _;
use secret_sdk_proto::Any;

use super::Gov;
use crate::compute::{self, Scene, Work};
use crate::cosmos::{Fail, Meter, bank};

/// Ends what ends with this block, as far as one block goes. `place` is the first index of the block that no transaction has.
pub(crate) fn end_block<S: Supply>(scene: &Scene<'_>, state: &mut Overlay<S>, place: u32) -> Result<(), Halt> {
    let passed = end(&mut Meter::new(state, u64::MAX), scene).map_err(halt)?;
    let Some((id, mut proposal)) = passed else { return Ok(()) };
    (proposal.status, proposal.failed) = match execute(scene, state, place, id, &proposal) {
        Ok(()) => (Status::Passed, String::new()),
        Err(Fail::Rule { log, .. }) => (Status::Failed, log),
        Err(Fail::Halt(halt)) => return Err(halt),
    };
    Meter::new(state, u64::MAX).write(Leaf::Proposal(id), Some(&proposal)).map_err(halt)
}

/// Works until there is nothing to do, or enough is done, or a proposal is to come into effect.
fn end<S: Supply>(meter: &mut Meter<'_, S>, scene: &Scene<'_>) -> Result<Option<(u64, Proposal)>, Fail> {
    let governance: Governance = meter.read(Leaf::Governance)?.unwrap_or_default();
    if governance.due.is_none_or(|due| due > scene.header.time) {
        return Ok(None);
    }
    let mut gov = Gov::new(meter, scene.header)?;
    let mut left = WORK;
    while left > 0 {
        let Some(due) = gov.first()?.filter(|due| due.time <= scene.header.time) else { break };
        left -= 1;
        if let Some(proposal) = gov.end(due, &mut left)? {
            return Ok(Some((due.id, proposal)));
        }
    }
    Ok(None)
}

impl<S: Supply> Gov<'_, '_, S> {
    /// Goes on with one end; the proposal, if it is to come into effect.
    fn end(&mut self, due: Due, left: &mut u32) -> Result<Option<Proposal>, Fail> {
        let id = due.id;
        let Some(mut ballot) = self.meter.read::<Ballot>(Leaf::Ballot(id))? else { return self.pop().map(|()| None) };
        match ballot.stage.clone() {
            Stage::Open => match self.begin(due, left)? {
                Some(stage) => ballot.stage = stage,
                None => return self.pop().map(|()| None),
            },
            Stage::Counting(mut count) => {
                self.count(id, &mut ballot.voters, &mut count, left)?;
                ballot.stage = Stage::Counting(count.clone());
                if ballot.voters == 0 {
                    ballot.stage = self.decide(id, &count)?;
                }
            }
            Stage::Closing { kept, to, passed } => {
                self.clear(id, &mut ballot, (kept, to), left)?;
                if ballot.voters == 0 && ballot.depositors == 0 {
                    self.meter.write(Leaf::Ballot(id), None::<&Ballot>)?;
                    self.pop()?;
                    return self.close(id, passed);
                }
            }
        }
        self.meter.write(Leaf::Ballot(id), Some(&ballot))?;
        Ok(None)
    }

    /// What the end of the proposal's present period begins with; `None` if that period has been over for long, or is not.
    fn begin(&mut self, due: Due, left: &mut u32) -> Result<Option<Stage>, Fail> {
        let proposal: Option<Proposal> = self.meter.read(Leaf::Proposal(due.id))?;
        let Some(proposal) = proposal.filter(|proposal| proposal.due() == Some(due.time)) else { return Ok(None) };
        if proposal.status == Status::Deposit {
            let kept = if self.params.burn_proposal_deposit_prevote { Decimal::ONE } else { Decimal::ZERO };
            return Ok(Some(Stage::Closing { kept, to: None, passed: None }));
        }
        let candidates: Vec<Candidate> = self.meter.read(Leaf::Candidates)?.unwrap_or_default();
        let mut validators = Vec::new();
        for candidate in candidates.into_iter().filter(|candidate| candidate.bonded) {
            let operator = candidate.operator;
            let Some(validator) = self.meter.read::<Validator>(Leaf::Validator(operator))? else { continue };
            let Validator { tokens, shares, .. } = validator;
            validators.push(Power { operator, tokens, shares, gone: Decimal::ZERO, options: Vec::new() });
            *left = left.saturating_sub(1);
        }
        Ok(Some(Stage::Counting(Count { validators, votes: [Decimal::ZERO; 4] })))
    }

    fn count(&mut self, id: u64, voters: &mut u32, count: &mut Count, left: &mut u32) -> Result<(), Fail> {
        while *voters > 0 && *left > 0 {
            // One by one: how much work somebody's vote is shows only then.
            for voter in self.delist(Leaf::Voters, id, voters, 1)? {
                let vote: Option<Vote> = self.meter.read(Leaf::Vote(id, voter))?;
                self.meter.write(Leaf::Vote(id, voter), None::<&Vote>)?;
                let delegator: Delegator = self.meter.read(Leaf::Delegator(voter))?.unwrap_or_default();
                let mut delegations = Vec::with_capacity(delegator.validators.len());
                for operator in delegator.validators {
                    let delegation: Option<Delegation> = self.meter.read(Leaf::Delegation(voter, operator))?;
                    delegations.extend(delegation.map(|delegation| (operator, delegation.shares)));
                    *left = left.saturating_sub(1);
                }
                count.count(&voter, vote.map(|vote| vote.options).unwrap_or_default(), &delegations);
                *left = left.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// What the votes come to. An expedited proposal that does not pass is voted on again, in its time.
    fn decide(&mut self, id: u64, count: &Count) -> Result<Stage, Fail> {
        let votes = count.finish();
        let Some(mut proposal) = self.meter.read::<Proposal>(Leaf::Proposal(id))? else {
            return Err(Fail::Halt(Halt::Supply));
        };
        let (passed, burned) = self.params.decide(&votes, count.bonded(), proposal.expedited);
        proposal.tally = votes.into();
        let again = proposal.expedited && !passed;
        if again {
            proposal.expedited = false;
            let start = proposal.voting.map_or(self.header.time, |(start, _)| start);
            let end = start.saturating_add(self.params.voting_period);
            proposal.voting = Some((start, end));
            self.pop()?;
            self.push(Due { time: end, id })?;
        }
        self.meter.write(Leaf::Proposal(id), Some(&proposal))?;
        let kept = if burned { Decimal::ONE } else { Decimal::ZERO };
        Ok(if again { Stage::Open } else { Stage::Closing { kept, to: None, passed: Some(passed) } })
    }

    /// Forgets votes, then gives deposits back, except for a part that somebody else gets or nobody.
    fn clear(
        &mut self,
        id: u64,
        ballot: &mut Ballot,
        (kept, to): (Decimal, Option<Address>),
        left: &mut u32,
    ) -> Result<(), Fail> {
        while ballot.voters > 0 && *left > 0 {
            for voter in self.delist(Leaf::Voters, id, &mut ballot.voters, *left)? {
                self.meter.write(Leaf::Vote(id, voter), None::<&Vote>)?;
                *left = left.saturating_sub(1);
            }
        }
        while ballot.depositors > 0 && *left > 0 {
            for depositor in self.delist(Leaf::Depositors, id, &mut ballot.depositors, *left)? {
                let leaf = Leaf::Deposit(id, depositor);
                let deposit: u128 = self.meter.read(leaf)?.unwrap_or(0);
                self.meter.write(leaf, None::<&u128>)?;
                let lost = kept.of(deposit);
                self.pay(depositor, deposit.saturating_sub(lost))?;
                match to {
                    Some(to) => self.pay(to, lost)?,
                    None => self.burn(lost)?,
                }
                *left = left.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// Gives coins of the module's. Whoever cannot receive them leaves them there.
    fn pay(&mut self, to: Address, amount: u128) -> Result<(), Fail> {
        self.attempt(amount, |gov| {
            bank::send(gov.meter, account(), to, amount, &mut Vec::new())?;
            if to == pool::distribution() {
                let mut fees: FeePool = gov.meter.read(Leaf::FeePool)?.unwrap_or_default();
                fees.community = fees.community.plus(Decimal::whole(amount));
                gov.meter.write(Leaf::FeePool, Some(&fees))?;
            }
            Ok(())
        })
    }

    fn burn(&mut self, amount: u128) -> Result<(), Fail> {
        self.attempt(amount, |gov| bank::burn(gov.meter, account(), amount, &mut Vec::new()))
    }

    /// All of it or nothing: a proposal may have sent the module's coins elsewhere.
    fn attempt(&mut self, amount: u128, change: impl FnOnce(&mut Self) -> Result<(), Fail>) -> Result<(), Fail> {
        if amount == 0 {
            return Ok(());
        }
        self.meter.state().open();
        let result = change(self);
        self.meter.state().close(result.is_ok());
        match result {
            Err(Fail::Rule { .. }) => Ok(()),
            other => other,
        }
    }

    fn close(&mut self, id: u64, passed: Option<bool>) -> Result<Option<Proposal>, Fail> {
        let leaf = Leaf::Proposal(id);
        if passed.is_none() {
            // One that was taken back is gone already.
            return self.meter.write(leaf, None::<&Proposal>).map(|()| None);
        }
        let Some(mut proposal) = self.meter.read::<Proposal>(leaf)? else { return Err(Fail::Halt(Halt::Supply)) };
        if passed == Some(true) {
            return Ok(Some(proposal));
        }
        proposal.status = Status::Rejected;
        proposal.failed = "proposal did not get enough votes to pass".into();
        self.meter.write(leaf, Some(&proposal)).map(|()| None)
    }
}

/// Runs the messages of a proposal that passed, all of them or none.
fn execute<S: Supply>(
    scene: &Scene<'_>,
    state: &mut Overlay<S>,
    place: u32,
    id: u64,
    proposal: &Proposal,
) -> Result<(), Fail> {
    state.open();
    let tx = tagged("cloister/gov/proposal", &[&id.to_le_bytes()]);
    let mut work = Work::new(scene, Meter::new(state, scene.genesis.sdk_gas), place, tx);
    let done = proposal.messages.iter().enumerate().try_for_each(|(index, bytes)| {
        let any = Any::decode(bytes.as_slice()).map_err(|_| Fail::Halt(Halt::Supply))?;
        work.go_on()?;
        compute::handle(&mut work, &Message::decode(&any)?, index).map(drop)
    });
    state.close(done.is_ok());
    done
}

fn halt(fail: Fail) -> Halt {
    match fail {
        Fail::Halt(halt) => halt,
        // With all the gas there is, nothing here fails by a rule.
        Fail::Rule { .. } => Halt::Supply,
    }
}

/// Votes, delegations and deposits that one block deals with; so few in tests that ends take several blocks.
const WORK: u32 = if cfg!(test) { 8 } else { 4_096 };
