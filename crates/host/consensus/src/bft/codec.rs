//! One codec for all that the engine sends, and for what it writes to its log.
//!
//! Everything is borsh: little-endian, one encoding per value, lists and byte strings with a length of 4 bytes in front.
//! The same bytes are on the wire and in the log of signed votes, so a change of any of them is a change of the network's
//! protocol and of the disk's format. What arrives is a stranger's: longer than its cap, with bytes left over, or with a
//! list too long, it is refused. No message of ours has a vote extension.
//!
//! | message | bytes |
//! | --- | --- |
//! | signed vote or proposal | address (20) ‖ [`Signed`] |
//! | liveness | kind (0 vote, 1 polka, 2 round) ‖ what it is |
//! | polka | height ‖ round ‖ block (32) ‖ list of address (20) ‖ signature (64) |
//! | round certificate | height ‖ round ‖ kind (0 skip, 1 precommit) ‖ list of address ‖ signature ‖ precommit? ‖ block? |
//! | part in a stream | stream id ‖ sequence (8) ‖ [`Part`]? |
//! | proposed value | height ‖ round ‖ valid round? ‖ proposer ‖ block ‖ valid? |
//! | proof of a validator | key ‖ peer id ‖ signature (64) |
//! | status | peer id ‖ tip ‖ lowest height |
//! | request | 0 ‖ first height ‖ last height |
//! | response | 0 ‖ first height ‖ list of block ‖ height ‖ round ‖ block hash ‖ list of address ‖ signature |

use borsh::{BorshDeserialize, BorshSerialize};
use bytes::Bytes;
use cloister_chain::limits;
use cloister_chain::vote::Signed;
use malachite::app::consensus::{LivenessMsg, SignedConsensusMsg};
use malachite::app::streaming::StreamMessage;
use malachite::app::types::ProposedValue;
use malachite_codec::{Codec, HasEncodedLen};
use malachite_sync::{Request, Response, Status};
use malachite_types::{PolkaCertificate, SignedProposal, SignedVote, ValidatorProof};
use thiserror::Error;

use super::context::{Address, Message, Signature, Tendermint, signed_proposal, signed_vote};
use super::parts::{PART_BYTES, Part};

mod live;
mod sync;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Borsh;

/// Why a message is refused.
#[derive(Debug, Error)]
pub enum CodecError {
    /// Longer than anything of its kind can be.
    #[error("a message of {length} bytes where at most {cap} are allowed")]
    TooLong {
        /// Its length.
        length: usize,
        /// The most there may be.
        cap: usize,
    },
    /// Not the encoding of anything of its kind.
    #[error("a malformed message: {0}")]
    Malformed(#[from] std::io::Error),
    /// A list of signatures longer than a set of validators, or an empty range, or a peer id that is none.
    #[error("a message whose {0} makes no sense")]
    Nonsense(&'static str),
}

/// Longest signed vote or proposal, proof, status or request.
const SMALL_BYTES: usize = 512;
/// Longest certificate of votes: each validator may stand in it with both of its votes.
const CERTIFICATE_BYTES: usize = 2 * limits::VALIDATORS * 128 + SMALL_BYTES;
/// Longest part in its stream.
const STREAM_BYTES: usize = PART_BYTES + SMALL_BYTES;
/// Longest answer to a request for blocks: at least one block of the largest size, with its certificate in the engine's form
/// and in the chain's.
pub(super) const RESPONSE_BYTES: usize = limits::ENCODED_BLOCK_BYTES + 2 * CERTIFICATE_BYTES;

/// What is written for one of the engine's types, and how it is read back.
trait Wire: BorshSerialize + BorshDeserialize + Sized {
    /// The engine's type.
    type Meaning;
    /// Longest encoding that is read.
    const CAP: usize;
    /// What to write.
    fn of(meaning: &Self::Meaning) -> Result<Self, CodecError>;
    /// What was read.
    fn meaning(self) -> Result<Self::Meaning, CodecError>;
}

/// A signed vote or proposal, and who says it.
#[derive(BorshSerialize, BorshDeserialize)]
struct Said {
    by: Address,
    signed: Signed,
}

fn encode<W: Wire>(meaning: &W::Meaning) -> Result<Bytes, CodecError> {
    Ok(borsh::to_vec(&W::of(meaning)?)?.into())
}

fn decode<W: Wire>(bytes: &[u8]) -> Result<W::Meaning, CodecError> {
    if bytes.len() > W::CAP {
        return Err(CodecError::TooLong { length: bytes.len(), cap: W::CAP });
    }
    borsh::from_slice::<W>(bytes)?.meaning()
}

macro_rules! codec {
    ($($meaning:ty => $wire:ty),+ $(,)?) => {$(
        impl Codec<$meaning> for Borsh {
            type Error = CodecError;

            fn decode(&self, bytes: Bytes) -> Result<$meaning, CodecError> {
                decode::<$wire>(&bytes)
            }

            fn encode(&self, message: &$meaning) -> Result<Bytes, CodecError> {
                encode::<$wire>(message)
            }
        }
    )+};
}

codec! {
    SignedConsensusMsg<Tendermint> => Said,
    LivenessMsg<Tendermint> => live::Liveness,
    PolkaCertificate<Tendermint> => live::Polka,
    ProposedValue<Tendermint> => live::Proposed,
    Part => Part,
    StreamMessage<Part> => live::Piece,
    ValidatorProof<Tendermint> => live::Proof,
    Status<Tendermint> => sync::WireStatus,
    Request<Tendermint> => sync::WireRequest,
    Response<Tendermint> => sync::WireResponse,
}

impl HasEncodedLen<Response<Tendermint>> for Borsh {
    fn encoded_len(&self, response: &Response<Tendermint>) -> Result<usize, CodecError> {
        Ok(borsh::object_length(&sync::WireResponse::of(response)?)?)
    }
}

impl Said {
    fn vote(vote: &SignedVote<Tendermint>) -> Self {
        Self { by: vote.message.voter, signed: signed_vote(vote) }
    }
}

impl Wire for Said {
    type Meaning = SignedConsensusMsg<Tendermint>;
    const CAP: usize = SMALL_BYTES;

    fn of(message: &Self::Meaning) -> Result<Self, CodecError> {
        Ok(match message {
            SignedConsensusMsg::Vote(vote) => Self::vote(vote),
            SignedConsensusMsg::Proposal(proposal) => {
                Self { by: proposal.message.proposer, signed: signed_proposal(proposal) }
            }
        })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        let signature = Signature(self.signed.signature);
        Ok(match Message::new(self.signed.statement, self.by) {
            Message::Vote(vote) => SignedConsensusMsg::Vote(SignedVote::new(vote, signature)),
            Message::Proposal(proposal) => SignedConsensusMsg::Proposal(SignedProposal::new(proposal, signature)),
        })
    }
}

impl Wire for Part {
    type Meaning = Self;
    const CAP: usize = STREAM_BYTES;

    fn of(part: &Self) -> Result<Self, CodecError> {
        Ok(part.clone())
    }

    fn meaning(self) -> Result<Self, CodecError> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
