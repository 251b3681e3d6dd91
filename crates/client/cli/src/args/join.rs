use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as Group;

use super::Output;

/// Register this machine's enclave with a running network, and take over its seed.
///
/// The enclave makes keys for this one occasion and has its processor state that they are its own. The statement goes to the
/// network in a transaction, where every enclave verifies it; then the seed is there, sealed to those keys. The enclave opens
/// it and seals it to this machine. Nobody else sees it. After that `cloister start` runs the node.
///
/// Once more, with the node stopped, it renews the registration: it holds until the first of the processor's certificates and
/// lists ends.
#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  cloister join --home node5 --genesis genesis.json --node http://10.0.0.1:1317 --key operator.key \\
    --peer /ip4/10.0.0.1/tcp/26656 --gossip-peer /ip4/10.0.0.1/tcp/26658
  cloister join --home node5 --node http://10.0.0.1:1317        (once more, to renew)")]
pub struct Join {
    /// The node's directory, made if it is not there.
    #[arg(long, value_name = "DIR", env = "CLOISTER_HOME")]
    pub home: PathBuf,
    /// The network's genesis, from a place that you trust. Needed for a new directory.
    #[arg(long, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
    /// The Cosmos door of a node of the network.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:1317")]
    pub node: String,
    /// Secret key, in hex, of the account that pays, and that alone may renew the registration [default: operator.key in the
    /// directory].
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// What the maker of the processor publishes about it, as Intel's caching service gives it, in JSON. A SIMULATED network
    /// needs none.
    #[arg(long, value_name = "FILE")]
    pub collateral: Option<PathBuf>,
    /// What other nodes call this one [default: the directory's name].
    #[arg(long, value_name = "NAME", help_heading = "Settings of a new directory")]
    pub moniker: Option<String>,
    /// Where Ethereum JSON-RPC is to be.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8545")]
    #[arg(help_heading = "Settings of a new directory")]
    pub ethereum: SocketAddr,
    /// Where Cosmos REST is to be.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:1317")]
    #[arg(help_heading = "Settings of a new directory")]
    pub cosmos: SocketAddr,
    /// Where /status, /health and /metrics are to be.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Settings of a new directory")]
    pub ops: Option<SocketAddr>,
    /// Where validators' messages and blocks arrive.
    #[arg(long, value_name = "MULTIADDR", default_value = "/ip4/0.0.0.0/tcp/26656")]
    #[arg(help_heading = "Settings of a new directory")]
    pub listen: String,
    /// Another node's `listen`; once for each.
    #[arg(long = "peer", value_name = "MULTIADDR", help_heading = "Settings of a new directory")]
    pub peers: Vec<String>,
    /// Where transactions and state arrive.
    #[arg(long, value_name = "MULTIADDR", default_value = "/ip4/0.0.0.0/tcp/26658")]
    #[arg(help_heading = "Settings of a new directory")]
    pub gossip_listen: String,
    /// Another node's `gossip-listen`; once for each.
    #[arg(long = "gossip-peer", value_name = "MULTIADDR", help_heading = "Settings of a new directory")]
    pub gossip_peers: Vec<String>,
    #[command(flatten)]
    pub output: Output,
}
