//! Numbers for an operator.

use std::sync::atomic::{AtomicU64, Ordering};

/// What happened since the start, and what waits now. Transactions, where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Came from peers and were accepted by the pool.
    pub accepted: u64,
    /// Came from peers and were ignored by the pool.
    pub ignored: u64,
    /// Came from peers and were invalid, or messages that could not be read.
    pub invalid: u64,
    /// Came from peers and were known.
    pub known: u64,
    /// Messages of peers that were dropped because the peer sent too much.
    pub beyond_rate: u64,
    /// Came from peers and were dropped because too many waited for the pool.
    pub no_room: u64,
    /// Were to be sent and were dropped because too many waited, or because no connection took them.
    pub unsent: u64,
    /// Messages sent on our own account.
    pub sent: u64,
    /// Messages of peers that were forwarded.
    pub forwarded: u64,
    /// Peers that were disconnected for what they did.
    pub banned: u64,
    /// Requests of peers that were declined because there were too many.
    pub declined: u64,
    /// Wait for the pool now.
    pub waiting_in: u64,
    /// Wait to be sent now.
    pub waiting_out: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    ignored: AtomicU64,
    invalid: AtomicU64,
    known: AtomicU64,
    beyond_rate: AtomicU64,
    no_room: AtomicU64,
    unsent: AtomicU64,
    sent: AtomicU64,
    forwarded: AtomicU64,
    banned: AtomicU64,
    declined: AtomicU64,
    waiting_in: AtomicU64,
}

macro_rules! count {
    ($($name:ident),*) => {
        $(pub(super) fn $name(&self, more: usize) {
            self.$name.fetch_add(more as u64, Ordering::Relaxed);
        })*
    };
}

impl Counters {
    count!(accepted, ignored, invalid, known, beyond_rate, no_room, unsent, sent, forwarded, banned, declined);

    pub(super) fn waiting_in(&self, now: usize) {
        self.waiting_in.store(now as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self, waiting_out: usize) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            accepted: read(&self.accepted),
            ignored: read(&self.ignored),
            invalid: read(&self.invalid),
            known: read(&self.known),
            beyond_rate: read(&self.beyond_rate),
            no_room: read(&self.no_room),
            unsent: read(&self.unsent),
            sent: read(&self.sent),
            forwarded: read(&self.forwarded),
            banned: read(&self.banned),
            declined: read(&self.declined),
            waiting_in: read(&self.waiting_in),
            waiting_out: waiting_out as u64,
        }
    }
}
