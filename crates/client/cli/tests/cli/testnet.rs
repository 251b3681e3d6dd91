//! A network's files, and one node of them, from the outside.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::common::{Dev, cloister, run};
use cloister_sdk::{Account, Client, HARDHAT_MNEMONIC, U256, Wallet};
use rustix::process::Signal;
use serde_json::{Value, json};

#[test]
fn every_node_has_one_genesis_and_keys_and_a_sealed_seed_of_its_own() {
    let root = tempfile::tempdir().unwrap();
    let net = root.path().join("net");
    let made = init(&net, &["--powers", "10,10,40", "--nodes", "1", "--chain-id", "example-1"]);
    assert_eq!((&made["simulated"], &made["chain_id"]), (&json!(true), &json!("example-1")));
    let homes: Vec<PathBuf> = (0..4).map(|index| net.join(format!("node{index}"))).collect();
    let powers: Vec<&Value> = made["nodes"].as_array().unwrap().iter().map(|node| &node["power"]).collect();
    assert_eq!(powers, [&json!(10), &json!(10), &json!(40), &Value::Null]);

    let genesis = fs::read(homes[0].join("genesis.json")).unwrap();
    assert!(homes.iter().all(|home| fs::read(home.join("genesis.json")).unwrap() == genesis));
    let parsed: Value = serde_json::from_slice(&genesis).unwrap();
    assert_eq!(parsed["validators"].as_array().unwrap().len(), 3);
    assert!(parsed["accounts"].as_array().unwrap().len() > 2 * 14, "people and predeployed contracts");

    let mut secrets = BTreeSet::new();
    for home in &homes {
        assert_eq!(mode(home), 0o700);
        for file in ["genesis.json", "validator.key", "node.key", "sealing.key", "cloister.toml", "chain.redb"] {
            assert_eq!(mode(&home.join(file)), 0o600, "{file}");
        }
        for key in ["validator.key", "node.key", "sealing.key"] {
            let text = fs::read_to_string(home.join(key)).unwrap();
            assert_eq!(text.len(), 65);
            assert!(secrets.insert(text), "{key} of {}", home.display());
        }
        let info = json_of(&["db", "info", "--json", "--home", home.to_str().unwrap()]);
        assert_eq!((&info["roots"], &info["height"]), (&json!(true), &Value::Null));
        assert_eq!(info["genesis"], made["genesis"]);
    }
    assert!(fs::read_dir(root.path()).unwrap().count() == 1, "nothing is left beside the network");
}

#[test]
fn a_directory_with_something_in_it_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "precious").unwrap();
    let refused = run(&["testnet", "init", "--output", root.path().to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(words(&refused.stderr).contains("is not empty"), "{}", words(&refused.stderr));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn a_plan_that_does_not_fit_is_refused_and_makes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let net = root.path().join("net");
    for flags in [
        &["--validators", "2", "--powers", "1,1,1"][..],
        &["--validators", "2", "--hosts", "10.0.0.1"],
        &["--validators", "200", "--base-port", "60000"],
        &["--chain-id", "two words"],
        &["--powers", "9223372036854775807,1"],
    ] {
        let refused = cloister().args(["testnet", "init", "--output"]).arg(&net).args(flags).output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{flags:?}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "{flags:?}");
    }
}

#[tokio::test]
async fn one_node_runs_from_its_home_and_its_store_can_be_looked_at_and_pruned() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("net/node0");
    init(&root.path().join("net"), &["--validators", "1"]);
    let node = start(&home, &[]);
    assert_eq!((&node.ready["power"], &node.ready["chain_id"]), (&json!(10), &json!("cloister-test-1")));
    let alice = Account::new(
        Wallet::from_mnemonic(HARDHAT_MNEMONIC, 0).unwrap(),
        Client::connect(node.ready["rpc"].as_str().unwrap()).await.unwrap(),
    );
    for _ in 0..3 {
        assert!(alice.transfer(Wallet::random().address(), U256::from(1)).await.unwrap().status());
    }

    // One key, one process; one store, one process.
    let home = home.to_str().unwrap();
    let second = cloister().args(["start", "--home", home]).args(FREE).output().unwrap();
    assert!(words(&second.stderr).contains("validator.key is in use by another process"), "{}", words(&second.stderr));
    let busy = run(&["db", "info", "--home", home]);
    assert!(words(&busy.stderr).contains("in use by another process: stop the node first"), "{}", words(&busy.stderr));
    assert!(node.end(Signal::TERM).success());

    let info = json_of(&["db", "info", "--json", "--home", home]);
    let height = info["height"].as_u64().unwrap();
    assert!(height >= 3 && info["oldest_state"] == 0, "{info}");
    let verified = json_of(&["db", "verify", "--json", "--home", home]);
    assert_eq!(verified, json!({ "event": "verified", "from": 0, "height": height, "block": info["block"] }));
    let pruned = json_of(&["db", "prune", "--keep", "2", "--json", "--home", home]);
    assert_eq!(pruned, json!({ "event": "pruned", "before": 0, "oldest_state": height - 1 }));
    assert_eq!(json_of(&["db", "info", "--json", "--home", home])["oldest_state"], height - 1);
    let node = start(Path::new(home), &[]);
    assert!(node.ready["height"].as_u64().unwrap() >= height, "what is left is enough to go on");
}

#[tokio::test]
async fn operators_see_how_a_node_is() {
    let root = tempfile::tempdir().unwrap();
    init(&root.path().join("net"), &["--validators", "1"]);
    let node = start(&root.path().join("net/node0"), &["--idle", "0.05"]);
    let ops = node.ready["ops"].as_str().unwrap().to_owned();
    let get = |path: &str| ureq::get(format!("{ops}{path}")).call().unwrap().body_mut().read_to_string().unwrap();
    while height(&get("/metrics")) < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let status: Value = serde_json::from_str(&get("/status")).unwrap();
    assert!(status["height"].as_u64().unwrap() >= 3 && status["simulated"] == true, "{status}");
    assert_eq!(get("/health"), r#"{"healthy":true}"#);
}

#[test]
fn logs_are_json_when_asked_for_and_the_settings_say_what_is_logged() {
    let root = tempfile::tempdir().unwrap();
    init(&root.path().join("net"), &["--validators", "1"]);
    let home = root.path().join("net/node0");
    let settings = home.join("cloister.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace(r#"filter = "warn"#, r#"filter = "info"#)).unwrap();
    let node = start(&home, &["--log-format", "json"]);
    let logs = node.logs_at_end(Signal::INT);
    let lines: Vec<Value> = logs.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let ready = lines.iter().find(|line| line["message"] == "the enclave is ready").unwrap_or_else(|| panic!("{logs}"));
    assert_eq!(ready["level"], "INFO");
}

#[test]
fn a_home_that_is_not_whole_is_refused_with_what_is_missing() {
    let root = tempfile::tempdir().unwrap();
    init(&root.path().join("net"), &["--validators", "1"]);
    let home = root.path().join("net/node0");
    let refused = |what: &str| {
        let refused = cloister().args(["start", "--home"]).arg(&home).args(FREE).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(words(&refused.stderr).contains(what), "{}", words(&refused.stderr));
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("--ethereum={}", taken.local_addr().unwrap());
    let busy = cloister().args(["start", "--home"]).arg(&home).arg(at).args(&FREE[1..]).output().unwrap();
    assert!(words(&busy.stderr).contains("choose one with --ethereum"), "{}", words(&busy.stderr));

    fs::remove_file(home.join("roots.sealed")).unwrap();
    refused("has no sealed roots");
    fs::write(home.join("genesis.json"), "{}").unwrap();
    refused("genesis.json is not a genesis");
    fs::remove_file(home.join("cloister.toml")).unwrap();
    refused("cloister.toml");
}

/// Any free ports.
const FREE: [&str; 6] = [
    "--ethereum=127.0.0.1:0",
    "--cosmos=127.0.0.1:0",
    "--faucet=127.0.0.1:0",
    "--ops=127.0.0.1:0",
    "--listen=/ip4/127.0.0.1/tcp/0",
    "--gossip-listen=/ip4/127.0.0.1/tcp/0",
];

pub fn start(home: &Path, flags: &[&str]) -> Dev {
    let mut command = cloister();
    command.args(["start", "--json", "--home"]).arg(home).args(FREE).args(flags);
    Dev::spawn(command)
}

pub fn init(output: &Path, flags: &[&str]) -> Value {
    let output = [&["testnet", "init", "--json", "--output", output.to_str().unwrap()], flags].concat();
    json_of(&output)
}

fn json_of(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", words(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn height(metrics: &str) -> u64 {
    let line = metrics.lines().find(|line| line.starts_with("cloister_height ")).unwrap();
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
