//! The engine, running.
//!
//! Malachite has threads of its own. The [`App`](super::app::App) has one, which takes messages of the engine and events of
//! the node in the order in which they come, and stores what it is about to say before it says it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use thiserror::Error;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{Chain, End, Event, Pace, ValidatorKey};

mod pump;
mod settings;

use pump::{Input, Pump};

/// How to run a node of a network.
pub struct EngineConfig {
    /// Chain id: the name of the network, and part of all that is signed.
    pub chain_id: String,
    /// The node's name among its peers. They see it.
    pub moniker: String,
    /// The key that signs when it is in the validator set of a height. A node whose key is in none follows as a full node.
    pub key: ValidatorKey,
    /// Seed of the Ed25519 key that names the node among its peers. Not the validator's.
    pub peer_key: Zeroizing<[u8; 32]>,
    /// Where to listen: `/ip4/0.0.0.0/tcp/26656`.
    pub listen: String,
    /// Peers to keep a connection to for as long as this node runs: `/ip4/192.0.2.1/tcp/26656`, with or without `/p2p/ID`.
    pub peers: Vec<String>,
    /// How messages get from one to all.
    pub spread: Spread,
    /// The log of what was signed. One per validator key, for ever: a vote that it forgets could be contradicted.
    pub log: PathBuf,
    /// How fast heights follow each other.
    pub pace: Pace,
}

/// How messages get from one node to all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// From neighbour to neighbour (GossipSub), and from whoever says it to all neighbours at once. A connection has one
    /// stream for all messages: each takes as long as a packet does.
    #[default]
    Gossip,
    /// Straight to everybody one is connected to, and no further. Each message opens a stream, on whose protocol both sides
    /// agree first: it takes as long as three packets do, one after the other.
    Direct,
}

/// Why the engine did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Neither a way to listen nor to dial.
    #[error("not the address of a peer: {0}")]
    Address(String),
    /// Another process listens there, or nobody may.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The operating system refused a thread.
    #[error("no thread for consensus: {0}")]
    Thread(#[from] std::io::Error),
    /// The log of what was signed could not be relied on when consensus ran last, and this file says so. The engine cuts off
    /// what it cannot read, so a second start would go on as if nothing had been signed. Remove the file only when this key
    /// has certainly not voted at a height that is still open.
    #[error("the log of signed votes failed: {} says so", .0.display())]
    Unsafe(PathBuf),
    /// Something that the engine needs is not there: above all, the log is locked by another process.
    #[error("the consensus engine did not start: {0}")]
    Engine(String),
}

/// A running engine. Dropping it stops it without waiting.
pub struct Engine {
    inbox: Sender<Input>,
    ended: watch::Receiver<Option<Arc<End>>>,
    peers: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// Where the node reports what happens outside of consensus.
#[derive(Clone)]
pub struct Events(Sender<Input>);

impl Engine {
    /// Starts on top of what `chain` has decided and executed. Waits until the engine is up, which takes some milliseconds.
    pub fn start(config: EngineConfig, chain: Box<dyn Chain>) -> Result<Self, StartError> {
        let (inbox, outbox) = channel();
        let (tell, ended) = watch::channel(None);
        let (up, started) = channel();
        let peers = Arc::new(AtomicUsize::new(0));
        let settings = settings::Settings::new(&config)?;
        let mark = config.log.with_extension("unsafe");
        if mark.exists() {
            return Err(StartError::Unsafe(mark));
        }
        let (own, count) = (inbox.clone(), Arc::clone(&peers));
        let run = move || match Pump::start(config, settings, chain, own, count) {
            Ok(pump) => {
                let _ = up.send(Ok(()));
                let end = pump.run(&outbox);
                if matches!(end, End::Unsafe)
                    && let Err(error) = std::fs::write(&mark, WARNING)
                {
                    tracing::error!(%error, mark = %mark.display(), "cannot leave a mark of the failed log");
                }
                tracing::info!(%end, "consensus ended");
                let _ = tell.send(Some(Arc::new(end)));
            }
            Err(error) => {
                let _ = up.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("consensus".into()).spawn(run)?;
        let lost = || StartError::Engine("its thread ended".into());
        started.recv().map_err(|_| lost())??;
        Ok(Self { inbox, ended, peers, thread: Some(thread) })
    }

    /// Where to report events.
    pub fn events(&self) -> Events {
        Events(self.inbox.clone())
    }

    /// Peers connected to at the moment; up to two seconds old.
    pub fn peers(&self) -> usize {
        self.peers.load(Ordering::Relaxed)
    }

    /// Waits for the end, and says why.
    pub async fn ended(&self) -> Arc<End> {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await;
        // A thread that panicked tells nothing.
        end.ok().and_then(|end| end.clone()).unwrap_or_else(|| Arc::new(End::Failed))
    }

    /// The end, if there was one.
    pub fn end(&self) -> Option<Arc<End>> {
        self.ended.borrow().clone()
    }

    /// Stops and waits until nothing more is said or written. Blocks the thread for up to a few seconds.
    pub fn stop(mut self) {
        let _ = self.inbox.send(Input::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// What the engine counts, in the text format of Prometheus.
    pub fn metrics() -> String {
        let mut text = String::new();
        malachite::app::metrics::export(&mut text);
        text
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.inbox.send(Input::Stop);
    }
}

impl Events {
    /// Reports one. After the end nobody listens.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(Input::Event(event));
    }
}

/// What the mark of a failed log says.
const WARNING: &str =
    "The log of what this validator signed failed. See the log of the node. Do not remove this file before the
height at which it happened is decided: the validator could contradict itself and lose its stake.\n";

#[cfg(test)]
mod tests;
