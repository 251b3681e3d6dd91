//! The chain's words in the engine's terms.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::B256;
use cloister_chain::vote::{Signed, Statement};
use malachite_types::{
    Context, LinearTimeouts, NilOrVal, Round, SignedExtension, SignedProposal, SignedVote, SigningScheme, VoteType,
};

use super::parts::Part;
use super::validators::{Validator, ValidatorSet};

/// Tendermint over the hashes of headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tendermint;

/// Height of a block, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Height(pub u64);

/// What is agreed on: the hash of a header. It is its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct BlockHash(pub B256);

/// Address of a validator: [`cloister_chain::Validator::address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Address(pub cloister_chain::Address);

/// A proposal without its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub(super) height: Height,
    pub(super) round: Round,
    pub(super) value: BlockHash,
    pub(super) valid_round: Round,
    pub(super) proposer: Address,
}

/// A vote without its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub(super) kind: VoteType,
    pub(super) height: Height,
    pub(super) round: Round,
    pub(super) value: NilOrVal<BlockHash>,
    pub(super) voter: Address,
}

/// Ed25519 by the one rule of the chain, ZIP-215: see [`cloister_chain::vote::is_signed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ed25519;

/// An Ed25519 signature, `R ‖ s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Signature(pub [u8; 64]);

/// The engine never holds a signing key: [`super::key::ValidatorKey`] signs.
#[derive(Clone, Copy, Debug)]
pub enum NoPrivateKey {}

impl Context for Tendermint {
    type Address = Address;
    type Height = Height;
    type ProposalPart = Part;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = ValidatorSet;
    type Timeouts = LinearTimeouts;
    type Value = BlockHash;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Ed25519;

    fn select_proposer<'a>(&self, set: &'a ValidatorSet, height: Height, round: Round) -> &'a Validator {
        set.proposer(height.0, round.as_u32().unwrap_or_default())
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: BlockHash,
        valid_round: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal { height, round, value, valid_round, proposer }
    }

    fn new_prevote(&self, height: Height, round: Round, value: NilOrVal<BlockHash>, voter: Address) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, voter }
    }

    fn new_precommit(&self, height: Height, round: Round, value: NilOrVal<BlockHash>, voter: Address) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, voter }
    }
}

impl Proposal {
    /// What its proposer signs.
    pub fn statement(&self) -> Statement {
        Statement::Proposal {
            height: self.height.0,
            round: defined(self.round),
            block: self.value.0,
            valid_round: self.valid_round.as_u32(),
        }
    }
}

impl Vote {
    /// What its voter signs.
    pub fn statement(&self) -> Statement {
        let (height, round) = (self.height.0, defined(self.round));
        let block = match self.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(BlockHash(block)) => Some(block),
        };
        match self.kind {
            VoteType::Prevote => Statement::Prevote { height, round, block },
            VoteType::Precommit => Statement::Precommit { height, round, block },
        }
    }
}

/// Either of the two things that validators sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A proposal.
    Proposal(Proposal),
    /// A vote.
    Vote(Vote),
}

impl Message {
    /// What `by` says with `statement`.
    pub(super) fn new(statement: Statement, by: Address) -> Self {
        let vote = |kind, height, round, block: Option<B256>| {
            let value = block.map_or(NilOrVal::Nil, |block| NilOrVal::Val(BlockHash(block)));
            Self::Vote(Vote { kind, height: Height(height), round: Round::new(round), value, voter: by })
        };
        match statement {
            Statement::Proposal { height, round, block, valid_round } => Self::Proposal(Proposal {
                height: Height(height),
                round: Round::new(round),
                value: BlockHash(block),
                valid_round: Round::from(valid_round),
                proposer: by,
            }),
            Statement::Prevote { height, round, block } => vote(VoteType::Prevote, height, round, block),
            Statement::Precommit { height, round, block } => vote(VoteType::Precommit, height, round, block),
        }
    }
}

/// A signed vote as the chain's evidence has it.
pub(super) fn signed_vote(vote: &SignedVote<Tendermint>) -> Signed {
    Signed { statement: vote.message.statement(), signature: vote.signature.0 }
}

/// A signed proposal as the chain's evidence has it.
pub(super) fn signed_proposal(proposal: &SignedProposal<Tendermint>) -> Signed {
    Signed { statement: proposal.message.statement(), signature: proposal.signature.0 }
}

fn defined(round: Round) -> u32 {
    round.as_u32().expect("the engine proposes and votes only in rounds from 0")
}

impl malachite_types::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

impl malachite_types::Address for Address {}

impl malachite_types::Value for BlockHash {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

impl malachite_types::Proposal<Tendermint> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockHash {
        &self.value
    }

    fn take_value(self) -> BlockHash {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.valid_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

impl malachite_types::Vote<Tendermint> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockHash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockHash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.voter
    }

    // No height of ours asks for extensions, so the engine never makes one.
    fn extension(&self) -> Option<&SignedExtension<Tendermint>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Tendermint>> {
        None
    }

    fn extend(self, _: SignedExtension<Tendermint>) -> Self {
        self
    }
}

impl SigningScheme for Ed25519 {
    type DecodingError = std::array::TryFromSliceError;
    type Signature = Signature;
    type PublicKey = B256;
    type PrivateKey = NoPrivateKey;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, Self::DecodingError> {
        bytes.try_into().map(Signature)
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.0.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<B256, Self::DecodingError> {
        bytes.try_into().map(B256::new)
    }

    fn encode_public_key(key: &B256) -> Vec<u8> {
        key.to_vec()
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}
