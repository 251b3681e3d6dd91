use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args as Group, Subcommand};

use super::Output;

/// Write the files of a network's nodes.
#[derive(Debug, Group)]
pub struct Testnet {
    /// What to do.
    #[command(subcommand)]
    pub action: TestnetAction,
}

/// What to do for a network.
#[derive(Debug, Subcommand)]
pub enum TestnetAction {
    /// Make a new chain: keys, genesis, sealed seeds and settings of every node.
    Init(Init),
}

/// Make a new chain: keys, genesis, sealed seeds and settings of every node.
///
/// Writes one directory for each node: node0, node1, …. Carry each to its machine and run `cloister start --home DIR` there.
/// The chain is SIMULATED for ever. LocalSecret's four accounts and ten of hardhat's are funded, whose keys everybody knows. The
/// network's seed is made by one enclave and sealed to each node's machine: it is nowhere in the clear.
#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  cloister testnet init --validators 4 --output net
  cloister testnet init --validators 3 --nodes 1 --output net --hosts 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4
  cloister testnet init --powers 10,10,40 --output net --chain-id example-1")]
pub struct Init {
    /// How many validators [default: as many as there are powers, or 4].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Chain")]
    pub validators: Option<u16>,
    /// How many nodes that follow the chain and do not sign.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=256))]
    #[arg(help_heading = "Chain")]
    pub nodes: u16,
    /// Voting power of each validator [default: 10 for each].
    #[arg(long, value_name = "POWER,…", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(help_heading = "Chain")]
    pub powers: Vec<u64>,
    /// Chain id for everything but Ethereum's clients.
    #[arg(long, value_name = "NAME", default_value = "cloister-test-1", help_heading = "Chain")]
    pub chain_id: String,
    /// Chain id for Ethereum's clients: by default what COTI's clients expect.
    #[arg(long, value_name = "NUMBER", default_value_t = 7_082_400, help_heading = "Chain")]
    pub evm_chain_id: u64,
    /// EVM gas of one block.
    #[arg(long, value_name = "GAS", default_value_t = 120_000_000, help_heading = "Chain")]
    pub evm_gas: u64,
    /// Gas of one block in the Cosmos SDK's units.
    #[arg(long, value_name = "GAS", default_value_t = 10_000_000, help_heading = "Chain")]
    pub sdk_gas: u64,
    /// Count the questions to contracts, and answer so many between two blocks, as chains on hardware do. An enclave then answers
    /// the first when the chain has listed its run, which `cloister start` sees to.
    #[arg(long, value_name = "NUMBER", help_heading = "Chain")]
    pub queries: Option<u32>,
    /// The directory to make. It must not exist, or be empty.
    #[arg(long, short, value_name = "DIR", help_heading = "Nodes")]
    pub output: PathBuf,
    /// Address of each node's machine, validators first. Without it all are on this one.
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',', help_heading = "Nodes")]
    pub hosts: Vec<IpAddr>,
    /// First port of a node: it takes six in a row (Ethereum, Cosmos, faucet, operations, validators, transactions). A further
    /// node on the same machine starts ten above. Without it the ports are the usual ones: 8545, 1317, 5000, 26660, 26656,
    /// 26658.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1_024..=60_000))]
    #[arg(help_heading = "Nodes")]
    pub base_port: Option<u16>,
    #[command(flatten)]
    pub print: Output,
}
