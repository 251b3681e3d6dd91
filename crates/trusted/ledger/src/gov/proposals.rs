//! Submitting a proposal, depositing for it, taking it back.

use cloister_chain::cosmos::{Submit, bech32, coins, from_bech32};
use cloister_chain::gov::{Ballot, Due, METADATA_BYTES, Proposal, SUMMARY_BYTES, Stage, Status, Tally, account};
use cloister_chain::{Address, Leaf};
use cloister_state::Supply;
use prost::Message as _;
use secret_sdk_proto::cosmos::gov::v1::{MsgCancelProposal, MsgDeposit};

use super::{Gov, refused};
use crate::cosmos::{Fail, bank, events};

impl<S: Supply> Gov<'_, '_, S> {
    /// Makes a proposal: its number.
    pub(super) fn submit(&mut self, submit: &Submit) -> Result<u64, Fail> {
        let message = &submit.message;
        check_words(submit)?;
        check_signers(submit)?;
        let proposer = from_bech32(&message.proposer)?;
        let deposit = coins(&message.initial_deposit)?;
        let wanted = self.params.min_initial_deposit_ratio.of(self.params.wanted(message.expedited));
        if deposit < wanted {
            let (was, need) = (bank::shown(deposit), bank::shown(wanted));
            return Err(refused(16, format!("was ({was}), need ({need}): minimum deposit is too small")));
        }
        let mut governance = self.governance()?;
        governance.last = governance.last.saturating_add(1);
        let (id, now) = (governance.last, self.header.time);
        self.put_governance(&governance)?;
        let proposal = Proposal {
            messages: message.messages.iter().map(|any| any.encode_to_vec()).collect(),
            status: Status::Deposit,
            tally: Tally::default(),
            submitted: now,
            deposit_end: now.saturating_add(self.params.max_deposit_period),
            deposit: 0,
            voting: None,
            metadata: message.metadata.clone(),
            title: message.title.clone(),
            summary: message.summary.clone(),
            proposer,
            expedited: message.expedited,
            failed: String::new(),
        };
        // As the SDK: it is written again when it is decided, and nobody pays then.
        let size = u64::try_from(message.encoded_len()).unwrap_or(u64::MAX);
        self.meter.charge(size.saturating_mul(PROPOSAL_BYTE), "submit proposal")?;
        self.push(Due { time: proposal.deposit_end, id })?;
        let kinds: String = message.messages.iter().map(|any| format!(",{}", any.type_url)).collect();
        self.events.push(events::event(
            "submit_proposal",
            [
                ("proposal_id", id.to_string()),
                ("proposal_proposer", message.proposer.clone()),
                ("proposal_messages", kinds),
            ],
        ));
        if self.deposit(id, proposal, Ballot::default(), proposer, deposit)? {
            let started = [("voting_period_start", id.to_string())];
            self.events.push(events::event("submit_proposal", started));
        }
        Ok(id)
    }

    pub(super) fn add_deposit(&mut self, message: &MsgDeposit) -> Result<(), Fail> {
        let (id, depositor, amount) = (message.proposal_id, from_bech32(&message.depositor)?, coins(&message.amount)?);
        let (proposal, ballot) = self.open(id)?;
        if self.deposit(id, proposal, ballot, depositor, amount)? {
            self.events.push(events::event("proposal_deposit", [("voting_period_start", id.to_string())]));
        }
        Ok(())
    }

    /// Takes a proposal back. Its deposits follow at the end of the block.
    pub(super) fn cancel(&mut self, message: &MsgCancelProposal) -> Result<(), Fail> {
        let id = message.proposal_id;
        let (proposal, mut ballot) = self.open(id)?;
        if from_bech32(&message.proposer)? != proposal.proposer {
            let log = format!("invalid proposer {}: invalid proposer", message.proposer);
            return Err(refused(18, log));
        }
        if proposal.voting.is_some_and(|(_, end)| end < self.header.time) {
            let log = format!("voting period is already ended for this proposal {id}: voting period already ended");
            return Err(refused(20, log));
        }
        let (kept, to) = (self.params.proposal_cancel_ratio, self.params.proposal_cancel_dest);
        ballot.stage = Stage::Closing { kept, to, passed: None };
        self.meter.write(Leaf::Proposal(id), None::<&Proposal>)?;
        self.meter.write(Leaf::Ballot(id), Some(&ballot))?;
        self.push(Due { time: self.header.time, id })?;
        let attributes = [("sender", message.proposer.clone()), ("proposal_id", id.to_string())];
        self.events.push(events::event("cancel_proposal", attributes));
        Ok(())
    }

    /// Takes a deposit and writes everything; whether voting begins with it.
    fn deposit(
        &mut self,
        id: u64,
        mut proposal: Proposal,
        mut ballot: Ballot,
        depositor: Address,
        amount: u128,
    ) -> Result<bool, Fail> {
        let least = self.params.min_deposit_ratio.of(self.params.wanted(proposal.expedited));
        if amount < least {
            let (had, least) = (bank::shown(amount), bank::shown(least));
            let log = format!("received {had} but need at least one of the following: {least}");
            return Err(refused(16, format!("{log}: minimum deposit is too small")));
        }
        if amount > 0 {
            bank::send(self.meter, depositor, account(), amount, &mut self.events)?;
            let leaf = Leaf::Deposit(id, depositor);
            let before: Option<u128> = self.meter.read(leaf)?;
            if before.is_none() {
                self.enlist(Leaf::Depositors, id, &mut ballot.depositors, depositor)?;
            }
            // There are not more coins than fit.
            self.meter.write(leaf, Some(&before.unwrap_or(0).saturating_add(amount)))?;
        }
        proposal.deposit = proposal.deposit.saturating_add(amount);
        let begins = proposal.status == Status::Deposit && proposal.deposit >= self.params.wanted(proposal.expedited);
        if begins {
            let (start, period) = (self.header.time, self.params.period(proposal.expedited));
            let end = start.saturating_add(period);
            proposal.status = Status::Voting;
            proposal.voting = Some((start, end));
            self.push(Due { time: end, id })?;
        }
        self.meter.write(Leaf::Proposal(id), Some(&proposal))?;
        self.meter.write(Leaf::Ballot(id), Some(&ballot))?;
        self.events.push(events::event(
            "proposal_deposit",
            [("depositor", bech32(&depositor)), ("amount", bank::shown(amount)), ("proposal_id", id.to_string())],
        ));
        Ok(begins)
    }
}

fn check_words(submit: &Submit) -> Result<(), Fail> {
    let message = &submit.message;
    for (word, name) in [(&message.title, "title"), (&message.summary, "summary")] {
        if word.is_empty() {
            return Err(Fail::sdk(18, format!("proposal {name} cannot be empty: invalid request")));
        }
    }
    if message.messages.is_empty() && message.metadata.is_empty() {
        let log = "either metadata or Msgs length must be non-nil: no messages proposed";
        return Err(refused(11, log));
    }
    let bounds = [
        (&message.metadata, "metadata", METADATA_BYTES),
        (&message.summary, "summary", SUMMARY_BYTES),
        (&message.title, "metadata", METADATA_BYTES),
    ];
    for (word, name, most) in bounds {
        if word.len() > most {
            return Err(refused(15, format!("got {name} with length {}: metadata too long", word.len())));
        }
    }
    Ok(())
}

fn check_signers(submit: &Submit) -> Result<(), Fail> {
    let signer = "expected gov account as only signer for proposal message";
    for message in &submit.messages {
        match message.signers()[..] {
            [one] if one == account() => {}
            [other] => return Err(refused(13, format!("{}: {signer}", bech32(&other)))),
            _ => return Err(refused(13, signer)),
        }
    }
    Ok(())
}

/// Gas for each byte of a proposal: three times the price of writing it.
const PROPOSAL_BYTE: u64 = 90;
