//! The measured program, `cloister-enclave`: built so that everybody gets the same bytes, and looked through.
//!
//! docs/reproducible.md says what the bytes depend on and what was done about everything else.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::planted;
use crate::shell::{self, Failure, Outcome};

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// What the build may know of the machine: where tools are. Nothing else of the environment reaches it.
const ENVIRONMENT: &[&str] = &["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
/// Symbols stay, so that it can be searched for what it must not contain; line tables do not.
const PROFILE: &[&str] = &["profile.release.debug=false", "profile.release.strip=\"debuginfo\""];
const NO_SIMULATOR: &str = "--no-default-features";

/// What a production build must not contain (V-40): the module that issues simulated evidence, and the label from which
/// all its secret keys follow. Nor what switches defences off for the hostile-host kit, nor what shows an account's AES key to a
/// developer (D12).
const FORBIDDEN: &[&str] =
    &["simulated_authority", "cloister/simulated-authority/secret-key", "cloister_teeth6switch", "development_key"];
/// Features that let these in.
const FEATURES: &[&str] = &["simulator", "teeth"];
/// What shows that names and labels can be found in it at all: a crate of ours, a label of the same kind.
const EXPECTED: &[&str] = &["cloister_ledger", "cloister/v1/precommit"];

/// Builds the production enclave and prints its SHA-256.
pub fn hash() -> Outcome {
    let program = build(shell::root())?;
    scan(shell::root(), &program)?;
    println!("{}  {}", sha256(&program)?, program.display());
    Ok(())
}

/// Builds the last commit twice from nothing, in folders of different names and depths, and compares.
pub fn reproducible() -> Outcome {
    let folders = [
        shell::root().join("target/reproducible/one"),
        std::env::temp_dir().join("cloister-reproducible/another/folder"),
    ];
    // Once: somebody may commit in between.
    let commit = shell::run_quietly(Command::new("git").args(["rev-parse", "HEAD"]))?;
    let mut hashes = Vec::new();
    for folder in &folders {
        shell::heading(&format!("{} in {}", commit.trim(), folder.display()));
        check_out(commit.trim(), folder)?;
        let program = build(folder)?;
        scan(folder, &program)?;
        hashes.push(sha256(&program)?);
        println!("{}  {}", hashes[hashes.len() - 1], program.display());
    }
    // They are kept for who wants to know what differs.
    if hashes[0] != hashes[1] {
        return Err(Failure::new("two builds of the same commit differ: diffoscope names the sections"));
    }
    folders.iter().try_for_each(|folder| empty(folder))
}

/// Refuses an enclave whose production build would link the issuing half of the simulated authority, or defences that can be
/// turned off (V-40). Needs no build: cargo knows which features are on.
pub fn check_features() -> Outcome {
    let listed = ["tree", "--locked", "--package", "cloister-enclave", NO_SIMULATOR, "--edges", "normal"];
    let shown = ["--prefix", "none", "--format", "{p} [{f}]"];
    let tree = shell::run_quietly(shell::cargo().args(listed).args(shown))?;
    match forbidden_features(&tree).as_slice() {
        [] => Ok(()),
        wrong => Err(Failure::new(format!("a production enclave links {}", wrong.join(", ")))),
    }
}

/// Builds the production enclave as tests are built, in seconds where the rest is built already; searches it, and has the
/// hostile-host kit start it (V-40, V-41). The one that is released is the one of [`hash`].
pub fn check_production() -> Outcome {
    let package = ["--package", "cloister-enclave", "--bin", "cloister-enclave"];
    shell::run(shell::cargo().args(["build", "--quiet", "--locked", NO_SIMULATOR]).args(package))?;
    // The next build of the name has a simulator.
    let (built, program) = (Path::new("target/debug/cloister-enclave"), Path::new("target/debug/production-enclave"));
    fs::copy(built, program).map_err(|error| Failure::new(format!("{}: {error}", built.display())))?;
    search(program, &read(program)?, Vec::new())?;
    let kit = ["run", "--quiet", "--package", "cloister-hostile", "--features", "teeth", "--", "--production"];
    shell::run(shell::cargo().args(kit).arg(program))
}

/// Crates of a `cargo tree` with a feature that no production enclave has.
fn forbidden_features(tree: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in tree.lines() {
        let Some((package, features)) = line.split_once('[') else { continue };
        let features = features.split(']').next().unwrap_or_default();
        let wrong = features.split(',').filter(|feature| FEATURES.contains(feature));
        found.extend(wrong.map(|feature| format!("{} with `{feature}`", package.trim())));
    }
    found.dedup();
    found
}

/// Builds the production enclave of the workspace in `root`, in a target folder of its own.
fn build(root: &Path) -> Outcome<PathBuf> {
    let target = root.join("target/enclave");
    // What is downloaded may need the environment; what is built does not.
    shell::run(shell::cargo().current_dir(root).args(["fetch", "--locked", "--target", TARGET]))?;
    let mut cargo = shell::cargo();
    cargo.current_dir(root).env_clear();
    for name in ENVIRONMENT {
        std::env::var_os(name).into_iter().for_each(|value| {
            cargo.env(name, value);
        });
    }
    let homes = homes(root)?;
    cargo.env("CARGO_ENCODED_RUSTFLAGS", joined(&homes, "--remap-path-prefix", "\u{1f}"));
    cargo.env("CFLAGS", joined(&homes, "-ffile-prefix-map", " "));
    for setting in PROFILE {
        cargo.args(["--config", setting]);
    }
    cargo.args(["build", "--locked", "--offline", "--release", "--target", TARGET, NO_SIMULATOR]);
    cargo.args(["--package", "cloister-enclave", "--bin", "cloister-enclave", "--target-dir"]).arg(&target);
    shell::run(&mut cargo)?;
    Ok(target.join(TARGET).join("release/cloister-enclave"))
}

/// Folders whose names differ from machine to machine, with what stands for each in the program.
fn homes(root: &Path) -> Outcome<Vec<(PathBuf, &'static str)>> {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let rust = shell::run_quietly(Command::new("rustc").args(["--print", "sysroot"]))?;
    let cargo = cargo.ok_or_else(|| Failure::new("neither CARGO_HOME nor HOME is set"))?;
    // The last that fits counts: the project may lie in a home.
    Ok(vec![(rust.trim().into(), "/rust"), (cargo, "/cargo"), (root.to_path_buf(), "/cloister")])
}

fn joined(homes: &[(PathBuf, &str)], flag: &str, between: &str) -> OsString {
    let flags = homes.iter().map(|(from, to)| format!("{flag}={}={to}", from.display()));
    flags.collect::<Vec<_>>().join(between).into()
}

/// A commit in an empty folder.
fn check_out(commit: &str, folder: &Path) -> Outcome {
    empty(folder)?;
    fs::create_dir_all(folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let archive = folder.join("commit.tar");
    shell::run(Command::new("git").args(["archive", "--format=tar", "--output"]).arg(&archive).arg(commit))?;
    shell::run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(folder))?;
    fs::remove_file(&archive).map_err(|error| Failure::new(format!("{}: {error}", archive.display())))
}

fn empty(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("{}: {error}", folder.display())))
        }
        _ => Ok(()),
    }
}

fn sha256(program: &Path) -> Outcome<String> {
    let said = shell::run_quietly(Command::new("sha256sum").arg(program))?;
    said.split_whitespace().next().map(str::to_owned).ok_or_else(|| Failure::new("sha256sum said nothing"))
}

/// Looks for what must not be in a program that was built in `root`.
fn scan(root: &Path, program: &Path) -> Outcome {
    let bytes = read(program)?;
    // A path of this machine would make it another program elsewhere.
    let homes = homes(root)?;
    let paths = homes.iter().map(|(path, _)| path.display().to_string()).filter(|path| holds(&bytes, path));
    search(program, &bytes, paths.map(|path| format!("contains the path {path}")).collect())
}

/// Looks for what must not be in any production build, and complains of that and of what was found before.
fn search(program: &Path, bytes: &[u8], found: Vec<String>) -> Outcome {
    let complaints = [complaints(bytes), found].concat();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{}: {}", program.display(), complaints.join("; "))))
}

fn read(program: &Path) -> Outcome<Vec<u8>> {
    fs::read(program).map_err(|error| Failure::new(format!("{}: {error}", program.display())))
}

fn complaints(bytes: &[u8]) -> Vec<String> {
    let forbidden = FORBIDDEN.iter().filter(|word| holds(bytes, word)).map(|word| format!("contains {word:?}"));
    let missing = EXPECTED.iter().filter(|word| !holds(bytes, word)).map(|word| format!("lacks {word:?}"));
    forbidden.chain(missing).collect()
}

fn holds(bytes: &[u8], word: &str) -> bool {
    planted::holds(bytes, word.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuing_half_is_found_and_so_is_a_program_without_names() {
        let honest = b"..cloister_ledger..cloister/v1/precommit..".as_slice();
        assert_eq!(complaints(honest), [""; 0]);
        let issuing = [honest, b"_ZN15cloister_attest19simulated_authority8evidence17h"].concat();
        assert_eq!(complaints(&issuing), [r#"contains "simulated_authority""#]);
        let inlined = [honest, b"cloister/simulated-authority/secret-key"].concat();
        assert_eq!(complaints(&inlined), [r#"contains "cloister/simulated-authority/secret-key""#]);
        assert_eq!(complaints(b"cloister/v1/precommit"), [r#"lacks "cloister_ledger""#]);
    }

    /// The same words that the scan looks for stand in the source: renaming one there would blind the scan.
    #[test]
    fn what_is_forbidden_is_what_the_source_calls_it() {
        let attest = shell::root().join("crates/shared/attest/src");
        let read = |path: &str| fs::read_to_string(attest.join(path)).expect("a source file");
        assert!(read("lib.rs").contains(&format!("#[cfg(feature = \"simulator\")]\npub mod {};", FORBIDDEN[0])));
        assert!(read("simulated_authority/certificates.rs").contains(&format!("\"{}\"", FORBIDDEN[1])));
        assert_eq!(FORBIDDEN[2], format!("cloister_teeth{}{}", "switch".len(), "switch"), "as a symbol has it");
        assert!(read("../../teeth/src/lib.rs").contains("#[cfg(feature = \"teeth\")]\nmod switch {"));
        assert!(
            read("../../../trusted/ledger/src/query.rs")
                .contains(&format!("#[cfg(feature = \"simulator\")]\n#[inline(never)]\nfn {}(", FORBIDDEN[3]))
        );
        let teeth = fs::read_to_string(shell::root().join("crates/shared/teeth/src/lib.rs")).expect("a source file");
        assert!(teeth.contains("#[cfg(feature = \"teeth\")]\nmod switch {") && FORBIDDEN[2].ends_with("6switch"));
    }

    #[test]
    fn a_crate_with_such_a_feature_is_named() {
        let tree =
            "cloister-enclave v0.1.0 (/x) []\ncloister-attest v0.1.0 (/x) [default,simulator] (*)\nring v0.17 [a]";
        assert_eq!(forbidden_features(tree), ["cloister-attest v0.1.0 (/x) with `simulator`"]);
        assert_eq!(forbidden_features(&tree.replace(",simulator", "")), [""; 0]);
        assert_eq!(
            forbidden_features("cloister-teeth v0.1.0 (/x) [teeth]"),
            ["cloister-teeth v0.1.0 (/x) with `teeth`"]
        );
    }

    #[test]
    fn the_innermost_folder_is_renamed_last() {
        let homes = homes(Path::new("/home/me/cloister")).expect("a toolchain");
        let flags = joined(&homes, "--remap-path-prefix", " ").into_string().expect("text");
        assert!(flags.ends_with(" --remap-path-prefix=/home/me/cloister=/cloister"));
        assert_eq!(flags.matches("--remap-path-prefix=").count(), 3);
    }
}
