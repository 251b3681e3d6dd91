//! A dump of the whole machine after an epoch was retired: the enclave's memory and the home, for somebody who knows what to look
//! for (G2, V-15, V-26).

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::common::Dev;
use cloister_chain::Genesis;
use cloister_chain::cosmos::{CosmosTx, Message};
use cloister_envelope::MessageError;
use cloister_envelope::message::{CallContext, Entry, gcm};
use cloister_keys::{Keys, Roots, SealingKey};
use cloister_sdk::cosmos::{Account, Client, Contract};
use cloister_sdk::{B256, Wallet};
use hkdf::Hkdf;
use rustix::process::Pid;
use serde_json::{Value, json};
use sha2::Sha256;
use sha2::block_api::compress256;

const CHAIN: &str = "secretdev-1";
const COUNTER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/counter.wasm");
const LENGTH: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn v26_a_dump_of_memory_and_disk_opens_nothing_of_a_retired_epoch() {
    if !rustix::process::geteuid().is_root() {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("not run: only root reads the memory of an enclave");
        }
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let length = LENGTH.as_secs().to_string();
    let dev = Dev::with(Some(home.path()), &["--epoch-length", &length, "--epoch-grace", "1"]);
    let alice = account(&dev);
    let code = alice.store_code(COUNTER).await.unwrap();
    let counter = alice.instantiate(&code, "counter", &json!({ "count": 0 }), 0).await.unwrap().contract;

    // The teeth: while the epoch lives, the same search finds it.
    let (recorded, roots) = record(&dev, &alice, &counter, home.path()).await;
    let first = roots.epoch();
    let retired = Secrets::of(&roots, &counter);
    let found = retired.found_in(&memory(dev.enclave().unwrap()));
    for always_held in ["root", "inner state", "outer state", "input key"] {
        assert!(found.contains(&always_held), "{always_held}: {found:?}");
    }
    assert!(Keys::new(CHAIN, roots).open_call(&context(&alice, &counter), &recorded, false).is_ok());

    // A block after the epoch is over switches; what is left of it goes by itself.
    sleep(LENGTH);
    alice.execute(&counter, &json!({ "increment": {} }), 0).await.unwrap();
    loop {
        let told = get(&dev, "/cloister/trust/v1/epoch");
        if told["epoch"].as_str().unwrap().parse::<u64>().unwrap() > first && told["retiring"].is_null() {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    // The sweep has touched the contract; a question and a call run on every thread's stack.
    alice.query::<Value>(&counter, &json!({ "get_count": {} })).await.unwrap();
    let (current, roots) = record(&dev, &alice, &counter, home.path()).await;
    let dump = memory(dev.enclave().unwrap());
    let living = Secrets::of(&roots, &counter).found_in(&dump);
    assert!(living.contains(&"root") && living.contains(&"inner state"), "the search finds what is there: {living:?}");
    assert_eq!(retired.found_in(&dump), [""; 0], "in memory");
    let mut files = Vec::new();
    read_all(home.path(), &mut files);
    assert!(files.len() > 10_000, "the store is there");
    assert_eq!(retired.found_in(&files), [""; 0], "on disk");

    // Whoever has memory, disk and sealing key reads what the living epoch is told, and nothing of the retired one.
    let (context, epoch) = (context(&alice, &counter), roots.epoch());
    let keys = Keys::new(CHAIN, roots);
    assert_eq!(keys.open_call(&context, &current, true).unwrap().1.as_slice(), br#"{"increment":{}}"#);
    let refused = keys.open_call(&context, &recorded, true).err();
    assert_eq!(refused, Some(MessageError::Epoch { sealed: first, current: epoch }));
    for epoch in keys.oldest_epoch()..=keys.epoch() {
        let mut renumbered = recorded.clone();
        renumbered[1..9].copy_from_slice(&epoch.to_be_bytes());
        assert_eq!(keys.open_call(&context, &renumbered, true).err(), Some(MessageError::Refused));
    }
}

/// A message in our own form as it stands in the chain, and the roots that open it as the home holds them.
async fn record(dev: &Dev, alice: &Account, counter: &Contract, home: &Path) -> (Vec<u8>, Roots) {
    for _ in 0..5 {
        let called = alice.execute(counter, &json!({ "increment": {} }), 0).await.unwrap();
        let block = alice.client().block(called.tx.height).await.unwrap();
        let tx = block.iter().find_map(|raw| CosmosTx::decode(raw).ok()).unwrap();
        let [Message::SealedExecute(message)] = tx.messages() else { panic!("one call") };
        let roots = stolen(dev, home);
        if gcm::epoch(&message.input) == Ok(roots.epoch()) {
            return (message.input.clone(), roots);
        }
    }
    panic!("every call met a switch");
}

/// What the keys of the home open.
fn stolen(dev: &Dev, home: &Path) -> Roots {
    let genesis: Genesis = serde_json::from_value(get(dev, "/cloister/chain/v1/genesis")).unwrap();
    let text = fs::read_to_string(home.join("sealing.key")).unwrap();
    let key: B256 = text.trim().parse().unwrap();
    let sealed = fs::read(home.join("roots.sealed")).unwrap();
    SealingKey::from_bytes(CHAIN, key.0).open_roots(genesis.hash().as_slice(), &sealed).unwrap()
}

/// What must be gone: the root, what HKDF makes of it and keeps, and keys that it derives.
struct Secrets(Vec<(&'static str, Vec<u8>)>);

impl Secrets {
    /// Of the present epoch.
    fn of(roots: &Roots, counter: &Contract) -> Self {
        let bytes = roots.to_bytes();
        let root = &bytes[32..64];
        let (extracted, _) = Hkdf::<Sha256>::extract(None, root);
        let half_of_hmac = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(&extracted).for_each(|(byte, key)| *byte ^= key);
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            state.map(u32::to_ne_bytes).concat()
        };
        let state = derive(root, "contract state", &[counter.address.as_slice()]);
        Self(vec![
            ("root", root.to_vec()),
            ("extracted", extracted.to_vec()),
            ("inner state", half_of_hmac(0x36)),
            ("outer state", half_of_hmac(0x5c)),
            ("input key", derive(root, "input exchange key", &[])),
            ("state key", derive(&state, "state cipher", &[])),
            ("contract state", state),
            ("callback secret", derive(root, "callback secret", &[])),
        ])
    }

    fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let mut begins = vec![false; 1 << 16];
        let first = |bytes: &[u8]| usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        for (_, secret) in &self.0 {
            begins[first(secret)] = true;
        }
        let mut found = Vec::new();
        for window in bytes.windows(32).filter(|window| begins[first(window)]) {
            found.extend(self.0.iter().filter(|(_, secret)| secret == window).map(|(name, _)| *name));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The key schedule's rule, written a second time.
fn derive(parent: &[u8], label: &str, context: &[&[u8]]) -> Vec<u8> {
    let purpose = format!("cloister/v1/{CHAIN}/{label}");
    let mut info = Vec::new();
    for part in [purpose.as_bytes()].iter().chain(context) {
        info.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        info.extend_from_slice(part);
    }
    let mut output = vec![0; 32];
    Hkdf::<Sha256>::new(None, parent).expand(&info, &mut output).unwrap();
    output
}

/// Everything that a process can write to.
fn memory(process: Pid) -> Vec<u8> {
    let of = |file: &str| format!("/proc/{}/{file}", process.as_raw_nonzero());
    let memory = File::open(of("mem")).unwrap();
    let mut dump = Vec::new();
    for line in fs::read_to_string(of("maps")).unwrap().lines() {
        let mut fields = line.split(' ');
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        // In pieces: what was never touched may be unreadable, and is not kept.
        for at in (from..to).step_by(PIECE) {
            let mut piece = vec![0; PIECE.min(usize::try_from(to - at).unwrap())];
            let read = memory.read_at(&mut piece, at).unwrap_or(0);
            if piece[..read].iter().any(|byte| *byte != 0) {
                dump.extend_from_slice(&piece[..read]);
            }
        }
    }
    assert!(dump.len() > 1 << 20, "an enclave has more memory than that");
    dump
}

fn read_all(folder: &Path, all: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            read_all(&entry.path(), all);
        } else if let Ok(bytes) = fs::read(entry.path()) {
            all.extend(bytes);
        }
    }
}

fn account(dev: &Dev) -> Account {
    let accounts = dev.ready["accounts"].as_array().unwrap();
    let known = accounts.iter().find(|account| account["name"] == "a").unwrap();
    let wallet = Wallet::from_hex(known["private_key"].as_str().unwrap()).unwrap();
    Account::new(wallet, Client::new(dev.ready["rest"].as_str().unwrap(), CHAIN).unwrap())
}

fn context(alice: &Account, counter: &Contract) -> CallContext<'static> {
    let entry = Entry::Execute(counter.address);
    CallContext { chain_id: CHAIN, sender: alice.address(), entry, code_hash: counter.code_hash, funds: &[] }
}

fn get(dev: &Dev, path: &str) -> Value {
    let url = format!("{}{path}", dev.ready["rest"].as_str().unwrap());
    let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// FIPS 180-4, 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const PIECE: usize = 1 << 16;
