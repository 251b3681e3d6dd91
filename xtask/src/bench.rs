//! Benchmarks: built in release, run by `benches/`.

use std::process::Command;

use crate::shell::{self, Outcome};
use crate::{packages, tools};

/// Confidential transfers per second, beside plaintext ones on anvil. `docs/bench.md` says what each line means.
pub fn evm(args: &[&str]) -> Outcome {
    tools::check_clients()?;
    packages::npm("benches/peers")?;
    shell::run(shell::cargo().args(["build", "--quiet", "--release", "-p", "cloister-cli", "-p", "cloister-bench"]))?;
    shell::run(Command::new("target/release/cloister-bench").arg("evm").args(args))
}

/// Transfers of a private CosmWasm token per second.
pub fn wasm(args: &[&str]) -> Outcome {
    shell::run(shell::cargo().args(["build", "--quiet", "--release", "-p", "cloister-cli", "-p", "cloister-bench"]))?;
    shell::run(Command::new("target/release/cloister-bench").arg("wasm").args(args))
}

/// Transfers on four validators: how many a second, and how long one takes.
pub fn net(args: &[&str]) -> Outcome {
    shell::run(shell::cargo().args(["build", "--quiet", "--release", "-p", "cloister-cli", "-p", "cloister-bench"]))?;
    shell::run(Command::new("target/release/cloister-bench").arg("net").args(args))
}
