//! Opening a store and adding to it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use alloy_primitives::{B256, Bloom};
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::{Block, Certificate, Genesis, Header, Leaf, Outcome, Receipt, Status, ValidatorSet};
use redb::backends::InMemoryBackend;
use redb::{Builder, Database, ReadableDatabase as _, ReadableTable as _, Table, WriteTransaction};

use crate::tables::{
    BLOBS, BLOOMS, BODIES, CERTIFICATES, DECIDED, EVENTS, HEADERS, HEIGHTS, LAYOUT, LEAVES, LINKS, LOCATIONS, META,
    NAMES, PROPOSALS, RECEIPTS, SETS, WRITTEN, decode, meta, version_key,
};
use crate::{Reader, StoreError, events, pending, trail};

/// The chain on disk or in memory. Shared by threads: readers never wait, writers wait for each other.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

/// What came of the block at the tip: with its header and certificate, all that the next header is made of.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Head {
    /// Height of the tip.
    pub height: u64,
    /// Root of the state after it.
    pub state_root: B256,
    /// Merkle root of its receipts.
    pub results: B256,
    /// Base fee of the next block, in wei per gas.
    pub next_base_fee: u64,
    /// The set that signed it.
    pub signers: ValidatorSet,
    /// The set that signs the next block.
    pub next_validators: ValidatorSet,
    /// The set that signs the one after it.
    pub following_validators: ValidatorSet,
}

impl Store {
    /// Makes a store for the chain of `genesis` in a directory, which is made if there is none, or in memory (`None`). A
    /// directory that already holds this chain is opened as it is; one that holds another is refused.
    pub fn create(directory: Option<&Path>, genesis: &Genesis) -> Result<Self, StoreError> {
        let database = match directory {
            None => Builder::new().set_cache_size(MEMORY_CACHE).create_with_backend(InMemoryBackend::new())?,
            Some(directory) => {
                DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
                let mut options = OpenOptions::new();
                options.read(true).write(true).create(true).truncate(false).mode(0o600);
                open(options.open(directory.join(FILE))?)?
            }
        };
        let store = Self { database };
        match store.reader()?.checked_genesis() {
            Ok(held) if held == *genesis => return Ok(store),
            Ok(_) => return Err(StoreError::OtherGenesis),
            Err(StoreError::Missing) => {}
            Err(error) => return Err(error),
        }
        store.write(|transaction| {
            let mut table = transaction.open_table(META)?;
            table.insert(meta::LAYOUT, &LAYOUT.to_le_bytes()[..])?;
            table.insert(meta::GENESIS, &*encode(genesis))?;
            table.insert(meta::OLDEST, &0u64.to_le_bytes()[..])?;
            drop(table);
            // Readers may take every table for granted.
            transaction.open_table(HEADERS)?;
            transaction.open_table(BODIES)?;
            transaction.open_table(CERTIFICATES)?;
            transaction.open_table(DECIDED)?;
            transaction.open_table(PROPOSALS)?;
            transaction.open_table(LINKS)?;
            transaction.open_table(SETS)?;
            transaction.open_table(RECEIPTS)?;
            transaction.open_table(BLOOMS)?;
            transaction.open_table(HEIGHTS)?;
            transaction.open_table(LOCATIONS)?;
            transaction.open_table(EVENTS)?;
            transaction.open_table(LEAVES)?;
            transaction.open_table(NAMES)?;
            transaction.open_table(WRITTEN)?;
            transaction.open_table(BLOBS)?;
            Ok(())
        })?;
        Ok(store)
    }

    /// Opens the store in a directory.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let file = match OpenOptions::new().read(true).write(true).open(directory.join(FILE)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(StoreError::Missing),
            file => file?,
        };
        let store = Self { database: open(file)? };
        store.reader()?.checked_genesis()?;
        Ok(store)
    }

    /// Adds the state of height 0. Refused ([`StoreError::Order`]) when there is a tip.
    pub fn commit_genesis(&self, outcome: &Outcome) -> Result<(), StoreError> {
        let header = Header::genesis(&self.reader()?.genesis()?);
        self.write(|transaction| add(transaction, &header, outcome))
    }

    /// Adds the block after the tip with its proof and its results. When this returns, all of it is on disk; if the process
    /// dies before, none of it is. The index finds a transaction by the hash in its receipt. What was kept of proposals for
    /// its height is gone.
    pub fn commit(&self, block: &Block, certificate: &Certificate, outcome: &Outcome) -> Result<(), StoreError> {
        if certificate.height != block.header.height || outcome.receipts.len() != block.txs.len() {
            return Err(StoreError::Mismatch);
        }
        self.write(|transaction| {
            let height = block.header.height;
            add(transaction, &block.header, outcome)?;
            let body = encode(&(&block.txs, &block.parent, &block.evidence));
            transaction.open_table(BODIES)?.insert(height, &*body)?;
            trail::link(transaction, &block.header, certificate, &outcome.next_validators)?;
            pending::settle(transaction, certificate)
        })
    }

    /// Drops the state below height `below`, which must not exceed the tip: of each leaf the versions that only those
    /// heights see. Takes time in proportion to what the heights since the last pruning wrote. Blocks and receipts stay.
    pub fn prune(&self, below: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(META)?;
            let tip = tip(&table)?;
            if tip.is_none_or(|tip| below > tip) {
                return Err(StoreError::Ahead { height: below });
            }
            let oldest = oldest(&table)?;
            if below <= oldest {
                return Ok(());
            }
            table.insert(meta::OLDEST, &below.to_le_bytes()[..])?;
            let mut leaves = transaction.open_table(LEAVES)?;
            let mut written = transaction.open_table(WRITTEN)?;
            for height in oldest + 1..=below {
                let Some(list) = written.remove(height)? else { continue };
                for leaf in decode::<Vec<Leaf>>(list.value(), "written")? {
                    // From this height on nobody sees the versions before it, and a removal is as good as no version.
                    let newest = version_key(&leaf, height);
                    let removed = leaves.get(&*newest)?.is_some_and(|version| version.value().is_none());
                    let from = if removed { newest } else { version_key(&leaf, height - 1) };
                    leaves.retain_in::<&[u8], _>(&*from..=&*version_key(&leaf, 0), |_, _| false)?;
                }
            }
            Ok(())
        })
    }

    /// A picture of what is committed now; later commits do not change it.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Ok(Reader::new(self.database.begin_read()?))
    }

    /// Changes that are all kept when it is committed, or none when it is dropped.
    pub(crate) fn begin(&self) -> Result<WriteTransaction, StoreError> {
        Ok(self.database.begin_write()?)
    }

    /// All that `work` does, or nothing if it fails.
    pub(crate) fn write(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        work(&transaction)?;
        Ok(transaction.commit()?)
    }
}

/// The database in a file.
fn open(file: File) -> Result<Database, StoreError> {
    let open = || Builder::new().set_cache_size(DISK_CACHE).create_file(file);
    // The engine holds some damage to be impossible and panics. Nothing of it is left that could be half-done.
    let opened = catch_unwind(AssertUnwindSafe(open)).map_err(|_| StoreError::Corrupted("database file"))?;
    Ok(opened?)
}

/// Adds all of a height but its body.
fn add(transaction: &WriteTransaction, header: &Header, outcome: &Outcome) -> Result<(), StoreError> {
    let height = header.height;
    if outcome.height != height {
        return Err(StoreError::Mismatch);
    }
    let mut table = transaction.open_table(META)?;
    let expected = tip(&table)?.map_or(0, |tip| tip + 1);
    if height != expected {
        return Err(StoreError::Order { expected, found: height });
    }
    let signers = match table.get(meta::HEAD)? {
        Some(previous) => decode::<Head>(previous.value(), "head")?.next_validators,
        // Nobody signs the genesis header; these sign the block above it.
        None => outcome.next_validators.clone(),
    };
    let head = Head {
        height,
        state_root: outcome.state_root,
        results: outcome.results,
        next_base_fee: outcome.next_base_fee,
        signers,
        next_validators: outcome.next_validators.clone(),
        following_validators: outcome.following_validators.clone(),
    };
    table.insert(meta::HEAD, &*encode(&head))?;
    add_sets(transaction, &head)?;
    table.insert(meta::CHECKPOINT, &*outcome.checkpoint)?;

    transaction.open_table(HEADERS)?.insert(height, &*encode(header))?;
    transaction.open_table(HEIGHTS)?.insert(&header.hash().0, height)?;
    add_receipts(transaction, height, &outcome.receipts)?;

    let mut leaves = transaction.open_table(LEAVES)?;
    let mut names = transaction.open_table(NAMES)?;
    for (leaf, value) in &outcome.writes {
        leaves.insert(&*version_key(leaf, height), value.as_deref())?;
        name(&mut names, leaf, value.as_deref())?;
    }
    if height > 0 {
        let written: Vec<Leaf> = outcome.writes.iter().map(|(leaf, _)| *leaf).collect();
        transaction.open_table(WRITTEN)?.insert(height, &*encode(&written))?;
    }
    let mut blobs = transaction.open_table(BLOBS)?;
    for (hash, blob) in &outcome.blobs {
        blobs.insert(&hash.0, &*blob.0)?;
    }
    Ok(())
}

/// Keeps by its position what the network sealed, for a sweep to ask for, and forgets what it sealed no more.
pub(crate) fn name(
    names: &mut Table<'_, &'static [u8; 32], &'static [u8]>,
    leaf: &Leaf,
    value: Option<&[u8]>,
) -> Result<(), StoreError> {
    if value.and_then(|value| leaf.sealed_in(value)).is_some() {
        names.insert(&leaf.position().0, &*leaf.to_bytes())?;
    } else if matches!(leaf, Leaf::Sealed(..) | Leaf::Storage(..)) {
        names.remove(&leaf.position().0)?;
    }
    Ok(())
}

/// Keeps the sets that headers name by their hash.
pub(crate) fn add_sets(transaction: &WriteTransaction, head: &Head) -> Result<(), StoreError> {
    let mut sets = transaction.open_table(SETS)?;
    for set in [&head.signers, &head.next_validators, &head.following_validators] {
        let hash = set.hash();
        if sets.get(&hash.0)?.is_none() {
            sets.insert(&hash.0, &*encode(set))?;
        }
    }
    Ok(())
}

fn add_receipts(transaction: &WriteTransaction, height: u64, receipts: &[Receipt]) -> Result<(), StoreError> {
    transaction.open_table(RECEIPTS)?.insert(height, &*encode(receipts))?;
    let mut locations = transaction.open_table(LOCATIONS)?;
    let mut bloom = Bloom::ZERO;
    for (index, receipt) in (0u32..).zip(receipts) {
        for log in &receipt.logs {
            bloom.accrue_raw_log(log.address, &log.topics);
        }
        // A transaction can stand in a later block again, where it is refused: its place is where it ran.
        let refused = matches!(receipt.status, Status::Refused(_));
        if !refused || locations.get(&receipt.tx.0)?.is_none() {
            locations.insert(&receipt.tx.0, (height, index))?;
        }
    }
    if !bloom.is_zero() {
        transaction.open_table(BLOOMS)?.insert(height, &bloom.0.0)?;
    }
    let tags = events::tags(receipts);
    if !tags.is_empty() {
        let mut events = transaction.open_table(EVENTS)?;
        for (tag, indexes) in tags {
            events.insert(&tag.at(height), &*indexes)?;
        }
    }
    Ok(())
}

/// Height of the last committed block.
pub(crate) fn tip(table: &impl redb::ReadableTable<&'static str, &'static [u8]>) -> Result<Option<u64>, StoreError> {
    let Some(head) = table.get(meta::HEAD)? else { return Ok(None) };
    // The height is the first field of the head: there is no need to decode a validator set.
    let height = head.value().first_chunk().ok_or(StoreError::Corrupted("head"))?;
    Ok(Some(u64::from_le_bytes(*height)))
}

/// Oldest height whose state is kept.
pub(crate) fn oldest(table: &impl redb::ReadableTable<&'static str, &'static [u8]>) -> Result<u64, StoreError> {
    let oldest = table.get(meta::OLDEST)?.ok_or(StoreError::Corrupted("oldest height"))?;
    decode(oldest.value(), "oldest height")
}

pub(crate) fn encode<T: BorshSerialize + ?Sized>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory does not fail")
}

/// Name of the store's file in its directory.
const FILE: &str = "chain.redb";
/// Most bytes of pages that a store on disk keeps in memory.
const DISK_CACHE: usize = 256 << 20;
/// Most bytes of pages that a store in memory keeps twice.
const MEMORY_CACHE: usize = 32 << 20;
