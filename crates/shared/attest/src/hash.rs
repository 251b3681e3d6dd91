use alloy_primitives::B256;
use sha2::{Digest, Sha256};

/// `SHA-256(len(label) ‖ label ‖ len(parts[0]) ‖ parts[0] ‖ …)`, each length four bytes, little-endian.
pub(crate) fn digest(label: &str, parts: &[&[u8]]) -> B256 {
    B256::from_slice(&absorb(Sha256::new(), label, parts).finalize())
}

/// Feeds a hash with the label and the parts, each behind its length, so that no two lists give the same bytes.
pub(crate) fn absorb<H: Digest>(mut hasher: H, label: &str, parts: &[&[u8]]) -> H {
    for part in [label.as_bytes()].iter().chain(parts) {
        let length = u32::try_from(part.len()).expect("what is hashed here is bounded far below 4 GiB");
        hasher.update(length.to_le_bytes());
        hasher.update(part);
    }
    hasher
}
