//! What the rest of the network relies on when it draws keys.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256};
use cloister_keys::{Keys, MAX_SEALED_BYTES, Purpose, ROOTS_BYTES, Roots, SealError, SealingKey, Seed, TxKeys};
use proptest::prelude::*;

const PARENT: B256 = B256::repeat_byte(1);
const TX: B256 = B256::repeat_byte(2);

fn roots(chain_id: &str, fill: u8) -> Roots {
    Roots::found(chain_id, Seed::from_bytes([fill; 32]))
}

fn keys() -> Keys {
    Keys::new("test-1", roots("test-1", 7))
}

fn sealing_key() -> SealingKey {
    SealingKey::from_bytes("test-1", [9; 32])
}

fn draw_everything(mut tx: TxKeys) -> Vec<U256> {
    let mut drawn = vec![tx.handle(), tx.random(), U256::from_be_slice(&tx.salt())];
    let onboarding = tx.onboarding();
    drawn.push(onboarding.share.expose(|share| U256::from_be_slice(share)));
    drawn.extend(onboarding.coins.iter().map(|coins| coins.expose(|coins| U256::from_be_bytes(*coins))));
    drawn
}

#[test]
fn two_enclaves_with_the_same_roots_draw_the_same() {
    assert_eq!(draw_everything(keys().transaction(5, PARENT, TX)), draw_everything(keys().transaction(5, PARENT, TX)));
    assert_eq!(keys().user_key(Address::ZERO), keys().user_key(Address::ZERO));
    assert_eq!(keys().beacon(PARENT), keys().beacon(PARENT));
}

#[test]
fn no_two_transactions_branches_heights_queries_or_chains_share_a_value() {
    let other_chain = Keys::new("test-2", roots("test-2", 7));
    let other_seed = Keys::new("test-1", roots("test-1", 8));
    let drawn: Vec<U256> = [
        keys().transaction(5, PARENT, TX),
        keys().transaction(6, PARENT, TX),
        keys().transaction(5, TX, PARENT),
        keys().transaction(5, PARENT, PARENT),
        keys().query(TX),
        keys().query(PARENT),
        other_chain.transaction(5, PARENT, TX),
        other_seed.transaction(5, PARENT, TX),
        keys().next_epoch(&B256::ZERO).transaction(5, PARENT, TX),
    ]
    .into_iter()
    .flat_map(draw_everything)
    .collect();
    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
}

#[test]
fn what_one_transaction_draws_never_repeats() {
    let mut tx = keys().transaction(5, PARENT, TX);
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        assert!(seen.insert(tx.handle()) && seen.insert(tx.random()) && seen.insert(U256::from_be_slice(&tx.salt())));
        let onboarding = tx.onboarding();
        assert!(onboarding.coins[0] != onboarding.coins[1]);
        assert!(onboarding.coins.iter().all(|coins| seen.insert(coins.expose(|coins| U256::from_be_bytes(*coins)))));
        assert!(seen.insert(onboarding.share.expose(|share| U256::from_be_slice(share))));
    }
}

#[test]
fn one_kind_of_draw_does_not_move_another() {
    let mut busy = keys().transaction(5, PARENT, TX);
    for _ in 0..10 {
        busy.handle();
        busy.random();
        busy.onboarding();
    }
    assert_eq!(busy.salt(), keys().transaction(5, PARENT, TX).salt());
}

#[test]
fn a_handle_is_never_a_number_that_a_contract_could_guess() {
    let mut tx = keys().transaction(5, PARENT, TX);
    assert!((0..1000).all(|_| tx.handle() >= U256::from(1) << 128));
}

#[test]
fn user_keys_outlive_an_epoch_and_network_keys_do_not() {
    let (address, r) = (Address::repeat_byte(3), [4; 16]);
    let (before, after) = (keys(), keys().next_epoch(&B256::repeat_byte(5)));
    assert_eq!((before.epoch(), after.epoch()), (0, 1));
    assert_eq!(before.user_key(address), after.user_key(address));
    let sealed = before.network_cipher(address, 0).unwrap().seal(r, 5);
    assert_eq!(before.network_cipher(address, 0).unwrap().open(sealed), 5);
    assert_ne!(after.network_cipher(address, 1).unwrap().open(sealed), 5);
    assert_eq!(after.network_cipher(address, 0).unwrap().open(sealed), 5, "while it retires");
    assert!(after.retired().network_cipher(address, 0).is_none() && before.network_cipher(address, 1).is_none());
    assert_ne!(after.beacon(PARENT), keys().next_epoch(&B256::repeat_byte(6)).beacon(PARENT));
}

#[test]
fn roots_step_on_as_keys_do_and_what_is_erased_is_gone() {
    let randomness = [1, 2, 3].map(B256::repeat_byte);
    let (mut keys, mut stepped) = (keys(), roots("test-1", 7));
    for (epoch, randomness) in (1..).zip(&randomness) {
        (keys, stepped) = (keys.next_epoch(randomness), stepped.step("test-1", randomness));
        assert_eq!((keys.roots(), stepped.epoch(), keys.oldest_epoch()), (clone(&stepped), epoch, epoch - 1));
        assert_eq!(Keys::new("test-1", clone(&stepped)).input_public(), keys.input_public());
    }
    assert!(stepped.is_retiring());
    let retired = keys.retired();
    assert_eq!((retired.roots(), retired.oldest_epoch()), (clone(&stepped).retire(), 3));
    assert!(!retired.roots().is_retiring());
    let (before, after) = (stepped.to_bytes(), retired.roots().to_bytes());
    assert_ne!(before[64..96], [0; 32]);
    assert_eq!(after[64..96], [0; 32]);
    assert!(!after.windows(32).any(|window| *window == before[64..96]));
}

fn clone(roots: &Roots) -> Roots {
    Roots::from_bytes(&roots.to_bytes()).unwrap()
}

#[test]
fn one_address_as_user_and_as_contract_has_different_keys() {
    let (address, r) = (Address::repeat_byte(3), [4; 16]);
    let sealed = keys().network_cipher(address, 0).unwrap().seal(r, 5);
    assert_ne!(keys().user_cipher(address).open(sealed), 5);
    assert_ne!(keys().network_cipher(Address::ZERO, 0).unwrap().open(sealed), 5);
    assert_ne!(keys().user_key(address), keys().user_key(Address::ZERO));
}

#[test]
fn nothing_that_holds_a_key_prints_it() {
    assert_eq!(format!("{:?}", Seed::from_bytes([7; 32])), "Seed([REDACTED])");
    assert_eq!(format!("{:?}", keys().roots()), "Roots([REDACTED])");
    assert_eq!(format!("{:?}", keys()), "Keys([REDACTED])");
    assert_eq!(format!("{:?}", keys().query(TX)), "TxKeys([REDACTED])");
    assert_eq!(format!("{:?}", keys().network_cipher(Address::ZERO, 0).unwrap()), "NetworkCipher([REDACTED])");
    assert_eq!(format!("{:?}", sealing_key()), "SealingKey([REDACTED])");
    let onboarding = format!("{:?}", keys().query(TX).onboarding());
    assert_eq!(onboarding, "Onboarding { share: [REDACTED], coins: [[REDACTED], [REDACTED]] }");
}

#[test]
fn a_blob_opens_for_its_machine_chain_purpose_and_context_only() {
    let blob = sealing_key().seal(Purpose::Checkpoint, b"height 7", &[5; 32]).unwrap();
    assert_eq!(sealing_key().open(Purpose::Checkpoint, b"height 7", &blob).unwrap()[..], [5; 32]);
    let refused = Some(SealError::Refused);
    assert_eq!(sealing_key().open(Purpose::Checkpoint, b"height 8", &blob).err(), refused);
    assert_eq!(sealing_key().open_roots(b"height 7", &blob).err(), refused);
    assert_eq!(SealingKey::from_bytes("test-2", [9; 32]).open(Purpose::Checkpoint, b"height 7", &blob).err(), refused);
    assert_eq!(SealingKey::from_bytes("test-1", [8; 32]).open(Purpose::Checkpoint, b"height 7", &blob).err(), refused);
}

#[test]
fn a_blob_of_another_version_length_or_content_is_refused() {
    let key = sealing_key();
    let mut blob = key.seal(Purpose::Roots, b"", &[5; ROOTS_BYTES - 1]).unwrap();
    assert_eq!(key.open_roots(b"", &blob), Err(SealError::RootsLength));
    for length in 0..blob.len() {
        assert_eq!(key.open_roots(b"", &blob[..length]), Err(SealError::Refused));
    }
    blob[0] = 2;
    assert_eq!(key.open_roots(b"", &blob), Err(SealError::Version));
    assert_eq!(key.seal(Purpose::Checkpoint, b"", &vec![0; MAX_SEALED_BYTES + 1]), Err(SealError::TooLong));
    assert_eq!(key.open_roots(b"", &[1; MAX_SEALED_BYTES + 18]), Err(SealError::TooLong));
}

proptest! {
    #[test]
    fn a_blob_comes_back_and_no_flipped_bit_does(plain: Vec<u8>, context: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8) {
        let key = sealing_key();
        let mut blob = key.seal(Purpose::Checkpoint, &context, &plain).unwrap();
        prop_assert_eq!(&*key.open(Purpose::Checkpoint, &context, &blob).unwrap(), &plain);
        let at = at.index(blob.len());
        blob[at] ^= 1 << bit;
        prop_assert!(key.open(Purpose::Checkpoint, &context, &blob).is_err());
    }

    #[test]
    fn network_cells_open_to_the_same_value(contract: [u8; 20], r: [u8; 16], plain: u128) {
        let cipher = keys().network_cipher(contract.into(), 0).unwrap();
        prop_assert_eq!(cipher.open(cipher.seal(r, plain)), plain);
    }
}
