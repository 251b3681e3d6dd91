//! The command line. Its help text is the manual.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

mod attest;
mod db;
mod join;
mod start;
mod testnet;
mod verify;

pub use attest::{Attest, AttestAction, AttestBundle, AttestVerify, Demanded, SignRelease};
pub use db::{Db, DbAction};
pub use join::Join;
pub use start::Start;
pub use testnet::{Init, Testnet, TestnetAction};
pub use verify::{Subject, Verify, VerifyTx};

/// A confidential smart-contract chain in one program.
///
/// Contracts compute on values that only their owner and an enclave can read. Everything else, the machine's owner
/// included, sees ciphertext. On a SIMULATED chain, which is what `cloister dev` makes, there is no hardware behind the
/// enclave: the machine's owner can read its memory.
#[derive(Debug, Parser)]
#[command(name = "cloister", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(after_help = "Results go to standard output, everything else to standard error.")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a chain for developing: one validator, or several on this machine.
    Dev(Dev),
    /// Write the files of a network's nodes.
    Testnet(Testnet),
    /// Register this machine's enclave with a running network, and take over its seed.
    Join(Box<Join>),
    /// Run one node of a network.
    Start(Start),
    /// Look into the store of a node that does not run.
    Db(Db),
    /// Check what a node says against the signatures of the validators.
    Verify(Verify),
    /// Check whose keys messages to a chain are sealed to.
    Attest(Attest),
    /// Show how data is encrypted on the chain, step by step.
    Demo(Demo),
    /// Be the enclave of a node: the node calls this, people do not.
    #[command(hide = true)]
    Enclave {
        /// What the node says.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// Start a chain for developing: one validator, or several on this machine.
///
/// Ready at once, with funded accounts, the contracts that COTI's clients expect, Ethereum JSON-RPC over HTTP and WebSocket
/// on one port, Secret Network's REST on another, and a faucet. A block is made as soon as a transaction arrives. The chain is
/// SIMULATED for ever: it keeps no secret from whoever runs it. It ends with Ctrl-C, without losing anything that was
/// confirmed.
///
/// With --validators there are several nodes, each a process with an enclave of its own and with doors of its own, that agree
/// on every block. The doors of each further node are ten ports above those of the one before it. AES keys are not printed: on
/// a chain with several validators no enclave tells them, and accounts get theirs by on-boarding.
#[derive(Debug, Default, Group)]
#[command(after_help = "\
Examples:
  cloister dev                          a chain in memory, on http://127.0.0.1:8545 and :1317
  cloister dev --data ./chain           the same, and it is still there tomorrow
  cloister dev --port 0 --json          any free ports; one line of JSON names them
  cloister dev --validators 4           a network of four validators on this machine

Logs go to standard error; the environment variable RUST_LOG selects them (RUST_LOG=cloister_node=debug).")]
pub struct Dev {
    /// How many validators, each a node of its own.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Chain")]
    pub validators: Option<u16>,
    /// Keep the chain in this directory. Without it the chain lives in memory and ends with the program.
    #[arg(long, value_name = "DIR", help_heading = "Chain")]
    pub data: Option<PathBuf>,
    /// Make a block when there was none for so many seconds, even of nothing. Transactions do not wait for it. [default: never
    /// with one validator, every 5 seconds with several]
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds, help_heading = "Chain")]
    pub block_time: Option<Duration>,
    /// Chain id of a new chain for Ethereum's clients [default: 7082400, which COTI's clients expect].
    #[arg(long, value_name = "NUMBER", help_heading = "Chain")]
    pub evm_chain_id: Option<u64>,
    /// Chain id of a new chain for everything else [default: secretdev-1].
    #[arg(long, value_name = "NAME", help_heading = "Chain")]
    pub chain_id: Option<String>,
    /// How long an epoch of a new chain lasts: then the network's keys of our own form and of the state change [default: a day].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Chain")]
    pub epoch_length: Option<Duration>,
    /// How long after that what was sealed to the former key still opens [default: an hour].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Chain")]
    pub epoch_grace: Option<Duration>,
    /// How many of hardhat's well-known accounts a new chain funds [default: 10].
    #[arg(long, short, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    #[arg(help_heading = "Chain")]
    pub accounts: Option<u32>,
    /// What a new chain gives to each account at the Ethereum door, in whole coins [default: 10000]. At the other door each
    /// has 10^18 uscrt.
    #[arg(long, value_name = "COINS", help_heading = "Chain")]
    pub balance: Option<u64>,
    /// Port of Ethereum JSON-RPC; 0 for any free one.
    #[arg(long, short, value_name = "PORT", default_value_t = 8545, help_heading = "Doors")]
    pub port: u16,
    /// Port of Secret Network's REST; 0 for any free one [default: 1317, or any free one with --port 0].
    #[arg(long, value_name = "PORT", help_heading = "Doors")]
    pub cosmos_port: Option<u16>,
    /// Port of the faucet; 0 for any free one [default: 5000, or any free one with --port 0].
    #[arg(long, value_name = "PORT", help_heading = "Doors")]
    pub faucet_port: Option<u16>,
    /// Port of /status, /health and /metrics; 0 for any free one. Without it one validator has none, and several have theirs
    /// on free ones.
    #[arg(long, value_name = "PORT", help_heading = "Doors")]
    pub ops_port: Option<u16>,
    /// Address to listen on [default: 127.0.0.1]. Any other opens the chain, and accounts that everybody knows, to the
    /// network.
    #[arg(long, value_name = "ADDRESS", help_heading = "Doors")]
    pub host: Option<IpAddr>,
    #[command(flatten)]
    pub output: Output,
}

/// Show how data is encrypted on the chain, step by step.
///
/// Starts a chain of its own in memory, deploys the contract DataOnChain and prints beside each step what the public sees
/// and what you see: a clear value that the network encrypts, an encrypted input, a computation on both, a second user,
/// and an attack with a copied ciphertext. Ends with an error if anything is not as it should be.
#[derive(Debug, Group)]
pub struct Demo {
    /// Use this node instead of starting one, for example http://127.0.0.1:8545.
    #[arg(long, value_name = "URL")]
    pub rpc: Option<String>,
    /// The Cosmos door of that node, for the second act, for example http://127.0.0.1:1317.
    #[arg(long, value_name = "URL", requires = "rpc")]
    pub rest: Option<String>,
    /// Key of a funded account of that node [default: hardhat's first].
    #[arg(long, value_name = "HEX", requires = "rpc", env = "CLOISTER_PRIVATE_KEY", hide_env_values = true)]
    pub private_key: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

/// How to print.
#[derive(Debug, Default, Group)]
pub struct Output {
    /// Print the result as JSON, one object a line.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Say more: -v what happens, -vv every detail.
    #[arg(long, short, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// How logs are written to standard error [default: text].
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    pub log_format: Option<LogFormat>,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let range = 0.01..=86_400.0;
    if range.contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("between 0.01 and 86400 seconds".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_enclave_is_not_in_the_help_and_takes_what_the_node_says() {
        assert!(!Args::command().render_help().to_string().contains("enclave of a node"));
        let parsed = Args::try_parse_from(["cloister", "enclave", "--deny"]).expect("the node's call");
        assert!(matches!(parsed.command, Command::Enclave { arguments } if arguments == ["--deny"]));
    }

    #[test]
    fn block_times_are_seconds_within_reason() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for refused in ["", "0", "-1", "NaN", "inf", "1e9", "soon"] {
            assert!(seconds(refused).is_err(), "{refused}");
        }
    }
}
