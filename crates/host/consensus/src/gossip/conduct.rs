//! What is remembered of peers that misbehaved, also when they leave and come back.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;
use tokio::time::Instant;

/// A bounded set of peers, each until its time. When there are too many, the one that would go first goes.
#[derive(Default)]
pub(super) struct Memory {
    until: BTreeMap<PeerId, Instant>,
}

impl Memory {
    /// Returns the peer that had to go for it.
    pub(super) fn remember(&mut self, peer: PeerId, until: Instant) -> Option<PeerId> {
        self.until.insert(peer, until);
        let first = self.until.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer);
        first.filter(|_| self.until.len() > PEERS).inspect(|first| {
            self.until.remove(first);
        })
    }

    pub(super) fn holds(&self, peer: &PeerId) -> bool {
        self.until.contains_key(peer)
    }

    /// Removes and returns those whose time has come.
    pub(super) fn forget(&mut self, now: Instant) -> Vec<PeerId> {
        let due = self.until.iter().filter(|(_, until)| **until <= now).map(|(peer, _)| *peer).collect::<Vec<_>>();
        for peer in &due {
            self.until.remove(peer);
        }
        due
    }
}

/// Offences of peers. No honest node commits one, but a broken one might, so that a few are forgiven.
#[derive(Default)]
pub(super) struct Offences {
    counts: BTreeMap<PeerId, u32>,
    memory: Memory,
}

impl Offences {
    /// Counts one; true if it was one too many. The count starts again then.
    pub(super) fn commit(&mut self, peer: PeerId, now: Instant) -> bool {
        for forgiven in self.memory.forget(now) {
            self.counts.remove(&forgiven);
        }
        self.memory.remember(peer, now + FORGIVE);
        let count = self.counts.entry(peer).or_default();
        *count += 1;
        let too_many = *count >= PARDONED;
        if too_many {
            self.counts.remove(&peer);
        }
        let memory = &self.memory;
        self.counts.retain(|peer, _| memory.holds(peer));
        too_many
    }
}

/// Offences that lead to a ban: invalid transactions, messages and answers that cannot be read.
pub(super) const PARDONED: u32 = 8;
/// Without a further one in this time, offences are forgiven.
const FORGIVE: Duration = Duration::from_secs(600);
/// For how long a peer that committed [`PARDONED`] offences is not let in.
pub(super) const BAN: Duration = Duration::from_secs(600);
/// For how long a peer that flooded us is not let in.
pub(super) const FLOOD_BAN: Duration = Duration::from_secs(60);
/// For how long no snapshot is fetched from a peer that gave a bad chunk.
pub(super) const DISTRUST: Duration = Duration::from_secs(3_600);
/// Most peers in one memory. Names cost nothing, so that more would only be a way to fill it.
const PEERS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_offence_is_one_too_many() {
        let (peer, now) = (PeerId::random(), Instant::now());
        let mut offences = Offences::default();
        assert_eq!((0..9).map(|_| offences.commit(peer, now)).filter(|banned| *banned).count(), 1);
    }

    #[test]
    fn old_offences_are_forgiven() {
        let (peer, start) = (PeerId::random(), Instant::now());
        let mut offences = Offences::default();
        for number in 0..100 {
            assert!(!offences.commit(peer, start + FORGIVE * number));
        }
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let now = Instant::now();
        let mut offences = Offences::default();
        let first = PeerId::random();
        offences.commit(first, now);
        for _ in 0..2 * PEERS {
            offences.commit(PeerId::random(), now + Duration::from_secs(1));
        }
        assert!(offences.counts.len() <= PEERS && offences.memory.until.len() <= PEERS);
        assert!(!offences.memory.holds(&first));
    }
}
