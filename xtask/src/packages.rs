//! Packages of the npm registry: installed once for each state of their lock files.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shell::{self, Failure, Outcome};

/// Installs what `folder/package-lock.json` names into `folder/node_modules`.
pub fn npm(folder: &str) -> Outcome {
    let folder = shell::root().join(folder);
    once(&folder.join("package-lock.json"), &folder.join("node_modules/.installed"), || {
        let mut install = Command::new("npm");
        install.args(["ci", "--silent", "--no-audit", "--no-fund", "--no-progress"]).current_dir(&folder);
        patiently(&mut install)
    })
}

/// Runs `install` unless `stamp` already holds a copy of `lock`.
fn once(lock: &Path, stamp: &Path, install: impl FnOnce() -> Outcome) -> Outcome {
    let wanted = fs::read(lock).map_err(|error| Failure::new(format!("{}: {error}", lock.display())))?;
    if fs::read(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, wanted).map_err(|error| Failure::new(format!("{}: {error}", stamp.display())))
}

/// Registries have bad moments.
fn patiently(install: &mut Command) -> Outcome {
    let mut last = Ok(());
    for _ in 0..3 {
        last = shell::run_quietly(install).map(drop);
        if last.is_ok() {
            break;
        }
    }
    last
}
