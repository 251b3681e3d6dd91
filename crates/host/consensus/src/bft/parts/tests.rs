#![allow(clippy::unwrap_used)]

use cloister_chain::{Genesis, Parent};
use malachite::app::types::PeerId;
use proptest::prelude::*;

use super::*;
use crate::bft::testing::{chain_id, key};

fn peer(index: u8) -> PeerId {
    let pair = libp2p::identity::Keypair::ed25519_from_bytes([index; 32]).unwrap();
    PeerId::from_bytes(&pair.public().to_peer_id().to_bytes()).unwrap()
}

fn block(bytes: usize) -> Block {
    let txs = (0..bytes.div_ceil(1 << 20)).map(|index| vec![index as u8; bytes.min(1 << 20)].into()).collect();
    Parent::for_tests(&Genesis::for_tests()).block(txs, vec![], 5, key(0).address())
}

fn stream(block: &Block, name: &'static str) -> Vec<StreamMessage<Part>> {
    split(&chain_id(), (3, Some(1)), block, &key(0), StreamId::new(name.into())).unwrap()
}

fn take(assembler: &mut Assembler, from: u8, message: StreamMessage<Part>) -> Option<Whole> {
    assembler.take(peer(from), peer(from), message, |_| true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_block_comes_together_in_any_order(size in 0usize..700_000, seed in any::<u64>()) {
        let block = block(size);
        let mut parts = stream(&block, "a");
        prop_assert_eq!(parts.len(), 1 + borsh::to_vec(&block).unwrap().len().div_ceil(PART_BYTES));
        let mut state = seed;
        for index in (1..parts.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            parts.swap(index, (state >> 33) as usize % (index + 1));
        }
        let mut assembler = Assembler::default();
        let last = parts.pop().unwrap();
        for part in parts {
            prop_assert!(take(&mut assembler, 1, part).is_none());
        }
        let whole = take(&mut assembler, 1, last).unwrap();
        prop_assert_eq!(&whole.block, &block);
        prop_assert_eq!((whole.announcement.round, whole.announcement.valid_round), (3, Some(1)));
        prop_assert!(whole.announcement.is_by(&key(0).public(), &chain_id()));
        prop_assert!(!whole.announcement.is_by(&key(1).public(), &chain_id()));
        prop_assert!(!whole.announcement.is_by(&key(0).public(), "another-1"));
    }
}

#[test]
fn the_parts_of_one_publisher_may_come_from_different_neighbours() {
    let block = block(200_000);
    let mut assembler = Assembler::default();
    let parts = stream(&block, "a").into_iter().enumerate();
    let taken = parts.map(|(index, part)| assembler.take(peer(1 + index as u8 % 3), peer(9), part, |_| true));
    assert_eq!(taken.flatten().next().map(|whole| whole.block), Some(block));
}

#[test]
fn whatever_is_not_the_announced_block_is_dropped() {
    let (block, other) = (block(200_000), block(200_001));
    let swapped = {
        let mut parts = stream(&block, "a");
        parts[2] = stream(&other, "a").remove(1);
        parts[2].sequence = 2;
        parts
    };
    let short = {
        let mut parts = stream(&block, "a");
        let Some(StreamContent::Data(Part::Middle(piece))) = parts.get(1).map(|part| part.content.clone()) else {
            panic!("a middle piece")
        };
        parts[1].content = StreamContent::Data(Part::Middle(piece.slice(1..)));
        parts
    };
    let early_end = {
        let mut parts = stream(&block, "a");
        let Some(StreamContent::Data(Part::Middle(piece))) = parts.get(1).map(|part| part.content.clone()) else {
            panic!("a middle piece")
        };
        parts[1].content = StreamContent::Data(Part::Last(piece));
        parts
    };
    let huge = {
        let first = Announcement::new(&chain_id(), (1, 0, None), block.header.hash(), u32::MAX, &key(0));
        vec![StreamMessage::new(StreamId::new("a".into()), 0, StreamContent::Data(Part::First(first)))]
    };
    for parts in [swapped, short, early_end, huge] {
        let mut assembler = Assembler::default();
        for part in parts {
            assert!(take(&mut assembler, 1, part).is_none());
        }
    }
    // Refused by whoever knows the round: nothing is kept of it.
    let mut assembler = Assembler::default();
    let first = stream(&block, "a").remove(0);
    assert!(assembler.take(peer(1), peer(1), first, |_| false).is_none());
    assert_eq!(assembler.held(peer(1)), (0, 0));
}

#[test]
fn a_flood_of_pieces_costs_the_flooder_his_own_streams_only() {
    let mut assembler = Assembler::default();
    let honest = block(300_000);
    let mut parts = stream(&honest, "honest");
    let last = parts.pop().unwrap();
    for part in parts {
        assert!(take(&mut assembler, 1, part).is_none());
    }
    let piece = Bytes::from(vec![7; PART_BYTES]);
    for index in 0..3_000u32 {
        let name = StreamId::new(index.to_be_bytes().to_vec().into());
        let sequence = u64::from(index) % 200 + 1;
        let message = StreamMessage::new(name, sequence, StreamContent::Data(Part::Middle(piece.clone())));
        assert!(take(&mut assembler, 2 + (index % 7) as u8, message).is_none());
    }
    let held: Vec<(usize, usize)> = (2..9).map(|index| assembler.held(peer(index))).collect();
    assert!(held.iter().all(|(streams, bytes)| *streams <= 8 && *bytes <= 2 * limits::ENCODED_BLOCK_BYTES));
    assert_eq!(take(&mut assembler, 1, last).unwrap().block, honest);
    assembler.forget_below(1);
    assert!((2..9).all(|index| assembler.held(peer(index)).0 > 0), "its announcement may be on its way");
    assembler.forget_below(2);
    assert!((0..9).all(|index| assembler.held(peer(index)) == (0, 0)), "what nobody announced goes with its height");
}

#[test]
fn the_announcement_is_pinned() {
    let announcement = Announcement::new("c-1", (7, 2, Some(1)), B256::repeat_byte(9), 100, &key(0));
    assert_eq!(
        announcement.sign_bytes("c-1").to_string(),
        "0xb53c9ee0fc9433cf8c5318175f174380cac94305a570aa8fc95f41b4b678404d"
    );
    let bytes = borsh::to_vec(&Part::First(announcement)).unwrap();
    assert_eq!(bytes.len(), 1 + 8 + 4 + 5 + 32 + 4 + 20 + 64);
    let text: String = bytes[..54].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        text,
        "000700000000000000020000000101000000090909090909090909090909090909090909090909090909090909090909090964000000"
    );
}
