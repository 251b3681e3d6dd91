//! What waits to be sent.

use std::collections::VecDeque;
use std::sync::Mutex;

use cloister_chain::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::lock;
use super::wire::{BATCH_BYTES, BATCH_TXS, TX_OVERHEAD};

/// A bounded queue that any thread fills and the swarm empties. What does not fit is refused, so that the oldest go first.
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
    most_txs: usize,
    most_bytes: usize,
}

#[derive(Default)]
struct Queue {
    txs: VecDeque<Bytes>,
    bytes: usize,
}

/// What goes out at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parcel {
    /// Travels in one message.
    Batch(Vec<Bytes>),
    /// Too large for a message: announced, and fetched by those who lack it.
    Large(Bytes),
}

impl Outbox {
    pub(super) fn new(most_txs: usize, most_bytes: usize) -> Self {
        Self { queue: Mutex::default(), filled: Notify::new(), most_txs, most_bytes }
    }

    /// False if there is no room.
    pub(super) fn push(&self, tx: Bytes) -> bool {
        let mut queue = lock(&self.queue);
        if queue.txs.len() >= self.most_txs || queue.bytes + tx.len() > self.most_bytes {
            return false;
        }
        queue.bytes += tx.len();
        queue.txs.push_back(tx);
        drop(queue);
        self.filled.notify_one();
        true
    }

    /// As much as one message holds, in order; `None` if nothing waits.
    pub(super) fn take(&self) -> Option<Parcel> {
        let mut queue = lock(&self.queue);
        let mut batch = Vec::new();
        let mut size = 0;
        while let Some(next) = queue.txs.front()
            && batch.len() < BATCH_TXS
            && size + next.len() + TX_OVERHEAD <= BATCH_BYTES
        {
            size += next.len() + TX_OVERHEAD;
            batch.extend(queue.pop());
        }
        match batch.is_empty() {
            true => queue.pop().map(Parcel::Large),
            false => Some(Parcel::Batch(batch)),
        }
    }

    /// Returns when it is `at` or later and something waits. May be dropped and called again.
    pub(super) async fn filled(&self, at: Instant) {
        sleep_until(at).await;
        while lock(&self.queue).txs.is_empty() {
            self.filled.notified().await;
        }
    }

    /// Transactions that wait.
    pub(super) fn size(&self) -> usize {
        lock(&self.queue).txs.len()
    }
}

impl Queue {
    fn pop(&mut self) -> Option<Bytes> {
        let tx = self.txs.pop_front()?;
        self.bytes -= tx.len();
        Some(tx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tx(byte: u8, length: usize) -> Bytes {
        vec![byte; length].into()
    }

    #[test]
    fn what_waits_leaves_together_and_in_order() {
        let outbox = Outbox::new(1_000, 1 << 20);
        for number in 0..130 {
            assert!(outbox.push(tx(number, 10)));
        }
        let Some(Parcel::Batch(first)) = outbox.take() else { panic!("a batch waits") };
        assert_eq!(first, (0..128).map(|number| tx(number, 10)).collect::<Vec<_>>());
        assert_eq!(outbox.take(), Some(Parcel::Batch(vec![tx(128, 10), tx(129, 10)])));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn a_large_one_goes_alone_and_keeps_its_place() {
        let outbox = Outbox::new(1_000, 1 << 20);
        for (byte, length) in [(1, 10), (2, BATCH_BYTES), (3, 10)] {
            assert!(outbox.push(tx(byte, length)));
        }
        assert_eq!(outbox.take(), Some(Parcel::Batch(vec![tx(1, 10)])));
        assert_eq!(outbox.take(), Some(Parcel::Large(tx(2, BATCH_BYTES))));
        assert_eq!(outbox.take(), Some(Parcel::Batch(vec![tx(3, 10)])));
    }

    #[test]
    fn it_refuses_what_does_not_fit_and_has_room_again_when_emptied() {
        let outbox = Outbox::new(3, 100);
        assert!(outbox.push(tx(1, 60)));
        assert!(!outbox.push(tx(2, 41)));
        assert!(outbox.push(tx(3, 30)) && outbox.push(tx(4, 10)) && !outbox.push(tx(5, 0)));
        assert_eq!(outbox.size(), 3);
        assert!(outbox.take().is_some());
        assert!(outbox.push(tx(6, 100)));
    }
}
