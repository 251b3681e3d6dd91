//! What the block loop waits for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A bell with a note on what it rang for. Ringing twice is as good as once.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    notes: Mutex<Notes>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Notes {
    work: bool,
    lost: Option<u64>,
    stop: bool,
}

/// Why the loop woke up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The node is to stop.
    Stop,
    /// The enclave of this generation is gone, or useless.
    Lost(u64),
    /// Transactions may be waiting.
    Work,
    /// The time is up.
    Time,
}

impl Signal {
    pub(crate) fn work(&self) {
        self.lock().work = true;
        self.bell.notify_all();
    }

    pub(crate) fn lost(&self, generation: u64) {
        let mut notes = self.lock();
        notes.lost = notes.lost.max(Some(generation));
        drop(notes);
        self.bell.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.bell.notify_all();
    }

    pub(crate) fn stopping(&self) -> bool {
        self.lock().stop
    }

    /// Waits for the next event, until `deadline` if there is one.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Event {
        let mut notes = self.lock();
        loop {
            if notes.stop {
                return Event::Stop;
            }
            if let Some(generation) = notes.lost.take() {
                return Event::Lost(generation);
            }
            if std::mem::take(&mut notes.work) {
                return Event::Work;
            }
            notes = match deadline {
                None => self.bell.wait(notes).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Event::Time;
                    }
                    self.bell.wait_timeout(notes, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        // Each note stands for itself.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
