//! The real enclave, as a process of its own behind its real walls, and this program in the place of its node.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread::JoinHandle;

use cloister_chain::wire::{
    self, Answer, Boot, Booted, Enrolled, Execute, Halt, Query, QueryAt, SealingBytes, ToEnclave, ToHost, WireError,
};
use cloister_chain::{B256, Genesis, Leaf, Outcome, Trail};
use cloister_teeth::Mechanism;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::Disk;
use crate::Failure;

/// The word that makes this program the enclave: it starts itself again, as `cloister` does.
pub(crate) const ENCLAVE: &str = "enclave";

/// Switches off what the host named, and is nothing but the enclave from here on.
pub(crate) fn become_enclave(without: Option<&str>) -> ExitCode {
    super::switch(without.and_then(|word| Mechanism::ALL.into_iter().find(|mechanism| mechanism.word() == word)));
    cloister_enclave::main([])
}

/// The host's ends of one enclave.
pub(crate) struct Enclave {
    pub(crate) block: UnixStream,
    pub(crate) query: UnixStream,
    /// What its run registers with, if it told.
    pub(crate) run: Option<Enrolled>,
    process: Child,
    said: Option<JoinHandle<Vec<u8>>>,
}

/// What an enclave makes of a block.
pub(crate) enum Reply {
    /// It was executed.
    Done(Box<Outcome>),
    /// The enclave refused and ended.
    Halted(Halt),
    /// The enclave ended without a word.
    Gone,
}

impl Reply {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub(crate) fn outcome(self) -> Result<Outcome, Failure> {
        match self {
            Self::Done(outcome) => Ok(*outcome),
            Self::Halted(halt) => Err(format!("an honest block was not executed: {halt:?}").into()),
            Self::Gone => Err("an enclave ended in the middle of an honest block".into()),
        }
    }
}

impl Enclave {
    pub(crate) fn start(without: Option<Mechanism>) -> Result<Self, Failure> {
        Self::start_in(without, &[])
    }

    /// The same in an environment of the host's.
    pub(crate) fn start_in(without: Option<Mechanism>, environment: &[(&str, String)]) -> Result<Self, Failure> {
        let mut command = Command::new("/proc/self/exe");
        command.arg(ENCLAVE).args(without.map(Mechanism::word)).env_clear();
        Self::spawn(command.envs(environment.iter().map(|(name, value)| (name, value))))
    }

    /// Another program, which should be an enclave too.
    pub(crate) fn spawn(program: &mut Command) -> Result<Self, Failure> {
        let (block, far_block) = UnixStream::pair()?;
        let (query, far_query) = UnixStream::pair()?;
        let mut process =
            program.stdin(OwnedFd::from(far_block)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut stderr = process.stderr.take().ok_or("standard error is piped")?;
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            // What was read before an error is what was said.
            let _ = stderr.read_to_end(&mut said);
            said
        });
        hand_over(&block, &far_query)?;
        Ok(Self { block, query, run: None, process, said: Some(said) })
    }

    /// Says something on the block stream. An enclave that has ended does not hear it.
    pub(crate) fn tell(&mut self, message: &ToEnclave) -> Result<(), Failure> {
        match wire::send(&mut self.block, message) {
            Ok(()) | Err(WireError::Io(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What the enclave says on the block stream; `None` when it has ended.
    pub(crate) fn hear(&mut self) -> Result<Option<ToHost>, Failure> {
        heard(wire::receive(&mut self.block))
    }

    /// Boots on what `disk` holds, without a state.
    pub(crate) fn boot(
        &mut self,
        genesis: &Genesis,
        disk: &Disk,
        trail: Option<Trail>,
    ) -> Result<Option<Booted>, Failure> {
        let some = |bytes: &Vec<u8>| (!bytes.is_empty()).then(|| bytes.clone());
        let boot = Boot {
            genesis: genesis.clone(),
            sealing_key: SealingBytes(disk.sealing_key),
            sealed_roots: some(&disk.sealed_roots),
            checkpoint: some(&disk.checkpoint).filter(|_| trail.is_none()),
            trail,
            consensus_key: B256::ZERO,
        };
        self.tell(&ToEnclave::Boot(boot))?;
        let Some(ToHost::Booted(booted)) = self.hear()? else { return Ok(None) };
        self.run.clone_from(&booted.run);
        Ok(Some(booted))
    }

    /// Hands over a state; true if the enclave takes it.
    pub(crate) fn load<'a>(
        &mut self,
        leaves: impl IntoIterator<Item = (&'a Leaf, &'a Vec<u8>)>,
    ) -> Result<bool, Failure> {
        let leaves = leaves.into_iter().map(|(leaf, value)| (*leaf, value.clone())).collect();
        self.tell(&ToEnclave::Load { leaves, last: true })?;
        Ok(matches!(self.hear()?, Some(ToHost::Loaded { .. })))
    }

    /// Boots and loads all that `disk` holds.
    pub(crate) fn resume(&mut self, genesis: &Genesis, disk: &Disk) -> Result<bool, Failure> {
        Ok(self.boot(genesis, disk, None)?.is_some() && self.load(&disk.leaves)?)
    }

    /// Hands over a block, without waiting for what comes of it.
    pub(crate) fn begin(&mut self, block: &Execute) -> Result<(), Failure> {
        let copy = Execute { block: block.block.clone(), certificate: block.certificate.clone() };
        self.tell(&ToEnclave::Execute(copy))
    }

    /// Has a block executed, answering from `disk`.
    pub(crate) fn execute(&mut self, block: &Execute, disk: &Disk) -> Result<Reply, Failure> {
        self.begin(block)?;
        loop {
            match self.hear()? {
                Some(ToHost::Need { leaves, positions, blobs, .. }) => {
                    self.tell(&disk.supply(&leaves, &positions, &blobs))?;
                }
                Some(ToHost::Outcome(outcome)) => return Ok(Reply::Done(Box::new(outcome))),
                Some(ToHost::Halt(halt)) => return Ok(Reply::Halted(halt)),
                Some(other) => return Err(format!("an answer that belongs to no block: {other:?}").into()),
                None => return Ok(Reply::Gone),
            }
        }
    }

    /// Asks a question about the tip, answering from `disk`.
    pub(crate) fn ask(&mut self, query: Query, disk: &Disk) -> Result<Answer, Failure> {
        wire::send(&mut self.query, &ToEnclave::Query(QueryAt { height: None, query }))?;
        loop {
            match heard(wire::receive(&mut self.query))? {
                Some(ToHost::Need { leaves, positions, blobs, .. }) => {
                    wire::send(&mut self.query, &disk.supply(&leaves, &positions, &blobs))?;
                }
                Some(ToHost::Answer(answer)) => return Ok(answer),
                Some(other) => return Err(format!("an answer that belongs to no question: {other:?}").into()),
                None => return Err("the enclave is gone".into()),
            }
        }
    }

    /// Which process it is.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Everything the process said to the operator until its end.
    pub(crate) fn leave(self) -> Result<String, Failure> {
        Ok(self.end()?.0)
    }

    /// The same, and how it ended.
    pub(crate) fn end(mut self) -> Result<(String, ExitStatus), Failure> {
        self.block.shutdown(std::net::Shutdown::Both)?;
        let status = self.process.wait()?;
        let said =
            self.said.take().map(JoinHandle::join).transpose().map_err(|_| "the reader of standard error died")?;
        Ok((String::from_utf8_lossy(&said.unwrap_or_default()).into_owned(), status))
    }

    /// Bytes as they are, on the block stream; false if the enclave stopped listening before the last one.
    pub(crate) fn pour(&mut self, bytes: &[u8]) -> bool {
        self.block.write_all(bytes).is_ok()
    }

    /// The same on the query stream.
    pub(crate) fn pour_question(&mut self, prefix: &[u8], body: &[u8]) -> bool {
        self.query.write_all(prefix).is_ok() && self.query.write_all(body).is_ok()
    }
}

impl Drop for Enclave {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn heard(message: Result<ToHost, WireError>) -> Result<Option<ToHost>, Failure> {
    match message {
        Ok(message) => Ok(Some(message)),
        Err(WireError::Io(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// One byte, the number of query streams, with their descriptors attached.
fn hand_over(block: &UnixStream, query: &UnixStream) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [query.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    rustix::net::sendmsg(block, &[IoSlice::new(&[1])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
