//! Everything that has to pass.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::shell::{self, Failure, Outcome};
use crate::suites::{self, SUITES, Suite};
use crate::tally::Tally;
use crate::{contracts, deps, enclave, hostile, house, packages, tools};

/// Validators of the smallest network that goes on when one of them is gone.
pub const NETWORK: u16 = 4;
/// Compiling everything from nothing is in it.
const RUST_LIMIT: Duration = Duration::from_secs(50 * 60);

const ATTEST_PACKAGE: &str = "packages/attest";
/// It takes seconds.
const ATTEST_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Runs every check and every suite, however many fail, and closes with one line of counts.
pub fn all() -> Outcome {
    tools::check_all()?;
    let mut report = Report::default();
    report.check("format", || shell::run(shell::cargo().args(["fmt", "--all", "--", "--check"])));
    report.check("house", house::check);
    report.check("dependencies", deps::check);
    report.check("no simulator", enclave::check_features);
    let everything = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
    report.check("clippy", || shell::run(shell::cargo().args(everything)));
    report.check("pure", deps::pure_lints);
    report.suite("rust", || {
        shell::run_recorded(shell::cargo().args(["test", "--workspace", "--no-fail-fast"]), RUST_LIMIT)
            .map(|transcript| Tally::of_suite(&transcript))
    });
    report.check("hostile host", hostile::short);
    report.check("production enclave", enclave::check_production);
    report.contracts();
    report.suite("attest package", attest_package);
    report.check("node", build_node);
    for suite in SUITES {
        report.suite(suite.name, || run(suite, 1));
    }
    for suite in SUITES.iter().filter(|suite| suite.quick) {
        report.suite(&format!("{}, {NETWORK}", suite.name), || run(suite, NETWORK));
    }
    report.close()
}

/// Checks contracts alone.
pub fn contracts() -> Outcome {
    tools::check_clients()?;
    let mut report = Report::default();
    report.contracts();
    report.close()
}

/// Runs the published clients, or one of their suites: `[SUITE] [--validators N]`.
pub fn interop(args: &[&str]) -> Outcome {
    let (name, validators) = match args {
        [] => (None, "1"),
        ["--validators", count] => (None, *count),
        [name] => (Some(*name), "1"),
        [name, "--validators", count] => (Some(*name), *count),
        _ => return Err(Failure::new("usage: cargo xtask interop [SUITE] [--validators N]")),
    };
    let validators = validators.parse().map_err(|_| Failure::new("--validators takes a number"))?;
    let chosen = name.map(suites::named).transpose()?;
    tools::check_clients()?;
    build_node()?;
    let mut report = Report::default();
    for suite in SUITES.iter().filter(|suite| chosen.is_none_or(|chosen| chosen.name == suite.name)) {
        report.suite(suite.name, || run(suite, validators));
    }
    report.close()
}

/// Builds the node that suites run against, as it is tested: in the dev profile.
pub fn build_node() -> Outcome {
    shell::run(shell::cargo().args(["build", "--quiet", "-p", "cloister-cli"]))
}

/// The check of proof bundles for pages, against the files that the Rust SDK writes.
fn attest_package() -> Outcome<Tally> {
    packages::npm(ATTEST_PACKAGE)?;
    let mut command = Command::new("npm");
    command.args(["test", "--silent"]).current_dir(shell::root().join(ATTEST_PACKAGE));
    shell::run_recorded(&mut command, ATTEST_LIMIT).map(|transcript| Tally::of_suite(&transcript))
}

fn run(suite: &Suite, validators: u16) -> Outcome<Tally> {
    suite.run(validators, &[]).map(|transcript| Tally::of_suite(&transcript))
}

#[derive(Default)]
struct Report {
    lines: Vec<String>,
    total: Tally,
}

impl Report {
    fn check(&mut self, name: &str, check: impl FnOnce() -> Outcome) {
        self.suite(name, || check().map(|()| Tally::of_check(true)));
    }

    fn suite(&mut self, name: &str, suite: impl FnOnce() -> Outcome<Tally>) {
        shell::heading(name);
        let start = Instant::now();
        let tally = suite().unwrap_or_else(|failure| {
            eprintln!("{failure}");
            Tally::of_check(false)
        });
        let seconds = start.elapsed().as_secs();
        self.lines.push(format!("{name:<16}{:>6} passed {:>4} failed {seconds:>5} s", tally.passed, tally.failed));
        self.total.add(tally);
    }

    fn contracts(&mut self) {
        self.check("artefacts", contracts::artefacts);
        self.check("cosmwasm style", contracts::style);
        self.suite("cosmwasm", contracts::unit_tests);
    }

    fn close(self) -> Outcome {
        println!("\n{}\n", self.lines.join("\n"));
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        if self.total.failed == 0 { Ok(()) } else { Err(Failure::new("not everything passed")) }
    }
}
