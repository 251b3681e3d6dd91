//! States for those who are far behind, and a state from others when this node is.
//!
//! A snapshot is the state after a block whose height is a multiple of [`Snapshots::every`]: [`Item`]s in borsh, leaves
//! ascending, then blobs ascending, cut into chunks of [`CHUNK_BYTES`]. Chunk 0 is the [`Manifest`], whose hash stands in
//! the offer; chunk i of the state is checked against the manifest, the manifest's trail against the genesis, and the whole
//! by the enclave against the root at the trail's end. So a chunk that was altered is refused when it comes, and a state
//! that nobody agreed on when it is complete.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::hash::tagged;
use cloister_chain::{B256, Genesis, Parent, Trail, keccak256};
use cloister_consensus::gossip::{CHUNK_BYTES, Gossip, PeerId, SnapshotOffer};
use cloister_store::{Item, Reader, Store, StoreError};
use thiserror::Error;
use tokio::runtime::Runtime;

/// What has to be known of a snapshot before its chunks can be checked.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
struct Manifest {
    /// The way to the state.
    trail: Trail,
    /// Hash of each chunk of the state.
    chunks: Vec<B256>,
}

/// Snapshots that this node has for others.
pub(crate) struct Shelf {
    store: Arc<Store>,
    directory: PathBuf,
    held: Mutex<Vec<Held>>,
}

/// One of them.
#[derive(Clone)]
struct Held {
    height: u64,
    state_root: B256,
    chunks: Vec<B256>,
    /// Once the header above is there.
    manifest: Option<Arc<Vec<u8>>>,
}

/// A state that others gave, on disk; every chunk is what the manifest says.
pub(crate) struct Taken {
    pub(crate) trail: Trail,
    pub(crate) parent: Parent,
    file: PathBuf,
    /// Who vouched for it.
    peers: Vec<PeerId>,
}

/// Why a state of others cannot be used.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The file system refused.
    #[error("a snapshot's file: {0}")]
    Io(#[from] io::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A blob that is not what its name says.
    #[error("a snapshot holds a blob under another name")]
    Blob,
}

impl Shelf {
    /// In the home's directory. Snapshots of earlier runs are dropped: others are made soon.
    pub(crate) fn open(home: &Path, store: Arc<Store>) -> io::Result<Self> {
        let directory = home.join("snapshots");
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&directory)?,
        }
        Ok(Self { store, directory, held: Mutex::default() })
    }

    /// Makes the snapshot of the tip of `reader`, in a thread of its own, and drops the oldest of more than [`KEPT`].
    pub(crate) fn make(self: &Arc<Self>, reader: Reader) {
        let shelf = Arc::clone(self);
        let make = move || {
            if let Err(error) = shelf.write(&reader) {
                tracing::error!(%error, "a snapshot could not be made");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("snapshot".into()).spawn(make) {
            tracing::error!(%error, "no thread for a snapshot");
        }
    }

    fn write(&self, reader: &Reader) -> Result<(), SnapshotError> {
        let head = reader.head()?.ok_or(StoreError::Missing)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        let mut chunks = Chunks { out: BufWriter::new(file.as_file_mut()), chunk: Vec::new(), hashes: Vec::new() };
        for piece in reader.leaves(head.height, CHUNK_BYTES)? {
            for (leaf, value) in piece? {
                chunks.add(&Item::Leaf(leaf, value))?;
            }
        }
        for blob in reader.blobs()? {
            let (hash, blob) = blob?;
            chunks.add(&Item::Blob(hash, blob))?;
        }
        let hashes = chunks.finish()?;
        file.persist(self.path(head.height)).map_err(|error| error.error)?;
        let made = Held { height: head.height, state_root: head.state_root, chunks: hashes, manifest: None };
        tracing::info!(height = made.height, chunks = made.chunks.len(), "a snapshot for others");
        let mut held = self.held();
        held.push(made);
        while held.len() > KEPT {
            let old = held.remove(0);
            let _ = fs::remove_file(self.path(old.height));
        }
        Ok(())
    }

    fn path(&self, height: u64) -> PathBuf {
        self.directory.join(height.to_string())
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The manifest, as soon as the header above is executed. Without one there is no offer.
    fn manifest(&self, held: &mut Held) -> Option<Arc<Vec<u8>>> {
        if held.manifest.is_none() {
            let trail = self.store.reader().and_then(|reader| reader.trail(held.height)).ok()??;
            let manifest = encode(&Manifest { trail, chunks: held.chunks.clone() });
            held.manifest = (manifest.len() <= CHUNK_BYTES).then(|| Arc::new(manifest));
        }
        held.manifest.clone()
    }
}

impl cloister_consensus::gossip::Snapshots for Shelf {
    fn offers(&self) -> Vec<SnapshotOffer> {
        let mut held = self.held();
        let offer = |held: &mut Held| {
            let manifest = self.manifest(held)?;
            let chunks = u32::try_from(held.chunks.len()).ok()?.checked_add(1)?;
            Some(SnapshotOffer {
                height: held.height,
                state_root: held.state_root,
                chunks,
                chunk_list: hash(&manifest),
            })
        };
        held.iter_mut().filter_map(offer).collect()
    }

    fn chunk(&self, height: u64, index: u32) -> Option<Vec<u8>> {
        let Some(index) = index.checked_sub(1) else {
            let mut held = self.held();
            let held = held.iter_mut().find(|held| held.height == height)?;
            return self.manifest(held).map(|manifest| manifest.to_vec());
        };
        let mut file = File::open(self.path(height)).ok()?;
        let start = u64::from(index) * CHUNK_BYTES as u64;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut chunk = Vec::new();
        file.take(CHUNK_BYTES as u64).read_to_end(&mut chunk).ok()?;
        (!chunk.is_empty()).then_some(chunk)
    }
}

impl Taken {
    /// The best state that peers have for a node that has none, or `None` if they have none. Waits a while for peers.
    pub(crate) fn fetch(
        runtime: &Runtime,
        gossip: &Gossip,
        genesis: &Genesis,
        home: &Path,
    ) -> Result<Option<Self>, SnapshotError> {
        let mut offers = runtime.block_on(search(gossip));
        offers.sort_by_key(|(_, offer)| std::cmp::Reverse((offer.height, offer.chunk_list)));
        for same in offers.chunk_by(|(_, one), (_, other)| one == other) {
            let peers: Vec<PeerId> = same.iter().map(|(peer, _)| *peer).collect();
            let Some((_, offer)) = same.first() else { continue };
            if let Some(taken) = runtime.block_on(take(gossip, genesis, home, offer, &peers))? {
                tracing::info!(height = offer.height, chunks = offer.chunks, "a state from others");
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// What the state is made of.
    pub(crate) fn items(&self) -> Result<impl Iterator<Item = Result<Item, SnapshotError>> + use<>, SnapshotError> {
        let mut file = BufReader::new(File::open(&self.file)?);
        Ok(std::iter::from_fn(move || match io::BufRead::fill_buf(&mut file) {
            Ok([]) => None,
            Ok(_) => Some(read_item(&mut file)),
            Err(error) => Some(Err(error.into())),
        }))
    }

    /// Its leaves are not those of the root that the validators agreed on: whoever vouched for it lied.
    pub(crate) fn refuse(&self, gossip: &Gossip) {
        for peer in &self.peers {
            tracing::warn!(%peer, height = self.parent.header.height, "a peer gave a state that nobody agreed on");
            gossip.distrust(*peer);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

fn read_item(file: &mut impl Read) -> Result<Item, SnapshotError> {
    let item = Item::deserialize_reader(file)?;
    match &item {
        Item::Blob(hash, blob) if keccak256(blob) != *hash => Err(SnapshotError::Blob),
        _ => Ok(item),
    }
}

/// What peers offer, once there are peers.
async fn search(gossip: &Gossip) -> Vec<(PeerId, SnapshotOffer)> {
    let start = Instant::now();
    while gossip.peers().is_empty() && start.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gossip.fetch_offers().await
}

/// The state of an offer, or `None` if it cannot be had from these peers or is none.
async fn take(
    gossip: &Gossip,
    genesis: &Genesis,
    home: &Path,
    offer: &SnapshotOffer,
    peers: &[PeerId],
) -> Result<Option<Taken>, SnapshotError> {
    let Some(bytes) = checked(gossip, peers, offer.height, 0, offer.chunk_list).await else { return Ok(None) };
    let manifest = Manifest::try_from_slice(&bytes).ok().and_then(|Manifest { trail, chunks }| {
        let parent = trail.verify(genesis).ok()?;
        let counted = u32::try_from(chunks.len()).ok()?.checked_add(1)? == offer.chunks;
        let same = (parent.header.height, parent.state_root) == (offer.height, offer.state_root);
        (counted && same).then_some((trail, parent, chunks))
    });
    let Some((trail, parent, chunks)) = manifest else {
        for peer in peers {
            tracing::warn!(%peer, height = offer.height, "a peer offered a state to which no way leads");
            gossip.distrust(*peer);
        }
        return Ok(None);
    };
    let mut taken = Taken { trail, parent, file: home.join("taken.snapshot"), peers: peers.to_vec() };
    let mut file = BufWriter::new(File::create(&taken.file)?);
    for (index, hash) in (1..).zip(&chunks) {
        let Some(chunk) = checked(gossip, peers, offer.height, index, *hash).await else { return Ok(None) };
        file.write_all(&chunk)?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    taken.peers = peers.to_vec();
    Ok(Some(taken))
}

/// A chunk with this hash, from whichever of the peers has it. One who has something else is not asked again.
async fn checked(gossip: &Gossip, peers: &[PeerId], height: u64, index: u32, expected: B256) -> Option<Vec<u8>> {
    for _ in 0..=peers.len() {
        let (peer, chunk) = gossip.fetch_chunk(peers, height, index).await.ok()?;
        if hash(&chunk) == expected {
            return Some(chunk);
        }
        tracing::warn!(%peer, height, index, "a peer gave another chunk than was asked for");
        gossip.distrust(peer);
    }
    None
}

/// A file in chunks.
struct Chunks<W: Write> {
    out: W,
    chunk: Vec<u8>,
    hashes: Vec<B256>,
}

impl<W: Write> Chunks<W> {
    fn add(&mut self, item: &Item) -> io::Result<()> {
        item.serialize(&mut self.chunk)?;
        while self.chunk.len() >= CHUNK_BYTES {
            let rest = self.chunk.split_off(CHUNK_BYTES);
            let full = std::mem::replace(&mut self.chunk, rest);
            self.put(&full)?;
        }
        Ok(())
    }

    fn put(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.hashes.push(hash(chunk));
        self.out.write_all(chunk)
    }

    fn finish(mut self) -> io::Result<Vec<B256>> {
        let last = std::mem::take(&mut self.chunk);
        if !last.is_empty() {
            self.put(&last)?;
        }
        self.out.flush()?;
        Ok(self.hashes)
    }
}

fn hash(chunk: &[u8]) -> B256 {
    tagged("cloister/snapshot", &[chunk])
}

fn encode(manifest: &Manifest) -> Vec<u8> {
    borsh::to_vec(manifest).expect("writing to memory does not fail")
}

/// How many snapshots are kept for others: whoever takes the older one is not interrupted by the next.
const KEPT: usize = 2;
/// How long a node without a state waits for a first peer.
const PATIENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
