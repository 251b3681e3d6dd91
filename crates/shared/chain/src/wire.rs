//! The wall: every message between a node and its enclave.
//!
//! A frame is `length (4, LE) ‖ body`, the body is the borsh form of one [`ToEnclave`] or [`ToHost`], its length is at most
//! [`limits::FRAME_BYTES`], and a body with bytes left over is refused. The enclave inherits one socket as its standard
//! input, the *block stream*. Over it, before the first frame, comes one byte, the number of *query streams* (at most
//! [`limits::QUERY_STREAMS`]; one thread serves each), with their descriptors attached. On a stream the host speaks first
//! and waits; while the enclave works on a request it may ask for what it lacks, any number of times, and then gives one
//! answer.
//!
//! An enclave is for one of two things, and its first message says for which: it serves a chain from a [`ToEnclave::Boot`] on,
//! or it asks for a chain's seed with a [`ToEnclave::Enrol`], gets or makes it, and ends. Whoever hands the seed over has
//! verified the enclave's evidence: the enclaves of a running chain (docs/registration.md), or of a new one its founder, which
//! finds the certificates of all others in the genesis.
//!
//! | stream | host sends | enclave may ask | enclave answers |
//! | --- | --- | --- | --- |
//! | block | [`ToEnclave::Boot`], once, first | | [`ToHost::Booted`] |
//! | block | [`ToEnclave::Load`], until `last`, after a boot that resumes | | [`ToHost::Loaded`] to the last |
//! | block | [`ToEnclave::Execute`] | [`ToHost::Need`] → [`ToEnclave::Supply`] | [`ToHost::Outcome`] |
//! | block | [`ToEnclave::Enrol`], once, first | | [`ToHost::Enrolled`] |
//! | block | [`ToEnclave::Admit`], once, after it, last | | [`ToHost::Admitted`], and it ends |
//! | block | or [`ToEnclave::Found`], once, after it, last | | [`ToHost::Founded`], and it ends |
//! | query | [`ToEnclave::Query`] | [`ToHost::Need`] → [`ToEnclave::Supply`] | [`ToHost::Answer`] |
//!
//! Instead of its answer on the block stream the enclave may say [`ToHost::Halt`], and ends. Everything the host sends is
//! hostile: the enclave checks blocks against certificates, leaves against its tree, blobs against their hash.

mod query;

use std::fmt;
use std::io::{self, Read, Write};

use alloy_primitives::{B256, Bytes};
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_attest::Statement;
use cloister_teeth::{Mechanism, holds};
use zeroize::Zeroize;

use crate::limits;
use crate::trust::Boot as BootKeys;
use crate::{Block, Certificate, Genesis, Leaf, Outcome, Trail};

pub use query::{
    Answer, Call, ContractQuery, Failure, Form, Key, NetworkKeys, Query, QueryAt, QueryRefusal, Rejection,
};

/// From the host.
// A message lives for one crossing: boxing it would only add a copy.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub enum ToEnclave {
    /// Start: what the enclave has to know before it locks itself down.
    Boot(Boot),
    /// Current leaves, in any order and any number of pieces.
    Load {
        /// Name and value.
        leaves: Vec<(Leaf, Vec<u8>)>,
        /// No more pieces follow: check the root.
        last: bool,
    },
    /// Execute a decided block.
    Execute(Execute),
    /// What [`ToHost::Need`] asked for, in its order. `None`: the host has nothing under that name.
    Supply {
        /// Values of the leaves.
        leaves: Vec<Option<Vec<u8>>>,
        /// Names and values of the leaves at the positions.
        sealed: Vec<Option<(Leaf, Vec<u8>)>>,
        /// Blobs.
        blobs: Vec<Option<Bytes>>,
    },
    /// A read-only question.
    Query(QueryAt),
    /// Make boot keys, and have the processor state that they are this enclave's.
    Enrol(Enrol),
    /// Make the seed of a new chain, and hand it over to the enclaves of its genesis.
    Found(Found),
    /// Take the seed that was handed over, and seal it to this machine.
    Admit(Admit),
}

/// From the enclave.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub enum ToHost {
    /// Locked down, with the roots.
    Booted(Booted),
    /// The loaded leaves have the root of the checkpoint.
    Loaded {
        /// The roots of the state's epoch, sealed, for the host to keep in the place of older ones.
        sealed_roots: Option<Vec<u8>>,
    },
    /// Leaves as of `height`, by name or by position, and blobs by hash that the enclave lacks.
    Need {
        /// Height whose state is meant.
        height: u64,
        /// Names of leaves.
        leaves: Vec<Leaf>,
        /// Positions of values that the network sealed ([`Leaf::sealed_in`]).
        positions: Vec<B256>,
        /// Hashes of blobs.
        blobs: Vec<B256>,
    },
    /// The block's results.
    Outcome(Outcome),
    /// The answer to a query.
    Answer(Answer),
    /// The enclave refuses to go on, and ends.
    Halt(Halt),
    /// What to register with.
    Enrolled(Enrolled),
    /// The seed is made.
    Founded(Founded),
    /// The seed, sealed to this machine, for the host to keep.
    Admitted {
        /// What [`Boot::sealed_roots`] will be.
        sealed_roots: Vec<u8>,
    },
}

/// What an enclave starts from.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Boot {
    /// The chain.
    pub genesis: Genesis,
    /// SIMULATED hardware: the key to which this machine seals. On real hardware the enclave asks its processor.
    pub sealing_key: SealingBytes,
    /// The sealed roots of an earlier run; without any the enclave founds a new chain.
    pub sealed_roots: Option<Vec<u8>>,
    /// The sealed checkpoint of the last committed block; without one the enclave starts from the genesis.
    pub checkpoint: Option<Vec<u8>>,
    /// Without a checkpoint: the way to a state that others computed, to start from that. Needs sealed roots.
    pub trail: Option<Trail>,
    /// With which the node's validator votes, or would: what [`Booted::run`] is introduced with.
    pub consensus_key: B256,
}

/// An enclave that is to have the seed of a chain.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Enrol {
    /// The chain, which has no genesis yet when its first enclaves enrol.
    pub chain_id: String,
    /// As in [`Boot::sealing_key`].
    pub sealing_key: SealingBytes,
    /// With which the node's validator votes, or would.
    pub consensus_key: B256,
}

/// With what its maker publishes about the processor it is a [`Registration`](crate::trust::Registration).
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub struct Enrolled {
    /// The public half of the keys of this run.
    pub boot: BootKeys,
    /// What the processor says about them.
    pub statement: Statement,
}

/// A new chain.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Found {
    /// The chain. Its nodes get the seed if each of their certificates holds; this enclave has to be one of them.
    pub genesis: Genesis,
}

/// The seed of a new chain, for nobody but the enclaves that it is sealed to.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Founded {
    /// Sealed to the founder's own machine.
    pub sealed_roots: Vec<u8>,
    /// Sealed to the boot key of each node of the genesis, in their order.
    pub shares: Vec<Vec<u8>>,
}

/// A share of a seed for the enclave that enrolled.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Admit {
    /// The chain.
    pub genesis: Genesis,
    /// The seed, sealed to this enclave's boot key.
    pub share: Vec<u8>,
}

/// The enclave is ready for blocks, or for leaves if `genesis` is `None`.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Booted {
    /// The roots, sealed, for the host to keep.
    pub sealed_roots: Vec<u8>,
    /// The state of height 0, when there was no checkpoint.
    pub genesis: Option<Outcome>,
    /// Height of the checkpoint, or of the trail's state; 0 at genesis.
    pub height: u64,
    /// The sealed checkpoint of the trail's state, if there was a trail. Of use once its leaves are loaded.
    pub checkpoint: Option<Vec<u8>>,
    /// What the lock-down achieved.
    pub lockdown: Lockdown,
    /// What this run registers with, on a chain that admits enclaves.
    pub run: Option<Enrolled>,
}

/// Which walls stand around the enclave process. The system-call filter is the barrier; the others add depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Lockdown {
    /// The process runs behind a seccomp filter.
    pub seccomp: bool,
    /// Landlock denies files, network and signals to the outside.
    pub landlock: bool,
    /// Own user, network, IPC and mount namespaces.
    pub namespaces: bool,
}

/// One block to execute.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Execute {
    /// The block.
    pub block: Block,
    /// The proof that it was decided.
    pub certificate: Certificate,
}

/// Why an enclave stopped. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Halt {
    /// A message out of place, or one that does not decode.
    Protocol = 1,
    /// The genesis breaks a rule, or demands hardware that this build does not have.
    Genesis = 2,
    /// Sealed bytes do not open with this sealing key and chain, or a share of the roots with this boot key and chain; or the
    /// roots are not those of the state: newer, or of another chain; or a chain whose genesis has nodes is to begin without any.
    Sealed = 3,
    /// Loaded leaves do not have the root of the checkpoint.
    Root = 4,
    /// The block does not follow from the last one: height, parent, time, chain id, validators, transactions or fee.
    Block = 5,
    /// The header names another state root or other results than this enclave's own (M-02).
    Diverged = 6,
    /// The certificate does not decide the block (M-01), or the trail does not lead to its state.
    Certificate = 7,
    /// The host did not supply what the state holds, or supplied something else (M-03).
    Supply = 8,
    /// The process could not lock itself down.
    Lockdown = 9,
}

/// Thirty-two bytes to which a SIMULATED machine seals. Never printed, wiped when dropped.
#[derive(BorshSerialize, BorshDeserialize)]
pub struct SealingBytes(pub [u8; 32]);

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream failed or ended.
    #[error("the stream between node and enclave failed: {0}")]
    Io(#[from] io::Error),
    /// A length above [`limits::FRAME_BYTES`].
    #[error("a frame of {0} bytes is above the limit")]
    TooLong(usize),
    /// A body that is not one message.
    #[error("a frame does not decode")]
    Malformed,
}

/// Writes one message as one frame.
pub fn send<T: BorshSerialize>(stream: &mut impl Write, message: &T) -> Result<(), WireError> {
    // One buffer, one system call: the length is filled in afterwards.
    let mut frame = vec![0; 4];
    message.serialize(&mut frame)?;
    let length = frame.len() - 4;
    if length > limits::FRAME_BYTES {
        return Err(WireError::TooLong(length));
    }
    let prefix = u32::try_from(length).expect("the limit fits in 32 bits").to_le_bytes();
    frame[..4].copy_from_slice(&prefix);
    stream.write_all(&frame)?;
    frame.zeroize();
    Ok(stream.flush()?)
}

/// Reads one frame as one message.
pub fn receive<T: BorshDeserialize>(stream: &mut impl Read) -> Result<T, WireError> {
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix)?;
    let length = usize::try_from(u32::from_le_bytes(prefix)).expect("32 bits fit in a usize");
    if holds(Mechanism::FrameBound) && length > limits::FRAME_BYTES {
        return Err(WireError::TooLong(length));
    }
    // Memory follows the bytes that really arrive, not the length that somebody claims.
    let mut body = Vec::new();
    let read = stream.take(length as u64).read_to_end(&mut body)?;
    if read != length {
        return Err(WireError::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    let message = T::try_from_slice(&body).map_err(|_| WireError::Malformed);
    body.zeroize();
    message
}

impl fmt::Debug for SealingBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl Drop for SealingBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests;
