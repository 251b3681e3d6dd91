//! Hiding lengths: `padded = length(4, big-endian) ‖ content ‖ zeroes`, as long as the next bucket `smallest · 2^k`.
//!
//! Only the bucket shows. One content has one padded form, and no other is accepted.

use cloister_teeth::{Mechanism, holds};
use zeroize::Zeroizing;

const LENGTH_BYTES: usize = 4;

/// A family of buckets: `smallest`, twice that, and so on up to `largest`. All sizes are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    smallest: usize,
    largest: usize,
}

impl Buckets {
    /// Both sizes are powers of two; the smallest has room for the length, the largest is at most 1 GiB.
    ///
    /// # Panics
    /// When they are not. Meant for constants, where the compiler says so.
    pub const fn new(smallest: usize, largest: usize) -> Self {
        assert!(smallest.is_power_of_two() && largest.is_power_of_two());
        assert!(LENGTH_BYTES < smallest && smallest <= largest && largest <= 1 << 30);
        Self { smallest, largest }
    }

    /// The longest content.
    pub const fn capacity(&self) -> usize {
        self.largest - LENGTH_BYTES
    }

    /// Whether a padded content can have this length.
    pub fn holds(&self, padded: usize) -> bool {
        let bucket = padded.is_power_of_two() && self.smallest <= padded;
        (bucket || !holds(Mechanism::Padding)) && padded <= self.largest
    }

    /// Pads `content`, or nothing when it is longer than [`Self::capacity`].
    pub fn pad(&self, content: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let bucket = self.bucket(content.len())?;
        let length = u32::try_from(content.len()).expect("a bucket has at most 1 GiB");
        let mut padded = Zeroizing::new(vec![0; bucket]);
        padded[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
        padded[LENGTH_BYTES..][..content.len()].copy_from_slice(content);
        Some(padded)
    }

    /// The content of `padded`, or nothing when [`Self::pad`] did not make it.
    pub fn unpad(&self, mut padded: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
        let length = usize::try_from(u32::from_be_bytes(*padded.first_chunk()?)).ok()?;
        if self.bucket(length)? != padded.len() {
            return None;
        }
        let end = LENGTH_BYTES + length;
        if padded[end..].iter().any(|byte| *byte != 0) {
            return None;
        }
        padded.copy_within(LENGTH_BYTES..end, 0);
        padded.truncate(length);
        Some(padded)
    }

    fn bucket(&self, content: usize) -> Option<usize> {
        let whole = content + LENGTH_BYTES;
        let bucket = if holds(Mechanism::Padding) { whole.next_power_of_two().max(self.smallest) } else { whole };
        (content <= self.capacity()).then_some(bucket)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUCKETS: Buckets = Buckets::new(32, 128);

    #[test]
    fn a_content_fills_its_bucket_and_one_byte_more_takes_the_next() {
        let lengths = [(0, 32), (28, 32), (29, 64), (60, 64), (61, 128), (124, 128)];
        for (content, bucket) in lengths {
            assert_eq!(BUCKETS.pad(&vec![1; content]).map(|padded| padded.len()), Some(bucket));
        }
        assert_eq!(BUCKETS.pad(&[1; 125]), None);
        assert_eq!(BUCKETS.pad(b"ab").expect("short")[..8], [0, 0, 0, 2, b'a', b'b', 0, 0]);
    }

    #[test]
    fn only_the_one_form_of_a_content_is_accepted() {
        let padded = BUCKETS.pad(b"content").expect("short");
        let larger = [padded.as_slice(), &[0; 32]].concat();
        let mut not_zero = padded.to_vec();
        not_zero[31] = 1;
        let mut too_long = padded.to_vec();
        too_long[..4].copy_from_slice(&29_u32.to_be_bytes());
        let mut absurd = padded.to_vec();
        absurd[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        for refused in [vec![], vec![0; 3], padded[..31].to_vec(), larger, not_zero, too_long, absurd] {
            assert_eq!(BUCKETS.unpad(Zeroizing::new(refused)), None);
        }
    }

    proptest! {
        #[test]
        fn a_content_comes_back(content in prop::collection::vec(any::<u8>(), 0..125)) {
            let padded = BUCKETS.pad(&content).expect("at most 124 bytes");
            prop_assert!(BUCKETS.holds(padded.len()));
            prop_assert_eq!(&*BUCKETS.unpad(padded).expect("padded just now"), &content);
        }

        #[test]
        fn what_is_accepted_is_written_back(padded in prop::collection::vec(0_u8..2, 0..40)) {
            if let Some(content) = BUCKETS.unpad(Zeroizing::new(padded.clone())) {
                prop_assert_eq!(&*BUCKETS.pad(&content).expect("it was in a bucket"), &padded);
            }
        }
    }
}
