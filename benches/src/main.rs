//! `cloister-bench`: what a chain on this machine does per second, measured from outside, as a client.
//!
//! One client drives every peer with the same number of senders, transfers and connections, in one run. `docs/bench.md`
//! says what each printed line means.

// This program is for a terminal: what it prints is its result.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cpu;
mod evm;
mod load;
mod net;
mod peer;
mod plan;
mod report;
mod rest;
mod rpc;
mod wasm;

use std::process::ExitCode;

use plan::Plan;

/// A failed measurement, in words.
pub(crate) type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["evm", rest @ ..] => Plan::parse(rest).and_then(|plan| evm::run(&plan)),
        ["net", rest @ ..] => Plan::parse(rest).and_then(|plan| net::run(&plan)),
        ["wasm", rest @ ..] => Plan::parse(rest).and_then(|plan| wasm::run(&plan)),
        _ => Err(plan::USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cloister-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}
