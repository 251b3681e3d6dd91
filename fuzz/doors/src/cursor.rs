//! Structure out of arbitrary bytes.

use alloy_primitives::U256;

/// Reads from the front; at the end everything is zero.
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let bytes = self.take(N);
        array[..bytes.len()].copy_from_slice(bytes);
        array
    }

    pub(crate) fn word(&mut self) -> U256 {
        U256::from_be_bytes(self.array::<32>())
    }

    /// Up to `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (front, back) = self.0.split_at(count.min(self.0.len()));
        self.0 = back;
        front
    }

    /// A length of one byte, and so many bytes.
    pub(crate) fn short(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte());
        self.take(count)
    }

    /// A length of two bytes (big-endian), and so many bytes.
    pub(crate) fn long(&mut self) -> &'a [u8] {
        let count = usize::from(u16::from_be_bytes(self.array()));
        self.take(count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
