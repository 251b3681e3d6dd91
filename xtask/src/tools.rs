//! What the machine has to have, and how to get it.

use std::process::Command;

use crate::shell::{self, Failure, Outcome};

struct Tool {
    name: &'static str,
    /// Program and arguments that print the version.
    ask: &'static [&'static str],
    /// Least version, if it matters.
    least: Option<(u32, u32)>,
    /// What to do when it is missing.
    get: &'static str,
}

const RUST: &[Tool] = &[
    Tool { name: "rustc", ask: &["rustc", "--version"], least: Some((1, 95)), get: "rustup update stable" },
    Tool { name: "rustfmt", ask: &["cargo", "fmt", "--version"], least: None, get: "rustup component add rustfmt" },
    Tool { name: "clippy", ask: &["cargo", "clippy", "--version"], least: None, get: "rustup component add clippy" },
    Tool { name: "a C compiler", ask: &["cc", "--version"], least: None, get: "install gcc or clang (Debian: gcc)" },
    Tool { name: "git", ask: &["git", "--version"], least: None, get: "install git" },
];

const CLIENTS: &[Tool] = &[
    Tool { name: "Node.js", ask: &["node", "--version"], least: Some((20, 0)), get: "install Node.js 20 or later" },
    Tool { name: "npm", ask: &["npm", "--version"], least: None, get: "it comes with Node.js (Debian: npm)" },
    Tool {
        name: "Python",
        ask: &["python3", "--version"],
        least: Some((3, 11)),
        get: "install Python 3.11 or later (Debian: python3)",
    },
    Tool {
        name: "Python's venv",
        ask: &["python3", "-c", "import ensurepip, venv"],
        least: None,
        get: "install it (Debian: python3-venv)",
    },
];

/// Everything that `cargo xtask test` uses, or a list of what is missing.
pub fn check_all() -> Outcome {
    ensure_trouble()?;
    check(RUST.iter().chain(CLIENTS))
}

/// What the published clients need, or a list of what is missing.
pub fn check_clients() -> Outcome {
    check(CLIENTS.iter())
}

/// What networks are put in trouble with: `ip` cuts them apart, and libfaketime makes clocks wrong. What is missing on
/// Debian is installed: a container has root and little else.
pub fn ensure_trouble() -> Outcome {
    let ip = || shell::run_quietly(Command::new("ip").arg("-V")).is_ok();
    ensure("ip", "iproute2", ip)?;
    // The loader warns of a library that is not there, and goes on.
    let year = |offset| {
        shell::run_quietly(Command::new("date").arg("+%Y").envs([("LD_PRELOAD", FAKETIME), ("FAKETIME", offset)])).ok()
    };
    ensure("libfaketime", "libfaketime", || year("-20y") != year("+0y"))
}

fn ensure(name: &str, package: &str, is_there: impl Fn() -> bool) -> Outcome {
    if is_there() {
        return Ok(());
    }
    for args in [&["update", "-qq"][..], &["install", "-qq", "--yes", "--no-install-recommends", package]] {
        // What matters is whether it is there afterwards.
        let _ = shell::run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
    }
    match is_there() {
        true => Ok(()),
        false => Err(Failure::new(format!("this machine lacks:\n  {name}: install {package} (Debian: {package})"))),
    }
}

fn check<'a>(tools: impl Iterator<Item = &'a Tool>) -> Outcome {
    let missing: Vec<String> = tools.filter_map(complaint).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("this machine lacks:\n  {}", missing.join("\n  "))))
    }
}

fn complaint(tool: &Tool) -> Option<String> {
    let Ok(answer) = shell::run_quietly(Command::new(tool.ask[0]).args(&tool.ask[1..])) else {
        return Some(format!("{}: {}", tool.name, tool.get));
    };
    let least = tool.least?;
    match version(&answer) {
        Some(found) if found >= least => None,
        _ => Some(format!("{} {}.{} or later (this is {}): {}", tool.name, least.0, least.1, answer.trim(), tool.get)),
    }
}

/// The first `major.minor` in a line such as `Python 3.11.7` or `v20.20.2`.
fn version(answer: &str) -> Option<(u32, u32)> {
    let digits = answer.find(|c: char| c.is_ascii_digit())?;
    let mut parts = answer[digits..].split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The loader knows what `$LIB` is on this machine.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_read_as_tools_write_them() {
        assert_eq!(version("rustc 1.95.0 (f2d3ce0bd 2026-03-21)"), Some((1, 95)));
        assert_eq!(version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(version("Python 3.11.7"), Some((3, 11)));
        assert_eq!(version("none"), None);
    }
}
