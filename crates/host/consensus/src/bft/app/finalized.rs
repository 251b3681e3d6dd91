//! `Finalized`: the fullest certificate, evidence, and when the next height starts.

use cloister_chain::{Evidence, Signed};
use malachite::app::types::MisbehaviorEvidence;
use malachite_types::CommitCertificate;

use super::{App, Stage, Start};
use crate::bft::End;
use crate::bft::context::{Address, Tendermint, signed_proposal, signed_vote};

impl App {
    /// Stores what more is known by now. The answer is [`App::next`], which may have to wait.
    pub fn finalized(
        &mut self,
        decision: &CommitCertificate<Tendermint>,
        evidence: &MisbehaviorEvidence<Tendermint>,
    ) -> Result<(), End> {
        self.report(evidence);
        let Some(current) = self.current.as_mut().filter(|current| current.height == decision.height.0) else {
            return Ok(());
        };
        let fuller = current.certificate(decision);
        match std::mem::replace(&mut current.stage, Stage::Open) {
            Stage::Decided(mut outcome) => {
                let more = fuller.precommits.len() > outcome.certificate.precommits.len();
                if more {
                    outcome.certificate = fuller;
                    self.chain.extend(&outcome.certificate)?;
                }
                current.stage = Stage::Finished(outcome);
            }
            other => current.stage = other,
        }
        Ok(())
    }

    /// The next height, once the block is executed and there is a reason to make another: results that are to be agreed
    /// on, something that waits, others who have begun, or the pace of an idle chain. `None` until then.
    pub fn next(&mut self) -> Result<Option<Start>, End> {
        match self.pause() {
            Pause::Over => {
                let parent = self.chain.parent();
                self.start(parent).map(Some)
            }
            Pause::Until(_) | Pause::Unknown => Ok(None),
        }
    }

    /// When [`App::next`] is to be asked again although nothing happened, in nanoseconds since the Unix epoch.
    pub fn deadline(&self) -> Option<u64> {
        match self.pause() {
            Pause::Until(time) => Some(time),
            Pause::Over | Pause::Unknown => None,
        }
    }

    /// The height that starts next, if the engine waits for it.
    pub fn awaited(&self) -> Option<u64> {
        let current = self.current.as_ref()?;
        matches!(current.stage, Stage::Finished(_)).then_some(current.height + 1)
    }

    fn pause(&self) -> Pause {
        let Some(current) = &self.current else { return Pause::Unknown };
        let Stage::Finished(outcome) = &current.stage else { return Pause::Unknown };
        let parent = self.chain.parent();
        if parent.header.height < current.height {
            return Pause::Unknown;
        }
        let idle_until = parent.header.time.saturating_add(self.pace.idle_nanos());
        let reason = outcome.hurry || !self.early.is_empty() || self.chain.has_work();
        if reason || self.chain.now() >= idle_until { Pause::Over } else { Pause::Until(idle_until) }
    }

    fn report(&mut self, evidence: &MisbehaviorEvidence<Tendermint>) {
        let Some(current) = &self.current else { return };
        let votes = evidence
            .votes
            .iter()
            .flat_map(|(by, pairs)| pairs.iter().map(move |(one, other)| (*by, signed_vote(one), signed_vote(other))));
        let proposals = evidence.proposals.iter().flat_map(|(by, pairs)| {
            pairs.iter().map(move |(one, other)| (*by, signed_proposal(one), signed_proposal(other)))
        });
        let shown = |(by, one, other): (Address, Signed, Signed)| {
            let validator = current.set.find(&by)?;
            let evidence = Evidence::new(validator.key(), one, other);
            evidence.verify(&self.chain_id).is_ok().then_some(evidence)
        };
        let shown: Vec<Evidence> = votes.chain(proposals).filter_map(shown).collect();
        for piece in shown {
            self.chain.report(piece);
        }
    }
}

/// What the next height waits for.
enum Pause {
    /// Nothing.
    Over,
    /// A reason, or this time.
    Until(u64),
    /// Something that will be told.
    Unknown,
}
