//! `cloister start`: one node of a network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloister_api::Backend;
use cloister_chain::{B256, Genesis};
use cloister_node::{Config, Home, HomeLock, Network, Node, Spawner};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, block_in_place, spawn_blocking};

use crate::args::Start;
use crate::dev::accounts;
use crate::dev::ready::Walls;
use crate::doors::{Doors, Place, Places};
use crate::error::Error;
use crate::runs;
use crate::settings::{NetworkSettings, Settings};
use crate::shell::{Paint, Shell};
use crate::testnet;

/// Runs a node until Ctrl-C or SIGTERM.
pub async fn run(shell: &Shell, command: &Start, settings: &Settings) -> Result<(), Error> {
    // Before the node starts, so that a signal that comes meanwhile is not lost.
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let running = Running::start(&command.home, settings).await?;
    running.ready().print(shell)?;
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        () = input_ends(), if command.until_input_ends => Ok(()),
        stopped = running.node.ended() => stopped.map_err(Error::Stopped),
    };
    shell.prose("Stopping.");
    running.stop().await;
    ended
}

/// A running node of a network.
struct Running {
    node: Arc<Node>,
    doors: Doors,
    pruner: Option<JoinHandle<()>>,
    registrar: Option<JoinHandle<()>>,
    home: PathBuf,
    validator: B256,
    _lock: Option<HomeLock>,
}

impl Running {
    async fn start(directory: &Path, settings: &Settings) -> Result<Self, Error> {
        let places = places(settings);
        places.check()?;
        let (node, validator, lock) = block_in_place(|| launch(directory, settings))?;
        let doors = Doors::open(&node, &places, accounts::faucet(&[])?).await?;
        let keep = settings.state.keep;
        let pruner = (keep > 0).then(|| tokio::spawn(prune(Arc::clone(&node), keep)));
        let registrar = runs::keep_listed(&node, doors.cosmos(), directory);
        Ok(Self { node, doors, pruner, registrar, home: directory.into(), validator, _lock: lock })
    }

    async fn stop(self) {
        self.doors.stop().await;
        for task in [self.pruner, self.registrar].into_iter().flatten() {
            task.abort();
        }
        block_in_place(|| self.node.stop());
    }

    fn ready(&self) -> Ready {
        let genesis = self.node.genesis();
        Ready {
            event: "ready",
            simulated: genesis.simulated,
            rpc: self.doors.ethereum(),
            websocket: self.doors.ethereum().replacen("http", "ws", 1),
            rest: self.doors.cosmos(),
            faucet: self.doors.faucet(),
            ops: self.doors.ops(),
            chain_id: genesis.chain_id.clone(),
            evm_chain_id: genesis.evm_chain_id,
            genesis: genesis.hash(),
            height: *self.node.heads().borrow(),
            home: self.home.clone(),
            power: genesis.validators.find(&self.validator).map(|validator| validator.power),
            validator: self.validator,
            enclave: Walls::from(self.node.lockdown()),
        }
    }
}

/// What an operator is told when the node is ready. As JSON it is one line of standard output.
#[derive(Debug, Serialize)]
struct Ready {
    event: &'static str,
    /// True for ever: no confidentiality against the host.
    simulated: bool,
    rpc: String,
    websocket: String,
    rest: String,
    faucet: Option<String>,
    ops: Option<String>,
    chain_id: String,
    evm_chain_id: u64,
    genesis: B256,
    height: u64,
    home: PathBuf,
    /// The public half of its validator key, and the power that the genesis gives it, if any.
    validator: B256,
    power: Option<u64>,
    enclave: Walls,
}

impl Ready {
    fn print(&self, shell: &Shell) -> Result<(), Error> {
        if self.simulated {
            let warning = "SIMULATED: no confidentiality against the host.";
            shell.prose(shell.prose_paint(Paint::Warning, warning));
        }
        let Self { chain_id, evm_chain_id, height, home, rest, faucet, ops, enclave, .. } = self;
        shell.prose(format_args!("{chain_id} ({evm_chain_id} for Ethereum's clients), at block {height}"));
        shell.prose(format_args!(
            "in {}, {}",
            home.display(),
            match self.power {
                Some(power) => format!("validates with power {power} at genesis"),
                None => "follows".to_owned(),
            }
        ));
        shell.prose(format_args!("Cosmos REST {rest}"));
        for (name, url) in [("faucet", faucet), ("status, health, metrics", ops)] {
            if let Some(url) = url {
                shell.prose(format_args!("{name} {url}"));
            }
        }
        shell.prose(format_args!("enclave: a process of its own, behind {}", enclave.words()));
        if shell.json() { shell.object(self) } else { shell.result(&self.rpc) }
    }
}

/// This very program as an enclave, even if its file was replaced meanwhile.
pub fn enclave() -> Spawner {
    enclave_with(std::thread::available_parallelism().map_or(1, usize::from))
}

/// An enclave that answers no questions: for a seed's hand-over.
pub fn bare_enclave() -> Spawner {
    enclave_with(0)
}

fn enclave_with(threads: usize) -> Spawner {
    cloister_node::process("/proc/self/exe".into(), vec!["enclave".into()], threads)
}

fn launch(directory: &Path, settings: &Settings) -> Result<(Arc<Node>, B256, Option<HomeLock>), Error> {
    let genesis = testnet::read_genesis(directory)?;
    let home = Home::open(directory)?;
    let lock = home.lock()?;
    if !home.has_seed()? {
        return Err(Error::Seedless(directory.into()));
    }
    let validator = home.validator();
    let node = Node::start(config(genesis, home, settings)?)?;
    Ok((Arc::new(node), validator, lock))
}

/// Whoever is alone needs no others to agree with.
fn config(genesis: Genesis, home: Home, settings: &Settings) -> Result<Config, Error> {
    let alone = genesis.validators.iter().map(|validator| validator.key).eq([home.validator()]);
    let NetworkSettings { moniker, listen, peers, gossip_listen, gossip_peers } = settings.network.clone();
    let network = if alone && peers.is_empty() && gossip_peers.is_empty() {
        None
    } else {
        let pace = settings.pace();
        let (peer_key, snapshots) = (home.node_key()?, settings.state.snapshots);
        Some(Network { moniker, peer_key, listen, peers, gossip_listen, gossip_peers, pace, snapshots })
    };
    Ok(Config { genesis, home, block_time: Some(settings.idle()), network, enclave: enclave() })
}

fn places(settings: &Settings) -> Places {
    let doors = &settings.doors;
    Places {
        ethereum: Place { address: doors.ethereum, flag: "--ethereum" },
        cosmos: Place { address: doors.cosmos, flag: "--cosmos" },
        faucet: doors.faucet.map(|address| Place { address, flag: "--faucet" }),
        ops: doors.ops.map(|address| Place { address, flag: "--ops" }),
    }
}

/// Drops the state of old heights as the chain grows, some heights at a time.
async fn prune(node: Arc<Node>, keep: u64) {
    let mut heads = node.heads();
    let mut pruned = 0;
    loop {
        let below = heads.borrow_and_update().saturating_sub(keep);
        if below >= pruned + PRUNED_AT_ONCE {
            let node = Arc::clone(&node);
            match spawn_blocking(move || node.store().prune(below)).await {
                Ok(Ok(())) => tracing::debug!(below, "pruned"),
                Ok(Err(error)) => tracing::error!(below, %error, "pruning failed"),
                Err(_) => return,
            }
            pruned = below;
        }
        if heads.changed().await.is_err() {
            return;
        }
    }
}

/// Returns when whoever holds the other end of standard input is gone.
async fn input_ends() {
    let (ended, end) = oneshot::channel::<()>();
    // A thread of its own: one of the runtime's, waiting for input, would keep the program from ending.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(ended);
    });
    let _ = end.await;
}

/// How many heights are dropped in one step.
const PRUNED_AT_ONCE: u64 = 16;
