//! What takes too long for every change: killing, fuzzing, sweeping, whole networks.

use std::fs;
use std::process::Command;

use crate::shell::{self, Failure, Outcome};
use crate::tally::Tally;
use crate::{suites, test, tools};

/// `cargo +nightly` needs rustup's cargo, not the one that runs this tool.
const FUZZ: &[&str] = &["+nightly", "fuzz"];
const KILLS: &str = "200";
const SECONDS: &str = "600";
const SEEDS: &str = "fuzz/corpus/seeds";
const BLOCKS: &str = "3000";
const EPOCHS: &str = "300";
const CROSSINGS: &str = "100000";
const PAIRS: &str = "100000";
const SIM_SEEDS: &str = "10000";
const WRITES: &str = "100000000";
/// Thirty times what a test run has.
const SWEEP_CASES: &str = "100000";

/// Kills and restarts a node two hundred times; the same test runs a few rounds in every `cargo test`.
pub fn kills() -> Outcome {
    let args = ["test", "-p", "cloister-cli", "--test", "cli", "kill::", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_KILLS", KILLS))
}

/// Random blocks of both worlds, executed by several enclaves of which one restarts after every block.
pub fn blocks() -> Outcome {
    let args = ["test", "-p", "cloister-ledger", "--lib", "determinism", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_BLOCKS", BLOCKS))
}

/// Some hundred epochs, with an enclave that crashes at every step of each switch, sweep and erasure.
pub fn epochs() -> Outcome {
    let args = ["test", "-p", "cloister-ledger", "--lib", "crashes_at_every_step", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_EPOCHS", EPOCHS))
}

/// A hundred million sealed values, of which no two share a nonce. Takes 1.2 GB.
pub fn writes() -> Outcome {
    let args = ["test", "-p", "cloister-keys", "--test", "private", "v13", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_WRITES", WRITES))
}

/// A hundred thousand calls tried as estimates and estimates tried as calls, then as many pairs of calls that differ in secrets
/// alone: the same gas, and receipts of the same length.
pub fn forms() -> Outcome {
    let args = ["test", "-p", "cloister-envelope", "--test", "gcm", "v11_", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_CROSSINGS", CROSSINGS))?;
    let args = ["test", "-p", "cloister-ledger", "--lib", "v19_calls_that_differ", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_PAIRS", PAIRS))
}

/// Four validators in processes of their own: killed, cut off, delayed, contradicted, for as long as the tests can be told.
pub fn scenarios() -> Outcome {
    tools::ensure_trouble()?;
    let args = ["test", "-p", "cloister-cli", "--test", "scenarios", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_KILL_SECONDS", SECONDS))
}

/// Simulated networks, each from a seed of its own.
pub fn sim() -> Outcome {
    let args = ["test", "-p", "cloister-consensus", "--lib", "sim", "--", "--nocapture"];
    shell::run(shell::cargo().args(args).env("CLOISTER_SEEDS", SIM_SEEDS))
}

/// All published clients against four validators.
pub fn interop() -> Outcome {
    test::interop(&["--validators", &test::NETWORK.to_string()])
}

/// Every operation and width against plain integers, with many more cases than a test run has.
pub fn sweep() -> Outcome {
    tools::check_clients()?;
    test::build_node()?;
    let transcript = suites::SWEEP.run(1, &[("CLOISTER_SWEEP_CASES", SWEEP_CASES)])?;
    match Tally::of_suite(&transcript).failed {
        0 => Ok(()),
        failed => Err(Failure::new(format!("{failed} failed"))),
    }
}

/// Runs each fuzz target for a while, from the seeds. Stops at the first finding, whose input belongs into
/// `fuzz/findings/TARGET/`, where every test run tries it again.
pub fn fuzz(args: &[&str]) -> Outcome {
    let (seconds, only) = match args {
        [] => (SECONDS, None),
        ["--seconds", seconds] => (*seconds, None),
        ["--seconds", seconds, target] => (*seconds, Some(*target)),
        [target] => (SECONDS, Some(*target)),
        _ => return Err(Failure::new("usage: cargo xtask soak fuzz [--seconds N] [TARGET]")),
    };
    install_cargo_fuzz()?;
    shell::run(shell::cargo().args(["run", "--quiet", "-p", "cloister-doors", "--bin", "seeds", "--", SEEDS]))?;
    for target in targets()?.iter().filter(|target| only.is_none_or(|only| only == *target)) {
        shell::heading(target);
        let corpus = format!("fuzz/corpus/{target}");
        fs::create_dir_all(&corpus).map_err(|error| Failure::new(format!("{corpus}: {error}")))?;
        let mut run = Command::new("cargo");
        // The first folder takes what is found; the seeds are only read.
        run.args(FUZZ).args(["run", "--fuzz-dir", "fuzz", target, &corpus, &format!("{SEEDS}/{target}"), "--"]);
        run.args([&format!("-max_total_time={seconds}"), "-rss_limit_mb=4096", "-timeout=10", "-max_len=65536"]);
        shell::run(clean(&mut run))?;
    }
    Ok(())
}

fn targets() -> Outcome<Vec<String>> {
    let listed = shell::run_quietly(clean(Command::new("cargo").args(FUZZ).args(["list", "--fuzz-dir", "fuzz"])))?;
    Ok(listed.lines().map(str::to_owned).collect())
}

fn install_cargo_fuzz() -> Outcome {
    let nightly = shell::run_quietly(clean(Command::new("cargo").args(["+nightly", "--version"])));
    nightly.map_err(|_| Failure::new("fuzzing needs a nightly toolchain: rustup toolchain install nightly"))?;
    if shell::run_quietly(clean(Command::new("cargo").args(FUZZ).arg("--version"))).is_ok() {
        return Ok(());
    }
    shell::run(clean(Command::new("cargo").args(["install", "--locked", "cargo-fuzz"])))
}

/// Without what the cargo that runs this tool set for itself, so that rustup chooses the toolchain anew.
fn clean(command: &mut Command) -> &mut Command {
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    command
}
