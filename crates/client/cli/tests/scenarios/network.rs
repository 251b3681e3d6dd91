//! A network of processes that a story starts, stops, kills and takes apart.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cloister_chain::Genesis;
use cloister_sdk::light::Anchor;
use cloister_sdk::{B256, U256, Wallet};
use serde_json::Value;
use tempfile::TempDir;

use super::chance::Chance;
use super::clock::Skew;
use super::fabric::{Fabric, host};
use super::process::{Process, cloister, result};
use super::proxy::{Proxy, Weather};
use super::reach::{Reach, wait};

/// Its nodes. All gone when dropped.
pub struct Network {
    // Dropped from the top: processes, then what is around them.
    pub nodes: Vec<Node>,
    pub genesis: Genesis,
    pub proxy: Option<Proxy>,
    fabric: Option<Fabric>,
    /// What clients were promised, for ever.
    pub(super) promised: Vec<B256>,
    root: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// One of them.
pub struct Node {
    pub reach: Reach,
    pub home: PathBuf,
    /// Public half of its validator key, once it has started.
    pub validator: B256,
    pub flags: Vec<String>,
    /// How wrong its clock is.
    pub skew: Skew,
    /// Where it began, if that was with a state that others gave: what was promised before is not in its store.
    pub joined: Option<Joined>,
    pub process: Option<Process>,
}

/// The block that a node began with.
pub struct Joined {
    pub anchor: Anchor,
    /// How much was promised by then.
    pub promised: usize,
}

/// A network to be.
#[derive(Default)]
pub struct Plan {
    powers: Vec<u64>,
    followers: usize,
    apart: bool,
    weather: Option<Weather>,
}

impl Plan {
    /// Nodes with these voting powers, all on one machine.
    pub fn powers(powers: &[u64]) -> Self {
        Self { powers: powers.to_vec(), ..Self::default() }
    }

    /// So many more that do not sign.
    pub fn followers(self, followers: usize) -> Self {
        Self { followers, ..self }
    }

    /// Each on a machine of its own, with a switch between them.
    pub fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// With such weather on every link.
    pub fn weather(self, weather: Weather) -> Self {
        Self { weather: Some(weather), ..self }
    }

    /// Writes its files.
    pub fn make(self) -> Network {
        // The machine has two processors: one network at a time.
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("net");
        let count = self.powers.len() + self.followers;
        let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(",");
        let (powers, followers) = (list(&mut self.powers.iter().map(u64::to_string)), self.followers.to_string());
        let places = if self.apart {
            ["--hosts".to_owned(), list(&mut (0..count).map(|index| host(index).to_string()))]
        } else {
            ["--base-port".to_owned(), free_ports(count).to_string()]
        };
        let made = result(&[
            "testnet",
            "init",
            "--json",
            "--output",
            output.to_str().unwrap(),
            "--powers",
            &powers,
            "--nodes",
            &followers,
            &places[0],
            &places[1],
        ]);
        let genesis = fs::read(output.join("node0/genesis.json")).unwrap();
        let fabric = self.apart.then(|| Fabric::new(count));
        let node = |(index, made): (usize, &Value)| {
            let text = |field: &str| made[field].as_str().unwrap().to_owned();
            let reach = Reach {
                name: text("name"),
                chain_id: "cloister-test-1".into(),
                ethereum: text("rpc"),
                cosmos: text("rest"),
                namespace: fabric.as_ref().map(|fabric| fabric.namespace(index)),
            };
            Node {
                reach,
                home: text("home").into(),
                validator: B256::ZERO,
                flags: Vec::new(),
                skew: Skew::default(),
                joined: None,
                process: None,
            }
        };
        let mut nodes: Vec<Node> = made["nodes"].as_array().unwrap().iter().enumerate().map(node).collect();
        let proxy = self.weather.map(|weather| links(&mut nodes, Proxy::new(weather, Chance::of_the_day())));
        let genesis = serde_json::from_slice(&genesis).unwrap();
        Network { nodes, genesis, proxy, fabric, promised: Vec::new(), root, _turn: turn }
    }

    /// Starts it.
    pub fn start(self) -> Network {
        let mut network = self.make();
        network.start(0..network.nodes.len());
        network
    }
}

impl Network {
    /// Starts nodes, all at once, and waits until they are ready.
    pub fn start(&mut self, nodes: impl IntoIterator<Item = usize>) {
        let nodes: Vec<usize> = nodes.into_iter().collect();
        nodes.iter().for_each(|node| self.nodes[*node].spawn());
        for node in nodes {
            let node = &mut self.nodes[node];
            let ready = node.process.as_ref().unwrap().ready();
            node.validator = ready["validator"].as_str().unwrap().parse().unwrap();
        }
    }

    /// Changes settings of a node that does not run.
    pub fn set(&self, node: usize, section: &str, name: &str, value: impl Into<toml::Value>) {
        let path = self.nodes[node].home.join("cloister.toml");
        let mut settings: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        settings[section].as_table_mut().unwrap().insert(name.into(), value.into());
        fs::write(path, toml::to_string(&settings).unwrap()).unwrap();
    }

    /// Ends nodes as a power cut would.
    pub fn kill(&mut self, nodes: impl IntoIterator<Item = usize>) {
        let killed: Vec<Process> = nodes.into_iter().filter_map(|node| self.nodes[node].process.take()).collect();
        killed.into_iter().for_each(Process::kill);
    }

    /// Asks a node to stop, and waits.
    pub fn stop(&mut self, node: usize) {
        let status = self.nodes[node].process.take().unwrap().stop();
        assert!(status.success(), "node{node} stops: {status}");
    }

    /// Splits the network: machines see those of their own side.
    pub fn split(&self, other_side: &[usize]) {
        other_side.iter().for_each(|node| self.fabric.as_ref().unwrap().plug(*node, 1));
    }

    /// Makes it whole again.
    pub fn heal(&self) {
        (0..self.nodes.len()).for_each(|node| self.fabric.as_ref().unwrap().plug(node, 0));
    }

    /// Sends a coin through a node and waits for the block: at the Ethereum door, then at the Cosmos door.
    pub fn pay(&mut self, node: usize) {
        let paid = self.nodes[node].reach.talk(async |node| {
            let ethereum = node.account(PAYER).await?.transfer(Wallet::random().address(), U256::from(1)).await?;
            let cosmos = node.cosmos_account(PAYER).send(Wallet::random().cosmos_address(), 1).await?;
            Ok::<_, cloister_sdk::Error>([ethereum.transaction_hash, cosmos.hash])
        });
        let paid = paid.unwrap_or_else(|error| panic!("node{node} pays: {error}"));
        self.promised.extend(paid);
    }

    /// Remembers what clients were promised.
    pub fn promise(&mut self, hashes: Vec<B256>) {
        self.promised.extend(hashes);
    }

    /// The highest block of some nodes.
    pub fn height(&self, nodes: &[usize]) -> u64 {
        nodes.iter().filter_map(|node| self.nodes[*node].reach.height()).max().unwrap_or(0)
    }

    /// Waits until each of these nodes has so many blocks more than any of them has now.
    pub fn grows(&self, nodes: &[usize], blocks: u64) {
        let goal = self.height(nodes) + blocks;
        nodes.iter().for_each(|node| self.nodes[*node].reach.reaches(goal));
    }

    /// There are no more blocks, although there would be many if they could be decided.
    pub fn halts(&self, nodes: &[usize]) {
        let mut before = None;
        // What was under way comes to its end.
        wait("the chain halts", || {
            let now = Some(self.height(nodes));
            thread::sleep(STILL);
            now == std::mem::replace(&mut before, now)
        });
    }

    /// Everybody who runs.
    pub fn running(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.nodes[*node].process.is_some()).collect()
    }

    /// A directory for what a story needs beside the homes.
    pub fn directory(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn reach(&self, node: usize) -> &Reach {
        &self.nodes[node].reach
    }

    /// What a running node has said to its operator.
    pub fn log(&self, node: usize) -> String {
        self.nodes[node].process.as_ref().unwrap().log()
    }
}

impl Node {
    pub fn spawn(&mut self) {
        let mut command = cloister();
        command.args(["start", "--json", "--until-input-ends", "--idle", IDLE, "--home"]).arg(&self.home);
        command.args(&self.flags);
        self.skew.apply(&mut command);
        self.process = Some(self.reach.within(|| Process::spawn(command)));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if thread::panicking() {
            for node in &self.nodes {
                let log = node.process.as_ref().map_or_else(|| "does not run".to_owned(), Process::log);
                // The engine says so every second of each peer that is away.
                let dialing = |line: &&str| line.contains("dial") || line.contains("Connection refused");
                let lines: Vec<&str> = log.lines().filter(|line| !dialing(line)).collect();
                let last = lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n");
                eprintln!("--- {} at {:?}\n{last}", node.reach.name, node.reach.height());
            }
        }
    }
}

/// Puts the proxy between each node and each of its peers.
fn links(nodes: &mut [Node], mut proxy: Proxy) -> Proxy {
    for node in nodes {
        let settings: toml::Value =
            toml::from_str(&fs::read_to_string(node.home.join("cloister.toml")).unwrap()).unwrap();
        for (peers, flag) in [("peers", "--peer"), ("gossip_peers", "--gossip-peer")] {
            for peer in settings["network"][peers].as_array().unwrap() {
                let port = peer.as_str().unwrap().rsplit_once('/').unwrap().1.parse().unwrap();
                let link = proxy.link(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
                node.flags.push(format!("{flag}=/ip4/127.0.0.1/tcp/{link}"));
            }
        }
    }
    proxy
}

/// The first of ten free ports for each node, below those that the system gives to connections: a node that starts again
/// finds its own.
pub fn free_ports(nodes: usize) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % BLOCKS).unwrap();
    loop {
        let next = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % u16::try_from(BLOCKS).unwrap();
        let base = LOWEST + next * PORTS;
        let mut ports = base..base + u16::try_from(nodes * 10).unwrap();
        if ports.all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()) {
            return base;
        }
    }
}

/// Seconds between blocks of nothing.
const IDLE: &str = "0.3";
/// Time for many such blocks.
const STILL: Duration = Duration::from_secs(3);
/// The account that stories pay from; the first ones are for [`super::traffic`].
const PAYER: u32 = 8;
/// Lines of a node's log that are shown when a story fails.
const LAST_WORDS: usize = 40;
const LOWEST: u16 = 12_000;
const BLOCKS: u32 = 200;
const PORTS: u16 = 100;
