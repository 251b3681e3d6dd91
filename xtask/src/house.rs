//! What every file of ours has to obey.

use std::fs;
use std::process::Command;

use crate::shell::{self, Failure, Outcome};
use crate::trust;

/// Most lines of a source file.
const MOST_LINES: usize = 500;
const CODE: &[&str] = &[".rs", ".ts", ".js", ".mjs", ".py", ".sol", ".sh"];
/// The only file, beside tests, that may ask for `unsafe`: system calls that no safe wrapper has.
const MAY_BE_UNSAFE: &str = "crates/trusted/enclave/src/os.rs";

/// Complains about files that are too long, unsafe code out of its place, lock files that name a registry, and a table of the
/// trust model that is not so.
pub fn check() -> Outcome {
    let mut wrong = Vec::new();
    for path in files()? {
        // Deleted but not yet committed, or not text.
        let Ok(text) = fs::read_to_string(shell::root().join(&path)) else { continue };
        wrong.extend(complaints(&path, &text));
    }
    wrong.extend(trust::complaints());
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n"))) }
}

fn complaints(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if CODE.iter().any(|ending| path.ends_with(ending)) && lines > MOST_LINES {
        wrong.push(format!("{path}: {lines} lines, the cap is {MOST_LINES}"));
    }
    let allows_unsafe = text.lines().any(|line| {
        let line = line.trim();
        line.starts_with("#") && line.contains("unsafe_code") && !line.contains("deny") && !line.contains("forbid")
    });
    if path.ends_with(".rs") && allows_unsafe && !path.contains("/tests/") && path != MAY_BE_UNSAFE {
        wrong.push(format!("{path}: asks for unsafe code"));
    }
    if path.ends_with("package-lock.json") && text.contains("\"resolved\": \"http") {
        wrong.push(format!("{path}: names a registry; omit-lockfile-registry-resolved=true belongs into its .npmrc"));
    }
    wrong
}

/// Files that are in git or would be.
fn files() -> Outcome<Vec<String>> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = shell::run_quietly(Command::new("git").args(args))?;
    Ok(listed.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::complaints;

    #[test]
    fn long_files_and_stray_unsafe_are_found() {
        let long = "\n".repeat(501);
        assert_eq!(complaints("a/b.rs", &long).len(), 1);
        assert_eq!(complaints("a/b.json", &long).len(), 0);
        let asks = "#![allow(unsafe_code)]\n";
        assert_eq!(complaints("crates/host/node/src/lib.rs", asks).len(), 1);
        assert_eq!(complaints("crates/trusted/enclave/src/os.rs", asks).len(), 0);
        assert_eq!(complaints("crates/host/node/src/lib.rs", "#![forbid(unsafe_code)]\n").len(), 0);
        assert_eq!(complaints("x/package-lock.json", "\"resolved\": \"https://somewhere\"").len(), 1);
    }
}
