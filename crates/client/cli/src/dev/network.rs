//! `cloister dev --validators N`: several nodes on this machine, each a process of its own.

mod ready;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cloister_chain::Genesis;
use futures::future::select_all;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::block_in_place;
use tokio::time::timeout;

use super::accounts::{self, DevAccount};
use super::genesis::{self, Terms};
use super::node::places;
use crate::args::{Dev, LogFormat};
use crate::doors::Places;
use crate::error::Error;
use crate::shell::Shell;
use crate::testnet::{self, Owners, POWER, Plan, Ports, multiaddr};
pub use ready::{NodeReady, Ready};

/// Running nodes. Dropping it ends them.
pub struct Network {
    nodes: Vec<NodeProcess>,
    place: Homes,
    accounts: Vec<DevAccount>,
}

impl Network {
    /// Whether `dev` asks for several nodes: by its flag, or by a directory that holds some.
    pub fn is_meant(dev: &Dev) -> bool {
        let holds_some = || dev.data.as_deref().is_some_and(|data| data.join(FIRST).is_dir());
        dev.validators.is_some_and(|count| count > 1) || holds_some()
    }

    /// Starts a new network, or the one in the directory. When this returns all doors are open.
    pub async fn start(shell: &Shell, dev: &Dev) -> Result<Self, Error> {
        let place = block_in_place(|| Homes::of(dev))?;
        let first = places(dev);
        first.check()?;
        let addresses = addresses(place.homes.len())?;
        let mut nodes = Vec::new();
        for (index, home) in place.homes.iter().enumerate() {
            nodes.push(NodeProcess::start(dev, index, home, &first, &addresses)?);
        }
        // They come up together: each starts an enclave of its own.
        for node in &mut nodes {
            node.wait_until_ready(shell).await?;
        }
        let accounts = accounts::all(genesis::hardhat_accounts(&place.genesis))?;
        Ok(Self { nodes, place, accounts })
    }

    /// What a developer is told.
    pub fn ready(&self) -> Result<Ready, Error> {
        let nodes =
            self.nodes.iter().filter_map(|node| Some((node.name.clone(), node.child.id()?, node.ready.clone()?)));
        let Homes { genesis, data, .. } = &self.place;
        Ready::new(genesis, &self.accounts, data.as_deref(), nodes.collect()).ok_or(Error::NoneLeft)
    }

    /// Reports each node that ends. Returns when the last one has.
    pub async fn watch(&mut self, shell: &Shell) -> Result<(), Error> {
        while !self.nodes.is_empty() {
            let ends = self.nodes.iter_mut().map(|node| Box::pin(node.child.wait()));
            let (ended, index, _) = select_all(ends).await;
            let node = self.nodes.remove(index);
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            shell.prose(format_args!("{} ended ({how}), {} left", node.name, self.nodes.len()));
            if shell.json() {
                shell.object(&Ended { event: "ended", node: &node.name, how: &how, left: self.nodes.len() })?;
            }
        }
        Err(Error::NoneLeft)
    }

    /// Ends all nodes, and returns when they have ended.
    pub async fn stop(mut self) {
        for node in &self.nodes {
            node.tell(Signal::TERM);
        }
        for node in &mut self.nodes {
            // What does not end in time is killed when it is dropped.
            let _ = timeout(GRACE, node.child.wait()).await;
        }
    }
}

/// One node's process.
struct NodeProcess {
    name: String,
    /// What stands before each line that it logs: nothing if these lines are JSON.
    prefix: String,
    child: Child,
    /// Nobody else holds this end: however this process ends, the node reads the end of its input, and ends, too.
    _input: Option<ChildStdin>,
    out: Lines<BufReader<ChildStdout>>,
    ready: Option<NodeReady>,
}

impl NodeProcess {
    fn start(dev: &Dev, index: usize, home: &Path, first: &Places, addresses: &[[String; 2]]) -> Result<Self, Error> {
        let name = name(index);
        let failed = |what: std::io::Error| Error::NodeFailed { name: name.clone(), what: what.to_string() };
        // This very program, even if its file was replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg("start").arg("--home").arg(home).args(["--json", "--until-input-ends"]);
        command.args(arguments(dev, index, first, addresses)?);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C in a terminal goes to a whole process group; this process decides when its nodes end.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let missing = || failed(std::io::ErrorKind::BrokenPipe.into());
        let out = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let input = child.stdin.take();
        let json = dev.output.log_format == Some(LogFormat::Json);
        let prefix = if json { String::new() } else { format!("{name} | ") };
        Ok(Self { name, prefix, child, _input: input, out, ready: None })
    }

    /// Reads the line that says that it is ready; from then on what it logs appears under its name.
    async fn wait_until_ready(&mut self, shell: &Shell) -> Result<(), Error> {
        let errors = self.child.stderr.take();
        let line = timeout(START, self.out.next_line()).await;
        match line.ok().and_then(Result::ok).flatten().map(|line| serde_json::from_str(&line)) {
            Some(Ok(ready)) => {
                self.ready = Some(ready);
                if let Some(errors) = errors {
                    tokio::spawn(forward(shell.clone(), self.prefix.clone(), errors));
                }
                Ok(())
            }
            _ => {
                self.tell(Signal::KILL);
                let mut said = Vec::new();
                if let Some(errors) = errors {
                    let mut errors = BufReader::new(errors).lines();
                    while let Ok(Some(line)) = errors.next_line().await {
                        said.push(line);
                    }
                }
                let what = said.pop().unwrap_or_else(|| "it said nothing".into());
                Err(Error::NodeFailed { name: self.name.clone(), what })
            }
        }
    }

    fn tell(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(pid) = pid {
            // It may have ended already.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Where a network lives.
struct Homes {
    homes: Vec<PathBuf>,
    /// The directory that somebody named.
    data: Option<PathBuf>,
    /// The directory if nobody named one. Goes with this value.
    #[expect(dead_code, reason = "it is there while this is")]
    temporary: Option<TempDir>,
    genesis: Genesis,
}

impl Homes {
    /// The homes of the network that the flags mean, made if they are not there.
    fn of(dev: &Dev) -> Result<Self, Error> {
        let (directory, temporary) = match &dev.data {
            Some(data) => (data.clone(), None),
            None => {
                let made = tempfile::Builder::new().prefix("cloister-").tempdir();
                let made = made.map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
                (made.path().join("network"), Some(made))
            }
        };
        let first = directory.join(FIRST);
        if !first.is_dir() {
            let plan = Plan::new(&vec![POWER; dev.validators.unwrap_or(1).into()], 0, &[], Ports::USUAL)?;
            testnet::make(
                &directory,
                &plan,
                Terms::of(dev),
                dev.accounts.unwrap_or(accounts::HARDHAT),
                Owners::WellKnown,
            )?;
        } else {
            Self::check_existing(dev, &testnet::read_genesis(&first)?)?;
        }
        let entries = fs::read_dir(&directory).map_err(|source| Error::File { path: directory.clone(), source })?;
        let count = entries.flatten().filter(|entry| entry.path().join(testnet::GENESIS).is_file()).count();
        let homes = (0..count).map(|index| directory.join(name(index))).collect();
        Ok(Self { homes, data: dev.data.clone(), temporary, genesis: testnet::read_genesis(&first)? })
    }

    /// Refuses flags that contradict the network that a directory already holds.
    fn check_existing(dev: &Dev, genesis: &Genesis) -> Result<(), Error> {
        genesis::check_existing(dev, genesis)?;
        let validators = genesis.validators.iter().count();
        match dev.validators {
            Some(wanted) if usize::from(wanted) != validators => {
                Err(Error::Existing { flag: "--validators", detail: format!("it has {validators}") })
            }
            _ => Ok(()),
        }
    }
}

/// Flags of the node `index`. What its file says of addresses is for a machine of its own, or for another day.
fn arguments(dev: &Dev, index: usize, first: &Places, addresses: &[[String; 2]]) -> Result<Vec<String>, Error> {
    let later = |address: SocketAddr| {
        let step = u16::try_from(index * STEP).ok().and_then(|step| address.port().checked_add(step));
        match address.port() {
            0 => Ok::<_, Error>(address),
            _ => Ok(SocketAddr::new(address.ip(), step.ok_or(Error::Plan("there are not so many ports"))?)),
        }
    };
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut flags = vec![
        format!("--ethereum={}", later(first.ethereum.address)?),
        format!("--cosmos={}", later(first.cosmos.address)?),
        format!("--ops={}", first.ops.map_or(Ok(free), |ops| later(ops.address))?),
    ];
    if let Some(faucet) = first.faucet {
        flags.push(format!("--faucet={}", later(faucet.address)?));
    }
    for (other, [validators, gossip]) in addresses.iter().enumerate() {
        let own = other == index;
        flags.push(format!("{}={validators}", if own { "--listen" } else { "--peer" }));
        flags.push(format!("{}={gossip}", if own { "--gossip-listen" } else { "--gossip-peer" }));
    }
    if let Some(idle) = dev.block_time {
        flags.push(format!("--idle={}", idle.as_secs_f64()));
    }
    if dev.output.log_format == Some(LogFormat::Json) {
        flags.push("--log-format=json".into());
    }
    flags.extend((0..dev.output.verbose).map(|_| "-v".to_owned()));
    Ok(flags)
}

/// Two free ports of this machine for each node. They are free again when this returns; whoever takes one in between is named.
fn addresses(nodes: usize) -> Result<Vec<[String; 2]>, Error> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let refused = |source| Error::Listen { address: any, flag: "--validators", source };
    let held = (0..nodes * 2).map(|_| TcpListener::bind(any)).collect::<Result<Vec<_>, _>>().map_err(refused)?;
    let port =
        |listener: &TcpListener| Ok::<_, Error>(multiaddr(any.ip(), listener.local_addr().map_err(refused)?.port()));
    held.chunks_exact(2).map(|pair| Ok([port(&pair[0])?, port(&pair[1])?])).collect()
}

/// Lines of a node, under its name.
async fn forward(shell: Shell, prefix: String, errors: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        shell.prose(format_args!("{prefix}{line}"));
    }
}

fn name(index: usize) -> String {
    format!("node{index}")
}

#[derive(Serialize)]
struct Ended<'a> {
    event: &'static str,
    node: &'a str,
    how: &'a str,
    left: usize,
}

/// The directory of the first node.
const FIRST: &str = "node0";
/// Between the ports of two nodes.
const STEP: usize = 10;
/// How long a node may take to be ready.
const START: Duration = Duration::from_secs(120);
/// How long a node may take to end.
const GRACE: Duration = Duration::from_secs(10);
