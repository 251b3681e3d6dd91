//! Reading what was committed.

use std::ops::RangeInclusive;

use alloy_primitives::{Address, B256, Bloom, Bytes};
use cloister_chain::{Account, Block, Cell, Certificate, Genesis, Header, Leaf, Receipt, ValidatorSet};
use redb::{OwnedRange, ReadTransaction};

use crate::store::{oldest, tip};
use crate::tables::{
    BLOBS, BLOOMS, BODIES, HEADERS, HEIGHTS, LAYOUT, LEAVES, LOCATIONS, META, NAMES, RECEIPTS, SETS, decode, meta,
    split_version_key, version_key,
};
use crate::{Head, StoreError, Tag, Tagged};

/// What was committed when the reader was made. Cheap to make; an old one keeps the pages that it can see from being used
/// again.
#[derive(Debug)]
pub struct Reader {
    transaction: ReadTransaction,
}

/// A block with the proof that it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// The block.
    pub block: Block,
    /// The proof.
    pub certificate: Certificate,
}

/// A leaf's name and value.
pub type Entry = (Leaf, Vec<u8>);

impl Reader {
    pub(crate) fn new(transaction: ReadTransaction) -> Self {
        Self { transaction }
    }

    pub(crate) fn transaction(&self) -> &ReadTransaction {
        &self.transaction
    }

    /// The chain's genesis.
    pub fn genesis(&self) -> Result<Genesis, StoreError> {
        decode(&self.meta(meta::GENESIS)?.ok_or(StoreError::Missing)?, "genesis")
    }

    /// Height of the last committed block; `None` until the genesis is committed.
    pub fn tip(&self) -> Result<Option<u64>, StoreError> {
        tip(&self.transaction.open_table(META)?)
    }

    /// The tip and what came of its block; `None` until the genesis is committed.
    pub fn head(&self) -> Result<Option<Head>, StoreError> {
        self.meta(meta::HEAD)?.map(|bytes| decode(&bytes, "head")).transpose()
    }

    /// The enclave's sealed checkpoint of the tip.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.meta(meta::CHECKPOINT)
    }

    /// Oldest height whose state is kept.
    pub fn oldest(&self) -> Result<u64, StoreError> {
        oldest(&self.transaction.open_table(META)?)
    }

    /// The header of a height. That of height 0 follows from the genesis.
    pub fn header(&self, height: u64) -> Result<Option<Header>, StoreError> {
        let header = self.transaction.open_table(HEADERS)?.get(height)?;
        header.map(|bytes| decode(bytes.value(), "header")).transpose()
    }

    /// The block of a height and its certificate. There is none of height 0.
    pub fn block(&self, height: u64) -> Result<Option<StoredBlock>, StoreError> {
        let Some(body) = self.transaction.open_table(BODIES)?.get(height)? else { return Ok(None) };
        let (txs, parent, evidence) = decode(body.value(), "body")?;
        let header = self.header(height)?.ok_or(StoreError::Corrupted("headers"))?;
        let block = Block { header, txs, parent, evidence };
        Ok(Some(StoredBlock { block, certificate: self.certificate(height)? }))
    }

    /// A validator set by its hash, as headers name it: any that signed a committed block, or signs one of the next two.
    pub fn validators(&self, hash: &B256) -> Result<Option<ValidatorSet>, StoreError> {
        let set = self.transaction.open_table(SETS)?.get(&hash.0)?;
        set.map(|bytes| decode(bytes.value(), "sets")).transpose()
    }

    /// The receipts of a height, in the block's order.
    pub fn receipts(&self, height: u64) -> Result<Option<Vec<Receipt>>, StoreError> {
        let receipts = self.transaction.open_table(RECEIPTS)?.get(height)?;
        receipts.map(|bytes| decode(bytes.value(), "receipts")).transpose()
    }

    /// The Ethereum bloom filter over addresses and topics of all events of a height; empty for a height without.
    pub fn bloom(&self, height: u64) -> Result<Bloom, StoreError> {
        let bloom = self.transaction.open_table(BLOOMS)?.get(height)?;
        Ok(bloom.map_or(Bloom::ZERO, |bytes| Bloom::from(bytes.value())))
    }

    /// Height of the block with this hash.
    pub fn height_of(&self, block: &B256) -> Result<Option<u64>, StoreError> {
        Ok(self.transaction.open_table(HEIGHTS)?.get(&block.0)?.map(|height| height.value()))
    }

    /// Height and index of a transaction: where it ran, or where it was first refused if it never ran.
    pub fn locate(&self, tx: &B256) -> Result<Option<(u64, u32)>, StoreError> {
        Ok(self.transaction.open_table(LOCATIONS)?.get(&tx.0)?.map(|place| place.value()))
    }

    /// Where Cosmos transactions with a tag ran, within `heights`.
    pub fn tagged(&self, tag: &Tag, heights: RangeInclusive<u64>) -> Result<Tagged, StoreError> {
        Tagged::new(&self.transaction, tag, heights)
    }

    /// The value of a leaf after the block of `height`.
    pub fn leaf(&self, leaf: &Leaf, height: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut values = self.leaf_values(&[*leaf], height)?;
        Ok(values.pop().flatten())
    }

    /// The values of many leaves after the block of `height`, in order.
    pub fn leaf_values(&self, leaves: &[Leaf], height: u64) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.check_height(height)?;
        let table = self.transaction.open_table(LEAVES)?;
        let newest = |leaf: &Leaf| {
            let (from, to) = (version_key(leaf, height), version_key(leaf, 0));
            let version = table.range::<&[u8]>(&*from..=&*to)?.next().transpose()?;
            Ok(version.and_then(|(_, value)| value.value().map(<[u8]>::to_vec)))
        };
        leaves.iter().map(newest).collect()
    }

    /// Names and values of the leaves at positions at which the network's own ciphertexts stand, after the block of `height`, which
    /// is the tip, in order.
    pub fn named(&self, positions: &[B256], height: u64) -> Result<Vec<Option<Entry>>, StoreError> {
        let table = self.transaction.open_table(NAMES)?;
        let named = |position: &B256| {
            let Some(name) = table.get(&position.0)? else { return Ok(None) };
            let leaf: Leaf = decode(name.value(), "names")?;
            Ok(self.leaf(&leaf, height)?.map(|value| (leaf, value)))
        };
        positions.iter().map(named).collect()
    }

    /// An account after the block of `height`; empty if there is none.
    pub fn account(&self, address: &Address, height: u64) -> Result<Account, StoreError> {
        let value = self.leaf(&Leaf::Account(*address), height)?;
        value.map_or_else(|| Ok(Account::default()), |bytes| decode(&bytes, "account"))
    }

    /// A storage slot of a contract after the block of `height`; zero if there is none.
    pub fn cell(&self, address: &Address, slot: &B256, height: u64) -> Result<Cell, StoreError> {
        let value = self.leaf(&Leaf::Storage(*address, *slot), height)?;
        value.map_or_else(|| Ok(Cell::default()), |bytes| decode(&bytes, "cell"))
    }

    /// A blob by its hash.
    pub fn blob(&self, hash: &B256) -> Result<Option<Bytes>, StoreError> {
        Ok(self.transaction.open_table(BLOBS)?.get(&hash.0)?.map(|blob| Bytes::copy_from_slice(blob.value())))
    }

    /// All leaves that there are after the block of `height`, ascending, in pieces whose values come to about `bytes`.
    pub fn leaves(&self, height: u64, bytes: usize) -> Result<Leaves, StoreError> {
        self.leaves_under(&[], height, bytes)
    }

    /// Those of them whose encoded names begin with `prefix`.
    pub fn leaves_under(&self, prefix: &[u8], height: u64, bytes: usize) -> Result<Leaves, StoreError> {
        self.check_height(height)?;
        let versions = self.transaction.open_table(LEAVES)?.range_owned::<&[u8]>(prefix..)?;
        Ok(Leaves { versions, prefix: prefix.to_vec(), height, bytes, done: Vec::new() })
    }

    /// The genesis, if the store is whole and of a layout that this program knows.
    pub(crate) fn checked_genesis(&self) -> Result<Genesis, StoreError> {
        let layout = match self.meta(meta::LAYOUT) {
            // A store whose making was interrupted before its first commit has no tables.
            Err(StoreError::Engine(error)) if matches!(*error, redb::Error::TableDoesNotExist(_)) => None,
            layout => layout?,
        };
        match decode(&layout.ok_or(StoreError::Missing)?, "layout")? {
            LAYOUT => self.genesis(),
            other => Err(StoreError::Layout(other)),
        }
    }

    /// Number of versions of all leaves.
    #[cfg(test)]
    pub(crate) fn version_count(&self) -> Result<u64, StoreError> {
        Ok(redb::ReadableTableMetadata::len(&self.transaction.open_table(LEAVES)?)?)
    }

    fn check_height(&self, height: u64) -> Result<(), StoreError> {
        let table = self.transaction.open_table(META)?;
        if tip(&table)?.is_none_or(|tip| height > tip) {
            return Err(StoreError::Ahead { height });
        }
        let oldest = oldest(&table)?;
        if height < oldest {
            return Err(StoreError::Pruned { height, oldest });
        }
        Ok(())
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.transaction.open_table(META)?.get(name)?.map(|bytes| bytes.value().to_vec()))
    }
}

/// Pieces of the state of one height: see [`Reader::leaves`]. Keeps its picture of the store alive.
pub struct Leaves {
    versions: OwnedRange<&'static [u8], Option<&'static [u8]>>,
    /// What their names begin with.
    prefix: Vec<u8>,
    height: u64,
    bytes: usize,
    /// The encoded leaf whose version is found: older ones follow.
    done: Vec<u8>,
}

impl Iterator for Leaves {
    type Item = Result<Vec<(Leaf, Vec<u8>)>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.piece().map(|piece| (!piece.is_empty()).then_some(piece)).transpose()
    }
}

impl Leaves {
    fn piece(&mut self) -> Result<Vec<(Leaf, Vec<u8>)>, StoreError> {
        let (mut piece, mut size) = (Vec::new(), 0);
        while size < self.bytes.max(1) {
            let Some(version) = self.versions.next() else { break };
            let (key, value) = version?;
            let (name, height) = split_version_key(key.value())?;
            if !name.starts_with(&self.prefix) {
                break;
            }
            // The newest version comes first: the first one that is not too new is the one.
            if height > self.height || name == self.done {
                continue;
            }
            self.done = name.to_vec();
            if let Some(value) = value.value() {
                size += name.len() + value.len();
                piece.push((decode(name, "leaf")?, value.to_vec()));
            }
        }
        Ok(piece)
    }
}
