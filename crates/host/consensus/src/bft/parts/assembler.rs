//! Pieces of strangers, within bounds.

use std::collections::BTreeMap;

use cloister_chain::{Block, Bytes, limits};
use malachite::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachite::app::types::PeerId;
use tracing::debug;

use super::{Announcement, PART_BYTES, PIECES, Part};

/// Most open streams of one peer. A count.
const STREAMS: usize = 8;
/// Most bytes in the open streams of one peer.
const PEER_BYTES: usize = 2 * limits::ENCODED_BLOCK_BYTES;
/// Most bytes in all open streams.
const TOTAL_BYTES: usize = 6 * limits::ENCODED_BLOCK_BYTES;
/// Longest name of a stream.
const NAME_BYTES: usize = 64;

/// Puts blocks together from parts that come in any order.
///
/// A neighbour has [`STREAMS`] open at most, and [`PEER_BYTES`]; all together have [`TOTAL_BYTES`]. Whoever goes beyond
/// loses his oldest stream; when all together do, the neighbour that holds most loses it. What is lost is asked for again by
/// the engine (it restreams), or comes with sync.
#[derive(Debug, Default)]
pub(in super::super) struct Assembler {
    streams: BTreeMap<Key, Stream>,
    opened: u64,
    /// Streams opened when heights were forgotten last.
    mark: u64,
}

/// A block that arrived whole: its header has the hash that was announced and commits to all of it.
#[derive(Debug)]
pub(in super::super) struct Whole {
    /// How it was announced.
    pub announcement: Announcement,
    /// The block.
    pub block: Block,
}

/// The peer that published, and the name that it gave. Which neighbours deliver the parts is chance.
type Key = (PeerId, StreamId);

#[derive(Debug)]
struct Stream {
    /// The neighbour that delivered the first part: it answers for all of them, as anybody can invent publishers.
    opener: PeerId,
    /// Place in the order of opening.
    age: u64,
    announcement: Option<Announcement>,
    pieces: BTreeMap<u64, Bytes>,
    /// Sequence of the last piece, once it is here.
    last: Option<u64>,
    bytes: usize,
}

/// Why a stream is dropped.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// A piece of the wrong size, twice, or in a place where there can be none.
    Piece,
    /// The announcement is not acceptable, or a second one.
    Announcement,
    /// Put together, it is not the block that was announced.
    Block,
}

impl Assembler {
    /// Takes one part from `from`, published by `publisher`. Gives the block when it is whole. `accepts` says of an
    /// announcement whether its block is wanted and its signature good; if not, the stream ends.
    pub fn take(
        &mut self,
        from: PeerId,
        publisher: PeerId,
        message: StreamMessage<Part>,
        accepts: impl FnOnce(&Announcement) -> bool,
    ) -> Option<Whole> {
        let StreamContent::Data(part) = message.content else { return None };
        if message.stream_id.to_bytes().len() > NAME_BYTES {
            return None;
        }
        let key = (publisher, message.stream_id);
        let mut stream = self.streams.remove(&key).unwrap_or_else(|| {
            self.opened += 1;
            Stream { opener: from, age: self.opened, announcement: None, pieces: BTreeMap::new(), last: None, bytes: 0 }
        });
        let opener = stream.opener;
        match stream.take(message.sequence, part, accepts) {
            Ok(None) => {
                self.streams.insert(key, stream);
                self.bound(opener);
                None
            }
            Ok(Some(whole)) => Some(whole),
            Err(refused) => {
                debug!(%from, ?refused, "dropped a stream of proposal parts");
                None
            }
        }
    }

    /// Forgets what was announced below `height`, and what has been without an announcement since the last time this was
    /// called: of a stream that is just arriving, the announcement may be on its way.
    pub fn forget_below(&mut self, height: u64) {
        let mark = std::mem::replace(&mut self.mark, self.opened);
        self.streams.retain(|_, stream| match stream.announcement {
            Some(first) => first.height >= height,
            None => stream.age > mark,
        });
    }

    fn bound(&mut self, peer: PeerId) {
        while self.held(peer).0 > STREAMS || self.held(peer).1 > PEER_BYTES {
            self.drop_oldest(peer);
        }
        while self.streams.values().map(|stream| stream.bytes).sum::<usize>() > TOTAL_BYTES {
            let peers = self.streams.values().map(|stream| stream.opener);
            let Some(most) = peers.max_by_key(|peer| self.held(*peer).1) else { return };
            self.drop_oldest(most);
        }
    }

    /// Streams and bytes that one neighbour answers for.
    pub(super) fn held(&self, peer: PeerId) -> (usize, usize) {
        let own = self.streams.values().filter(|stream| stream.opener == peer);
        own.fold((0, 0), |(count, bytes), stream| (count + 1, bytes + stream.bytes))
    }

    fn drop_oldest(&mut self, peer: PeerId) {
        let own = self.streams.iter().filter(|(_, stream)| stream.opener == peer);
        let oldest = own.min_by_key(|(_, stream)| stream.age).map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.streams.remove(&key);
        }
    }
}

impl Stream {
    fn take(
        &mut self,
        sequence: u64,
        part: Part,
        accepts: impl FnOnce(&Announcement) -> bool,
    ) -> Result<Option<Whole>, Refused> {
        match part {
            Part::First(first) => {
                if sequence != 0 || self.announcement.is_some() || first.pieces().is_none() || !accepts(&first) {
                    return Err(Refused::Announcement);
                }
                self.announcement = Some(first);
            }
            Part::Middle(piece) => self.piece(sequence, piece, false)?,
            Part::Last(piece) => self.piece(sequence, piece, true)?,
        }
        self.whole()
    }

    fn piece(&mut self, sequence: u64, piece: Bytes, last: bool) -> Result<(), Refused> {
        let fits = if last { (1..=PART_BYTES).contains(&piece.len()) } else { piece.len() == PART_BYTES };
        let placed = (1..=PIECES as u64).contains(&sequence) && self.last.is_none_or(|last| sequence < last);
        if !fits || !placed || self.pieces.contains_key(&sequence) {
            return Err(Refused::Piece);
        }
        if last {
            self.last = Some(sequence);
        }
        self.bytes += piece.len();
        self.pieces.insert(sequence, piece);
        Ok(())
    }

    fn whole(&mut self) -> Result<Option<Whole>, Refused> {
        let (Some(announcement), Some(last)) = (self.announcement, self.last) else { return Ok(None) };
        if announcement.pieces() != Some(last) {
            return Err(Refused::Block);
        }
        if (self.pieces.len() as u64) < last {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(self.bytes);
        for piece in std::mem::take(&mut self.pieces).into_values() {
            bytes.extend_from_slice(&piece);
        }
        let block = (bytes.len() == announcement.length as usize).then(|| read_block(&bytes)).flatten();
        let block = block.filter(|block| {
            block.header.height == announcement.height && block.header.hash() == announcement.block && block.is_whole()
        });
        block.map(|block| Some(Whole { announcement, block })).ok_or(Refused::Block)
    }
}

fn read_block(bytes: &[u8]) -> Option<Block> {
    borsh::from_slice(bytes).ok().filter(is_within_limits)
}

/// True if the block's lists are no longer than the chain allows.
pub(in super::super) fn is_within_limits(block: &Block) -> bool {
    block.header.chain_id.len() <= limits::CHAIN_ID_BYTES
        && block.txs.len() <= limits::BLOCK_TXS
        && block.evidence.len() <= limits::EVIDENCE
        && block.txs.iter().all(|tx| tx.len() <= limits::TX_BYTES)
        && block.txs.iter().map(|tx| tx.len()).sum::<usize>() <= limits::BLOCK_BYTES
}
