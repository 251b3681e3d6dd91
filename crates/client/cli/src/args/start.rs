use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Group;

use super::{Output, seconds};

/// Run one node of a network.
///
/// Its home holds genesis.json, keys, settings (cloister.toml) and the store, as `cloister testnet init` wrote them. Flags win
/// over the settings. It ends with Ctrl-C or SIGTERM, without losing anything that was confirmed.
#[derive(Debug, Default, Group)]
#[command(after_help = "\
Logs go to standard error; the environment variable RUST_LOG selects them, else the settings do.")]
pub struct Start {
    /// The node's directory.
    #[arg(long, value_name = "DIR", env = "CLOISTER_HOME")]
    pub home: PathBuf,
    /// Where Ethereum JSON-RPC is to be.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Doors")]
    pub ethereum: Option<SocketAddr>,
    /// Where Cosmos REST is to be.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Doors")]
    pub cosmos: Option<SocketAddr>,
    /// Where the faucet is to be.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Doors")]
    pub faucet: Option<SocketAddr>,
    /// Where /status, /health and /metrics are to be.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Doors")]
    pub ops: Option<SocketAddr>,
    /// Where validators' messages and blocks arrive, for example /ip4/0.0.0.0/tcp/26656.
    #[arg(long, value_name = "MULTIADDR", help_heading = "Network")]
    pub listen: Option<String>,
    /// Another node's `listen`; once for each.
    #[arg(long = "peer", value_name = "MULTIADDR", help_heading = "Network")]
    pub peers: Vec<String>,
    /// Where transactions and state arrive, for example /ip4/0.0.0.0/tcp/26658.
    #[arg(long, value_name = "MULTIADDR", help_heading = "Network")]
    pub gossip_listen: Option<String>,
    /// Another node's `gossip-listen`; once for each.
    #[arg(long = "gossip-peer", value_name = "MULTIADDR", help_heading = "Network")]
    pub gossip_peers: Vec<String>,
    /// Seconds between blocks of nothing.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Chain")]
    pub idle: Option<Duration>,
    /// Heights whose state is kept; 0 keeps all.
    #[arg(long, value_name = "NUMBER", help_heading = "Chain")]
    pub keep: Option<u64>,
    /// End when standard input does: for a parent that must not leave nodes behind.
    #[arg(long, hide = true)]
    pub until_input_ends: bool,
    #[command(flatten)]
    pub output: Output,
}
