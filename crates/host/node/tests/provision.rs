//! The first hand-over between real enclave processes, and what becomes of the homes.
#![allow(clippy::unwrap_used)]

mod common;

use cloister_chain::{Genesis, Validator, ValidatorSet};
use cloister_node::{EnclaveError, Home, ProvisionError, provision};
use cloister_store::{Store, StoreError};

#[test]
fn every_home_of_a_new_chain_gets_the_seed_sealed_to_itself() {
    let root = tempfile::tempdir().unwrap();
    let open = || ["a", "b", "c"].map(|name| Home::open(&root.path().join(name)).unwrap());
    let genesis = genesis(&open());
    provision(&genesis, &open(), &common::enclave()).unwrap();
    let roots = ["a", "b", "c"].map(|name| {
        let store = Store::open(&root.path().join(name)).unwrap();
        assert_eq!(store.reader().unwrap().genesis().unwrap(), genesis);
        assert_eq!(store.reader().unwrap().tip().unwrap(), None, "no state yet: the node makes it from the genesis");
        std::fs::read(root.path().join(name).join("roots.sealed")).unwrap()
    });
    assert!(roots[0] != roots[1] && roots[1] != roots[2], "the same roots, three machines");
    assert!(matches!(provision(&genesis, &open(), &common::enclave()), Err(ProvisionError::Begun)));
}

#[test]
fn a_chain_that_promises_hardware_is_refused_and_a_home_of_another_chain_too() {
    let root = tempfile::tempdir().unwrap();
    let open = |name| [Home::open(&root.path().join(name)).unwrap()];
    let hardware = Genesis { simulated: false, ..genesis(&open("hardware")) };
    let refused = provision(&hardware, &open("hardware"), &common::enclave()).unwrap_err();
    assert!(matches!(refused, ProvisionError::Enclave(EnclaveError::Halted(_))), "{refused}");
    assert!(!open("hardware")[0].has_seed().unwrap());

    let first = genesis(&open("other"));
    provision(&first, &open("other"), &common::enclave()).unwrap();
    let second = Genesis { chain_id: "another-1".into(), ..first };
    let refused = provision(&second, &open("other"), &common::enclave()).unwrap_err();
    assert!(matches!(refused, ProvisionError::Store(StoreError::OtherGenesis)), "{refused}");
}

fn genesis(homes: &[Home]) -> Genesis {
    let validators = homes.iter().map(|home| Validator { key: home.validator(), power: 1 }).collect();
    Genesis { validators: ValidatorSet::new(validators).unwrap(), ..Genesis::for_tests() }
}
