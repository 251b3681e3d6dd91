//! The task that owns the swarm.

mod exchange;
mod intake;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

use cloister_chain::{Bytes, hash};
use futures::StreamExt as _;
use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::{PublishError, TopicHash};
use libp2p::request_response::{InboundRequestId, OutboundRequestId};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, TransportError, ping};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::conduct::{self, Memory, Offences};
use super::dialer::{self, Dialer};
use super::judge::{self, Job, Judged};
use super::large::Large;
use super::outbox::Parcel;
use super::rate::Allowance;
use super::server::{self, Answer, Question};
use super::swarm::{self, Behaviour, BehaviourEvent};
use super::wire::{Announcement, Message, Request, Response, tx_id};
use super::{Config, FetchError, Limits, Pool, Shared, Snapshots, StartError};
use exchange::Asked;
pub(super) use exchange::SERVED_PER_PEER;

/// What the handle wants of the task.
pub(super) enum Command {
    /// Ask a peer.
    Ask {
        /// Whom.
        peer: PeerId,
        /// What.
        request: Request,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Response, FetchError>>,
    },
    /// Leave the network.
    Stop,
}

/// The swarm, and all that is known of its peers.
pub(super) struct Service {
    swarm: Swarm<Behaviour>,
    listeners: Vec<ListenerId>,
    topic: TopicHash,
    shared: Arc<Shared>,
    dialer: Dialer,
    peers: BTreeMap<PeerId, Peer>,
    offences: Offences,
    bans: Memory,
    jobs: std_mpsc::Sender<Job>,
    judged: mpsc::UnboundedReceiver<Judged>,
    /// Transactions, and bytes of them, that wait to be judged.
    waiting: (usize, usize),
    questions: std_mpsc::Sender<Question>,
    answers: mpsc::UnboundedReceiver<Answer>,
    serving: BTreeMap<InboundRequestId, PeerId>,
    asked: BTreeMap<OutboundRequestId, Asked>,
    large: Large,
    /// When what was sent so far is paid for, at the own rate.
    paid: Instant,
    connected: watch::Sender<BTreeSet<PeerId>>,
    addresses: watch::Sender<Vec<Multiaddr>>,
}

/// A peer with a connection.
struct Peer {
    connection: ConnectionId,
    /// Its last sign of life.
    heard: Instant,
    allowance: Allowance,
    /// Transactions of it that wait to be judged.
    waiting: usize,
    /// It wants transactions.
    subscribed: bool,
}

impl Service {
    pub(super) fn new(
        config: Config,
        shared: Arc<Shared>,
        pool: Arc<dyn Pool>,
        snapshots: Arc<dyn Snapshots>,
        connected: watch::Sender<BTreeSet<PeerId>>,
        addresses: watch::Sender<Vec<Multiaddr>>,
    ) -> Result<Self, StartError> {
        let now = Instant::now();
        let dialer = Dialer::new(config.key.peer(), config.peers, now)?;
        let mut swarm = swarm::build(config.key, &config.chain, &config.limits)?;
        for peer in dialer.named() {
            swarm.behaviour_mut().limits.bypass_peer_id(&peer);
        }
        let listeners =
            config.listen.into_iter().map(|address| listen(&mut swarm, address)).collect::<Result<_, _>>()?;
        let (jobs, judged) = judge::start(Arc::clone(&shared), Arc::clone(&pool)).map_err(StartError::Thread)?;
        let (questions, answers) = server::start(pool, snapshots).map_err(StartError::Thread)?;
        Ok(Self {
            swarm,
            listeners,
            topic: swarm::topic(&config.chain).hash(),
            shared,
            dialer,
            peers: BTreeMap::new(),
            offences: Offences::default(),
            bans: Memory::default(),
            jobs,
            judged,
            waiting: (0, 0),
            questions,
            answers,
            serving: BTreeMap::new(),
            asked: BTreeMap::new(),
            large: Large::default(),
            paid: now,
            connected,
            addresses,
        })
    }

    /// Runs until it is told to stop, its handle is dropped, or one of its threads has died.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let shared = Arc::clone(&self.shared);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let heard = self.peers.values().any(|peer| peer.subscribed);
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                judged = self.judged.recv() => match judged {
                    Some(judged) => self.on_judged(judged),
                    None => break tracing::error!("gossip stops: the pool has panicked"),
                },
                answer = self.answers.recv() => match answer {
                    Some(answer) => self.on_answer(answer),
                    None => break tracing::error!("gossip stops: the pool or the snapshots have panicked"),
                },
                command = commands.recv() => match command {
                    Some(Command::Ask { peer, request, reply }) => self.ask(peer, request, reply),
                    Some(Command::Stop) | None => break,
                },
                () = shared.outbox.filled(self.paid), if heard => self.send(),
                _ = tick.tick() => self.on_tick(),
            }
        }
        // From here on, what is asked of the handle fails at once.
        commands.close();
        self.leave().await;
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) => self.on_exchange(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { peer, result: Ok(_), .. })) => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    peer.heard = Instant::now();
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id: peer, connection_id: connection, .. } => {
                tracing::debug!(%peer, "connected");
                let now = Instant::now();
                self.dialer.established(connection, peer);
                self.peers.insert(peer, Peer::new(connection, &self.shared.limits, now));
                self.tell_peers();
            }
            SwarmEvent::ConnectionClosed { peer_id: peer, connection_id: connection, cause, .. } => {
                tracing::debug!(%peer, ?cause, "disconnected");
                if self.peers.get(&peer).is_some_and(|record| record.connection == connection) {
                    self.peers.remove(&peer);
                }
                self.tell_peers();
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                self.dialer.failed(connection_id, peer_id, &error, Instant::now());
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => {
                self.addresses.send_replace(self.swarm.listeners().cloned().collect());
            }
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                tracing::error!(?addresses, %error, "gossip does not listen any more");
            }
            _ => {}
        }
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        for peer in self.bans.forget(now) {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
        for (peer, record) in &self.peers {
            if now.saturating_duration_since(record.heard) >= SILENCE {
                tracing::debug!(%peer, "a peer has fallen silent");
                self.swarm.close_connection(record.connection);
            }
        }
        for options in self.dialer.due(now, |peer| self.peers.contains_key(peer)) {
            let connection = options.connection_id();
            let peer = options.get_peer_id();
            if let Err(error) = self.swarm.dial(options) {
                self.dialer.failed(connection, peer, &error, now);
            }
        }
        self.fetch_large();
    }

    /// Sends what waits, and no faster than peers take it in the long run.
    fn send(&mut self) {
        let Some(parcel) = self.shared.outbox.take() else { return };
        let (message, txs) = match parcel {
            Parcel::Batch(txs) => (Message::Batch(txs.clone()), txs.len()),
            Parcel::Large(tx) => (Message::Large(self.announce(tx)), 1),
        };
        let bytes = message.to_bytes();
        let limits = &self.shared.limits;
        let cost = (txs + 1) as f64 / f64::from(limits.peer_units.max(1));
        let cost = cost.max(bytes.len() as f64 / f64::from(limits.peer_bytes.max(1)));
        let now = Instant::now();
        self.paid = self.paid.max(now.checked_sub(BURST).unwrap_or(now)) + Duration::from_secs_f64(cost * OWN_SHARE);
        match self.swarm.behaviour_mut().gossip.publish(self.topic.clone(), bytes) {
            Ok(_) => self.shared.counters.sent(1),
            // A peer was faster with the very same message.
            Err(PublishError::Duplicate) => {}
            Err(error) => {
                self.shared.counters.unsent(txs);
                tracing::debug!(%error, "transactions were not sent");
            }
        }
    }

    fn announce(&mut self, tx: Bytes) -> Announcement {
        let id = tx_id(&tx);
        let length = u32::try_from(tx.len()).expect("the outbox takes no transaction beyond its limit, 3 MiB");
        let holder = hash::tagged("cloister/gossip/holder", &[&self.swarm.local_peer_id().to_bytes()]);
        self.large.hold(id, tx);
        Announcement { id, length, holder }
    }

    /// An offence that no honest node commits; several, and the peer has to go.
    fn offend(&mut self, peer: PeerId) {
        if self.offences.commit(peer, Instant::now()) {
            tracing::warn!(%peer, "a peer sent too much that is invalid, and is not let in for a while");
            self.ban(peer, conduct::BAN);
        }
    }

    fn ban(&mut self, peer: PeerId, time: Duration) {
        let pardoned = self.bans.remember(peer, Instant::now() + time);
        let blocked = &mut self.swarm.behaviour_mut().blocked;
        if blocked.block_peer(peer) {
            self.shared.counters.banned(1);
        }
        if let Some(pardoned) = pardoned {
            blocked.unblock_peer(pardoned);
        }
    }

    fn tell_peers(&self) {
        self.connected.send_replace(self.peers.keys().copied().collect());
    }

    async fn leave(mut self) {
        for listener in &self.listeners {
            self.swarm.remove_listener(*listener);
        }
        let peers = self.swarm.connected_peers().copied().collect::<Vec<_>>();
        for peer in peers {
            // An error: it has gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        // Peers that are dead do not close.
        let _ = timeout(LEAVE, closed).await;
        self.connected.send_replace(BTreeSet::new());
    }
}

impl Peer {
    fn new(connection: ConnectionId, limits: &Limits, now: Instant) -> Self {
        Self { connection, heard: now, allowance: Allowance::new(limits, now), waiting: 0, subscribed: false }
    }
}

fn listen(swarm: &mut Swarm<Behaviour>, address: Multiaddr) -> Result<ListenerId, StartError> {
    if dialer::parse(&address)?.is_some() {
        return Err(StartError::Address(address));
    }
    swarm.listen_on(address.clone()).map_err(|error| match error {
        TransportError::MultiaddrNotSupported(address) => StartError::Address(address),
        TransportError::Other(reason) => StartError::Listen { address, reason },
    })
}

/// How often dead connections, due attempts and bans are looked for.
const TICK: Duration = Duration::from_millis(250);
/// A connection without a sign of life for this long is dead: five signs are missing.
const SILENCE: Duration = Duration::from_secs(10);
/// How long peers may take to close when we leave.
const LEAVE: Duration = Duration::from_secs(1);
/// Own transactions take half of what peers take from us; the rest is for what we forward.
const OWN_SHARE: f64 = 2.0;
/// What was not sent in this time may be sent at once.
const BURST: Duration = Duration::from_secs(1);
