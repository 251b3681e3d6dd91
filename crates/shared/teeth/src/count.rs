//! How often something that was sealed was opened: what a test of M-07 asks.
//!
//! Builds with debug assertions count, each thread for itself; no release does, and none has the counter in it. It is no feature of
//! cargo's, because tests and the node that they start would then be two builds of everything.

/// One more. Called wherever the network's keys turn ciphertext into plaintext.
#[inline]
pub fn decrypted() {
    #[cfg(debug_assertions)]
    counter::DECRYPTIONS.set(counter::DECRYPTIONS.get().saturating_add(1));
}

#[cfg(debug_assertions)]
mod counter {
    use std::cell::Cell;

    thread_local! {
        pub(super) static DECRYPTIONS: Cell<u64> = const { Cell::new(0) };
    }

    /// How many there were on this thread.
    pub fn decryptions() -> u64 {
        DECRYPTIONS.get()
    }
}
#[cfg(debug_assertions)]
pub use counter::decryptions;
