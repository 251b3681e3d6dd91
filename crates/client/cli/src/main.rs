//! `cloister`: a confidential smart-contract chain in one program.
//!
//! Purpose: read the command line, join node, enclave and doors, and print. Everything that is more than that lives in the
//! crates it links. The same program is the enclave: a node starts it again as `cloister enclave`.
//!
//! Must not know: formats, rules of the chain, keys other than those of a developer's accounts.

mod args;
mod attest;
mod db;
mod demo;
mod dev;
mod doors;
mod enclaves;
mod error;
mod join;
mod runs;
mod settings;
mod shell;
mod start;
mod steps;
mod testnet;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, AttestAction, Command, DbAction, LogFormat, Output, Subject, TestnetAction};
use error::Error;
use settings::Settings;
use shell::Shell;

fn main() -> ExitCode {
    match Args::parse().command {
        // Before anything starts a thread: the lock-down is for processes that have one.
        Command::Enclave { arguments } => cloister_enclave::main(arguments),
        Command::Dev(command) => {
            let shell = log(&command.output);
            run(&shell, dev::run(&shell, &command))
        }
        Command::Testnet(command) => {
            let TestnetAction::Init(init) = command.action;
            let shell = log(&init.print);
            finish(&shell, testnet::init(&shell, &init))
        }
        Command::Join(command) => {
            let shell = log(&command.output);
            run(&shell, join::run(&shell, &command))
        }
        Command::Start(command) => {
            let shell = Shell::new(command.output.json);
            match Settings::read(&command.home, &command) {
                Ok(settings) => {
                    shell::log(command.output.verbose, settings.log.format, &settings.log.filter);
                    run(&shell, start::run(&shell, &command, &settings))
                }
                Err(error) => finish(&shell, Err(error.into())),
            }
        }
        Command::Db(command) => {
            let shell = log(command.action.output());
            finish(
                &shell,
                match &command.action {
                    DbAction::Info(home) => db::info(&shell, &home.home),
                    DbAction::Prune(prune) => db::prune(&shell, &prune.db.home, prune.keep),
                    DbAction::Verify(home) => db::verify(&shell, &home.home),
                },
            )
        }
        Command::Verify(command) => {
            let Subject::Tx(tx) = command.subject;
            let shell = log(&tx.output);
            run(&shell, verify::tx(&shell, &tx))
        }
        Command::Attest(command) => {
            let shell = log(command.action.output());
            match &command.action {
                AttestAction::Bundle(bundle) => run(&shell, attest::bundle(&shell, bundle)),
                AttestAction::Verify(verify) => finish(&shell, attest::verify(&shell, verify)),
                AttestAction::SignRelease(release) => finish(&shell, attest::sign_release(&shell, release)),
            }
        }
        Command::Demo(command) => {
            let shell = log(&command.output);
            run(&shell, demo::run(&shell, &command))
        }
    }
}

/// A shell for what `output` asks for, with logs beside it.
fn log(output: &Output) -> Shell {
    shell::log(output.verbose, output.log_format.unwrap_or(LogFormat::Text), "warn");
    Shell::new(output.json)
}

fn run(shell: &Shell, command: impl Future<Output = Result<(), Error>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    finish(shell, runtime.map_err(Error::Runtime).and_then(|runtime| runtime.block_on(command)))
}

fn finish(shell: &Shell, result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell.error(&error);
            ExitCode::FAILURE
        }
    }
}
