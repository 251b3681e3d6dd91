//! What contracts of the WASM side rely on: messages for the network, and state that only its enclaves read.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use cloister_envelope::message::gcm::Sealer;
use cloister_envelope::message::gcm::permit::Term;
use cloister_envelope::message::{CallContext, Coin, Entry, QueryContext, siv};
use cloister_envelope::{AccountKey, ExchangeKey, MessageError, Secret};
use cloister_keys::{Keys, MAX_VALUE_BYTES, Roots, Seed, StateError, StateKeys, WritePlace};
use proptest::prelude::*;

const CONTRACT: Address = Address::repeat_byte(0xcc);
const OTHER: Address = Address::repeat_byte(0xdd);
const HEADER: B256 = B256::repeat_byte(1);
const PLACE: WritePlace = WritePlace { height: 5, header_hash: HEADER, transaction: 0, write: 0 };

fn keys_of(chain_id: &str) -> Keys {
    Keys::new(chain_id, Roots::found(chain_id, Seed::from_bytes([7; 32])))
}

fn keys() -> Keys {
    keys_of("test-1")
}

fn later() -> Keys {
    keys().next_epoch(&B256::repeat_byte(5))
}

fn state() -> StateKeys {
    keys().contract_state(CONTRACT)
}

fn client() -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes([3; 32]))
}

fn call() -> CallContext<'static> {
    let entry = Entry::Execute(CONTRACT);
    CallContext { chain_id: "test-1", sender: OTHER, entry, code_hash: B256::ZERO, funds: &[] }
}

#[test]
fn a_wallet_of_secret_network_seals_for_ever_to_one_key() {
    let session = siv::Session::of_client(&client(), &keys().io_public(), [1; 32]).unwrap();
    let message = session.seal_message(&[b'0'; 70]).unwrap();
    for keys in [keys(), later()] {
        let (answering, opened) = keys.open_siv(&message).unwrap();
        assert_eq!(opened.as_slice(), [b'0'; 70]);
        let output = answering.seal(b"text").unwrap();
        assert_eq!(session.open(&output).unwrap().as_slice(), b"text");
        let replying = keys.siv_session(message.first_chunk().unwrap()).unwrap();
        assert_eq!(replying.seal(b"text").unwrap(), output);
    }
}

#[test]
fn our_own_form_is_for_one_epoch() {
    let sealer = || Sealer::new(&client(), &keys().input_key(), [1; 32]).unwrap();
    let (message, _) = sealer().call(&call(), b"text").unwrap();
    assert_eq!(keys().open_call(&call(), &message, false).unwrap().1.as_slice(), b"text");
    let over = Some(MessageError::Epoch { sealed: 0, current: 1 });
    assert_eq!(later().open_call(&call(), &message, false).err(), over);
    assert_eq!(later().open_call(&call(), &message, true).unwrap().1.as_slice(), b"text", "in the time of grace");
    assert_eq!(later().retired().open_call(&call(), &message, true).err(), over, "there is no key any more");
    let term = Term { tip: 5, most: 0 };
    assert_eq!(keys().open_estimate(&call(), &message, false, term).err(), Some(MessageError::Refused));
    let (early, _) = Sealer::new(&client(), &later().input_key(), [1; 32]).unwrap().call(&call(), b"").unwrap();
    assert_eq!(keys().open_call(&call(), &early, true).err(), Some(MessageError::Epoch { sealed: 1, current: 0 }));

    let account = AccountKey::from_secret(Secret::from_bytes([1; 32])).unwrap();
    let (estimate, asker) = sealer().signed_estimate(&call(), &account, 5, b"text").unwrap();
    let (answerer, asked) = keys().open_estimate(&call(), &estimate, false, term).unwrap();
    assert_eq!((asked.text.as_slice(), asked.reader), (&b"text"[..], account.public_key()));
    assert_eq!(asker.open_answer(&answerer.seal_answer(b"5").unwrap()).unwrap().as_slice(), b"5");

    let context = QueryContext { chain_id: "test-1", contract: CONTRACT, code_hash: B256::ZERO };
    let (question, asker) = sealer().signed_query(&context, &account, 5, b"text").unwrap();
    let (answerer, _) = keys().open_query(&context, &question, false, term).unwrap();
    assert_eq!(asker.open_answer(&answerer.seal_answer(b"5").unwrap()).unwrap().as_slice(), b"5");
}

#[test]
fn the_network_has_another_key_pair_for_every_use() {
    let pairs = |keys: &Keys| [keys.io_public(), keys.input_public(), keys.seed_exchange().public()];
    let (now, then) = (pairs(&keys()), pairs(&later()));
    assert_eq!(now.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!((now[0], now[2]), (then[0], then[2]));
    assert_ne!(now[1], then[1]);
    // A message sealed to one of them in one form never reaches the other form.
    let to_input = siv::Session::of_client(&client(), &keys().input_public(), [1; 32]).unwrap();
    let message = to_input.seal_message(&[b'0'; 70]).unwrap();
    assert_eq!(keys().open_siv(&message).err(), Some(MessageError::Refused));
}

#[test]
fn a_contracts_call_is_known_by_its_signature_in_its_epoch() {
    let funds = [Coin { denom: "uscrt", amount: U256::from(5) }];
    let signature = keys().callback_signature(b"message", &funds);
    assert!(keys().is_callback(b"message", &funds, signature.as_slice()));
    assert!(!keys().is_callback(b"message", &[], signature.as_slice()));
    assert!(!keys().is_callback(b"message", &funds, &[]));
    assert!(!later().is_callback(b"message", &funds, signature.as_slice()));
}

#[test]
fn no_two_calls_are_given_one_random_number() {
    let drawn = [
        keys().contract_random(HEADER, CONTRACT, 0),
        keys().contract_random(HEADER, CONTRACT, 1),
        keys().contract_random(HEADER, OTHER, 0),
        keys().contract_random(B256::ZERO, CONTRACT, 0),
        later().contract_random(HEADER, CONTRACT, 0),
    ];
    let distinct: BTreeSet<[u8; 32]> = drawn.iter().map(|random| random.expose(|bytes| *bytes)).collect();
    assert_eq!(distinct.len(), drawn.len());
    assert_eq!(drawn[0], keys().contract_random(HEADER, CONTRACT, 0));
}

#[test]
fn a_value_opens_in_its_own_entry_contract_epoch_and_chain_only() {
    let name = state().name(b"key");
    let sealed = state().seal(name, &PLACE, b"value").unwrap();
    assert_eq!(state().open(name, &sealed).unwrap().as_slice(), b"value");
    for other in [keys().contract_state(OTHER), keys_of("test-2").contract_state(CONTRACT)] {
        assert_eq!(other.open(name, &sealed), Err(StateError::Refused));
        assert_ne!(other.name(b"key"), name);
    }
    let [retiring, retired] = [later(), later().retired()].map(|keys| keys.contract_state(CONTRACT));
    assert_eq!(retiring.name(b"key"), name, "an entry keeps its place when it is sealed again");
    assert_eq!(retiring.open(name, &sealed).unwrap().as_slice(), b"value");
    assert_eq!(retired.open(name, &sealed), Err(StateError::Epoch));
    let again = retiring.seal(name, &PLACE, b"value").unwrap();
    assert_eq!(state().open(name, &again), Err(StateError::Epoch), "of an epoch still to come");
    for (keys, mut value) in [(state(), again), (retiring, sealed.clone())] {
        value[8] ^= 1;
        assert_eq!(keys.open(name, &value), Err(StateError::Refused), "the epoch is bound");
    }
    assert_eq!(state().open(state().name(b"another"), &sealed), Err(StateError::Refused));
}

#[test]
fn writing_a_value_again_never_looks_the_same() {
    let name = state().name(b"key");
    let places = [
        PLACE,
        WritePlace { write: 1, ..PLACE },
        WritePlace { transaction: 1, ..PLACE },
        WritePlace { height: 6, ..PLACE },
        WritePlace { header_hash: B256::ZERO, ..PLACE },
    ];
    let sealed: BTreeSet<_> = places.iter().map(|place| state().seal(name, place, b"value").unwrap()).collect();
    assert_eq!(sealed.len(), places.len());
    let nonces: BTreeSet<_> = sealed.iter().map(|value| &value[9..21]).collect();
    assert_eq!(nonces.len(), places.len());
    assert_eq!(
        state().seal(name, &PLACE, b"value"),
        state().seal(name, &PLACE, b"value"),
        "every enclave writes the same"
    );
}

#[test]
fn only_the_bucket_of_a_value_shows() {
    let name = state().name(b"key");
    let length = |value: usize| state().seal(name, &PLACE, &vec![1; value]).map(|sealed| sealed.len());
    assert_eq!(length(0), Ok(1 + 8 + 12 + 32 + 16));
    assert_eq!(length(28), length(0));
    assert_eq!(length(29), Ok(1 + 8 + 12 + 64 + 16));
    assert_eq!(length(MAX_VALUE_BYTES), Ok(1 + 8 + 12 + (512 << 10) + 16));
    assert_eq!(length(MAX_VALUE_BYTES + 1), Err(StateError::TooLong));
}

#[test]
fn cut_and_renumbered_values_are_refused() {
    let name = state().name(b"key");
    let sealed = state().seal(name, &PLACE, b"value").unwrap();
    for length in 0..sealed.len() {
        assert_eq!(state().open(name, &sealed[..length]), Err(StateError::Length), "{length}");
    }
    let doubled = [sealed.as_slice(), &[0; 32]].concat();
    assert_eq!(state().open(name, &doubled), Err(StateError::Refused));
    assert_eq!(state().open(name, &vec![2; 2 << 20]), Err(StateError::Length));
    let renumbered = [&[1], &sealed[1..]].concat();
    assert_eq!(state().open(name, &renumbered), Err(StateError::Version));
}

#[test]
fn state_keys_print_nothing() {
    assert_eq!(format!("{:?}", state()), "StateKeys([REDACTED])");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_sealed_map_is_the_map(writes in prop::collection::vec((0_u8..4, prop::collection::vec(any::<u8>(), 0..80)), 0..12)) {
        let (mut sealed, mut plain) = (BTreeMap::new(), BTreeMap::new());
        for (write, (key, value)) in (0..).zip(writes) {
            let name = state().name(&[key]);
            sealed.insert(name, state().seal(name, &WritePlace { write, ..PLACE }, &value).unwrap());
            plain.insert(key, value);
        }
        prop_assert_eq!(sealed.len(), plain.len());
        for (key, value) in &plain {
            let name = state().name(&[*key]);
            prop_assert_eq!(&*state().open(name, &sealed[&name]).unwrap(), value);
        }
    }

    #[test]
    fn no_flipped_bit_opens(value: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8) {
        let name = state().name(b"key");
        let mut sealed = state().seal(name, &PLACE, &value).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(state().open(name, &sealed).is_err());
    }

    #[test]
    fn any_bytes_end_in_an_answer(mut bytes in prop::collection::vec(any::<u8>(), 0..200), shaped: bool) {
        if shaped {
            bytes.resize(1 + 8 + 12 + 64 + 16, 0);
            bytes[..9].copy_from_slice(&[2, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        prop_assert!(state().open(B256::ZERO, &bytes).is_err());
    }
}

/// `CLOISTER_WRITES` says how many.
#[test]
fn v13_no_nonce_meets_two_values_however_many_are_written() {
    let writes = std::env::var("CLOISTER_WRITES").map_or(20_000, |number| number.parse::<u64>().unwrap());
    let contracts = [CONTRACT, OTHER].map(|contract| keys().contract_state(contract));
    let names: Vec<B256> = (0..16_u8).map(|number| state().name(&[number])).collect();
    // Every height is decided twice, by blocks that compete, and each writes everything once: what a fork or a clone executes.
    let write = |number: u64| {
        let (contract, number) = (number % 2, number / 2);
        let (rival, number) = (number % 2, number / 2);
        let (name, number) = (number % 16, number / 16);
        let place = WritePlace {
            height: number / 64,
            header_hash: B256::from(U256::from(2 * (number / 64) + rival)),
            transaction: number / 8 % 8,
            write: number % 8,
        };
        let name = names[usize::try_from(name).unwrap()];
        contracts[usize::try_from(contract).unwrap()].seal(name, &place, &number.to_be_bytes()).unwrap()
    };
    let nonce = |sealed: &[u8]| -> [u8; 12] { *sealed[9..].first_chunk().unwrap() };
    let mut nonces: Vec<[u8; 12]> = (0..writes).map(|number| nonce(&write(number))).collect();
    nonces.sort_unstable();
    assert!(nonces.windows(2).all(|pair| pair[0] != pair[1]));
    for number in (0..writes).step_by(1_009) {
        assert_eq!(write(number), write(number), "executed again it is the same");
    }
}
