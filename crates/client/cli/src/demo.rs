//! `cloister demo`: how data is encrypted on the chain, with real ciphertext beside each step.

mod contract;
mod page;
mod story;
mod token;

use std::time::Instant;

use cloister_sdk::{Account, Client, ETHEREUM, HARDHAT_MNEMONIC, Wallet, cosmos};

use crate::args::{Demo, Dev};
use crate::dev::DevNode;
use crate::error::Error;
use crate::shell::{Paint, Shell};
use page::Page;
use story::Story;
use token::TokenStory;

/// Runs the demonstration.
pub async fn run(shell: &Shell, command: &Demo) -> Result<(), Error> {
    let start = Instant::now();
    let mut page = Page::new(shell);
    if let Some(url) = &command.rpc {
        shell.prose(format_args!("Using the node at {url}."));
        first_act(&mut page, url, command.private_key.as_deref()).await?;
        match &command.rest {
            Some(rest) => second_act(&mut page, rest, command.private_key.as_deref()).await?,
            None => shell.prose("The second act needs the node's Cosmos door: --rest URL."),
        }
    } else {
        shell.prose("Starting a chain of its own, in memory.");
        let node = DevNode::start(&Dev::default()).await?;
        shell.prose(shell.prose_paint(Paint::Warning, "SIMULATED: no confidentiality against the host."));
        let mut told = first_act(&mut page, &node.url(), None).await;
        if told.is_ok() {
            told = second_act(&mut page, &node.rest_url(), None).await;
        }
        node.stop().await;
        told?;
    }
    shell.prose(format_args!("Everything was as it should be, in {:.1} s.", start.elapsed().as_secs_f64()));
    Ok(())
}

/// A Solidity contract, after COTI's example.
async fn first_act(page: &mut Page<'_>, url: &str, key: Option<&str>) -> Result<(), Error> {
    let alice = Account::new(wallet(key, 0)?, Client::connect(url).await?);
    Story::new(page, alice).tell().await
}

/// A CosmWasm contract, after Secret Network's private transactions.
async fn second_act(page: &mut Page<'_>, url: &str, key: Option<&str>) -> Result<(), Error> {
    // On-boarded or not, an account has its place in both worlds.
    let client = cosmos::Client::new(url, CHAIN_ID)?;
    let alice = cosmos::Account::new(wallet(key, 0)?, client.clone());
    let bob = cosmos::Account::new(wallet(None, 1)?, client);
    TokenStory::new(page, alice, bob).tell().await
}

fn wallet(key: Option<&str>, index: u32) -> Result<Wallet, Error> {
    match key {
        Some(key) => Ok(Wallet::from_hex(key)?),
        None => Ok(Wallet::family(HARDHAT_MNEMONIC, ETHEREUM, [index])?.remove(0)),
    }
}

/// What a development chain is called unless it is told otherwise.
const CHAIN_ID: &str = "secretdev-1";
