//! The simulated authority against the one verifier (trust model, section 7): its evidence is as good or as bad as it is
//! asked for, and no hardware chain believes it.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use alloy_primitives::{FixedBytes, hex};
use cloister_attest::simulated_authority::{
    Bulletin, Chip, Enclave, Level, LevelStatus, collateral, evidence, root_certificate, statement,
};
use cloister_attest::{
    Evidence, Family, Measurement, Policy, Refused, ReportData, Root, SnpCollateral, Statement, Tolerated, Verified,
    verify,
};
use common::{SGX, TDX, lenient};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 60 * 60;

#[test]
fn what_the_authority_issues_is_accepted_under_its_own_root() {
    let verified = check(&chip(), &enclave(), &bulletin()).unwrap();
    assert_eq!(verified.family, Family::Sgx);
    assert_eq!(verified.measurement, Measurement::Sgx { enclave: [1; 32].into() });
    assert_eq!(verified.report_data, ReportData([2; 64]));
    assert_eq!(verified.hardware, chip().hardware_id());
    assert_eq!(verified.expires, NOW + 30 * DAY);
}

#[test]
fn v41_simulated_and_hardware_roots_refuse_each_other() {
    let simulated = evidence(&chip(), &enclave(), &bulletin());
    assert_eq!(verify(&simulated, &lenient(), Root::Hardware, NOW), Err(Refused::Unproven));
    for recorded in [SGX, TDX] {
        let verdict = verify(&recorded.evidence(), &lenient(), Root::Simulated, recorded.inside);
        assert_eq!(verdict, Err(Refused::Unproven), "{}", recorded.name);
    }
    assert_eq!((Root::of_genesis(true), Root::of_genesis(false)), (Root::Simulated, Root::Hardware));
}

#[test]
fn the_verifier_has_the_certificate_that_the_authority_derives() {
    assert_eq!(hex::encode(root_certificate()), hex::encode(include_bytes!("../roots/simulated.der")));
}

#[test]
fn the_same_question_gets_the_same_bytes() {
    let issue = || evidence(&chip(), &enclave(), &bulletin());
    assert_eq!(issue(), issue());
    assert_eq!(
        hex::encode(issue().collateral.hash()),
        "e4e81e799c2a18b42835a380e176e3ee94a285253000868ca38762a5f74e3fcf"
    );
    assert_eq!(
        hex::encode(check(&chip(), &enclave(), &bulletin()).unwrap().identity),
        "55d22e68c9abd1e1274ca7f5e647ed3c91c1eec0b8d0c1beed0c27fc28b7f343"
    );
}

#[test]
fn v22_a_debuggable_enclave_is_refused() {
    assert_eq!(check(&chip(), &Enclave { debug: true, ..enclave() }, &bulletin()), Err(Refused::Debug));
}

#[test]
fn v22_firmware_is_judged_by_its_level() {
    let old = Chip { svn: 1, ..chip() };
    assert_eq!(check(&old, &enclave(), &bulletin()), Err(Refused::TcbStatus));
    let too_old = Chip { svn: 0, ..chip() };
    assert_eq!(check(&too_old, &enclave(), &bulletin()), Err(Refused::Unproven), "below every level");

    let judged = |status, policy: &Policy| {
        let levels = vec![Level { svn: 0, status, advisories: vec![289, 615] }];
        let evidence = evidence(&chip(), &enclave(), &Bulletin { levels, ..bulletin() });
        verify(&evidence, policy, Root::Simulated, NOW).map(|_| ())
    };
    let table = [
        (LevelStatus::UpToDate, Ok(())),
        (LevelStatus::SwHardeningNeeded, Ok(())),
        (LevelStatus::ConfigurationAndSwHardeningNeeded, Ok(())),
        (LevelStatus::ConfigurationNeeded, Err(Refused::TcbStatus)),
        (LevelStatus::OutOfDate, Err(Refused::TcbStatus)),
        (LevelStatus::OutOfDateConfigurationNeeded, Err(Refused::TcbStatus)),
        (LevelStatus::Revoked, Err(Refused::Unproven)),
    ];
    for (status, verdict) in table {
        assert_eq!(judged(status, &lenient()), verdict, "{status:?}, all tolerated");
        let strict = if status == LevelStatus::UpToDate { Ok(()) } else { verdict.and(Err(Refused::TcbStatus)) };
        assert_eq!(judged(status, &Policy::production()), strict, "{status:?}, nothing tolerated");
    }
    let mut one = lenient();
    one.dcap.tolerated = BTreeSet::from([Tolerated::SwHardeningNeeded]);
    assert_eq!(judged(LevelStatus::ConfigurationAndSwHardeningNeeded, &one), Err(Refused::TcbStatus));
}

#[test]
fn v22_every_advisory_has_to_be_listed() {
    let with = |advisories: &[u32]| {
        let levels = vec![Level { svn: 0, status: LevelStatus::SwHardeningNeeded, advisories: advisories.into() }];
        let evidence = evidence(&chip(), &enclave(), &Bulletin { levels, ..bulletin() });
        verify(&evidence, &lenient(), Root::Simulated, NOW).map(|_| ())
    };
    assert_eq!(with(&[]), Ok(()));
    assert_eq!(with(&[615, 289]), Ok(()));
    assert_eq!(with(&[615, 289, 1234]), Err(Refused::Advisory));
    assert_eq!(with(&[28_900]), Err(Refused::Advisory));
}

#[test]
fn v24_collateral_of_an_older_evaluation_is_refused() {
    let older = Bulletin { tcb_eval_data_number: 19, ..bulletin() };
    assert_eq!(check(&chip(), &enclave(), &older), Err(Refused::OldCollateral));
}

#[test]
fn v24_evidence_holds_from_its_issue_to_the_first_end() {
    let document_first = Bulletin { next_update: NOW + 5, next_list: NOW + 9, ..bulletin() };
    let list_first = Bulletin { next_update: NOW + 9, next_list: NOW + 5, ..bulletin() };
    for bulletin in [document_first, list_first] {
        let evidence = evidence(&chip(), &enclave(), &bulletin);
        let at = |now| verify(&evidence, &Policy::production(), Root::Simulated, now).map(|verified| verified.expires);
        assert_eq!(at(NOW - 1), Err(Refused::NotYetValid));
        assert_eq!(at(NOW), Ok(NOW + 5));
        assert_eq!(at(NOW + 4), Ok(NOW + 5));
        assert_eq!(at(NOW + 5), Err(Refused::Expired));
    }
}

#[test]
fn v24_time_travel_over_120_days() {
    let statement = statement(&chip(), &enclave());
    for day in 0..120 {
        let now = NOW + day * DAY;
        let issued = |days_ago: u64| Evidence {
            statement: statement.clone(),
            collateral: collateral(&Bulletin::new(now - days_ago * DAY)),
        };
        let check = |evidence| verify(&evidence, &Policy::production(), Root::Simulated, now).map(|seen| seen.expires);
        assert_eq!(check(issued(29)), Ok(now + DAY));
        assert_eq!(check(issued(30)), Err(Refused::Expired));
    }
}

#[test]
fn v23_two_statements_of_one_chip_name_the_same_hardware() {
    let first = check(&chip(), &enclave(), &bulletin()).unwrap();
    let later = Enclave { report_data: ReportData([3; 64]), ..enclave() };
    let second = check(&chip(), &later, &bulletin()).unwrap();
    let updated = check(&Chip { svn: 3, ..chip() }, &enclave(), &bulletin()).unwrap();
    let other = check(&Chip::new([8; 16]), &enclave(), &bulletin()).unwrap();

    assert_eq!(first.hardware, second.hardware);
    assert_eq!(first.hardware, updated.hardware);
    assert_ne!(first.hardware, other.hardware);
    assert_ne!(first.identity, second.identity);
}

#[test]
fn v23_families_models_and_chips_can_be_shut_out() {
    let evidence = evidence(&chip(), &enclave(), &bulletin());
    let with = |policy: Policy| verify(&evidence, &policy, Root::Simulated, NOW).map(|_| ());
    let family = Policy { denied: BTreeSet::from([Family::Sgx]), ..Policy::production() };
    assert_eq!(with(family), Err(Refused::FamilyDenied));
    let mut model = Policy::production();
    model.dcap.denied_models = BTreeSet::from([FixedBytes(chip().model)]);
    assert_eq!(with(model), Err(Refused::ModelDenied));

    let revoked = Bulletin { revoked: vec![chip().ppid], ..bulletin() };
    assert_eq!(check(&chip(), &enclave(), &revoked), Err(Refused::Unproven));
    assert!(check(&Chip::new([8; 16]), &enclave(), &revoked).is_ok());
    assert_eq!(check(&Chip::new([0; 16]), &enclave(), &bulletin()), Err(Refused::HardwareId));
}

#[test]
fn v22_platforms_follow_the_policy() {
    let table = [
        (Chip { smt: true, ..chip() }, Refused::Smt),
        (Chip { dynamic_platform: true, ..chip() }, Refused::DynamicPlatform),
        (Chip { cached_keys: true, ..chip() }, Refused::CachedKeys),
    ];
    for (chip, refused) in table {
        assert_eq!(check(&chip, &enclave(), &bulletin()), Err(refused));
        let evidence = evidence(&chip, &enclave(), &bulletin());
        assert!(verify(&evidence, &lenient(), Root::Simulated, NOW).is_ok());
    }
}

#[test]
fn v22_collateral_belongs_to_one_model_and_one_maker() {
    let other = Bulletin { model: *b"OTHER1", ..bulletin() };
    assert_eq!(check(&chip(), &enclave(), &other), Err(Refused::Unproven));
    let other = Bulletin { pce_id: [0, 1], ..bulletin() };
    assert_eq!(check(&chip(), &enclave(), &other), Err(Refused::Unproven));

    let report = Statement::Snp { report: vec![0; 1184], vcek: vec![] };
    let list = cloister_attest::Collateral::Snp(SnpCollateral { ask: vec![], crl: vec![] });
    let crossed = [
        Evidence { statement: report.clone(), collateral: collateral(&bulletin()) },
        Evidence { statement: statement(&chip(), &enclave()), collateral: list.clone() },
    ];
    for evidence in crossed {
        assert_eq!(verify(&evidence, &lenient(), Root::Simulated, NOW), Err(Refused::Mismatched));
    }
    let amd = Evidence { statement: report, collateral: list };
    assert_eq!(verify(&amd, &lenient(), Root::Simulated, NOW), Err(Refused::NoRoot));
}

fn chip() -> Chip {
    Chip::new([7; 16])
}

fn enclave() -> Enclave {
    Enclave { measurement: [1; 32].into(), report_data: ReportData([2; 64]), debug: false }
}

fn bulletin() -> Bulletin {
    Bulletin::new(NOW)
}

fn check(chip: &Chip, enclave: &Enclave, bulletin: &Bulletin) -> Result<Verified, Refused> {
    verify(&evidence(chip, enclave, bulletin), &Policy::production(), Root::Simulated, NOW)
}
