//! Which machines still answer once the enclave's process has locked itself down.
//!
//! The test starts itself again as a child, which finds the machine, locks itself down as an enclave does, and asks. It runs
//! without libtest, which would start threads first.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use cloister_attest::ReportData;
use cloister_enclave::os::{self, Violation};
use cloister_quote::{QuoteError, find};
use common::{Packets, Root, SGX, TDX, VCEK, VCEK_GUID, data_of, data_of_report, snp, table, tsm};

/// Exit codes of a child.
const ANSWERED: u8 = 0;
const REFUSED: u8 = 10;
const OTHERWISE: u8 = 11;

fn main() -> ExitCode {
    if let [root, data] = std::env::args().skip(1).collect::<Vec<_>>().as_slice()
        && let Ok(data) = hex::decode(data)
    {
        return child(Path::new(root), &ReportData(data.try_into().unwrap()));
    }
    guests_answer_through_the_descriptors_that_were_kept();
    an_enclave_of_gramine_would_have_to_open_files_and_cannot();
    ExitCode::SUCCESS
}

fn guests_answer_through_the_descriptors_that_were_kept() {
    let host = table(VCEK_GUID, VCEK);
    for (provider, answer, table, data) in
        [("tdx_guest", TDX.to_vec(), None, data_of(TDX)), ("sev_guest", snp(), Some(&*host), data_of_report(&snp()))]
    {
        let root = Root::new();
        root.guest(provider, &answer, table);
        std::fs::remove_file(root.at(&tsm("generation"))).unwrap();
        let mut generation = Packets::open(&root.fifo(&tsm("generation")));
        // Somebody else asks first, so that the second question counts.
        for number in [7, 9, 9, 10] {
            generation.write(number);
        }
        let ended = ask_behind_walls(&root, &data);
        assert_eq!(ended.code(), Some(ANSWERED.into()), "{provider}: {ended}");
        assert_eq!(std::fs::read(root.at(&tsm("inblob"))).unwrap(), data.0);
    }
}

fn an_enclave_of_gramine_would_have_to_open_files_and_cannot() {
    let root = Root::new();
    root.enclave("dcap");
    root.write("dev/attestation/quote", SGX);
    assert_eq!(ask_behind_walls(&root, &data_of(SGX)).code(), Some(REFUSED.into()));
}

fn ask_behind_walls(root: &Root, data: &ReportData) -> ExitStatus {
    let myself = std::env::current_exe().unwrap();
    Command::new(myself).arg(root.path()).arg(hex::encode(data.0)).status().unwrap()
}

fn child(root: &Path, data: &ReportData) -> ExitCode {
    let mut quoter = find(root, None).unwrap();
    os::enclose(&quoter.descriptors()).unwrap();
    os::filter(Violation::Kill).unwrap();
    ExitCode::from(match (quoter.statement(data), quoter.opens_files()) {
        (Ok(statement), false) if statement.claimed_data() == Ok(*data) => ANSWERED,
        (Err(QuoteError::Denied(_)), true) => REFUSED,
        _ => OTHERWISE,
    })
}
