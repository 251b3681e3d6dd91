//! The first hand-over between real enclave processes, and what becomes of the homes.
#![allow(clippy::unwrap_used)]

mod common;

use cloister_attest::simulated_authority::{self as authority, Bulletin};
use cloister_attest::{Measurement, Policy};
use cloister_chain::trust::{GenesisNode, Release, Trust};
use cloister_chain::wire::Halt;
use cloister_chain::{Address, Genesis, Validator, ValidatorSet};
use cloister_node::{Applicant, EnclaveError, Home, ProvisionError, found};
use cloister_store::{Store, StoreError};

#[test]
fn every_home_of_a_new_chain_gets_the_seed_sealed_to_itself() {
    let root = tempfile::tempdir().unwrap();
    let homes = ["a", "b", "c"].map(|name| Home::open(&root.path().join(name)).unwrap());
    let applicants = enrol(&homes);
    let genesis = genesis(&homes, &applicants);
    found(&genesis, applicants.into_iter().zip(&homes).collect()).unwrap();
    let sealed = |name: &str| {
        let store = Store::open(&root.path().join(name)).unwrap();
        assert_eq!(store.reader().unwrap().genesis().unwrap(), genesis);
        assert_eq!(store.reader().unwrap().tip().unwrap(), None, "no state yet: the node makes it from the genesis");
        std::fs::read(root.path().join(name).join("roots.sealed")).unwrap()
    };
    let roots = ["a", "b", "c"].map(sealed);
    assert!(roots[0] != roots[1] && roots[1] != roots[2], "the same roots, three machines");
    let again = found(&genesis, enrol(&homes).into_iter().zip(&homes).collect());
    assert!(matches!(again, Err(ProvisionError::Begun)));
}

#[test]
fn a_chain_that_promises_hardware_is_refused_and_a_home_of_another_chain_too() {
    let root = tempfile::tempdir().unwrap();
    let open = |name| [Home::open(&root.path().join(name)).unwrap()];
    let homes = open("hardware");
    let applicants = enrol(&homes);
    let hardware = genesis(&homes, &applicants).on_hardware();
    assert_eq!(hardware.check(), Ok(()), "nothing else is wrong with it");
    let refused = found(&hardware, applicants.into_iter().zip(&homes).collect()).unwrap_err();
    assert!(matches!(refused, ProvisionError::Enclave(EnclaveError::Halted(Halt::Genesis))), "{refused}");
    assert!(!open("hardware")[0].has_seed().unwrap());

    let homes = open("other");
    let applicants = enrol(&homes);
    let first = genesis(&homes, &applicants);
    found(&first, applicants.into_iter().zip(&homes).collect()).unwrap();
    let second = Genesis { chain_id: "another-1".into(), ..first };
    let refused = found(&second, enrol(&homes).into_iter().zip(&homes).collect()).unwrap_err();
    assert!(matches!(refused, ProvisionError::Store(StoreError::OtherGenesis)), "{refused}");
}

fn enrol(homes: &[Home]) -> Vec<Applicant> {
    let chain_id = Genesis::for_tests().chain_id;
    homes.iter().map(|home| Applicant::enrol(&chain_id, home, &common::enclave()).unwrap()).collect()
}

fn genesis(homes: &[Home], applicants: &[Applicant]) -> Genesis {
    let genesis = Genesis::for_tests();
    let collateral = authority::collateral(&Bulletin::new(genesis.time / 1_000_000_000));
    let certificate =
        |applicant: &Applicant| applicant.introduction().registration(collateral.clone()).to_bytes().into();
    let node = |applicant| GenesisNode { owner: Address::ZERO, certificate: certificate(applicant) };
    let measurement = Measurement::Sgx { enclave: authority::program() }.digest();
    let releases = vec![Release::simulated(measurement)];
    let trust = Trust { policy: Policy::production(), releases, delay: 1, ..Trust::default() };
    let validators = homes.iter().map(|home| Validator { key: home.validator(), power: 1 }).collect();
    Genesis {
        validators: ValidatorSet::new(validators).unwrap(),
        trust: Some(trust),
        nodes: applicants.iter().map(node).collect(),
        ..genesis
    }
}
