//! Values that were verified once, for every thread and every height.
//!
//! A value is kept under its own hash. Whoever asks has that hash from a tree, so what is found is what that tree says, and
//! what the cache holds or has forgotten never changes a result.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{B256, Bytes};
use cloister_chain::Leaf;

/// A bounded store of verified values and blobs; clones share it. The lock is held for memory operations only.
#[derive(Clone)]
pub struct Cache(Arc<Mutex<Shelves>>);

struct Shelves {
    values: Shelf,
    blobs: Shelf,
}

/// Two generations: what is used moves to the young one; when that is half of the bound, the old one is forgotten.
struct Shelf {
    young: BTreeMap<B256, Bytes>,
    old: BTreeMap<B256, Bytes>,
    young_bytes: usize,
    bound: usize,
}

impl Cache {
    /// A cache that holds about `values` bytes of leaf values and `blobs` bytes of blobs, their overhead included.
    pub fn new(values: usize, blobs: usize) -> Self {
        Self(Arc::new(Mutex::new(Shelves { values: Shelf::new(values), blobs: Shelf::new(blobs) })))
    }

    /// Keeps what a block wrote, so that the next one does not ask the host for it. `blobs` are trusted to have their hash.
    pub fn absorb(&self, writes: &[(Leaf, Option<Vec<u8>>)], blobs: &[(B256, Bytes)]) {
        let values: Vec<_> =
            writes.iter().flat_map(|(_, value)| value).map(|value| (Leaf::value_hash(value), value)).collect();
        let mut shelves = self.lock();
        for (hash, value) in values {
            shelves.values.put(hash, Bytes::copy_from_slice(value));
        }
        for (hash, blob) in blobs {
            shelves.blobs.put(*hash, blob.clone());
        }
    }

    pub(crate) fn value(&self, hash: &B256) -> Option<Bytes> {
        self.lock().values.take(hash)
    }

    pub(crate) fn put_value(&self, hash: B256, value: Bytes) {
        self.lock().values.put(hash, value);
    }

    pub(crate) fn blob(&self, hash: &B256) -> Option<Bytes> {
        self.lock().blobs.take(hash)
    }

    pub(crate) fn put_blob(&self, hash: B256, blob: Bytes) {
        self.lock().blobs.put(hash, blob);
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        // A thread that died while it held the lock leaves entries that are whole: each is under its own hash.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Cache {
    /// 128 MiB of values and 64 MiB of blobs.
    fn default() -> Self {
        Self::new(128 << 20, 64 << 20)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

impl Shelf {
    fn new(bound: usize) -> Self {
        Self { young: BTreeMap::new(), old: BTreeMap::new(), young_bytes: 0, bound }
    }

    fn take(&mut self, hash: &B256) -> Option<Bytes> {
        if let Some(bytes) = self.young.get(hash) {
            return Some(bytes.clone());
        }
        let bytes = self.old.remove(hash)?;
        self.put(*hash, bytes.clone());
        Some(bytes)
    }

    fn put(&mut self, hash: B256, bytes: Bytes) {
        let size = bytes.len() + OVERHEAD;
        if size > self.bound / 2 || self.young.contains_key(&hash) {
            return;
        }
        if self.young_bytes + size > self.bound / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young.insert(hash, bytes);
        self.young_bytes += size;
    }
}

/// Bytes that an entry takes beside its own: key, handle, and the share of a tree node and of two allocations.
const OVERHEAD: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_bound_holds() {
        let mut shelf = Shelf::new(20 * (OVERHEAD + 32));
        let entry = |number: u8| (B256::repeat_byte(number), Bytes::from(vec![number; 32]));
        for number in 0..200 {
            let (hash, bytes) = entry(number);
            shelf.put(hash, bytes);
            assert_eq!(shelf.take(&entry(0).0), Some(entry(0).1), "used after every step");
            assert!(shelf.young.len() <= 10 && shelf.old.len() <= 10, "each generation has half of the bound");
        }
        assert_eq!(shelf.take(&entry(100).0), None, "long unused");
        assert_eq!(shelf.take(&entry(199).0), Some(entry(199).1));
    }

    #[test]
    fn what_exceeds_half_of_the_bound_is_not_kept_and_displaces_nothing() {
        let mut shelf = Shelf::new(1_000);
        shelf.put(B256::repeat_byte(1), Bytes::from_static(b"small"));
        shelf.put(B256::repeat_byte(2), Bytes::from(vec![0; 600]));
        assert_eq!(shelf.take(&B256::repeat_byte(2)), None);
        assert!(shelf.take(&B256::repeat_byte(1)).is_some());
    }
}
