#![allow(clippy::unwrap_used)]

use std::fmt::Debug;

use cloister_chain::{B256, hash::tagged};
use malachite::app::streaming::{StreamContent, StreamId};
use malachite_sync::{PeerId, RawDecidedValue, ValueRequest, ValueResponse};
use malachite_types::{
    ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaSignature, Round, RoundCertificate,
    RoundCertificateType, RoundSignature, Validity, VoteType,
};
use proptest::prelude::*;

use super::super::context::{BlockHash, Height, Proposal, Vote};
use super::super::parts::Announcement;
use super::*;

fn address(byte: u8) -> Address {
    Address(cloister_chain::Address::repeat_byte(byte))
}

fn vote(kind: VoteType, height: u64, round: u32, block: Option<u8>, by: u8) -> SignedVote<Tendermint> {
    let value = block.map_or(NilOrVal::Nil, |byte| NilOrVal::Val(BlockHash(B256::repeat_byte(byte))));
    let vote = Vote { kind, height: Height(height), round: Round::new(round), value, voter: address(by) };
    SignedVote::new(vote, Signature([by; 64]))
}

fn proposal(valid: Option<u32>) -> SignedProposal<Tendermint> {
    let proposal = Proposal {
        height: Height(3),
        round: Round::new(2),
        value: BlockHash(B256::repeat_byte(8)),
        valid_round: Round::from(valid),
        proposer: address(5),
    };
    SignedProposal::new(proposal, Signature([6; 64]))
}

fn polka(signatures: usize) -> PolkaCertificate<Tendermint> {
    let signature = |index: usize| PolkaSignature::new(address(index as u8), Signature([index as u8; 64]));
    PolkaCertificate {
        height: Height(1),
        round: Round::new(4),
        value_id: BlockHash(B256::repeat_byte(1)),
        polka_signatures: (0..signatures).map(signature).collect(),
    }
}

fn round_certificate() -> RoundCertificate<Tendermint> {
    let signature =
        |vote_type, value_id, byte| RoundSignature::new(vote_type, value_id, address(byte), Signature([byte; 64]));
    RoundCertificate {
        height: Height(9),
        round: Round::new(1),
        cert_type: RoundCertificateType::Skip,
        round_signatures: vec![
            signature(VoteType::Prevote, NilOrVal::Nil, 1),
            signature(VoteType::Precommit, NilOrVal::Val(BlockHash(B256::repeat_byte(2))), 2),
        ],
    }
}

fn response(blocks: u64) -> Response<Tendermint> {
    let value = |height| {
        let certificate = ExtendedCommitCertificate {
            height: Height(height),
            round: Round::new(0),
            value_id: BlockHash(B256::repeat_byte(7)),
            commit_signatures: vec![ExtendedCommitSignature::new(address(1), Signature([1; 64]), None)],
        };
        RawDecidedValue::new(vec![height as u8; 30].into(), certificate)
    };
    Response::ValueResponse(ValueResponse::new(Height(1), (1..=blocks).map(value).collect()))
}

fn peer() -> PeerId {
    let pair = libp2p::identity::Keypair::ed25519_from_bytes([3; 32]).unwrap();
    PeerId::from_bytes(&pair.public().to_peer_id().to_bytes()).unwrap()
}

fn proposed() -> ProposedValue<Tendermint> {
    ProposedValue {
        height: Height(5),
        round: Round::new(3),
        valid_round: Round::new(1),
        proposer: address(4),
        value: BlockHash(B256::repeat_byte(4)),
        validity: Validity::Invalid,
    }
}

fn part() -> Part {
    Part::First(Announcement {
        height: 2,
        round: 1,
        valid_round: None,
        block: B256::repeat_byte(3),
        length: 77,
        sender: address(2),
        signature: Signature([2; 64]),
    })
}

fn piece(part: Option<Part>) -> StreamMessage<Part> {
    StreamMessage::new(StreamId::new("name".into()), 6, part.map_or(StreamContent::Fin, StreamContent::Data))
}

/// Goes there and back; with a byte more or a byte less it goes nowhere. Gives the digest of the bytes.
fn round_trip<T: PartialEq + Debug>(message: &T) -> String
where
    Borsh: Codec<T, Error = CodecError>,
{
    let bytes = Borsh.encode(message).unwrap();
    assert_eq!(&Codec::<T>::decode(&Borsh, bytes.clone()).unwrap(), message);
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert!(Codec::<T>::decode(&Borsh, longer.into()).is_err(), "a byte left over is refused");
    for length in 0..bytes.len() {
        assert!(Codec::<T>::decode(&Borsh, bytes.slice(..length)).is_err(), "cut at {length}");
    }
    let digest = tagged("test", &[&bytes]).to_string();
    digest[2..18].to_string()
}

#[test]
fn every_message_goes_there_and_back_and_its_bytes_are_pinned() {
    let said = |vote| SignedConsensusMsg::<Tendermint>::Vote(vote);
    let proof = ValidatorProof::<Tendermint>::new(vec![1; 32], vec![2; 38], Signature([3; 64]));
    let status = Status::<Tendermint> { peer_id: peer(), tip_height: Height(9), history_min_height: Height(2) };
    let request = Request::<Tendermint>::ValueRequest(ValueRequest::new(Height(3)..=Height(8)));
    let pins = [
        round_trip(&said(vote(VoteType::Prevote, 1, 0, None, 1))),
        round_trip(&said(vote(VoteType::Precommit, 2, 1, Some(9), 2))),
        round_trip(&SignedConsensusMsg::<Tendermint>::Proposal(proposal(None))),
        round_trip(&SignedConsensusMsg::<Tendermint>::Proposal(proposal(Some(1)))),
        round_trip(&LivenessMsg::<Tendermint>::Vote(vote(VoteType::Prevote, 1, 0, None, 1))),
        round_trip(&LivenessMsg::<Tendermint>::PolkaCertificate(polka(3))),
        round_trip(&LivenessMsg::<Tendermint>::SkipRoundCertificate(round_certificate())),
        round_trip(&polka(2)),
        round_trip(&proposed()),
        round_trip(&part()),
        round_trip(&piece(Some(Part::Last(vec![1, 2].into())))),
        round_trip(&piece(None)),
        round_trip(&proof),
        round_trip(&status),
        round_trip(&request),
        round_trip(&response(2)),
    ];
    assert_eq!(pins, PINS);
}

/// First 8 bytes of the SHA-256 of each, under the label `test`.
const PINS: [&str; 16] = [
    "8deacba2e9df6175",
    "b118fd862f6c36e0",
    "9852ac12c539c1cf",
    "e1d92084714d2517",
    "3fe3b0b41b3ec914",
    "4535197fe15375b8",
    "1b7c95eb946cda2f",
    "ae2ec73e06b525ca",
    "567d92b002db8efd",
    "b3fc10cc000ee224",
    "1a8824355c344212",
    "5610764666394782",
    "aa38c628f379bda1",
    "41ef2c958248b096",
    "b265c930fcb88a06",
    "3bfe1d74c314cff6",
];

#[test]
fn a_vote_on_the_wire_is_its_address_its_statement_and_its_signature() {
    let bytes = Borsh.encode(&SignedConsensusMsg::Vote(vote(VoteType::Precommit, 2, 1, Some(9), 2))).unwrap();
    let mut expected = vec![2u8; 20];
    expected.push(2);
    expected.extend(2u64.to_le_bytes());
    expected.extend(1u32.to_le_bytes());
    expected.push(1);
    expected.extend([9; 32]);
    expected.extend([2; 64]);
    assert_eq!(bytes, expected);
}

#[test]
fn what_is_too_long_or_makes_no_sense_is_refused() {
    let long = vec![0u8; SMALL_BYTES + 1];
    let refused = Codec::<SignedConsensusMsg<Tendermint>>::decode(&Borsh, long.into());
    assert!(matches!(refused, Err(CodecError::TooLong { cap: SMALL_BYTES, .. })));
    assert!(Borsh.encode(&polka(limits::VALIDATORS)).is_ok());
    let crowd = Borsh.encode(&polka(limits::VALIDATORS + 1)).unwrap();
    assert!(matches!(Codec::<PolkaCertificate<Tendermint>>::decode(&Borsh, crowd), Err(CodecError::Nonsense(_))));
    let backwards = borsh::to_vec(&(0u8, 9u64, 3u64)).unwrap();
    let refused = Codec::<Request<Tendermint>>::decode(&Borsh, backwards.into());
    assert!(matches!(refused, Err(CodecError::Nonsense(_))));
    // A proposal is not sent again as a vote.
    let mut disguised = vec![0u8];
    disguised.extend(Borsh.encode(&SignedConsensusMsg::<Tendermint>::Proposal(proposal(None))).unwrap());
    assert!(Codec::<LivenessMsg<Tendermint>>::decode(&Borsh, disguised.into()).is_err());
    // A list that claims four thousand million members and has none.
    let mut endless = borsh::to_vec(&(0u8, 1u64)).unwrap();
    endless.extend(u32::MAX.to_le_bytes());
    assert!(Codec::<Response<Tendermint>>::decode(&Borsh, endless.into()).is_err());
}

#[test]
fn the_length_of_an_answer_is_known_before_it_is_encoded() {
    for blocks in 0..4 {
        let response = response(blocks);
        assert_eq!(Borsh.encoded_len(&response).unwrap(), Borsh.encode(&response).unwrap().len());
    }
}

proptest! {
    #[test]
    fn strangers_bytes_never_panic_and_what_decodes_encodes_to_the_same(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        fn check<T>(bytes: &[u8])
        where
            Borsh: Codec<T, Error = CodecError>,
        {
            if let Ok(message) = Codec::<T>::decode(&Borsh, bytes.to_vec().into()) {
                assert_eq!(Borsh.encode(&message).unwrap(), bytes);
            }
        }
        check::<SignedConsensusMsg<Tendermint>>(&bytes);
        check::<LivenessMsg<Tendermint>>(&bytes);
        check::<PolkaCertificate<Tendermint>>(&bytes);
        check::<ProposedValue<Tendermint>>(&bytes);
        check::<Part>(&bytes);
        check::<StreamMessage<Part>>(&bytes);
        check::<ValidatorProof<Tendermint>>(&bytes);
        check::<Status<Tendermint>>(&bytes);
        check::<Request<Tendermint>>(&bytes);
        check::<Response<Tendermint>>(&bytes);
    }

    #[test]
    fn every_vote_goes_there_and_back(height: u64, round: u32, block: Option<u8>, by: u8, precommit: bool) {
        let kind = if precommit { VoteType::Precommit } else { VoteType::Prevote };
        round_trip(&SignedConsensusMsg::Vote(vote(kind, height, round, block, by)));
    }
}
