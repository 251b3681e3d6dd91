//! What never comes to an end by itself. `black_box` keeps the compiler from noticing.

use std::hint::black_box;

pub fn panic() -> ! {
    panic!("the contract was told to panic")
}

pub fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Fills the call stack: the work after the inner call cannot be turned into a loop.
#[inline(never)]
pub fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    recurse(depth + 1).rotate_left(7).wrapping_mul(31) ^ depth
}

/// Takes memory by the page, and writes to each.
pub fn grow() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1_u8; 1 << 16]));
    }
}
