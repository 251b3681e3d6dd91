//! One node: the engine's state machine, its log, our application, and what the engine's actors do between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use cloister_chain::ValidatorSet;
use malachite::app::consensus::{LivenessMsg, SignedConsensusMsg};
use malachite::app::streaming::{StreamId, StreamMessage};
use malachite_codec::Codec;
use malachite_core::{Input, Params, State, ValuePayload};
use malachite_sync::{RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse};
use malachite_types::{HeightParams, NilOrVal, SignedVote};

use super::effects::Host;
use super::{Out, Packet, peer};
use crate::bft::app::{App, Start};
use crate::bft::codec::Borsh;
use crate::bft::context::{Address, BlockHash, Height, Tendermint};
use crate::bft::key::Keyring;
use crate::bft::parts::{Part, split};
use crate::bft::testing::{Disk, Node, Shared, chain_id, key};
use crate::bft::{End, Pace};

/// See the module.
pub(super) struct SimNode {
    pub index: usize,
    pub shared: Shared,
    /// How far its clock is off, in nanoseconds.
    pub skew: i64,
    /// Counts its lives.
    pub life: u64,
    up: Option<Up>,
    log: Log,
}

/// What a crash loses.
struct Up {
    core: Option<State<Tendermint>>,
    host: Host,
    /// Synced blocks of heights to come.
    ahead: BTreeMap<u64, RawDecidedValue<Tendermint>>,
}

/// The engine's log of one height. It survives.
#[derive(Default)]
pub(super) struct Log {
    pub height: u64,
    pub entries: Vec<Input<Tendermint>>,
}

impl SimNode {
    /// A node with an empty disk.
    pub fn new(index: usize, genesis: &ValidatorSet) -> Self {
        let shared = Shared::new(Node::new(genesis));
        Self { index, shared, skew: 0, life: 0, up: None, log: Log::default() }
    }

    pub fn is_up(&self) -> bool {
        self.up.is_some()
    }

    /// True once its fuse has burnt down.
    pub fn is_dead(&self) -> bool {
        self.up.as_ref().is_some_and(|up| up.host.is_dead())
    }

    /// Loses all that is not on disk.
    pub fn crash(&mut self) {
        if let Some(up) = self.up.take() {
            self.log = up.host.into_log();
        }
        self.life += 1;
    }

    /// Lets it crash after so many effects.
    pub fn doom(&mut self, effects: u64) {
        if let Some(up) = &mut self.up {
            up.host.fuse = Some(effects);
        }
    }

    /// Starts from what is on disk.
    pub fn boot(&mut self, genesis: &ValidatorSet, pace: Pace, out: &mut Out) -> Result<(), End> {
        let (disk, clock) = {
            let mut node = self.shared.lock();
            (std::mem::take::<Disk>(&mut node.disk), node.clock)
        };
        self.shared = Shared::new(Node::restarted(disk, genesis, clock));
        let id: Arc<str> = chain_id().into();
        let keyring = Keyring::new(Arc::new(key(self.index)), Arc::clone(&id));
        let mut app = App::new(Box::new(self.shared.clone()), id, Arc::new(key(self.index)), pace);
        let start = app.ready()?;
        let host = Host::new(app, keyring, std::mem::take(&mut self.log), Address(key(self.index).address()));
        self.up = Some(Up { core: None, host, ahead: BTreeMap::new() });
        self.start(start, out)
    }

    /// A packet arrives.
    pub fn receive(&mut self, from: usize, packet: &Packet, out: &mut Out) -> Result<(), End> {
        match packet {
            Packet::Consensus(bytes) => match Borsh.decode(bytes.clone()).expect("peers send what decodes") {
                SignedConsensusMsg::Vote(vote) => self.vote(vote, out),
                SignedConsensusMsg::Proposal(proposal) => self.input(Input::Proposal(proposal), out),
            },
            Packet::Liveness(bytes) => match Borsh.decode(bytes.clone()).expect("peers send what decodes") {
                LivenessMsg::Vote(vote) => self.vote(vote, out),
                LivenessMsg::PolkaCertificate(polka) => self.input(Input::PolkaCertificate(polka), out),
                LivenessMsg::SkipRoundCertificate(round) => self.input(Input::RoundCertificate(round), out),
            },
            Packet::Part(bytes) => {
                let part: StreamMessage<Part> = Borsh.decode(bytes.clone()).expect("peers send what decodes");
                let Some(up) = &mut self.up else { return Ok(()) };
                if let Some(value) = up.host.app.received_part(peer(from), None, part)? {
                    up.host.queue.push_back(Input::ProposedValue(value, malachite_types::ValueOrigin::Consensus));
                }
                Ok(())
            }
            Packet::Status(bytes) => {
                let status: Status<Tendermint> = Borsh.decode(bytes.clone()).expect("peers send what decodes");
                let Some(Up { core: Some(core), .. }) = &self.up else { return Ok(()) };
                let height = core.height();
                if status.tip_height >= height {
                    let last = status.tip_height.min(Height(height.0 + 4));
                    let request = Request::<Tendermint>::ValueRequest(ValueRequest::new(height..=last));
                    let bytes = Borsh.encode(&request).expect("a request encodes");
                    out.packets.push((Some(from), Packet::Request(bytes)));
                }
                Ok(())
            }
            Packet::Request(bytes) => {
                let Request::ValueRequest(request) = Borsh.decode(bytes.clone()).expect("peers send what decodes");
                let Some(up) = &mut self.up else { return Ok(()) };
                let values = up.host.app.decided_values(&request.range)?;
                let response = Response::ValueResponse(ValueResponse::new(*request.range.start(), values));
                let bytes = Borsh.encode(&response).expect("a response encodes");
                out.packets.push((Some(from), Packet::Response(bytes)));
                Ok(())
            }
            Packet::Response(bytes) => {
                let Response::ValueResponse(response) = Borsh.decode(bytes.clone()).expect("peers send what decodes");
                let Some(up) = &mut self.up else { return Ok(()) };
                up.ahead.extend(response.values.into_iter().map(|value| (value.height().0, value)));
                self.catch_up(out)
            }
        }
    }

    /// A timer ends, unless it was cancelled.
    pub fn timeout(&mut self, timer: u64, out: &mut Out) -> Result<(), End> {
        let timeout = self.up.as_mut().and_then(|up| up.host.elapsed(timer));
        match timeout {
            Some(timeout) => self.input(Input::TimeoutElapsed(timeout), out),
            None => Ok(()),
        }
    }

    /// Tells all others how far it is.
    pub fn status(&mut self, out: &mut Out) -> Result<(), End> {
        let tip = self.shared.lock().disk.decided.len() as u64;
        let status =
            Status::<Tendermint> { peer_id: peer(self.index), tip_height: Height(tip), history_min_height: Height(1) };
        out.packets.push((None, Packet::Status(Borsh.encode(&status).expect("a status encodes"))));
        Ok(())
    }

    /// Works off what the application and the engine have for each other, and starts the next height when it is time.
    pub fn settle(&mut self, out: &mut Out) -> Result<(), End> {
        loop {
            let Some(up) = self.up.as_mut().filter(|up| !up.host.is_dead()) else { return Ok(()) };
            if let Some(input) = up.host.queue.pop_front() {
                self.input(input, out)?;
                continue;
            }
            if !up.host.finished {
                return Ok(());
            }
            match up.host.app.next()? {
                Some(start) => self.start(start, out)?,
                None => {
                    out.wake = up.host.app.deadline();
                    return Ok(());
                }
            }
        }
    }

    /// What must not be said beside `packet`, and is said by who signs twice: another vote, another block for a round.
    pub fn contradictions(&self, packet: &Packet) -> Vec<Packet> {
        let keyring = Keyring::new(Arc::new(key(self.index)), chain_id().into());
        let Packet::Consensus(bytes) = packet else { return Vec::new() };
        match Borsh.decode(bytes.clone()).expect("it was encoded here") {
            SignedConsensusMsg::<Tendermint>::Vote(vote) => {
                let mut other = vote.message;
                if other.value == NilOrVal::Nil {
                    return Vec::new();
                }
                other.value = NilOrVal::Nil;
                let other = SignedConsensusMsg::<Tendermint>::Vote(keyring.vote(other));
                vec![Packet::Consensus(Borsh.encode(&other).expect("a vote encodes"))]
            }
            SignedConsensusMsg::Proposal(proposal) => {
                let mut other = proposal.message;
                let kept = self.shared.lock().disk.kept.clone();
                let own = kept.into_values().find(|kept| kept.block.header.hash() == other.value.0);
                let Some(mut kept) = own else { return Vec::new() };
                kept.block.header.time += 1;
                other.value = BlockHash(kept.block.header.hash());
                let rounds = (kept.round, kept.valid_round);
                let stream = StreamId::new(other.value.0.to_vec().into());
                let parts = split(&chain_id(), rounds, &kept.block, &key(self.index), stream).expect("a small block");
                let parts = parts.iter().map(|part| Packet::Part(Borsh.encode(part).expect("a part encodes")));
                let other = SignedConsensusMsg::<Tendermint>::Proposal(keyring.proposal(other));
                let other = Packet::Consensus(Borsh.encode(&other).expect("a proposal encodes"));
                std::iter::once(other).chain(parts).collect()
            }
        }
    }

    fn vote(&mut self, vote: SignedVote<Tendermint>, out: &mut Out) -> Result<(), End> {
        if let Some(up) = &mut self.up {
            up.host.app.heard(&vote);
        }
        self.input(Input::Vote(vote), out)
    }

    fn start(&mut self, (height, params): Start, out: &mut Out) -> Result<(), End> {
        let Some(up) = &mut self.up else { return Ok(()) };
        let HeightParams { validator_set: set, timeouts, target_time, vote_extension_policy } = params;
        let address = up.host.address;
        let core = up.core.get_or_insert_with(|| {
            let params = Params {
                address,
                threshold_params: Default::default(),
                value_payload: ValuePayload::ProposalAndParts,
                enabled: true,
            };
            State::new(Tendermint, height, set.clone(), params, 10, 1_000)
        });
        let entries = up.host.begin(height, timeouts, set.find(&address).is_some());
        up.host.input(core, Input::StartHeight(height, set, false, target_time, vote_extension_policy), out)?;
        if !entries.is_empty() {
            up.host.recovering = true;
            core.index_wal_entries(entries.iter());
            for entry in entries {
                up.host.input(core, entry, out)?;
            }
            core.reset_entries_index();
            up.host.recovering = false;
        }
        self.catch_up(out)
    }

    fn catch_up(&mut self, out: &mut Out) -> Result<(), End> {
        let Some(Up { core: Some(core), ahead, .. }) = &mut self.up else { return Ok(()) };
        let height = core.height().0;
        ahead.retain(|place, _| *place >= height);
        match ahead.remove(&height) {
            // The engine attributes faults to peers; here nobody cares who it was.
            Some(value) => self.input(Input::SyncValueResponse(value.to_core(peer(0))), out),
            None => Ok(()),
        }
    }

    fn input(&mut self, input: Input<Tendermint>, out: &mut Out) -> Result<(), End> {
        let Some(Up { core: Some(core), host, .. }) = &mut self.up else { return Ok(()) };
        host.input(core, input, out)
    }
}

/// What waits for a node between two effects.
pub(super) type Queue = VecDeque<Input<Tendermint>>;
