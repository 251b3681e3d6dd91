//! `cloister dev`: a chain with one validator, its enclave and its doors; or a network of several on this machine.

pub mod accounts;
pub mod faucet;
pub mod genesis;
mod network;
mod node;
pub mod ready;

use tokio::signal::unix::{SignalKind, signal};

use crate::args::Dev;
use crate::error::Error;
use crate::shell::Shell;
use network::Network;
pub use node::DevNode;
use ready::Ready;

/// Runs a chain until Ctrl-C or SIGTERM.
pub async fn run(shell: &Shell, dev: &Dev) -> Result<(), Error> {
    // Before the chain starts, so that a signal that comes meanwhile is not lost.
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let told = async {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    };
    if Network::is_meant(dev) { many(shell, dev, told).await } else { one(shell, dev, told).await }
}

async fn one(shell: &Shell, dev: &Dev, told: impl Future<Output = ()>) -> Result<(), Error> {
    let node = DevNode::start(dev).await?;
    Ready::of(&node).await?.print(shell)?;
    let ended = tokio::select! {
        () = told => Ok(()),
        stopped = node.stopped() => stopped,
    };
    shell.prose("Stopping.");
    node.stop().await;
    ended
}

async fn many(shell: &Shell, dev: &Dev, told: impl Future<Output = ()>) -> Result<(), Error> {
    let mut told = std::pin::pin!(told);
    let started = tokio::select! {
        () = &mut told => return Ok(()),
        started = Network::start(shell, dev) => started,
    };
    let mut network = started?;
    network.ready()?.print(shell)?;
    let ended = tokio::select! {
        () = told => Ok(()),
        ended = network.watch(shell) => ended,
    };
    shell.prose("Stopping.");
    network.stop().await;
    ended
}
