//! What travels while a node catches up.

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::{Bytes, limits};
use malachite_sync::{PeerId, RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse};
use malachite_types::{ExtendedCommitCertificate, ExtendedCommitSignature, Round};

use super::super::context::{Address, BlockHash, Height, Signature, Tendermint};
use super::live::{at_most, defined};
use super::{CodecError, RESPONSE_BYTES, SMALL_BYTES, Wire};

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct WireStatus {
    peer: Vec<u8>,
    tip: Height,
    oldest: Height,
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum WireRequest {
    Blocks { first: Height, last: Height },
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum WireResponse {
    Blocks { first: Height, blocks: Vec<Decided> },
}

#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Decided {
    bytes: Bytes,
    height: Height,
    round: u32,
    block: BlockHash,
    signatures: Vec<(Address, Signature)>,
}

impl Wire for WireStatus {
    type Meaning = Status<Tendermint>;
    const CAP: usize = SMALL_BYTES;

    fn of(status: &Self::Meaning) -> Result<Self, CodecError> {
        Ok(Self { peer: status.peer_id.to_bytes(), tip: status.tip_height, oldest: status.history_min_height })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        let peer_id = PeerId::from_bytes(&self.peer).map_err(|_| CodecError::Nonsense("peer id"))?;
        Ok(Status { peer_id, tip_height: self.tip, history_min_height: self.oldest })
    }
}

impl Wire for WireRequest {
    type Meaning = Request<Tendermint>;
    const CAP: usize = SMALL_BYTES;

    fn of(request: &Self::Meaning) -> Result<Self, CodecError> {
        let Request::ValueRequest(request) = request;
        Ok(Self::Blocks { first: *request.range.start(), last: *request.range.end() })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        let Self::Blocks { first, last } = self;
        if first > last {
            return Err(CodecError::Nonsense("range of heights"));
        }
        Ok(Request::ValueRequest(ValueRequest::new(first..=last)))
    }
}

impl Wire for WireResponse {
    type Meaning = Response<Tendermint>;
    const CAP: usize = RESPONSE_BYTES;

    fn of(response: &Self::Meaning) -> Result<Self, CodecError> {
        let Response::ValueResponse(response) = response;
        let blocks = response.values.iter().map(Decided::of).collect::<Result<_, _>>()?;
        Ok(Self::Blocks { first: response.start_height, blocks })
    }

    fn meaning(self) -> Result<Self::Meaning, CodecError> {
        let Self::Blocks { first, blocks } = self;
        let values = blocks.into_iter().map(Decided::meaning).collect::<Result<_, _>>()?;
        Ok(Response::ValueResponse(ValueResponse::new(first, values)))
    }
}

impl Decided {
    fn of(value: &RawDecidedValue<Tendermint>) -> Result<Self, CodecError> {
        let certificate = &value.certificate;
        let signatures = certificate.commit_signatures.iter().map(|signed| (signed.address, signed.signature));
        Ok(Self {
            bytes: Bytes::from(value.value_bytes.clone()),
            height: certificate.height,
            round: defined(certificate.round)?,
            block: certificate.value_id,
            signatures: signatures.collect(),
        })
    }

    fn meaning(self) -> Result<RawDecidedValue<Tendermint>, CodecError> {
        let signatures = at_most(self.signatures, limits::VALIDATORS)?.into_iter();
        let certificate = ExtendedCommitCertificate {
            height: self.height,
            round: Round::new(self.round),
            value_id: self.block,
            commit_signatures: signatures
                .map(|(by, signature)| ExtendedCommitSignature::new(by, signature, None))
                .collect(),
        };
        Ok(RawDecidedValue::new(self.bytes.0, certificate))
    }
}
