//! What a network believes of its nodes' enclaves.

use std::fs;
use std::path::Path;

use cloister_attest::Collateral;
use cloister_attest::simulated_authority::{self as authority, Bulletin};
use cloister_chain::Genesis;
use cloister_chain::trust::{GenesisNode, NotAdmitted, Release, Trust};
use cloister_node::Applicant;
use cloister_sdk::Wallet;

use crate::dev::genesis::Enclaves;
use crate::error::Error;

/// The enclaves of a new SIMULATED network, and that whoever runs the same program may join them. `time` is the genesis's, in
/// nanoseconds since the Unix epoch.
pub fn first(enrolled: &[Applicant], owners: &[Wallet], time: u64) -> Result<Enclaves, Error> {
    let seconds = time / 1_000_000_000;
    let collateral = authority::collateral(&Bulletin::new(seconds));
    let policy = cloister_attest::Policy::production();
    let mut measurements = Vec::new();
    let mut nodes = Vec::with_capacity(enrolled.len());
    for (applicant, owner) in enrolled.iter().zip(owners) {
        let registration = applicant.introduction().registration(collateral.clone());
        let verified =
            cloister_attest::verify(&registration.evidence, &policy, cloister_attest::Root::Simulated, seconds);
        measurements.push(verified.map_err(NotAdmitted::Evidence)?.measurement.digest());
        nodes.push(GenesisNode { owner: owner.cosmos_address(), certificate: registration.to_bytes().into() });
    }
    measurements.sort_unstable();
    measurements.dedup();
    let releases = measurements.into_iter().map(Release::simulated).collect();
    Ok(Enclaves { trust: Some(Trust { policy, releases, delay: DELAY, ..Trust::default() }), nodes })
}

/// What the maker of this machine's processor publishes: in a file, or, for a SIMULATED chain, from its authority, as of `now`
/// in seconds since the Unix epoch.
pub fn collateral(genesis: &Genesis, file: Option<&Path>, now: u64) -> Result<Collateral, Error> {
    let Some(path) = file else {
        return if genesis.simulated { Ok(authority::collateral(&Bulletin::new(now))) } else { Err(Error::Collateral) };
    };
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    Collateral::from_json(&text).map_err(|why| Error::CollateralFile { path: path.into(), why })
}

/// Blocks between the decision for a new program and its first admission: a few hours of a network that is busy.
const DELAY: u64 = 10_000;
