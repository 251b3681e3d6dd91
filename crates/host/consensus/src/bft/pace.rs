//! How fast heights follow each other.

use std::time::Duration;

use malachite_types::LinearTimeouts;

/// Times of one network. All validators should have the same, but nothing depends on it except speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a round waits for its proposal.
    pub propose: Duration,
    /// How long it waits for more prevotes once two thirds disagree.
    pub prevote: Duration,
    /// How long it waits for more precommits once two thirds disagree.
    pub precommit: Duration,
    /// By how much each of these grows with each round.
    pub delta: Duration,
    /// After how long without progress votes are sent again.
    pub rebroadcast: Duration,
    /// How long a height takes at least: until then late precommits are collected, which count for who was absent. Delays
    /// the next block, not the execution of this one.
    pub target: Option<Duration>,
    /// How long after a block an empty one follows when nothing waits.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let millis = Duration::from_millis;
        Self {
            propose: millis(1_000),
            prevote: millis(500),
            precommit: millis(500),
            delta: millis(250),
            rebroadcast: millis(1_500),
            target: Some(millis(50)),
            idle: millis(10_000),
        }
    }
}

impl Pace {
    /// As the engine wants it.
    pub(super) fn timeouts(&self) -> LinearTimeouts {
        LinearTimeouts {
            propose: self.propose,
            propose_delta: self.delta,
            prevote: self.prevote,
            prevote_delta: self.delta,
            precommit: self.precommit,
            precommit_delta: self.delta,
            rebroadcast: self.rebroadcast,
            max_timeout: Duration::from_secs(60),
        }
    }

    /// [`Self::idle`] in nanoseconds.
    pub(super) fn idle_nanos(&self) -> u64 {
        u64::try_from(self.idle.as_nanos()).unwrap_or(u64::MAX)
    }
}
