//! A running `cloister`, for tests. Gone when dropped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The program under test.
pub fn cloister() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
    command.env_remove("RUST_LOG").env_remove("CLOISTER_PRIVATE_KEY");
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    cloister().args(arguments).output().unwrap()
}

/// A `cloister dev --json`, or another command that says when it is ready.
pub struct Dev {
    child: Child,
    out: BufReader<ChildStdout>,
    errors: Option<JoinHandle<String>>,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Dev {
    /// On any free port, in memory or in a directory.
    pub fn start(data: Option<&Path>) -> Self {
        Self::with(data, &[])
    }

    /// With more arguments.
    pub fn with(data: Option<&Path>, arguments: &[&str]) -> Self {
        Self::of(cloister(), data, arguments)
    }

    /// With an environment of its own: `command` is the program, or runs it.
    pub fn of(mut command: Command, data: Option<&Path>, arguments: &[&str]) -> Self {
        command.args(["dev", "--json", "--port", "0"]).args(arguments);
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        Self::spawn(command)
    }

    /// A command with all its arguments.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        // Nobody else reads it, and a full pipe would stop the node.
        let errors = thread::spawn(move || {
            let (mut text, mut line) = (String::new(), String::new());
            while errors.read_line(&mut line).unwrap_or(0) > 0 {
                text.push_str(&line);
                line.clear();
            }
            text
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let Ok(ready) = serde_json::from_str(&line) else {
            let _ = child.kill();
            panic!("not ready: {line:?}\n{}", errors.join().unwrap());
        };
        Self { child, out, errors: Some(errors), ready }
    }

    /// The next line of its result.
    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Where its door is.
    pub fn url(&self) -> &str {
        self.ready["rpc"].as_str().unwrap()
    }

    /// The node's process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The enclave's process: the node's only child.
    pub fn enclave(&self) -> Option<Pid> {
        children(self.pid()).into_iter().next()
    }

    /// Waits until the node has an enclave that is not `old`.
    pub fn enclave_after(&self, old: Pid) -> Pid {
        let start = Instant::now();
        loop {
            match self.enclave() {
                Some(pid) if pid != old => return pid,
                _ => assert!(start.elapsed() < Duration::from_secs(30), "no new enclave"),
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal and waits for the end.
    pub fn end(mut self, signal: Signal) -> ExitStatus {
        kill_process(self.pid(), signal).unwrap();
        self.child.wait().unwrap()
    }

    /// The same, for what it logged.
    pub fn logs_at_end(mut self, signal: Signal) -> String {
        let errors = self.errors.take().unwrap();
        self.end(signal);
        errors.join().unwrap()
    }

    /// Ends it as a power cut would.
    pub fn kill(self) {
        self.end(Signal::KILL);
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processes whose parent is `parent`.
fn children(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|number| parent_of(*number) == Some(parent.as_raw_nonzero().get()))
        .filter_map(Pid::from_raw)
        .collect()
}

fn parent_of(process: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may hold anything; behind it come the state and the parent. A zombie is no child.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    if fields.next()? == "Z" { None } else { fields.next()?.parse().ok() }
}
