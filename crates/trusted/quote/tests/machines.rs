//! Machines that a fake file system pretends to be, with answers that real ones gave.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use cloister_attest::simulated_authority::{self, Bulletin, Chip, Enclave};
use cloister_attest::{Evidence, Measurement, Policy, Refused, ReportData, Root as Trust, Statement, verify};
use cloister_chain::wire::SealingBytes;
use cloister_quote::{Machine, QuoteError, Quoter, Simulated, Tsm, find};
use common::{
    Kernel, Root, SGX, TDX, TDX_5, VCEK, VCEK_GUID, VLEK_GUID, data_of, data_of_report, gramine, snp, table, tsm,
};

const DATA: ReportData = ReportData([0xDA; 64]);

#[test]
fn a_trust_domain_answers_with_its_quote() {
    for (recorded, length) in [(TDX, 4936), (TDX_5, 5247)] {
        let root = Root::new();
        root.guest("tdx_guest", recorded, None);
        let kernel = Kernel::run(&root, &[]);
        let mut quoter = find(root.path(), None).unwrap();
        assert_eq!((quoter.machine(), quoter.opens_files()), (Machine::Tdx, false));
        assert!(quoter.sealing_key().unwrap().is_none());

        let data = data_of(recorded);
        // The zeros that were recorded behind one of them are gone.
        assert_eq!(quoter.statement(&data).unwrap(), Statement::Dcap { quote: recorded[..length].to_vec() });
        drop(quoter);
        assert_eq!(kernel.end(), [data.0.to_vec()]);
    }
}

#[test]
fn a_guest_of_amd_answers_with_its_report_and_its_hosts_certificate() {
    let root = Root::new();
    root.guest("sev_guest", &snp(), Some(&table(VCEK_GUID, VCEK)));
    let kernel = Kernel::run(&root, &[]);
    // The operator's is older than the host's.
    let mut quoter = find(root.path(), Some(b"an old one".to_vec())).unwrap();
    assert_eq!(quoter.machine(), Machine::Snp);
    let statement = quoter.statement(&data_of_report(&snp())).unwrap();
    assert_eq!(statement, Statement::Snp { report: snp(), vcek: VCEK.to_vec() });
    assert!(statement.claimed_hardware().is_ok());
    drop(quoter);
    kernel.end();
}

#[test]
fn without_the_hosts_certificate_the_operators_is_taken_or_he_reads_which_to_fetch() {
    for nothing in [&[][..], &[0; 24], &table(VCEK_GUID, b"")] {
        let root = Root::new();
        root.guest("sev_guest", &snp(), Some(nothing));
        let kernel = Kernel::run(&root, &[]);
        let data = data_of_report(&snp());
        let statement = find(root.path(), Some(VCEK.to_vec())).unwrap().statement(&data).unwrap();
        assert_eq!(statement, Statement::Snp { report: snp(), vcek: VCEK.to_vec() });
        let error = find(root.path(), None).unwrap().statement(&data).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the host gives no certificate of this chip: fetch its VCEK from AMD's key service (chip id \
             d49554ec717f4e5b0fe6b143bcf0405bd7ae304727edf46603f2a76aef6a3abc15d7af38db757039029f0efacfd08e244324884738c72b082e2f87a44d541eb6, \
             reported TCB 0300000000000873) and hand it to the enclave"
        );
        kernel.end();
    }
}

#[test]
fn a_leased_key_and_a_damaged_table_are_named() {
    let data = data_of_report(&snp());
    let ask = |table: &[u8], vcek| {
        let root = Root::new();
        root.guest("sev_guest", &snp(), Some(table));
        let kernel = Kernel::run(&root, &[]);
        let outcome = find(root.path(), vcek).unwrap().statement(&data);
        kernel.end();
        outcome
    };
    assert!(matches!(ask(&table(VLEK_GUID, b"leased"), Some(VCEK.to_vec())), Err(QuoteError::LeasedKey)));
    assert!(matches!(ask(&table(VCEK_GUID, VCEK)[..1000], None), Err(QuoteError::CertificateTable)));
    assert!(matches!(ask(&table(VCEK_GUID, &[1; 31 << 10]), None), Err(QuoteError::StatementSize)));
    assert!(matches!(ask(&[1; (32 << 10) + 1], None), Err(QuoteError::Oversize { file: "auxblob", most: 32_768 })));
}

#[test]
fn an_answer_counts_only_if_nobody_else_asked_in_between() {
    let ask = |steps: &[u64]| {
        let root = Root::new();
        root.guest("tdx_guest", TDX, None);
        let kernel = Kernel::run(&root, steps);
        let outcome = find(root.path(), None).unwrap().statement(&data_of(TDX));
        (outcome, kernel.end().len())
    };
    let (second, asked) = ask(&[2, 1]);
    assert!(second.is_ok() && asked == 2);
    // The kernel's refusal of a write is lost with the close; then the number stays.
    let (third, asked) = ask(&[0, 5]);
    assert!(third.is_ok() && asked == 3);
    let (never, asked) = ask(&[2, 2, 2]);
    assert!(matches!(never, Err(QuoteError::Busy(_))) && asked == Tsm::ATTEMPTS);
}

#[test]
fn the_answer_to_another_question_is_refused() {
    let root = Root::new();
    root.guest("tdx_guest", TDX, None);
    let kernel = Kernel::run(&root, &[]);
    assert!(matches!(find(root.path(), None).unwrap().statement(&DATA), Err(QuoteError::OtherData)));
    kernel.end();
}

#[test]
fn every_question_spends_its_own_descriptors() {
    let root = Root::new();
    root.guest("sev_guest", &snp(), Some(&table(VCEK_GUID, VCEK)));
    let kernel = Kernel::run(&root, &[]);
    let mut quoter = find(root.path(), None).unwrap();
    for left in (0..Tsm::QUESTIONS).rev() {
        quoter.statement(&data_of_report(&snp())).unwrap();
        assert_eq!(quoter.descriptors().len(), 5 * left);
    }
    assert!(matches!(quoter.statement(&data_of_report(&snp())), Err(QuoteError::Spent)));
    kernel.end();
}

#[test]
fn an_sgx_enclave_opens_each_quote_after_its_report_data_are_written() {
    let root = Root::new();
    root.enclave("dcap");
    // What else the machine claims to be does not matter inside an enclave.
    root.guest("tdx_guest", TDX, None);
    let answering = gramine(&root, |report_data| {
        let enclave = Enclave { measurement: [1; 32].into(), report_data, debug: false };
        let Statement::Dcap { quote } = simulated_authority::statement(&Chip::new([7; 16]), &enclave) else { panic!() };
        quote
    });
    let mut quoter = find(root.path(), None).unwrap();
    assert_eq!((quoter.machine(), quoter.opens_files(), quoter.descriptors().len()), (Machine::Sgx, true, 0));
    assert_eq!(quoter.statement(&DATA).unwrap().claimed_data(), Ok(DATA));
    answering.join().unwrap();
}

#[test]
fn a_quote_of_old_report_data_is_refused() {
    let root = Root::new();
    root.enclave("dcap");
    root.write("dev/attestation/quote", SGX);
    let mut quoter = find(root.path(), None).unwrap();
    assert!(matches!(quoter.statement(&DATA), Err(QuoteError::OtherData)));
    assert_eq!(std::fs::read(root.at("dev/attestation/user_report_data")).unwrap(), DATA.0);
    assert_eq!(quoter.statement(&data_of(SGX)).unwrap(), Statement::from_quote(SGX).unwrap());
}

#[test]
fn the_sealing_key_is_the_measurements_and_never_the_signers() {
    let root = Root::new();
    root.enclave("dcap");
    root.write("dev/attestation/keys/_sgx_mrsigner", &[9; 16]);
    let quoter = find(root.path(), None).unwrap();
    assert!(matches!(quoter.sealing_key(), Err(QuoteError::Absent(path)) if path.ends_with("keys/_sgx_mrenclave")));
    root.write("dev/attestation/keys/_sgx_mrenclave", &[5; 16]);
    let key = quoter.sealing_key().unwrap().unwrap();
    assert_eq!(hex::encode(key.0), "06f3b5b6564ab88c52369140e7aab60bc54541413006e0ceba40ecb1a26960c0");
    for wrong in [&[][..], &[5; 15]] {
        root.write("dev/attestation/keys/_sgx_mrenclave", wrong);
        assert!(matches!(quoter.sealing_key(), Err(QuoteError::Unreadable("keys/_sgx_mrenclave"))));
    }
    root.write("dev/attestation/keys/_sgx_mrenclave", &[5; 17]);
    assert!(matches!(quoter.sealing_key(), Err(QuoteError::Oversize { most: 16, .. })));
}

#[test]
fn what_is_missing_or_unknown_is_named_for_the_operator() {
    let said = |make: &dyn Fn(&Root)| {
        let root = Root::new();
        make(&root);
        let error = find(root.path(), None).err().unwrap();
        error.to_string().replace(root.path().to_str().unwrap(), "")
    };
    assert_eq!(
        said(&|_| ()),
        "this machine offers no evidence: there is neither /dev/attestation (Gramine) nor /sys/kernel/config/tsm/report (a \
         guest's kernel from 6.7 on, with configfs mounted)"
    );
    assert_eq!(
        said(&|root| root.guest("cca_guest", b"", None)),
        "the kernel's evidence is of the kind \"cca_guest\", which this program does not know: it knows tdx_guest and sev_guest"
    );
    assert_eq!(said(&|root| root.guest(&"x".repeat(200), b"", None)), "provider holds more than 128 bytes");
    assert_eq!(
        said(&|root| {
            root.guest("tdx_guest", b"", None);
            root.write(&tsm("provider"), b"\xFF\xFE\n");
        }),
        "provider does not hold what it should"
    );
    assert_eq!(
        said(&|root| root.guest("sev_guest", b"", None)),
        "/sys/kernel/config/tsm/report/cloister-enclave/auxblob is missing"
    );
    assert_eq!(
        said(&|root| root.enclave("none")),
        "Gramine's attestation is \"none\": sgx.remote_attestation has to be \"dcap\" in the manifest"
    );
    // A folder that the kernel has just made holds everything; one on an ordinary disk holds nothing.
    let empty = said(&|root| std::fs::create_dir_all(root.at("sys/kernel/config/tsm/report")).unwrap());
    assert_eq!(empty, "/sys/kernel/config/tsm/report/cloister-enclave/provider is missing");
}

#[test]
fn damaged_answers_are_refused() {
    let ask = |answer: &[u8]| {
        let root = Root::new();
        root.guest("tdx_guest", answer, None);
        let kernel = Kernel::run(&root, &[]);
        let outcome = find(root.path(), None).unwrap().statement(&data_of(TDX)).unwrap_err();
        kernel.end();
        outcome
    };
    assert!(matches!(ask(b""), QuoteError::Malformed(Refused::Malformed)));
    assert!(matches!(ask(&TDX[..4000]), QuoteError::Malformed(Refused::Malformed)));
    assert!(matches!(ask(&[TDX, b"1"].concat()), QuoteError::Malformed(Refused::TrailingBytes)));
    assert!(matches!(ask(&[0; Statement::MAX_BYTES]), QuoteError::Oversize { file: "outblob", .. }));

    let root = Root::new();
    root.guest("sev_guest", &snp()[..1183], Some(&table(VCEK_GUID, VCEK)));
    let kernel = Kernel::run(&root, &[]);
    let outcome = find(root.path(), None).unwrap().statement(&data_of_report(&snp()));
    assert!(matches!(outcome, Err(QuoteError::Malformed(Refused::Malformed))));
    kernel.end();

    let root = Root::new();
    root.guest("tdx_guest", TDX, None);
    root.write(&tsm("generation"), b"many\n");
    let outcome = find(root.path(), None).unwrap().statement(&data_of(TDX));
    assert!(matches!(outcome, Err(QuoteError::Unreadable("generation"))));
}

#[test]
fn a_file_of_another_user_is_named() {
    let root = Root::new();
    root.guest("tdx_guest", TDX, None);
    let input = root.at(&tsm("inblob"));
    std::fs::set_permissions(&input, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let path = root.path().to_owned();
    // Root may open everything, except on a thread that gave this up.
    let refused = std::thread::spawn(move || {
        let mut rights = rustix::thread::capabilities(None).unwrap();
        rights.effective = rustix::thread::CapabilitySet::empty();
        rustix::thread::set_capabilities(None, rights).unwrap();
        find(&path, None).err().unwrap()
    });
    let refused = refused.join().unwrap();
    assert!(matches!(&refused, QuoteError::Denied(path) if *path == input), "{refused}");
    assert!(refused.to_string().ends_with("it has to belong to the user who runs the enclave"));
}

#[test]
fn a_simulated_machine_is_one_chip_for_ever_and_no_other() {
    let now = 1_800_000_000;
    let evidence = |key: u8| {
        let statement = Simulated::new(&SealingBytes([key; 32])).statement(&DATA).unwrap();
        Evidence { statement, collateral: simulated_authority::collateral(&Bulletin::new(now)) }
    };
    let verified = verify(&evidence(1), &Policy::production(), Trust::Simulated, now).unwrap();
    assert_eq!(verified.report_data, DATA);
    let enclave = simulated_authority::program();
    assert_eq!(verified.measurement, Measurement::Sgx { enclave });
    assert_eq!(hex::encode(verified.hardware.0), "15c814de3a2f9b1c2794c4835e3ade9a7ef7100ea4a07254df26db944c057b0d");
    assert_eq!(
        hex::encode(enclave),
        "78a8c1c2dfc3c0c90931e6a4c01f15181aec97a9967ec0476a4c998b5dcd025d",
        "of version {}",
        env!("CARGO_PKG_VERSION")
    );

    assert_eq!(evidence(1).statement.claimed_hardware(), Ok(verified.hardware));
    assert_ne!(evidence(2).statement.claimed_hardware(), Ok(verified.hardware));
    assert_eq!(verify(&evidence(1), &Policy::production(), Trust::Hardware, now), Err(Refused::Unproven));
}
