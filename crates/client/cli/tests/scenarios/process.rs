//! One `cloister start`, and what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A running node. Killed when dropped, and when the test is.
pub struct Process {
    child: Child,
    ready: Receiver<String>,
    log: Arc<Mutex<String>>,
    _input: ChildStdin,
}

/// The program under test.
pub fn cloister() -> Command {
    let program = std::env::var_os("CLOISTER_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_cloister").into());
    let mut command = Command::new(program);
    command.env_remove("RUST_LOG");
    command
}

/// What a command that ends says.
pub fn result(arguments: &[&str]) -> Value {
    let done = cloister().args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

impl Process {
    /// Starts a command that says on a line of its output when it is ready.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (errors, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        thread::spawn(move || keep(errors, &kept));
        let (tell, ready) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        Self { _input: child.stdin.take().unwrap(), child, ready, log }
    }

    /// Waits until it is ready.
    pub fn ready(&self) -> Value {
        let mut lines = std::iter::from_fn(|| self.ready.recv_timeout(super::reach::PATIENCE).ok());
        let ready = lines.find_map(|line| serde_json::from_str::<Value>(&line).ok());
        ready.unwrap_or_else(|| panic!("not ready: {}", self.log()))
    }

    /// What it said to its operator.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it ends by itself.
    pub fn ends(&mut self) -> ExitStatus {
        let mut status = None;
        super::reach::wait("the node ends", || {
            status = self.ended();
            status.is_some()
        });
        // Its last words may still be on their way.
        thread::sleep(Duration::from_millis(100));
        status.unwrap()
    }

    /// Asks it to stop, and waits.
    pub fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.ends()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(errors: impl Read, log: &Mutex<String>) {
    let start = Instant::now();
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        let mut log = log.lock().unwrap();
        log.push_str(&format!("{:8.3} {line}\n", start.elapsed().as_secs_f64()));
    }
}
