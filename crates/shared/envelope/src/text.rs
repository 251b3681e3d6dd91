//! Strings: the UTF-8 bytes in groups of 8, the last one padded at its end with zero bytes; each group is read as a
//! big-endian 64-bit number and sealed as one cell. The empty string has no cells. (COTI gcEVM `ctString`.)
//!
//! The number of cells shows the length of a string to everybody. Zero bytes at the end of a string do not survive.

use alloy_primitives::U256;

use crate::{Error, UserCipher};

/// The bytes in one group.
pub const GROUP_BYTES: usize = 8;

/// Seals `text` with one fresh `r` from `next_r` for each 8 bytes, in order.
pub fn seal(cipher: &UserCipher, text: &str, mut next_r: impl FnMut() -> [u8; 16]) -> Vec<U256> {
    groups(text.as_bytes()).into_iter().map(|group| cipher.seal(next_r(), group.into())).collect()
}

/// Opens the cells of a string.
pub fn open(cipher: &UserCipher, cells: &[U256]) -> Result<String, Error> {
    let groups: Vec<u64> = cells.iter().map(|cell| low_64(cipher.open(*cell))).collect();
    let mut bytes = ungroup(&groups);
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(length);
    String::from_utf8(bytes).map_err(|_| Error::NotText)
}

/// Cuts bytes into 64-bit numbers, the last one padded at its end with zero bytes.
pub fn groups(bytes: &[u8]) -> Vec<u64> {
    bytes
        .chunks(GROUP_BYTES)
        .map(|chunk| {
            let mut group = [0; GROUP_BYTES];
            group[..chunk.len()].copy_from_slice(chunk);
            u64::from_be_bytes(group)
        })
        .collect()
}

/// Joins 64-bit numbers to bytes, the padding of the last one included.
pub fn ungroup(groups: &[u64]) -> Vec<u8> {
    groups.iter().flat_map(|group| group.to_be_bytes()).collect()
}

/// The SDKs ignore what a cell holds above its 8 bytes.
fn low_64(plain: u128) -> u64 {
    u64::try_from(plain & u128::from(u64::MAX)).expect("masked to 64 bits")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::UserKey;

    fn counter() -> impl FnMut() -> [u8; 16] {
        let mut next = 0_u128;
        move || {
            next += 1;
            next.to_be_bytes()
        }
    }

    #[test]
    fn the_last_group_is_padded_at_its_end() {
        assert_eq!(groups(b"a"), [0x6100_0000_0000_0000]);
        assert_eq!(groups(b"123456789"), [0x3132_3334_3536_3738, 0x3900_0000_0000_0000]);
        assert_eq!(ungroup(&groups(b"123456789")), b"123456789\0\0\0\0\0\0\0");
        assert!(groups(b"").is_empty());
    }

    #[test]
    fn bits_above_a_group_are_ignored_as_the_sdks_do() {
        let cipher = UserCipher::new(&UserKey::from_bytes([1; 16]));
        let cell = cipher.seal([2; 16], 0xdead << 64 | 0x6100_0000_0000_0000);
        assert_eq!(open(&cipher, &[cell]).as_deref(), Ok("a"));
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        let cipher = UserCipher::new(&UserKey::from_bytes([1; 16]));
        assert_eq!(open(&cipher, &[cipher.seal([2; 16], 0xff << 56)]), Err(Error::NotText));
    }

    proptest! {
        #[test]
        fn a_string_comes_back(text in "[^\\x00]{0,40}") {
            let cipher = UserCipher::new(&UserKey::from_bytes([1; 16]));
            let cells = seal(&cipher, &text, counter());
            prop_assert_eq!(cells.len(), text.len().div_ceil(8));
            prop_assert_eq!(open(&cipher, &cells), Ok(text));
        }
    }
}
