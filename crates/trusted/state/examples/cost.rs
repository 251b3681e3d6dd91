//! What the tree costs by the number of entries: time of an update in a block of 6 000 writes, bytes per entry, bytes that a
//! kept height costs per write, branches on the path of one entry. `cargo run -p cloister-state --example cost`; the figures
//! stand in `docs/decisions/0001-one-trie.md`.
#![allow(clippy::print_stdout)]

use std::fs;
use std::time::Instant;

use alloy_primitives::B256;
use cloister_chain::Leaf;
use cloister_state::Tree;

fn main() {
    println!(
        "entries | bytes per entry | load, µs per entry | update, µs per entry | get, µs | bytes kept per write | path"
    );
    for entries in [10_000u64, 1_000_000] {
        let before = resident();
        let (mut tree, start) = (Tree::new(), Instant::now());
        let numbers: Vec<u64> = (0..entries).collect();
        for piece in numbers.chunks(65_536) {
            let changes: Vec<_> = piece.iter().map(|number| (position(*number), Some(position(*number)))).collect();
            tree.apply(&changes);
        }
        let load = start.elapsed();
        let bytes = resident().saturating_sub(before) / entries;

        // Half of a block's writes are to entries that there are; all heights are kept.
        let (blocks, writes) = (20, 6_000);
        let (mut snapshots, before) = (Vec::new(), resident());
        let start = Instant::now();
        for block in 0..blocks {
            let number = |index: u64| (index * 7_919 + block * 104_729) % (2 * entries);
            let changes: Vec<_> = (0..writes).map(|index| (position(number(index)), Some(position(block)))).collect();
            tree.apply(&changes);
            snapshots.push(tree.clone());
        }
        let update = start.elapsed();
        let kept = resident().saturating_sub(before) / (blocks * writes);

        let start = Instant::now();
        let found = (0..entries.min(100_000)).filter(|number| tree.get(&position(*number)).is_some()).count();
        let get = start.elapsed();
        let path = tree.prove(&Leaf::Chain).siblings.len();
        println!(
            "{entries} | {bytes} | {:.2} | {:.2} | {:.2} | {kept} | {path}",
            load.as_secs_f64() * 1e6 / entries as f64,
            update.as_secs_f64() * 1e6 / (blocks * writes) as f64,
            get.as_secs_f64() * 1e6 / found as f64,
        );
    }
}

fn position(number: u64) -> B256 {
    Leaf::value_hash(&number.to_le_bytes())
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4_096
}
