//! The index over the events of Cosmos transactions that ran: which ones have an attribute of which value.
//!
//! An attribute is named as clients name it, by its event's type and its key: `message.action`. That it is there at all is not
//! indexed: encrypted keys are as many as their values, and this is what a block costs most.

use std::ops::RangeInclusive;

use cloister_chain::hash::tagged;
use cloister_chain::{Receipt, Status};
use redb::{OwnedRange, ReadTransaction};

use crate::StoreError;
use crate::tables::EVENTS;

/// What the index files a transaction under. Sixteen bytes of a hash: who finds two values with the same one has made his own
/// transactions hard to find, nobody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 16]);

impl Tag {
    /// Every Cosmos transaction that ran.
    pub fn every() -> Self {
        Self::of(&[])
    }

    /// Those with the attribute `name` of that value.
    pub fn value(name: &str, value: &str) -> Self {
        Self::of(&[&(name.len() as u64).to_le_bytes(), name.as_bytes(), value.as_bytes()])
    }

    fn of(parts: &[&[u8]]) -> Self {
        Self(*tagged("cloister/event", parts).0.first_chunk().expect("a hash has 32 bytes"))
    }

    /// Key of the entry of `height`.
    pub(crate) fn at(&self, height: u64) -> [u8; 24] {
        let mut key = [0; 24];
        key[..16].copy_from_slice(&self.0);
        key[16..].copy_from_slice(&height.to_be_bytes());
        key
    }
}

/// Tags of all Cosmos transactions among `receipts` that ran, ascending, each with the value that the table holds: their
/// indexes.
pub(crate) fn tags(receipts: &[Receipt]) -> Vec<(Tag, Vec<u8>)> {
    let mut places: Vec<(Tag, u32)> = Vec::new();
    let mut name = String::new();
    for (index, receipt) in (0u32..).zip(receipts) {
        // What was refused did nothing, and may run in a later block.
        let Some(result) = receipt.cosmos.as_ref().filter(|_| !matches!(receipt.status, Status::Refused(_))) else {
            continue;
        };
        places.push((Tag::every(), index));
        for event in &result.events {
            // Which message an event is of says nothing about the transaction.
            for (key, value) in event.attributes.iter().filter(|(key, _)| key != "msg_index") {
                name.clear();
                name.extend([&event.kind, ".", key]);
                places.push((Tag::value(&name, value), index));
            }
        }
    }
    places.sort_unstable();
    // An attribute may stand in a transaction twice.
    places.dedup();
    let tags = places.chunk_by(|one, next| one.0 == next.0);
    tags.map(|tag| (tag[0].0, tag.iter().flat_map(|(_, index)| index.to_be_bytes()).collect())).collect()
}

/// Where transactions with a tag stand: heights and, at each, indexes in the block, ascending. From the back, heights descend.
pub struct Tagged(OwnedRange<&'static [u8; 24], &'static [u8]>);

impl Tagged {
    pub(crate) fn new(
        transaction: &ReadTransaction,
        tag: &Tag,
        heights: RangeInclusive<u64>,
    ) -> Result<Self, StoreError> {
        let (from, to) = (tag.at(*heights.start()), tag.at(*heights.end()));
        let table = transaction.open_table(EVENTS)?;
        // The engine takes a range whose ends are in the wrong order for a fault.
        let range = if from <= to {
            table.range_owned::<&[u8; 24]>(&from..=&to)?
        } else {
            table.range_owned::<&[u8; 24]>(&from..&from)?
        };
        Ok(Self(range))
    }
}

impl Iterator for Tagged {
    type Item = Result<(u64, Vec<u32>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.0.next()?;
        Some(entry.map_err(StoreError::from).and_then(|(key, value)| read(key.value(), value.value())))
    }
}

impl DoubleEndedIterator for Tagged {
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = self.0.next_back()?;
        Some(entry.map_err(StoreError::from).and_then(|(key, value)| read(key.value(), value.value())))
    }
}

fn read(key: &[u8; 24], value: &[u8]) -> Result<(u64, Vec<u32>), StoreError> {
    let height = key.last_chunk().map(|height| u64::from_be_bytes(*height)).expect("a key ends with 8 bytes");
    let (indexes, []) = value.as_chunks() else { return Err(StoreError::Corrupted("events")) };
    Ok((height, indexes.iter().map(|index| u32::from_be_bytes(*index)).collect()))
}
