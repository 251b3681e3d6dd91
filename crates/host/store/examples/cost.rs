//! What a block costs the store: processor time, waiting time and bytes on disk for blocks of 1 000 transactions that write 6
//! leaves each, and the time to open the store again. `cargo run -p cloister-store --example cost [DIRECTORY]`; without a
//! directory it works in memory.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::Instant;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use cloister_chain::{Block, Certificate, Genesis, Header, Leaf, Log, Outcome, Receipt, Status};
use cloister_store::Store;

fn main() {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let genesis = Genesis::for_tests();
    let store = Store::create(directory.as_deref(), &genesis).unwrap();
    store.commit_genesis(&outcome(0, Vec::new(), (0..100_000u64).map(slot).collect())).unwrap();
    println!("block | processor ms | all ms | bytes on disk");
    for height in 1..=20u64 {
        let receipts = (0..1_000u64).map(|index| receipt(keccak256((height * 1_000 + index).to_le_bytes()))).collect();
        let written = (0..6_000u64).map(|index| slot((index * 7_919 + height * 104_729) % 200_000)).collect();
        let txs = vec![Bytes::from(vec![1; 400]); 1_000];
        let header = Header { height, txs: Block::txs_root(&txs), ..Header::genesis(&genesis) };
        let certificate = Certificate { height, round: 0, block: header.hash(), precommits: Vec::new() };
        let (block, outcome) =
            (Block { header, txs, parent: None, evidence: Vec::new() }, outcome(height, receipts, written));

        let (processor, start) = (processor_ms(), Instant::now());
        store.commit(&block, &certificate, &outcome).unwrap();
        let all = start.elapsed().as_millis();
        let bytes = directory.as_ref().map(|path| std::fs::metadata(path.join("chain.redb")).unwrap().len());
        println!("{height} | {} | {all} | {}", processor_ms() - processor, bytes.unwrap_or_default());
    }
    let start = Instant::now();
    for number in 0..10_000u64 {
        store.reader().unwrap().leaf(&slot(number), 20).unwrap();
    }
    println!("reading a leaf: {:.1} µs", start.elapsed().as_secs_f64() * 100.0);
    if let Some(directory) = directory {
        // As if killed: the store is not closed.
        let copy = directory.join("copy");
        std::fs::create_dir(&copy).unwrap();
        std::fs::copy(directory.join("chain.redb"), copy.join("chain.redb")).unwrap();
        let start = Instant::now();
        drop(Store::open(&copy).unwrap());
        println!("opening after a kill: {} ms", start.elapsed().as_millis());
        let start = Instant::now();
        drop(Store::open(&copy).unwrap());
        println!("opening after closing: {} ms", start.elapsed().as_millis());
    }
}

fn slot(number: u64) -> Leaf {
    Leaf::Storage(Address::repeat_byte(7), keccak256(number.to_le_bytes()))
}

fn receipt(tx: B256) -> Receipt {
    let log = Log { address: Address::repeat_byte(7), topics: vec![tx; 3], data: Bytes::from(vec![2; 64]) };
    let (from, status) = (Address::repeat_byte(1), Status::Success);
    Receipt { tx, from, status, gas_used: 90_000, gas_price: 1, contract: None, logs: vec![log], cosmos: None }
}

fn outcome(height: u64, receipts: Vec<Receipt>, mut written: Vec<Leaf>) -> Outcome {
    written.sort();
    written.dedup();
    Outcome {
        height,
        receipts,
        writes: written.into_iter().map(|leaf| (leaf, Some(vec![3; 33]))).collect(),
        blobs: Vec::new(),
        state_root: B256::ZERO,
        results: B256::ZERO,
        next_base_fee: 1,
        next_validators: Genesis::for_tests().validators,
        following_validators: Genesis::for_tests().validators,
        checkpoint: vec![0; 200],
        sealed_roots: None,
    }
}

/// Processor time of this process, in milliseconds.
fn processor_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let mut fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11);
    let mut ticks = || fields.next().unwrap().parse::<u64>().unwrap();
    (ticks() + ticks()) * 10
}
