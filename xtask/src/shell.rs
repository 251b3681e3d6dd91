//! Running other programs.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A chore that did not succeed, in words for the person at the terminal.
#[derive(Debug)]
pub struct Failure(String);

/// How a chore ends.
pub type Outcome<T = ()> = Result<T, Failure>;

/// What a program printed to stdout, and how it ended.
pub struct Transcript {
    /// Its standard output, line by line.
    pub lines: Vec<String>,
    /// It ended with 0, in time.
    pub success: bool,
}

/// The project's folder, wherever cargo was called.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the project")
}

/// The cargo that runs this tool.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs to the end; its output goes to the terminal.
pub fn run(command: &mut Command) -> Outcome {
    announce(command);
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(ended(command, status)) }
}

/// Runs to the end and keeps its output to itself; on failure the output is in the error.
pub fn run_quietly(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Failure::new(format!("{}\n{}", ended(command, output.status), String::from_utf8_lossy(&said).trim_end())))
}

/// Runs to the end or to the time limit, and keeps a copy of the standard output that goes to the terminal.
pub fn run_recorded(command: &mut Command, limit: Duration) -> Outcome<Transcript> {
    announce(command);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| cannot_start(command, &error))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let deadline = Instant::now() + limit;
    let mut lines = Vec::new();
    let in_time = loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("{line}");
                lines.push(line);
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break true,
            Err(mpsc::RecvTimeoutError::Timeout) => break false,
        }
    };
    if !in_time {
        eprintln!("xtask: stopped after {} s: {}", limit.as_secs(), spell(command));
        kill_with_descendants(child.id());
    }
    let status = child.wait().map_err(|error| cannot_start(command, &error))?;
    Ok(Transcript { lines, success: in_time && status.success() })
}

/// Prints a heading.
pub fn heading(text: &str) {
    eprintln!("\n== {text}");
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A runner's tests would outlive it, and hold on to ports and pipes.
fn kill_with_descendants(process: u32) {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let children: Vec<String> =
        tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect();
    let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
    for child in children.iter().flat_map(|list| list.split_whitespace()) {
        child.parse().into_iter().for_each(kill_with_descendants);
    }
}

fn announce(command: &Command) {
    eprintln!("$ {}", spell(command));
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot run {}: {error}", command.get_program().to_string_lossy()))
}

fn ended(command: &Command, status: ExitStatus) -> Failure {
    Failure::new(format!("{} ended with {status}", spell(command)))
}

fn spell(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words: Vec<_> = std::iter::once(name).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_ended_with_everything_it_started() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo started; sh -c 'sleep 60; echo late' & wait"]);
        let transcript = run_recorded(&mut command, Duration::from_secs(1)).expect("a shell");
        assert!(!transcript.success);
        assert_eq!(transcript.lines, ["started"]);
    }

    #[test]
    fn what_ends_in_time_is_told_with_its_verdict() {
        let run = |script: &str| run_recorded(Command::new("sh").args(["-c", script]), Duration::from_secs(60));
        assert!(run("exit 0").expect("a shell").success);
        assert!(!run("exit 1").expect("a shell").success);
    }
}
