//! What travels while a height is being decided, and what the log keeps of it.

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::{B256, limits};
use malachite::app::consensus::{LivenessMsg, SignedConsensusMsg};
use malachite::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachite::app::types::ProposedValue;
use malachite_types::{
    NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate, RoundCertificateType, RoundSignature,
    ValidatorProof, Validity, VoteType,
};

use super::super::context::{Address, BlockHash, Height, Signature, Tendermint};
use super::super::parts::Part;
use super::{CERTIFICATE_BYTES, CodecError, SMALL_BYTES, STREAM_BYTES, Said, Wire};

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Liveness {
    Vote(Said),
    Polka(Polka),
    Round(RoundProof),
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Polka {
    height: Height,
    round: u32,
    block: BlockHash,
    signatures: Vec<(Address, Signature)>,
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct RoundProof {
    height: Height,
    round: u32,
    precommit: bool,
    signatures: Vec<RoundSigned>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct RoundSigned {
    by: Address,
    signature: Signature,
    precommit: bool,
    block: Option<BlockHash>,
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Proposed {
    height: Height,
    round: u32,
    valid_round: Option<u32>,
    proposer: Address,
    block: BlockHash,
    valid: bool,
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Piece {
    stream: Vec<u8>,
    sequence: u64,
    part: Option<Part>,
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Proof {
    key: B256,
    peer: Vec<u8>,
    signature: Signature,
}

/// A round from 0; nothing that is signed speaks of another.
pub(super) fn defined(round: Round) -> Result<u32, CodecError> {
    round.as_u32().ok_or(CodecError::Nonsense("round"))
}

/// At most `cap` of a list.
pub(super) fn at_most<T>(list: Vec<T>, cap: usize) -> Result<Vec<T>, CodecError> {
    if list.len() > cap { Err(CodecError::Nonsense("number of signatures")) } else { Ok(list) }
}

impl Wire for Liveness {
    type Meaning = LivenessMsg<Tendermint>;
    const CAP: usize = CERTIFICATE_BYTES;

    fn of(message: &Self::Meaning) -> Result<Self, CodecError> {
        Ok(match message {
            LivenessMsg::Vote(vote) => Self::Vote(Said::vote(vote)),
            LivenessMsg::PolkaCertificate(polka) => Self::Polka(Polka::of(polka)?),
            LivenessMsg::SkipRoundCertificate(certificate) => Self::Round(RoundProof::of(certificate)?),
        })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        match self {
            Self::Vote(said) => match said.meaning()? {
                SignedConsensusMsg::Vote(vote) => Ok(LivenessMsg::Vote(vote)),
                SignedConsensusMsg::Proposal(_) => Err(CodecError::Nonsense("statement")),
            },
            Self::Polka(polka) => polka.meaning().map(LivenessMsg::PolkaCertificate),
            Self::Round(certificate) => certificate.meaning().map(LivenessMsg::SkipRoundCertificate),
        }
    }
}

impl Wire for Polka {
    type Meaning = PolkaCertificate<Tendermint>;
    const CAP: usize = CERTIFICATE_BYTES;

    fn of(polka: &Self::Meaning) -> Result<Self, CodecError> {
        let signatures = polka.polka_signatures.iter().map(|signed| (signed.address, signed.signature)).collect();
        Ok(Self { height: polka.height, round: defined(polka.round)?, block: polka.value_id, signatures })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        let signatures = at_most(self.signatures, limits::VALIDATORS)?.into_iter();
        Ok(PolkaCertificate {
            height: self.height,
            round: Round::new(self.round),
            value_id: self.block,
            polka_signatures: signatures.map(|(by, signature)| PolkaSignature::new(by, signature)).collect(),
        })
    }
}

impl Wire for RoundProof {
    type Meaning = RoundCertificate<Tendermint>;
    const CAP: usize = CERTIFICATE_BYTES;

    fn of(certificate: &Self::Meaning) -> Result<Self, CodecError> {
        let signed = |signed: &RoundSignature<Tendermint>| RoundSigned {
            by: signed.address,
            signature: signed.signature,
            precommit: signed.vote_type == VoteType::Precommit,
            block: match signed.value_id {
                NilOrVal::Nil => None,
                NilOrVal::Val(block) => Some(block),
            },
        };
        Ok(Self {
            height: certificate.height,
            round: defined(certificate.round)?,
            precommit: certificate.cert_type == RoundCertificateType::Precommit,
            signatures: certificate.round_signatures.iter().map(signed).collect(),
        })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        let signed = |signed: RoundSigned| RoundSignature {
            vote_type: if signed.precommit { VoteType::Precommit } else { VoteType::Prevote },
            value_id: signed.block.map_or(NilOrVal::Nil, NilOrVal::Val),
            address: signed.by,
            signature: signed.signature,
        };
        let kind = if self.precommit { RoundCertificateType::Precommit } else { RoundCertificateType::Skip };
        Ok(RoundCertificate {
            height: self.height,
            round: Round::new(self.round),
            cert_type: kind,
            round_signatures: at_most(self.signatures, 2 * limits::VALIDATORS)?.into_iter().map(signed).collect(),
        })
    }
}

impl Wire for Proposed {
    type Meaning = ProposedValue<Tendermint>;
    const CAP: usize = SMALL_BYTES;

    fn of(value: &Self::Meaning) -> Result<Self, CodecError> {
        Ok(Self {
            height: value.height,
            round: defined(value.round)?,
            valid_round: value.valid_round.as_u32(),
            proposer: value.proposer,
            block: value.value,
            valid: value.validity.is_valid(),
        })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        Ok(ProposedValue {
            height: self.height,
            round: Round::new(self.round),
            valid_round: Round::from(self.valid_round),
            proposer: self.proposer,
            value: self.block,
            validity: Validity::from_bool(self.valid),
        })
    }
}

impl Wire for Piece {
    type Meaning = StreamMessage<Part>;
    const CAP: usize = STREAM_BYTES;

    fn of(message: &Self::Meaning) -> Result<Self, CodecError> {
        let part = match &message.content {
            StreamContent::Data(part) => Some(part.clone()),
            StreamContent::Fin => None,
        };
        Ok(Self { stream: message.stream_id.to_bytes().to_vec(), sequence: message.sequence, part })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        let content = self.part.map_or(StreamContent::Fin, StreamContent::Data);
        Ok(StreamMessage::new(StreamId::new(self.stream.into()), self.sequence, content))
    }
}

impl Wire for Proof {
    type Meaning = ValidatorProof<Tendermint>;
    const CAP: usize = SMALL_BYTES;

    fn of(proof: &Self::Meaning) -> Result<Self, CodecError> {
        let key = B256::try_from(proof.public_key.as_slice()).map_err(|_| CodecError::Nonsense("key"))?;
        Ok(Self { key, peer: proof.peer_id.clone(), signature: proof.signature })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        Ok(ValidatorProof::new(self.key.to_vec(), self.peer, self.signature))
    }
}
