//! A chain for tests: one node, or several behind one address, on free ports, gone when dropped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::planted;
use crate::shell::{self, Failure, Outcome};

/// How long a node may take to say that it is ready. It needs a fraction of a second; a busy machine may not.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `cloister dev`.
pub struct Node {
    /// In front of several nodes. Ends before they do.
    spread: Option<Process>,
    chain: Process,
    pub doors: Doors,
    /// What it said when it was ready.
    ready: Value,
    log: PathBuf,
    home: PathBuf,
}

/// Where clients find a chain.
#[derive(Debug, PartialEq, Eq)]
pub struct Doors {
    /// JSON-RPC.
    pub rpc: String,
    /// Secret's REST.
    pub rest: String,
    /// The faucet of the Cosmos world.
    pub faucet: String,
}

impl Node {
    /// Starts the debug build with so many validators, its data in `target/xtask/home-NAME`. What it writes to stderr, and
    /// that is much, goes to `target/xtask/node-NAME.log`. With several validators every request goes to the next node.
    pub fn start(name: &str, validators: u16) -> Outcome<Self> {
        let folder = shell::root().join("target/xtask");
        let (log, home) = (folder.join(format!("node-{name}.log")), folder.join(format!("home-{name}")));
        if home.exists() {
            fs::remove_dir_all(&home).map_err(|error| Failure::new(format!("{}: {error}", home.display())))?;
        }
        let mut command = Command::new(shell::root().join("target/debug/cloister"));
        command.args(["dev", "--port", "0", "--json", "--validators", &validators.to_string(), "--ops-port", "0"]);
        command.arg("--data").arg(&home).env("RUST_LOG", "debug");
        let (chain, ready) = Process::start(command, &format!("node-{name}"))?;
        let (spread, doors) = if validators == 1 {
            (None, Doors::of(&ready))
        } else {
            let mut command = Command::new("node");
            command.arg(shell::root().join("interop/spread/spread.mjs")).arg(behind(&ready).to_string());
            let (spread, ready) = Process::start(command, &format!("spread-{name}"))?;
            (Some(spread), Doors::of(&ready))
        };
        Ok(Self { spread, chain, doors: doors.ok_or_else(unclear)?, ready, log, home })
    }

    /// Ends it, and complains about secrets in what it leaves behind.
    pub fn end(self) -> Outcome {
        let Self { spread, chain, ready, log, home, .. } = self;
        let metrics = planted::metrics(&ready);
        drop(spread);
        drop(chain);
        planted::search(&ready, metrics, &log, &home)
    }
}

impl Doors {
    /// As a ready line names them.
    fn of(ready: &Value) -> Option<Self> {
        let door = |name: &str| ready[name].as_str().map(str::to_owned);
        Some(Self { rpc: door("rpc")?, rest: door("rest")?, faucet: door("faucet")? })
    }
}

/// For each door, where each node has it.
fn behind(ready: &Value) -> Value {
    let nodes = ready["nodes"].as_array().map_or(&[][..], Vec::as_slice);
    let door = |name: &str| nodes.iter().map(|node| node[name].clone()).collect::<Value>();
    json!({ "rpc": door("rpc"), "rest": door("rest"), "faucet": door("faucet") })
}

fn unclear() -> Failure {
    Failure::new("the node's ready line does not name its doors")
}

/// A program that says in one line of JSON that it is ready.
struct Process(Child);

impl Process {
    /// Starts it and waits for its line.
    fn start(mut command: Command, name: &str) -> Outcome<(Self, Value)> {
        let log = shell::root().join(format!("target/xtask/{name}.log"));
        let unusable = |error: std::io::Error| Failure::new(format!("{}: {error}", log.display()));
        fs::create_dir_all(log.parent().expect("a file in a folder")).map_err(unusable)?;
        let mut child = command
            // A pipe that ends with this program, however that ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(unusable)?)
            .spawn()
            .map_err(|error| Failure::new(format!("cannot start {name}: {error}")))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let process = Self(child);
        match ready_line(stdout).and_then(|line| serde_json::from_str(&line).ok()) {
            Some(ready) => Ok((process, ready)),
            None => {
                let said = fs::read_to_string(&log).unwrap_or_default();
                Err(Failure::new(format!("{name} did not get ready:\n{}", said.trim_end())))
            }
        }
    }
}

impl Drop for Process {
    /// Ends its input, then as Ctrl-C does; by force if that is not heard.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        for patience in [Duration::from_millis(300), Duration::from_secs(15)] {
            let deadline = Instant::now() + patience;
            while Instant::now() < deadline {
                if matches!(self.0.try_wait(), Ok(Some(_))) {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
            let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line, if it comes in time. The rest is read and dropped, so that the node never waits for a full pipe.
fn ready_line(stdout: impl std::io::Read + Send + 'static) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(PATIENCE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_names_the_doors() {
        let ready = json!({
            "rpc": "http://a:8545", "websocket": "ws://a:8545", "rest": "http://a:1317", "faucet": "http://a:5000",
            "nodes": [
                { "rpc": "http://a:8545", "rest": "http://a:1317", "faucet": "http://a:5000" },
                { "rpc": "http://a:8555", "rest": "http://a:1327", "faucet": "http://a:5010" },
            ],
        });
        let [rpc, rest, faucet] = ["http://a:8545", "http://a:1317", "http://a:5000"].map(str::to_owned);
        assert_eq!(Doors::of(&ready), Some(Doors { rpc, rest, faucet }));
        assert_eq!(Doors::of(&json!({ "rpc": "http://a:8545" })), None);
        assert_eq!(behind(&ready)["rest"], json!(["http://a:1317", "http://a:1327"]));
    }
}
