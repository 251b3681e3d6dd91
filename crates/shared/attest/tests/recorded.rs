//! Evidence that real hardware made: what is accepted, when, and by which policy (V-22).

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use alloy_primitives::hex;
use cloister_attest::{Collateral, Evidence, Family, Measurement, Policy, Refused, Root, Statement, Verified, verify};
use common::{Recorded, SGX, TDX, TDX_15_EX, lenient, testdata};
use sha2::{Digest, Sha256};

#[test]
fn the_test_data_is_what_it_was() {
    let sums = fs::read_to_string(testdata().join("SHA256SUMS")).unwrap();
    let expected: BTreeMap<&str, &str> =
        sums.lines().map(|line| line.split_once("  ").unwrap()).map(|(sum, path)| (path, sum)).collect();
    for (path, sum) in &expected {
        assert_eq!(hex::encode(Sha256::digest(fs::read(testdata().join(path)).unwrap())), *sum, "{path}");
    }
    assert_eq!(files(&testdata()), expected.len() + 1, "every file but the list itself is in the list");
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[test]
fn v22_each_is_accepted_inside_its_window_and_refused_before_and_after() {
    for recorded in [SGX, TDX, TDX_15_EX] {
        let at = |now| verify(&recorded.evidence(), &lenient(), Root::Hardware, now).map(|_| ());
        assert_eq!(at(recorded.inside), Ok(()), "{}", recorded.name);
        assert_eq!(at(recorded.before), Err(Refused::NotYetValid), "{}", recorded.name);
        assert_eq!(at(recorded.after), Err(Refused::Expired), "{}", recorded.name);
    }
}

#[test]
fn what_the_sgx_quote_proves() {
    let verified = accepted(&SGX);
    assert_eq!(verified.family, Family::Sgx);
    let enclave = hex!("33d8736db756ed4997e04ba358d27833188f1932ff7b1d156904d3f560452fbb");
    assert_eq!(verified.measurement, Measurement::Sgx { enclave: enclave.into() });
    let mut said = [0; 64];
    said[..13].copy_from_slice(b"Hello, world!");
    assert_eq!(verified.report_data.0, said);
    assert_golden(
        &verified,
        "0x6af9766874c57455a2092f101a97b9bb9f8468607abb9e80dc0a42b75d1548a9 0x25f69601d7935010be8ac99ba450892483327ecede0ebeba18a03325782f6239 c1c4b9f4168bcf1f2bf989982239441ac499b47acd660ef3042b7e062d112d66",
    );
}

#[test]
fn what_the_tdx_quotes_prove() {
    for (recorded, golden) in [
        (
            TDX,
            "0x147c2964d002dc9ac61b26c17b4291c5ee238ed0d0c2cfd29c85ac53ab9e5c2c 0x4ee7d3f890949036b32c1817c3a67bb7e0fc535a0cacb8ad5654908f594e5afa 81021576abf2b09cf647b6c7345866cf14d744244d17142f74e176a5aa7de9dd",
        ),
        (
            TDX_15_EX,
            "0x9dd5494e3e348d29172079c11fb74cdd1d92dececd698eade99692b96246dbaa 0x8b80ac51b1fda308c192d7e248bf345585c767a44e44bd2b617f7a9c67773b0f d658d657c666174904809c6c8de250fd1a38cfacdcfc54abca1249b9b96622f7",
        ),
    ] {
        let verified = accepted(&recorded);
        assert_eq!(verified.family, Family::Tdx);
        assert!(matches!(verified.measurement, Measurement::Tdx { .. }));
        assert_golden(&verified, golden);
    }
}

#[test]
fn v24_evidence_expires_with_the_first_thing_it_rests_on() {
    // For the first TDX quote that is a revocation list, for the others a document.
    for (recorded, expires) in [(SGX, 1_752_919_278), (TDX, 1_752_919_235), (TDX_15_EX, 1_794_008_711)] {
        assert_eq!(accepted(&recorded).expires, expires, "{}", recorded.name);
        let at = |now| verify(&recorded.evidence(), &lenient(), Root::Hardware, now).map(|_| ());
        assert_eq!(at(expires - 1), Ok(()));
        assert_eq!(at(expires), Err(Refused::Expired));
    }
}

#[test]
fn v22_each_permission_that_the_policy_withdraws_refuses() {
    type Line = (Recorded, fn(&mut Policy), Refused);
    let table: &[Line] = &[
        (SGX, |policy| policy.dcap.tolerated.clear(), Refused::TcbStatus),
        (SGX, |policy| _ = policy.dcap.tolerated.pop_last(), Refused::TcbStatus),
        (SGX, |policy| _ = policy.dcap.advisories.pop_first(), Refused::Advisory),
        (SGX, |policy| _ = policy.dcap.advisories.pop_last(), Refused::Advisory),
        (SGX, |policy| policy.dcap.min_tcb_eval_data_number = 18, Refused::OldCollateral),
        (SGX, |policy| _ = policy.denied.insert(Family::Sgx), Refused::FamilyDenied),
        (SGX, |policy| _ = policy.dcap.denied_models.insert(hex!("00a067110000").into()), Refused::ModelDenied),
        (TDX, |policy| policy.allow_smt = false, Refused::Smt),
        (TDX, |policy| policy.dcap.allow_dynamic_platform = false, Refused::DynamicPlatform),
        (TDX, |policy| _ = policy.denied.insert(Family::Tdx), Refused::FamilyDenied),
        (TDX_15_EX, |policy| policy.dcap.min_tcb_eval_data_number = 21, Refused::OldCollateral),
    ];
    for (index, (recorded, withdraw, refused)) in table.iter().enumerate() {
        let mut policy = lenient();
        withdraw(&mut policy);
        let verdict = verify(&recorded.evidence(), &policy, Root::Hardware, recorded.inside);
        assert_eq!(verdict, Err(*refused), "line {index}");
    }
    let enough = Policy { dcap: lenient().dcap, ..Policy::default() };
    assert!(verify(&SGX.evidence(), &enough, Root::Hardware, SGX.inside).is_ok());
}

#[test]
fn v22_a_strict_policy_refuses_what_was_recorded() {
    let strict = |recorded: Recorded| verify(&recorded.evidence(), &Policy::default(), Root::Hardware, recorded.inside);
    assert_eq!(strict(SGX), Err(Refused::TcbStatus));
    assert_eq!(strict(TDX), Err(Refused::Smt));
    assert_eq!(strict(TDX_15_EX), Err(Refused::Smt));
}

#[test]
fn v22_a_platform_without_any_level_is_refused() {
    let outdated = Recorded { name: "tdx_quote_outdated", inside: 1_772_000_000, before: 0, after: 0 };
    let verdict = verify(&outdated.evidence(), &lenient(), Root::Hardware, outdated.inside);
    assert_eq!(verdict, Err(Refused::Unproven));
}

#[test]
fn v22_collateral_of_another_model_is_refused() {
    let evidence = TDX.with_quote(SGX.quote());
    assert_eq!(verify(&evidence, &lenient(), Root::Hardware, SGX.inside), Err(Refused::Unproven));
}

#[test]
fn v22_a_quote_has_exactly_its_length() {
    // As it was recorded: in a buffer of fixed size, zeros behind the quote.
    let padded = TDX.with_quote(TDX.quote());
    assert_eq!(verify(&padded, &lenient(), Root::Hardware, TDX.inside), Err(Refused::TrailingBytes));

    let quote = SGX.quote();
    let mut evidence = SGX.with_quote(vec![]);
    let mut at_length = |bytes: &[u8]| {
        evidence.statement = Statement::Dcap { quote: bytes.into() };
        verify(&evidence, &lenient(), Root::Hardware, SGX.inside).map(|_| ())
    };
    for length in 0..quote.len() {
        assert_eq!(at_length(&quote[..length]), Err(Refused::Malformed), "{length} bytes");
    }
    assert_eq!(at_length(&quote), Ok(()));
    assert_eq!(at_length(&[&quote[..], &[0]].concat()), Err(Refused::TrailingBytes));
    // The same inside the signature section: its length says more than its parts need.
    let mut stretched = [&quote[..], &[0; 16]].concat();
    let section = u32::from_le_bytes(quote[432..436].try_into().unwrap()) + 16;
    stretched[432..436].copy_from_slice(&section.to_le_bytes());
    assert_eq!(at_length(&stretched), Err(Refused::TrailingBytes));
}

#[test]
fn v22_only_known_versions_and_kinds() {
    let edited = |recorded: &Recorded, at: usize, value: u8| {
        let mut evidence = recorded.evidence();
        let Statement::Dcap { quote } = &mut evidence.statement else { panic!("a quote") };
        quote[at] = value;
        verify(&evidence, &lenient(), Root::Hardware, recorded.inside).map(|_| ())
    };
    for version in [0, 1, 2, 6, 255] {
        assert_eq!(edited(&SGX, 0, version), Err(Refused::Version));
    }
    assert_eq!(edited(&SGX, 4, 0x81), Err(Refused::Malformed), "a trust domain in a quote of version 3");
    assert_eq!(edited(&SGX, 1046, 3), Err(Refused::CertificationData), "an encrypted name instead of certificates");
    assert_eq!(edited(&TDX, 764, 5), Err(Refused::CertificationData), "the outer kind of version 4");
    // Claimed debug: refused before anybody looks at the signature.
    assert_eq!(edited(&SGX, 48 + 48, 0x07), Err(Refused::Debug));
    assert_eq!(edited(&TDX, 48 + 120, 0x01), Err(Refused::Debug));
}

#[test]
fn v22_sizes_come_first() {
    let most = Statement::Dcap { quote: vec![0; Statement::MAX_BYTES] };
    let large = Evidence { statement: most, collateral: SGX.collateral() };
    assert_eq!(verify(&large, &lenient(), Root::Hardware, SGX.inside), Err(Refused::Oversize));

    let mut padded = SGX.evidence();
    let Collateral::Dcap(collateral) = &mut padded.collateral else { panic!("of a quote") };
    collateral.tcb_info_chain.push_str(&"\n".repeat(Collateral::MAX_BYTES));
    assert_eq!(verify(&padded, &lenient(), Root::Hardware, SGX.inside), Err(Refused::Oversize));

    assert_eq!(Statement::from_bytes(&vec![0; Statement::MAX_BYTES + 1]), Err(Refused::Oversize));
    assert_eq!(Collateral::from_bytes(&vec![0; Collateral::MAX_BYTES + 1]), Err(Refused::Oversize));
    assert_eq!(Evidence::from_bytes(&vec![0; (96 << 10) + 1]), Err(Refused::Oversize));
    assert_eq!(Collateral::from_json(&" ".repeat(1 << 20)), Err(Refused::Oversize));
}

#[test]
fn what_travels_comes_back_and_has_one_encoding() {
    for recorded in [SGX, TDX, TDX_15_EX] {
        let evidence = recorded.evidence();
        let bytes = borsh::to_vec(&evidence).unwrap();
        assert_eq!(Evidence::from_bytes(&bytes), Ok(evidence.clone()));
        assert_eq!(Evidence::from_bytes(&[&bytes[..], &[0]].concat()), Err(Refused::Malformed));
        assert_eq!(Evidence::from_bytes(&bytes[1..]), Err(Refused::Malformed));

        let collateral = borsh::to_vec(&evidence.collateral).unwrap();
        assert_eq!(Collateral::from_bytes(&collateral).unwrap().hash(), evidence.collateral.hash());
        let verified = accepted(&recorded);
        assert_eq!(borsh::from_slice::<Verified>(&borsh::to_vec(&verified).unwrap()).unwrap(), verified);
    }
    assert_ne!(SGX.collateral().hash(), TDX.collateral().hash());
    let policy = Policy::production();
    assert_eq!(borsh::from_slice::<Policy>(&borsh::to_vec(&policy).unwrap()).unwrap(), policy);
}

#[test]
fn a_node_learns_the_name_of_its_chip_from_a_first_statement() {
    for recorded in [SGX, TDX, TDX_15_EX] {
        assert_eq!(recorded.evidence().statement.claimed_hardware(), Ok(accepted(&recorded).hardware));
    }
    let statement = Statement::Dcap { quote: TDX.quote() };
    assert_eq!(statement.claimed_hardware(), Err(Refused::TrailingBytes));
}

#[test]
fn a_node_sees_that_a_statement_answers_its_own_question() {
    for recorded in [SGX, TDX, TDX_15_EX] {
        assert_eq!(recorded.evidence().statement.claimed_data(), Ok(accepted(&recorded).report_data));
    }
    let report = Statement::Snp { report: vec![0; 1183], vcek: vec![] };
    assert_eq!(report.claimed_data(), Err(Refused::Malformed));
    let report = Statement::Snp { report: vec![0; 1185], vcek: vec![] };
    assert_eq!(report.claimed_data(), Err(Refused::TrailingBytes));
}

#[test]
fn zeros_behind_a_quote_are_cut_and_nothing_else_is() {
    for recorded in [SGX, TDX, TDX_15_EX] {
        assert_eq!(Statement::from_quote(&recorded.quote()), Ok(recorded.evidence().statement));
    }
    let mut quote = TDX.quote();
    *quote.last_mut().unwrap() = 1;
    assert_eq!(Statement::from_quote(&quote), Err(Refused::TrailingBytes));
    assert_eq!(Statement::from_quote(&quote[..4935]), Err(Refused::Malformed));
    assert_eq!(Statement::from_quote(&vec![0; Statement::MAX_BYTES + 1]), Err(Refused::Oversize));
}

#[test]
fn a_refusal_keeps_its_number() {
    let pinned = [(Refused::Oversize, 1), (Refused::Expired, 17), (Refused::FamilyDenied, 48), (Refused::Firmware, 57)];
    for (refused, number) in pinned {
        assert_eq!(borsh::to_vec(&refused).unwrap(), [number]);
    }
    assert!(borsh::from_slice::<Refused>(&[0]).is_err());
}

fn accepted(recorded: &Recorded) -> Verified {
    verify(&recorded.evidence(), &lenient(), Root::Hardware, recorded.inside).unwrap()
}

/// The whole verdict in one line, for ever.
fn assert_golden(verified: &Verified, expected: &str) {
    let bytes = borsh::to_vec(verified).unwrap();
    let line =
        format!("{} {} {}", verified.measurement.digest(), verified.identity, hex::encode(Sha256::digest(bytes)));
    assert_eq!(line, expected);
}
