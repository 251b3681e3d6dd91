//! What the engine's state machine wants of its node, carried out.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use futures::FutureExt;
use malachite::app::consensus::{LivenessMsg, SignedConsensusMsg};
use malachite::app::engine::host::SyncedValueOutcome;
use malachite::app::metrics::Metrics;
use malachite_codec::Codec;
use malachite_core::{ConsensusMsg, Effect, Error, Input, Resumable, Resume, State};
use malachite_signing::{Verifier, VerifierExt};
use malachite_types::{LinearTimeouts, Timeout, TimeoutKind, ValueOrigin, Vote as _};

use super::node::{Log, Queue};
use super::{Out, Packet};
use crate::bft::End;
use crate::bft::app::{App, Parts};
use crate::bft::codec::Borsh;
use crate::bft::context::{Address, Height, Tendermint};
use crate::bft::key::Keyring;

/// A node without the state machine itself.
pub(super) struct Host {
    pub app: App,
    pub address: Address,
    /// Inputs for the state machine that came up while it worked.
    pub queue: Queue,
    /// The engine waits for the next height.
    pub finished: bool,
    /// The log is being read, not written.
    pub recovering: bool,
    pub fuse: Option<u64>,
    keyring: Keyring,
    log: Log,
    /// What is not yet in the log.
    unflushed: Vec<Input<Tendermint>>,
    validator: bool,
    timeouts: LinearTimeouts,
    timers: BTreeMap<u64, Timeout>,
    started: u64,
    metrics: Metrics,
    end: Option<End>,
    /// `CLOISTER_TRACE=1` prints every effect.
    trace: bool,
}

impl Host {
    pub fn new(app: App, keyring: Keyring, log: Log, address: Address) -> Self {
        Self {
            app,
            address,
            queue: Queue::new(),
            finished: false,
            recovering: false,
            fuse: None,
            keyring,
            log,
            unflushed: Vec::new(),
            validator: false,
            timeouts: LinearTimeouts::default(),
            timers: BTreeMap::new(),
            started: 0,
            metrics: Metrics::new(),
            end: None,
            trace: std::env::var_os("CLOISTER_TRACE").is_some(),
        }
    }

    pub fn is_dead(&self) -> bool {
        self.fuse == Some(0)
    }

    pub fn into_log(self) -> Log {
        self.log
    }

    /// Prepares a height. Gives what the log has of it.
    pub fn begin(&mut self, height: Height, timeouts: LinearTimeouts, validator: bool) -> Vec<Input<Tendermint>> {
        self.finished = false;
        self.timeouts = timeouts;
        self.validator = validator;
        self.unflushed.clear();
        if self.log.height != height.0 || !validator {
            self.log = Log { height: height.0, entries: Vec::new() };
        }
        self.log.entries.clone()
    }

    /// Feeds the state machine.
    pub fn input(&mut self, core: &mut State<Tendermint>, input: Input<Tendermint>, out: &mut Out) -> Result<(), End> {
        let metrics = self.metrics.clone();
        let result: Result<(), Error<Tendermint>> = malachite_core::process!(
            input: input,
            state: core,
            metrics: &metrics,
            with: effect => self.effect(effect, out)
        );
        result.expect("the state machine handles its inputs");
        self.end.take().map_or(Ok(()), Err)
    }

    /// The timeout of a timer that was not cancelled.
    pub fn elapsed(&mut self, timer: u64) -> Option<Timeout> {
        self.timers.remove(&timer)
    }

    fn effect(&mut self, effect: Effect<Tendermint>, out: &mut Out) -> Result<Resume<Tendermint>, End> {
        self.fuse = self.fuse.map(|left| left.saturating_sub(1));
        if self.trace {
            self.print(&effect);
        }
        let resume =
            if self.is_dead() || self.end.is_some() { Ok(self.nothing(effect)) } else { self.carry_out(effect, out) };
        // The engine's macro swallows errors; a node that ends says nothing more.
        resume.or_else(|end| {
            self.end = Some(end);
            Ok(Resume::Continue)
        })
    }

    #[allow(clippy::print_stderr)]
    fn print(&self, effect: &Effect<Tendermint>) {
        let state = if self.is_dead() {
            "dead"
        } else if self.recovering {
            "recovering"
        } else {
            ""
        };
        eprintln!("{} {} {state} {effect:?}", self.app.now(), self.address);
    }

    /// What a dead node does: nothing, but the state machine wants an answer of the right kind.
    fn nothing(&self, effect: Effect<Tendermint>) -> Resume<Tendermint> {
        match effect {
            Effect::SignVote(vote, r) => r.resume_with(self.keyring.vote(vote)),
            Effect::SignProposal(proposal, r) => r.resume_with(self.keyring.proposal(proposal)),
            Effect::VerifySignature(.., r) => r.resume_with(true),
            Effect::VerifyCommitCertificate(.., r) => r.resume_with(Ok(())),
            Effect::VerifyExtendedCommitCertificate(.., r) => r.resume_with(Ok(())),
            Effect::VerifyPolkaCertificate(.., r) => r.resume_with(Ok(())),
            Effect::VerifyRoundCertificate(.., r) => r.resume_with(Ok(())),
            _ => Resume::Continue,
        }
    }

    fn carry_out(&mut self, effect: Effect<Tendermint>, out: &mut Out) -> Result<Resume<Tendermint>, End> {
        Ok(match effect {
            Effect::CancelAllTimeouts(r) => {
                self.timers.clear();
                r.resume_with(())
            }
            Effect::CancelTimeout(timeout, r) => {
                self.timers.retain(|_, other| *other != timeout);
                r.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, r) => {
                self.timers.retain(|_, other| *other != timeout);
                self.started += 1;
                self.timers.insert(self.started, timeout);
                let after = match timeout.kind {
                    TimeoutKind::FinalizeHeight(_) => Duration::from_millis(50),
                    _ => self.timeouts.duration_for(timeout),
                };
                out.timers.push((after.as_nanos() as u64, self.started));
                r.resume_with(())
            }
            Effect::StartRound(height, round, _, _, r) => {
                self.flush();
                for value in self.app.started_round(height, round)? {
                    self.queue.push_back(Input::ProposedValue(value, ValueOrigin::Consensus));
                }
                r.resume_with(())
            }
            Effect::PublishConsensusMsg(message, r) => {
                self.flush();
                match &message {
                    SignedConsensusMsg::Vote(vote) if *vote.validator_address() == self.address => {
                        out.signed.push(vote.message.statement());
                    }
                    SignedConsensusMsg::Proposal(proposal) if proposal.message.proposer == self.address => {
                        out.signed.push(proposal.message.statement());
                    }
                    _ => {}
                }
                out.packets.push((None, Packet::Consensus(encoded(&message))));
                r.resume_with(())
            }
            Effect::PublishLivenessMsg(message, r) => {
                out.packets.push((None, Packet::Liveness(encoded(&message))));
                r.resume_with(())
            }
            Effect::RepublishVote(vote, r) => {
                let message = LivenessMsg::<Tendermint>::Vote(vote);
                out.packets.push((None, Packet::Liveness(encoded(&message))));
                r.resume_with(())
            }
            Effect::RepublishRoundCertificate(certificate, r) => {
                let message = LivenessMsg::<Tendermint>::SkipRoundCertificate(certificate);
                out.packets.push((None, Packet::Liveness(encoded(&message))));
                r.resume_with(())
            }
            Effect::GetValue(height, round, _, r) => {
                if let Some((value, parts)) = self.app.get_value(height, round)? {
                    self.queue.push_back(Input::Propose(value));
                    publish(parts, out);
                }
                r.resume_with(())
            }
            Effect::RestreamProposal(height, round, valid_round, by, block, r) => {
                publish(self.app.restream(height, round, valid_round, by, block)?, out);
                r.resume_with(())
            }
            Effect::CertVerifiedSyncValue(value, proposer, r) => {
                let certificate = &value.certificate;
                let (height, round) = (certificate.height, certificate.round);
                match self.app.synced(height, round, proposer, &value.value_bytes)? {
                    SyncedValueOutcome::Verdict(verdict) if verdict.value == certificate.value_id => {
                        self.queue.push_back(Input::ProposedValue(verdict, ValueOrigin::Sync));
                    }
                    _ => {}
                }
                r.resume_with(())
            }
            Effect::CertRejectedSyncValue(_, _, _, r) => r.resume_with(()),
            Effect::Decide(certificate, _, r) => {
                self.flush();
                self.app.decided(&certificate)?;
                out.decided.push((certificate.height.0, certificate.value_id.0));
                r.resume_with(())
            }
            Effect::Finalize(certificate, _, evidence, r) => {
                self.app.finalized(&certificate, &evidence)?;
                self.finished = true;
                r.resume_with(())
            }
            Effect::SignVote(vote, r) => r.resume_with(self.keyring.vote(vote)),
            Effect::SignProposal(proposal, r) => r.resume_with(self.keyring.proposal(proposal)),
            Effect::VerifySignature(message, key, r) => {
                let signature = &message.signature;
                let checked = match &message.message {
                    ConsensusMsg::Vote(vote) => at_once(self.keyring.verify_signed_vote(vote, signature, &key)),
                    ConsensusMsg::Proposal(proposal) => {
                        at_once(self.keyring.verify_signed_proposal(proposal, signature, &key))
                    }
                };
                r.resume_with(checked.is_ok_and(|checked| checked.is_valid()))
            }
            Effect::VerifyCommitCertificate(certificate, set, thresholds, r) => {
                let checked = self.keyring.verify_commit_certificate(&Tendermint, &certificate, &set, thresholds);
                r.resume_with(at_once(checked))
            }
            Effect::VerifyExtendedCommitCertificate(certificate, set, thresholds, policy, r) => {
                let checked = at_once(self.keyring.verify_extended_commit_certificate(
                    &Tendermint,
                    &certificate,
                    &set,
                    thresholds,
                    policy,
                ));
                r.resume_with(checked)
            }
            Effect::VerifyPolkaCertificate(certificate, set, thresholds, r) => {
                let checked = self.keyring.verify_polka_certificate(&Tendermint, &certificate, &set, thresholds);
                r.resume_with(at_once(checked))
            }
            Effect::VerifyRoundCertificate(certificate, set, thresholds, r) => {
                let checked = self.keyring.verify_round_certificate(&Tendermint, &certificate, &set, thresholds);
                r.resume_with(at_once(checked))
            }
            Effect::WalAppend(_, entry, r) => {
                if !self.recovering && self.validator {
                    self.unflushed.push(entry);
                }
                r.resume_with(())
            }
            Effect::ExtendVote(.., r) => r.resume_with(None),
            Effect::VerifyVoteExtension(.., r) => r.resume_with(Ok(())),
        })
    }

    fn flush(&mut self) {
        if !self.recovering {
            self.log.entries.append(&mut self.unflushed);
        }
    }
}

fn publish(parts: Parts, out: &mut Out) {
    for part in parts {
        out.packets.push((None, Packet::Part(encoded(&part))));
    }
}

fn encoded<T>(message: &T) -> bytes::Bytes
where
    Borsh: Codec<T>,
    <Borsh as Codec<T>>::Error: Debug,
{
    Borsh.encode(message).expect("what a node sends encodes")
}

/// Keys need nobody to wait for.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("signatures are checked without waiting")
}
