//! A chain that admits enclaves, one that registers, and a wallet that checks offline whom it trusts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::common::{Dev, run};
use cloister_attest::simulated_authority::{self as authority, Bulletin, Chip, Enclave};
use cloister_attest::{Measurement, Policy};
use cloister_chain::trust::{Boot, Build, Rebuilders, Rebuilt, Registration, Release, Trust};
use cloister_chain::{B256, Genesis, Validator, ValidatorSet};
use cloister_node::{Config, Home, Node, process};
use cloister_sdk::{Wallet, cosmos};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::secret::registration::v1beta1::RaAuthenticate;
use serde_json::{Value, json};

const PROGRAM: B256 = B256::repeat_byte(0x0c);

fn rest(dev: &Dev) -> &str {
    dev.ready["rest"].as_str().unwrap()
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A development chain in `folder` that admits enclaves which run [`PROGRAM`]; and its genesis, as a file.
fn admitting(folder: &Path) -> (Dev, PathBuf) {
    let mut genesis: Genesis = {
        let usual = Dev::start(None);
        let url = format!("{}/cloister/chain/v1/genesis", rest(&usual));
        serde_json::from_str(&ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
    };
    let data = folder.join("chain");
    let home = Home::open(&data).unwrap();
    let member = genesis.validators.iter().next().unwrap().clone();
    genesis.validators = ValidatorSet::new(vec![Validator { key: home.validator(), ..member }]).unwrap();
    genesis.staking.as_mut().unwrap().validators[0].key = home.validator();
    let measurement = Measurement::Sgx { enclave: PROGRAM }.digest();
    let build = Build { measurement, source: B256::repeat_byte(0x5c), ..Build::default() };
    let rebuilt = vec![rebuilt(folder, &genesis.chain_id, &build)];
    let rebuilders = Rebuilders { keys: vec![rebuilt[0].rebuilder], threshold: 1 };
    let releases = vec![Release { build, activation: 0, rebuilt }];
    let trust = Trust { policy: Policy::production(), releases, delay: 10, rebuilders, ..Trust::default() };
    genesis.trust = Some(trust);
    let file = folder.join("genesis.json");
    fs::write(&file, serde_json::to_string(&genesis).unwrap()).unwrap();

    let enclave = process(env!("CARGO_BIN_EXE_cloister").into(), vec!["enclave".into()], 1);
    let node = Node::start(Config { genesis, home, block_time: None, network: None, enclave }).unwrap();
    node.stop();
    drop(node);
    (Dev::start(Some(&data)), file)
}

/// The word of a rebuilder, as the program gives it.
fn rebuilt(folder: &Path, chain_id: &str, build: &Build) -> Rebuilt {
    let (key, file) = (folder.join("rebuilder.key"), folder.join("build.json"));
    fs::write(&key, format!("{}\n", "07".repeat(32))).unwrap();
    fs::write(&file, serde_json::to_string(build).unwrap()).unwrap();
    let (key, file) = (key.to_str().unwrap(), file.to_str().unwrap());
    let signed = told(&["attest", "sign-release", file, "--chain-id", chain_id, "--key", key, "--json"]).unwrap();
    serde_json::from_value(signed).unwrap()
}

/// One of LocalSecret's accounts.
fn local(dev: &Dev, name: &str) -> cosmos::Account {
    let accounts = dev.ready["accounts"].as_array().unwrap();
    let known = accounts.iter().find(|account| account["name"] == name).unwrap();
    let wallet = Wallet::from_hex(known["private_key"].as_str().unwrap()).unwrap();
    cosmos::Account::new(wallet, cosmos::Client::new(rest(dev), "secretdev-1").unwrap())
}

/// Registers an enclave on the chip with this number.
async fn register(owner: &cosmos::Account, number: u8) -> u64 {
    let chip = Chip::new([number; 16]);
    let word = |part: u8| B256::repeat_byte(part + number);
    let (consensus_key, boot) = (word(10), Boot { sign: word(20), kem: word(30), nonce: word(40) });
    let report_data = boot.report_data("secretdev-1", &consensus_key, &chip.hardware_id());
    let enclave = Enclave { measurement: PROGRAM, report_data, debug: false };
    let evidence = authority::evidence(&chip, &enclave, &Bulletin::new(seconds() - 3_600));
    let certificate = Registration { consensus_key, boot, evidence }.to_bytes();
    let value = RaAuthenticate { sender: owner.address().to_vec(), certificate }.encode_to_vec();
    let any = Any { type_url: "/secret.registration.v1beta1.RaAuthenticate".into(), value };
    owner.transact(vec![any], 1_500_000).await.unwrap().height
}

fn bundle(dev: &Dev, file: &Path, more: &[&str]) -> Result<Value, String> {
    let file = file.to_str().unwrap();
    told(&[&["attest", "bundle", "--node", rest(dev), "--output", file, "--json"], more].concat())
}

fn verify(file: &Path, more: &[&str]) -> Result<Value, String> {
    told(&[&["attest", "verify", file.to_str().unwrap(), "--json"], more].concat())
}

/// What a command prints, or its words if it fails.
fn told(arguments: &[&str]) -> Result<Value, String> {
    let output = run(arguments);
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    Err(String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_checks_offline_whose_keys_it_seals_to() {
    let folder = tempfile::tempdir().unwrap();
    let (dev, genesis) = admitting(folder.path());
    let (owner, file) = (local(&dev, "a"), folder.path().join("bundle.json"));
    let known = ["--genesis", genesis.to_str().unwrap()];
    let refused = |told: Result<Value, String>, words: &str| {
        let error = told.unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused(bundle(&dev, &file, &known), "no block");

    let registered = register(&owner, 1).await;
    register(&owner, 2).await;
    owner.send(owner.address(), 1).await.unwrap();
    let written = bundle(&dev, &file, &[&known[..], &["--nodes", "2"]].concat()).unwrap();
    let keys: Value = {
        let url = format!("{}/cloister/trust/v1/epoch", rest(&dev));
        serde_json::from_str(&ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()).unwrap()
    };
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!((&written["members"], &written["bytes"]), (&json!(2), &json!(text.len())));
    drop(dev);

    // From here on nobody is asked.
    let verdict = verify(&file, &[&known[..], &["--nodes", "2"]].concat()).unwrap();
    assert_eq!((&verdict["simulated"], &verdict["chain_id"]), (&json!(true), &json!("secretdev-1")));
    assert_eq!((&verdict["registered"], &verdict["epoch"]), (&json!(2), &json!(0)));
    let enclaves = verdict["enclaves"].as_array().unwrap();
    assert_eq!(enclaves.len(), 2);
    assert_eq!(enclaves[1]["registered_height"], json!(registered));
    assert_eq!(
        (&enclaves[0]["family"], &enclaves[0]["owner"]),
        (&json!("sgx"), &json!(cosmos::bech32(&owner.address())))
    );
    assert_eq!(enclaves[0]["source"], json!(B256::repeat_byte(0x5c)));
    assert_eq!(enclaves[0]["rebuilders"].as_array().map(Vec::len), Some(1));
    assert_eq!(base64_of(&verdict["keys"]["input"]), keys["input_key"].as_str().unwrap(), "the key of the door");
    let begins = written["checkpoint"].as_str().unwrap();
    assert!(verify(&file, &["--checkpoint", begins]).is_ok());

    let read = run(&[&["attest", "verify", file.to_str().unwrap()], &known[..]].concat());
    let lines = String::from_utf8(read.stdout).unwrap();
    assert!(lines.starts_with("SIMULATED"), "{lines}");
    assert!(lines.contains("rebuilt by 1 rebuilder;"), "{lines}");
    assert!(lines.contains("verified      enclave") && lines.contains("NOT verified  secrecy"), "{lines}");

    refused(verify(&file, &[&known[..], &["--nodes", "3"]].concat()), "2 of 3 enclaves");
    refused(verify(&file, &[&known[..], &["--vendors", "2"]].concat()), "1 of 2 makers");
    refused(verify(&file, &[&known[..], &["--max-age", "0"]].concat()), "seconds old");
    refused(verify(&file, &["--checkpoint", &format!("0:{}", "1".repeat(64))]), "not the one of the checkpoint");
    assert_eq!(
        run(&["attest", "verify", file.to_str().unwrap()]).status.code(),
        Some(2),
        "trust has to come from somewhere"
    );
    fs::write(&file, text.replacen("\"simulated\": true", "\"simulated\": false", 1)).unwrap();
    refused(verify(&file, &known), "something else than its headers");
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    refused(verify(&file, &known), "not a bundle");
}

/// The base64 form of 32 bytes in hex.
fn base64_of(value: &Value) -> String {
    use base64::Engine as _;
    let word: B256 = value.as_str().unwrap().parse().unwrap();
    base64::engine::general_purpose::STANDARD.encode(word)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_admits_nobody_has_no_bundle() {
    let (dev, folder) = (Dev::start(None), tempfile::tempdir().unwrap());
    let owner = local(&dev, "a");
    owner.send(owner.address(), 1).await.unwrap();
    let error = bundle(&dev, &folder.path().join("bundle.json"), &[]).unwrap_err();
    assert!(error.contains("the state holds no trust"), "{error}");
}
