//! What a node says of private calls when it says all it can: logs of every level, metrics, status (M-12).

use std::time::Duration;

use crate::common::{Dev, cloister};
use cloister_sdk::cosmos::{Account, Client};
use cloister_sdk::{Error, Wallet};
use rustix::process::Signal;
use serde_json::{Value, json};

const PROBER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/prober.wasm");

/// Stands nowhere by chance.
const SECRET: &str = "planted-secret-8f14e45f-in-a-call";

#[tokio::test]
async fn v12_logs_of_every_level_metrics_and_status_show_no_planted_secret() {
    let mut node = cloister();
    node.env("RUST_LOG", "trace");
    let dev = Dev::of(node, None, &["--ops-port", "0"]);
    let known = dev.ready["accounts"].as_array().unwrap().clone();
    let account = known.iter().find(|account| account["name"] == "a").unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let wallet = Wallet::from_hex(&text(&account["private_key"])).unwrap();
    let user = Account::new(wallet, Client::new(dev.ready["rest"].as_str().unwrap(), "secretdev-1").unwrap());
    let code = user.store_code(PROBER).await.unwrap();
    let prober = user.instantiate(&code, "prober", &json!({}), 0).await.unwrap().contract;
    user.execute(&prober, &json!({ "write": { "key": SECRET, "value": SECRET } }), 0).await.unwrap();
    let asked = user.query::<Value>(&prober, &json!({ "read": { "key": SECRET } })).await.unwrap();
    assert_eq!(asked.value["value"], SECRET);
    // Whatever goes wrong goes wrong without words: in a call, in a question, in a panic of the contract.
    let failed = user.execute(&prober, &json!({ "fail": { "text": SECRET } }), 0).await.unwrap_err();
    assert!(matches!(&failed, Error::Failed(failure) if failure.contract.as_deref() == Some(SECRET)), "{failed}");
    assert!(user.query::<Value>(&prober, &json!({ "fail": { "text": SECRET } })).await.is_err());
    assert!(user.execute(&prober, &json!({ "panic": {} }), 0).await.is_err());
    assert!(user.execute(&prober, &json!({ "no such message": SECRET }), 0).await.is_err());

    let ops = dev.ready["ops"].as_str().unwrap();
    let get = |path: &str| ureq::get(format!("{ops}{path}")).call().unwrap().body_mut().read_to_string().unwrap();
    let told = [get("/metrics"), get("/status"), get("/health")].concat();
    assert!(told.contains("cloister_height "));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let logs = dev.logs_at_end(Signal::INT);
    // What is said on the way to being ready names the development accounts' keys on purpose; a log line has no place for any.
    let lines: Vec<&str> = logs.lines().filter(|line| LEVELS.iter().any(|level| line.contains(level))).collect();
    assert!(lines.iter().any(|line| line.contains("the enclave is ready")), "{logs}");
    let keys = known.iter().flat_map(|account| [text(&account["private_key"]), text(&account["aes_key"])]);
    let keys: Vec<String> = keys.map(|key| key.trim_start_matches("0x").to_owned()).collect();
    assert!(keys.iter().all(|key| logs.contains(key)), "the search finds what is there");
    for needle in keys.iter().flat_map(|key| writings(key)) {
        assert!(!lines.iter().any(|line| line.contains(&needle)) && !told.contains(&needle), "{needle}");
    }
    for needle in writings(SECRET) {
        assert!(!logs.contains(&needle) && !told.contains(&needle), "{needle}");
    }
}

const LEVELS: &[&str] = &["ERROR ", "WARN ", "INFO ", "DEBUG ", "TRACE "];

/// A text as it is, in hexadecimal, and as a list of bytes, which is how a careless `{:?}` shows it.
fn writings(text: &str) -> [String; 4] {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    [text.to_owned(), hex.to_uppercase(), hex, list.join(", ")]
}
