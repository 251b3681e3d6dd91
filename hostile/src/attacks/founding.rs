//! The first hand-over of a seed: enclaves that should not be among those of a new chain (M-21, M-25).

use alloy_primitives::{Address, B256};
use cloister_attest::simulated_authority::{self as authority, Bulletin};
use cloister_attest::{Evidence, Measurement, Policy};
use cloister_chain::Genesis;
use cloister_chain::trust::{GenesisNode, Registration, Release, Trust};
use cloister_chain::wire::{Enrol, Enrolled, Found, Founded, SealingBytes, ToEnclave, ToHost};
use cloister_keys::{BootKey, Secret};
use cloister_teeth::Mechanism;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Enclave, Stage, genesis};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "diverted-founding",
    rules: "M-21 M-25",
    mechanism: Mechanism::EvidenceBinding,
    story: "The host puts a key of its own into the genesis, with the genuine evidence of another machine's enclave.",
    attack: diverted,
}];

fn diverted(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (_, genuine) = enrolled(stage, 2)?;
    let own = BootKey::from_secret(Secret::from_bytes(stage.dice.bytes()));
    let mut stolen = genuine.clone();
    stolen.boot.kem = own.public().into();
    let opens = |(genesis, founded): (Genesis, Founded)| {
        let share = founded.shares.get(1).ok_or("a share for each")?;
        Ok::<_, Failure>(own.open(&genesis.chain_id, &genesis.hash(), &stolen.id(), share).is_ok())
    };
    let mut attempts = Attempts::default();
    attempts.add("the host's boot key", founding(stage, &stolen)?.map(opens).transpose()?.unwrap_or(false));
    attempts.also("a genuine enclave gets its share", founding(stage, &genuine)?.is_some());
    Ok(attempts)
}

/// What an enclave seals when it is told to make the seed of a chain of two: itself, and `other`.
pub(super) fn founding(stage: &Stage, other: &Registration) -> Result<Option<(Genesis, Founded)>, Failure> {
    let (mut founder, own) = enrolled(stage, 1)?;
    let measurement = Measurement::Sgx { enclave: authority::program() }.digest();
    let releases = vec![Release::simulated(measurement)];
    let trust = Trust { policy: Policy::production(), releases, delay: 1, ..Trust::default() };
    let node =
        |registration: &Registration| GenesisNode { owner: Address::ZERO, certificate: registration.to_bytes().into() };
    let genesis = Genesis { trust: Some(trust), nodes: vec![node(&own), node(other)], ..genesis(1, Vec::new()) };
    founder.tell(&ToEnclave::Found(Found { genesis: genesis.clone() }))?;
    Ok(match founder.hear()? {
        Some(ToHost::Founded(founded)) => Some((genesis, founded)),
        _ => None,
    })
}

/// A real enclave on a machine of this number, and what it registers with.
fn enrolled(stage: &Stage, machine: u8) -> Result<(Enclave, Registration), Failure> {
    let (mut enclave, chain) = (stage.enclave()?, genesis(1, Vec::new()));
    let consensus_key = B256::repeat_byte(machine);
    let enrol = Enrol { chain_id: chain.chain_id, sealing_key: SealingBytes([machine; 32]), consensus_key };
    enclave.tell(&ToEnclave::Enrol(enrol))?;
    let Some(ToHost::Enrolled(Enrolled { boot, statement })) = enclave.hear()? else {
        return Err("an enclave enrols".into());
    };
    let collateral = authority::collateral(&Bulletin::new(chain.time / 1_000_000_000));
    Ok((enclave, Registration { consensus_key, boot, evidence: Evidence { statement, collateral } }))
}
