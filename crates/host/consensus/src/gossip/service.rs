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
use super::{Config, FetchError, Pool, Shared, Snapshots, StartError};
use exchange::Asked;

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
    links: BTreeMap<ConnectionId, Link>,
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

/// A connection.
struct Link {
    peer: PeerId,
    outbound: bool,
    since: Instant,
    heard: Instant,
    /// It was told to close. With a dead connection that may take the system a quarter of an hour.
    closing: bool,
}

/// A peer with a connection.
struct Peer {
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
        let dialer = Dialer::new(config.peers, now)?;
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
            links: BTreeMap::new(),
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
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { connection, result: Ok(_), .. })) => {
                if let Some(link) = self.links.get_mut(&connection) {
                    link.heard = Instant::now();
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, endpoint.is_dialer());
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "a connection was closed");
                self.links.remove(&connection_id);
                if num_established == 0 {
                    self.peers.remove(&peer_id);
                }
                self.tell_peers();
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dialer.failed(connection_id, &error);
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

    fn on_connected(&mut self, peer: PeerId, connection: ConnectionId, outbound: bool) {
        let now = Instant::now();
        tracing::debug!(%peer, outbound, "a connection stands");
        self.dialer.established(connection, peer);
        let limits = &self.shared.limits;
        self.peers.entry(peer).or_insert_with(|| Peer::new(Allowance::new(limits, now)));
        let link = Link { peer, outbound, since: now, heard: now, closing: false };
        // One connection for each peer, so that its messages keep their order.
        let me = *self.swarm.local_peer_id();
        let others = self.links.iter().filter(|(_, other)| other.peer == peer && !other.closing);
        let surplus = others
            .map(|(id, other)| match link.replaces(other, me) {
                true => *id,
                false => connection,
            })
            .collect::<BTreeSet<_>>();
        self.links.insert(connection, link);
        for connection in surplus {
            self.close(connection);
        }
        self.tell_peers();
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        for peer in self.bans.forget(now) {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
        let silent = |link: &Link| !link.closing && now.saturating_duration_since(link.heard) >= SILENCE;
        let silent = self.links.iter().filter(|(_, link)| silent(link)).map(|(id, _)| *id).collect::<Vec<_>>();
        for connection in silent {
            self.close(connection);
        }
        let live = self.live();
        for options in self.dialer.due(now, |peer| live.contains(peer)) {
            let connection = options.connection_id();
            if let Err(error) = self.swarm.dial(options) {
                self.dialer.failed(connection, &error);
            }
        }
        self.fetch_large();
        self.tell_peers();
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
        for link in self.links.values_mut().filter(|link| link.peer == peer) {
            link.closing = true;
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        if let Some(link) = self.links.get_mut(&connection) {
            link.closing = true;
        }
        self.swarm.close_connection(connection);
    }

    fn live(&self) -> BTreeSet<PeerId> {
        self.links.values().filter(|link| !link.closing).map(|link| link.peer).collect()
    }

    fn tell_peers(&self) {
        let live = self.live();
        self.connected.send_if_modified(|told| {
            let changed = *told != live;
            *told = live;
            changed
        });
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

impl Link {
    /// Which of two connections with the same peer stays; both sides come to the same answer. Of two that dialled each other
    /// at once, that of the smaller name; otherwise the newer, because the peer that made it knows of no other.
    fn replaces(&self, older: &Self, me: PeerId) -> bool {
        let at_once = self.since.saturating_duration_since(older.since) < AT_ONCE;
        match at_once && self.outbound != older.outbound {
            true => self.outbound == (me < self.peer),
            false => true,
        }
    }
}

impl Peer {
    fn new(allowance: Allowance) -> Self {
        Self { allowance, waiting: 0, subscribed: false }
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
/// Two connections this close together were made at once.
const AT_ONCE: Duration = Duration::from_secs(5);
/// How long peers may take to close when we leave.
const LEAVE: Duration = Duration::from_secs(1);
/// Own transactions take half of what peers take from us; the rest is for what we forward.
const OWN_SHARE: f64 = 2.0;
/// What was not sent in this time may be sent at once.
const BURST: Duration = Duration::from_secs(1);
