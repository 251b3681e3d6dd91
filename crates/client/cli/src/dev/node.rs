//! A node with one validator, its enclave as a process of its own, and its door, for `dev` and `demo`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloister_api::Backend;
use cloister_api::eth::{self, ServerHandle};
use cloister_chain::wire::{Answer, Lockdown, Query, QueryAt, QueryRefusal};
use cloister_chain::{Address, Genesis, U256};
use cloister_node::{Config, Home, Node, NodeError};
use cloister_sdk::UserKey;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};

use super::accounts::{self, DevAccount};
use super::genesis;
use crate::args::Dev;
use crate::error::Error;

/// A running development chain.
pub struct DevNode {
    node: Arc<Node>,
    door: ServerHandle,
    accounts: Vec<DevAccount>,
    data: Option<PathBuf>,
}

impl DevNode {
    /// Starts a new chain, or the one in the directory. When this returns the door is open and the chain takes
    /// transactions.
    pub async fn start(dev: &Dev) -> Result<Self, Error> {
        let address = SocketAddr::new(dev.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), dev.port);
        let listen = |source| Error::Listen { address, source };
        allow_descriptors();
        // A port that is taken is found out before anything is made in a directory.
        TcpListener::bind(address).map_err(listen)?;
        let (node, accounts) = block_in_place(|| launch(dev))?;
        let door = eth::serve(Arc::clone(&node), address).await.map_err(listen)?;
        Ok(Self { node, door, accounts, data: dev.data.clone() })
    }

    /// Takes no more requests, finishes the block under way and ends the enclave.
    pub async fn stop(self) {
        // A client that keeps its connection open must not keep the chain open.
        let _ = timeout(GRACE, self.door.stop()).await;
        block_in_place(|| self.node.stop());
    }

    /// Returns when the node has stopped by itself, with the reason.
    pub async fn stopped(&self) -> Result<(), Error> {
        self.node.ended().await.map_err(Error::Stopped)
    }

    /// Which walls stand around the enclave.
    pub fn lockdown(&self) -> Lockdown {
        self.node.lockdown()
    }

    /// Who was funded.
    pub fn accounts(&self) -> &[DevAccount] {
        &self.accounts
    }

    /// The chain.
    pub fn genesis(&self) -> &Genesis {
        self.node.genesis()
    }

    /// The door, as a client on this machine reaches it.
    pub fn url(&self) -> String {
        let mut address = self.door.address();
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    /// Height of the last block.
    pub fn height(&self) -> u64 {
        *self.node.heads().borrow()
    }

    /// The directory, if there is one.
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Balance in wei.
    pub fn balance(&self, address: Address) -> Result<U256, Error> {
        let account = self.node.store().reader().and_then(|reader| reader.account(&address, self.height()));
        Ok(account.map_err(NodeError::from)?.balance)
    }

    /// The AES key of an account. The enclave tells it on a SIMULATED chain only.
    pub async fn user_key(&self, address: Address) -> Result<UserKey, Error> {
        let deadline = Instant::now() + GRACE;
        loop {
            match self.node.query(QueryAt { height: None, query: Query::UserKey(address) }).await? {
                Answer::UserKey(key) => return Ok(UserKey::from_bytes(key.0)),
                // An enclave that has just started takes blocks a moment before it takes questions.
                Answer::Refused(QueryRefusal::NotReady) if Instant::now() < deadline => sleep(PAUSE).await,
                _ => return Err(Error::UserKey(address)),
            }
        }
    }
}

fn launch(dev: &Dev) -> Result<(Arc<Node>, Vec<DevAccount>), Error> {
    let home = match &dev.data {
        Some(directory) => Home::open(directory)?,
        None => Home::in_memory()?,
    };
    let (genesis, accounts) = match home.genesis()? {
        Some(genesis) => {
            genesis::check_existing(dev, &genesis)?;
            let accounts = accounts::all(genesis::hardhat_accounts(&genesis))?;
            (genesis, accounts)
        }
        None => {
            let accounts = accounts::all(dev.accounts.unwrap_or(ACCOUNTS))?;
            (genesis::new(dev, &accounts, home.validator(), now())?, accounts)
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // This very program, even if its file was replaced meanwhile.
    let enclave = cloister_node::process("/proc/self/exe".into(), vec!["enclave".into()], threads);
    let node = Node::start(Config { genesis, home, block_time: dev.block_time, enclave })?;
    Ok((Arc::new(node), accounts))
}

/// Lets this process have as many descriptors as the system gives it: each connection takes one, and another enclave a few.
/// What is usual, 1,024, is for programs that use select(2).
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // It needs no privilege. Where it is refused all the same, what is usual has to do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Nanoseconds since the Unix epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// How many of hardhat's accounts a new chain funds.
const ACCOUNTS: u32 = 10;
/// Between two attempts to ask the enclave.
const PAUSE: Duration = Duration::from_millis(1);
/// How long clients may take to end their connections, and an enclave to take questions.
const GRACE: Duration = Duration::from_secs(1);
