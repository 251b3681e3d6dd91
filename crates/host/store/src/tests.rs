//! The life of a store.
#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, B256, BloomInput, Bytes, U256, keccak256};
use cloister_chain::{
    Account, Block, Cell, Certificate, Genesis, Header, Leaf, Log, Outcome, Receipt, Refusal, Status,
};

use crate::{Head, Store, StoreError};

mod crash;
mod disk;
mod events;
mod pending;
mod trail;
mod versions;

type Writes = Vec<(Leaf, Option<Vec<u8>>)>;

fn outcome(height: u64, writes: Writes, receipts: Vec<Receipt>) -> Outcome {
    Outcome {
        height,
        results: Receipt::root(&receipts),
        receipts,
        writes,
        blobs: Vec::new(),
        state_root: B256::with_last_byte(height as u8),
        next_base_fee: 5_000_000 + height,
        next_validators: Genesis::for_tests().validators,
        following_validators: Genesis::for_tests().validators,
        checkpoint: height.to_le_bytes().to_vec(),
        sealed_roots: None,
    }
}

fn block(height: u64, txs: Vec<Bytes>) -> (Block, Certificate) {
    let header = Header { height, txs: Block::txs_root(&txs), ..Header::genesis(&Genesis::for_tests()) };
    let certificate = Certificate { height, round: 0, block: header.hash(), precommits: Vec::new() };
    (Block { header, txs, parent: None, evidence: Vec::new() }, certificate)
}

fn receipt(tx: B256, status: Status) -> Receipt {
    let (from, contract) = (Address::repeat_byte(1), None);
    Receipt { tx, from, status, gas_used: 21_000, gas_price: 1, contract, logs: Vec::new(), cosmos: None }
}

/// A store in memory with the genesis committed.
fn started() -> Store {
    let store = Store::create(None, &Genesis::for_tests()).unwrap();
    store.commit_genesis(&outcome(0, Vec::new(), Vec::new())).unwrap();
    store
}

/// Adds the next block with `writes` and one transaction for each receipt.
fn add(store: &Store, writes: Writes, receipts: Vec<Receipt>) -> u64 {
    let height = store.reader().unwrap().tip().unwrap().unwrap() + 1;
    let (block, certificate) = block(height, receipts.iter().map(|receipt| receipt.tx.0.into()).collect());
    store.commit(&block, &certificate, &outcome(height, writes, receipts)).unwrap();
    height
}

#[test]
fn a_chain_starts_with_its_genesis() {
    let genesis = Genesis::for_tests();
    let store = Store::create(None, &genesis).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.genesis().unwrap(), genesis);
    assert_eq!((reader.tip().unwrap(), reader.head().unwrap(), reader.checkpoint().unwrap()), (None, None, None));
    assert!(matches!(reader.leaf(&Leaf::Chain, 0), Err(StoreError::Ahead { height: 0 })));

    store.commit_genesis(&outcome(0, vec![(Leaf::Chain, Some(vec![1]))], Vec::new())).unwrap();
    let reader = store.reader().unwrap();
    let header = Header::genesis(&genesis);
    assert_eq!(reader.tip().unwrap(), Some(0));
    assert_eq!(reader.header(0).unwrap(), Some(header.clone()));
    assert_eq!(reader.height_of(&header.hash()).unwrap(), Some(0));
    assert_eq!(reader.block(0).unwrap(), None, "nobody made a block of height 0");
    assert_eq!(reader.receipts(0).unwrap(), Some(Vec::new()));
    assert_eq!(reader.leaf(&Leaf::Chain, 0).unwrap(), Some(vec![1]));
    let again = store.commit_genesis(&outcome(0, Vec::new(), Vec::new()));
    assert!(matches!(again, Err(StoreError::Order { expected: 1, found: 0 })));
}

#[test]
fn a_committed_block_is_found_by_every_key() {
    let store = started();
    let (address, slot) = (Address::repeat_byte(7), B256::with_last_byte(1));
    let account = Account { sequence: 3, balance: U256::from(9), ..Account::default() };
    let cell = Cell { word: U256::from(5), marked: Some(0) };
    let code = Bytes::from_static(b"\x60\x00");

    let txs = vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")];
    let receipts =
        vec![receipt(B256::with_last_byte(1), Status::Success), receipt(B256::with_last_byte(2), Status::Failed)];
    let mut made = outcome(1, Vec::new(), receipts.clone());
    made.writes = vec![
        (Leaf::Account(address), Some(borsh::to_vec(&account).unwrap())),
        (Leaf::Storage(address, slot), Some(borsh::to_vec(&cell).unwrap())),
    ];
    made.blobs = vec![(keccak256(&code), code.clone())];
    let (block, certificate) = block(1, txs);
    store.commit(&block, &certificate, &made).unwrap();

    let reader = store.reader().unwrap();
    let stored = reader.block(1).unwrap().unwrap();
    assert_eq!((stored.block, stored.certificate), (block.clone(), certificate));
    assert_eq!(reader.header(1).unwrap(), Some(block.header.clone()));
    assert_eq!(reader.height_of(&block.header.hash()).unwrap(), Some(1));
    assert_eq!(reader.receipts(1).unwrap(), Some(receipts));
    assert_eq!(reader.locate(&B256::with_last_byte(2)).unwrap(), Some((1, 1)));
    assert_eq!(reader.account(&address, 1).unwrap(), account);
    assert_eq!(reader.cell(&address, &slot, 1).unwrap(), cell);
    assert_eq!(reader.blob(&keccak256(&code)).unwrap(), Some(code));
    assert_eq!(reader.checkpoint().unwrap(), Some(made.checkpoint));
    let head = Head {
        height: 1,
        state_root: made.state_root,
        results: made.results,
        next_base_fee: made.next_base_fee,
        signers: Genesis::for_tests().validators,
        next_validators: made.next_validators,
        following_validators: made.following_validators,
    };
    assert_eq!(reader.head().unwrap(), Some(head));
    let set = Genesis::for_tests().validators;
    assert_eq!(reader.validators(&set.hash()).unwrap(), Some(set));
    assert_eq!(reader.validators(&B256::ZERO).unwrap(), None);

    let (nothing, nobody) = (B256::repeat_byte(9), Address::repeat_byte(9));
    assert_eq!(reader.account(&nobody, 1).unwrap(), Account::default());
    assert_eq!(reader.cell(&address, &nothing, 1).unwrap(), Cell::default());
    assert_eq!((reader.locate(&nothing).unwrap(), reader.height_of(&nothing).unwrap()), (None, None));
    assert_eq!((reader.blob(&nothing).unwrap(), reader.header(2).unwrap()), (None, None));
    assert_eq!((reader.block(2).unwrap(), reader.receipts(2).unwrap()), (None, None));
}

#[test]
fn blocks_come_one_after_the_other_and_whole() {
    let store = started();
    let (skipping, certificate) = block(2, Vec::new());
    let result = store.commit(&skipping, &certificate, &outcome(2, Vec::new(), Vec::new()));
    assert!(matches!(result, Err(StoreError::Order { expected: 1, found: 2 })));

    let (next, certificate) = block(1, Vec::new());
    let other_certificate = Certificate { height: 2, ..certificate.clone() };
    let good = outcome(1, vec![(Leaf::Chain, Some(vec![1]))], Vec::new());
    for (certificate, outcome) in [
        (&other_certificate, good.clone()),
        (&certificate, Outcome { height: 2, ..good.clone() }),
        (&certificate, Outcome { receipts: vec![receipt(B256::ZERO, Status::Success)], ..good.clone() }),
    ] {
        assert!(matches!(store.commit(&next, certificate, &outcome), Err(StoreError::Mismatch)));
    }
    let reader = store.reader().unwrap();
    assert_eq!((reader.tip().unwrap(), reader.header(1).unwrap()), (Some(0), None), "nothing half-done");
    store.commit(&next, &certificate, &good).unwrap();
    assert_eq!(store.reader().unwrap().tip().unwrap(), Some(1));
}

#[test]
fn a_transaction_is_where_it_ran() {
    let (store, tx) = (started(), B256::repeat_byte(5));
    let refused = || vec![receipt(tx, Status::Refused(Refusal::Sequence))];
    let place = |store: &Store| store.reader().unwrap().locate(&tx).unwrap();
    add(&store, Vec::new(), refused());
    assert_eq!(place(&store), Some((1, 0)));
    add(&store, Vec::new(), refused());
    assert_eq!(place(&store), Some((1, 0)), "where it was first refused, as long as it did not run");
    add(&store, Vec::new(), vec![receipt(B256::ZERO, Status::Success), receipt(tx, Status::Failed)]);
    assert_eq!(place(&store), Some((3, 1)));
    add(&store, Vec::new(), refused());
    assert_eq!(place(&store), Some((3, 1)));
}

#[test]
fn a_bloom_has_every_address_and_topic_of_its_block() {
    let store = started();
    let log =
        |byte| Log { address: Address::repeat_byte(byte), topics: vec![B256::repeat_byte(byte)], data: Bytes::new() };
    let with = |logs| Receipt { logs, ..receipt(B256::ZERO, Status::Success) };
    add(&store, Vec::new(), vec![with(vec![log(1)]), with(vec![log(2)])]);
    add(&store, Vec::new(), Vec::new());
    let reader = store.reader().unwrap();
    let bloom = reader.bloom(1).unwrap();
    for byte in [1, 2] {
        assert!(bloom.contains_raw_log(Address::repeat_byte(byte), &[B256::repeat_byte(byte)]));
    }
    assert!(!bloom.contains_input(BloomInput::Raw(Address::repeat_byte(3).as_slice())));
    assert!(reader.bloom(2).unwrap().is_zero() && reader.bloom(3).unwrap().is_zero());
}

#[test]
fn a_reader_is_a_picture() {
    let store = started();
    add(&store, vec![(Leaf::Chain, Some(vec![1]))], Vec::new());
    let old = store.reader().unwrap();
    let mut pieces = old.leaves(1, usize::MAX).unwrap();
    add(&store, vec![(Leaf::Chain, None)], Vec::new());
    store.prune(2).unwrap();
    assert_eq!(old.tip().unwrap(), Some(1));
    assert_eq!(old.leaf(&Leaf::Chain, 1).unwrap(), Some(vec![1]));
    drop(old);
    assert_eq!(pieces.next().unwrap().unwrap(), [(Leaf::Chain, vec![1])]);
    assert!(pieces.next().is_none());
    assert_eq!(store.reader().unwrap().leaf(&Leaf::Chain, 2).unwrap(), None);
}

#[test]
fn what_the_network_sealed_is_found_by_its_position() {
    let store = Store::create(None, &Genesis::for_tests()).unwrap();
    let sealed = Leaf::Sealed(Address::repeat_byte(1), B256::repeat_byte(2));
    let slot = |number| Leaf::Storage(Address::repeat_byte(3), B256::with_last_byte(number));
    let cell = |marked| borsh::to_vec(&Cell { word: U256::from(5), marked }).unwrap();
    let writes = vec![
        (sealed, Some(vec![2; 40])),
        (slot(1), Some(cell(Some(0)))),
        (slot(2), Some(cell(None))),
        (Leaf::Chain, Some(vec![1])),
    ];
    store.commit_genesis(&outcome(0, writes.clone(), vec![])).unwrap();
    let named = |leaves: &[Leaf], height| {
        let positions: Vec<B256> = leaves.iter().map(Leaf::position).collect();
        store.reader().unwrap().named(&positions, height).unwrap()
    };
    let expected = writes.iter().take(2).map(|(leaf, value)| Some((*leaf, value.clone().unwrap())));
    assert_eq!(named(&[sealed, slot(1), slot(2), Leaf::Chain], 0), expected.chain([None, None]).collect::<Vec<_>>());
    let (block, certificate) = block(1, vec![]);
    let writes = vec![(sealed, None), (slot(1), Some(cell(None))), (slot(2), Some(cell(Some(1))))];
    store.commit(&block, &certificate, &outcome(1, writes, vec![])).unwrap();
    assert_eq!(named(&[sealed, slot(1), slot(2)], 1), [None, None, Some((slot(2), cell(Some(1))))]);
}
