//! Bundles of chains on which something is not as it should be: every reason has its name.

use core::time::Duration;

use alloy_primitives::{B256, Bytes};
use cloister_attest::simulated_authority::{Bulletin, Chip, Level, LevelStatus};
use cloister_chain::trust::{NotRebuilt, Rebuilders, RebuildersError, Registration, Release, Trust, TrustError};

use super::world::*;
use crate::bundle::{Bundle, BundleError, Demands, Refused, Unfit};
use crate::light::tests::world::{SECOND, clock, time};
use crate::light::{Anchor, LightError, Rules};

/// Why the bundle of a chain is refused, all of its enclaves being in it.
fn refused(plan: Plan) -> BundleError {
    let world = plan.build();
    world.verify(&world.whole(), &Demands::default()).unwrap_err()
}

/// Why the enclave on this chip does not count.
fn unfit(number: u8, plan: Plan) -> Unfit {
    match refused(plan) {
        BundleError::Member { chip: refused, why } if refused == chip(number).hardware_id().0 => why,
        other => panic!("{other}"),
    }
}

fn changed(change: impl FnOnce(&mut Plan)) -> Plan {
    let mut plan = Plan::new();
    change(&mut plan);
    plan
}

#[test]
fn a_plain_chain_is_fine() {
    let world = Plan::new().build();
    assert_eq!(world.verify(&world.whole(), &Demands::default()).unwrap().enclaves.len(), 2);
}

#[test]
fn v33_a_stale_header_and_one_of_the_future_are_refused() {
    let world = Plan::new().build();
    let bundle = world.whole();
    let demands = Demands { max_age: Duration::from_secs(60), ..Demands::default() };
    let at = |now| bundle.verify(&world.genesis(), &demands, now).map(|_| ());
    assert_eq!(at(time(TIP) + 60 * SECOND), Ok(()));
    assert_eq!(at(time(TIP) + 60 * SECOND + 1), Err(BundleError::Stale(60)));
    let late = BundleError::Way(LightError::Expired(0));
    assert_eq!(at(time(TIP) + 15 * 24 * 60 * 60 * SECOND), Err(late), "nor does old trust lead anywhere");
    assert_eq!(at(time(TIP) - 11 * SECOND), Err(BundleError::Way(LightError::Future(TIP))));

    // The same of a header that is trusted itself.
    let newest = Anchor { height: TIP, hash: world.chain.header(TIP).hash() };
    let mut bare = bundle.clone();
    bare.start.header = world.chain.header(TIP);
    bare.start.next_validators = bare.links.pop().unwrap().next_validators;
    bare.links.clear();
    assert!(bare.verify(&newest, &demands, clock(TIP)).is_ok());
    assert_eq!(bare.verify(&newest, &demands, time(TIP) + 61 * SECOND), Err(BundleError::Stale(61)));
    assert_eq!(bare.verify(&newest, &demands, time(TIP) - 11 * SECOND), Err(BundleError::Future));
}

#[test]
fn v33_too_few_enclaves_and_one_maker_alone_are_refused() {
    let world = Plan::new().build();
    let bundle = world.whole();
    let with = |demands: Demands| world.verify(&bundle, &demands).map(|_| ());
    assert_eq!(with(Demands { nodes: 2, ..Demands::default() }), Ok(()));
    let few = BundleError::Nodes { wanted: 3, shown: 2 };
    assert_eq!(with(Demands { nodes: 3, ..Demands::default() }), Err(few));
    let one_maker = BundleError::Vendors { wanted: 2, shown: 1 };
    assert_eq!(with(Demands { vendors: Some(2), ..Demands::default() }), Err(one_maker.clone()));
    // What a chain with hardware is held to without being asked.
    assert_eq!(Demands::default().check(false, 2, 1), Err(one_maker));
    assert_eq!(Demands::default().check(false, 2, 2), Ok(()));
}

#[test]
fn v33_an_enclave_does_not_count_twice() {
    let world = Plan::new().build();
    let mut bundle = world.whole();
    bundle.members[1] = bundle.members[0].clone();
    let chip = bundle.members[0].chip;
    let demands = Demands { nodes: 2, ..Demands::default() };
    assert_eq!(world.verify(&bundle, &demands), Err(BundleError::Member { chip, why: Unfit::Twice }));
}

#[test]
fn v33_who_was_revoked_or_is_not_on_the_list_does_not_count() {
    assert_eq!(unfit(8, changed(|plan| plan.nodes[1].1.revoked = true)), Unfit::Revoked);
    assert_eq!(unfit(7, changed(|plan| plan.listed.truncate(0))), Unfit::Unlisted);
}

#[test]
fn v33_evidence_that_has_expired_does_not_count() {
    // By the chain's own record, and by the evidence itself, whatever the record says.
    let expires = |seconds| changed(|plan| plan.nodes[0].1.expires = seconds);
    let header = time(TIP) / SECOND;
    assert_eq!(unfit(7, expires(header)), Unfit::Expired);
    assert_eq!(unfit(7, expires(header + 3_600)), Unfit::OtherRegistration);
    // By the wallet's clock, too, if it has gone on.
    let world = Plan::new().build();
    let month = 31 * 24 * 60 * 60;
    let rules = Rules { trusting: Duration::from_secs(2 * month), ..Rules::default() };
    let demands = Demands { max_age: Duration::from_secs(2 * month), rules, ..Demands::default() };
    let late = world.whole().verify(&world.genesis(), &demands, time(TIP) + month * SECOND).unwrap_err();
    assert!(matches!(late, BundleError::Member { why: Unfit::Expired, .. }), "{late}");
    let forged = changed(|plan| plan.nodes[0].1.expires = u64::MAX).build();
    let late = forged.whole().verify(&forged.genesis(), &demands, time(TIP) + month * SECOND).unwrap_err();
    let why = Unfit::Evidence(Refused::Expired);
    assert_eq!(late, BundleError::Member { chip: chip(7).hardware_id().0, why });
}

#[test]
fn v33_what_is_not_released_does_not_count() {
    assert_eq!(unfit(7, changed(|plan| plan.trust.releases.clear())), Unfit::Unreleased);
    assert_eq!(unfit(7, changed(|plan| plan.trust.releases[0].activation = TIP)), Unfit::Unreleased, "not yet");
    let another = changed(|plan| {
        plan.trust.rebuilders = Rebuilders::default();
        plan.trust.releases = vec![Release::simulated(B256::ZERO)];
    });
    assert_eq!(unfit(7, another), Unfit::Unreleased, "another program");
}

#[test]
fn v28_what_too_few_rebuilt_vouches_for_nothing() {
    let not_rebuilt = |change: fn(&mut Trust)| match refused(changed(|plan| change(&mut plan.trust))) {
        BundleError::Trust(TrustError::NotRebuilt { measurement, why }) if measurement == measured(PROGRAM) => why,
        other => panic!("{other}"),
    };
    let few = NotRebuilt::Few { signed: 1, wanted: 2 };
    assert_eq!(not_rebuilt(|trust| trust.releases[0].rebuilt.truncate(1)), few);
    let second = public(&REBUILDERS[1]);
    let other_source = not_rebuilt(|trust| trust.releases[0].build.source = B256::ZERO);
    assert_eq!(other_source, NotRebuilt::Signature(public(&REBUILDERS[0])));
    let unlisted = not_rebuilt(|trust| {
        trust.rebuilders.keys.retain(|key| *key != public(&REBUILDERS[1]));
        trust.rebuilders.threshold = 1;
    });
    assert_eq!(unlisted, NotRebuilt::Unknown(second));
    let mut hardware = Plan::of(&[7], false);
    hardware.trust.rebuilders.threshold = 1;
    let why = TrustError::Rebuilders(RebuildersError::Few);
    assert_eq!(refused(hardware), BundleError::Trust(why), "one is not enough on a chain with hardware");
}

#[test]
fn v33_evidence_that_the_policy_refuses_does_not_count() {
    let floor = changed(|plan| plan.trust.policy.dcap.min_tcb_eval_data_number = 21);
    assert_eq!(unfit(7, floor), Unfit::Evidence(Refused::OldCollateral));
    let threads = changed(|plan| {
        let chip = Chip { smt: true, ..chip(8) };
        let bulletin = Bulletin::new(plan.genesis.time / SECOND);
        plan.trust.policy.allow_smt = true;
        plan.nodes[1] = lenient(plan, &chip, &bulletin);
        plan.trust.policy.allow_smt = false;
    });
    assert_eq!(unfit(8, threads), Unfit::Evidence(Refused::Smt));
    let firmware = changed(|plan| {
        let levels = vec![Level { svn: 1, status: LevelStatus::OutOfDate, advisories: vec![] }];
        let bulletin = Bulletin { levels, ..Bulletin::new(plan.genesis.time / SECOND) };
        plan.nodes[0].0.evidence.collateral = cloister_attest::simulated_authority::collateral(&bulletin);
        plan.nodes[0].1.collateral = plan.nodes[0].0.evidence.collateral.hash();
    });
    assert_eq!(unfit(7, firmware), Unfit::Evidence(Refused::TcbStatus));
}

fn lenient(plan: &Plan, chip: &Chip, bulletin: &Bulletin) -> (Registration, cloister_chain::trust::Node) {
    registered_under(&plan.trust.policy, &plan.genesis, chip, PROGRAM, bulletin, 1)
}

#[test]
fn v33_evidence_of_another_registration_does_not_count() {
    // Genuine evidence, registered with other keys: the chain would have to have recorded it, against its own rules.
    let stolen = changed(|plan| {
        plan.nodes[0].0.boot.kem = B256::repeat_byte(9);
        plan.nodes[0].1.boot.kem = B256::repeat_byte(9);
    });
    assert_eq!(unfit(7, stolen), Unfit::Binding);
    let other_chain = changed(|plan| {
        let elsewhere = cloister_chain::Genesis { chain_id: "test-2".into(), ..plan.genesis.clone() };
        plan.nodes[0] = node(&elsewhere, 7, 0);
    });
    assert_eq!(unfit(7, other_chain), Unfit::Binding);
    // The registration of another, or of an earlier run, in the place of the one that the chain recorded.
    let world = Plan::new().build();
    let (mut swapped, mut none) = (world.whole(), world.whole());
    swapped.members[0].registration = swapped.members[1].registration.clone();
    none.members[0].registration = Bytes::new();
    let why = |bundle: &Bundle| match world.verify(bundle, &Demands::default()) {
        Err(BundleError::Member { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&swapped), Unfit::OtherRegistration);
    assert_eq!(why(&none), Unfit::Registration);
    // The record of another chip.
    let mut moved = world.whole();
    moved.members[0].node = moved.members[1].node.clone();
    assert!(matches!(why(&moved), Unfit::State(_)));
    let mut absent = world.whole();
    absent.nodes.value = None;
    assert!(matches!(world.verify(&absent, &Demands::default()), Err(BundleError::State { what: "nodes", .. })));
}

#[test]
fn v33_newer_collateral_in_the_place_of_the_recorded_one_does_not_count() {
    let world = Plan::new().build();
    let mut bundle = world.whole();
    let mut registration = Registration::from_bytes(&bundle.members[0].registration).unwrap();
    let bulletin = Bulletin::new(time(1) / SECOND);
    registration.evidence.collateral = cloister_attest::simulated_authority::collateral(&bulletin);
    bundle.members[0].registration = registration.to_bytes().into();
    let chip = bundle.members[0].chip;
    let why = Unfit::OtherRegistration;
    assert_eq!(world.verify(&bundle, &Demands::default()), Err(BundleError::Member { chip, why }));
}

#[test]
fn v33_simulated_evidence_vouches_for_nothing_on_a_chain_with_hardware() {
    let world = Plan::of(&[7], false).build();
    let refused = world.verify(&world.whole(), &Demands::default()).unwrap_err();
    let why = Unfit::Evidence(Refused::Unproven);
    assert_eq!(refused, BundleError::Member { chip: chip(7).hardware_id().0, why });
}

#[test]
fn v33_a_bundle_of_another_chain_or_another_genesis_is_refused() {
    let (world, mut other) = (Plan::new().build(), Plan::new());
    other.genesis.evm_chain_id += 1;
    let other = other.build();
    let elsewhere = other.verify(&world.whole(), &Demands::default());
    assert_eq!(elsewhere, Err(BundleError::Way(LightError::OtherCheckpoint(0))));
    let mut renamed = world.whole();
    renamed.chain_id = "test-2".into();
    assert_eq!(world.verify(&renamed, &Demands::default()), Err(BundleError::Named));
    let mut real = world.whole();
    real.simulated = false;
    assert_eq!(world.verify(&real, &Demands::default()), Err(BundleError::Named), "SIMULATED cannot be hidden");
}
