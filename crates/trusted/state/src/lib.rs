//! The state as the enclave sees it: a tree of hashes in its own memory, values from a host that it does not trust.
//!
//! Purpose: a [`Tree`] knows for every name whether there is a value and which hash it has. A [`View`] reads values at one
//! height: from the shared [`Cache`] or from the host through [`Supply`], and returns only what the tree says (M-03). An
//! [`Overlay`] gathers the writes of a block. A tree is immutable below its handle: cloning one is free, and a clone is the
//! snapshot of a height.
//!
//! Must not know: keys, plaintext, what a value means, blocks.
//!
//! ```
//! use cloister_state::{Cache, Leaf, NoSupply, Overlay, Tree, View};
//!
//! let mut tree = Tree::new();
//! let mut overlay = Overlay::new(View::new(tree.clone(), 0, Cache::default(), NoSupply));
//! assert_eq!(overlay.read(&Leaf::Chain)?, None);
//! overlay.write(Leaf::Chain, Some(b"value".to_vec()));
//! let changes = overlay.finish();
//! tree.apply_writes(&changes.writes);
//!
//! let proof = tree.prove(&Leaf::Chain);
//! assert!(proof.verify(&tree.root(), &Leaf::Chain, Some(b"value")).is_ok());
//! # Ok::<(), cloister_state::StateError>(())
//! ```

mod cache;
mod overlay;
mod supply;
mod tree;
mod view;

pub use cache::Cache;
pub use cloister_chain::Leaf;
pub use overlay::{Changes, Overlay};
pub use supply::{NoSupply, Supplied, Supply, SupplyError, Wanted};
pub use tree::Tree;
pub use view::{StateError, View};

#[cfg(test)]
mod tests;
