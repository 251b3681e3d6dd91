//! A node with one validator, its enclave as a process of its own, and its doors, for `dev` and `demo`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cloister_api::Backend;
use cloister_chain::wire::{Answer, Lockdown, Query, QueryAt, QueryRefusal};
use cloister_chain::{Address, Genesis, Leaf, U256};
use cloister_node::{Config, Home, HomeLock, Node, NodeError};
use cloister_sdk::UserKey;
use cloister_store::StoreError;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

use super::accounts::{self, DevAccount};
use super::genesis;
use crate::args::Dev;
use crate::doors::{Doors, Place, Places};
use crate::error::Error;
use crate::start;

/// A running development chain.
pub struct DevNode {
    node: Arc<Node>,
    doors: Doors,
    accounts: Vec<DevAccount>,
    data: Option<PathBuf>,
    _lock: Option<HomeLock>,
}

impl DevNode {
    /// Starts a new chain, or the one in the directory. When this returns the doors are open and the chain takes
    /// transactions.
    pub async fn start(dev: &Dev) -> Result<Self, Error> {
        let places = places(dev);
        // Before anything is made in a directory.
        places.check()?;
        let home = match &dev.data {
            Some(directory) => Home::open(directory)?,
            None => Home::in_memory()?,
        };
        let lock = home.lock()?;
        let (node, accounts) = block_in_place(|| launch(dev, home))?;
        let doors = Doors::open(&node, &places, accounts::faucet(&accounts)?).await?;
        Ok(Self { node, doors, accounts, data: dev.data.clone(), _lock: lock })
    }

    /// Takes no more requests, finishes the block under way and ends the enclave.
    pub async fn stop(self) {
        self.doors.stop().await;
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

    /// The doors.
    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    /// The Ethereum door, as a client on this machine reaches it.
    pub fn url(&self) -> String {
        self.doors.ethereum()
    }

    /// The Cosmos door, in the same way.
    pub fn rest_url(&self) -> String {
        self.doors.cosmos()
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

    /// The AES key of an account. The enclave tells it on a SIMULATED chain with one validator only.
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

/// Where the doors of a development chain's first node are to be.
pub fn places(dev: &Dev) -> Places {
    let host = dev.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let place = |flag, port| Place { address: SocketAddr::new(host, port), flag };
    // Who does not care which port it is does not care which ports they are.
    let usual = |port| if dev.port == 0 { 0 } else { port };
    Places {
        ethereum: place("--port", dev.port),
        cosmos: place("--cosmos-port", dev.cosmos_port.unwrap_or(usual(REST_PORT))),
        faucet: Some(place("--faucet-port", dev.faucet_port.unwrap_or(usual(FAUCET_PORT)))),
        ops: dev.ops_port.map(|port| place("--ops-port", port)),
    }
}

fn launch(dev: &Dev, home: Home) -> Result<(Arc<Node>, Vec<DevAccount>), Error> {
    let (genesis, accounts) = match home.genesis()? {
        Some(genesis) => {
            genesis::check_existing(dev, &genesis)?;
            let accounts = accounts::all(genesis::hardhat_accounts(&genesis))?;
            (genesis, accounts)
        }
        None => {
            let accounts = accounts::all(dev.accounts.unwrap_or(accounts::HARDHAT))?;
            (genesis::local(dev, &accounts, home.validator(), genesis::now())?, accounts)
        }
    };
    let node =
        Node::start(Config { genesis, home, block_time: dev.block_time, network: None, enclave: start::enclave() })?;
    Ok((Arc::new(node), accounts))
}

/// Where clients of LocalSecret look for its REST and for its faucet.
const REST_PORT: u16 = 1_317;
const FAUCET_PORT: u16 = 5_000;
/// Between two attempts to ask the enclave.
const PAUSE: Duration = Duration::from_millis(1);
/// How long an enclave may take to take questions.
const GRACE: Duration = Duration::from_secs(1);
