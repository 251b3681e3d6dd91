//! A store in a directory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn other_genesis() -> Genesis {
    Genesis { chain_id: "other-1".into(), ..Genesis::for_tests() }
}

#[test]
fn a_store_survives_being_closed() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("a/b");
    let store = Store::create(Some(&directory), &Genesis::for_tests()).unwrap();
    store.commit_genesis(&outcome(0, Vec::new(), Vec::new())).unwrap();
    add(&store, vec![(Leaf::Chain, Some(vec![1]))], Vec::new());
    drop(store);

    let store = Store::open(&directory).unwrap();
    assert_eq!(store.reader().unwrap().leaf(&Leaf::Chain, 1).unwrap(), Some(vec![1]));
    drop(store);
    let store = Store::create(Some(&directory), &Genesis::for_tests()).unwrap();
    assert_eq!(store.reader().unwrap().tip().unwrap(), Some(1), "creating the same chain again opens it");
}

#[test]
fn only_its_owner_reads_it() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("chain");
    let _store = Store::create(Some(&directory), &Genesis::for_tests()).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.clone()), 0o700);
    assert_eq!(mode(directory.join("chain.redb")), 0o600);
}

#[test]
fn a_directory_has_one_chain_and_one_owner_at_a_time() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(home.path()), Err(StoreError::Missing)));
    let store = Store::create(Some(home.path()), &Genesis::for_tests()).unwrap();
    assert!(matches!(Store::open(home.path()), Err(StoreError::Locked)));
    assert!(matches!(Store::create(Some(home.path()), &Genesis::for_tests()), Err(StoreError::Locked)));
    drop(store);
    assert!(matches!(Store::create(Some(home.path()), &other_genesis()), Err(StoreError::OtherGenesis)));
    assert!(Store::open(home.path()).is_ok());
}

#[test]
fn a_making_that_was_interrupted_is_taken_up_again() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("chain.redb");
    fs::write(&file, b"").unwrap();
    assert!(matches!(Store::open(home.path()), Err(StoreError::Missing)));
    drop(redb::Database::create(&file).unwrap());
    assert!(matches!(Store::open(home.path()), Err(StoreError::Missing)));
    assert!(Store::create(Some(home.path()), &Genesis::for_tests()).is_ok());
}

#[test]
fn what_is_not_a_store_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("chain.redb");
    for stranger in [&b"a letter to a friend"[..], &[0x55; 100_000]] {
        fs::write(&file, stranger).unwrap();
        assert!(matches!(Store::open(home.path()), Err(StoreError::Corrupted(_))));
        assert!(matches!(Store::create(Some(home.path()), &Genesis::for_tests()), Err(StoreError::Corrupted(_))));
        assert_eq!(fs::read(&file).unwrap(), stranger);
    }
}

#[test]
fn a_store_with_damaged_pages_is_refused() {
    for damage in [0x00, 0x55, 0xff] {
        let home = tempfile::tempdir().unwrap();
        drop(Store::create(Some(home.path()), &Genesis::for_tests()).unwrap());
        let path = home.path().join("chain.redb");
        let mut bytes = fs::read(&path).unwrap();
        // The first page says where the others are.
        bytes[4_096..].fill(damage);
        fs::write(&path, bytes).unwrap();
        assert!(Store::open(home.path()).is_err(), "{damage:#x}");
        assert!(Store::create(Some(home.path()), &Genesis::for_tests()).is_err(), "{damage:#x}");
    }
}

#[test]
fn a_layout_of_the_future_is_refused() {
    let home = tempfile::tempdir().unwrap();
    drop(Store::create(Some(home.path()), &Genesis::for_tests()).unwrap());
    let database = redb::Database::open(home.path().join("chain.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let next = &(crate::tables::LAYOUT + 1).to_le_bytes()[..];
    transaction.open_table(crate::tables::META).unwrap().insert("layout", next).unwrap();
    transaction.commit().unwrap();
    drop(database);
    const NEXT: u64 = crate::tables::LAYOUT + 1;
    assert!(matches!(Store::open(home.path()), Err(StoreError::Layout(NEXT))));
}
