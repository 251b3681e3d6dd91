//! Who may depend on whom, and on what.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::licences;
use crate::shell::{self, Failure, Outcome};

/// Which crates of ours each crate may use. Everybody may use the shared room; what is not listed here is refused.
const ARROWS: &[(&str, &[&str])] = &[
    ("cloister-keys", &[]),
    // Opens files, as no other trusted crate does (xtask/pure/clippy.toml): a processor hands over its evidence through them.
    ("cloister-quote", &[]),
    ("cloister-state", &[]),
    ("cloister-wasm", &[]),
    ("cloister-evm", &[]),
    ("cloister-ledger", &["cloister-keys", "cloister-state", "cloister-wasm", "cloister-evm"]),
    ("cloister-enclave", &["cloister-keys", "cloister-quote", "cloister-state", "cloister-ledger"]),
    ("cloister-store", &[]),
    ("cloister-consensus", &[]),
    ("cloister-api", &["cloister-store", "cloister-consensus"]),
    ("cloister-node", &["cloister-store", "cloister-consensus", "cloister-api"]),
    ("cloister-sdk", &[]),
    // The one binary: it starts itself again as the enclave, so it alone links both sides of the wall.
    (
        "cloister-cli",
        &["cloister-enclave", "cloister-node", "cloister-api", "cloister-consensus", "cloister-store", "cloister-sdk"],
    ),
    // Measures from outside, as a client.
    ("cloister-bench", &["cloister-sdk"]),
    // Takes the place of the host, and is the enclave's process too, as the one binary is.
    ("cloister-hostile", &["cloister-keys", "cloister-state", "cloister-enclave"]),
    // The bodies of the fuzz targets: every decoder, on both sides. Never linked by a product.
    (
        "cloister-doors",
        &[
            "cloister-keys",
            "cloister-state",
            "cloister-wasm",
            "cloister-ledger",
            "cloister-store",
            "cloister-consensus",
            "cloister-api",
        ],
    ),
    ("xtask", &[]),
];

/// Additional arrows of tests only.
const TEST_ARROWS: &[(&str, &str)] = &[
    // The node is tested against the real enclave, in process.
    ("cloister-node", "cloister-enclave"),
    // What an enclave left in memory and on disk is tried as keys.
    ("cloister-cli", "cloister-keys"),
];

/// Prefixes of crates that neither the trusted nor the shared room may link, directly or through others: whatever waits
/// for the network, a file or a clock.
const BANNED: &[&str] = &[
    "async-std",
    "axum",
    "curl",
    "futures-executor",
    "h2",
    "http",
    "hyper",
    "jsonrpsee",
    "libp2p",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "redb",
    "reqwest",
    "rocksdb",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tonic",
    "tower",
    "tracing-subscriber",
    "tungstenite",
    "ureq",
];

/// Named like a banned family, but harmless: the types of certificates, without any protocol.
const HARMLESS: &[&str] = &["rustls-pki-types"];

/// External crates that one crate of ours hides from all others.
const HIDDEN: &[(&str, &str)] = &[
    ("arc-malachitebft", "cloister-consensus"),
    ("redb", "cloister-store"),
    ("revm", "cloister-evm"),
    ("wasmi", "cloister-wasm"),
    ("dcap-qvl", "cloister-attest"),
    ("x509-cert", "cloister-attest"),
    ("landlock", "cloister-enclave"),
    ("seccompiler", "cloister-enclave"),
];

/// Refuses every arrow that the architecture does not have, and prints how much code is trusted.
pub fn check() -> Outcome {
    let members = members()?;
    let mut wrong = wrong_arrows(&members);
    wrong.extend(named_by_others(&members));
    for member in in_room(&members, "shared").chain(in_room(&members, "trusted")) {
        let linked = linked(&["-p", &member.name])?;
        let named = linked.iter().filter(|(name, _)| !HARMLESS.contains(&name.as_str()));
        let banned = named.filter(|(name, _)| BANNED.iter().any(|banned| is_or_extends(name, banned)));
        wrong.extend(
            banned.map(|(name, _)| format!("{0} must not link {name}: cargo tree -p {0} -i {name}", member.name)),
        );
    }
    wrong.extend(licences::check(&linked(&["--workspace"])?));
    for room in ["shared", "trusted"] {
        let lines: usize = in_room(&members, room).map(|member| code_lines(&member.folder.join("src"))).sum();
        println!("{lines} lines of code in {room}, tests and comments not counted");
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n"))) }
}

/// The lints of `xtask/pure/clippy.toml` over the libraries of the shared and the trusted room. Tests are not built, so
/// they are free of them.
pub fn pure_lints() -> Outcome {
    let members = members()?;
    let mut clippy = shell::cargo();
    clippy.args(["clippy", "--quiet", "--lib", "--bins"]).env("CLIPPY_CONF_DIR", shell::root().join("xtask/pure"));
    for member in in_room(&members, "shared").chain(in_room(&members, "trusted")) {
        clippy.args(["-p", &member.name]);
    }
    let denied = ["disallowed_types", "disallowed_methods", "float_arithmetic", "unwrap_used", "panic", "print_stdout"];
    clippy.args(["--", "-D", "warnings"]);
    for lint in denied {
        clippy.args(["-D", &format!("clippy::{lint}")]);
    }
    shell::run(&mut clippy)
}

/// A crate of ours.
struct Member {
    name: String,
    folder: PathBuf,
    /// The folder under `crates/`; other folders have none.
    room: Option<String>,
    /// What its manifest names, and whether only its tests use it.
    direct: BTreeSet<(String, bool)>,
}

fn members() -> Outcome<Vec<Member>> {
    let text = shell::run_quietly(shell::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| Failure::new(format!("metadata: {error}")))?;
    Ok(list(&metadata["packages"]).map(Member::from_metadata).collect())
}

fn in_room<'a>(members: &'a [Member], room: &'a str) -> impl Iterator<Item = &'a Member> {
    members.iter().filter(move |member| member.room.as_deref() == Some(room))
}

impl Member {
    fn from_metadata(package: &Value) -> Self {
        let folder = Path::new(text_of(&package["manifest_path"])).parent().expect("a file in a folder").to_owned();
        let direct = list(&package["dependencies"]).map(|to| (text_of(&to["name"]).to_owned(), to["kind"] == "dev"));
        Self { name: text_of(&package["name"]).to_owned(), room: room(&folder), direct: direct.collect(), folder }
    }
}

fn wrong_arrows(members: &[Member]) -> Vec<String> {
    let by_name: BTreeMap<&str, &Member> = members.iter().map(|member| (member.name.as_str(), member)).collect();
    let mut wrong = Vec::new();
    for member in members {
        let allowed = ARROWS.iter().find(|(name, _)| *name == member.name).map(|(_, allowed)| *allowed);
        if allowed.is_none() && member.room.as_deref() != Some("shared") {
            wrong.push(format!("{}: has no line in ARROWS (xtask/src/deps.rs)", member.name));
        }
        for (to, only_tests) in &member.direct {
            let Some(target) = by_name.get(to.as_str()) else { continue };
            let fine = target.room.as_deref() == Some("shared")
                || allowed.is_some_and(|allowed| allowed.contains(&to.as_str()))
                || (*only_tests && TEST_ARROWS.contains(&(&member.name, to)))
                || (*only_tests && member.room.is_some() && member.room == target.room);
            if !fine {
                wrong.push(format!("{} must not depend on {to}", member.name));
            }
        }
    }
    wrong
}

fn named_by_others(members: &[Member]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (external, keeper) in HIDDEN {
        for member in members.iter().filter(|member| member.name != *keeper) {
            if member.direct.iter().any(|(to, only_tests)| !only_tests && is_or_extends(to, external)) {
                wrong.push(format!("{} must not name {external}: only {keeper} does", member.name));
            }
        }
    }
    wrong
}

/// Name and licence of all that is linked with the features in use. `cargo tree` knows them exactly; `cargo metadata`
/// also lists what an unused feature would bring.
fn linked(of: &[&str]) -> Outcome<BTreeSet<(String, String)>> {
    let args = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}\t{l}"];
    let tree = shell::run_quietly(shell::cargo().args(args).args(of))?;
    let lines = tree.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('\t'));
    Ok(lines.map(|(package, licence)| (package.split(' ').next().unwrap_or_default().into(), licence.into())).collect())
}

/// `hyper` and `hyper-util`, not `hyperfine`.
fn is_or_extends(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn room(folder: &Path) -> Option<String> {
    let inside = folder.strip_prefix(shell::root().join("crates")).ok()?;
    Some(inside.components().next()?.as_os_str().to_string_lossy().into_owned())
}

/// Lines that are neither blank nor comments, up to a file's tests.
fn code_lines(path: &Path) -> usize {
    if path.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        return entries.map(|entry| code_lines(&entry.path())).sum();
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !name.ends_with(".rs") || name.starts_with("test") || path.components().any(|part| part.as_os_str() == "tests") {
        return 0;
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let code = text.lines().map(str::trim).take_while(|line| *line != "#[cfg(test)]");
    code.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, room: &str, direct: &[(&str, bool)]) -> Member {
        let direct = direct.iter().map(|(to, only_tests)| (to.to_string(), *only_tests)).collect();
        Member { name: name.into(), folder: PathBuf::new(), room: Some(room.into()), direct }
    }

    #[test]
    fn the_host_may_not_reach_the_keys_and_the_ledger_may() {
        let good = [
            member("cloister-chain", "shared", &[]),
            member("cloister-keys", "trusted", &[("cloister-chain", false)]),
            member("cloister-ledger", "trusted", &[("cloister-keys", false)]),
            member("cloister-store", "host", &[("cloister-chain", false)]),
        ];
        assert_eq!(wrong_arrows(&good), Vec::<String>::new());

        let bad = [
            member("cloister-keys", "trusted", &[]),
            member("cloister-state", "trusted", &[]),
            member("cloister-evm", "trusted", &[("cloister-keys", false), ("cloister-state", true)]),
            member("cloister-store", "host", &[("cloister-keys", true)]),
            member("cloister-new", "host", &[]),
        ];
        assert_eq!(
            wrong_arrows(&bad),
            [
                "cloister-evm must not depend on cloister-keys",
                "cloister-store must not depend on cloister-keys",
                "cloister-new: has no line in ARROWS (xtask/src/deps.rs)",
            ]
        );
    }

    #[test]
    fn only_the_store_names_its_database() {
        let bad =
            [member("cloister-store", "host", &[("redb", false)]), member("cloister-node", "host", &[("redb", false)])];
        assert_eq!(named_by_others(&bad), ["cloister-node must not name redb: only cloister-store does"]);
    }

    #[test]
    fn families_are_banned_by_their_first_word() {
        assert!(is_or_extends("hyper", "hyper") && is_or_extends("hyper-util", "hyper"));
        assert!(!is_or_extends("hyperfine", "hyper"));
    }
}
