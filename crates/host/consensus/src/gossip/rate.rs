//! How much a peer may send.

use tokio::time::Instant;

use super::Limits;

/// A peer's share: a narrow pair of buckets whose overflow is dropped, and a wide one whose overflow is a flood.
pub(super) struct Allowance {
    units: Bucket,
    bytes: Bucket,
    flood_units: Bucket,
    flood_bytes: Bucket,
    requests: Bucket,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Within the peer's rate.
    Within,
    /// Beyond it: dropped.
    Beyond,
    /// So far beyond it that no honest node sends as much: disconnected.
    Flood,
}

impl Allowance {
    /// A full allowance.
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let bucket = |rate: u32, width: u32| Bucket::new(f64::from(rate), f64::from(width), now);
        Self {
            units: bucket(limits.peer_units, BURST),
            bytes: bucket(limits.peer_bytes, BURST),
            flood_units: bucket(limits.peer_units.saturating_mul(FLOOD_RATE), FLOOD_BURST),
            flood_bytes: bucket(limits.peer_bytes.saturating_mul(FLOOD_RATE), FLOOD_BURST),
            requests: bucket(REQUESTS, REQUEST_BURST),
        }
    }

    /// Charges a message of `units` and `bytes`.
    pub(super) fn take(&mut self, units: usize, bytes: usize, now: Instant) -> Admission {
        let flood = [self.flood_units.take(units, now), self.flood_bytes.take(bytes, now)].contains(&false);
        match flood {
            true => Admission::Flood,
            false if self.units.holds(units, now) && self.bytes.holds(bytes, now) => {
                self.units.take(units, now);
                self.bytes.take(bytes, now);
                Admission::Within
            }
            false => Admission::Beyond,
        }
    }

    /// Charges a request that the peer wants answered; false if it asks too often.
    pub(super) fn request(&mut self, now: Instant) -> bool {
        self.requests.take(1, now)
    }
}

/// A token bucket.
struct Bucket {
    rate: f64,
    capacity: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket, `width` seconds wide.
    fn new(rate: f64, width: f64, now: Instant) -> Self {
        let capacity = rate * width;
        Self { rate, capacity, level: capacity, at: now }
    }

    fn take(&mut self, amount: usize, now: Instant) -> bool {
        let enough = self.holds(amount, now);
        if enough {
            self.level -= amount as f64;
        }
        enough
    }

    fn holds(&mut self, amount: usize, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now.max(self.at);
        self.level = (self.level + elapsed * self.rate).min(self.capacity);
        self.level >= amount as f64
    }
}

/// Seconds of the rate that may come at once.
const BURST: u32 = 4;
/// A flood is more than this many times the rate in the long run, …
const FLOOD_RATE: u32 = 4;
/// … or that rate for this many seconds at once. An honest node under a flood of clients forwards what its own pool accepts;
/// this is more than a pool can check in the time.
const FLOOD_BURST: u32 = 8;
/// Requests of one peer that are answered in a second: chunks of snapshots, mostly.
const REQUESTS: u32 = 32;
/// Seconds of requests that may come at once.
const REQUEST_BURST: u32 = 4;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limits() -> Limits {
        Limits { peer_units: 10, peer_bytes: 1_000, ..Limits::default() }
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let start = Instant::now();
        let mut allowance = Allowance::new(&limits(), start);
        assert_eq!(allowance.take(40, 1, start), Admission::Within);
        assert_eq!(allowance.take(1, 1, start), Admission::Beyond);
        let later = start + Duration::from_secs(1);
        assert_eq!(allowance.take(10, 1, later), Admission::Within);
        assert_eq!(allowance.take(1, 1, later), Admission::Beyond);
    }

    #[test]
    fn bytes_count_as_units_do() {
        let start = Instant::now();
        let mut allowance = Allowance::new(&limits(), start);
        assert_eq!(allowance.take(1, 4_001, start), Admission::Beyond);
        assert_eq!(allowance.take(1, 4_000, start), Admission::Within);
        assert_eq!(allowance.take(1, 1, start), Admission::Beyond);
    }

    #[test]
    fn who_goes_on_beyond_it_floods() {
        let start = Instant::now();
        let mut allowance = Allowance::new(&limits(), start);
        let beyond = (0..1_000).map(|_| allowance.take(1, 1, start)).collect::<Vec<_>>();
        assert_eq!(beyond.iter().filter(|one| **one == Admission::Within).count(), 40);
        assert_eq!(beyond.iter().filter(|one| **one == Admission::Beyond).count(), 320 - 40);
        assert_eq!(beyond.last(), Some(&Admission::Flood));
    }

    #[test]
    fn time_that_stands_still_or_runs_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(10);
        let mut allowance = Allowance::new(&limits(), start);
        assert_eq!(allowance.take(40, 1, start), Admission::Within);
        assert_eq!(allowance.take(1, 1, start - Duration::from_secs(5)), Admission::Beyond);
        assert_eq!(allowance.take(1, 1, start), Admission::Beyond);
    }
}
