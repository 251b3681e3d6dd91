//! What a node counts about itself.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// What a node counts about itself, from its start on. Copies share their numbers; counting waits for nobody.
#[derive(Clone, Debug)]
pub struct Vitals {
    pub(super) blocks: Counter,
    pub(super) transactions: Counter,
    pub(super) execution: Histogram,
    pub(super) interval: Histogram,
    pub(super) restarts: Counter,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            blocks: Counter::default(),
            transactions: Counter::default(),
            // From a quarter of a millisecond to eight seconds, and from four milliseconds to two minutes.
            execution: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            interval: Histogram::new(exponential_buckets(0.004, 2.0, 16)),
            restarts: Counter::default(),
        }
    }
}

impl Vitals {
    /// A block of `transactions` is executed and committed, `interval` after the one before it by their headers; the enclave
    /// took `execution`.
    pub fn committed(&self, transactions: usize, interval: Duration, execution: Duration) {
        self.blocks.inc();
        self.transactions.inc_by(u64::try_from(transactions).unwrap_or(u64::MAX));
        self.interval.observe(interval.as_secs_f64());
        self.execution.observe(execution.as_secs_f64());
    }

    /// The enclave died and is there again.
    pub fn restarted(&self) {
        self.restarts.inc();
    }

    pub(super) fn enclave_restarts(&self) -> u64 {
        self.restarts.get()
    }
}
