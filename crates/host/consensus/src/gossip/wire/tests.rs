#![allow(clippy::unwrap_used)]

use futures::io::Cursor;
use libp2p::request_response::Codec as _;
use proptest::prelude::*;

use super::*;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/test");

fn bytes(content: &[u8]) -> Bytes {
    Bytes::copy_from_slice(content)
}

#[test]
fn messages_keep_their_bytes() {
    let batch = Message::Batch(vec![bytes(b"one"), bytes(b"2")]);
    assert_eq!(batch.to_bytes(), b"\x00\x02\0\0\0\x03\0\0\0one\x01\0\0\x002");
    let large = Announcement { id: B256::repeat_byte(7), length: 258, holder: B256::repeat_byte(9) };
    let expected = [&[1][..], &[7; 32], &[2, 1, 0, 0], &[9; 32]].concat();
    assert_eq!(Message::Large(large.clone()).to_bytes(), expected);
    for message in [batch, Message::Large(large)] {
        assert_eq!(Message::from_bytes(&message.to_bytes()), Ok(message));
    }
}

#[test]
fn requests_and_responses_keep_their_bytes() {
    let offer =
        SnapshotOffer { height: 3, state_root: B256::repeat_byte(1), chunks: 2, chunk_list: B256::repeat_byte(4) };
    assert_eq!(encode(&Request::Offers), [0]);
    assert_eq!(encode(&Request::Chunk { height: 3, index: 2 }), [1, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(encode(&Request::Tx(B256::repeat_byte(5))), [&[2][..], &[5; 32]].concat());
    assert_eq!(encode(&Request::Waiting), [3]);
    let offers = [&[0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0][..], &[1; 32], &[2, 0, 0, 0], &[4; 32]].concat();
    assert_eq!(encode(&Response::Offers(vec![offer])), offers);
    assert_eq!(encode(&Response::Chunk(Some(vec![8, 9]))), [1, 1, 2, 0, 0, 0, 8, 9]);
    assert_eq!(encode(&Response::Chunk(None)), [1, 0]);
    assert_eq!(encode(&Response::Tx(Some(bytes(b"t")))), b"\x02\x01\x01\0\0\0t");
    assert_eq!(encode(&Response::Waiting(vec![bytes(b"t")])), b"\x03\x01\0\0\0\x01\0\0\0t");
}

#[test]
fn the_largest_of_each_kind_passes_and_one_byte_more_does_not() {
    let batch = |length| Message::Batch(vec![vec![1; length].into()]).to_bytes();
    assert!(Message::from_bytes(&batch(BATCH_BYTES - TX_OVERHEAD)).is_ok());
    assert_eq!(Message::from_bytes(&batch(BATCH_BYTES - TX_OVERHEAD + 1)), Err(WireError::Bounds));

    let many = |count| Message::Batch(vec![bytes(b"t"); count]).to_bytes();
    assert!(Message::from_bytes(&many(BATCH_TXS)).is_ok());
    assert_eq!(Message::from_bytes(&many(BATCH_TXS + 1)), Err(WireError::Bounds));
    assert_eq!(Message::from_bytes(&many(0)), Err(WireError::Bounds));
    assert_eq!(Message::from_bytes(&Message::Batch(vec![bytes(b"")]).to_bytes()), Err(WireError::Bounds));

    let tx = |length| encode(&Response::Tx(Some(vec![1; length].into())));
    assert!(Response::from_bytes(&tx(limits::TX_BYTES)).is_ok());
    assert_eq!(Response::from_bytes(&tx(limits::TX_BYTES + 1)), Err(WireError::Bounds));

    let chunk = |length| encode(&Response::Chunk(Some(vec![1; length])));
    assert!(Response::from_bytes(&chunk(CHUNK_BYTES)).is_ok());
    assert_eq!(Response::from_bytes(&chunk(CHUNK_BYTES + 1)), Err(WireError::Bounds));

    let waiting = |length| encode(&Response::Waiting(vec![vec![1; length].into()]));
    assert!(Response::from_bytes(&waiting(WAITING_BYTES - TX_OVERHEAD)).is_ok());
    assert_eq!(Response::from_bytes(&waiting(WAITING_BYTES)), Err(WireError::Bounds));
}

#[test]
fn a_list_that_lies_about_its_length_costs_nothing() {
    assert_eq!(Message::from_bytes(&[0, 0xff, 0xff, 0xff, 0xff]), Err(WireError::Malformed));
    assert_eq!(Response::from_bytes(&[1, 1, 0xff, 0xff, 0xff, 0xff]), Err(WireError::Malformed));
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_read_to_the_bound_only() {
    let mut endless = futures::io::repeat(0);
    let error = Codec.read_request(&PROTOCOL, &mut endless).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let error = Codec.read_response(&PROTOCOL, &mut endless).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn silence_declines() {
    let error = Codec.read_response(&PROTOCOL, &mut Cursor::new(Vec::new())).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

proptest! {
    #[test]
    fn what_decodes_is_the_only_form_of_itself(input in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = Message::from_bytes(&input) {
            prop_assert_eq!(message.to_bytes(), input.clone());
        }
        if let Ok(request) = Request::from_bytes(&input) {
            prop_assert_eq!(encode(&request), input.clone());
        }
        if let Ok(response) = Response::from_bytes(&input) {
            prop_assert_eq!(encode(&response), input);
        }
    }

    #[test]
    fn a_batch_travels(txs in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..100), 1..20)) {
        let message = Message::Batch(txs.into_iter().map(Bytes::from).collect());
        let encoded = message.to_bytes();
        prop_assert_eq!(Message::from_bytes(&encoded), Ok(message));
        prop_assert_eq!(Message::from_bytes(&encoded[..encoded.len() - 1]), Err(WireError::Malformed));
        prop_assert_eq!(Message::from_bytes(&[&encoded[..], &[0]].concat()), Err(WireError::Malformed));
    }
}
