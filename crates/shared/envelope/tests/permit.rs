//! Who asks has signed for exactly that: the bytes of an independent implementation (`vectors/gcm.py`), and what is no permit.

#![allow(missing_docs, clippy::unwrap_used)]

use alloy_primitives::{Address, B256, U256, hex};
use cloister_envelope::message::gcm::permit::{self, PERMIT_BYTES, Term};
use cloister_envelope::message::gcm::{InputKey, Sealer};
use cloister_envelope::message::{CallContext, Coin, Entry, QueryContext};
use cloister_envelope::{AccountKey, ExchangeKey, MessageError, Secret};
use serde_json::Value;

const CONTRACT: Address = Address::repeat_byte(0xcc);
const QUERY: QueryContext<'static> =
    QueryContext { chain_id: "golden-1", contract: CONTRACT, code_hash: B256::repeat_byte(0xc0) };
const LAST: u64 = 258;
const NOW: Term = Term { tip: LAST, most: 10 };

fn key(from: u8) -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes(core::array::from_fn(|index| from + u8::try_from(index).unwrap())))
}

fn network() -> ExchangeKey {
    key(101)
}

fn sealer_of(client: &ExchangeKey, nonce: u8) -> Sealer {
    let nonce = core::array::from_fn(|index| nonce + u8::try_from(index).unwrap());
    Sealer::new(client, &InputKey { epoch: 7, public: network().public() }, nonce).unwrap()
}

fn sealer() -> Sealer {
    sealer_of(&key(1), 0x40)
}

fn reader() -> AccountKey {
    AccountKey::from_secret(Secret::from_bytes([0x77; 32])).unwrap()
}

/// What stands inside a signed question.
fn signed(sealer: Sealer, context: &QueryContext<'_>, last: u64, question: &[u8]) -> Vec<u8> {
    let (message, _) = sealer.signed_query(context, &reader(), last, question).unwrap();
    cloister_envelope::message::gcm::open_query(&network(), context, &message).unwrap().1.to_vec()
}

/// What an enclave says to these bytes inside a question to `QUERY`.
fn told(inside: &[u8], term: Term) -> Option<MessageError> {
    let (message, _) = sealer().query(&QUERY, inside).unwrap();
    permit::open_query(&network(), &QUERY, &message, term).err()
}

#[test]
fn every_permit_is_the_one_that_the_script_made_and_opens() {
    let golden: Value = serde_json::from_str(include_str!("vectors/gcm.json")).unwrap();
    let entry = |name: &str, index: usize| hex::decode(golden[name][index].as_str().unwrap()).unwrap();
    assert_eq!((&golden["reader_private"], &golden["last_height"]), (&hex::encode([0x77; 32]).into(), &LAST.into()));
    let funds = [Coin { denom: "uscrt", amount: U256::from(5) }, Coin { denom: "uatom", amount: U256::from(1) << 200 }];
    let (chain_id, code_hash) = (QUERY.chain_id, QUERY.code_hash);
    let (sender, execute) = (Address::repeat_byte(0xaa), Entry::Execute(CONTRACT));
    let call = CallContext { chain_id, sender, entry: execute, code_hash, funds: &funds };
    for index in 0..golden["texts"].as_array().unwrap().len() {
        let text = entry("texts", index);
        let (question, _) = sealer().signed_query(&QUERY, &reader(), LAST, &text).unwrap();
        assert_eq!(question, entry("signed_query", index));
        let (_, asked) = permit::open_query(&network(), &QUERY, &question, NOW).unwrap();
        assert_eq!((asked.reader, &*asked.text), (reader().public_key(), &text));

        let (estimate, _) = sealer().signed_estimate(&call, &reader(), LAST, &text).unwrap();
        assert_eq!(estimate, entry("signed_estimate_of_execute", index));
        let (_, asked) = permit::open_estimate(&network(), &call, &estimate, NOW).unwrap();
        assert_eq!((asked.reader, &*asked.text), (reader().public_key(), &text));
    }
}

#[test]
fn v09_a_permit_is_for_one_message_to_one_contract_of_one_chain() {
    let question = b"who am I";
    assert_eq!(told(&signed(sealer(), &QUERY, LAST, question), NOW), None);
    let elsewhere = [
        ("another chain", QueryContext { chain_id: "golden-2", ..QUERY }),
        ("another contract", QueryContext { contract: Address::ZERO, ..QUERY }),
        ("other code", QueryContext { code_hash: B256::ZERO, ..QUERY }),
    ];
    for (what, context) in elsewhere {
        assert_eq!(told(&signed(sealer(), &context, LAST, question), NOW), Some(MessageError::Permit), "{what}");
    }
    let other_key = signed(sealer_of(&key(2), 0x40), &QUERY, LAST, question);
    let other_nonce = signed(sealer_of(&key(1), 0x41), &QUERY, LAST, question);
    for (what, inside) in [("another answer key", other_key), ("another nonce", other_nonce)] {
        assert_eq!(told(&inside, NOW), Some(MessageError::Permit), "{what}");
    }
    let other_question = [&signed(sealer(), &QUERY, LAST, b"who are you")[..PERMIT_BYTES], question].concat();
    assert_eq!(told(&other_question, NOW), Some(MessageError::Permit), "another question");

    let entry = Entry::Execute(CONTRACT);
    let (chain_id, code_hash) = (QUERY.chain_id, QUERY.code_hash);
    let call = CallContext { chain_id, sender: CONTRACT, entry, code_hash, funds: &[] };
    let (estimate, _) = sealer().signed_estimate(&call, &reader(), LAST, question).unwrap();
    let (_, inside) = cloister_envelope::message::gcm::open_estimate(&network(), &call, &estimate).unwrap();
    assert_eq!(told(&inside, NOW), Some(MessageError::Permit), "an estimate's");
}

#[test]
fn v09_a_permit_ends_and_none_is_for_ever() {
    let inside = signed(sealer(), &QUERY, LAST, b"");
    let at = |tip| told(&inside, Term { tip, ..NOW });
    assert_eq!([LAST - 10, LAST - 1, LAST].map(at), [None; 3]);
    assert_eq!([LAST + 1, u64::MAX, LAST - 11, 0].map(at), [Some(MessageError::Permit); 4]);
    assert_eq!(told(&signed(sealer(), &QUERY, u64::MAX, b""), NOW), Some(MessageError::Permit));
}

#[test]
fn v09_what_nobody_signed_is_refused() {
    let inside = signed(sealer(), &QUERY, LAST, b"text");
    assert_eq!(inside.len(), PERMIT_BYTES + 4);
    for length in 0..inside.len() {
        assert_eq!(told(&inside[..length], NOW), Some(MessageError::Permit), "{length}");
    }
    for at in 0..inside.len() {
        let mut changed = inside.clone();
        changed[at] ^= 1;
        assert_eq!(told(&changed, NOW), Some(MessageError::Permit), "byte {at}");
    }
    let unsigned = [&[0; PERMIT_BYTES - 8], &LAST.to_be_bytes()[..], b"text"].concat();
    assert_eq!(told(&unsigned, NOW), Some(MessageError::Permit));
    assert_eq!(told(b"{\"get_count\":{}}", NOW), Some(MessageError::Permit));
}

#[test]
fn the_twin_with_the_high_s_is_no_permit() {
    let mut inside = signed(sealer(), &QUERY, LAST, b"text");
    let order = U256::from_be_bytes(hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
    let s = U256::from_be_slice(&inside[32..64]);
    inside[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
    assert_eq!(told(&inside, NOW), Some(MessageError::Permit));
}
