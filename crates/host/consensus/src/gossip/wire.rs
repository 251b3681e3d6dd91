//! What peers say to each other, in borsh. Every decoder is bounded and takes its whole input.
//!
//! | | on | tag and content |
//! | --- | --- | --- |
//! | [`Message`] | the topic | 0: transactions · 1: id, length and holder of a large transaction |
//! | [`Request`] | a stream | 0: offers · 1: height, index of a chunk · 2: id of a large transaction · 3: what waits |
//! | [`Response`] | the same | 0: offers · 1: a chunk or nothing · 2: a transaction or nothing · 3: transactions |
//!
//! A stream carries one request and one response, each ended by closing that direction; an empty response declines.

use std::io;

use async_trait::async_trait;
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::{B256, Bytes, hash, limits};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::{StreamProtocol, request_response};
use thiserror::Error;

/// A message on the topic.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Message {
    /// One to [`BATCH_TXS`] transactions.
    Batch(Vec<Bytes>),
    /// A transaction that is too large for a message can be fetched from whoever sends this.
    Large(Announcement),
}

/// A large transaction that its sender has.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Announcement {
    /// [`tx_id`] of it.
    pub(super) id: B256,
    /// Its bytes.
    pub(super) length: u32,
    /// Sets the announcements of several holders apart, each of which is a message of its own: a hash of the holder's name.
    pub(super) holder: B256,
}

/// A question to one peer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Request {
    /// Which snapshots are there?
    Offers,
    /// A chunk of one.
    Chunk {
        /// Height of the snapshot.
        height: u64,
        /// Number of the chunk.
        index: u32,
    },
    /// A large transaction that was announced.
    Tx(B256),
    /// What waits in the pool.
    Waiting,
}

/// The answer of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Response {
    /// At most [`OFFERS`].
    Offers(Vec<SnapshotOffer>),
    /// At most [`CHUNK_BYTES`]; `None` if it is not there.
    Chunk(Option<Vec<u8>>),
    /// At most `limits::TX_BYTES`; `None` if it is not there any more.
    Tx(Option<Bytes>),
    /// At most [`WAITING_BYTES`] in sum.
    Waiting(Vec<Bytes>),
}

/// A snapshot that a peer has. Nothing of it is proven: the state root is to be found in a certified header, the chunks under
/// their hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SnapshotOffer {
    /// Height of the block after which the state was taken.
    pub height: u64,
    /// Root of that state.
    pub state_root: B256,
    /// Number of its chunks.
    pub chunks: u32,
    /// Hash of the list of the chunks' hashes.
    pub chunk_list: B256,
}

/// Why bytes are not one of these. The peer is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum WireError {
    /// Not borsh of this form, truncated, or with bytes left over.
    #[error("malformed")]
    Malformed,
    /// Too many or too large items, or an empty one.
    #[error("out of bounds")]
    Bounds,
}

impl Message {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let message: Self = decode(bytes, MESSAGE_BYTES)?;
        let bounded = match &message {
            Self::Batch(txs) => (1..=BATCH_TXS).contains(&txs.len()) && !txs.iter().any(|tx| tx.is_empty()),
            Self::Large(announced) => (1..=limits::TX_BYTES).contains(&(announced.length as usize)),
        };
        bounded.then_some(message).ok_or(WireError::Bounds)
    }
}

impl Request {
    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes, REQUEST_BYTES)
    }
}

impl Response {
    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let response: Self = decode(bytes, RESPONSE_BYTES)?;
        response.is_bounded().then_some(response).ok_or(WireError::Bounds)
    }

    /// Whether it is an answer of the kind that `request` asks for.
    pub(super) fn answers(&self, request: &Request) -> bool {
        matches!(
            (self, request),
            (Self::Offers(_), Request::Offers)
                | (Self::Chunk(_), Request::Chunk { .. })
                | (Self::Tx(_), Request::Tx(_))
                | (Self::Waiting(_), Request::Waiting)
        )
    }

    /// False for what a peer would not take from us.
    pub(super) fn is_bounded(&self) -> bool {
        match self {
            Self::Offers(offers) => offers.len() <= OFFERS,
            Self::Chunk(chunk) => chunk.as_ref().is_none_or(|chunk| chunk.len() <= CHUNK_BYTES),
            Self::Tx(tx) => tx.as_ref().is_none_or(|tx| !tx.is_empty() && tx.len() <= limits::TX_BYTES),
            Self::Waiting(txs) => {
                let sum = txs.iter().map(|tx| tx.len() + TX_OVERHEAD).sum::<usize>();
                sum <= WAITING_BYTES && !txs.iter().any(|tx| tx.is_empty())
            }
        }
    }
}

/// Reads and writes requests and responses on a stream.
#[derive(Clone, Default)]
pub(super) struct Codec;

#[async_trait]
impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        Request::from_bytes(&read(io, REQUEST_BYTES).await?).map_err(invalid)
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read(io, RESPONSE_BYTES).await?;
        if bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "declined"));
        }
        Response::from_bytes(&bytes).map_err(invalid)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&encode(&request)).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Response) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&encode(&response)).await
    }
}

/// The name of a transaction among peers: of its bytes as they travel.
pub(super) fn tx_id(tx: &[u8]) -> B256 {
    hash::tagged("cloister/gossip/tx", &[tx])
}

fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory does not fail, and no list is longer than u32 counts")
}

fn decode<T: BorshDeserialize>(bytes: &[u8], most: usize) -> Result<T, WireError> {
    if bytes.len() > most {
        return Err(WireError::Bounds);
    }
    borsh::from_slice(bytes).map_err(|_| WireError::Malformed)
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more, so that what is too long is seen to be so.
    io.take(most as u64 + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn invalid(error: WireError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Most bytes of a message on the topic. Small, because the swarm decodes it before anything of ours can refuse it, and a
/// hostile one then takes some hundred times its length in memory.
pub(super) const MESSAGE_BYTES: usize = 64 << 10;
/// Most bytes of the transactions of one batch, each with [`TX_OVERHEAD`].
pub(super) const BATCH_BYTES: usize = MESSAGE_BYTES - 5;
/// Most transactions of one batch.
pub(super) const BATCH_TXS: usize = 128;
/// What borsh puts before each transaction: its length.
pub(super) const TX_OVERHEAD: usize = 4;
/// Most snapshots that one peer offers.
pub const OFFERS: usize = 16;
/// Most bytes of one chunk of a snapshot.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Most bytes of the waiting transactions that one peer tells another that connects; four more are counted for each.
pub const WAITING_BYTES: usize = 1 << 20;
const REQUEST_BYTES: usize = 64;
/// A transaction is the longest there is to answer; tag, option and length come before it.
const RESPONSE_BYTES: usize = limits::TX_BYTES + 6;

#[cfg(test)]
mod tests;
