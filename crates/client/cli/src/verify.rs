//! `cloister verify`: what a node says, checked with the SDK's light client, step by step.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cloister_chain::cosmos::bech32;
use cloister_chain::{Bytes, Receipt, Status};
use cloister_sdk::cosmos::{Opened, Opening};
use cloister_sdk::light::{Checkpoint, LightClient, Node, Proved, Rules, State};
use cloister_sdk::{Address, B256};
use serde::Serialize;

use crate::args::VerifyTx;
use crate::dev::genesis::now;
use crate::error::Error;
use crate::shell::Shell;
use crate::steps::{Step, Steps};
use crate::testnet;

/// Checks one transaction and prints what was verified and what was not.
pub async fn tx(shell: &Shell, command: &VerifyTx) -> Result<(), Error> {
    let mut steps = Steps::new(shell);
    let mut client = trust(command, &mut steps).await?;
    let proved = client.transaction(command.hash, now()).await?;
    block(&proved, &client, &mut steps)?;
    receipt(&proved, &mut steps)?;
    let opened = command.opening.as_deref().map(|path| opened(path, &proved, &mut steps)).transpose()?;
    privacy(&proved, &mut steps)?;
    let newest = client.trusted();
    if shell.json() {
        return shell.object(&Report::new(&proved, newest, opened.as_ref(), steps.done()));
    }
    let age = Duration::from_nanos(now().saturating_sub(newest.time())).as_secs();
    shell.prose(format_args!(
        "The newest block that was verified is {age} seconds old. Next time: --checkpoint {}",
        newest.anchor()
    ));
    Ok(())
}

/// A client that trusts what the command line names.
async fn trust(command: &VerifyTx, steps: &mut Steps<'_>) -> Result<LightClient<Node>, Error> {
    let node = Node::new(&command.node)?;
    let trusting = Duration::from_secs(u64::from(command.trust_for) * 24 * 60 * 60);
    let rules = Rules { trusting, ..Rules::default() };
    if let Some(anchor) = command.checkpoint {
        let client = LightClient::open(node, anchor, rules).await?;
        let chain = client.trusted().chain_id().to_owned();
        steps.verified("checkpoint", format!("block {} of chain {chain}, as you named it", anchor.height))?;
        return Ok(client);
    }
    let (genesis, file) = match &command.genesis {
        Some(path) => (testnet::genesis_file(path)?, Some(path)),
        None => (node.genesis().await?, None),
    };
    let checkpoint = Checkpoint::genesis(&genesis).map_err(cloister_sdk::Error::from)?;
    let what = format!("genesis {} of chain {}", genesis.hash(), genesis.chain_id);
    match file {
        Some(path) => steps.verified("checkpoint", format!("{what}, from {}", path.display()))?,
        None => steps.open("checkpoint", format!("{what}, from this very node: name a --genesis or a --checkpoint"))?,
    }
    Ok(LightClient::new(node, checkpoint, rules))
}

fn block(proved: &Proved, client: &LightClient<Node>, steps: &mut Steps<'_>) -> Result<(), Error> {
    let Proved { header, inclusion, .. } = proved;
    let (height, hash) = (header.height, header.hash());
    let newest = client.trusted().height();
    let how = if newest > height.saturating_add(1) {
        format!("below block {newest} by the hashes of headers")
    } else {
        "signed by more than two thirds of the voting power".into()
    };
    steps.verified("block", format!("{height}, {hash}: {how}"))?;
    let (index, count) = (inclusion.index, inclusion.count);
    steps.verified("transaction", format!("stands in that block, number {index} (from 0) of {count}"))
}

fn receipt(proved: &Proved, steps: &mut Steps<'_>) -> Result<(), Error> {
    let receipt = &proved.inclusion.receipt;
    let (height, gas) = (proved.header.height, receipt.gas_used);
    let did = match receipt.status {
        Status::Success => format!("succeeded with {gas} gas"),
        Status::Failed => format!("failed with {gas} gas"),
        Status::Refused(_) => "could not run here, which does not show that it ran nowhere else".into(),
    };
    let above = height.saturating_add(1);
    match proved.state {
        State::Agreed => steps.verified("receipt", format!("it {did}: agreed on in block {above}")),
        State::Executed => {
            steps.open("receipt", format!("it {did}, says the node: there is no block {above} yet that agrees on it"))
        }
    }
}

/// The output that its owner shows, and the enclave sealed.
fn opened(path: &Path, proved: &Proved, steps: &mut Steps<'_>) -> Result<Opened, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    let opened = Opening::from_json(&text)?.open(proved)?;
    let called = opened.contract.as_ref().map_or_else(|| "a new contract".into(), bech32);
    let told = match &opened.error {
        Some(error) => format!("failed: {error}"),
        None => format!("returned {}", String::from_utf8_lossy(&opened.data)),
    };
    steps.verified("output", format!("{called} {told}, to {} alone", bech32(&opened.sender)))?;
    Ok(opened)
}

/// What no header tells.
fn privacy(proved: &Proved, steps: &mut Steps<'_>) -> Result<(), Error> {
    let what = if proved.header.simulated {
        "the chain is SIMULATED: whoever runs a node can read what is sealed"
    } else {
        "the evidence of the validators' enclaves is not looked at here"
    };
    steps.open("secrecy", what.into())
}

/// The result as JSON.
#[derive(Serialize)]
struct Report {
    hash: B256,
    chain_id: String,
    simulated: bool,
    height: u64,
    index: u32,
    block: B256,
    /// Nanoseconds since the Unix epoch, as is the next.
    time: u64,
    /// `agreed`, or `executed`: then the receipt is the node's word.
    state: &'static str,
    receipt: Told,
    /// What the transaction returned to its sender, if he shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Shown>,
    /// The newest block that was verified: a checkpoint for the next time.
    checkpoint: String,
    checkpoint_time: u64,
    steps: Vec<Step>,
}

/// A receipt in few words.
#[derive(Serialize)]
struct Told {
    /// `success`, `failed` or `refused`.
    status: &'static str,
    from: Address,
    gas_used: u64,
    contract: Option<Address>,
    /// Number of events of the Ethereum door.
    logs: usize,
    /// Number and codespace of the error of the Cosmos door.
    code: Option<u32>,
    codespace: Option<String>,
}

impl Report {
    fn new(proved: &Proved, newest: &Checkpoint, opened: Option<&Opened>, steps: Vec<Step>) -> Self {
        let header = &proved.header;
        Self {
            hash: proved.hash,
            chain_id: header.chain_id.clone(),
            simulated: header.simulated,
            height: header.height,
            index: proved.inclusion.index,
            block: header.hash(),
            time: header.time,
            state: match proved.state {
                State::Agreed => "agreed",
                State::Executed => "executed",
            },
            receipt: Told::new(&proved.inclusion.receipt),
            output: opened.map(Shown::new),
            checkpoint: newest.anchor().to_string(),
            checkpoint_time: newest.time(),
            steps,
        }
    }
}

/// An output that was opened.
#[derive(Serialize)]
struct Shown {
    sender: String,
    contract: Option<String>,
    /// Bytes in hex.
    data: Bytes,
    error: Option<String>,
    /// Contract, key and value of each.
    attributes: Vec<(String, String, String)>,
}

impl Shown {
    fn new(opened: &Opened) -> Self {
        let attributes = opened.attributes.iter();
        Self {
            sender: bech32(&opened.sender),
            contract: opened.contract.as_ref().map(bech32),
            data: opened.data.clone().into(),
            error: opened.error.clone(),
            attributes: attributes.map(|one| (one.contract.clone(), one.key.clone(), one.value.clone())).collect(),
        }
    }
}

impl Told {
    fn new(receipt: &Receipt) -> Self {
        let cosmos = receipt.cosmos.as_ref();
        Self {
            status: match receipt.status {
                Status::Success => "success",
                Status::Failed => "failed",
                Status::Refused(_) => "refused",
            },
            from: receipt.from,
            gas_used: receipt.gas_used,
            contract: receipt.contract,
            logs: receipt.logs.len(),
            code: cosmos.map(|result| result.code),
            codespace: cosmos.map(|result| result.codespace.clone()),
        }
    }
}
