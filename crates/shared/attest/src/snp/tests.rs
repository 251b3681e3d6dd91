//! AMD's rules: on a recorded report of a real chip, and on reports of an imaginary one (`testdata/snp/made`).

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::hex;
use base64::prelude::{BASE64_STANDARD, Engine};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};

use super::*;
use crate::policy::{SnpFloor, SnpTcb};
use crate::verified::Family;
use crate::{Collateral, Evidence, Root, Statement};

/// Inside the validity of every certificate here.
const NOW: u64 = 1_782_000_000;

const MADE: [Ark; 1] =
    [Ark { family: Family::SnpGenoa, certificate: include_bytes!("../../testdata/snp/made/ark.der") }];
const VCEK: &[u8] = include_bytes!("../../testdata/snp/made/vcek.der");
const ASK: &[u8] = include_bytes!("../../testdata/snp/made/ask.der");
const CRL: &[u8] = include_bytes!("../../testdata/snp/made/crl.der");

mod recorded {
    use super::*;

    pub(super) const VCEK: &[u8] = include_bytes!("../../testdata/snp/vcek_milan.der");

    pub(super) fn report() -> Vec<u8> {
        hex::decode(include_str!("../../testdata/snp/report_milan.hex").trim()).unwrap()
    }

    /// The product's key from a chain as AMD serves it: PEM, the root behind it.
    pub(super) fn ask(chain: &str) -> Vec<u8> {
        let body: String = chain.lines().skip(1).take_while(|line| !line.starts_with('-')).collect();
        BASE64_STANDARD.decode(body).unwrap()
    }

    pub(super) fn milan_ask() -> Vec<u8> {
        ask(include_str!("../../testdata/snp/cert_chain_milan"))
    }
}

#[test]
fn v22_the_recorded_report_is_genuine() {
    let (verified, report, _) =
        prove(&recorded::report(), recorded::VCEK, &recorded::milan_ask(), Root::Hardware.snp(), NOW).unwrap();

    assert_eq!(verified.family, Family::SnpMilan);
    assert_eq!(report.tcb, SnpTcb { fmc: 0, bootloader: 3, tee: 0, snp: 8, microcode: 115 });
    assert_eq!(report.firmware, (1, 52, 4));
    assert_eq!(verified.report_data.0[..4], [0xd4, 0x47, 0xb5, 0x5d]);
    assert_eq!(verified.expires, 1_901_474_623, "the chip's own certificate is the first to end");
    let launch =
        hex!("7a1e5c266c0108dbc9bb94fa926951320940915d0aafb42464bd88b579ea158d3e1a0dc39b2c60bd95b9c480cd81841f");
    assert_eq!(verified.measurement, Measurement::Snp { launch: launch.into() });
}

#[test]
fn v23_milan_is_refused_although_it_is_genuine() {
    let evidence = Evidence {
        statement: Statement::Snp { report: recorded::report(), vcek: recorded::VCEK.into() },
        collateral: Collateral::Snp(SnpCollateral { ask: recorded::milan_ask(), crl: vec![] }),
    };
    let verify = |policy: &Policy, root| crate::verify(&evidence, policy, root, NOW);
    assert_eq!(verify(&Policy::production(), Root::Hardware), Err(Refused::FamilyDenied));
    // Even a chain that admits Milan wants to know that nothing was revoked.
    assert_eq!(verify(&policy(Family::SnpMilan), Root::Hardware), Err(Refused::Revocation));
    assert_eq!(verify(&policy(Family::SnpMilan), Root::Simulated), Err(Refused::NoRoot));
}

#[test]
fn v22_no_bit_of_the_recorded_report_can_be_changed() {
    let (report, ask) = (recorded::report(), recorded::milan_ask());
    let step = if std::env::var_os("CLOISTER_MUTATIONS").is_some() { 1 } else { 29 };
    for bit in (0..report.len() * 8).step_by(step) {
        let mut report = report.clone();
        report[bit / 8] ^= 1 << (bit % 8);
        let verdict = prove(&report, recorded::VCEK, &ask, Root::Hardware.snp(), NOW);
        assert!(verdict.is_err(), "bit {bit}");
    }
}

#[test]
fn the_certificates_of_turin_are_read_and_proven() {
    let vcek = include_bytes!("../../testdata/snp/vcek_turin.der");
    let chip = Chip::parse(vcek).unwrap();
    assert_eq!(chip.family, Family::SnpTurin);
    assert_eq!(chip.tcb, SnpTcb { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 9 });
    assert_eq!(chip.id[..9], [0x1e, 0x55, 0x0a, 0x8e, 0xe5, 0xcf, 0x9f, 0x4d, 0]);

    let ask = recorded::ask(include_str!("../../testdata/snp/cert_chain_turin"));
    let chain = |ark: &Ark| check_chain(vcek, &ask, ark, NOW);
    let [milan, genoa, turin] = Root::Hardware.snp() else { panic!("three products") };
    assert_eq!(chain(turin), Ok(1_951_766_040));
    assert_eq!(chain(genoa), Err(Refused::Unproven));
    assert_eq!(chain(milan), Err(Refused::Unproven));
}

#[test]
fn each_version_of_a_report_of_the_made_chip_is_accepted_and_expires_with_the_list() {
    for version in [2, 3, 5] {
        let verified = check(&signed(|report| set_version(report, version))).unwrap();
        assert_eq!(verified.family, Family::SnpGenoa);
        assert_eq!(verified.expires, 1_788_220_800, "nextUpdate of the list");
        assert_eq!(verified.hardware, HardwareId::from_chip_id(&[0xC5; 64]));
        assert_eq!(claimed_hardware(VCEK), Ok(verified.hardware));
        assert_eq!(verified.report_data.0, [0xDA; 64]);
        assert_eq!(claimed_data(&signed(|report| set_version(report, version))), Ok(verified.report_data));
    }
}

/// What was done to a report, and how it is called.
type Change = (&'static str, fn(&mut Vec<u8>), Refused);

#[test]
fn v22_what_a_report_must_not_say_is_refused_although_the_chip_signed_it() {
    let table: &[Change] = &[
        ("version 1", |report| report[0] = 1, Refused::Version),
        ("version 4", |report| report[0] = 4, Refused::Version),
        ("version 6", |report| report[0] = 6, Refused::Version),
        ("debug", |report| report[0x0A] |= 1 << 3, Refused::Debug),
        ("a migration agent", |report| report[0x0A] |= 1 << 2, Refused::Migration),
        ("policy bit 17", |report| report[0x0A] &= !(1 << 1), Refused::Reserved),
        ("a reserved policy bit", |report| report[0x0F] |= 1 << 7, Refused::Reserved),
        ("VMPL 1", |report| report[0x30] = 1, Refused::Privilege),
        ("another algorithm", |report| report[0x34] = 2, Refused::SigningKey),
        ("a masked chip key", |report| report[0x48] |= 1 << 1, Refused::SigningKey),
        ("a loaded key (VLEK)", |report| report[0x48] |= 1 << 2, Refused::SigningKey),
        ("a reserved flag", |report| report[0x48] |= 1 << 5, Refused::Reserved),
        ("reserved bytes", |report| report[0x4D] = 1, Refused::Reserved),
        ("reserved behind the model", |report| report[0x18C] = 1, Refused::Reserved),
        ("reserved behind the vectors", |report| report[0x208] = 1, Refused::Reserved),
        ("padding at the end", |report| report[1183] = 1, Refused::Reserved),
        ("another product", |report| report[0x189] = 0x01, Refused::Chip),
        ("an unknown processor", |report| report[0x188] = 0x1B, Refused::Chip),
        ("another chip", |report| report[0x1A0] ^= 1, Refused::Chip),
        ("newer firmware than certified", |report| report[0x186] += 1, Refused::Chip),
        ("reserved TCB bytes", |report| report[0x183] = 1, Refused::Reserved),
        ("SMT", |report| report[0x40] |= 1, Refused::Smt),
        ("older committed firmware", |report| report[0x1ED] = 54, Refused::Firmware),
    ];
    for (name, change, refused) in table {
        assert_eq!(check(&signed(change)), Err(*refused), "{name}");
    }
}

#[test]
fn v22_what_nobody_signed_is_refused() {
    let good = signed(|_| ());
    for bit in [0x050 * 8, 0x2A0 * 8, 0x2E8 * 8 + 3] {
        let mut report = good.clone();
        report[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(check(&report), Err(Refused::Unproven), "bit {bit}");
    }
    for length in 0..good.len() {
        assert_eq!(check(&good[..length]), Err(Refused::Malformed), "{length} bytes");
    }
    assert_eq!(check(&[&good[..], &[0]].concat()), Err(Refused::TrailingBytes));
}

#[test]
fn v22_a_changed_bit_of_the_certificates_or_the_list_never_changes_what_is_proven() {
    let report = signed(|_| ());
    let expected = check(&report).unwrap();
    let step = if std::env::var_os("CLOISTER_MUTATIONS").is_some() { 1 } else { 23 };
    for part in 0..3 {
        let size = [VCEK, ASK, CRL][part].len();
        for bit in (0..size * 8).step_by(step) {
            let mut parts = [VCEK, ASK, CRL].map(<[u8]>::to_vec);
            parts[part][bit / 8] ^= 1 << (bit % 8);
            let [vcek, ask, crl] = parts;
            let collateral = SnpCollateral { ask, crl };
            if let Ok(verified) = verify(&report, &vcek, &collateral, &policy(Family::SnpGenoa), &MADE, NOW) {
                assert_eq!(verified, expected, "part {part}, bit {bit}");
            }
        }
    }
}

#[test]
fn v22_a_chain_that_does_not_hold_now_is_refused() {
    let report = signed(|_| ());
    let with = |ask: &[u8], crl: &[u8], roots: &[Ark], now| {
        let collateral = SnpCollateral { ask: ask.into(), crl: crl.into() };
        verify(&report, VCEK, &collateral, &policy(Family::SnpGenoa), roots, now).map(|_| ())
    };
    let revoked: &[u8] = include_bytes!("../../testdata/snp/made/crl_revoked.der");
    let of_another: &[u8] = include_bytes!("../../testdata/snp/made/crl_of_another.der");

    assert_eq!(with(ASK, CRL, &MADE, NOW), Ok(()));
    assert_eq!(with(ASK, revoked, &MADE, NOW), Err(Refused::Revocation));
    assert_eq!(with(ASK, of_another, &MADE, NOW), Err(Refused::Revocation));
    assert_eq!(with(ASK, &[], &MADE, NOW), Err(Refused::Revocation));
    assert_eq!(with(MADE[0].certificate, CRL, &MADE, NOW), Err(Refused::Unproven));
    assert_eq!(with(ASK, CRL, Root::Hardware.snp(), NOW), Err(Refused::Unproven));
    assert_eq!(with(ASK, CRL, Root::Simulated.snp(), NOW), Err(Refused::NoRoot));
    // First and last second of the list, first and last of the certificates.
    assert_eq!(with(ASK, CRL, &MADE, 1_780_271_999), Err(Refused::NotYetValid));
    assert_eq!(with(ASK, CRL, &MADE, 1_780_272_000), Ok(()));
    assert_eq!(with(ASK, CRL, &MADE, 1_788_220_799), Ok(()));
    assert_eq!(with(ASK, CRL, &MADE, 1_788_220_800), Err(Refused::Expired));
    assert_eq!(with(ASK, CRL, &MADE, 1_767_225_599), Err(Refused::NotYetValid));
    assert_eq!(with(ASK, CRL, &MADE, 1_988_150_400), Err(Refused::Expired));
}

#[test]
fn v23_a_family_is_admitted_with_a_floor_only_and_never_below_it() {
    let report = signed(|_| ());
    let collateral = SnpCollateral { ask: ASK.into(), crl: CRL.into() };
    let with = |policy: &Policy| verify(&report, VCEK, &collateral, policy, &MADE, NOW).map(|_| ());

    assert_eq!(with(&Policy::default()), Err(Refused::FamilyUnlisted));
    assert_eq!(with(&policy(Family::SnpGenoa)), Ok(()));
    let denied = Policy { denied: BTreeSet::from([Family::SnpGenoa]), ..policy(Family::SnpGenoa) };
    assert_eq!(with(&denied), Err(Refused::FamilyDenied));

    let raised: [fn(&mut SnpFloor); 5] = [
        |floor| floor.tcb.bootloader += 1,
        |floor| floor.tcb.tee += 1,
        |floor| floor.tcb.snp += 1,
        |floor| floor.tcb.microcode += 1,
        |floor| floor.firmware.2 += 1,
    ];
    for raise in raised {
        let mut policy = policy(Family::SnpGenoa);
        raise(policy.snp.get_mut(&Family::SnpGenoa).unwrap());
        assert_eq!(with(&policy), Err(Refused::Firmware));
    }
}

/// Admits one family, exactly with the firmware of the made chip.
fn policy(family: Family) -> Policy {
    let tcb = SnpTcb { fmc: 0, bootloader: 9, tee: 0, snp: 0x17, microcode: 0x48 };
    Policy { snp: BTreeMap::from([(family, SnpFloor { tcb, firmware: (1, 55, 21) })]), ..Policy::default() }
}

fn check(report: &[u8]) -> Result<Verified, Refused> {
    let collateral = SnpCollateral { ask: ASK.into(), crl: CRL.into() };
    verify(report, VCEK, &collateral, &policy(Family::SnpGenoa), &MADE, NOW)
}

/// A good report of the made chip, changed, and then signed by it.
fn signed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut report = vec![0; 1184];
    set_version(&mut report, 5);
    report[0x0A] = 1 << 1;
    report[0x34] = 1;
    report[0x50..0x90].fill(0xDA);
    report[0x90..0xC0].fill(0x3E);
    let tcb = [9, 0, 0, 0, 0, 0, 0x17, 0x48];
    for at in [0x38, 0x180, 0x1E0, 0x1F0] {
        report[at..at + 8].copy_from_slice(&tcb);
    }
    report[0x1A0..0x1E0].fill(0xC5);
    report[0x1EC..0x1EF].copy_from_slice(&[21, 55, 1]);
    change(&mut report);

    let random = SystemRandom::new();
    let key = include_bytes!("../../testdata/snp/made/vcek.key.der");
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key, &random).unwrap();
    let signature = key.sign(&random, &report[..0x2A0]).unwrap();
    for (at, scalar) in [0x2A0, 0x2E8].into_iter().zip(signature.as_ref().chunks(48)) {
        report[at..at + 48].copy_from_slice(scalar);
        report[at..at + 48].reverse();
    }
    report
}

fn set_version(report: &mut [u8], version: u8) {
    report[0] = version;
    let processor = if version == 2 { [0, 0] } else { [0x19, 0x11] };
    report[0x188..0x18A].copy_from_slice(&processor);
}
