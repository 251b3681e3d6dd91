//! The file in `testdata`, which the npm package reads too, is the one that this code writes, for ever.

use std::fs;
use std::path::Path;

use alloy_primitives::B256;
use cloister_attest::simulated_authority::{self as authority, Bulletin, Chip, Level, LevelStatus};
use cloister_attest::{DcapPolicy, Policy};
use serde_json::{Map, Value, json};

use super::world::*;
use crate::bundle::{Bundle, BundleError, Demands};
use crate::light::tests::world::{SECOND, clock, time};

/// Whoever changes the format on purpose: `CLOISTER_BLESS=1 cargo test -p cloister-sdk golden`.
#[test]
fn the_golden_bundle_is_written_and_read_as_ever() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let (path, checkpoint) = (folder.join("bundle.json"), folder.join("checkpoint"));
    let world = Plan::new().build();
    let demands = Demands { nodes: 2, ..Demands::default() };
    let text = world.collect(&demands).unwrap().to_json();
    if std::env::var_os("CLOISTER_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
        fs::write(&checkpoint, format!("{}\n", world.genesis())).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    assert!(golden == text, "the format has changed");
    let anchor = fs::read_to_string(&checkpoint).unwrap().trim().parse().unwrap();
    assert_eq!(world.genesis(), anchor);
    let verdict = Bundle::from_json(&golden).unwrap().verify(&anchor, &demands, clock(TIP)).unwrap();
    assert_eq!((verdict.enclaves.len(), verdict.simulated), (2, true));
}

/// The enclave on such a chip, as a more tolerant policy admitted it.
fn on(plan: &mut Plan, chip: Chip) {
    let dcap = DcapPolicy { allow_dynamic_platform: true, allow_cached_keys: true, ..Policy::production().dcap };
    let tolerant = Policy { allow_smt: true, dcap, ..Policy::production() };
    let bulletin = Bulletin::new(plan.genesis.time / SECOND);
    plan.nodes = vec![registered_under(&tolerant, &plan.genesis, &chip, PROGRAM, &bulletin, 0)];
}

/// The chain took the registration with what the maker says here.
fn known(plan: &mut Plan, bulletin: Bulletin) {
    let (registration, node) = &mut plan.nodes[0];
    registration.evidence.collateral = authority::collateral(&bulletin);
    node.collateral = registration.evidence.collateral.hash();
}

/// Bundles of chains on which something is not as it should be, for the npm package: the same are refused there, and the code
/// is its word for the reason.
#[test]
fn the_golden_refusals_are_refused_as_ever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/refused.json");
    type Change = fn(&mut Plan);
    let cases: [(&str, &str, Change); 16] = [
        ("revoked", "member", |plan| plan.nodes[0].1.revoked = true),
        ("unlisted", "member", |plan| plan.listed.clear()),
        ("expired", "member", |plan| plan.nodes[0].1.expires = time(TIP) / SECOND),
        ("unreleased", "member", |plan| plan.trust.releases.clear()),
        ("released too late", "member", |plan| plan.trust.releases[0].activation = TIP),
        ("rebuilt by one", "trust", |plan| plan.trust.releases[0].rebuilt.truncate(1)),
        ("rebuilt from another source", "trust", |plan| plan.trust.releases[0].build.source = B256::ZERO),
        ("rebuilt by a stranger", "trust", |plan| plan.trust.rebuilders.keys[0] = B256::ZERO),
        ("below a floor", "evidence", |plan| plan.trust.policy.dcap.min_tcb_eval_data_number = 21),
        ("evidence with other keys", "member", |plan| {
            let kem = B256::repeat_byte(9);
            (plan.nodes[0].0.boot.kem, plan.nodes[0].1.boot.kem) = (kem, kem);
        }),
        ("two threads of a core", "evidence", |plan| on(plan, Chip { smt: true, ..chip(7) })),
        ("packages may be added", "evidence", |plan| on(plan, Chip { dynamic_platform: true, ..chip(7) })),
        ("the maker has the keys", "evidence", |plan| on(plan, Chip { cached_keys: true, ..chip(7) })),
        ("firmware is out of date", "evidence", |plan| {
            let levels = vec![Level { svn: 1, status: LevelStatus::OutOfDate, advisories: vec![] }];
            known(plan, Bulletin { levels, ..Bulletin::new(time(0) / SECOND) });
        }),
        ("the maker revoked the chip", "evidence", |plan| {
            known(plan, Bulletin { revoked: vec![[7; 16]], ..Bulletin::new(time(0) / SECOND) });
        }),
        ("simulated evidence on a chain with hardware", "evidence", |plan| *plan = Plan::of(&[7], false)),
    ];
    let case = |(name, code, change): (&str, &str, Change)| {
        let mut plan = Plan::of(&[7], true);
        change(&mut plan);
        let world = plan.build();
        let bundle = world.short();
        let demands = Demands { vendors: Some(1), ..Demands::default() };
        let refused = world.verify(&bundle, &demands);
        assert!(matches!(refused, Err(BundleError::Member { .. } | BundleError::Trust(_))), "{name}");
        let shown = json!({ "checkpoint": world.genesis().to_string(), "code": code, "bundle": bundle });
        (name.to_owned(), shown)
    };
    let all: Map<String, Value> = cases.into_iter().map(case).collect();
    let text = format!("{:#}\n", Value::Object(all));
    if std::env::var_os("CLOISTER_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == text, "the format has changed");
}
