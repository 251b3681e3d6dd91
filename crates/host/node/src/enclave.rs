//! The block stream of one enclave, from its boot to its death.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use cloister_chain::wire::{self, Boot, Booted, Execute, Halt, SealingBytes, ToEnclave, ToHost, WireError};
use cloister_chain::{B256, Bytes, Genesis, Leaf, Outcome};
use cloister_store::{Item, Store, StoreError};
use rustix::event::{PollFd, PollFlags};
use thiserror::Error;

use crate::home::HomeError;
use crate::roots::Safe;
use crate::snapshot::{SnapshotError, Taken};
use crate::spawn::{self, Spawner};

/// Why an enclave does not do what it was asked.
#[derive(Debug, Error)]
pub enum EnclaveError {
    /// It could not be started.
    #[error("the enclave does not start: {0}")]
    Spawn(#[source] io::Error),
    /// It ended, or its stream broke. Says how the process ended, if it was one.
    #[error("the enclave died ({0})")]
    Died(String),
    /// It refuses to go on. Another start would end in the same way.
    #[error("the enclave halts: {}", explain(.0))]
    Halted(Halt),
    /// It sent something that does not belong there.
    #[error("the enclave broke the protocol")]
    Protocol,
    /// What it asked for could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its sealed roots cannot be read or kept.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The state that others gave cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// The host's side of a block stream whose enclave is ready for blocks.
#[derive(Debug)]
pub(crate) struct Enclave {
    stream: UnixStream,
    process: Option<Child>,
}

impl Enclave {
    /// Starts an enclave and brings it to what `store` holds; a new chain gets its height 0 in the store, or begins with the
    /// state that others gave. Returns the query streams beside it.
    pub(crate) fn start(
        spawner: &Spawner,
        genesis: &Genesis,
        safe: &Safe,
        store: &Store,
        taken: Option<&Taken>,
    ) -> Result<(Self, Vec<UnixStream>, Booted), EnclaveError> {
        let streams = spawner().map_err(EnclaveError::Spawn)?;
        let mut enclave = Self { stream: streams.block, process: streams.process };
        let reader = store.reader()?;
        let boot = Boot {
            genesis: genesis.clone(),
            sealing_key: SealingBytes(safe.sealing.0),
            sealed_roots: safe.read()?,
            checkpoint: reader.checkpoint()?,
            trail: taken.map(|taken| taken.trail.clone()),
            consensus_key: safe.consensus_key,
        };
        enclave.send(&ToEnclave::Boot(boot))?;
        let ToHost::Booted(booted) = enclave.receive()? else { return Err(EnclaveError::Protocol) };
        match (&booted.genesis, reader.head()?) {
            (Some(outcome), None) => {
                // The roots first: without them, what is sealed under them would be lost.
                safe.write(&booted.sealed_roots)?;
                store.commit_genesis(outcome)?;
            }
            (None, Some(head)) if head.height == booted.height => {
                let mut pieces = reader.leaves(head.height, PIECE_BYTES)?;
                while let Some(leaves) = pieces.next().transpose()? {
                    enclave.send(&ToEnclave::Load { leaves, last: false })?;
                }
                enclave.send(&ToEnclave::Load { leaves: Vec::new(), last: true })?;
                let ToHost::Loaded { sealed_roots } = enclave.receive()? else { return Err(EnclaveError::Protocol) };
                sealed_roots.map(|sealed| safe.write(&sealed)).transpose()?;
            }
            (None, None) => enclave.adopt(&booted, safe, store, taken.ok_or(EnclaveError::Protocol)?)?,
            _ => return Err(EnclaveError::Protocol),
        }
        Ok((enclave, streams.queries, booted))
    }

    /// Loads a state that others gave. What the enclave accepted is what the store begins with.
    fn adopt(&mut self, booted: &Booted, safe: &Safe, store: &Store, taken: &Taken) -> Result<(), EnclaveError> {
        let checkpoint = booted.checkpoint.as_deref().ok_or(EnclaveError::Protocol)?;
        let (mut leaves, mut size) = (Vec::new(), 0);
        for item in taken.items()? {
            let Item::Leaf(leaf, value) = item? else { continue };
            size += value.len();
            leaves.push((leaf, value));
            if size >= PIECE_BYTES {
                self.send(&ToEnclave::Load { leaves: std::mem::take(&mut leaves), last: false })?;
                size = 0;
            }
        }
        self.send(&ToEnclave::Load { leaves, last: true })?;
        let ToHost::Loaded { sealed_roots } = self.receive()? else { return Err(EnclaveError::Protocol) };
        store.adopt(&taken.parent, &taken.trail, checkpoint, taken.items()?)?;
        sealed_roots.map(|sealed| safe.write(&sealed)).transpose()?;
        Ok(())
    }

    /// Has a decided block executed, with what the enclave asks for from `store`.
    pub(crate) fn execute(&mut self, execute: Execute, store: &Store) -> Result<Outcome, EnclaveError> {
        let height = execute.block.header.height;
        self.send(&ToEnclave::Execute(execute))?;
        loop {
            match self.receive()? {
                ToHost::Need { height, leaves, positions, blobs } => {
                    self.send(&supply(store, height, &leaves, &positions, &blobs)?)?;
                }
                ToHost::Outcome(outcome) if outcome.height == height => return Ok(outcome),
                _ => return Err(EnclaveError::Protocol),
            }
        }
    }

    /// Calls `lost` when the enclave closes its stream, for whatever reason; also when this side does.
    pub(crate) fn watch(&self, lost: impl FnOnce() + Send + 'static) -> Result<(), EnclaveError> {
        let stream = self.stream.try_clone().map_err(EnclaveError::Spawn)?;
        let wait = move || {
            let mut events = [PollFd::new(&stream, PollFlags::RDHUP)];
            while let Err(rustix::io::Errno::INTR) = rustix::event::poll(&mut events, None) {}
            lost();
        };
        thread::Builder::new().name("enclave-watch".into()).spawn(wait).map_err(EnclaveError::Spawn)?;
        Ok(())
    }

    fn send(&mut self, message: &ToEnclave) -> Result<(), EnclaveError> {
        match wire::send(&mut self.stream, message) {
            Ok(()) => Ok(()),
            // It may have said why before it closed the stream.
            Err(WireError::Io(_)) => match self.receive() {
                Ok(_) => Err(EnclaveError::Protocol),
                Err(error) => Err(error),
            },
            Err(_) => Err(EnclaveError::Protocol),
        }
    }

    fn receive(&mut self) -> Result<ToHost, EnclaveError> {
        match wire::receive(&mut self.stream) {
            Ok(ToHost::Halt(halt)) => Err(EnclaveError::Halted(halt)),
            Ok(message) => Ok(message),
            Err(WireError::Io(error)) => Err(EnclaveError::Died(self.obituary(&error))),
            Err(_) => Err(EnclaveError::Protocol),
        }
    }

    /// How the process ended, or, if it did not within a short time, how its stream did.
    fn obituary(&mut self, error: &io::Error) -> String {
        let Some(process) = &mut self.process else { return error.to_string() };
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            match process.try_wait() {
                Ok(Some(status)) => return status.to_string(),
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Err(_) => break,
            }
        }
        error.to_string()
    }
}

impl Drop for Enclave {
    /// Asks the enclave to leave by closing its stream, and ends the process if it does not.
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        let Some(mut process) = self.process.take() else { return };
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !matches!(process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        spawn::end(process);
    }
}

/// What the store holds of what an enclave needs.
pub(crate) fn supply(
    store: &Store,
    height: u64,
    leaves: &[Leaf],
    positions: &[B256],
    blobs: &[B256],
) -> Result<ToEnclave, StoreError> {
    let reader = store.reader()?;
    let leaves = if leaves.is_empty() { Vec::new() } else { reader.leaf_values(leaves, height)? };
    let sealed = if positions.is_empty() { Vec::new() } else { reader.named(positions, height)? };
    let blobs = blobs.iter().map(|hash| reader.blob(hash)).collect::<Result<Vec<Option<Bytes>>, _>>()?;
    Ok(ToEnclave::Supply { leaves, sealed, blobs })
}

/// What an operator can do about a halt.
fn explain(halt: &Halt) -> &'static str {
    match halt {
        Halt::Protocol => "it was sent something that does not belong there",
        Halt::Genesis => "the genesis breaks a rule, or demands hardware that this machine does not have",
        Halt::Sealed => {
            "its sealed roots or checkpoint were made on another machine, for another chain or for a later state, or are damaged"
        }
        Halt::Root => "the stored state is not the one that it executed: the store is damaged",
        Halt::Block => "the block does not follow from the last one",
        Halt::Diverged => "the validators agreed on other results than its own: keep this directory as evidence",
        Halt::Certificate => "the block was not decided by the validators",
        Halt::Supply => "the stored state lacks something, or is damaged",
        Halt::Lockdown => "it could not lock itself down",
    }
}

/// About as many bytes of leaves cross the wall at once.
const PIECE_BYTES: usize = 1 << 20;
/// How long an enclave may take to end after its stream closed.
const GRACE: Duration = Duration::from_secs(2);
