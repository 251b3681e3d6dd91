use alloy_primitives::{b256, hex};
use ed25519_zebra::{SigningKey, VerificationKey};

use super::*;

fn secret(number: u8) -> SigningKey {
    SigningKey::from([number; 32])
}

fn key(number: u8) -> B256 {
    B256::new(VerificationKey::from(&secret(number)).into())
}

fn build() -> Build {
    Build {
        measurement: B256::repeat_byte(1),
        source: B256::repeat_byte(2),
        lock: B256::repeat_byte(3),
        toolchain: "rustc 1.95.0".into(),
        flags: "--release --locked".into(),
    }
}

fn rebuilt(number: u8, build: &Build, chain_id: &str) -> Rebuilt {
    Rebuilt::sign(&secret(number), build, chain_id).expect("plain texts")
}

fn list(numbers: &[u8], threshold: u32) -> Rebuilders {
    let mut keys: Vec<B256> = numbers.iter().map(|number| key(*number)).collect();
    keys.sort_unstable();
    Rebuilders { keys, threshold }
}

fn release(rebuilt: Vec<Rebuilt>) -> Release {
    Release { build: build(), activation: 0, rebuilt }
}

#[test]
fn v28_enough_rebuilders_vouch_and_nobody_else_does() {
    let (list, build) = (list(&[1, 2, 3], 2), build());
    let vouch = |rebuilt| list.vouch(&release(rebuilt), "test-1");
    let by = |number| rebuilt(number, &build, "test-1");
    assert_eq!(vouch(vec![by(1), by(3)]), Ok(()));
    assert_eq!(vouch(vec![by(3), by(2), by(1)]), Ok(()), "in any order");
    assert_eq!(vouch(vec![]), Err(NotRebuilt::Few { signed: 0, wanted: 2 }));
    assert_eq!(vouch(vec![by(1)]), Err(NotRebuilt::Few { signed: 1, wanted: 2 }));
    assert_eq!(vouch(vec![by(1), by(1)]), Err(NotRebuilt::Twice(key(1))));
    assert_eq!(vouch(vec![by(1), by(4)]), Err(NotRebuilt::Unknown(key(4))));
    assert_eq!(vouch(vec![by(1), by(2), by(4)]), Err(NotRebuilt::Unknown(key(4))), "even if two are enough");
    let elsewhere = rebuilt(2, &build, "test-2");
    assert_eq!(vouch(vec![by(1), elsewhere]), Err(NotRebuilt::Signature(key(2))));
    let borrowed = Rebuilt { rebuilder: key(2), ..by(3) };
    assert_eq!(vouch(vec![by(1), borrowed]), Err(NotRebuilt::Signature(key(2))));
}

#[test]
fn v28_a_signature_is_of_each_field() {
    let changes: [fn(&mut Build); 5] = [
        |build| build.measurement = B256::repeat_byte(9),
        |build| build.source = B256::repeat_byte(9),
        |build| build.lock = B256::repeat_byte(9),
        |build| build.toolchain.push('1'),
        |build| build.flags.push('1'),
    ];
    let list = list(&[1], 1);
    for change in changes {
        let mut other = build();
        change(&mut other);
        let refused = list.vouch(&release(vec![rebuilt(1, &other, "test-1")]), "test-1");
        assert_eq!(refused, Err(NotRebuilt::Signature(key(1))));
    }
    let mut moved = build();
    (moved.toolchain, moved.flags) = ("rustc 1.95.0--release".into(), " --locked".into());
    assert_ne!(moved.digest("test-1"), build().digest("test-1"), "no text runs into its neighbour");
}

#[test]
fn texts_are_short_and_print() {
    let list = list(&[], 0);
    let with = |toolchain: String, flags: String| {
        let build = Build { toolchain, flags, ..build() };
        list.vouch(&Release { build, activation: 0, rebuilt: vec![] }, "test-1")
    };
    assert_eq!(with("x".repeat(TOOLCHAIN_BYTES), " ~".repeat(FLAGS_BYTES / 2)), Ok(()));
    assert_eq!(with("x".repeat(TOOLCHAIN_BYTES + 1), String::new()), Err(NotRebuilt::Texts));
    assert_eq!(with(String::new(), "x".repeat(FLAGS_BYTES + 1)), Err(NotRebuilt::Texts));
    let unreadable = Build { flags: "a\nb".into(), ..build() };
    assert_eq!(Rebuilt::sign(&secret(1), &unreadable, "test-1"), Err(NotRebuilt::Texts), "nor does anybody sign them");
    for text in ["a\nb", "a\u{7f}", "ä", "\u{202e}abc"] {
        assert_eq!(with(String::new(), text.into()), Err(NotRebuilt::Texts));
    }
}

#[test]
fn a_list_holds_keys_each_once_and_a_hardware_chain_wants_two() {
    assert_eq!(Rebuilders::default().check(true), Ok(()), "on a SIMULATED chain nobody rebuilds");
    assert_eq!(Rebuilders::default().check(false), Err(RebuildersError::Few));
    assert_eq!(list(&[1, 2], 1).check(false), Err(RebuildersError::Few));
    assert_eq!(list(&[1, 2], 2).check(false), Ok(()));
    assert_eq!(list(&[1, 2], 3).check(true), Err(RebuildersError::Threshold));
    let twice = Rebuilders { keys: vec![key(1), key(1)], threshold: 2 };
    assert_eq!(twice.check(true), Err(RebuildersError::Keys));
    let mut falling = list(&[1, 2], 2);
    falling.keys.reverse();
    assert_eq!(falling.check(true), Err(RebuildersError::Keys));
    let crowd: Vec<u8> = (0..=16).collect();
    assert_eq!(list(&crowd, 0).check(true), Err(RebuildersError::Keys));
    // No point of the curve; the neutral point; a point of order eight.
    let no_keys = [
        b256!("0x0200000000000000000000000000000000000000000000000000000000000000"),
        b256!("0x0100000000000000000000000000000000000000000000000000000000000000"),
        b256!("0x26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ];
    for key in no_keys {
        assert_eq!(Rebuilders { keys: vec![key], threshold: 0 }.check(true), Err(RebuildersError::Keys), "{key}");
    }
}

#[test]
fn what_is_signed_and_recorded_is_pinned() {
    let release = release(vec![rebuilt(1, &build(), "test-1")]);
    assert_eq!(build().digest("test-1"), b256!("0xc2a82171d07fd375578b65bf1e5eb3fc6a052423aec2d5e9afe1391e9e841e32"));
    let bytes = borsh::to_vec(&release).expect("memory");
    let build = [
        &[1; 32][..],
        &[2; 32],
        &[3; 32],
        &hex!("0c000000"),
        b"rustc 1.95.0",
        &hex!("12000000"),
        b"--release --locked",
    ];
    let signer = key(1);
    let signed = [&hex!("01000000")[..], signer.as_slice(), release.rebuilt[0].signature.as_slice()];
    assert_eq!(bytes, [&build.concat()[..], &[0; 8], &signed.concat()].concat());
}
