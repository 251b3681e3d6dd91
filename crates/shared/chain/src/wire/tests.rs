use alloy_primitives::Address;
use proptest::prelude::*;

use super::*;

#[test]
fn a_message_crosses_in_one_frame() {
    let mut pipe = Vec::new();
    let leaves = vec![Leaf::Chain, Leaf::Account(Address::ZERO)];
    let need = ToHost::Need { height: 3, leaves, positions: vec![B256::ZERO], blobs: vec![B256::ZERO] };
    send(&mut pipe, &need).expect("memory");
    assert_eq!(pipe[..5], [107, 0, 0, 0, 2], "length of the body, then the variant");
    let back: ToHost = receive(&mut pipe.as_slice()).expect("own frame");
    assert_eq!(format!("{back:?}"), format!("{need:?}"));
}

#[test]
fn truncated_oversized_and_overlong_frames_are_refused() {
    let mut pipe = Vec::new();
    send(&mut pipe, &ToHost::Loaded { sealed_roots: None }).expect("memory");
    for cut in 0..pipe.len() {
        assert!(matches!(receive::<ToHost>(&mut &pipe[..cut]), Err(WireError::Io(_))), "cut at {cut}");
    }
    let huge = u32::MAX.to_le_bytes();
    assert!(matches!(receive::<ToHost>(&mut huge.as_slice()), Err(WireError::TooLong(_))));
    let overlong = [3, 0, 0, 0, 1, 0, 0];
    assert!(matches!(receive::<ToHost>(&mut overlong.as_slice()), Err(WireError::Malformed)));
}

#[test]
fn keys_do_not_print() {
    let boot = format!("{:?} {:?}", SealingBytes([0x41; 32]), Key([0x42; 16]));
    assert_eq!(boot, "[REDACTED] [REDACTED]");
}

proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut frame = u32::try_from(bytes.len()).expect("short").to_le_bytes().to_vec();
        frame.extend(&bytes);
        if let Ok(message) = receive::<ToEnclave>(&mut frame.as_slice()) {
            let mut again = Vec::new();
            send(&mut again, &message).expect("memory");
            prop_assert_eq!(&again, &frame, "one message has one encoding");
        }
        let _ = receive::<ToHost>(&mut frame.as_slice());
    }
}
