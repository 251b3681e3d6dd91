use std::path::PathBuf;

use clap::{Args as Group, Subcommand};
use cloister_chain::limits::CHAIN_ID_BYTES;
use cloister_sdk::light::Anchor;

use super::Output;

/// Check whose keys messages to a chain are sealed to.
#[derive(Debug, Group)]
pub struct Attest {
    /// What to do.
    #[command(subcommand)]
    pub action: AttestAction,
}

/// What can be done with proof bundles and releases.
#[derive(Debug, Subcommand)]
pub enum AttestAction {
    /// Make a proof bundle from what a node says.
    Bundle(AttestBundle),
    /// Check a proof bundle, without asking anybody.
    Verify(AttestVerify),
    /// Sign that you built a release yourself, and got the same program.
    SignRelease(SignRelease),
}

impl AttestAction {
    /// How to print.
    pub fn output(&self) -> &Output {
        match self {
            Self::Bundle(command) => &command.print,
            Self::Verify(command) => &command.print,
            Self::SignRelease(command) => &command.print,
        }
    }
}

/// Make a proof bundle from what a node says.
///
/// One file that leads from a block that a wallet trusts to the network's keys, and to enclaves that have them with the evidence
/// that they registered with. The node need not be trusted: whatever is wrong with its answers makes this end with an error.
/// The bundle itself goes to standard output, or into a file.
#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  cloister attest bundle --output bundle.json
  cloister attest bundle --node http://127.0.0.1:1317 --checkpoint 1200:0x3b1f… --nodes 3")]
pub struct AttestBundle {
    /// The Cosmos door of a node, which need not be trusted.
    #[arg(long, alias = "rest", value_name = "URL", default_value = "http://127.0.0.1:1317")]
    pub node: String,
    /// The file to write [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The block that the wallet trusts, by its height and its hash. Without it and without a genesis the bundle begins with
    /// the genesis that the node names.
    #[arg(long, value_name = "HEIGHT:HASH", conflicts_with = "genesis", help_heading = "Trust")]
    pub checkpoint: Option<Anchor>,
    /// The chain's genesis file.
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub genesis: Option<PathBuf>,
    #[command(flatten)]
    pub demands: Demanded,
    #[command(flatten)]
    pub print: Output,
}

/// Check a proof bundle, without asking anybody.
///
/// Says who vouches for the keys of the network: which chips, what runs on them, from which source, until when. Ends with an
/// error, and prints no verdict, if anything in the bundle is not so, or is less than what is demanded.
#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  cloister attest verify bundle.json --genesis genesis.json
  cloister attest verify bundle.json --checkpoint 1200:0x3b1f… --nodes 3 --max-age 3600 --json")]
pub struct AttestVerify {
    /// The bundle; - for standard input.
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// A block that you trust: its height and its hash. The bundle has to begin with it.
    #[arg(long, value_name = "HEIGHT:HASH", conflicts_with = "genesis", required_unless_present = "genesis")]
    #[arg(help_heading = "Trust")]
    pub checkpoint: Option<Anchor>,
    /// The chain's genesis file, if the bundle begins with the genesis.
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub genesis: Option<PathBuf>,
    #[command(flatten)]
    pub demands: Demanded,
    #[command(flatten)]
    pub print: Output,
}

/// Sign that you built a release yourself, and got the same program.
///
/// For those whom a chain lists as rebuilders. The file says what was built: measurement, hashes of source and Cargo.lock, toolchain
/// and flags, as a genesis has them in `build`. What is printed goes into the proposal that releases it. Nothing is sent.
#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  cloister attest sign-release build.json --chain-id cloister-1 --key rebuilder.key")]
pub struct SignRelease {
    /// What was built, in JSON.
    #[arg(value_name = "BUILD")]
    pub build: PathBuf,
    /// The chain that it is released on.
    #[arg(long, value_name = "ID", value_parser = chain_id)]
    pub chain_id: String,
    /// A file with your Ed25519 secret key: 64 hex digits. Your public key is printed with the signature.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    pub print: Output,
}

/// As long as a genesis may have it.
fn chain_id(text: &str) -> Result<String, &'static str> {
    if text.len() <= CHAIN_ID_BYTES { Ok(text.to_owned()) } else { Err("a chain id is short") }
}

/// What a bundle has to show.
#[derive(Clone, Copy, Debug, Group)]
pub struct Demanded {
    /// At least so many enclaves, each on a chip of its own.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, help_heading = "Demands")]
    pub nodes: u16,
    /// Chips of at least so many makers [default: 2, or 1 on a SIMULATED chain].
    #[arg(long, value_name = "NUMBER", help_heading = "Demands")]
    pub vendors: Option<u16>,
    /// How old the newest header may be, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, help_heading = "Demands")]
    pub max_age: u64,
    /// For how many days after its time a block's validators can vouch for later ones. Less than the chain's unbonding time.
    #[arg(long, value_name = "DAYS", default_value_t = 14, help_heading = "Trust")]
    pub trust_for: u16,
}
