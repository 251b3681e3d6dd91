//! `cloister join`: a node's enclave registers with a running network and gets the seed (docs/registration.md).

use std::path::{Path, PathBuf};
use std::time::Duration;

use cloister_chain::Genesis;
use cloister_node::{Applicant, Home};
use cloister_sdk::cosmos::{Account, Client, bech32, register};
use cloister_sdk::light::{Node, Source};
use cloister_sdk::{B256, Wallet};
use serde::Serialize;
use tokio::task::block_in_place;

use crate::args::Join;
use crate::enclaves;
use crate::error::Error;
use crate::settings::{DoorSettings, NetworkSettings, Settings};
use crate::shell::{Paint, Shell};
use crate::start;
use crate::testnet::{self, GENESIS};

/// Registers, and leaves a home that `cloister start` can run.
pub async fn run(shell: &Shell, command: &Join) -> Result<(), Error> {
    let node = Node::new(&command.node)?;
    let (genesis, new) = chain(shell, command, &node).await?;
    let owner = owner(command)?;
    let home = Home::open(&command.home)?;
    let _lock = home.lock()?;
    if new {
        settle(command, &home, &genesis)?;
    }

    let applicant = block_in_place(|| Applicant::enrol(&genesis.chain_id, &home, &start::bare_enclave()))?;
    let now = time(&node, &genesis).await? / 1_000_000_000;
    let introduction = applicant.introduction();
    let registration = introduction.registration(enclaves::collateral(&genesis, command.collateral.as_deref(), now)?);
    let account = Account::new(owner, Client::new(&command.node, &genesis.chain_id)?);
    shell.prose(format_args!("{} registers this machine's enclave with {}", bech32(&account.address()), command.node));
    let included = account.transact(vec![register(account.address(), &registration)], register::GAS).await?;
    let mut share = account.client().encrypted_seed(introduction.boot_key()).await?;
    let renewed = share.is_empty() && home.has_seed()?;
    if share.is_empty() && !renewed {
        shell.prose("This machine was registered before: the seed comes with the next epoch. Waiting.");
    }
    while share.is_empty() && !renewed {
        tokio::time::sleep(PATIENCE).await;
        // A node that is away for a moment does not end a wait of a whole epoch: the key that opens the share is in this enclave.
        share = account.client().encrypted_seed(introduction.boot_key()).await.unwrap_or_default();
    }
    let joined = Joined {
        event: if renewed { "renewed" } else { "joined" },
        simulated: genesis.simulated,
        chain_id: genesis.chain_id.clone(),
        home: command.home.clone(),
        validator: home.validator(),
        owner: bech32(&account.address()),
        transaction: included.hash,
        height: included.height,
    };
    // Who has the seed already needs no other share of it.
    if !renewed {
        block_in_place(|| applicant.admit(&genesis, &home, &share))?;
    }
    joined.print(shell)
}

/// What an operator is told. As JSON it is one line of standard output.
#[derive(Debug, Serialize)]
struct Joined {
    event: &'static str,
    /// True for ever: no confidentiality against the host.
    simulated: bool,
    chain_id: String,
    home: PathBuf,
    /// The public half of the node's validator key.
    validator: B256,
    /// Who alone may renew the registration.
    owner: String,
    /// The registration, and the block that it stands in.
    transaction: B256,
    height: u64,
}

impl Joined {
    fn print(&self, shell: &Shell) -> Result<(), Error> {
        if self.simulated {
            let warning = "SIMULATED: no confidentiality against the host.";
            shell.prose(shell.prose_paint(Paint::Warning, warning));
        }
        let Self { chain_id, height, home, .. } = self;
        shell.prose(format_args!(
            "The enclaves of {chain_id} admitted this one in block {height}. Start the node with:"
        ));
        if shell.json() {
            shell.object(self)
        } else {
            shell.result(format_args!("cloister start --home {}", home.display()))
        }
    }
}

/// The genesis: of the home, if it has one, else the one that is to be put there.
async fn chain(shell: &Shell, command: &Join, node: &Node) -> Result<(Genesis, bool), Error> {
    if command.home.join(GENESIS).is_file() {
        return Ok((testnet::read_genesis(&command.home)?, false));
    }
    if let Some(path) = &command.genesis {
        return Ok((testnet::genesis_file(path)?, true));
    }
    let genesis = node.genesis().await?;
    let warning = format!("The genesis {} is what {} says it is: --genesis names one.", genesis.hash(), command.node);
    shell.prose(shell.prose_paint(Paint::Warning, &warning));
    Ok((genesis, true))
}

/// How often a machine that has to wait asks for its share.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whose node it is.
fn owner(command: &Join) -> Result<Wallet, Error> {
    command.key.as_deref().map_or_else(|| testnet::operator(&command.home), testnet::wallet)
}

/// Writes the files of a new home.
fn settle(command: &Join, home: &Home, genesis: &Genesis) -> Result<(), Error> {
    home.node_key()?;
    let Join { ethereum, cosmos, ops, listen, peers, gossip_listen, gossip_peers, .. } = command;
    let name = || command.home.file_name().map_or_else(|| "node".into(), |name| name.to_string_lossy().into_owned());
    let settings = Settings {
        doors: DoorSettings { ethereum: *ethereum, cosmos: *cosmos, faucet: None, ops: *ops },
        network: NetworkSettings {
            moniker: command.moniker.clone().unwrap_or_else(name),
            listen: listen.clone(),
            peers: peers.clone(),
            gossip_listen: gossip_listen.clone(),
            gossip_peers: gossip_peers.clone(),
        },
        ..Settings::default()
    };
    let file: &Path = &command.home.join(Settings::FILE);
    if !file.exists() {
        testnet::write(file, &settings.to_text(&genesis.chain_id))?;
    }
    testnet::write(&command.home.join(GENESIS), &testnet::genesis_text(genesis))
}

/// When the newest block was made, in nanoseconds since the Unix epoch: evidence is judged by the chain's time, not this
/// machine's.
pub async fn time(node: &Node, genesis: &Genesis) -> Result<u64, Error> {
    let told = node.headers(1, 1).await?;
    if told.tip == 0 {
        return Ok(genesis.time);
    }
    let newest = node.headers(told.tip, 1).await?;
    Ok(newest.headers.first().map_or(genesis.time, |(header, _)| header.time))
}
