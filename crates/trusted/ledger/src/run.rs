//! One run of an enclave, as the chain sees it (M-04, M-06).
//!
//! An enclave cannot know whether the state that its host starts it from is the newest. What it can know: the boot key that it
//! drew when it started stands in a block, so the block was made afterwards. And two enclaves that a host started on one chip can
//! both go on with blocks, but the chain lists one of them: the one that was registered last.

use cloister_chain::trust::Node;
use cloister_chain::{B256, Leaf};
use cloister_teeth::{Mechanism, holds};

/// A run that waits for the chain to list it, or is listed.
#[derive(Debug)]
pub(crate) struct Run {
    chip: B256,
    boot_key: B256,
    /// Until when the chain lists it, in seconds since the Unix epoch.
    until: u64,
}

impl Run {
    /// A run that the chain has not seen.
    pub(crate) const fn new(chip: B256, boot_key: B256) -> Self {
        Self { chip, boot_key, until: 0 }
    }

    /// Looks at what a block wrote, which was made at `now`, in seconds since the Unix epoch. True if this is the run that the chain
    /// lists for its chip, and its evidence holds.
    pub(crate) fn follow(&mut self, writes: &[(Leaf, Option<Vec<u8>>)], now: u64) -> bool {
        for (_, value) in writes.iter().filter(|(leaf, _)| *leaf == Leaf::Node(self.chip)) {
            let node: Option<Node> = value.as_deref().and_then(|value| borsh::from_slice(value).ok());
            let own = node.filter(|node| node.boot.kem == self.boot_key && !node.revoked);
            if own.is_some() || holds(Mechanism::OneRun) {
                self.until = own.map_or(0, |node| node.expires);
            }
        }
        now < self.until
    }
}
