//! A process that is killed in the middle of its work.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;

/// Tells the process that is to be killed where the store is.
const VICTIM: &str = "CLOISTER_STORE_VICTIM";

#[test]
fn a_kill_loses_nothing_that_was_confirmed_and_leaves_nothing_half_done() {
    if let Some(directory) = std::env::var_os(VICTIM) {
        commit_for_ever(Path::new(&directory));
    }
    let home = tempfile::tempdir().unwrap();
    let store = Store::create(Some(home.path()), &Genesis::for_tests()).unwrap();
    store.commit_genesis(&outcome(0, writes_of(0), Vec::new())).unwrap();
    drop(store);

    let mut last = 0;
    for round in 0..8u64 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "tests::crash::a_kill_loses_nothing_that_was_confirmed_and_leaves_nothing_half_done",
            ])
            .env(VICTIM, home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut confirmed = BufReader::new(victim.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("confirmed ").and_then(|height| height.parse::<u64>().ok()));
        let first = confirmed.next().expect("the victim starts to work");
        std::thread::sleep(Duration::from_micros(round * round * 1_700));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let confirmed = confirmed.last().unwrap_or(first);

        let store = Store::open(home.path()).unwrap();
        let tip = check(&store);
        assert!(tip >= confirmed, "{confirmed} was confirmed, the tip is {tip}");
        assert!(confirmed > last, "the victim took up where the last one was killed");
        last = tip;
    }
}

/// Commits, prunes, and says so, until killed.
#[allow(clippy::print_stdout)]
fn commit_for_ever(directory: &Path) -> ! {
    let store = Store::open(directory).unwrap();
    loop {
        let next = store.reader().unwrap().tip().unwrap().unwrap() + 1;
        add(&store, writes_of(next), vec![receipt(tx_of(next), Status::Success)]);
        println!("confirmed {next}");
        store.prune(next.saturating_sub(5)).unwrap();
    }
}

/// Leaves that all say which height wrote them; every other height removes one.
fn writes_of(height: u64) -> Writes {
    let mark = height.to_le_bytes().to_vec();
    let mut writes: Writes = (0..50).map(|number| (Leaf::BlockHash(number), Some(mark.clone()))).collect();
    writes.push((Leaf::Account(Address::ZERO), height.is_multiple_of(2).then_some(mark)));
    writes
}

fn tx_of(height: u64) -> B256 {
    keccak256(height.to_le_bytes())
}

/// Every part of the tip is there, nothing of a block after it is, and every kept height reads as it was. Gives the tip.
fn check(store: &Store) -> u64 {
    let reader = store.reader().unwrap();
    let tip = reader.tip().unwrap().unwrap();
    for height in reader.oldest().unwrap()..=tip {
        let leaves: Writes = writes_of(height).into_iter().filter(|(_, value)| value.is_some()).collect();
        let stored: Vec<_> = reader.leaves(height, 1_000).unwrap().flat_map(Result::unwrap).collect();
        assert_eq!(stored.into_iter().map(|(leaf, value)| (leaf, Some(value))).collect::<Writes>(), leaves);
    }
    for height in 1..=tip {
        let block = reader.block(height).unwrap().unwrap().block;
        assert_eq!(block.header.height, height);
        assert_eq!(reader.height_of(&block.header.hash()).unwrap(), Some(height));
        assert_eq!(reader.receipts(height).unwrap().unwrap()[0].tx, tx_of(height));
        assert_eq!(reader.locate(&tx_of(height)).unwrap(), Some((height, 0)));
    }
    assert_eq!(reader.checkpoint().unwrap().unwrap(), tip.to_le_bytes());
    assert_eq!(reader.head().unwrap().unwrap().height, tip);
    assert_eq!((reader.header(tip + 1).unwrap(), reader.block(tip + 1).unwrap()), (None, None));
    assert_eq!((reader.receipts(tip + 1).unwrap(), reader.locate(&tx_of(tip + 1)).unwrap()), (None, None));
    tip
}
