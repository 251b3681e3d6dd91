//! A node with one validator, its enclave as a process of its own, and its doors, for `dev` and `demo`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloister_api::{Backend, cosmos, eth};
use cloister_chain::wire::{Answer, Lockdown, Query, QueryAt, QueryRefusal};
use cloister_chain::{Address, Genesis, Leaf, U256};
use cloister_node::{Config, Home, Node, NodeError};
use cloister_sdk::UserKey;
use cloister_store::StoreError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};

use super::accounts::{self, DevAccount};
use super::{faucet, genesis};
use crate::args::Dev;
use crate::error::Error;

/// A running development chain.
pub struct DevNode {
    node: Arc<Node>,
    ethereum: eth::ServerHandle,
    rest: cosmos::ServerHandle,
    faucet: cosmos::ServerHandle,
    accounts: Vec<DevAccount>,
    data: Option<PathBuf>,
}

/// Where a door is to be, and the flag that says so.
#[derive(Clone, Copy)]
struct Place {
    address: SocketAddr,
    flag: &'static str,
}

impl DevNode {
    /// Starts a new chain, or the one in the directory. When this returns the doors are open and the chain takes
    /// transactions.
    pub async fn start(dev: &Dev) -> Result<Self, Error> {
        let places @ [at_ethereum, at_rest, at_faucet] = places(dev);
        allow_descriptors();
        for place in places {
            // A port that is taken is found out before anything is made in a directory.
            TcpListener::bind(place.address).map_err(place.refused())?;
        }
        let (node, accounts) = block_in_place(|| launch(dev))?;
        let ethereum = eth::serve(Arc::clone(&node), at_ethereum.address).await.map_err(at_ethereum.refused())?;
        let rest = cosmos::serve(Arc::clone(&node), at_rest.address).await.map_err(at_rest.refused())?;
        let faucet = faucet::serve(Arc::clone(&node), accounts::faucet(&accounts)?, at_faucet.address);
        let faucet = faucet.await.map_err(at_faucet.refused())?;
        Ok(Self { node, ethereum, rest, faucet, accounts, data: dev.data.clone() })
    }

    /// Takes no more requests, finishes the block under way and ends the enclave.
    pub async fn stop(self) {
        let doors = async { tokio::join!(self.ethereum.stop(), self.rest.stop(), self.faucet.stop()) };
        // A client that keeps its connection open must not keep the chain open.
        let _ = timeout(GRACE, doors).await;
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

    /// The Ethereum door, as a client on this machine reaches it.
    pub fn url(&self) -> String {
        url(self.ethereum.address())
    }

    /// The Cosmos door, in the same way.
    pub fn rest_url(&self) -> String {
        url(self.rest.address())
    }

    /// The faucet, in the same way.
    pub fn faucet_url(&self) -> String {
        url(self.faucet.address())
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

    /// Balance in the Cosmos micro-denomination.
    pub fn coins(&self, address: Address) -> Result<u128, Error> {
        let leaf = Leaf::Coins(address);
        let value = self.node.store().reader().and_then(|reader| reader.leaf(&leaf, self.height()));
        let coins = value.map_err(NodeError::from)?.map(|bytes| borsh::from_slice(&bytes)).transpose();
        Ok(coins.map_err(|_| NodeError::from(StoreError::Corrupted("coins")))?.unwrap_or_default())
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

impl Place {
    fn refused(self) -> impl FnOnce(io::Error) -> Error {
        let Self { address, flag } = self;
        move |source| Error::Listen { address, flag, source }
    }
}

/// Where the Ethereum door, the Cosmos door and the faucet are to be.
fn places(dev: &Dev) -> [Place; 3] {
    let host = dev.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let place = |flag, port| Place { address: SocketAddr::new(host, port), flag };
    // Who does not care which port it is does not care which ports they are.
    let usual = |port| if dev.port == 0 { 0 } else { port };
    [
        place("--port", dev.port),
        place("--cosmos-port", dev.cosmos_port.unwrap_or(usual(REST_PORT))),
        place("--faucet-port", dev.faucet_port.unwrap_or(usual(FAUCET_PORT))),
    ]
}

/// An address as a client on this machine reaches it.
fn url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
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

/// Where clients of LocalSecret look for its REST and for its faucet.
const REST_PORT: u16 = 1_317;
const FAUCET_PORT: u16 = 5_000;
/// How many of hardhat's accounts a new chain funds.
const ACCOUNTS: u32 = 10;
/// Between two attempts to ask the enclave.
const PAUSE: Duration = Duration::from_millis(1);
/// How long clients may take to end their connections, and an enclave to take questions.
const GRACE: Duration = Duration::from_secs(1);
