//! Which transactions came by lately.

use std::collections::HashMap;
use std::mem;
use std::time::Duration;

use cloister_chain::B256;
use tokio::time::Instant;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The pool took it.
    Accepted,
    /// No pool ever takes it.
    Invalid,
}

/// Two generations of fates: an entry lives for one to two [`GENERATION`]s, or less when there are many. What a pool ignored
/// is not kept, for it may take it the next time.
#[derive(Default)]
pub(super) struct Seen {
    young: HashMap<B256, Fate>,
    old: HashMap<B256, Fate>,
    since: Option<Instant>,
}

impl Seen {
    pub(super) fn insert(&mut self, id: B256, fate: Fate, now: Instant) {
        self.age(now);
        if self.young.len() >= ENTRIES {
            self.turn(now);
        }
        self.young.insert(id, fate);
    }

    pub(super) fn fate(&mut self, id: &B256, now: Instant) -> Option<Fate> {
        self.age(now);
        self.young.get(id).or_else(|| self.old.get(id)).copied()
    }

    fn age(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let age = now.saturating_duration_since(since);
        if age >= GENERATION {
            self.turn(now);
        }
        if age >= GENERATION * 2 {
            self.old.clear();
        }
    }

    fn turn(&mut self, now: Instant) {
        self.old = mem::take(&mut self.young);
        self.since = Some(now);
    }
}

/// A transaction that a pool has dropped since may come again after at most twice this time.
pub(super) const GENERATION: Duration = Duration::from_secs(30);
/// Most entries of one generation: some 4 MB.
const ENTRIES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_outlives_one_generation_and_not_two() {
        let start = Instant::now();
        let mut seen = Seen::default();
        seen.insert(B256::ZERO, Fate::Accepted, start);
        assert_eq!(seen.fate(&B256::ZERO, start + GENERATION), Some(Fate::Accepted));
        assert_eq!(seen.fate(&B256::ZERO, start + GENERATION * 2), None);
        seen.insert(B256::ZERO, Fate::Invalid, start + GENERATION * 2);
        assert_eq!(seen.fate(&B256::ZERO, start + GENERATION * 5), None, "both generations have passed at once");
    }

    #[test]
    fn it_stays_small_whatever_comes() {
        let now = Instant::now();
        let mut seen = Seen::default();
        for number in 0..200_000_u64 {
            seen.insert(B256::left_padding_from(&number.to_be_bytes()), Fate::Accepted, now);
        }
        assert!(seen.young.len() + seen.old.len() <= 2 * ENTRIES);
        assert_eq!(seen.fate(&B256::left_padding_from(&199_999_u64.to_be_bytes()), now), Some(Fate::Accepted));
        assert_eq!(seen.fate(&B256::ZERO, now), None);
    }
}
