//! Stories of a few swarms on loopback.
#![allow(clippy::unwrap_used)]

mod hostile;
mod partition;
mod snapshots;
mod spreading;

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A pool that takes everything but `bad…`, which is invalid, `meh…`, which it ignores, and what it has.
#[derive(Default)]
struct TestPool {
    accepted: Mutex<Vec<Bytes>>,
    offered: Mutex<Vec<Bytes>>,
    shut: AtomicBool,
    panics: AtomicBool,
}

impl Pool for TestPool {
    fn offer(&self, tx: &Bytes) -> Verdict {
        assert!(!self.panics.load(Ordering::Relaxed), "the pool panics, as the test wants it");
        while self.shut.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        lock(&self.offered).push(tx.clone());
        if tx.starts_with(b"bad") {
            return Verdict::Invalid;
        }
        let mut accepted = lock(&self.accepted);
        if tx.starts_with(b"meh") || accepted.contains(tx) {
            return Verdict::Ignored;
        }
        accepted.push(tx.clone());
        Verdict::Accepted
    }

    fn waiting(&self, _bytes: usize) -> Vec<Bytes> {
        lock(&self.accepted).clone()
    }
}

impl TestPool {
    fn accepted(&self) -> Vec<Bytes> {
        lock(&self.accepted).clone()
    }

    fn has(&self, tx: &Bytes) -> bool {
        lock(&self.accepted).contains(tx)
    }

    fn was_offered(&self, tx: &Bytes) -> usize {
        lock(&self.offered).iter().filter(|offered| *offered == tx).count()
    }
}

/// Snapshots by height, each of these chunks.
#[derive(Default)]
struct TestSnapshots {
    kept: Vec<(u64, Vec<Vec<u8>>)>,
    shut: Arc<AtomicBool>,
}

impl Snapshots for TestSnapshots {
    fn offers(&self) -> Vec<SnapshotOffer> {
        let offer = |(height, chunks): &(u64, Vec<Vec<u8>>)| SnapshotOffer {
            height: *height,
            state_root: B256::repeat_byte(1),
            chunks: chunks.len() as u32,
            chunk_list: B256::repeat_byte(2),
        };
        self.kept.iter().map(offer).collect()
    }

    fn chunk(&self, height: u64, index: u32) -> Option<Vec<u8>> {
        while self.shut.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let (_, chunks) = self.kept.iter().find(|(have, _)| *have == height)?;
        chunks.get(index as usize).cloned()
    }
}

/// How a node of a story starts.
struct Setup {
    seed: u8,
    listen: Multiaddr,
    peers: Vec<Multiaddr>,
    chain: B256,
    limits: Limits,
    pool: TestPool,
    snapshots: TestSnapshots,
}

struct Node {
    gossip: Gossip,
    pool: Arc<TestPool>,
    seed: u8,
}

const CHAIN: B256 = B256::repeat_byte(0xc1);

fn node(seed: u8) -> Setup {
    Setup {
        seed,
        listen: "/ip4/127.0.0.1/tcp/0".parse().unwrap(),
        peers: Vec::new(),
        chain: CHAIN,
        limits: Limits::default(),
        pool: TestPool::default(),
        snapshots: TestSnapshots::default(),
    }
}

fn key(seed: u8) -> Key {
    Key::from_seed(&mut [seed; 32])
}

impl Setup {
    fn peer(mut self, peer: Multiaddr) -> Self {
        self.peers.push(peer);
        self
    }

    fn listen(mut self, address: Multiaddr) -> Self {
        self.listen = address;
        self
    }

    fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn snapshots(mut self, snapshots: Vec<(u64, Vec<Vec<u8>>)>) -> Self {
        self.snapshots.kept = snapshots;
        self
    }

    fn start(self) -> Result<Node, StartError> {
        let config = Config {
            key: key(self.seed),
            listen: vec![self.listen],
            peers: self.peers,
            chain: self.chain,
            limits: self.limits,
        };
        let pool = Arc::new(self.pool);
        let gossip = Gossip::start(config, Arc::clone(&pool) as _, Arc::new(self.snapshots))?;
        Ok(Node { gossip, pool, seed: self.seed })
    }

    fn spawn(self) -> Node {
        self.start().unwrap()
    }
}

impl Node {
    fn peer_id(&self) -> PeerId {
        key(self.seed).peer()
    }

    /// Where it listens, with its name behind.
    async fn address(&self) -> Multiaddr {
        until("it listens", || !self.gossip.addresses().is_empty()).await;
        self.gossip.addresses().remove(0).with_p2p(self.peer_id()).unwrap()
    }

    async fn has_peers(&self, count: usize) {
        until(&format!("node {} has {count} peers", self.seed), || self.gossip.peers().len() == count).await;
    }

    async fn gets(&self, tx: &Bytes) {
        until(&format!("node {} gets {tx}", self.seed), || self.pool.has(tx)).await;
    }

    /// As a door does: into the own pool, and to the others.
    fn submit(&self, tx: &Bytes) {
        lock(&self.pool.accepted).push(tx.clone());
        self.gossip.publish(tx.clone());
    }
}

fn tx(name: &str) -> Bytes {
    Bytes::copy_from_slice(name.as_bytes())
}

/// Waits for a condition, generously.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

#[tokio::test]
async fn what_is_no_address_is_refused_at_the_start() {
    for address in ["/dns4/example.org/tcp/1", "/ip4/127.0.0.1/udp/1", "/ip4/127.0.0.1"] {
        let address: Multiaddr = address.parse().unwrap();
        assert!(matches!(node(1).peer(address.clone()).start(), Err(StartError::Address(_))));
        assert!(matches!(node(1).listen(address).start(), Err(StartError::Address(_))));
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_to_be() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port());
    let refused = node(1).listen(address.parse().unwrap()).start();
    assert!(matches!(refused, Err(StartError::Listen { .. })));
}

#[test]
fn a_key_has_one_name_and_its_seed_is_erased() {
    let mut seed = [7; 32];
    let name = Key::from_seed(&mut seed).peer();
    assert_eq!(name.to_string(), "12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7");
    assert_eq!(seed, [0; 32]);
}
