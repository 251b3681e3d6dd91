use cloister_chain::proof::Proof;
use cloister_chain::{Header, Leaf};

use super::LightError;

/// A value of the state, or its absence, with its way to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafProof {
    /// The value; `None` if there is none.
    pub value: Option<Vec<u8>>,
    /// The way.
    pub proof: Proof,
}

impl LeafProof {
    /// Succeeds when this is what stands under `leaf` after the block below `above`, the header that names the root.
    pub fn verify(&self, leaf: &Leaf, above: &Header) -> Result<(), LightError> {
        Ok(self.proof.verify(&above.state_root, leaf, self.value.as_deref())?)
    }
}
