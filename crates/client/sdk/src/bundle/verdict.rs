use alloy_primitives::{Address, B256};
use cloister_attest::Family;
use cloister_chain::epoch::Epoch;
use cloister_chain::leaf::Position;
use cloister_chain::trust::Build;

use crate::light::Anchor;

/// What a bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The chain.
    pub chain_id: String,
    /// True for a SIMULATED chain: whoever runs a node can read what is sealed. To be shown before anything else.
    pub simulated: bool,
    /// The genesis, if the bundle begins with it.
    pub genesis: Option<B256>,
    /// The newest header. A block to trust the next time.
    pub newest: Anchor,
    /// Its time, in nanoseconds since the Unix epoch.
    pub time: u64,
    /// The network's keys, and since when they are.
    pub epoch: Epoch,
    /// How many chips are registered; not all of them have to be admitted still.
    pub registered: usize,
    /// Who vouches, each on a chip of its own.
    pub enclaves: Vec<Enclave>,
}

/// An enclave that is proven to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclave {
    /// Names its chip.
    pub chip: B256,
    /// What kind of processor.
    pub family: Family,
    /// What runs, and what it was built from.
    pub build: Build,
    /// The chain's rebuilders whose signatures say that they built the same. On a SIMULATED chain there may be none.
    pub rebuilders: Vec<B256>,
    /// Who registered it.
    pub owner: Address,
    /// Consensus key of its node.
    pub consensus_key: B256,
    /// Where it registered.
    pub registered: Position,
    /// Seconds since the Unix epoch from which its evidence does not hold any more.
    pub expires: u64,
}
