//! Programs that independent people rebuilt, and those that nobody did (M-28).

use cloister_chain::trust::{Build, MIN_DELAY, RebuildersError, TrustError};
use cloister_chain::wire::Halt;

use super::*;

fn secret(number: u8) -> SigningKey {
    SigningKey::from([number; 32])
}

fn rebuilder(number: u8) -> B256 {
    B256::new(VerificationKey::from(&secret(number)).into())
}

fn build() -> Build {
    Build {
        measurement: measured(B256::repeat_byte(0xbb)),
        source: B256::repeat_byte(1),
        lock: B256::repeat_byte(2),
        toolchain: "rustc 1.95.0".into(),
        flags: "--release --locked".into(),
    }
}

fn by(number: u8, build: &Build, chain_id: &str) -> Rebuilt {
    Rebuilt::sign(&secret(number), build, chain_id).expect("plain texts")
}

fn list(numbers: &[u8], threshold: u32) -> Rebuilders {
    let mut keys: Vec<B256> = numbers.iter().map(|number| rebuilder(*number)).collect();
    keys.sort_unstable();
    Rebuilders { keys, threshold }
}

/// What a chain demands of which two of three rebuilders built the first program.
fn rebuilt_trust() -> Trust {
    let mut trust = Trust { rebuilders: list(&[1, 2, 3], 2), ..trust() };
    let first = &mut trust.releases[0];
    first.rebuilt = [1, 2].map(|number| by(number, &first.build, "test-1")).to_vec();
    trust
}

fn net() -> Net {
    net_with(|genesis| genesis.trust = Some(rebuilt_trust()))
}

fn set_rebuilders(list: &Rebuilders) -> MsgSetRebuilders {
    let keys = list.keys.iter().map(|key| key.to_vec()).collect();
    MsgSetRebuilders { authority: authority_account(), keys, threshold: list.threshold }
}

#[test]
fn v28_a_program_that_too_few_rebuilt_is_not_released_whatever_the_validators_decide() {
    let mut net = net();
    let activation = 10_000;
    let release =
        |rebuilt: Vec<Rebuilt>| MsgRelease::new(authority_account(), &Release { build: build(), activation, rebuilt });
    let genuine = |number| by(number, &build(), "test-1");
    let other_source = Build { source: B256::repeat_byte(9), ..build() };
    let refusals = [
        (vec![], "0 of 2 rebuilders have built the same".to_owned()),
        (vec![genuine(1)], "1 of 2 rebuilders have built the same".to_owned()),
        (vec![genuine(1), genuine(1)], format!("rebuilder {} signed twice", rebuilder(1))),
        (vec![genuine(1), genuine(4)], format!("{} is no rebuilder of this chain", rebuilder(4))),
        (
            vec![genuine(1), by(2, &build(), "test-2")],
            format!("the signature of rebuilder {} is not of this build on this chain", rebuilder(2)),
        ),
        (
            vec![by(3, &other_source, "test-1"), genuine(1)],
            format!("the signature of rebuilder {} is not of this build on this chain", rebuilder(3)),
        ),
    ];
    for (rebuilt, why) in refusals {
        let failed = net.decree_fails("MsgRelease", &release(rebuilt));
        assert!(failed.contains(&why), "{failed}");
    }
    assert_eq!(net.leaf::<Trust>(Leaf::Trust), Some(rebuilt_trust()));
    assert_eq!(net.decree("MsgRelease", &release(vec![genuine(3), genuine(1)])), gov::Status::Passed);
    let trust: Trust = net.leaf(Leaf::Trust).expect("it stays");
    let released = trust.release(&build().measurement, activation).expect("a release");
    assert_eq!((&released.build, released.rebuilt.len()), (&build(), 2));
    assert_eq!(trust.release(&build().measurement, activation - 1), None);
}

#[test]
fn v28_a_list_of_rebuilders_never_leaves_a_release_with_too_few() {
    let mut net = net();
    let trust = |net: &Net| net.leaf::<Trust>(Leaf::Trust).expect("it stays");
    // The third one did not sign: without it, all is as it was.
    assert_eq!(net.decree("MsgSetRebuilders", &set_rebuilders(&list(&[1, 2], 2))), gov::Status::Passed);
    assert_eq!((trust(&net).rebuilders, trust(&net).releases), (list(&[1, 2], 2), rebuilt_trust().releases));
    let failed = net.decree_fails("MsgSetRebuilders", &set_rebuilders(&list(&[1, 4], 2)));
    assert!(failed.contains("1 of 2 rebuilders have built the same"), "{failed}");
    assert_eq!(net.decree("MsgSetRebuilders", &set_rebuilders(&list(&[1, 4], 1))), gov::Status::Passed);
    let left: Vec<B256> = trust(&net).releases[0].rebuilt.iter().map(|rebuilt| rebuilt.rebuilder).collect();
    assert_eq!(left, [rebuilder(1)], "whoever is off the list vouches for nothing");
    let failed = net.decree_fails("MsgSetRebuilders", &set_rebuilders(&list(&[1], 2)));
    assert!(failed.contains("more rebuilders are demanded than are listed"), "{failed}");
}

#[test]
fn v28_a_genesis_releases_nothing_that_was_not_rebuilt() {
    let genesis = |change: fn(&mut Trust)| {
        let mut trust = rebuilt_trust();
        change(&mut trust);
        Genesis { trust: Some(trust), ..Genesis::for_tests() }
    };
    let refused = |genesis: &Genesis| Ledger::genesis(genesis, roots()).map(drop).err();
    assert_eq!(refused(&genesis(|_| ())), None);
    assert_eq!(refused(&genesis(|trust| trust.releases[0].rebuilt.truncate(1))), Some(Halt::Genesis));
    assert_eq!(refused(&genesis(|trust| trust.releases[0].build.flags.push('x'))), Some(Halt::Genesis));
    let elsewhere = Genesis { chain_id: "test-2".into(), ..genesis(|_| ()) };
    assert_eq!(refused(&elsewhere), Some(Halt::Genesis));
    // Nobody has to rebuild on a SIMULATED chain; two do on any other.
    assert_eq!(trust().check("test-1", true), Ok(()));
    let why = TrustError::Rebuilders(RebuildersError::Few);
    let demanding = |trust: Trust| Trust { caps: Caps::PRODUCTION, delay: MIN_DELAY, ..trust };
    assert_eq!(demanding(trust()).check("test-1", false), Err(why));
    assert_eq!(demanding(rebuilt_trust()).check("test-1", false), Ok(()));
}

#[test]
fn v28_a_host_that_forges_the_record_of_a_release_stops_its_enclave() {
    let mut net = net();
    let own = Starting { program: B256::repeat_byte(0xbb), ..starting(7, 1) };
    let registration = own.registration("test-1", &net.bulletin());
    assert_eq!(net.fails(7, register(7, &registration)).1, 6, "nobody released it");
    let mut forged = rebuilt_trust();
    forged.rebuilders = Rebuilders::default();
    forged.releases = vec![Release::simulated(build().measurement)];
    let truth = net.chain.host.leaves.insert(Leaf::Trust, borsh::to_vec(&forged).expect("memory")).expect("a record");
    // An enclave with nothing in its cache has to ask.
    net.chain.ledger.cache = Cache::default();
    let tx = signed(7, net.chain.auth_sequence(account(7)), (5_000_000, FEE, 0), vec![register(7, &registration)]);
    let tip = net.chain.ledger.checkpoint();
    let above = Parent { certificate: net.certificate.clone(), ..parent(tip) };
    let proposer = tip.validators.iter().next().expect("somebody").address();
    let block = above.block(vec![tx], Vec::new(), tip.header.time + SECOND, proposer);
    let certificate = net.sign(&block.header, &tip.validators);
    let next = Execute { block, certificate };
    assert_eq!(net.chain.ledger.execute(&next, &mut net.chain.host), Err(Halt::Supply));
    net.chain.host.leaves.insert(Leaf::Trust, truth);
    let outcome = net.chain.ledger.execute(&next, &mut net.chain.host).expect("honest again");
    assert_eq!(outcome.receipts[0].cosmos.as_ref().map(|result| result.code), Some(6), "and it is refused");
}
