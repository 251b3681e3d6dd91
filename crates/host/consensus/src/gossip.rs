//! Peers: how transactions spread, and how snapshots travel.
//!
//! This swarm stands beside the consensus engine's, on a port and with a key of its own. A transaction takes this way:
//!
//! ```text
//! a door ── Gossip::publish ──▶ outbox ──▶ swarm: one message of all that waits ──▶ every peer
//! a peer ──▶ swarm: bounds, the peer's rate ──▶ one thread: seen before? Pool::offer ──▶ swarm: forward or punish
//! ```
//!
//! Nothing is forwarded that the own pool has not accepted. Nothing here blocks and nothing grows without bound: what does
//! not fit is dropped and counted ([`Counts`]). Nodes of another genesis do not get past the handshake.
//!
//! Must not know: what a transaction says, what a chunk of a snapshot means.

mod conduct;
mod counters;
mod dialer;
mod judge;
mod large;
mod outbox;
mod rate;
mod seen;
mod server;
mod service;
mod swarm;
mod wire;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloister_chain::{B256, Bytes, limits};
use libp2p::identity::Keypair;
pub use libp2p::{Multiaddr, PeerId};
use thiserror::Error;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use counters::Counters;
pub use counters::Counts;
use outbox::Outbox;
use seen::{Fate, Seen};
use service::{Command, Service};
pub use wire::{CHUNK_BYTES, OFFERS, SnapshotOffer, WAITING_BYTES};
use wire::{Request, Response};

/// The node's mempool, as gossip sees it. Called from gossip's own threads, one for each method; it may take its time.
pub trait Pool: Send + Sync + 'static {
    /// Takes a peer's transaction, in the form of `Tx::to_bytes`; what the pool thinks of it.
    fn offer(&self, tx: &Bytes) -> Verdict;

    /// Transactions that wait here, those to be offered first in front, of at most `bytes` bytes in sum. A peer that was
    /// away asks for them when it connects.
    fn waiting(&self, bytes: usize) -> Vec<Bytes> {
        let _ = bytes;
        Vec::new()
    }
}

/// What a pool thinks of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It waits in the pool now. It is forwarded.
    Accepted,
    /// Not now, not here: known already, no room, a sequence that was used or is too far ahead, not enough coins. An honest
    /// peer may have sent it.
    Ignored,
    /// Its bytes alone show that no node of this chain can ever accept it. An honest peer does not send such a
    /// transaction, so whoever does so again and again is disconnected.
    Invalid,
}

/// The node's snapshots, as they are served. Called from one thread of gossip's own; it may read from the disk.
pub trait Snapshots: Send + Sync + 'static {
    /// The snapshots that can be had here: the first [`OFFERS`] are told.
    fn offers(&self) -> Vec<SnapshotOffer>;

    /// A chunk of the snapshot of `height`, of at most [`CHUNK_BYTES`]; `None` if it is not here.
    fn chunk(&self, height: u64, index: u32) -> Option<Vec<u8>>;
}

/// What a node's gossip is made of.
pub struct Config {
    /// Who we are to our peers.
    pub key: Key,
    /// Where to listen: `/ip4/…/tcp/…` or `/ip6/…/tcp/…`. Port 0 picks one.
    pub listen: Vec<Multiaddr>,
    /// Peers to be connected to for ever: `/ip4/…/tcp/…`, best with `/p2p/…` behind. Our own address among them does no harm.
    pub peers: Vec<Multiaddr>,
    /// Hash of the genesis. It is in the handshake, the topic and the protocol names.
    pub chain: B256,
    /// Bounds.
    pub limits: Limits,
}

/// Bounds of one node's gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most connections that others opened. Configured peers are let in beyond it.
    pub inbound: u32,
    /// What one peer may send in a second, in the long run; a message counts one, and each transaction in it. A burst may be
    /// four times as large. What is beyond is dropped; 32 times as much at once is a flood, and disconnected.
    pub peer_units: u32,
    /// Bytes that one peer may send in a second; the same rules.
    pub peer_bytes: u32,
    /// Most transactions that wait for the pool, and again that wait to be sent. One peer may fill a quarter of the former.
    pub queue_txs: usize,
    /// Most bytes of them.
    pub queue_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { inbound: 64, peer_units: 4_096, peer_bytes: 4 << 20, queue_txs: 16_384, queue_bytes: 32 << 20 }
    }
}

/// The libp2p Ed25519 key. It prints nothing, is not cloned here, and is erased when dropped.
pub struct Key(Keypair);

impl Key {
    /// The key of `seed`, which is erased.
    pub fn from_seed(seed: &mut [u8; 32]) -> Self {
        Self(Keypair::ed25519_from_bytes(seed).expect("every 32 bytes are the seed of an Ed25519 key"))
    }

    /// The name by which peers know it: what stands behind `/p2p/` in an address.
    pub fn peer(&self) -> PeerId {
        self.0.public().to_peer_id()
    }
}

/// Why gossip did not start: the operator's to mend.
#[derive(Debug, Error)]
pub enum StartError {
    /// Not an address of the forms that [`Config`] names.
    #[error("`{0}` is not an address like /ip4/10.0.0.1/tcp/26656 or /ip4/10.0.0.1/tcp/26656/p2p/12D3…")]
    Address(Multiaddr),
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where it was to listen.
        address: Multiaddr,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The system gives no more threads.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The handshake could not be set up with this key.
    #[error("cannot set up the handshake: {0}")]
    Handshake(#[from] libp2p::noise::Error),
}

/// Why nothing was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FetchError {
    /// No connected peer that is still trusted gave it.
    #[error("no peer gave it")]
    Nobody,
    /// This peer did not answer in time, declined, went away, or answered another question.
    #[error("the peer did not answer")]
    Silent,
    /// Gossip was stopped.
    #[error("stopped")]
    Stopped,
}

/// A running swarm. Dropped or stopped, it leaves the network.
pub struct Gossip {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    /// As many requests at once as one peer answers.
    asking: Semaphore,
    peers: watch::Receiver<BTreeSet<PeerId>>,
    addresses: watch::Receiver<Vec<Multiaddr>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What the handle, the swarm's task and the thread of the pool have in common.
struct Shared {
    limits: Limits,
    outbox: Outbox,
    seen: Mutex<Seen>,
    distrusted: Mutex<conduct::Memory>,
    counters: Counters,
}

impl Gossip {
    /// Listens, and connects to the configured peers. To be called within a tokio runtime.
    pub fn start(config: Config, pool: Arc<dyn Pool>, snapshots: Arc<dyn Snapshots>) -> Result<Self, StartError> {
        let limits = config.limits;
        let shared = Arc::new(Shared {
            limits,
            outbox: Outbox::new(limits.queue_txs, limits.queue_bytes),
            seen: Mutex::default(),
            distrusted: Mutex::default(),
            counters: Counters::default(),
        });
        let (commands, inbox) = mpsc::channel(64);
        let (peers_sender, peers) = watch::channel(BTreeSet::new());
        let (addresses_sender, addresses) = watch::channel(Vec::new());
        let service = Service::new(config, Arc::clone(&shared), pool, snapshots, peers_sender, addresses_sender)?;
        let task = Mutex::new(Some(tokio::spawn(service.run(inbox))));
        Ok(Self { shared, commands, asking: Semaphore::new(service::SERVED_PER_PEER), peers, addresses, task })
    }

    /// Spreads a transaction that the own pool has accepted. Never blocks; without peers it waits for one. What does not
    /// fit into the queue is counted and stays in the own pool only.
    pub fn publish(&self, tx: Bytes) {
        if tx.is_empty() || tx.len() > limits::TX_BYTES {
            self.shared.counters.unsent(1);
            return;
        }
        lock(&self.shared.seen).insert(wire::tx_id(&tx), Fate::Accepted, Instant::now());
        if !self.shared.outbox.push(tx) {
            self.shared.counters.unsent(1);
        }
    }

    /// Connected peers.
    pub fn peers(&self) -> BTreeSet<PeerId> {
        self.peers.borrow().clone()
    }

    /// Where this node can be reached, as far as it knows; empty until it listens.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.addresses.borrow().clone()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.shared.counters.read(self.shared.outbox.size())
    }

    /// False once it was stopped or its task has ended, which on its own it does only if the pool or the snapshots panic.
    pub fn is_running(&self) -> bool {
        !self.commands.is_closed()
    }

    /// The snapshots that connected peers offer, with who offers them. Peers that do not answer are left out.
    pub async fn fetch_offers(&self) -> Vec<(PeerId, SnapshotOffer)> {
        let asked = self.trusted(self.peers()).into_iter().map(|peer| async move {
            match self.ask(peer, Request::Offers).await {
                Ok(Response::Offers(offers)) => offers.into_iter().map(|offer| (peer, offer)).collect(),
                _ => Vec::new(),
            }
        });
        futures::future::join_all(asked).await.concat()
    }

    /// Chunk `index` of the snapshot of `height`, and who gave it. `peers` are asked in turn, beginning with another one for
    /// each index, until one has it; those that declined or kept silent are asked again, twice. Peers that are distrusted are
    /// passed over.
    pub async fn fetch_chunk(
        &self,
        peers: &[PeerId],
        height: u64,
        index: u32,
    ) -> Result<(PeerId, Vec<u8>), FetchError> {
        let mut peers = self.trusted(peers.iter().copied());
        if !peers.is_empty() {
            let first = usize::try_from(index).unwrap_or(usize::MAX) % peers.len();
            peers.rotate_left(first);
        }
        for _ in 0..ROUNDS {
            let mut silent = false;
            for peer in &peers {
                match self.ask(*peer, Request::Chunk { height, index }).await {
                    Ok(Response::Chunk(Some(chunk))) => return Ok((*peer, chunk)),
                    Err(FetchError::Stopped) => return Err(FetchError::Stopped),
                    Err(_) => silent = true,
                    Ok(_) => {}
                }
                tracing::debug!(%peer, height, index, "a peer did not give a chunk");
            }
            if !silent {
                break;
            }
            // A peer that has much to do declines.
            sleep(PAUSE).await;
        }
        Err(FetchError::Nobody)
    }

    /// A chunk of this peer failed its check: it is not asked again for a good while. The connection stays.
    pub fn distrust(&self, peer: PeerId) {
        lock(&self.shared.distrusted).remember(peer, Instant::now() + conduct::DISTRUST);
    }

    /// Leaves the network, and returns when all connections are closed. Further calls return at once.
    pub async fn stop(&self) {
        // Fails only if the task has ended already.
        let _ = self.commands.send(Command::Stop).await;
        let task = lock(&self.task).take();
        if let Some(task) = task {
            // An error is a panic in the task, which the runtime has reported.
            let _ = task.await;
        }
    }

    async fn ask(&self, peer: PeerId, request: Request) -> Result<Response, FetchError> {
        let _permit = self.asking.acquire().await.map_err(|_| FetchError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let command = Command::Ask { peer, request, reply };
        self.commands.send(command).await.map_err(|_| FetchError::Stopped)?;
        // A connection that is dying keeps its requests until the system gives it up.
        match tokio::time::timeout(swarm::ANSWER * 2, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(FetchError::Stopped),
            Err(_) => Err(FetchError::Silent),
        }
    }

    fn trusted(&self, peers: impl IntoIterator<Item = PeerId>) -> Vec<PeerId> {
        let mut distrusted = lock(&self.shared.distrusted);
        distrusted.forget(Instant::now());
        peers.into_iter().filter(|peer| !distrusted.holds(peer)).collect()
    }
}

/// A lock for memory operations only; nothing that holds it can leave its content half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often the peers are asked for a chunk before none is to be had.
const ROUNDS: usize = 3;
/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
