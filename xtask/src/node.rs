//! A node for tests: a dev node on a free port, gone when dropped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shell::{self, Failure, Outcome};

/// How long a node may take to say that it is ready. It needs a fraction of a second; a busy machine may not.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `cloister dev`.
pub struct Node {
    child: Child,
    /// Where its JSON-RPC is.
    pub url: String,
    /// Where Secret's REST is.
    pub rest: String,
    /// Where the faucet of the Cosmos world is.
    pub faucet: String,
}

impl Node {
    /// Starts the debug build in memory. What it writes to stderr goes to `target/xtask/node-NAME.log`.
    pub fn start(name: &str) -> Outcome<Self> {
        let log = shell::root().join(format!("target/xtask/node-{name}.log"));
        let unusable = |error: std::io::Error| Failure::new(format!("{}: {error}", log.display()));
        fs::create_dir_all(log.parent().expect("a file in a folder")).map_err(unusable)?;
        let mut child = Command::new(shell::root().join("target/debug/cloister"))
            .args(["dev", "--port", "0", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(unusable)?)
            .spawn()
            .map_err(|error| Failure::new(format!("cannot start the node: {error}")))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut node = Self { child, url: String::new(), rest: String::new(), faucet: String::new() };
        match ready_line(stdout).as_deref().and_then(doors) {
            Some([url, rest, faucet]) => (node.url, node.rest, node.faucet) = (url, rest, faucet),
            None => {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(Failure::new(format!("the node did not get ready:\n{}", said.trim_end())));
            }
        }
        Ok(node)
    }
}

impl Drop for Node {
    /// As Ctrl-C does; by force if that is not heard.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
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

/// The addresses in the ready line: of the Ethereum door, the Cosmos door and the faucet.
fn doors(line: &str) -> Option<[String; 3]> {
    let ready: Value = serde_json::from_str(line).ok()?;
    let door = |name: &str| ready[name].as_str().map(str::to_owned);
    Some([door("rpc")?, door("rest")?, door("faucet")?])
}

#[cfg(test)]
mod tests {
    use super::doors;

    #[test]
    fn the_ready_line_names_the_doors() {
        let line =
            r#"{"rpc":"http://a:8545","websocket":"ws://a:8545","rest":"http://a:1317","faucet":"http://a:5000"}"#;
        let named = ["http://a:8545", "http://a:1317", "http://a:5000"].map(str::to_owned);
        assert_eq!(doors(line), Some(named));
        assert_eq!(doors(r#"{"rpc":"http://a:8545"}"#), None);
        assert_eq!(doors("listening"), None);
    }
}
