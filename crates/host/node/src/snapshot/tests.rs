//! Givers, liars and a taker, on loopback.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use cloister_chain::{Address, Bytes, Certificate, Header, Leaf, Outcome, Receipt};
use cloister_consensus::gossip::{Config, Key, Limits, Multiaddr, Pool, Snapshots, Verdict};
use ed25519_zebra::SigningKey;

use super::*;

/// A chain of which every block leaves something large, and its shelf.
struct Giver {
    store: Arc<Store>,
    shelf: Arc<Shelf>,
    last: Parent,
    _home: tempfile::TempDir,
}

impl Giver {
    fn new() -> Self {
        let genesis = Genesis::for_tests();
        let home = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::create(None, &genesis).unwrap());
        let outcome = outcome(0, Vec::new(), Vec::new());
        store.commit_genesis(&outcome).unwrap();
        let shelf = Arc::new(Shelf::open(home.path(), Arc::clone(&store)).unwrap());
        Self { store, shelf, last: Parent::genesis(&genesis, &outcome), _home: home }
    }

    fn block(&mut self) {
        let block = self.last.block(vec![], vec![], 0, Address::ZERO);
        let Header { chain_id, height, .. } = &block.header;
        let certificate = Certificate::solo(&SigningKey::from([7; 32]), chain_id, *height, block.header.hash());
        let code = Bytes::from(vec![*height as u8; 900_000]);
        let writes = vec![(Leaf::Chain, Some(vec![*height as u8])), (Leaf::Code(*height), Some(vec![5; 700_000]))];
        let made = outcome(*height, writes, vec![(keccak256(&code), code)]);
        self.store.commit(&block, &certificate, &made).unwrap();
        self.last = self.last.then(block.header, certificate, &made);
    }

    /// A snapshot of block 2, of a chain that has a third.
    fn ready() -> Self {
        let mut giver = Self::new();
        giver.block();
        giver.block();
        giver.shelf.write(&giver.store.reader().unwrap()).unwrap();
        assert!(giver.shelf.offers().is_empty(), "no header names its root yet");
        giver.block();
        giver
    }
}

fn outcome(height: u64, writes: Vec<(Leaf, Option<Vec<u8>>)>, blobs: Vec<(B256, Bytes)>) -> Outcome {
    let set = Genesis::for_tests().validators;
    Outcome {
        height,
        receipts: vec![],
        writes,
        blobs,
        state_root: B256::repeat_byte(height as u8),
        results: Receipt::root(&[]),
        next_base_fee: 1,
        next_validators: set.clone(),
        following_validators: set,
        checkpoint: vec![],
        sealed_roots: None,
    }
}

/// Gives what another shelf has, changed.
struct Liar {
    shelf: Arc<Shelf>,
    chunk: u32,
    root: Option<B256>,
}

impl Snapshots for Liar {
    fn offers(&self) -> Vec<SnapshotOffer> {
        let offers = self.shelf.offers().into_iter();
        offers.map(|offer| SnapshotOffer { state_root: self.root.unwrap_or(offer.state_root), ..offer }).collect()
    }

    fn chunk(&self, height: u64, index: u32) -> Option<Vec<u8>> {
        let mut chunk = self.shelf.chunk(height, index)?;
        if index == self.chunk {
            chunk[7] ^= 1;
        }
        Some(chunk)
    }
}

struct NoPool;

impl Pool for NoPool {
    fn offer(&self, _: &Bytes) -> Verdict {
        Verdict::Ignored
    }
}

struct Nothing;

impl Snapshots for Nothing {
    fn offers(&self) -> Vec<SnapshotOffer> {
        Vec::new()
    }

    fn chunk(&self, _: u64, _: u32) -> Option<Vec<u8>> {
        None
    }
}

/// A swarm that gives `snapshots`, with `peers`.
fn swarm(runtime: &Runtime, seed: u8, peers: &[Multiaddr], snapshots: Arc<dyn Snapshots>) -> (Gossip, Multiaddr) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
    let config = Config {
        key: Key::from_seed(&mut [seed; 32]),
        listen: vec![address.clone()],
        peers: peers.to_vec(),
        chain: Genesis::for_tests().hash(),
        limits: Limits::default(),
    };
    let gossip = runtime.block_on(async { Gossip::start(config, Arc::new(NoPool), snapshots).unwrap() });
    (gossip, address)
}

/// What a newcomer takes from these, and a place for it.
fn take_from(givers: Vec<Arc<dyn Snapshots>>) -> (Option<Taken>, tempfile::TempDir) {
    let runtime = Runtime::new().unwrap();
    let swarms: Vec<_> = (1..).zip(givers).map(|(seed, giver)| swarm(&runtime, seed, &[], giver)).collect();
    let addresses: Vec<Multiaddr> = swarms.iter().map(|(_, address)| address.clone()).collect();
    let (newcomer, _) = swarm(&runtime, 99, &addresses, Arc::new(Nothing));
    runtime.block_on(async {
        let start = Instant::now();
        while newcomer.peers().len() < addresses.len() {
            assert!(start.elapsed() < Duration::from_secs(60), "the swarms do not meet");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let home = tempfile::tempdir().unwrap();
    let taken = Taken::fetch(&runtime, &newcomer, &Genesis::for_tests(), home.path()).unwrap();
    (taken, home)
}

#[test]
fn a_newcomer_takes_the_state_and_goes_on_from_it() {
    let giver = Giver::ready();
    let (taken, _home) = take_from(vec![Arc::clone(&giver.shelf) as _]);
    let taken = taken.unwrap();
    assert_eq!((taken.parent.header.height, taken.parent.state_root), (2, B256::repeat_byte(2)));

    let store = Store::create(None, &Genesis::for_tests()).unwrap();
    store.adopt(&taken.parent, &taken.trail, b"sealed", taken.items().unwrap()).unwrap();
    let (ours, theirs) = (store.reader().unwrap(), giver.store.reader().unwrap());
    let state = |reader: &Reader| reader.leaves(2, 1).unwrap().flat_map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(state(&ours), state(&theirs));
    let code = keccak256([2; 900_000]);
    assert_eq!(ours.blob(&code).unwrap(), theirs.blob(&code).unwrap());
    assert_eq!(ours.tip_certificate().unwrap(), taken.parent.certificate);
}

#[test]
fn a_chunk_that_was_changed_is_refused_and_another_peer_is_asked() {
    let giver = Giver::ready();
    let chunks = giver.shelf.offers()[0].chunks;
    assert!(chunks > 3, "the state is cut");
    for chunk in [1, chunks - 1] {
        let liar = || Arc::new(Liar { shelf: Arc::clone(&giver.shelf), chunk, root: None });
        let (taken, home) = take_from(vec![liar(), Arc::clone(&giver.shelf) as _, liar()]);
        let items: Result<Vec<Item>, _> = taken.as_ref().unwrap().items().unwrap().collect();
        assert_eq!(items.unwrap().len(), 5, "three leaves and two blobs");
        drop(taken);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left lying about");
        assert!(take_from(vec![liar()]).0.is_none(), "without an honest peer there is no state");
    }
}

#[test]
fn a_state_to_which_no_way_leads_is_not_even_fetched() {
    let giver = Giver::ready();
    for (chunk, root) in [(0, None), (u32::MAX, Some(B256::ZERO))] {
        let liar = || Arc::new(Liar { shelf: Arc::clone(&giver.shelf), chunk, root });
        assert!(take_from(vec![liar()]).0.is_none());
        assert!(take_from(vec![liar(), Arc::clone(&giver.shelf) as _]).0.is_some());
    }
    assert!(take_from(vec![Arc::new(Nothing)]).0.is_none());
}

#[test]
fn the_two_newest_snapshots_are_kept() {
    let mut giver = Giver::new();
    for _ in 0..3 {
        giver.block();
        giver.shelf.write(&giver.store.reader().unwrap()).unwrap();
    }
    giver.block();
    let heights: Vec<u64> = giver.shelf.offers().iter().map(|offer| offer.height).collect();
    assert_eq!(heights, [2, 3]);
    assert_eq!((giver.shelf.chunk(1, 0), giver.shelf.chunk(1, 1)), (None, None));
    assert_eq!(giver.shelf.chunk(3, 1).unwrap().len(), CHUNK_BYTES);
    assert_eq!(giver.shelf.chunk(3, 99), None);
}
