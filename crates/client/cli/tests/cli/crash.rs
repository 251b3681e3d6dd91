//! What is left of processes that crash while secrets are in flight (M-12): no core file of an enclave, and a planted secret
//! neither in what they say nor in the core file of a node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::{Dev, cloister};
use cloister_sdk::Wallet;
use cloister_sdk::cosmos::{Account, Client};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const PROBER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/prober.wasm");

/// Stands nowhere by chance.
const SECRET: &str = "planted-secret-c81e728d-in-flight";

#[tokio::test]
async fn v12_a_crash_leaves_no_core_of_an_enclave_and_no_planted_secret() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::of(with_cores(folder.path()), None, &[]);
    let user = alice(&dev);
    let code = user.store_code(PROBER).await.unwrap();
    let prober = user.instantiate(&code, "prober", &json!({}), 0).await.unwrap().contract;
    let (write, read) = (json!({ "write": { "key": SECRET, "value": SECRET } }), json!({ "read": { "key": SECRET } }));
    user.execute(&prober, &write, 0).await.unwrap();

    for signal in [Signal::ABORT, Signal::SEGV, Signal::ILL] {
        let enclave = dev.enclave().unwrap();
        locked_down(enclave).await;
        assert_ne!(core_limit(dev.pid()), "0 0", "of the node: a core file would be possible");
        let working = async {
            for _ in 0..5 {
                // Or is told to try again.
                let _ = user.execute(&prober, &write, 0).await;
            }
        };
        let asking = async {
            while dev.enclave() == Some(enclave) {
                // Some die with the enclave.
                let _ = user.query::<Value>(&prober, &read).await;
            }
        };
        let crashing = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            kill_process(enclave, signal).unwrap();
        };
        tokio::join!(working, asking, crashing);
        dev.enclave_after(enclave);
        assert_eq!(cores(folder.path()), Vec::<PathBuf>::new(), "{signal:?}");
    }
    assert_eq!(user.query::<Value>(&prober, &read).await.unwrap().value["value"], SECRET);

    let logs = dev.logs_at_end(Signal::ABORT);
    assert_eq!(logs.matches("the enclave is back").count(), 3, "{logs}");
    // Systems that hand core files to a program keep them elsewhere.
    let cores = cores(folder.path());
    assert!(cores.len() == 1 || !fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap().starts_with("core"));
    let left: Vec<Vec<u8>> = cores.iter().map(|core| fs::read(core).unwrap()).chain([logs.into_bytes()]).collect();
    assert!(left.iter().all(|bytes| holds(bytes, "secretdev-1")), "the search finds what is there");
    for writing in writings(SECRET) {
        assert!(!left.iter().any(|bytes| holds(bytes, &writing)), "{writing}");
    }
}

/// The program where core files are allowed, and lie in `folder`.
fn with_cores(folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""]).arg(cloister().get_program());
    shell.current_dir(folder).env("RUST_LOG", "trace");
    shell
}

/// Waits for the lock-down of an enclave that has just started: it comes before anything secret does, and no core file is
/// possible from then on, whatever its parent may.
async fn locked_down(enclave: Pid) {
    for _ in 0..600 {
        if core_limit(enclave) == "0 0" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the enclave's limit is still {}", core_limit(enclave));
}

/// Soft and hard limit of a process.
fn core_limit(process: Pid) -> String {
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.as_raw_nonzero())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn cores(folder: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("core")).collect()
}

fn alice(dev: &Dev) -> Account {
    let accounts = dev.ready["accounts"].as_array().unwrap();
    let known = accounts.iter().find(|account| account["name"] == "a").unwrap();
    let wallet = Wallet::from_hex(known["private_key"].as_str().unwrap()).unwrap();
    Account::new(wallet, Client::new(dev.ready["rest"].as_str().unwrap(), "secretdev-1").unwrap())
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A text as it is, in hexadecimal, and as a list of bytes, which is how a careless `{:?}` shows it.
fn writings(text: &str) -> [String; 4] {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    [text.to_owned(), hex.to_uppercase(), hex, list.join(", ")]
}
