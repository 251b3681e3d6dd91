//! Every attack once, against the enclave as it is built for this test.

use std::process::Command;

const KIT: &str = env!("CARGO_BIN_EXE_cloister-hostile");

#[test]
fn every_attack_is_defended() {
    let output = Command::new(KIT).output().expect("the kit runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let listed = Command::new(KIT).arg("--list").output().expect("the kit runs");
    let count = String::from_utf8_lossy(&listed.stdout).lines().count();
    let defended = said.lines().filter(|line| line.ends_with(" defended")).count();
    assert!(count > 20 && defended == count, "{defended} of {count}:\n{said}");
}

#[test]
fn only_a_build_that_was_asked_for_them_has_switches() {
    let program = std::fs::read(KIT).expect("the kit is a file");
    let switch = b"cloister_teeth6switch";
    let has = program.windows(switch.len()).any(|window| window == switch);
    assert_eq!(has, cfg!(feature = "teeth"));
    let asked = Command::new(KIT).args(["--teeth", "fork"]).output().expect("the kit runs");
    assert_eq!(asked.status.success(), cfg!(feature = "teeth"));
}
