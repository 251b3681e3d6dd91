//! A transaction checked from the outside, through a node that is not trusted.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::common::{Dev, run};
use cloister_sdk::cosmos;
use cloister_sdk::light::{Checkpoint, Genesis, Leaf, LightClient, Node, Proved, Rules, State};
use cloister_sdk::{Account, Client, HARDHAT_MNEMONIC, U256, Wallet};
use serde_json::{Value, json};

const COUNTER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/counter.wasm");

fn rest(dev: &Dev) -> &str {
    dev.ready["rest"].as_str().unwrap()
}

/// One transfer at the Ethereum door, which makes a block; its hash.
async fn pay(dev: &Dev) -> String {
    let client = Client::connect(dev.url()).await.unwrap();
    let from = Account::new(Wallet::from_mnemonic(HARDHAT_MNEMONIC, 0).unwrap(), client);
    from.transfer(Wallet::random().address(), U256::from(1)).await.unwrap().transaction_hash.to_string()
}

/// One of LocalSecret's accounts.
fn local(dev: &Dev, name: &str) -> cosmos::Account {
    let accounts = dev.ready["accounts"].as_array().unwrap();
    let known = accounts.iter().find(|account| account["name"] == name).unwrap();
    let wallet = Wallet::from_hex(known["private_key"].as_str().unwrap()).unwrap();
    cosmos::Account::new(wallet, cosmos::Client::new(rest(dev), "secretdev-1").unwrap())
}

/// Alice, and her call of a counter. Another block follows, which proves it.
async fn counted(dev: &Dev) -> (cosmos::Account, cosmos::Contract, cosmos::Called) {
    let alice = local(dev, "a");
    let code = alice.store_code(COUNTER).await.unwrap();
    let contract = alice.instantiate(&code, "counter", &json!({ "count": 7 }), 0).await.unwrap().contract;
    let called = alice.execute(&contract, &json!({ "increment": {} }), 0).await.unwrap();
    pay(dev).await;
    (alice, contract, called)
}

/// Who trusts the genesis alone, and what time it is.
async fn light(dev: &Dev) -> (LightClient<Node>, Genesis, u64) {
    let node = Node::new(rest(dev)).unwrap();
    let genesis: Genesis = node.genesis().await.unwrap();
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    let client = LightClient::new(node, Checkpoint::genesis(&genesis).unwrap(), Rules::default());
    (client, genesis, now)
}

/// The genesis as a file.
fn genesis(dev: &Dev, folder: &Path) -> PathBuf {
    let url = format!("{}/cloister/chain/v1/genesis", rest(dev));
    let text = ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap();
    let path = folder.join("genesis.json");
    fs::write(&path, text).unwrap();
    path
}

/// What `cloister verify tx --json` prints.
fn verify(hash: &str, node: &str, more: &[&str]) -> Result<Value, String> {
    let output = run(&[&["verify", "tx", hash, "--node", node, "--json"], more].concat());
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        assert!(output.stdout.is_empty());
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// Whether each step was verified.
fn steps(report: &Value) -> Vec<(&str, bool)> {
    let steps = report["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap(), step["verified"].as_bool().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_both_doors_are_verified_from_a_genesis_and_from_a_checkpoint() {
    let (dev, folder) = (Dev::start(None), tempfile::tempdir().unwrap());
    let genesis = genesis(&dev, folder.path());
    let trusted = ["--genesis", genesis.to_str().unwrap()];
    let ethereum = pay(&dev).await;

    let early = verify(&ethereum, rest(&dev), &trusted).unwrap();
    let all = |receipt| {
        vec![("checkpoint", true), ("block", true), ("transaction", true), ("receipt", receipt), ("secrecy", false)]
    };
    assert_eq!((&early["state"], steps(&early)), (&json!("executed"), all(false)), "no block above it yet");

    let (alice, bob) = (local(&dev, "a"), local(&dev, "b"));
    let sent = alice.send(bob.address(), 5).await.unwrap();
    let report = verify(&ethereum, rest(&dev), &trusted).unwrap();
    assert_eq!((&report["state"], steps(&report)), (&json!("agreed"), all(true)));
    assert_eq!((&report["height"], &report["index"]), (&json!(1), &json!(0)));
    assert_eq!((&report["receipt"]["status"], &report["receipt"]["gas_used"]), (&json!("success"), &json!(21_000)));
    assert_eq!((&report["chain_id"], &report["simulated"]), (&json!("secretdev-1"), &json!(true)));

    pay(&dev).await;
    let hash = format!("{:X}", sent.hash);
    let report = verify(&hash, rest(&dev), &trusted).unwrap();
    assert_eq!((&report["state"], &report["height"]), (&json!("agreed"), &json!(sent.height)));
    assert_eq!((&report["receipt"]["code"], &report["receipt"]["codespace"]), (&json!(0), &json!("")));

    // What was verified is what one may start from next time; what lies below it is reached by hashes.
    let checkpoint = report["checkpoint"].as_str().unwrap();
    let again = verify(&ethereum, rest(&dev), &["--checkpoint", checkpoint]).unwrap();
    assert_eq!((&again["state"], &again["checkpoint"]), (&json!("agreed"), &report["checkpoint"]));
    assert!(again["steps"][1]["what"].as_str().unwrap().contains("by the hashes"));

    // Without either it is the node that says where the chain begins.
    let blind = verify(&ethereum, rest(&dev), &[]).unwrap();
    assert_eq!(steps(&blind)[0], ("checkpoint", false));

    let text = String::from_utf8(run(&["verify", "tx", &ethereum, "--node", rest(&dev)]).stdout).unwrap();
    let words: Vec<&str> = text.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(words, ["NOT verified", "verified", "verified", "verified", "NOT verified"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_so_is_refused_in_words() {
    let (dev, other, folder) = (Dev::start(None), Dev::start(None), tempfile::tempdir().unwrap());
    let (hash, elsewhere) = (pay(&dev).await, pay(&other).await);
    pay(&dev).await;
    pay(&other).await;
    let genesis = genesis(&dev, folder.path());
    let trusted = ["--genesis", genesis.to_str().unwrap()];
    assert!(verify(&hash, rest(&dev), &trusted).is_ok());

    let refused = |hash: &str, node: &str, more: &[&str], words: &str| {
        let error = verify(hash, node, more).unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused(&"0".repeat(64), rest(&dev), &trusted, "knows no block");
    refused(&elsewhere, rest(&other), &trusted, "not of this chain");
    refused(&hash, rest(&dev), &["--checkpoint", &format!("1:{}", "1".repeat(64))], "not the one of the checkpoint");
    refused(&hash, rest(&dev), &["--genesis", "/nowhere"], "/nowhere");
    refused(&hash, rest(&dev), &["--trust-for", "0"], "too old");

    // Nodes that lie: each field of the answer about the receipt, changed on its way.
    for (field, words) in [
        ("tx", "another transaction"),
        ("tx_path", "does not decode"),
        ("receipt", "receipt"),
        ("receipt_path", "does not decode"),
        ("count", "does not stand"),
        ("index", "index"),
    ] {
        let liar = liar(rest(&dev), field);
        refused(&hash, &liar, &trusted, words);
    }
    // Nothing changed, nothing refused: it is the lie that was found, not the liar.
    assert!(verify(&hash, &liar(rest(&dev), "nothing"), &trusted).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_result_and_a_balance_are_read_from_what_was_proven() {
    let dev = Dev::start(None);
    let (alice, _, called) = counted(&dev).await;
    let (mut client, _, now) = light(&dev).await;
    let proved = client.transaction(called.tx.hash, now).await.unwrap();
    assert_eq!(proved.state, State::Agreed);
    let reread = alice.reread_proved(&proved).await.unwrap();
    assert_eq!(reread.input.as_slice(), br#"{"increment":{}}"#);
    assert_eq!(reread.result.unwrap(), called);

    let balance = client.leaf(Leaf::Coins(alice.address()), None, now).await.unwrap();
    let held = u128::from_le_bytes(balance.value.unwrap().try_into().unwrap());
    assert_eq!((balance.height, held), (called.tx.height, alice.balance().await.unwrap()));
    let nobody = client.leaf(Leaf::Coins(Wallet::random().cosmos_address()), None, now).await.unwrap();
    assert_eq!(nobody.value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn v34_one_output_is_shown_to_somebody_who_asks_for_himself_and_no_other_opens() {
    let dev = Dev::start(None);
    let (alice, contract, called) = counted(&dev).await;
    let (mut client, genesis, now) = light(&dev).await;
    let proved = client.transaction(called.tx.hash, now).await.unwrap();
    let opening = alice.opening(&proved).await.unwrap();
    let (folder, hash) = (tempfile::tempdir().unwrap(), called.tx.hash.to_string());
    let (file, other) = (folder.path().join("opening.json"), folder.path().join("other.json"));
    fs::write(&file, opening.to_json().as_str()).unwrap();
    let trusted = folder.path().join("genesis.json");
    fs::write(&trusted, serde_json::to_string(&genesis).unwrap()).unwrap();
    let shown = |hash: &str, file: &Path| {
        let more = ["--genesis", trusted.to_str().unwrap(), "--opening", file.to_str().unwrap()];
        verify(hash, rest(&dev), &more)
    };
    let report = shown(&hash, &file).unwrap();
    assert_eq!(report["output"]["data"], json!(cloister_sdk::Bytes::from(called.data.clone())));
    assert_eq!(report["output"]["sender"], json!(cosmos::bech32(&alice.address())));
    let again = alice.execute(&contract, &json!({ "increment": {} }), 0).await.unwrap();
    pay(&dev).await;
    let refused = shown(&again.tx.hash.to_string(), &file).unwrap_err();
    assert!(refused.contains("the opening is of transaction"), "{refused}");
    // The key of one output does not open another, whatever the file calls it.
    let text = fs::read_to_string(&file).unwrap().replace(&hash, &again.tx.hash.to_string());
    fs::write(&other, text).unwrap();
    let refused = shown(&again.tx.hash.to_string(), &other).unwrap_err();
    assert!(refused.contains("the ciphertext does not open here"), "{refused}");

    // Nor is one opened on the word of a node alone, nor handed out by somebody else, nor read from a receipt that was cut.
    let early = Proved { state: State::Executed, ..proved.clone() };
    assert!(matches!(opening.open(&early), Err(cloister_sdk::Error::NotAgreed(_))));
    assert!(matches!(local(&dev, "b").opening(&proved).await, Err(cloister_sdk::Error::NoCall(_))));
    let mut cut = proved;
    let result = cut.inclusion.receipt.cosmos.as_mut().unwrap();
    result.data = result.data.slice(..result.data.len() - 1);
    assert!(opening.open(&cut).is_err(), "truncated");
}

/// A door that hands everything on, and changes one field of each answer about a receipt. Its URL.
fn liar(node: &str, field: &'static str) -> String {
    let (listener, node) = (TcpListener::bind("127.0.0.1:0").unwrap(), node.to_owned());
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            hand_on(stream.unwrap(), &node, field);
        }
    });
    url
}

fn hand_on(mut stream: TcpStream, node: &str, field: &str) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(request)) = lines.next() else { return };
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let path = request.split(' ').nth(1).unwrap();
    let text = ureq::get(format!("{node}{path}")).call().unwrap().body_mut().read_to_string().unwrap();
    let mut answer: Value = serde_json::from_str(&text).unwrap();
    if path.contains("/receipts/") && field != "nothing" {
        let bent = match &answer[field] {
            // The last bit of the last whole group of base64, or a path where there is none.
            Value::String(text) => json!(bend(text)),
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            _ => json!(["AAAA"]),
        };
        answer[field] = bent;
    }
    let body = answer.to_string();
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
}

/// Another letter in the middle.
fn bend(text: &str) -> String {
    let (middle, other) = (text.len() / 2, if &text[text.len() / 2..=text.len() / 2] == "A" { "B" } else { "A" });
    [&text[..middle], other, &text[middle + 1..]].concat()
}
