//! The real enclave, for tests of the node.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cloister_node::{Spawner, process};

/// The lean enclave, built once by the cargo that runs this test.
pub fn enclave() -> Spawner {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let build = ["build", "--quiet", "--package", "cloister-enclave", "--bin", "cloister-enclave"];
        let simulated = ["--features", "simulator"];
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let status = Command::new(env!("CARGO")).args(build).args(simulated).current_dir(manifest).status().unwrap();
        assert!(status.success(), "the enclave builds");
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("debug/cloister-enclave")
    });
    process(program.clone(), vec![], 2)
}
