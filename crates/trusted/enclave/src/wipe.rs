//! What keys leave on a stack.
//!
//! Secrets live on the heap and are erased when they are dropped. What works on them (hashes, ciphers, the curve) keeps them on the
//! stack while it does, and moving such a state leaves a copy where it was. Nothing of it is overwritten until the stack grows as
//! deep again, which on a thread that waits for questions may be never. So a thread overwrites what is below it: after each answer,
//! and when a root is erased.

use std::hint::black_box;

/// After an answer: deeper than most questions go. It takes some ten microseconds.
pub(crate) const SHALLOW: usize = 256 << 10;
/// When a root is erased. Half of the smallest stack that an enclave runs on.
pub(crate) const DEEP: usize = 1 << 20;

/// Overwrites the next `BYTES` of this thread's stack.
#[inline(never)]
pub(crate) fn stack<const BYTES: usize>() {
    let mut below = [0u8; BYTES];
    black_box(&mut below);
}
