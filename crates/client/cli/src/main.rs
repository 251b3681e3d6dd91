//! `cloister`: a confidential smart-contract chain in one program.
//!
//! Purpose: read the command line, join node, enclave and doors, and print. Everything that is more than that lives in the
//! crates it links. The same program is the enclave: a node starts it again as `cloister enclave`.
//!
//! Must not know: formats, rules of the chain, keys other than those of a developer's accounts.

mod args;
mod demo;
mod dev;
mod error;
mod shell;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use error::Error;
use shell::Shell;

fn main() -> ExitCode {
    match Args::parse().command {
        // Before anything starts a thread: the lock-down is for processes that have one.
        Command::Enclave { arguments } => cloister_enclave::main(arguments),
        Command::Dev(command) => {
            let shell = Shell::new(command.output.json);
            run(&shell, command.output.verbose, dev::run(&shell, &command))
        }
        Command::Demo(command) => {
            let shell = Shell::new(command.output.json);
            run(&shell, command.output.verbose, demo::run(&shell, &command))
        }
    }
}

fn run(shell: &Shell, verbose: u8, command: impl Future<Output = Result<(), Error>>) -> ExitCode {
    shell::log(verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Error::Runtime).and_then(|runtime| runtime.block_on(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell.error(&error);
            ExitCode::FAILURE
        }
    }
}
