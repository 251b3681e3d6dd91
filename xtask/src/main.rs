//! `cargo xtask`: the chores of the house. Tests, checks, soaks and benchmarks are each one command.
//!
//! It links nothing of the product, so that it compiles in a second and can judge a product that does not compile.

// This tool is for a terminal: what it prints is its result.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod contracts;
mod deps;
mod enclave;
mod hostile;
mod house;
mod licences;
mod node;
mod packages;
mod planted;
mod shell;
mod soak;
mod suites;
mod tally;
mod test;
mod tools;
mod trust;

use std::process::ExitCode;

use shell::{Failure, Outcome};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test                     everything that has to pass: checks, Rust tests, contracts, published clients
  deps                     who may depend on whom, banned crates, licences, lines of trusted code
  house                    file cap, unsafe code, lock files, whether docs/trust.md names tests that exist
  pure                     determinism lints of the shared and trusted rooms
  enclave                  builds the measured program for production and prints its SHA-256 (docs/reproducible.md)
  contracts                only contracts: their artefacts, lints and unit tests
  interop [SUITE] [--validators N]
                           only the published clients (python, js, secretjs, coti-contracts) against a node, or
                           against several, each request to the next one
  hostile                  every attack of a hostile host, with many seeds, and each again without its defence
  soak kills               kill -9 and restart, 200 times
  soak fuzz [--seconds N] [TARGET]
                           every fuzz target (or one) for N seconds, 600 by default; needs a nightly toolchain
  soak sweep               all operations and widths against the model, many more cases than in `test`
  soak blocks              random blocks of both worlds, by several enclaves, 3,000 times
  soak epochs              three hundred epochs, with an enclave that crashes at every step of each switch
  soak writes              a hundred million sealed values, of which no two may share a nonce; takes 1.2 GB
  soak forms               calls and estimates crossed 100,000 times, and as many pairs of calls of the same gas
  soak scenarios           networks that lose nodes and links, with ten minutes of random kills; needs root
  soak sim                 ten thousand simulated networks
  soak reproducible        two clean builds of the enclave from the last commit, in two folders, give the same bytes
  soak interop             the published clients against four validators
  bench evm [ARGS]         confidential transfers per second, beside plaintext ones on anvil (docs/bench.md)
  bench wasm [ARGS]        transfers of a private CosmWasm token per second, through the Cosmos door
  bench net [ARGS]         transfers and latencies of both worlds on four validators; empty blocks; catching up
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Outcome {
    std::env::set_current_dir(shell::root()).map_err(|error| Failure::new(format!("the project's folder: {error}")))?;
    match args {
        ["test"] => test::all(),
        ["deps"] => deps::check(),
        ["house"] => house::check(),
        ["pure"] => deps::pure_lints(),
        ["enclave"] => enclave::hash(),
        ["contracts"] => test::contracts(),
        ["hostile"] => hostile::long(),
        ["interop", rest @ ..] => test::interop(rest),
        ["soak", "kills"] => soak::kills(),
        ["soak", "blocks"] => soak::blocks(),
        ["soak", "epochs"] => soak::epochs(),
        ["soak", "writes"] => soak::writes(),
        ["soak", "forms"] => soak::forms(),
        ["soak", "scenarios"] => soak::scenarios(),
        ["soak", "sim"] => soak::sim(),
        ["soak", "interop"] => soak::interop(),
        ["soak", "reproducible"] => enclave::reproducible(),
        ["soak", "fuzz", rest @ ..] => soak::fuzz(rest),
        ["soak", "sweep"] => soak::sweep(),
        ["bench", "evm", rest @ ..] => bench::evm(rest),
        ["bench", "wasm", rest @ ..] => bench::wasm(rest),
        ["bench", "net", rest @ ..] => bench::net(rest),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            Err(Failure::new("no such command"))
        }
    }
}
