//! `cloister-hostile`: takes the place of the host and tries to get what a host must not have.
//!
//! Each attack is a story in [`attacks`], told to a real enclave process over its own sockets wherever the wall is what is
//! attacked. `README.md` beside this crate says what each line means and what waits for mechanisms that are still to come.

// This program is for a terminal: what it prints is its result.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod attacks;
mod production;
mod run;
mod scenario;
mod stage;

use std::process::ExitCode;

/// What keeps an attack from being told to its end, in words: the kit's fault, or the machine's.
pub(crate) type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // Before anything starts a thread: the lock-down is for processes that have one.
    if args.first().is_some_and(|first| first == stage::ENCLAVE) {
        return stage::become_enclave(args.get(1).map(String::as_str));
    }
    match args::Args::parse(&args) {
        Ok(args) => match &args.production {
            Some(program) => production::run(program),
            None => run::run(&args),
        },
        Err(failure) => {
            eprintln!("cloister-hostile: {failure}");
            ExitCode::from(2)
        }
    }
}
