//! The host as an enemy: every attack, and every attack once more without the defence that it is meant for.

use crate::shell::{self, Outcome};

const SEEDS: &str = "25";
const SEEDS_WITH_TEETH: &str = "5";
const KIT: &[&str] = &["run", "--quiet", "-p", "cloister-hostile"];

/// Every attack and its teeth, once: what every change has to pass. Without teeth, `cargo test` has had them already.
pub fn short() -> Outcome {
    shell::run(shell::cargo().args(KIT).args(["--features", "teeth", "--", "--teeth"]))
}

/// Many seeds against the enclave as it is, then some against enclaves that each lack one mechanism.
pub fn long() -> Outcome {
    shell::run(shell::cargo().args(KIT).args(["--", "--seeds", SEEDS]))?;
    shell::run(shell::cargo().args(KIT).args(["--features", "teeth", "--", "--teeth", "--seeds", SEEDS_WITH_TEETH]))
}
