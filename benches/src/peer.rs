//! The chains that are measured, as processes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cloister_sdk::{Bytes, UserKey};
use serde_json::{Value, json};

use crate::Failure;
use crate::net::Doors;
use crate::rpc::Rpc;

/// Both chains get this EIP-155 id, so that both can be sent the same bytes.
pub(crate) const CHAIN_ID: u64 = 7_082_400;

/// A kind of chain.
#[derive(Clone, Copy)]
pub(crate) enum Peer<'a> {
    /// `cloister dev`, its state in this directory if there is one.
    Cloister(Option<&'a Path>),
    /// `cloister dev --validators 4`, its state in this directory, with empty blocks this many seconds apart.
    Network { data: &'a Path, idle: Option<f64> },
    /// Foundry's development chain.
    Anvil,
}

/// One node of a network.
pub(crate) struct Node {
    pid: u32,
    pub(crate) doors: Doors,
}

/// A node that was ended, and how it had been called.
pub(crate) struct Stopped(Vec<String>);

/// A node that was started again.
pub(crate) struct Restarted {
    child: Child,
    pub(crate) doors: Doors,
}

/// A running chain, killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) url: String,
    /// The Cosmos door; anvil has none.
    pub(crate) rest: String,
    /// Of a network.
    pub(crate) nodes: Vec<Node>,
    /// AES keys of the funded accounts, in order; anvil has none.
    pub(crate) keys: Vec<UserKey>,
    /// Ends [`mine`].
    stopped: Arc<AtomicBool>,
}

impl Peer<'_> {
    /// Starts it with `accounts` of hardhat's accounts funded, and returns when it says that it is ready.
    pub(crate) fn start(self, accounts: usize) -> Result<Running, Failure> {
        let mut command = self.command(accounts)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut running = Running {
            child,
            url: String::new(),
            rest: String::new(),
            nodes: Vec::new(),
            keys: Vec::new(),
            stopped: Arc::default(),
        };
        let mut lines = BufReader::new(stdout).lines();
        for line in &mut lines {
            if running.ready(&line?)? {
                // The rest is read and dropped, so that the chain never waits for a full pipe.
                thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                if matches!(self, Self::Anvil) {
                    let (rpc, stopped) = (Rpc::new(&running.url), Arc::clone(&running.stopped));
                    thread::spawn(move || mine(&rpc, &stopped));
                }
                return Ok(running);
            }
        }
        Err("the chain ended before it was ready".into())
    }

    /// Seconds from the start of the process to the answer that a first transaction is accepted.
    pub(crate) fn cold_start(self, first: &Bytes) -> Result<f64, Failure> {
        let start = Instant::now();
        let running = self.start(10)?;
        let _: Value = Rpc::new(&running.url).ask("eth_sendRawTransaction", json!([first]))?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn command(self, accounts: usize) -> Result<Command, Failure> {
        let accounts = accounts.to_string();
        match self {
            Self::Cloister(directory) => {
                let mut command = Command::new("target/release/cloister");
                command.args([
                    "dev",
                    "--json",
                    "--port",
                    "0",
                    "--cosmos-port",
                    "0",
                    "--faucet-port",
                    "0",
                    "--accounts",
                    &accounts,
                ]);
                command.args(directory.iter().flat_map(|directory| [Path::new("--data"), directory]));
                Ok(command)
            }
            Self::Network { data, idle } => {
                let mut command = Command::new("target/release/cloister");
                command.args(["dev", "--json", "--port", "0", "--validators", "4", "--accounts", &accounts]);
                command.arg("--data").arg(data);
                command.args(idle.iter().flat_map(|seconds| ["--block-time".to_owned(), seconds.to_string()]));
                Ok(command)
            }
            Self::Anvil => {
                let mut command = Command::new(anvil()?);
                command.args(["--port", "0", "--accounts", &accounts, "--chain-id", &CHAIN_ID.to_string()]);
                // The gas of our own blocks.
                command.args(["--no-mining", "--gas-limit", "1200000000"]);
                Ok(command)
            }
        }
    }
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the last node of a network, and returns when it has ended.
    pub(crate) fn stop_last(&mut self) -> Result<Stopped, Failure> {
        let node = self.nodes.pop().ok_or("not a network")?;
        let process = format!("/proc/{}", node.pid);
        let called = std::fs::read_to_string(format!("{process}/cmdline"))?;
        Command::new("kill").args(["-TERM", &node.pid.to_string()]).status()?;
        while Path::new(&process).exists() {
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Stopped(called.split_terminator('\0').skip(1).map(str::to_owned).collect()))
    }

    /// Whether this line says that the chain is ready; both say where.
    fn ready(&mut self, line: &str) -> Result<bool, Failure> {
        if let Some(address) = line.strip_prefix("Listening on ") {
            self.url = format!("http://{}", address.trim());
        } else if line.starts_with('{') {
            let ready: Value = serde_json::from_str(line)?;
            self.url = ready["rpc"].as_str().ok_or("the ready line names no door")?.into();
            self.rest = ready["rest"].as_str().ok_or("the ready line names no Cosmos door")?.into();
            for node in ready["nodes"].as_array().into_iter().flatten() {
                let pid = node["pid"].as_u64().and_then(|pid| pid.try_into().ok()).ok_or("a node without a process")?;
                self.nodes.push(Node { pid, doors: Doors::of(node)? });
            }
            for account in ready["accounts"].as_array().into_iter().flatten() {
                let hardhat = account["name"].as_str().is_some_and(|name| name.bytes().all(|c| c.is_ascii_digit()));
                // A network tells nobody's key.
                if hardhat && account["aes_key"].is_string() {
                    self.keys.push(UserKey::from_client_hex(account["aes_key"].as_str().unwrap_or_default())?);
                }
            }
        }
        Ok(!self.url.is_empty())
    }
}

impl Stopped {
    /// Starts it again as it was. When this returns its doors are open.
    pub(crate) fn start(&self) -> Result<Restarted, Failure> {
        let mut command = Command::new("target/release/cloister");
        // Its input ends when what is returned does, and then it ends, too.
        command.args(&self.0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let ready = lines.next().ok_or("the node ended before it was ready")??;
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Restarted { child, doors: Doors::of(&serde_json::from_str(&ready)?)? })
    }
}

impl Stopped {
    /// Sets its store aside, beside its home.
    pub(crate) fn copy(&self) -> Result<PathBuf, Failure> {
        let aside = self.home()?.with_extension("redb");
        std::fs::copy(self.store()?, &aside)?;
        Ok(aside)
    }

    /// Goes back to the store that was set aside. Its key goes, for it has voted since: the node has a new one, which no
    /// validator has.
    pub(crate) fn replace(&self, aside: &Path) -> Result<(), Failure> {
        std::fs::rename(aside, self.store()?)?;
        for file in ["validator.key", "votes.log"] {
            std::fs::remove_file(self.home()?.join(file))?;
        }
        Ok(())
    }

    fn store(&self) -> Result<PathBuf, Failure> {
        Ok(self.home()?.join("chain.redb"))
    }

    fn home(&self) -> Result<&Path, Failure> {
        let home = self.0.iter().skip_while(|word| *word != "--home").nth(1);
        home.map(Path::new).ok_or_else(|| "a node without a home".into())
    }
}

impl Drop for Restarted {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Doors {
    fn of(ready: &Value) -> Result<Self, Failure> {
        let door = |name: &str| ready[name].as_str().map(str::to_owned).ok_or("a node without a door");
        Ok(Self { rpc: door("rpc")?, rest: door("rest")? })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        for _ in 0..500 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks anvil for a block whenever transactions wait and the last block is done. Left to itself, anvil 1.7.1 stops making
/// blocks, at full load on one core, after a burst of about a thousand transactions.
fn mine(rpc: &Rpc, stopped: &AtomicBool) {
    while !stopped.load(Ordering::Relaxed) {
        let waiting = rpc.ask::<Value>("txpool_status", json!([])).is_ok_and(|status| status["pending"] != "0x0");
        if !waiting || rpc.ask::<Value>("evm_mine", json!([])).is_err() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The program itself: the package's own launcher is a script that would cost its interpreter's start.
fn anvil() -> Result<PathBuf, Failure> {
    let packages = Path::new("benches/peers/node_modules/@foundry-rs");
    let programs = std::fs::read_dir(packages)?.flatten().map(|entry| entry.path().join("bin/anvil"));
    programs.into_iter().find(|program| program.is_file()).ok_or_else(|| "anvil is not installed".into())
}
