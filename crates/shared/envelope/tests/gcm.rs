//! Our own message form: the bytes of an independent implementation (`vectors/gcm.py`), and everything that must not open.

#![allow(missing_docs, clippy::unwrap_used)]

use alloy_primitives::{Address, B256, U256, hex};
use cloister_envelope::message::gcm::permit::{self, Term};
use cloister_envelope::message::gcm::{self, CallKeys, InputKey, OUTPUT_HEAD_BYTES, OutputPlace, Sealer};
use cloister_envelope::message::{CallContext, Coin, Entry, MAX_PLAIN_BYTES, QueryContext, siv};
use cloister_envelope::{AccountKey, ExchangeKey, MessageError, Secret};
use proptest::prelude::*;
use serde_json::Value;

const SENDER: Address = Address::repeat_byte(0xaa);
const CONTRACT: Address = Address::repeat_byte(0xcc);
const CODE: B256 = B256::repeat_byte(0xc0);
const CHAIN: &str = "golden-1";
const FIRST: OutputPlace = OutputPlace { transaction: B256::repeat_byte(0x22), message: 1, output: 0 };
const REFUSED: Option<MessageError> = Some(MessageError::Refused);

fn key(from: u8) -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes(core::array::from_fn(|index| from + u8::try_from(index).unwrap())))
}

fn client() -> ExchangeKey {
    key(1)
}

fn network() -> ExchangeKey {
    key(101)
}

fn input_key() -> InputKey {
    InputKey { epoch: 7, public: network().public() }
}

fn nonce() -> [u8; 32] {
    core::array::from_fn(|index| 0x40 + u8::try_from(index).unwrap())
}

fn sealer() -> Sealer {
    Sealer::new(&client(), &input_key(), nonce()).unwrap()
}

fn funds() -> [Coin<'static>; 2] {
    [Coin { denom: "uscrt", amount: U256::from(5) }, Coin { denom: "uatom", amount: U256::from(1) << 200 }]
}

fn call<'a>(entry: Entry, funds: &'a [Coin<'a>]) -> CallContext<'a> {
    CallContext { chain_id: CHAIN, sender: SENDER, entry, code_hash: CODE, funds }
}

fn query() -> QueryContext<'static> {
    QueryContext { chain_id: CHAIN, contract: CONTRACT, code_hash: CODE }
}

fn keys() -> CallKeys {
    sealer().call(&call(Entry::Execute(CONTRACT), &[]), b"").unwrap().1
}

#[test]
fn every_ciphertext_is_the_one_that_the_script_made_and_opens() {
    let golden: Value = serde_json::from_str(include_str!("vectors/gcm.json")).unwrap();
    let entry = |name: &str, index: usize| hex::decode(golden[name][index].as_str().unwrap()).unwrap();
    assert_eq!(hex::encode(client().public()), golden["client_public"]);
    assert_eq!(hex::encode(network().public()), golden["network_public"]);
    let funds = funds();
    let calls = [
        ("execute", call(Entry::Execute(CONTRACT), &funds)),
        ("instantiate", call(Entry::Instantiate, &funds)),
        ("migrate_without_funds", call(Entry::Migrate(CONTRACT), &[])),
    ];
    let places =
        [("output_0_of_message_1", FIRST), ("output_3_of_message_0", OutputPlace { message: 0, output: 3, ..FIRST })];
    let count = golden["texts"].as_array().unwrap().len();
    assert_eq!(count, 5);
    for index in 0..count {
        let text = entry("texts", index);
        for (name, context) in &calls {
            let (sealed, client_keys) = sealer().call(context, &text).unwrap();
            assert_eq!(sealed, entry(name, index), "{name} {index}");
            let (enclave_keys, opened) = gcm::open_call(&network(), context, &sealed).unwrap();
            assert_eq!(*opened, text);
            let (later_keys, again) = gcm::reread_call(&client(), &network().public(), context, &sealed).unwrap();
            assert_eq!(*again, text);
            for (name, place) in &places {
                let output = enclave_keys.seal_output(place, &text).unwrap();
                assert_eq!(output, entry(name, index), "{name} {index}");
                assert_eq!(*client_keys.open_output(place, &output).unwrap(), text);
                assert_eq!(*later_keys.open_output(place, &output).unwrap(), text);
            }
        }
        let (estimate, asker) = sealer().estimate(&calls[0].1, &text).unwrap();
        assert_eq!(estimate, entry("estimate_of_execute", index));
        let (answerer, opened) = gcm::open_estimate(&network(), &calls[0].1, &estimate).unwrap();
        assert_eq!(*opened, text);
        let answer = answerer.seal_answer(&text).unwrap();
        assert_eq!(answer, entry("answer_to_estimate", index));
        assert_eq!(*asker.open_answer(&answer).unwrap(), text);

        let (question, asker) = sealer().query(&query(), &text).unwrap();
        assert_eq!(question, entry("query", index));
        let (answerer, opened) = gcm::open_query(&network(), &query(), &question).unwrap();
        assert_eq!(*opened, text);
        let answer = answerer.seal_answer(&text).unwrap();
        assert_eq!(answer, entry("answer", index));
        assert_eq!(*asker.open_answer(&answer).unwrap(), text);
    }
}

#[test]
fn a_message_opens_nowhere_else() {
    let funds = funds();
    let context = call(Entry::Execute(CONTRACT), &funds);
    let (sealed, _) = sealer().call(&context, b"text").unwrap();
    let swapped = [funds[1], funds[0]];
    let renamed = [Coin { denom: "uscr", amount: funds[0].amount }, funds[1]];
    let raised = [Coin { denom: "uscrt", amount: U256::from(6) }, funds[1]];
    let elsewhere = [
        CallContext { chain_id: "golden-2", ..context },
        CallContext { chain_id: "", ..context },
        CallContext { sender: CONTRACT, ..context },
        CallContext { entry: Entry::Execute(SENDER), ..context },
        CallContext { entry: Entry::Migrate(CONTRACT), ..context },
        CallContext { entry: Entry::Instantiate, ..context },
        CallContext { code_hash: B256::ZERO, ..context },
        CallContext { funds: &[], ..context },
        CallContext { funds: &funds[..1], ..context },
        CallContext { funds: &swapped, ..context },
        CallContext { funds: &renamed, ..context },
        CallContext { funds: &raised, ..context },
    ];
    for context in elsewhere {
        assert_eq!(gcm::open_call(&network(), &context, &sealed).err(), REFUSED, "{context:?}");
    }
    assert_eq!(gcm::open_call(&key(50), &context, &sealed).err(), REFUSED, "another network key");
    assert_eq!(gcm::reread_call(&key(50), &network().public(), &context, &sealed).err(), REFUSED, "another client");
    assert_eq!(gcm::reread_call(&client(), &key(50).public(), &context, &sealed).err(), REFUSED);
}

#[test]
fn a_message_names_the_epoch_of_its_key_and_opens_under_no_other_number() {
    let context = call(Entry::Execute(CONTRACT), &[]);
    let (sealed, _) = sealer().call(&context, b"text").unwrap();
    let (question, _) = sealer().query(&query(), b"text").unwrap();
    assert_eq!([&sealed, &question].map(|message| gcm::epoch(message)), [Ok(7), Ok(7)]);
    for message in [sealed, question] {
        let mut renumbered = message.clone();
        renumbered[8] = 8;
        assert_eq!(gcm::epoch(&renumbered), Ok(8));
        assert_eq!(gcm::open_call(&network(), &context, &renumbered).err(), REFUSED);
        assert_eq!(gcm::open_query(&network(), &query(), &renumbered).err(), REFUSED);
        assert_eq!(gcm::reread_call(&client(), &network().public(), &context, &renumbered).err(), REFUSED);
    }
    assert_eq!(gcm::epoch(&[2; 8]), Err(MessageError::Length));
}

#[test]
fn calls_estimates_and_queries_never_pass_for_each_other() {
    let context = call(Entry::Execute(CONTRACT), &[]);
    let (sealed_call, call_keys) = sealer().call(&context, b"text").unwrap();
    let (estimate, estimate_keys) = sealer().estimate(&context, b"text").unwrap();
    let (question, answer_keys) = sealer().query(&query(), b"text").unwrap();
    assert_eq!(gcm::open_call(&network(), &context, &estimate).err(), REFUSED);
    assert_eq!(gcm::open_call(&network(), &context, &question).err(), REFUSED);
    assert_eq!(gcm::open_estimate(&network(), &context, &sealed_call).err(), REFUSED);
    assert_eq!(gcm::open_estimate(&network(), &context, &question).err(), REFUSED);
    assert_eq!(gcm::open_query(&network(), &query(), &sealed_call).err(), REFUSED);
    assert_eq!(gcm::open_query(&network(), &query(), &estimate).err(), REFUSED);
    let (output, answer) = (call_keys.seal_output(&FIRST, b"text").unwrap(), answer_keys.seal_answer(b"text").unwrap());
    assert_eq!(call_keys.open_output(&FIRST, &answer).err(), REFUSED);
    assert_eq!(answer_keys.open_answer(&output).err(), REFUSED);
    let estimated = estimate_keys.seal_answer(b"text").unwrap();
    assert_eq!(answer_keys.open_answer(&estimated).err(), REFUSED);
    assert_eq!(estimate_keys.open_answer(&answer).err(), REFUSED);
    assert_eq!(call_keys.open_output(&FIRST, &estimated).err(), REFUSED);
}

/// A few in every test run; a soak asks for more.
fn crossings() -> u32 {
    std::env::var("CLOISTER_CROSSINGS").map_or(100, |count| count.parse().unwrap())
}

#[test]
fn v11_a_captured_call_is_no_estimate_and_a_captured_estimate_is_no_call() {
    let (funds, alice) = (funds(), AccountKey::from_secret(Secret::from_bytes([1; 32])).unwrap());
    let term = Term { tip: 0, most: u64::MAX };
    for number in 0..crossings() {
        let number = number.to_be_bytes();
        let nonce = *alloy_primitives::keccak256(number);
        let client = ExchangeKey::from_secret(Secret::from_bytes(*alloy_primitives::keccak256(nonce)));
        let entry =
            [Entry::Execute(CONTRACT), Entry::Instantiate, Entry::Migrate(CONTRACT)][usize::from(number[3] % 3)];
        let context = call(entry, &funds[..usize::from(nonce[0] % 3)]);
        let text = nonce.repeat(usize::from(nonce[1] % 20));
        let sealer = || Sealer::new(&client, &input_key(), nonce).unwrap();

        let (captured, _) = sealer().call(&context, &text).unwrap();
        assert_eq!(permit::open_estimate(&network(), &context, &captured, term).err(), REFUSED, "in the AEAD");
        let (captured, _) = sealer().signed_estimate(&context, &alice, 5, &text).unwrap();
        assert_eq!(gcm::open_call(&network(), &context, &captured).err(), REFUSED, "in the AEAD");
        assert_eq!(*permit::open_estimate(&network(), &context, &captured, term).unwrap().1.text, text);
    }
}

#[test]
fn neither_form_opens_the_others_bytes() {
    let context = call(Entry::Execute(CONTRACT), &[]);
    let (ours, _) = sealer().call(&context, b"text").unwrap();
    assert_eq!(siv::open(&network(), &ours).err(), REFUSED);
    let session = siv::Session::of_client(&client(), &network().public(), [2; 32]).unwrap();
    let theirs = session.seal_message(&[b'0'; 256 + 9]).unwrap();
    assert_eq!(gcm::open_call(&network(), &context, &theirs).err(), REFUSED, "even with our version byte and length");
}

#[test]
fn an_output_opens_in_its_own_place_only() {
    let output = keys().seal_output(&FIRST, b"text").unwrap();
    let others = [
        OutputPlace { transaction: B256::ZERO, ..FIRST },
        OutputPlace { message: 0, ..FIRST },
        OutputPlace { output: 1, ..FIRST },
        OutputPlace { message: 0, output: 1, ..FIRST },
    ];
    for place in others {
        assert_eq!(keys().open_output(&place, &output).err(), REFUSED);
        assert_ne!(keys().seal_output(&place, b"text").unwrap()[1..17], output[1..17]);
    }
    let other_nonce = Sealer::new(&client(), &input_key(), [9; 32]).unwrap();
    let (_, other_keys) = other_nonce.call(&call(Entry::Execute(CONTRACT), &[]), b"").unwrap();
    assert_eq!(other_keys.open_output(&FIRST, &output).err(), REFUSED);
}

#[test]
fn the_key_of_one_output_opens_that_output_and_no_other() {
    let second = OutputPlace { output: 1, ..FIRST };
    let outputs = [(FIRST, "shown"), (second, "not shown"), (OutputPlace { message: 0, ..FIRST }, "nor this")];
    let sealed = outputs.map(|(place, text)| keys().seal_output(&place, text.as_bytes()).unwrap());
    let shown = keys().output_key(&FIRST, &sealed[0]).unwrap();
    assert_eq!(*shown.open(&sealed[0]).unwrap(), b"shown");
    assert_eq!(shown.open(&sealed[1]).err(), REFUSED);
    assert_eq!(shown.open(&sealed[2]).err(), REFUSED);
    // Not even another text in the same place, which another fork of the chain may have there.
    let other = keys().seal_output(&FIRST, b"another").unwrap();
    assert_eq!(shown.open(&other).err(), REFUSED);
    assert_eq!(format!("{shown:?}"), "OutputKey([REDACTED])");
    let moved = keys().output_key(&second, &sealed[0]).unwrap();
    assert_eq!(moved.open(&sealed[0]).err(), REFUSED, "nor is a key of another place the one of this");
}

#[test]
fn another_text_in_the_same_place_has_another_key() {
    let [first, again, other] = [b"yes", b"yes", b"no "].map(|text| keys().seal_output(&FIRST, text).unwrap());
    assert_eq!(first, again, "every enclave writes the same");
    assert_ne!(first[1..OUTPUT_HEAD_BYTES], other[1..OUTPUT_HEAD_BYTES]);
    // Under one key and nonce the two ciphertexts would differ where the texts do, and nowhere else.
    let body = |output: &[u8]| output[OUTPUT_HEAD_BYTES..OUTPUT_HEAD_BYTES + 256].to_vec();
    let equal = body(&first).iter().zip(body(&other)).filter(|(a, b)| **a == *b).count();
    assert!(equal < 32, "{equal} of 256 bytes are equal");
}

#[test]
fn only_the_bucket_of_a_text_shows() {
    let lengths = |length: usize| {
        let text = vec![1; length];
        let (message, keys) = sealer().call(&call(Entry::Instantiate, &[]), &text).unwrap();
        (message.len(), keys.seal_output(&FIRST, &text).unwrap().len())
    };
    assert_eq!(lengths(0), (73 + 256 + 16, 17 + 256 + 16));
    assert_eq!(lengths(252), lengths(0));
    assert_eq!(lengths(253), (73 + 512 + 16, 17 + 512 + 16));
    assert_eq!(lengths(MAX_PLAIN_BYTES).0, 73 + (2 << 20) + 16);
    let too_long = vec![0; MAX_PLAIN_BYTES + 1];
    assert_eq!(sealer().call(&call(Entry::Instantiate, &[]), &too_long).err(), Some(MessageError::TooLong));
    assert_eq!(keys().seal_output(&FIRST, &too_long).err(), Some(MessageError::TooLong));
}

#[test]
fn cut_grown_and_renumbered_bytes_are_refused() {
    let context = call(Entry::Instantiate, &[]);
    let (message, keys) = sealer().call(&context, b"text").unwrap();
    let output = keys.seal_output(&FIRST, b"text").unwrap();
    for length in 0..message.len() {
        let refused = gcm::open_call(&network(), &context, &message[..length]).err();
        assert_eq!(refused, Some(MessageError::Length), "{length}");
    }
    for length in 0..output.len() {
        assert_eq!(keys.open_output(&FIRST, &output[..length]).err(), Some(MessageError::Length), "{length}");
    }
    let grown = [message.as_slice(), &[0; 256]].concat();
    assert_eq!(gcm::open_call(&network(), &context, &grown).err(), REFUSED);
    let huge = [message.as_slice(), &vec![0; 4 << 20]].concat();
    assert_eq!(gcm::open_call(&network(), &context, &huge).err(), Some(MessageError::Length));
    for version in [0, 1, 255] {
        let renumbered = [&[version], &message[1..]].concat();
        assert_eq!(gcm::open_call(&network(), &context, &renumbered).err(), Some(MessageError::Version));
    }
}

#[test]
fn a_public_key_of_low_order_is_refused_by_both_sides() {
    let context = call(Entry::Instantiate, &[]);
    let (mut message, _) = sealer().call(&context, b"text").unwrap();
    message[41..73].fill(0);
    assert_eq!(gcm::open_call(&network(), &context, &message).err(), Some(MessageError::PublicKey));
    assert_eq!(
        Sealer::new(&client(), &InputKey { epoch: 7, public: [0; 32] }, nonce()).err(),
        Some(MessageError::PublicKey)
    );
}

#[test]
fn nothing_private_is_printed() {
    assert_eq!(format!("{:?}", keys()), "CallKeys([REDACTED])");
    assert_eq!(format!("{:?}", sealer().query(&query(), b"").unwrap().1), "AnswerKeys([REDACTED])");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_comes_back_and_no_flipped_bit_does(
        secret: [u8; 32], nonce: [u8; 32], text in prop::collection::vec(any::<u8>(), 0..600),
        at: prop::sample::Index, bit in 0_u8..8, message: u64, output: u64,
    ) {
        let client = ExchangeKey::from_secret(Secret::from_bytes(secret));
        let context = call(Entry::Execute(CONTRACT), &[]);
        let sealer = Sealer::new(&client, &input_key(), nonce).unwrap();
        let (mut sealed, client_keys) = sealer.call(&context, &text).unwrap();
        let (enclave_keys, opened) = gcm::open_call(&network(), &context, &sealed).unwrap();
        prop_assert_eq!(&*opened, &text);
        let place = OutputPlace { transaction: B256::ZERO, message, output };
        let mut answer = enclave_keys.seal_output(&place, &text).unwrap();
        prop_assert_eq!(&*client_keys.open_output(&place, &answer).unwrap(), &text);

        let (in_message, in_output) = (at.index(sealed.len()), at.index(answer.len()));
        sealed[in_message] ^= 1 << bit;
        prop_assert!(gcm::open_call(&network(), &context, &sealed).is_err());
        answer[in_output] ^= 1 << bit;
        prop_assert!(client_keys.open_output(&place, &answer).is_err());
    }

    #[test]
    fn any_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..700), shape in 0_usize..3) {
        let mut bytes = bytes;
        if shape > 0 {
            bytes.resize(73 + 256 * shape + 16, 0);
            bytes[0] = 2;
        }
        prop_assert!(gcm::open_call(&network(), &call(Entry::Instantiate, &[]), &bytes).is_err());
        prop_assert!(gcm::open_estimate(&network(), &call(Entry::Instantiate, &[]), &bytes).is_err());
        prop_assert!(gcm::open_query(&network(), &query(), &bytes).is_err());
        prop_assert!(keys().open_output(&FIRST, &bytes).is_err());
    }
}
