#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cloister_chain::{Block, Bytes, Certificate, Evidence, Parent, ValidatorSet};
use zeroize::Zeroizing;

use super::*;
use crate::bft::testing::{Disk, Node, Shared, chain_id, key, power_tx, set};
use crate::bft::{Fatal, Kept};

mod link;

use link::Link;

/// A chain whose blocks are executed by another thread a little later, as a node does it.
struct Executing {
    shared: Shared,
    events: Arc<OnceLock<Events>>,
}

/// A network on this machine.
struct Network {
    name: String,
    ports: Vec<u16>,
    /// From each to each, if the network goes through links.
    links: Vec<Vec<Link>>,
    set: ValidatorSet,
    pace: Pace,
    spread: Spread,
    nodes: Vec<Option<(Engine, Shared)>>,
    logs: std::path::PathBuf,
}

impl Network {
    /// As many nodes as there are powers; a node with power 0 is no validator.
    fn start(name: &str, powers: &[u64], pace: Pace) -> Self {
        Self::start_over(name, powers, pace, Spread::Gossip, |_| Vec::new())
    }

    /// The same with ways that can be blocked.
    fn start_linked(name: &str, powers: &[u64], pace: Pace) -> Self {
        let links = |ports: &[u16]| ports.iter().map(|_| ports.iter().map(|port| Link::to(*port)).collect()).collect();
        Self::start_over(name, powers, pace, Spread::Gossip, links)
    }

    fn start_over(name: &str, powers: &[u64], pace: Pace, spread: Spread, links: fn(&[u16]) -> Vec<Vec<Link>>) -> Self {
        let open: Vec<TcpListener> = powers.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = open.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        drop(open);
        let logs = std::env::temp_dir().join(format!("cloister-bft-{}-{name}", std::process::id()));
        let voting: Vec<u64> = powers.iter().copied().take_while(|power| *power > 0).collect();
        let (links, set) = (links(&ports), set(&voting));
        let mut network = Self { name: name.into(), ports, links, set, pace, spread, nodes: Vec::new(), logs };
        for index in 0..powers.len() {
            network.nodes.push(None);
            network.boot(index, Disk::default());
        }
        network
    }

    fn boot(&mut self, index: usize, disk: Disk) {
        self.try_boot(index, disk).unwrap();
    }

    fn try_boot(&mut self, index: usize, disk: Disk) -> Result<(), StartError> {
        let shared = Shared::new(Node::restarted(disk, &self.set, None));
        let events = Arc::new(OnceLock::new());
        let chain = Executing { shared: shared.clone(), events: Arc::clone(&events) };
        let address = |port: &u16| format!("/ip4/127.0.0.1/tcp/{port}");
        let way = |(other, port): (usize, &u16)| match self.links.get(index) {
            Some(links) => address(&links[other].port),
            None => address(port),
        };
        let others = self.ports.iter().enumerate().filter(|(other, _)| *other != index);
        let config = EngineConfig {
            chain_id: chain_id(),
            moniker: format!("{}-{index}", self.name),
            key: key(index),
            peer_key: Zeroizing::new([index as u8 + 100; 32]),
            listen: address(&self.ports[index]),
            peers: others.map(way).collect(),
            spread: self.spread,
            log: self.logs.join(format!("{index}.wal")),
            pace: self.pace,
        };
        let engine = Engine::start(config, Box::new(chain))?;
        assert!(events.set(engine.events()).is_ok());
        self.nodes[index] = Some((engine, shared));
        Ok(())
    }

    /// Stops a node and keeps its disk.
    fn stop(&mut self, index: usize) -> Disk {
        let (engine, shared) = self.nodes[index].take().unwrap();
        engine.stop();
        std::mem::take(&mut shared.lock().disk)
    }

    fn running(&self) -> impl Iterator<Item = &(Engine, Shared)> {
        self.nodes.iter().flatten()
    }

    /// Cuts the network in two, or makes it whole again.
    fn cut(&self, side: &[usize], cut: bool) {
        for (from, links) in self.links.iter().enumerate() {
            for (to, link) in links.iter().enumerate() {
                link.block(cut && side.contains(&from) != side.contains(&to));
            }
        }
    }

    /// Puts a transaction into every mempool.
    fn send(&self, tx: Bytes) {
        for (engine, shared) in self.running() {
            shared.lock().pool.push(tx.clone());
            engine.events().send(Event::Work);
        }
    }

    /// Waits until every running node executed `height`.
    fn reach(&self, height: u64) {
        let start = Instant::now();
        while self.running().any(|(_, shared)| shared.lock().parent.header.height < height) {
            for (engine, _) in self.running() {
                assert!(engine.end().is_none(), "{} ended: {}", self.name, engine.end().unwrap());
            }
            let heights: Vec<u64> = self.running().map(|(_, shared)| shared.lock().parent.header.height).collect();
            assert!(start.elapsed() < Duration::from_secs(90), "{}: no height {height}: {heights:?}", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a node ends by itself.
    fn end(&self, index: usize) -> Arc<End> {
        let start = Instant::now();
        loop {
            if let Some(end) = self.nodes[index].as_ref().unwrap().0.end() {
                return end;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "it goes on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn highest(&self) -> u64 {
        self.running().map(|(_, shared)| shared.lock().parent.header.height).max().unwrap()
    }

    /// All running nodes have the same blocks, as far as they got.
    fn agrees(&self) {
        let chains: Vec<_> = self.running().map(|(_, shared)| shared.lock().hashes()).collect();
        let longest = chains.iter().max_by_key(|chain| chain.len()).unwrap();
        assert!(chains.iter().all(|chain| longest.starts_with(chain)));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for (engine, _) in self.nodes.drain(..).flatten() {
            engine.stop();
        }
        let _ = std::fs::remove_dir_all(&self.logs);
    }
}

impl Chain for Executing {
    fn decide(&mut self, block: &Block, certificate: &Certificate) -> Result<(), Fatal> {
        self.shared.decide(block, certificate)?;
        let (shared, events, height) = (self.shared.clone(), Arc::clone(&self.events), block.header.height);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(3));
            while shared.lock().execute() {}
            if let Some(events) = events.get() {
                events.send(Event::Executed(height));
            }
        });
        Ok(())
    }

    fn parent(&self) -> Arc<Parent> {
        self.shared.parent()
    }

    fn select(&self, parent: &Parent) -> Vec<Bytes> {
        self.shared.select(parent)
    }

    fn evidence(&self) -> Vec<Evidence> {
        self.shared.evidence()
    }

    fn has_work(&self) -> bool {
        self.shared.has_work()
    }

    fn report(&mut self, evidence: Evidence) {
        self.shared.report(evidence);
    }

    fn keep(&mut self, kept: &Kept) -> Result<(), Fatal> {
        self.shared.keep(kept)
    }

    fn kept(&self, height: u64) -> Result<Vec<Kept>, Fatal> {
        self.shared.kept(height)
    }

    fn extend(&mut self, certificate: &Certificate) -> Result<(), Fatal> {
        self.shared.extend(certificate)
    }

    fn tip(&self) -> Result<u64, Fatal> {
        self.shared.tip()
    }

    fn decided(&self, height: u64) -> Result<Option<(Block, Certificate)>, Fatal> {
        self.shared.decided(height)
    }

    fn oldest(&self) -> Result<u64, Fatal> {
        self.shared.oldest()
    }

    fn now(&self) -> u64 {
        self.shared.now()
    }
}

fn quick() -> Pace {
    Pace { idle: Duration::from_millis(100), target: None, ..Pace::default() }
}

fn patient() -> Pace {
    Pace { idle: Duration::from_secs(3_600), ..Pace::default() }
}

#[test]
fn four_validators_decide_idle_blocks() {
    let network = Network::start("idle", &[1, 1, 1, 1], quick());
    network.reach(10);
    network.agrees();
    let start = Instant::now();
    while network.running().any(|(engine, _)| engine.peers() != 3) {
        assert!(start.elapsed() < Duration::from_secs(30), "peers are not counted");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(Engine::metrics().contains("malachitebft"));
}

#[test]
fn four_validators_decide_blocks_without_gossip() {
    let network = Network::start_over("direct", &[1, 1, 1, 1], quick(), Spread::Direct, |_| Vec::new());
    network.reach(5);
    network.send(vec![1; 1 << 20].into());
    network.reach(network.highest() + 3);
    network.agrees();
}

#[test]
fn a_transaction_makes_a_block_and_one_more_to_agree_on_its_results_and_then_it_is_quiet() {
    let network = Network::start("quiet", &[1, 1, 1, 1], patient());
    network.reach(1);
    for (count, size) in [(1usize, 10usize), (2, 100_000), (3, 1 << 20)] {
        let height = network.highest();
        network.send(vec![count as u8; size].into());
        network.reach(height + 2);
    }
    std::thread::sleep(Duration::from_millis(500));
    let height = network.highest();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(network.highest(), height);
    network.agrees();
    let (_, shared) = network.running().next().unwrap();
    let node = shared.lock();
    let sizes: Vec<usize> = node.disk.decided.iter().flat_map(|(block, _)| &block.txs).map(|tx| tx.len()).collect();
    assert_eq!(sizes, [10, 100_000, 1 << 20], "each once");
}

#[test]
fn one_of_four_may_stop_and_catches_up_when_it_is_back() {
    let mut network = Network::start("one", &[1, 1, 1, 1], quick());
    network.reach(3);
    let disk = network.stop(2);
    let behind = disk.decided.len() as u64;
    network.reach(behind + 6);
    network.boot(2, disk);
    network.reach(network.highest() + 3);
    network.agrees();
}

#[test]
fn with_two_of_four_gone_nothing_is_decided_and_it_resumes_when_one_is_back() {
    let mut network = Network::start("two", &[1, 1, 1, 1], quick());
    network.reach(2);
    let (one, other) = (network.stop(0), network.stop(3));
    std::thread::sleep(Duration::from_millis(300));
    let height = network.highest();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(network.highest(), height, "two of four decide nothing");
    network.boot(3, other);
    network.reach(height + 3);
    network.boot(0, one);
    network.reach(network.highest() + 3);
    network.agrees();
}

#[test]
fn when_all_stop_at_once_every_decided_block_is_there_afterwards() {
    let mut network = Network::start("all", &[1, 1, 1, 1], quick());
    network.send(Bytes::from_static(b"keep me"));
    network.reach(5);
    let disks: Vec<Disk> = (0..4).map(|index| network.stop(index)).collect();
    let before: Vec<_> = disks[0].decided.iter().map(|(block, _)| block.header.hash()).collect();
    for (index, disk) in disks.into_iter().enumerate() {
        network.boot(index, disk);
    }
    network.reach(before.len() as u64 + 3);
    network.agrees();
    let (_, shared) = network.running().next().unwrap();
    assert!(shared.lock().hashes().starts_with(&before));
}

#[test]
fn a_node_that_joins_follows_then_votes_and_proposes_once_it_is_in_the_set_and_follows_again_when_it_leaves() {
    let mut network = Network::start("join", &[1, 1, 1, 0], quick());
    network.reach(3);
    let newcomer = key(3);
    network.send(power_tx(newcomer.public(), 1));
    let proposed = |network: &Network| {
        let (_, shared) = network.nodes[3].as_ref().unwrap();
        let node = shared.lock();
        let own = node.disk.decided.iter().filter(|(block, _)| block.header.proposer == newcomer.address());
        own.map(|(block, _)| block.header.height).max()
    };
    let start = Instant::now();
    while proposed(&network).is_none() {
        assert!(start.elapsed() < Duration::from_secs(30), "the newcomer never proposes");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Two of the four, with the newcomer, are not more than two thirds; three are.
    let disk = network.stop(0);
    network.reach(network.highest() + 4);
    network.boot(0, disk);
    network.send(power_tx(newcomer.public(), 0));
    network.reach(network.highest() + 8);
    let last = proposed(&network).unwrap();
    network.reach(network.highest() + 8);
    assert_eq!(proposed(&network), Some(last), "it left");
    network.agrees();
}

#[test]
fn a_fresh_node_catches_up_with_blocks_of_all_sizes() {
    let mut network = Network::start("fresh", &[1, 1, 1, 1], quick());
    for count in 0..12u8 {
        let size = if count % 4 == 3 { 2 << 20 } else { 1_000 };
        network.send(vec![count; size].into());
        network.reach(network.highest() + 1);
    }
    network.stop(1);
    network.reach(network.highest() + 2);
    network.boot(1, Disk::default());
    network.reach(network.highest() + 2);
    network.agrees();
}

#[test]
fn a_validator_whose_enclave_computes_something_else_stops_and_says_what_differs() {
    let mut network = Network::start("deviates", &[1, 1, 1, 1], quick());
    network.reach(2);
    network.nodes[1].as_ref().unwrap().1.lock().deviation = 1;
    let end = network.end(1);
    let End::Diverged(difference) = &*end else { panic!("{end}") };
    assert_eq!(difference.field, "state root");
    network.nodes[1].take().unwrap().0.stop();
    network.reach(network.highest() + 4);
    network.agrees();
}

#[test]
fn two_processes_cannot_have_one_log_or_one_port_and_a_bad_address_is_named() {
    let network = Network::start("twice", &[1], quick());
    network.reach(2);
    let config = |listen: &str, log: &str| EngineConfig {
        chain_id: chain_id(),
        moniker: "twice".into(),
        key: key(0),
        peer_key: Zeroizing::new([9; 32]),
        listen: listen.into(),
        peers: Vec::new(),
        spread: Spread::Gossip,
        log: network.logs.join(log),
        pace: quick(),
    };
    let chain = || Box::new(Shared::new(Node::new(&set(&[1]))));
    let taken = Engine::start(config("/ip4/127.0.0.1/tcp/0", "0.wal"), chain());
    assert!(matches!(taken, Err(StartError::Engine(_))), "the log is in use");
    let port = format!("/ip4/127.0.0.1/tcp/{}", network.ports[0]);
    assert!(matches!(Engine::start(config(&port, "third.wal"), chain()), Err(StartError::Listen(..))));
    let wrong = Engine::start(config("nowhere", "other.wal"), chain());
    assert!(matches!(wrong, Err(StartError::Address(text)) if text == "nowhere"));
}

#[test]
fn a_network_cut_in_half_decides_nothing_and_goes_on_when_it_is_whole() {
    let network = Network::start_linked("halves", &[1, 1, 1, 1], quick());
    network.reach(3);
    network.cut(&[0, 1], true);
    std::thread::sleep(Duration::from_millis(500));
    let height = network.highest();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(network.highest(), height, "no half has more than two thirds");
    network.cut(&[0, 1], false);
    network.reach(height + 4);
    network.agrees();
}

#[test]
fn three_of_four_go_on_and_the_fourth_follows_when_it_is_connected_again() {
    let network = Network::start_linked("corner", &[1, 1, 1, 1], quick());
    network.reach(3);
    network.cut(&[2], true);
    let seconds = std::env::var("CLOISTER_CUT").ok().and_then(|text| text.parse().ok());
    std::thread::sleep(Duration::from_secs(seconds.unwrap_or(5)));
    let height = network.highest();
    network.cut(&[2], false);
    network.reach(height + 4);
    network.agrees();
}

#[test]
fn a_log_that_cannot_be_trusted_keeps_its_validator_from_ever_signing_again() {
    let mut network = Network::start("torn", &[1, 1, 1, 1], quick());
    network.reach(2);
    for index in 1..4 {
        network.stop(index);
    }
    // Alone, the first validator votes and waits; its votes are in the log.
    std::thread::sleep(Duration::from_secs(2));
    let disk = network.stop(0);
    let log = network.logs.join("0.wal");
    let mut bytes = std::fs::read(&log).unwrap();
    // The file begins with 12 bytes of its own, an entry with 13.
    bytes[12 + 13 + 5] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    network.boot(0, disk);
    let end = network.end(0);
    assert!(matches!(*end, End::Unsafe), "{end}");
    let disk = network.stop(0);
    let again = network.try_boot(0, disk);
    assert!(matches!(&again, Err(StartError::Unsafe(mark)) if mark.exists()), "{again:?}");
}
