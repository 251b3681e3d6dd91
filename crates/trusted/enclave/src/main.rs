//! The measured artefact: an enclave and nothing beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cloister_enclave::main(std::env::args_os().skip(1))
}
