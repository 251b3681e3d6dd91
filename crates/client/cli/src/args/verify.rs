use std::path::PathBuf;

use clap::{Args as Group, Subcommand};
use cloister_sdk::B256;
use cloister_sdk::light::Anchor;

use super::Output;

/// Check what a node says against the signatures of the validators.
#[derive(Debug, Group)]
pub struct Verify {
    /// What to check.
    #[command(subcommand)]
    pub subject: Subject,
}

/// What can be checked.
#[derive(Debug, Subcommand)]
pub enum Subject {
    /// Check that a transaction stands in a block, and what it did.
    Tx(VerifyTx),
}

/// Check that a transaction stands in a block, and what it did.
///
/// Of either door: the hash says which. Everything that the node answers is checked, step by step, against a block that you
/// trust: the genesis, or a height and a hash from a place other than this node. A receipt is the node's word until the next
/// block is signed. Ends with an error if anything that the node says is not so.
#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  cloister verify tx 0x5c50… --genesis genesis.json
  cloister verify tx 3A0B… --node http://127.0.0.1:1317 --checkpoint 1200:0x3b1f…")]
pub struct VerifyTx {
    /// Hash of the transaction.
    #[arg(value_name = "HASH")]
    pub hash: B256,
    /// The Cosmos door of a node, which need not be trusted.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:1317")]
    pub node: String,
    /// A block that you trust: its height and its hash.
    #[arg(long, value_name = "HEIGHT:HASH", conflicts_with = "genesis", help_heading = "Trust")]
    pub checkpoint: Option<Anchor>,
    /// The chain's genesis file. Without it and without a checkpoint the node itself is asked for the genesis, and trusted
    /// with it.
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub genesis: Option<PathBuf>,
    /// For how many days after its time a block's validators can vouch for later ones. Less than the chain's unbonding time.
    #[arg(long, value_name = "DAYS", default_value_t = 14, help_heading = "Trust")]
    pub trust_for: u16,
    /// Open the private output of this transaction with what its owner shows: a file of the SDK's `Opening`.
    #[arg(long, value_name = "FILE")]
    pub opening: Option<PathBuf>,
    #[command(flatten)]
    pub output: Output,
}
