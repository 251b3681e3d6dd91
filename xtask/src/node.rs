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
        let mut node = Self { child, url: String::new() };
        match ready_line(stdout).as_deref().and_then(url) {
            Some(url) => node.url = url,
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

/// The address of the Ethereum door in the ready line.
fn url(line: &str) -> Option<String> {
    let ready: Value = serde_json::from_str(line).ok()?;
    ready["rpc"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn the_ready_line_names_the_door() {
        assert_eq!(url(r#"{"rpc":"http://127.0.0.1:8545"}"#).as_deref(), Some("http://127.0.0.1:8545"));
        assert_eq!(url("listening"), None);
    }
}
