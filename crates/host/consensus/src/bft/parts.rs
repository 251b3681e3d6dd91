//! A block in pieces small enough for gossip, and how it is put together again.
//!
//! A stream is one [`Announcement`] (sequence 0), then the block's borsh form in pieces of [`PART_BYTES`] (sequence 1 …),
//! the last of which says so. Pieces arrive in any order. The announcement is signed and names the block by the hash of
//! its header; the header commits to all the rest, so nothing else needs a signature.

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::hash::tagged;
use cloister_chain::vote::is_signed;
use cloister_chain::{B256, Block, Bytes, limits};
use malachite::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachite_types::ProposalPart;

use super::context::{Address, Signature, Tendermint};
use super::key::ValidatorKey;

mod assembler;

pub(super) use assembler::{Assembler, Whole, is_within_limits};

/// Bytes of a block in one part.
pub const PART_BYTES: usize = 64 << 10;
/// Most pieces of one block.
const PIECES: usize = limits::ENCODED_BLOCK_BYTES.div_ceil(PART_BYTES);

/// One message of a stream.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Part {
    /// What follows.
    First(Announcement),
    /// [`PART_BYTES`] of the block.
    Middle(Bytes),
    /// The rest of the block, at least one byte.
    Last(Bytes),
}

/// What block the stream carries, for which round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Announcement {
    /// Height of the block.
    pub height: u64,
    /// Round for which it is proposed.
    pub round: u32,
    /// Earlier round in which more than two thirds prevoted for it.
    pub valid_round: Option<u32>,
    /// Hash of its header.
    pub block: B256,
    /// Bytes of its borsh form, at least 1.
    pub length: u32,
    /// The validator who sends it: the proposer of the round, or who repeats his proposal in a late round.
    pub sender: Address,
    /// The sender's signature over [`Announcement::sign_bytes`].
    pub signature: Signature,
}

impl Announcement {
    /// Announces `block`, of `length` bytes, signed with `key`.
    pub(super) fn new(
        chain_id: &str,
        (height, round, valid_round): (u64, u32, Option<u32>),
        block: B256,
        length: u32,
        key: &ValidatorKey,
    ) -> Self {
        let sender = Address(key.address());
        let signature = Signature([0; 64]);
        let mut announcement = Self { height, round, valid_round, block, length, sender, signature };
        announcement.signature = key.sign(&announcement.sign_bytes(chain_id));
        announcement
    }

    /// What the sender signs: `SHA-256("cloister/v1/parts" ‖ len(chain id) as u8 ‖ chain id ‖ height (8, LE) ‖
    /// round (4, LE) ‖ valid round + 1, or 0 (8, LE) ‖ block (32) ‖ length (4, LE))`.
    pub fn sign_bytes(&self, chain_id: &str) -> B256 {
        let id = u8::try_from(chain_id.len()).expect("a genesis bounds the length of its chain id");
        let valid = self.valid_round.map_or(0, |round| u64::from(round) + 1).to_le_bytes();
        let (height, round) = (self.height.to_le_bytes(), self.round.to_le_bytes());
        let length = self.length.to_le_bytes();
        tagged(
            "cloister/v1/parts",
            &[&[id], chain_id.as_bytes(), &height, &round, &valid, self.block.as_slice(), &length],
        )
    }

    /// True if the validator with this key sent it.
    pub(super) fn is_by(&self, key: &B256, chain_id: &str) -> bool {
        is_signed(key, &self.sign_bytes(chain_id), &self.signature.0)
    }

    /// Pieces that follow; `None` if there can be no such block.
    fn pieces(&self) -> Option<u64> {
        let length = usize::try_from(self.length).ok()?;
        (1..=limits::ENCODED_BLOCK_BYTES).contains(&length).then_some(length.div_ceil(PART_BYTES) as u64)
    }
}

impl ProposalPart<Tendermint> for Part {
    fn is_first(&self) -> bool {
        matches!(self, Self::First(_))
    }

    fn is_last(&self) -> bool {
        matches!(self, Self::Last(_))
    }
}

/// The stream that carries `block` for a round. `None` for a block larger than the chain allows.
pub(super) fn split(
    chain_id: &str,
    rounds: (u32, Option<u32>),
    block: &Block,
    key: &ValidatorKey,
    stream: StreamId,
) -> Option<Vec<StreamMessage<Part>>> {
    let bytes = borsh::to_vec(block).expect("writing to memory does not fail");
    if bytes.len() > limits::ENCODED_BLOCK_BYTES {
        return None;
    }
    let length = u32::try_from(bytes.len()).expect("a block is far shorter than 4 GiB");
    let height = block.header.height;
    let first = Announcement::new(chain_id, (height, rounds.0, rounds.1), block.header.hash(), length, key);
    let bytes = bytes::Bytes::from(bytes);
    let pieces = bytes.len().div_ceil(PART_BYTES);
    let piece = |index: usize| {
        let start = index * PART_BYTES;
        let piece = Bytes::from(bytes.slice(start..bytes.len().min(start + PART_BYTES)));
        if index + 1 == pieces { Part::Last(piece) } else { Part::Middle(piece) }
    };
    let parts = std::iter::once(Part::First(first)).chain((0..pieces).map(piece));
    let message = |(sequence, part)| StreamMessage::new(stream.clone(), sequence, StreamContent::Data(part));
    Some((0u64..).zip(parts).map(message).collect())
}

#[cfg(test)]
mod tests;
