//! `cloister dev`: a chain with one validator, its enclave and its doors.

mod accounts;
mod faucet;
mod genesis;
mod node;
mod ready;

use tokio::signal::unix::{SignalKind, signal};

use crate::args::Dev;
use crate::error::Error;
use crate::shell::Shell;
pub use node::DevNode;
use ready::Ready;

/// Runs a chain until Ctrl-C or SIGTERM.
pub async fn run(shell: &Shell, dev: &Dev) -> Result<(), Error> {
    // Before the chain starts, so that a signal that comes meanwhile is not lost.
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let node = DevNode::start(dev).await?;
    Ready::of(&node).await?.print(shell)?;
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        stopped = node.stopped() => stopped,
    };
    shell.prose("Stopping.");
    node.stop().await;
    ended
}
