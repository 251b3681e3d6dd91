//! Transactions that are too large for a message: held for those who lack them, fetched from those who have them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cloister_chain::{B256, Bytes};
use libp2p::PeerId;
use tokio::time::Instant;

/// What is held, and what is wanted. Knows no sockets.
#[derive(Default)]
pub(super) struct Large {
    held: VecDeque<(B256, Bytes)>,
    wanted: BTreeMap<B256, Wanted>,
}

struct Wanted {
    /// Each with the length that it claims.
    holders: VecDeque<(PeerId, u32)>,
    asked: Option<Instant>,
}

impl Large {
    /// Keeps a transaction for others, in place of the oldest.
    pub(super) fn hold(&mut self, id: B256, tx: Bytes) {
        self.wanted.remove(&id);
        self.held.retain(|(held, _)| *held != id);
        self.held.push_back((id, tx));
        if self.held.len() > HELD {
            self.held.pop_front();
        }
    }

    pub(super) fn held(&self, id: &B256) -> Option<Bytes> {
        self.held.iter().find(|(held, _)| held == id).map(|(_, tx)| tx.clone())
    }

    /// `holder` has it. False if there is no room to remember that.
    pub(super) fn want(&mut self, id: B256, length: u32, holder: PeerId) -> bool {
        let names = |wanted: &Wanted| wanted.holders.iter().any(|(peer, _)| *peer == holder);
        let full = self.wanted.len() >= WANTED && !self.wanted.contains_key(&id);
        if full || self.wanted.values().filter(|wanted| names(wanted)).count() >= WANTED_OF_ONE {
            return false;
        }
        let wanted = self.wanted.entry(id).or_insert(Wanted { holders: VecDeque::new(), asked: None });
        if wanted.holders.len() >= HOLDERS || names(wanted) {
            return false;
        }
        wanted.holders.push_back((holder, length));
        true
    }

    /// Whom to ask for what now, and the length that it claims.
    pub(super) fn next(&mut self, now: Instant) -> Option<(PeerId, B256, u32)> {
        for wanted in self.wanted.values_mut() {
            wanted.asked = wanted.asked.filter(|asked| now.saturating_duration_since(*asked) < PATIENCE);
        }
        self.wanted.retain(|_, wanted| wanted.asked.is_some() || !wanted.holders.is_empty());
        if self.wanted.values().filter(|wanted| wanted.asked.is_some()).count() >= AT_ONCE {
            return None;
        }
        let (id, wanted) = self.wanted.iter_mut().find(|(_, wanted)| wanted.asked.is_none())?;
        let (holder, length) = wanted.holders.pop_front()?;
        wanted.asked = Some(now);
        Some((holder, *id, length))
    }

    /// It came.
    pub(super) fn came(&mut self, id: &B256) {
        self.wanted.remove(id);
    }

    /// It did not come from whom it was asked of.
    pub(super) fn failed(&mut self, id: &B256) {
        if let Some(wanted) = self.wanted.get_mut(id) {
            wanted.asked = None;
        }
    }
}

/// Most transactions held for others: 24 MiB.
const HELD: usize = 8;
/// Most transactions wanted.
const WANTED: usize = 64;
/// Most of them that one peer announces.
const WANTED_OF_ONE: usize = 8;
/// Most holders remembered of each.
const HOLDERS: usize = 8;
/// Most fetched at the same time.
const AT_ONCE: usize = 4;
/// After this time the next holder is asked.
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> B256 {
        B256::left_padding_from(&number.to_be_bytes())
    }

    #[test]
    fn the_next_holder_is_asked_when_one_fails_or_keeps_silent() {
        let (now, mut large) = (Instant::now(), Large::default());
        let holders = [PeerId::random(), PeerId::random(), PeerId::random()];
        for holder in holders {
            assert!(large.want(id(1), 9, holder));
        }
        assert!(!large.want(id(1), 9, holders[1]));
        assert_eq!(large.next(now), Some((holders[0], id(1), 9)));
        assert_eq!(large.next(now), None);
        large.failed(&id(1));
        assert_eq!(large.next(now), Some((holders[1], id(1), 9)));
        assert_eq!(large.next(now + PATIENCE), Some((holders[2], id(1), 9)));
        large.failed(&id(1));
        assert_eq!(large.next(now), None, "nobody is left");
        assert!(large.wanted.is_empty());
    }

    #[test]
    fn what_came_is_not_asked_for_again() {
        let (now, mut large) = (Instant::now(), Large::default());
        assert!(large.want(id(1), 9, PeerId::random()) && large.want(id(1), 9, PeerId::random()));
        assert!(large.next(now).is_some());
        large.came(&id(1));
        assert_eq!(large.next(now), None);
    }

    #[test]
    fn little_is_kept_and_little_is_asked_at_once() {
        let (now, mut large) = (Instant::now(), Large::default());
        let wanted = (0..1_000).filter(|number| large.want(id(*number), 9, PeerId::random())).count();
        assert_eq!(wanted, WANTED);
        let liar = PeerId::random();
        let mut others = Large::default();
        assert_eq!((0..1_000).filter(|number| others.want(id(*number), 9, liar)).count(), WANTED_OF_ONE);
        assert_eq!(std::iter::from_fn(|| large.next(now)).count(), AT_ONCE);
        for number in 0..100 {
            large.hold(id(number), Bytes::from_static(b"tx"));
        }
        assert_eq!(large.held.len(), HELD);
        assert!(large.held(&id(0)).is_none() && large.held(&id(99)).is_some());
    }
}
