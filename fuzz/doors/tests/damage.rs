//! Every seed, every finding of the past, and damaged copies of them, through their doors.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cloister_doors::{DOORS, open, seeds};

#[test]
fn every_door_has_a_seed_and_a_fuzz_target() {
    let seeded: BTreeSet<&str> = seeds::all().iter().map(|(door, _)| *door).collect();
    let doors: BTreeSet<&str> = DOORS.iter().map(|(door, _)| *door).collect();
    assert_eq!(seeded, doors);
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets");
    for door in doors {
        assert!(targets.join(format!("{door}.rs")).exists(), "{door}");
    }
}

#[test]
fn doors_take_good_input_and_every_damaged_copy_of_it() {
    for (door, seed) in seeds::all() {
        open(door, &seed);
        open(door, &[&seed[..], &[0]].concat());
        for copy in damaged(&seed) {
            open(door, &copy);
        }
    }
}

/// Findings are committed as `fuzz/findings/DOOR/NAME`, and stay.
#[test]
fn findings_of_the_past_stay_fixed() {
    let findings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../findings");
    for (door, _) in DOORS {
        for entry in fs::read_dir(findings.join(door)).into_iter().flatten().flatten() {
            open(door, &fs::read(entry.path()).expect("a readable file"));
        }
    }
}

/// Some truncations and some flipped bits, the same in every run.
fn damaged(seed: &[u8]) -> Vec<Vec<u8>> {
    let step = (seed.len() / 8).max(1);
    let cut = (0..seed.len()).step_by(step).map(|length| seed[..length].to_vec());
    let flipped = (0..seed.len()).step_by(step).map(|at| {
        let mut copy = seed.to_vec();
        copy[at] ^= 1 << (at % 8);
        copy
    });
    cut.chain(flipped).collect()
}
