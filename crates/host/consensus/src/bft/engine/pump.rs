//! Between the engine's channels and the application.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use libp2p::identity::Keypair;
use malachite::app::consensus::SignedConsensusMsg;
use malachite::app::engine::host::Next;
use malachite::app::engine::util::events::{Event as EngineEvent, RxEvent};
use malachite::{
    AppMsg, Channels, ConsensusContext, EngineBuilder, EngineHandle, NetworkContext, NetworkIdentity, NetworkMsg,
    NetworkRequest, Reply, RequestContext, SyncContext, WalContext,
};
use malachite_codec::Codec as _;
use malachite_types::SignedVote;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::error;

use super::settings::Settings;
use super::{EngineConfig, StartError};
use crate::bft::app::{App, Parts};
use crate::bft::codec::Borsh;
use crate::bft::context::{Address, Tendermint};
use crate::bft::key::Keyring;
use crate::bft::{Chain, End, Event};

/// What the application's thread waits for.
pub(super) enum Input {
    /// The engine asks or tells.
    Message(Box<AppMsg<Tendermint>>),
    /// The engine got a vote for a height that it waits for.
    Heard(SignedVote<Tendermint>),
    /// The engine has nothing more to say.
    Silent,
    /// The engine's supervisor ended.
    Over,
    /// The node reports something.
    Event(Event),
    /// The node wants an end.
    Stop,
}

/// See the module.
pub(super) struct Pump {
    app: App,
    runtime: Runtime,
    engine: malachite::app::engine::node::NodeRef,
    parts: mpsc::Sender<NetworkMsg<Tendermint>>,
    /// The engine's question what comes after a height, while there is no answer.
    next: Option<Reply<Next<Tendermint>>>,
    /// Votes from this height on are of interest.
    awaited: Arc<AtomicU64>,
}

/// How long the supervisor may take to follow the engine's other parts. If it outlives them, the engine has hung itself up
/// because its log failed.
const GRACE: Duration = Duration::from_secs(5);
/// How long parts of the engine may take to end.
const STOP: Duration = Duration::from_secs(3);
/// How long a node that starts waits for others.
const ALONE: Duration = Duration::from_secs(1);
/// How often it looks for them.
const GLANCE: Duration = Duration::from_millis(20);
/// How often peers are counted.
const COUNT: Duration = Duration::from_secs(2);

impl Pump {
    /// Brings the engine up. Its messages go to `inbox`, the number of its peers to `peers`.
    pub fn start(
        config: EngineConfig,
        settings: Settings,
        chain: Box<dyn Chain>,
        inbox: Sender<Input>,
        peers: Arc<AtomicUsize>,
    ) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("malachite")
            .enable_all()
            .build()?;
        let chain_id: Arc<str> = config.chain_id.as_str().into();
        let key = Arc::new(config.key);
        let keyring = || Keyring::new(Arc::clone(&key), Arc::clone(&chain_id));
        let address = Address(key.address());

        let mut seed = config.peer_key;
        let failed = |error: String| StartError::Engine(error);
        let pair = Keypair::ed25519_from_bytes(seed.as_mut_slice()).map_err(|error| failed(error.to_string()))?;
        let proof = keyring().proof(key.public().to_vec(), pair.public().to_peer_id().to_bytes());
        let proof = Borsh.encode(&proof).map_err(|error| failed(error.to_string()))?;
        let identity = NetworkIdentity::new_validator(config.moniker, pair, address.to_string(), proof);

        let consensus = ConsensusContext::new_validator(address, Box::new(keyring()), Box::new(keyring()));
        let built = runtime.block_on(
            EngineBuilder::new(Tendermint, settings)
                .with_default_wal(WalContext::new(config.log, Borsh))
                .with_default_network(NetworkContext::new(identity, Borsh))
                .with_default_sync(SyncContext::new(Borsh))
                .with_default_consensus(consensus)
                .with_default_request(RequestContext::new(16))
                .build(),
        );
        let (channels, handle) = built.map_err(|report| failed(format!("{report:#}")))?;
        let Channels { consensus, network, events, requests: _, net_requests } = channels;
        let EngineHandle { actor, handle } = handle;
        let awaited = Arc::new(AtomicU64::new(u64::MAX));
        let company = (config.peers.len() * 2).div_ceil(3);
        runtime.spawn(forward(net_requests.clone(), company, consensus, inbox.clone()));
        runtime.spawn(listen(events.subscribe(), Arc::clone(&awaited), inbox.clone()));
        runtime.spawn(count(net_requests, peers));
        runtime.spawn(async move {
            let _ = handle.await;
            let _ = inbox.send(Input::Over);
        });
        let app = App::new(chain, chain_id, key, config.pace);
        Ok(Self { app, runtime, engine: actor, parts: network, next: None, awaited })
    }

    /// Runs until there is a reason to end.
    pub fn run(mut self, inbox: &Receiver<Input>) -> End {
        let end = loop {
            match self.step(inbox) {
                Ok(None) => {}
                Ok(Some(end)) | Err(end) => break end,
            }
        };
        if !matches!(end, End::Stopped) {
            error!(%end, "consensus ends");
        }
        let cell = self.engine.get_cell();
        self.runtime.block_on(async {
            cell.stop_children_and_wait(Some("the node ends".into()), Some(STOP)).await;
            let _ = cell.stop_and_wait(Some("the node ends".into()), Some(STOP)).await;
        });
        self.runtime.shutdown_timeout(STOP);
        end
    }

    /// Waits for one input and handles it.
    fn step(&mut self, inbox: &Receiver<Input>) -> Result<Option<End>, End> {
        let received = match self.app.deadline() {
            Some(time) => inbox.recv_timeout(Duration::from_nanos(time.saturating_sub(self.app.now()))),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(Input::Message(message)) => self.message(*message)?,
            Ok(Input::Heard(vote)) => self.app.heard(&vote),
            Ok(Input::Event(Event::Executed(_) | Event::Work)) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Input::Over) => return Ok(Some(End::Failed)),
            Ok(Input::Silent) => return Ok(Some(why_silent(inbox))),
            Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(Some(End::Stopped)),
        }
        if self.next.is_some()
            && let Some((height, params)) = self.app.next()?
            && let Some(reply) = self.next.take()
        {
            let _ = reply.send(Next::Start(height, params));
        }
        self.awaited.store(self.app.awaited().unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(None)
    }

    /// Whoever asked may be gone when the answer comes: then the engine is ending.
    fn message(&mut self, message: AppMsg<Tendermint>) -> Result<(), End> {
        let app = &mut self.app;
        match message {
            AppMsg::ConsensusReady { reply } => {
                let _ = reply.send(app.ready()?);
            }
            AppMsg::StartedRound { height, round, reply_value, .. } => {
                let _ = reply_value.send(app.started_round(height, round)?);
            }
            AppMsg::GetValue { height, round, reply, .. } => {
                if let Some((value, parts)) = app.get_value(height, round)? {
                    let _ = reply.send(value);
                    self.publish(parts);
                }
            }
            AppMsg::ReceivedProposalPart { from, published_by, part, reply } => {
                let _ = reply.send(app.received_part(from, published_by, part)?);
            }
            AppMsg::RestreamProposal { height, round, valid_round, address, value_id } => {
                let parts = app.restream(height, round, valid_round, address, value_id)?;
                self.publish(parts);
            }
            AppMsg::Decided { certificate, reply, .. } => {
                app.decided(&certificate)?;
                let _ = reply.send(());
            }
            AppMsg::Finalized { certificate, evidence, reply, .. } => {
                app.finalized(&certificate, &evidence)?;
                self.next = Some(reply);
            }
            AppMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply } => {
                let _ = reply.send(app.synced(height, round, proposer, &value_bytes)?);
            }
            AppMsg::GetDecidedValues { range, reply } => {
                let _ = reply.send(app.decided_values(&range)?);
            }
            AppMsg::GetHistoryMinHeight { reply } => {
                let _ = reply.send(app.oldest()?);
            }
            // No height of ours asks for extensions.
            AppMsg::ExtendVote { reply, .. } => {
                let _ = reply.send(None);
            }
            AppMsg::VerifyVoteExtensions { reply, .. } => {
                let _ = reply.send(Vec::new());
            }
        }
        Ok(())
    }

    fn publish(&self, parts: Parts) {
        for part in parts {
            if self.parts.blocking_send(NetworkMsg::PublishProposalPart(part)).is_err() {
                return;
            }
        }
    }
}

/// The supervisor follows its children, unless it keeps the process for somebody to look at.
fn why_silent(inbox: &Receiver<Input>) -> End {
    loop {
        match inbox.recv_timeout(GRACE) {
            Ok(Input::Over) => return End::Failed,
            Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return End::Stopped,
            Err(RecvTimeoutError::Timeout) => return End::Unsafe,
            Ok(_) => {}
        }
    }
}

/// Hands the engine's messages on. The first, that it is ready, waits a moment for so many peers: a proposal that nobody
/// hears costs a round.
async fn forward(
    requests: mpsc::Sender<NetworkRequest>,
    company: usize,
    mut messages: mpsc::Receiver<AppMsg<Tendermint>>,
    inbox: Sender<Input>,
) {
    let _ = timeout(ALONE, meet(requests, company)).await;
    while let Some(message) = messages.recv().await {
        if inbox.send(Input::Message(Box::new(message))).is_err() {
            return;
        }
    }
    let _ = inbox.send(Input::Silent);
}

async fn listen(mut events: RxEvent<Tendermint>, awaited: Arc<AtomicU64>, inbox: Sender<Input>) {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match events.recv().await {
            Ok(EngineEvent::Received(SignedConsensusMsg::Vote(vote))) => {
                if vote.message.height.0 >= awaited.load(Ordering::Relaxed) && inbox.send(Input::Heard(vote)).is_err() {
                    return;
                }
            }
            // Another vote will come.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Returns when so many peers are connected.
async fn meet(requests: mpsc::Sender<NetworkRequest>, company: usize) {
    while let Ok(dump) = NetworkRequest::dump_state(&requests).await {
        if dump.map_or(0, |dump| dump.peers.len()) >= company {
            return;
        }
        tokio::time::sleep(GLANCE).await;
    }
}

async fn count(requests: mpsc::Sender<NetworkRequest>, peers: Arc<AtomicUsize>) {
    loop {
        match NetworkRequest::dump_state(&requests).await {
            Ok(dump) => peers.store(dump.map_or(0, |dump| dump.peers.len()), Ordering::Relaxed),
            Err(_) => return,
        }
        tokio::time::sleep(COUNT).await;
    }
}
