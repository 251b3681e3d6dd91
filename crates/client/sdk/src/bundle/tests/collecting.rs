//! Bundles that a node's answers make.

use alloy_primitives::B256;

use super::world::*;
use crate::bundle::{Bundle, BundleError, Demands, Family};
use crate::light::LightError;
use crate::light::tests::world::{clock, time};

fn chips(bundle: &Bundle) -> Vec<B256> {
    bundle.members.iter().map(|member| member.chip).collect()
}

fn named(numbers: &[u8]) -> Vec<B256> {
    numbers.iter().map(|number| chip(*number).hardware_id().0).collect()
}

#[test]
fn a_wallet_sees_from_one_file_whose_keys_it_seals_to() {
    let world = Plan::new().build();
    let bundle = world.collect(&Demands { nodes: 2, ..Demands::default() }).unwrap();
    assert!(bundle.links.len() > 1 && bundle.links.len() < TIP as usize, "leaps, as far as members in common allow");

    let read = Bundle::from_json(&bundle.to_json()).unwrap();
    assert_eq!(read, bundle);
    let verdict = world.verify(&read, &Demands { nodes: 2, ..Demands::default() }).unwrap();
    assert!(verdict.simulated);
    assert_eq!((verdict.chain_id.as_str(), verdict.genesis), ("test-1", Some(world.chain.genesis.hash())));
    assert_eq!((verdict.newest.height, verdict.newest.hash), (TIP, world.chain.header(TIP).hash()));
    assert_eq!((verdict.time, verdict.registered), (time(TIP), 2));
    assert_eq!((verdict.epoch.number, verdict.epoch.keys.input), (2, B256::repeat_byte(0xa3)));
    let [newest, oldest] = verdict.enclaves.as_slice() else { panic!("two") };
    assert_eq!([newest.chip, oldest.chip].to_vec(), named(&[8, 7]));
    assert_eq!(
        (oldest.family, oldest.build.measurement, oldest.build.source),
        (Family::Sgx, measured(PROGRAM), SOURCE)
    );
    assert_eq!(oldest.rebuilders, REBUILDERS.map(|secret| public(&secret)));
    assert_eq!((oldest.registered.height, oldest.registered.index), (REGISTERED, 0));
    assert_eq!(oldest.expires, time(0) / 1_000_000_000 + 30 * 24 * 60 * 60);
}

#[test]
fn a_newer_block_to_trust_makes_a_shorter_bundle() {
    let world = Plan::new().build();
    let verdict = world.verify(&world.whole(), &Demands::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let demands = Demands::default();
    let collected = Bundle::collect(&world, verdict.newest, &demands, clock(TIP));
    let bundle = runtime.block_on(collected).unwrap();
    assert!(bundle.links.is_empty(), "the trusted block itself names the state");
    let again = bundle.verify(&verdict.newest, &Demands::default(), clock(TIP)).unwrap();
    assert_eq!((again.newest, again.genesis), (verdict.newest, None));
    assert_eq!(world.verify(&bundle, &Demands::default()), Err(BundleError::Way(LightError::OtherCheckpoint(0))));
}

#[test]
fn enclaves_that_do_not_count_are_left_out_and_others_asked() {
    let mut plan = Plan::of(&[7, 8, 9], true);
    plan.nodes[2].1.revoked = true;
    plan.nodes[1].1.expires = 0;
    let world = plan.build();
    let bundle = world.collect(&Demands::default()).unwrap();
    assert_eq!(chips(&bundle), named(&[7]));
    let wanted = Demands { nodes: 2, ..Demands::default() };
    assert_eq!(world.collect(&wanted), Err(BundleError::Nodes { wanted: 2, shown: 1 }));
    let makers = Demands { vendors: Some(2), ..Demands::default() };
    assert_eq!(world.collect(&makers), Err(BundleError::Vendors { wanted: 2, shown: 1 }));
}

#[test]
fn a_chain_that_admits_nobody_has_nobody_to_vouch() {
    let mut plan = Plan::new();
    plan.nodes.clear();
    plan.listed.clear();
    let world = plan.build();
    assert_eq!(world.collect(&Demands::default()), Err(BundleError::Nodes { wanted: 1, shown: 0 }));
}
