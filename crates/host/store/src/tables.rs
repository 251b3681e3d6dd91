//! The layout of the database. Integers in keys are big-endian, so that their order is the numbers'; what has a structure is
//! borsh.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | name | see [`meta`] |
//! | `headers` | height | [`cloister_chain::Header`] |
//! | `bodies` | height, from 1 | transactions, the parent's certificate, evidence: a [`cloister_chain::Block`] less its header |
//! | `certificates` | height, from 1 | [`cloister_chain::Certificate`] |
//! | `decided` | height, above the tip | [`cloister_chain::Block`] that was decided and is still to be executed |
//! | `proposals` | height, above the tip; round ‖ block hash | what consensus keeps of a proposal |
//! | `links` | height of a block after which another set signs | [`cloister_chain::trail::Link`] |
//! | `sets` | hash | [`cloister_chain::ValidatorSet`] that signs or signed some height |
//! | `receipts` | height | list of [`cloister_chain::Receipt`] |
//! | `blooms` | height, if the block has events | bloom of the block's events (yellow paper, 4.3.1), 256 bytes |
//! | `heights` | block hash | height |
//! | `locations` | transaction hash | height, index in the block |
//! | `events` | tag ‖ height | indexes of the Cosmos transactions that have the tag ([`crate::Tag`]), 4 bytes each |
//! | `leaves` | leaf ‖ (2⁶⁴ - 1 - height) | value, or none where the leaf was removed |
//! | `names` | position ([`Leaf::position`]) | leaf of a value that the network sealed ([`Leaf::sealed_in`]) at the tip |
//! | `written` | height, from 1, if not pruned | leaves that the block wrote, for pruning |
//! | `blobs` | keccak-256 | blob |
//!
//! Leaf names have no prefix in common with each other beyond themselves, and the height is inverted: so the first entry at
//! or after `leaf ‖ (2⁶⁴ - 1 - h)` is the newest version at or below height h, if it is the leaf's at all.

use borsh::BorshDeserialize;
use cloister_chain::Leaf;
use redb::TableDefinition;

use crate::StoreError;

/// Version of this layout.
pub(crate) const LAYOUT: u64 = 4;

pub(crate) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(crate) const HEADERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("headers");
pub(crate) const BODIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("bodies");
pub(crate) const CERTIFICATES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("certificates");
pub(crate) const DECIDED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("decided");
pub(crate) const PROPOSALS: TableDefinition<'_, (u64, &[u8; 36]), &[u8]> = TableDefinition::new("proposals");
pub(crate) const LINKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("links");
pub(crate) const SETS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("sets");
pub(crate) const RECEIPTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("receipts");
pub(crate) const BLOOMS: TableDefinition<'_, u64, &[u8; 256]> = TableDefinition::new("blooms");
pub(crate) const HEIGHTS: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("heights");
pub(crate) const LOCATIONS: TableDefinition<'_, &[u8; 32], (u64, u32)> = TableDefinition::new("locations");
pub(crate) const EVENTS: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("events");
pub(crate) const LEAVES: TableDefinition<'_, &[u8], Option<&[u8]>> = TableDefinition::new("leaves");
pub(crate) const NAMES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("names");
pub(crate) const WRITTEN: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("written");
pub(crate) const BLOBS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("blobs");

/// Names in the table `meta`.
pub(crate) mod meta {
    /// [`super::LAYOUT`], 8 bytes, little-endian.
    pub(crate) const LAYOUT: &str = "layout";
    /// [`cloister_chain::Genesis`].
    pub(crate) const GENESIS: &str = "genesis";
    /// The enclave's last checkpoint, sealed.
    pub(crate) const CHECKPOINT: &str = "checkpoint";
    /// Tip and results of its block: [`crate::Head`].
    pub(crate) const HEAD: &str = "head";
    /// Oldest height whose state is kept, 8 bytes, little-endian.
    pub(crate) const OLDEST: &str = "oldest";
}

/// Key of the version of `leaf` that was written at `height`.
pub(crate) fn version_key(leaf: &Leaf, height: u64) -> Vec<u8> {
    let mut key = leaf.to_bytes();
    key.extend_from_slice(&(u64::MAX - height).to_be_bytes());
    key
}

/// Encoded leaf and height of a version's key.
pub(crate) fn split_version_key(key: &[u8]) -> Result<(&[u8], u64), StoreError> {
    let (leaf, height) = key.split_last_chunk().ok_or(StoreError::Corrupted("leaves"))?;
    Ok((leaf, u64::MAX - u64::from_be_bytes(*height)))
}

/// Decodes what this crate encoded; `part` names it in the error.
pub(crate) fn decode<T: BorshDeserialize>(bytes: &[u8], part: &'static str) -> Result<T, StoreError> {
    borsh::from_slice(bytes).map_err(|_| StoreError::Corrupted(part))
}
