//! `cloister demo`: how data is encrypted on the chain, with real ciphertext beside each step.

mod contract;
mod page;
mod story;

use std::time::Instant;

use cloister_sdk::{Account, Client, HARDHAT_MNEMONIC, Wallet};

use crate::args::{Demo, Dev};
use crate::dev::DevNode;
use crate::error::Error;
use crate::shell::{Paint, Shell};
use page::Page;
use story::Story;

/// Runs the demonstration.
pub async fn run(shell: &Shell, command: &Demo) -> Result<(), Error> {
    let start = Instant::now();
    if let Some(url) = &command.rpc {
        shell.prose(format_args!("Using the node at {url}."));
        tell(shell, url, command.private_key.as_deref()).await?;
    } else {
        shell.prose("Starting a chain of its own, in memory.");
        let node = DevNode::start(&Dev::default()).await?;
        shell.prose(shell.prose_paint(Paint::Warning, "SIMULATED: no confidentiality against the host."));
        let told = tell(shell, &node.url(), None).await;
        node.stop().await;
        told?;
    }
    shell.prose(format_args!("Everything was as it should be, in {:.1} s.", start.elapsed().as_secs_f64()));
    Ok(())
}

async fn tell(shell: &Shell, url: &str, key: Option<&str>) -> Result<(), Error> {
    let wallet = match key {
        Some(key) => Wallet::from_hex(key)?,
        None => Wallet::from_mnemonic(HARDHAT_MNEMONIC, 0)?,
    };
    let alice = Account::new(wallet, Client::connect(url).await?);
    Story::new(Page::new(shell), alice).tell().await
}
