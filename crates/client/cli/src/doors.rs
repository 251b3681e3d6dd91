//! The doors of a node, and where they are.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use cloister_api::{cosmos, eth, ops};
use cloister_node::Node;
use cloister_sdk::Wallet;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::timeout;

use crate::dev::faucet;
use crate::error::Error;

/// Where a door is to be, and what says so.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The address; port 0 chooses a free one.
    pub address: SocketAddr,
    /// The flag that chooses another.
    pub flag: &'static str,
}

/// Where the doors of a node are to be.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Ethereum JSON-RPC.
    pub ethereum: Place,
    /// Cosmos REST.
    pub cosmos: Place,
    /// The faucet, if there is to be one.
    pub faucet: Option<Place>,
    /// Status, health and metrics, if they are to be told.
    pub ops: Option<Place>,
}

/// The open doors of a node.
#[derive(Debug)]
pub struct Doors {
    ethereum: eth::ServerHandle,
    cosmos: cosmos::ServerHandle,
    faucet: Option<cosmos::ServerHandle>,
    ops: Option<cosmos::ServerHandle>,
}

impl Place {
    fn refused(self) -> impl FnOnce(io::Error) -> Error {
        let Self { address, flag } = self;
        move |source| Error::Listen { address, flag, source }
    }
}

impl Places {
    /// Finds out that a port is taken before anything else is done, and makes room for many connections.
    pub fn check(&self) -> Result<(), Error> {
        allow_descriptors();
        let places = [Some(self.ethereum), Some(self.cosmos), self.faucet, self.ops];
        for place in places.into_iter().flatten() {
            TcpListener::bind(place.address).map_err(place.refused())?;
        }
        Ok(())
    }
}

impl Doors {
    /// Opens the doors of a node. `faucet` holds the coins that the faucet gives.
    pub async fn open(node: &Arc<Node>, places: &Places, faucet: Wallet) -> Result<Self, Error> {
        let node = || Arc::clone(node);
        let Places { ethereum: at_ethereum, cosmos: at_cosmos, faucet: at_faucet, ops: at_ops } = *places;
        let ethereum = eth::serve(node(), at_ethereum.address).await.map_err(at_ethereum.refused())?;
        let cosmos = cosmos::serve(node(), at_cosmos.address).await.map_err(at_cosmos.refused())?;
        let faucet = match at_faucet {
            Some(at) => Some(faucet::serve(node(), faucet, at.address).await.map_err(at.refused())?),
            None => None,
        };
        let ops = match at_ops {
            Some(at) => Some(ops::serve(node(), at.address).await.map_err(at.refused())?),
            None => None,
        };
        Ok(Self { ethereum, cosmos, faucet, ops })
    }

    /// Takes no more requests, and answers those that are under way.
    pub async fn stop(self) {
        let others = [Some(self.cosmos), self.faucet, self.ops].map(async |door| {
            if let Some(door) = door {
                door.stop().await;
            }
        });
        let [cosmos, faucet, ops] = others;
        // A client that keeps its connection open must not keep the chain open.
        let _ = timeout(GRACE, async { tokio::join!(self.ethereum.stop(), cosmos, faucet, ops) }).await;
    }

    /// Ethereum JSON-RPC, as a client on this machine reaches it; so are the others.
    pub fn ethereum(&self) -> String {
        url(self.ethereum.address())
    }

    /// Cosmos REST.
    pub fn cosmos(&self) -> String {
        url(self.cosmos.address())
    }

    /// The faucet.
    pub fn faucet(&self) -> Option<String> {
        self.faucet.as_ref().map(|door| url(door.address()))
    }

    /// Status, health and metrics.
    pub fn ops(&self) -> Option<String> {
        self.ops.as_ref().map(|door| url(door.address()))
    }
}

/// An address as a client on this machine reaches it.
fn url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// Lets this process have as many descriptors as the system gives it: each connection takes one, and another enclave a few.
/// What is usual, 1,024, is for programs that use select(2).
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // It needs no privilege. Where it is refused all the same, what is usual has to do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// How long clients may take to end their connections.
const GRACE: Duration = Duration::from_secs(1);
