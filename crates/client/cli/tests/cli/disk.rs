//! What lies on a node's disk after private calls, and that a node that comes back reads it.

use std::fs;
use std::path::Path;

use crate::common::Dev;
use cloister_sdk::cosmos::{Account, Client, bech32};
use cloister_sdk::{Error, Wallet};
use rustix::process::Signal;
use serde_json::{Value, json};

const PROBER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/prober.wasm");

/// Words that stand nowhere by chance.
const SECRET: &str = "planted-secret-5bd1e995-in-state";
const PUBLIC: &str = "planted-public-5bd1e995-in-an-event";

fn alice(dev: &Dev) -> Account {
    let accounts = dev.ready["accounts"].as_array().unwrap();
    let known = accounts.iter().find(|account| account["name"] == "a").unwrap();
    let wallet = Wallet::from_hex(known["private_key"].as_str().unwrap()).unwrap();
    Account::new(wallet, Client::new(dev.ready["rest"].as_str().unwrap(), "secretdev-1").unwrap())
}

/// Whether any file below `folder` holds `text`, as it is, in hexadecimal or in base64 at any offset.
fn lies_in(folder: &Path, text: &str) -> bool {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut needles = vec![text.as_bytes().to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    needles.extend((0..3).map(|offset| base64(&text.as_bytes()[offset..])));
    fs::read_dir(folder).unwrap().flatten().any(|entry| {
        if entry.file_type().unwrap().is_dir() {
            return lies_in(&entry.path(), text);
        }
        // The node's lock may be a socket or unreadable; what is a file is read whole.
        let Ok(bytes) = fs::read(entry.path()) else { return false };
        needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle.as_slice()))
    })
}

/// The whole triplets of the base64 of `bytes`.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |three: &[u8]| {
        let word = three.iter().fold(0usize, |word, byte| word << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| DIGITS[word >> shift & 63])
    };
    bytes.chunks_exact(3).flat_map(digits).collect()
}

#[tokio::test]
async fn a_dump_of_the_disk_shows_no_planted_secret_and_a_node_that_comes_back_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(Some(folder.path()));
    let user = alice(&dev);
    let code = user.store_code(PROBER).await.unwrap();
    let prober = user.instantiate(&code, "prober", &json!({}), 0).await.unwrap().contract;
    user.execute(&prober, &json!({ "write": { "key": SECRET, "value": SECRET } }), 0).await.unwrap();
    let secret = json!({ "key": SECRET, "value": SECRET, "encrypted": true });
    let public = json!({ "key": "public", "value": PUBLIC, "encrypted": false });
    user.execute(&prober, &json!({ "attributes": { "attributes": [secret, public] } }), 0).await.unwrap();
    let failed = user.execute(&prober, &json!({ "fail": { "text": SECRET } }), 0).await.unwrap_err();
    assert!(matches!(&failed, Error::Failed(failure) if failure.contract.as_deref() == Some(SECRET)), "{failed}");
    let read = json!({ "read": { "key": SECRET } });
    let asked = user.query::<Value>(&prober, &read).await.unwrap();
    assert_eq!(asked.value["value"], SECRET);
    let name = bech32(&prober.address);

    assert!(dev.end(Signal::INT).success());
    assert!(lies_in(folder.path(), PUBLIC), "the search finds what is there");
    assert!(!lies_in(folder.path(), SECRET));

    let dev = Dev::start(Some(folder.path()));
    let user = alice(&dev);
    assert_eq!(bech32(&prober.address), name);
    let asked = user.query::<Value>(&prober, &read).await.unwrap();
    assert_eq!(asked.value["value"], SECRET);
    user.execute(&prober, &json!({ "remove": { "key": SECRET } }), 0).await.unwrap();
    assert_eq!(user.query::<Value>(&prober, &read).await.unwrap().value["value"], Value::Null);
}
