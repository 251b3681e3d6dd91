//! The door between a node and what may see keys and plaintext.
//!
//! Purpose: one process with one thread for blocks and some for queries, which speaks [`cloister_chain::wire`] and nothing
//! else. [`serve`] is the whole of it: it boots, locks itself down, executes decided blocks with the ledger, and answers
//! questions about committed states; or it proves what it is, gets the roots of a chain or makes them, and ends. [`main`] is the
//! same as a program, for the lean binary and for `cloister enclave`.
//!
//! Must not know: how blocks come about, where bytes are kept, who its clients are. It opens no connection, and no file but those
//! through which its processor speaks, before it locks itself down; its
//! randomness is one seed from the operating system, once in the life of a chain, and the keys that the seed is handed over
//! with. Everything it reads is hostile.
//!
//! ```
//! use std::os::unix::net::UnixStream;
//! use cloister_chain::wire::{self, ToEnclave, ToHost};
//! use cloister_enclave::{Options, serve};
//!
//! let (node, enclave) = UnixStream::pair()?;
//! let thread = std::thread::spawn(move || serve(enclave, vec![], Options::default()));
//!
//! // A node that begins with what is no beginning is told so, and the enclave ends.
//! wire::send(&mut &node, &ToEnclave::Load { leaves: vec![], last: true })?;
//! let answer: ToHost = wire::receive(&mut &node)?;
//! assert!(matches!(answer, ToHost::Halt(wire::Halt::Protocol)));
//! assert!(thread.join().expect("no panic").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod machine;
pub mod os;
mod process;
mod provision;
mod query;
mod sealed;
mod supply;
mod wipe;

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Barrier, OnceLock};

use cloister_chain::wire::{self, Halt, Lockdown, ToEnclave, ToHost, WireError};
use thiserror::Error;

use crate::machine::Machine;

pub use os::Violation;
pub use process::main;

/// How an enclave runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Lock the process down, and how a violation ends. `None` only in tests that run the enclave inside their own process:
    /// the lock-down is for ever and for every thread.
    pub lock_down: Option<Violation>,
}

/// Why an enclave ended, other than because its node left.
#[derive(Debug, Error)]
pub enum Stop {
    /// It refused to go on, and has said so to the node.
    #[error("the enclave halts: {0:?}")]
    Halt(Halt),
    /// The stream broke in the middle of a message.
    #[error(transparent)]
    Wire(WireError),
}

/// Serves one node until it closes `block`: that stream is for blocks, each of `queries` for one thread that answers
/// questions. With a lock-down, the caller must own no other descriptor and have started no thread.
pub fn serve(mut block: UnixStream, queries: Vec<UnixStream>, options: Options) -> Result<(), Stop> {
    let ended = run(&mut block, queries, options);
    if let Err(Stop::Halt(halt)) = &ended {
        // The node may have gone already; then there is nobody left to tell.
        let _ = wire::send(&mut block, &ToHost::Halt(*halt));
    }
    ended
}

fn run(block: &mut UnixStream, queries: Vec<UnixStream>, options: Options) -> Result<(), Stop> {
    let Some(message) = next(block)? else { return Ok(()) };
    let given = match &message {
        ToEnclave::Boot(boot) => {
            machine::serves(&boot.genesis)?;
            &boot.sealing_key
        }
        ToEnclave::Enrol(enrol) => &enrol.sealing_key,
        _ => return Err(Stop::Halt(Halt::Protocol)),
    };
    let mut machine = Machine::find(given)?;
    let mut lockdown = Lockdown::default();
    if options.lock_down.is_some() {
        let mut streams = vec![block.as_fd()];
        streams.extend(queries.iter().map(AsFd::as_fd));
        streams.extend(machine.descriptors());
        lockdown = os::enclose(&streams).map_err(lockdown_failed)?;
    }
    let tip = Arc::new(OnceLock::new());
    let started = Arc::new(Barrier::new(queries.len().saturating_add(1)));
    for stream in queries {
        query::start(stream, &tip, &started).map_err(|_| Stop::Halt(Halt::Lockdown))?;
    }
    // The filter takes away what a thread needs while it starts.
    started.wait();
    if let Some(violation) = options.lock_down {
        os::filter(violation).map_err(lockdown_failed)?;
        lockdown.seccomp = true;
    }
    match message {
        ToEnclave::Boot(boot) => blocks::run(block, &mut machine, boot, lockdown, &tip),
        ToEnclave::Enrol(enrol) => provision::enrol(block, machine, enrol),
        _ => Err(Stop::Halt(Halt::Protocol)),
    }
}

/// The next message of the host, or `None` if it left between two messages.
fn next(stream: &mut UnixStream) -> Result<Option<ToEnclave>, Stop> {
    match wire::receive(stream) {
        Ok(message) => Ok(Some(message)),
        Err(WireError::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn lockdown_failed(error: os::OsError) -> Stop {
    process::complain(&error);
    Stop::Halt(Halt::Lockdown)
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Io(_) => Self::Wire(error),
            WireError::TooLong(_) | WireError::Malformed => Self::Halt(Halt::Protocol),
        }
    }
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

#[cfg(test)]
mod tests;
