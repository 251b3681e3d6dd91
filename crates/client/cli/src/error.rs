//! Why a command fails.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cloister_chain::Address;
use cloister_chain::genesis::GenesisError;
use cloister_chain::validators::ValidatorSetError;
use cloister_store::StoreError;
use thiserror::Error;

use crate::settings::SettingsError;

/// Why a command fails. The words are for the person who typed it.
#[derive(Debug, Error)]
pub enum Error {
    /// The system gives no threads or timers.
    #[error("cannot start the runtime: {0}")]
    Runtime(#[source] io::Error),
    /// The reader of standard output has gone.
    #[error("cannot write the result: {0}")]
    Output(#[source] io::Error),
    /// Signals cannot be watched.
    #[error("cannot watch for signals: {0}")]
    Signals(#[source] io::Error),
    /// A flag makes a genesis that is none.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// `--data` names a directory with a chain that was made with other flags.
    #[error("the chain in this directory exists already, and {flag} belongs to a new one: {detail}")]
    Existing {
        /// The flag.
        flag: &'static str,
        /// What the existing chain has.
        detail: String,
    },
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address}: {source}{}", hint(source, flag))]
    Listen {
        /// What chooses another port.
        flag: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The nodes of a network do not fit together.
    #[error("{0}")]
    Plan(&'static str),
    /// The powers make no set of validators.
    #[error(transparent)]
    Validators(#[from] ValidatorSetError),
    /// `--output` names a directory with something in it.
    #[error("{0} is not empty: a network is made once, in a directory of its own")]
    NotEmpty(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A genesis file that is none.
    #[error("{path} is not a genesis: {source}")]
    GenesisFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// A file that does not say what was built.
    #[error("{path} does not say what was built: {source}")]
    BuildFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// A file without a rebuilder's key.
    #[error("{0} has no Ed25519 secret key of 64 hex digits")]
    RebuilderKey(PathBuf),
    /// What nobody signs.
    #[error(transparent)]
    NotRebuilt(#[from] cloister_chain::trust::NotRebuilt),
    /// Nothing to hold a bundle to: the command line demands one of the two.
    #[error("name a --checkpoint or a --genesis that you trust")]
    NoCheckpoint,
    /// The settings of a node cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The home of a node has no seed.
    #[error("{0} has no sealed roots: `cloister join` gets them from a running network")]
    Seedless(PathBuf),
    /// A chain that promises hardware, and nothing that vouches for this machine's.
    #[error("--collateral names what the maker of this machine's processor publishes about it")]
    Collateral,
    /// A file of collateral that is none.
    #[error("{path} is not what the maker of a processor publishes: {why}")]
    CollateralFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: cloister_attest::Refused,
    },
    /// An enclave of this machine is not one that its own chain would admit.
    #[error(transparent)]
    NotAdmitted(#[from] cloister_chain::trust::NotAdmitted),
    /// The seed of a new chain does not reach its homes.
    #[error(transparent)]
    Provision(#[from] cloister_node::ProvisionError),
    /// A running node has the directory.
    #[error("{0} is in use by another process: stop the node first")]
    InUse(PathBuf),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block in the store is not what it should be.
    #[error("block {height} of this store is unsound: {what}")]
    Unsound {
        /// Its height.
        height: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A node of a network on this machine did not start.
    #[error("{name} did not start: {what}")]
    NodeFailed {
        /// Which node.
        name: String,
        /// Its last words.
        what: String,
    },
    /// All nodes of a network on this machine have ended.
    #[error("no node is left")]
    NoneLeft,
    /// The directory or its keys cannot be used.
    #[error(transparent)]
    Home(#[from] cloister_node::HomeError),
    /// The node did not start.
    #[error(transparent)]
    Node(#[from] cloister_node::NodeError),
    /// The node stopped by itself.
    #[error("the node stopped: {0}")]
    Stopped(#[source] Arc<cloister_node::NodeError>),
    /// The enclave did not answer.
    #[error(transparent)]
    Unavailable(#[from] cloister_api::Unavailable),
    /// The enclave keeps an AES key to itself: the chain is not a development chain.
    #[error("the enclave does not tell the AES key of {0}")]
    UserKey(Address),
    /// The node answers something else than expected.
    #[error(transparent)]
    Sdk(#[from] cloister_sdk::Error),
    /// A step of the demonstration did not go as it should.
    #[error("step {step}: {what}")]
    Demo {
        /// Its number.
        step: u32,
        /// What should have been.
        what: &'static str,
    },
}

fn hint(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(" (another program has the port: choose one with {flag}, or 0 for any free one)")
        }
        io::ErrorKind::PermissionDenied => " (ports below 1024 need privileges)".into(),
        _ => String::new(),
    }
}
