//! `cloister.toml`: the settings of one node.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use cloister_consensus::Pace;
use serde::Deserialize;
use thiserror::Error;

use crate::args::{LogFormat, Start};

/// What stands in the file. What is missing has its default; what is unknown is refused.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where clients come in.
    pub doors: DoorSettings,
    /// Other nodes.
    pub network: NetworkSettings,
    /// When there is a block.
    #[serde(default)]
    pub blocks: BlockSettings,
    /// What is kept.
    #[serde(default)]
    pub state: StateSettings,
    /// What is logged.
    #[serde(default)]
    pub log: LogSettings,
}

/// Where clients come in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorSettings {
    /// Ethereum JSON-RPC.
    pub ethereum: SocketAddr,
    /// Cosmos REST.
    pub cosmos: SocketAddr,
    /// The faucet.
    pub faucet: Option<SocketAddr>,
    /// Status, health, metrics.
    pub ops: Option<SocketAddr>,
}

/// Other nodes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// What other nodes call this one.
    pub moniker: String,
    /// Where validators' messages and blocks arrive: a multiaddr.
    pub listen: String,
    /// The same of other nodes.
    pub peers: Vec<String>,
    /// Where transactions and state arrive: a multiaddr.
    pub gossip_listen: String,
    /// The same of other nodes.
    pub gossip_peers: Vec<String>,
}

/// When there is a block. All in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlockSettings {
    /// Between blocks of nothing.
    pub idle: f64,
    /// How long a round waits for its proposal.
    pub propose: f64,
    /// How long it waits for more prevotes once two thirds disagree.
    pub prevote: f64,
    /// How long it waits for more precommits once two thirds disagree.
    pub precommit: f64,
    /// How long a height takes at least.
    pub target: f64,
}

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateSettings {
    /// Heights whose state is kept; 0 keeps all.
    pub keep: u64,
    /// After how many blocks there is a snapshot for nodes that join; 0 for never.
    #[serde(default = "snapshots")]
    pub snapshots: u64,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// How.
    pub format: LogFormat,
    /// What, as in `RUST_LOG`.
    pub filter: String,
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file does not read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// It is no TOML, something is missing, or something is unknown.
    #[error("{path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// The reason, with its place.
        source: Box<toml::de::Error>,
    },
    /// A value out of its range.
    #[error("{path}: {what}")]
    Range {
        /// The file.
        path: PathBuf,
        /// Which value, and its range.
        what: &'static str,
    },
}

impl Settings {
    /// Name of the file in a node's home.
    pub const FILE: &str = "cloister.toml";

    /// The settings of the home in `directory`, with the flags that win over them.
    pub fn read(directory: &Path, flags: &Start) -> Result<Self, SettingsError> {
        let path = directory.join(Self::FILE);
        let text = fs::read_to_string(&path).map_err(|source| SettingsError::Io { path: path.clone(), source })?;
        let settings: Self = toml::from_str(&text)
            .map_err(|source| SettingsError::Toml { path: path.clone(), source: Box::new(source) })?;
        let settings = settings.with(flags);
        match settings.fault() {
            Some(what) => Err(SettingsError::Range { path, what }),
            None => Ok(settings),
        }
    }

    /// How long the chain may be idle.
    pub fn idle(&self) -> Duration {
        Duration::from_secs_f64(self.blocks.idle)
    }

    /// How fast blocks follow each other.
    pub fn pace(&self) -> Pace {
        let BlockSettings { idle: _, propose, prevote, precommit, target } = self.blocks;
        let [propose, prevote, precommit, target] = [propose, prevote, precommit, target].map(Duration::from_secs_f64);
        let target = (!target.is_zero()).then_some(target);
        Pace { propose, prevote, precommit, target, idle: self.idle(), ..Pace::default() }
    }

    /// The file's text, for people to read and change.
    pub fn to_text(&self, chain_id: &str) -> String {
        let Self { doors, network, blocks, state, log } = self;
        let mut text = String::new();
        let mut line = |line: &str| {
            let _ = writeln!(text, "{line}");
        };
        line(&format!("# Settings of a node of the chain {chain_id}. Flags of `cloister start` win over them."));
        line("\n[doors]");
        line("# Ethereum JSON-RPC, over HTTP and WebSocket.");
        line(&format!("ethereum = {}", quoted(doors.ethereum)));
        line("# Cosmos REST.");
        line(&format!("cosmos = {}", quoted(doors.cosmos)));
        line("# Coins of an account that everybody knows, for whoever asks. Without this line there is no faucet.");
        line(&optional("faucet", doors.faucet));
        line("# /status, /health and /metrics (Prometheus). Without this line there are none.");
        line(&optional("ops", doors.ops));
        line("\n[network]");
        line("# What other nodes call this one. They see it.");
        line(&format!("moniker = {}", quoted(&network.moniker)));
        line("# Where validators' messages and blocks arrive, and the same of the nodes to keep connections to.");
        line(&format!("listen = {}", quoted(&network.listen)));
        line(&list("peers", &network.peers));
        line("# Where transactions and state arrive, and the same of the nodes to keep connections to.");
        line(&format!("gossip_listen = {}", quoted(&network.gossip_listen)));
        line(&list("gossip_peers", &network.gossip_peers));
        line("\n[blocks]");
        line("# Seconds after which there is a block even of nothing. Transactions do not wait for it.");
        line(&format!("idle = {:?}", blocks.idle));
        line(
            "# Seconds that a round of consensus waits for its proposal, and for more votes once two thirds disagree, before it",
        );
        line(
            "# goes on without: more than it takes to send a block from any validator to any other, and less than one wants to",
        );
        line("# wait for a validator that is away. Later rounds wait longer. The same on all nodes.");
        line(&format!("propose = {:?}", blocks.propose));
        line(&format!("prevote = {:?}", blocks.prevote));
        line(&format!("precommit = {:?}", blocks.precommit));
        line("# Seconds that a block takes at least. Until then votes that come late are counted, too.");
        line(&format!("target = {:?}", blocks.target));
        line("\n[state]");
        line(
            "# How many heights of state to keep: questions about older ones are refused as pruned. 0 keeps all, else at least",
        );
        line(&format!("# {LEAST_KEPT}. Blocks and receipts are kept in any case."));
        line(&format!("keep = {}", state.keep));
        line(
            "# After how many blocks there is a snapshot of the state, so that nodes that join need not execute everything.",
        );
        line("# 0: never.");
        line(&format!("snapshots = {}", state.snapshots));
        line("\n[log]");
        line("# \"text\" for people, \"json\" for programs: one object a line. Logs go to standard error.");
        line(&format!("format = {}", quoted(if log.format == LogFormat::Json { "json" } else { "text" })));
        line("# What is logged: a level, or levels by part. The environment variable RUST_LOG wins over it.");
        line(&format!("filter = {}", quoted(&log.filter)));
        text
    }

    fn with(mut self, flags: &Start) -> Self {
        let Start { ethereum, cosmos, faucet, ops, listen, peers, gossip_listen, gossip_peers, idle, keep, .. } = flags;
        let Self { doors, network, blocks, state, log } = &mut self;
        doors.ethereum = ethereum.unwrap_or(doors.ethereum);
        doors.cosmos = cosmos.unwrap_or(doors.cosmos);
        doors.faucet = faucet.or(doors.faucet);
        doors.ops = ops.or(doors.ops);
        if let Some(listen) = listen {
            network.listen.clone_from(listen);
        }
        if let Some(listen) = gossip_listen {
            network.gossip_listen.clone_from(listen);
        }
        if !peers.is_empty() {
            network.peers.clone_from(peers);
        }
        if !gossip_peers.is_empty() {
            network.gossip_peers.clone_from(gossip_peers);
        }
        blocks.idle = idle.map_or(blocks.idle, |idle| idle.as_secs_f64());
        state.keep = keep.unwrap_or(state.keep);
        log.format = flags.output.log_format.unwrap_or(log.format);
        self
    }

    fn fault(&self) -> Option<&'static str> {
        if !IDLE.contains(&self.blocks.idle) {
            return Some("[blocks] idle is between 0.01 and 86400 seconds");
        }
        let BlockSettings { idle: _, propose, prevote, precommit, target } = self.blocks;
        if ![propose, prevote, precommit].iter().all(|wait| WAIT.contains(wait)) {
            return Some("[blocks] propose, prevote and precommit are between 0.05 and 60 seconds");
        }
        if !TARGET.contains(&target) {
            return Some("[blocks] target is between 0 and 60 seconds");
        }
        if (1..LEAST_KEPT).contains(&self.state.keep) {
            return Some("[state] keep is 0 or at least 256");
        }
        None
    }
}

impl Default for DoorSettings {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self { ethereum: local(0), cosmos: local(0), faucet: None, ops: None }
    }
}

impl Default for BlockSettings {
    fn default() -> Self {
        let Pace { propose, prevote, precommit, target, .. } = Pace::default();
        let [propose, prevote, precommit] = [propose, prevote, precommit].map(|wait| wait.as_secs_f64());
        Self { idle: 5.0, propose, prevote, precommit, target: target.unwrap_or_default().as_secs_f64() }
    }
}

impl Default for StateSettings {
    fn default() -> Self {
        Self { keep: 0, snapshots: snapshots() }
    }
}

const fn snapshots() -> u64 {
    1_000
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: USUAL_LOGS.into() }
    }
}

fn quoted(text: impl ToString) -> toml::Value {
    toml::Value::String(text.to_string())
}

fn optional(name: &str, address: Option<SocketAddr>) -> String {
    address.map_or_else(|| format!("# {name} = \"127.0.0.1:0\""), |address| format!("{name} = {}", quoted(address)))
}

fn list(name: &str, items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item).to_string()).collect();
    format!("{name} = [{}]", items.join(", "))
}

/// Warnings; of the consensus engine's parts less, because they complain of every connection that ends or does not come about.
pub const USUAL_LOGS: &str =
    "warn,arc_malachitebft_network=off,arc_malachitebft_discovery=off,arc_malachitebft_engine=error";
/// Between blocks of nothing, in seconds.
const IDLE: RangeInclusive<f64> = 0.01..=86_400.0;
/// What a round waits for messages, in seconds: the engine never waits more than the latter.
const WAIT: RangeInclusive<f64> = 0.05..=60.0;
/// For a height, in seconds.
const TARGET: RangeInclusive<f64> = 0.0..=60.0;
/// Twice as many heights as an enclave may ask for.
const LEAST_KEPT: u64 = 256;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn settings() -> Settings {
        Settings {
            doors: DoorSettings {
                ethereum: ([127, 0, 0, 1], 8_545).into(),
                cosmos: ([127, 0, 0, 1], 1_317).into(),
                faucet: None,
                ops: Some(([0, 0, 0, 0], 26_660).into()),
            },
            network: NetworkSettings {
                moniker: "node0".into(),
                listen: "/ip4/127.0.0.1/tcp/26656".into(),
                peers: vec!["/ip4/127.0.0.1/tcp/26666".into(), "/ip4/127.0.0.1/tcp/26676".into()],
                gossip_listen: "/ip4/127.0.0.1/tcp/26658".into(),
                gossip_peers: vec![],
            },
            ..Settings::default()
        }
    }

    fn written(text: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(Settings::FILE), text).unwrap();
        home
    }

    #[test]
    fn what_is_written_is_read_and_flags_win_over_it() {
        let home = written(&settings().to_text("example-1"));
        assert_eq!(Settings::read(home.path(), &Start::default()).unwrap(), settings());
        let flags = Start {
            cosmos: Some(([127, 0, 0, 1], 7).into()),
            peers: vec!["/ip4/10.0.0.1/tcp/1".into()],
            keep: Some(1_000),
            ..Start::default()
        };
        let read = Settings::read(home.path(), &flags).unwrap();
        assert_eq!((read.doors.cosmos.port(), read.doors.ethereum.port()), (7, 8_545));
        assert_eq!(read.network.peers, ["/ip4/10.0.0.1/tcp/1"]);
        assert_eq!((read.state.keep, read.idle()), (1_000, Duration::from_secs(5)));
    }

    #[test]
    fn what_is_unknown_missing_or_out_of_range_is_refused_with_the_files_name() {
        let text = settings().to_text("example-1");
        for (from, to) in [
            ("idle = 5.0", "idle = 0.0"),
            ("propose = ", "propose = 600 #"),
            ("prevote = ", "prevote = 0.01 #"),
            ("precommit = ", "precommit = nan #"),
            ("target = ", "target = -1.0 #"),
            ("keep = 0", "keep = 255"),
            ("keep = 0", "keeep = 0"),
            ("cosmos = ", "# cosmos = "),
            ("\"text\"\n", "\"loud\"\n"),
            ("[network]", "[network"),
        ] {
            assert!(text.contains(from), "{from}");
            let home = written(&text.replacen(from, to, 1));
            let refused = Settings::read(home.path(), &Start::default()).unwrap_err().to_string();
            assert!(refused.contains("cloister.toml"), "{to}: {refused}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(Settings::read(empty.path(), &Start::default()), Err(SettingsError::Io { .. })));
    }
}
