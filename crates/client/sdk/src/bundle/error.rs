use alloy_primitives::B256;
use cloister_attest::Refused;
use cloister_chain::trust::TrustError;
use thiserror::Error;

use crate::light::LightError;

/// Why a bundle does not vouch for the keys in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// Not JSON of this format, or a part that does not decode.
    #[error("not a bundle: {0}")]
    Json(String),
    /// Another format, or another version of it.
    #[error("the bundle is of another format than {}", super::FORMAT)]
    Format,
    /// More than a wallet reads.
    #[error("the bundle is larger than {} bytes, or has too many links or members", super::MAX_BYTES)]
    Oversize,
    /// It does not lead from the trusted block to a header: it begins elsewhere, or a header on the way is not decided.
    #[error(transparent)]
    Way(#[from] LightError),
    /// Chain id or SIMULATED flag beside the headers are not those of the headers.
    #[error("the bundle calls the chain something else than its headers do")]
    Named,
    /// The newest header is too old: ask a node for a new bundle.
    #[error("the newest header is {0} seconds old")]
    Stale(u64),
    /// The newest header is of the future, by the wallet's clock.
    #[error("the newest header is ahead of the clock")]
    Future,
    /// The state is not what the bundle says.
    #[error("{what} is not what the state holds: {error}")]
    State {
        /// Which part.
        what: &'static str,
        /// Why its proof is none.
        error: LightError,
    },
    /// It is proven that the state does not hold it: a chain without admission, or without epochs.
    #[error("the state holds no {0}")]
    Absent(&'static str),
    /// The state's value is none of this kind: a chain of another version.
    #[error("the state's {0} does not decode")]
    Value(&'static str),
    /// What the state demands of enclaves is not sound: above all, too few rebuilders vouch for a release.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// One of the enclaves does not vouch for anything.
    #[error("the enclave on chip {chip} does not count: {why}")]
    Member {
        /// Its chip, as the bundle names it.
        chip: B256,
        /// Why.
        why: Unfit,
    },
    /// Fewer enclaves than the wallet demands.
    #[error("{shown} of {wanted} enclaves")]
    Nodes {
        /// As many are demanded.
        wanted: usize,
        /// As many are there.
        shown: usize,
    },
    /// Chips of fewer makers than the wallet demands.
    #[error("chips of {shown} of {wanted} makers")]
    Vendors {
        /// As many are demanded.
        wanted: usize,
        /// As many are there.
        shown: usize,
    },
}

/// Why an enclave does not count.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// The chip stands in the bundle twice.
    #[error("it stands there twice")]
    Twice,
    /// The chip is not on the chain's list.
    #[error("the chain does not list it")]
    Unlisted,
    /// Its record is not what the state holds.
    #[error("its record is not what the state holds: {0}")]
    State(LightError),
    /// The state holds no record of it, or one that does not decode.
    #[error("there is no record of it")]
    Absent,
    /// The validators revoked it.
    #[error("it was revoked")]
    Revoked,
    /// Its evidence does not hold any more, by the header's time or by the wallet's clock.
    #[error("its evidence has expired")]
    Expired,
    /// The registration does not decode.
    #[error("its registration does not decode")]
    Registration,
    /// The registration is not the one that the record is of: another key, other evidence, other collateral.
    #[error("the registration is not the one of its record")]
    OtherRegistration,
    /// The evidence is not genuine, or not good enough for the chain's policy as it is now.
    #[error("{0}")]
    Evidence(#[from] Refused),
    /// The evidence is of another registration, chain or chip.
    #[error("the evidence is not of this registration")]
    Binding,
    /// What runs is not released, or not yet, or not any more.
    #[error("what runs there is not a release")]
    Unreleased,
}
