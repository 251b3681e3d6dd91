//! `cloister attest`: proof bundles, made from what a node says and checked without it; and the word of a rebuilder.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloister_chain::trust::{Build, Rebuilt};
use cloister_sdk::B256;
use cloister_sdk::bundle::{Bundle, Demands, Enclave, MAX_BYTES, Verdict};
use cloister_sdk::light::{Anchor, Checkpoint, Node, Rules};
use ed25519_zebra::SigningKey;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::args::{AttestBundle, AttestVerify, Demanded, SignRelease};
use crate::dev::genesis::now;
use crate::error::Error;
use crate::shell::{Paint, Shell};
use crate::steps::{Step, Steps};
use crate::testnet;

/// Makes a bundle.
pub async fn bundle(shell: &Shell, command: &AttestBundle) -> Result<(), Error> {
    let node = Node::new(&command.node)?;
    let anchor = match known(command.checkpoint, command.genesis.as_deref())? {
        Some(anchor) => anchor,
        None => {
            shell
                .prose("The bundle begins with the genesis that the node names: whoever checks it has to know better.");
            anchor(&node.genesis().await?)?
        }
    };
    let bundle = Bundle::collect(node, anchor, &demands(&command.demands), now()).await?;
    let text = bundle.to_json();
    let Some(path) = &command.output else { return shell.result(text.trim_end()) };
    fs::write(path, &text).map_err(|source| Error::File { path: path.clone(), source })?;
    let (path, bytes, members) = (path.display().to_string(), text.len(), bundle.members.len());
    if shell.json() {
        return shell.object(&Written { path, bytes, members, checkpoint: anchor.to_string() });
    }
    shell.result(format_args!("{path}: {bytes} bytes, {members} enclaves, for who trusts --checkpoint {anchor}"))
}

/// Checks a bundle and prints the verdict.
pub fn verify(shell: &Shell, command: &AttestVerify) -> Result<(), Error> {
    let anchor = known(command.checkpoint, command.genesis.as_deref())?.ok_or(Error::NoCheckpoint)?;
    let bundle = Bundle::from_json(&read(&command.bundle)?).map_err(cloister_sdk::Error::from)?;
    let now = now();
    let verdict = bundle.verify(&anchor, &demands(&command.demands), now).map_err(cloister_sdk::Error::from)?;
    let steps = told(shell, &verdict, &anchor, now)?;
    if shell.json() {
        return shell.object(&Report::new(&verdict, steps));
    }
    shell.prose(format_args!("Next time: --checkpoint {}", verdict.newest));
    Ok(())
}

/// Signs that a release was rebuilt.
pub fn sign_release(shell: &Shell, command: &SignRelease) -> Result<(), Error> {
    let SignRelease { build: path, chain_id, key, .. } = command;
    let build: Build =
        serde_json::from_str(&read(path)?).map_err(|source| Error::BuildFile { path: path.clone(), source })?;
    let secret = Zeroizing::new(read(key)?);
    let secret: B256 = secret.trim().parse().map_err(|_| Error::RebuilderKey(key.clone()))?;
    let secret = Zeroizing::new(secret.0);
    let rebuilt = Rebuilt::sign(&SigningKey::from(*secret), &build, chain_id)?;
    if shell.json() {
        return shell.object(&rebuilt);
    }
    shell.result(format_args!("rebuilder  {}", rebuilt.rebuilder))?;
    shell.result(format_args!("signature  {}", rebuilt.signature))
}

/// The verdict in words.
fn told(shell: &Shell, verdict: &Verdict, anchor: &Anchor, now: u64) -> Result<Vec<Step>, Error> {
    if verdict.simulated && !shell.json() {
        let words = "SIMULATED: no confidentiality against whoever runs a node. Nothing below changes that.";
        shell.result(shell.paint(Paint::Warning, words))?;
    }
    let mut steps = Steps::new(shell);
    let begin = match verdict.genesis {
        Some(genesis) => format!("genesis {genesis} of chain {}, as you named it", verdict.chain_id),
        None => format!("block {} of chain {}, as you named it", anchor.height, verdict.chain_id),
    };
    steps.verified("checkpoint", begin)?;
    let age = Duration::from_nanos(now.saturating_sub(verdict.time)).as_secs();
    let Anchor { height, hash } = verdict.newest;
    steps.verified("header", format!("{height}, {hash}: signed by its validators, {age} seconds old"))?;
    for enclave in &verdict.enclaves {
        steps.verified("enclave", vouching(enclave, now))?;
    }
    let epoch = &verdict.epoch;
    steps.verified("epoch", format!("{} since block {}", epoch.number, epoch.height))?;
    for (name, key) in keys(verdict) {
        steps.verified("key", format!("{key}  {name}"))?;
    }
    let (shown, registered) = (verdict.enclaves.len(), verdict.registered);
    steps.open("others", format!("{shown} of the chain's {registered} registered enclaves are shown"))?;
    if verdict.simulated {
        steps.open("secrecy", "the evidence is SIMULATED: whoever runs a node can read what is sealed".into())?;
    }
    Ok(steps.done())
}

fn vouching(enclave: &Enclave, now: u64) -> String {
    let Enclave { chip, family, build, rebuilders, registered, expires, .. } = enclave;
    let Build { measurement, source, .. } = build;
    let days = expires.saturating_sub(now / 1_000_000_000) / (24 * 60 * 60);
    let place = match (registered.height, registered.index) {
        (0, index) => format!("in the genesis as node {index}"),
        (height, index) => format!("in block {height} as transaction {index}"),
    };
    let rebuilt = match rebuilders.len() {
        0 => "rebuilt by nobody".to_owned(),
        1 => "rebuilt by 1 rebuilder".to_owned(),
        many => format!("rebuilt by {many} rebuilders"),
    };
    format!(
        "{family:?} chip {chip} runs release {measurement} of source {source}, {rebuilt}; \
         registered {place}; good for {days} more days"
    )
}

/// What is sealed to which key.
fn keys(verdict: &Verdict) -> [(&'static str, B256); 3] {
    let keys = &verdict.epoch.keys;
    [
        ("input key of this epoch: messages of our own form", keys.input),
        ("io key: secretjs's messages", keys.io),
        ("registration key", keys.registration),
    ]
}

fn demands(demanded: &Demanded) -> Demands {
    let trusting = Duration::from_secs(u64::from(demanded.trust_for) * 24 * 60 * 60);
    Demands {
        nodes: demanded.nodes.into(),
        vendors: demanded.vendors.map(usize::from),
        max_age: Duration::from_secs(demanded.max_age),
        rules: Rules { trusting, ..Rules::default() },
    }
}

/// The block that the command line names.
fn known(checkpoint: Option<Anchor>, genesis: Option<&Path>) -> Result<Option<Anchor>, Error> {
    match (checkpoint, genesis) {
        (Some(anchor), _) => Ok(Some(anchor)),
        (None, Some(path)) => anchor(&testnet::genesis_file(path)?).map(Some),
        (None, None) => Ok(None),
    }
}

fn anchor(genesis: &cloister_chain::Genesis) -> Result<Anchor, Error> {
    Ok(Checkpoint::genesis(genesis).map_err(cloister_sdk::Error::from)?.anchor())
}

/// A file's text, of a file that is as long as a bundle at most.
fn read(path: &PathBuf) -> Result<String, Error> {
    let failed = |source| Error::File { path: path.clone(), source };
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_string(&mut text).map_err(failed)?;
    } else {
        fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)).map_err(failed)?;
    }
    Ok(text)
}

#[derive(Serialize)]
struct Written {
    path: String,
    bytes: usize,
    members: usize,
    /// What a wallet has to trust to check it.
    checkpoint: String,
}

/// The verdict as JSON.
#[derive(Serialize)]
struct Report {
    simulated: bool,
    chain_id: String,
    /// Only of a bundle that begins with it.
    genesis: Option<B256>,
    /// The newest header: a checkpoint for the next time.
    checkpoint: String,
    /// Nanoseconds since the Unix epoch.
    time: u64,
    epoch: u64,
    epoch_height: u64,
    keys: Keys,
    registered: usize,
    enclaves: Vec<Vouching>,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Keys {
    input: B256,
    io: B256,
    registration: B256,
}

#[derive(Serialize)]
struct Vouching {
    chip: B256,
    family: cloister_sdk::bundle::Family,
    measurement: B256,
    source: B256,
    lock: B256,
    toolchain: String,
    flags: String,
    /// Their Ed25519 keys.
    rebuilders: Vec<B256>,
    owner: String,
    consensus_key: B256,
    registered_height: u64,
    registered_index: u32,
    /// Seconds since the Unix epoch.
    expires: u64,
}

impl Report {
    fn new(verdict: &Verdict, steps: Vec<Step>) -> Self {
        let keys = &verdict.epoch.keys;
        Self {
            simulated: verdict.simulated,
            chain_id: verdict.chain_id.clone(),
            genesis: verdict.genesis,
            checkpoint: verdict.newest.to_string(),
            time: verdict.time,
            epoch: verdict.epoch.number,
            epoch_height: verdict.epoch.height,
            keys: Keys { input: keys.input, io: keys.io, registration: keys.registration },
            registered: verdict.registered,
            enclaves: verdict.enclaves.iter().map(Vouching::new).collect(),
            steps,
        }
    }
}

impl Vouching {
    fn new(enclave: &Enclave) -> Self {
        Self {
            chip: enclave.chip,
            family: enclave.family,
            measurement: enclave.build.measurement,
            source: enclave.build.source,
            lock: enclave.build.lock,
            toolchain: enclave.build.toolchain.clone(),
            flags: enclave.build.flags.clone(),
            rebuilders: enclave.rebuilders.clone(),
            owner: cloister_chain::cosmos::bech32(&enclave.owner),
            consensus_key: enclave.consensus_key,
            registered_height: enclave.registered.height,
            registered_index: enclave.registered.index,
            expires: enclave.expires,
        }
    }
}
