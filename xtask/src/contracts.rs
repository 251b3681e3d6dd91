//! Contracts: what is committed of them, and how their sources read.

use std::process::Command;
use std::time::Duration;

use crate::packages;
use crate::shell::{self, Outcome};
use crate::tally::Tally;

const SOLIDITY: &str = "contracts/solidity";
/// A workspace of its own: its contracts share nothing with the node that runs them.
const COSMWASM: &str = "contracts/cosmwasm";
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The committed artefacts are what the sources compile to.
pub fn artefacts() -> Outcome {
    for folder in [SOLIDITY, COSMWASM] {
        packages::npm(folder)?;
        shell::run(Command::new("node").args([&format!("{folder}/build.mjs"), "--check"]))?;
    }
    shell::run(Command::new("node").args(["benches/peers/build.mjs", "--check"]))
}

/// Format and lints of the CosmWasm contracts.
pub fn style() -> Outcome {
    shell::run(cargo("fmt").args(["--all", "--", "--check"]))?;
    shell::run(cargo("clippy").args(["--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// Unit tests of the CosmWasm contracts, as native code.
pub fn unit_tests() -> Outcome<Tally> {
    shell::run_recorded(cargo("test").args(["--quiet", "--locked", "--workspace", "--no-fail-fast"]), LIMIT)
        .map(|transcript| Tally::of_suite(&transcript))
}

fn cargo(command: &str) -> Command {
    let mut cargo = shell::cargo();
    cargo.current_dir(shell::root().join(COSMWASM)).arg(command);
    cargo
}
