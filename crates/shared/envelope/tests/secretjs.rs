//! What secret.js wrote, we read, and what we write is the same bytes: `vectors/secret.json`.

#![allow(missing_docs, clippy::unwrap_used)]

use alloy_primitives::{B256, U256, hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use cloister_envelope::message::plain::MAX_REPLIES;
use cloister_envelope::message::{Coin, MAX_PLAIN_BYTES, Plaintext, ReplyTo, callback, siv};
use cloister_envelope::{ExchangeKey, MessageError, Secret};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/secret.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

fn array(value: &Value) -> [u8; 32] {
    bytes(value).try_into().unwrap()
}

fn hash(value: &Value) -> B256 {
    array(value).into()
}

fn client() -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes(array(&vectors()["tx_encryption"]["client_encryption_seed"])))
}

fn network() -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes(array(&vectors()["tx_encryption"]["io_private_scalar_bytes"])))
}

fn session() -> siv::Session {
    let nonce = array(&vectors()["tx_encryption"]["nonce"]);
    siv::Session::of_client(&client(), &network().public(), nonce).unwrap()
}

#[test]
fn the_key_pairs_are_those_of_secretjs() {
    let vectors = vectors();
    assert_eq!(client().public(), array(&vectors["tx_encryption"]["client_pubkey"]));
    assert_eq!(network().public(), array(&vectors["tx_encryption"]["io_public"]));
    for schedule in vectors["key_schedule"].as_array().unwrap() {
        for key in ["io_exchange", "seed_exchange"] {
            let number = if key == "io_exchange" { 2 } else { 1 };
            let private = array(&schedule[format!("{key}_private({number})")]);
            let pair = ExchangeKey::from_secret(Secret::from_bytes(private));
            assert_eq!(pair.public(), array(&schedule[format!("{key}_public")]));
            assert_eq!(BASE64.encode(pair.public()), schedule[format!("{key}_public_b64")]);
        }
    }
}

#[test]
fn a_message_is_sealed_byte_for_byte_as_secretjs_does_and_opens() {
    let vector = &vectors()["tx_encryption"];
    let (code_hash, message) = (hash(&vector["code_hash"]), text(&vector["msg_json"]));
    let plaintext = Plaintext::of_user(code_hash, message.as_bytes());
    assert_eq!(plaintext.to_bytes().as_slice(), text(&vector["plaintext_utf8"]).as_bytes());

    let sealed = session().seal_message(&plaintext.to_bytes()).unwrap();
    assert_eq!(sealed, bytes(&vector["encrypted_msg"]));
    assert_eq!(BASE64.encode(&sealed), vector["encrypted_msg_b64"]);

    let (_, opened) = siv::open(&network(), &sealed).unwrap();
    assert_eq!(Plaintext::parse(&opened), Ok(plaintext));
}

#[test]
fn the_transactions_that_secretjs_signs_carry_that_message() {
    let vectors = vectors();
    let sealed = bytes(&vectors["tx_encryption"]["encrypted_msg"]);
    for transaction in ["direct_execute", "amino_execute"] {
        let raw = bytes(&vectors[transaction]["tx_raw"]);
        assert!(raw.windows(sealed.len()).any(|window| window == sealed), "{transaction}");
    }
    assert!(text(&vectors["amino_execute"]["sign_bytes_utf8"]).contains(&BASE64.encode(&sealed)));
}

#[test]
fn outputs_are_what_secretjs_decrypts() {
    let vectors = vectors();
    let outputs = vectors["output_encryption"].as_object().unwrap();
    assert_eq!(outputs.len(), 6);
    for (name, output) in outputs {
        let (plain, sealed) = (text(&output["plaintext"]).as_bytes(), text(&output["ciphertext_b64"]));
        let enclave = siv::Session::of_message(&network(), session().head()).unwrap();
        assert_eq!(enclave.seal_text(None, plain).unwrap(), sealed, "{name}");
        assert_eq!(session().open(&BASE64.decode(sealed).unwrap()).unwrap().as_slice(), plain, "{name}");
    }
}

#[test]
fn the_query_that_secretjs_sent_opens_and_its_answer_is_known() {
    let vectors = vectors();
    let trace = &vectors["http_traces_secretjs"]["trace_query"];
    let url = text(&trace["requests"][0]["url"]);
    let query = url.split_once("query=").unwrap().1.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let (session, opened) = siv::open(&network(), &BASE64.decode(query).unwrap()).unwrap();
    let question = Plaintext::parse(&opened).unwrap();
    assert!(question.replies.is_empty());
    assert!(serde_json::from_slice::<Value>(question.message).unwrap().is_object());

    let answer = &vectors["output_encryption"]["query_result_b64"];
    let sealed = session.seal_text(None, BASE64.encode(trace["result"].to_string()).as_bytes());
    assert_eq!(sealed.unwrap(), text(&answer["ciphertext_b64"]));
}

#[test]
fn a_contracts_call_carries_reply_headers() {
    let vector = &vectors()["submessage_plaintext_with_reply_header"];
    let plaintext = Plaintext {
        code_hash: hash(&vector["callee_code_hash"]),
        replies: vec![ReplyTo {
            id: vector["sub_msg_id"].as_u64().unwrap(),
            code_hash: hash(&vector["caller_code_hash"]),
        }],
        message: text(&vector["msg"]).as_bytes(),
    };
    let written = plaintext.to_bytes();
    assert_eq!(written.as_slice(), bytes(&vector["plaintext_hex"]));
    assert_eq!(Plaintext::parse(&written), Ok(plaintext));
    assert_eq!(session().seal(&written).unwrap(), bytes(&vector["ciphertext_hex"]));
}

#[test]
fn a_result_for_a_waiting_contract_stands_behind_its_code_hash() {
    let to = ReplyTo { id: 7, code_hash: B256::repeat_byte(0xab) };
    let sealed = session().seal_result(Some(&to), b"text").unwrap();
    assert_eq!(session().open(&sealed).unwrap().as_slice(), ["ab".repeat(32).as_bytes(), b"text"].concat());
    assert_eq!(session().open_result(Some(to.code_hash), &sealed).unwrap().as_slice(), b"text");
    assert_eq!(session().open_result(Some(B256::ZERO), &sealed), Err(MessageError::CodeHash));
    assert_eq!(
        session().open_result(None, &session().seal_result(None, b"text").unwrap()).unwrap().as_slice(),
        b"text"
    );
}

#[test]
fn callback_signatures_are_those_of_secret_network() {
    let vectors = vectors();
    let secret = Secret::from_bytes(array(&vectors["key_schedule"][1]["callback_secret(4)"]));
    let vector = &vectors["callback_sig"];
    let message = bytes(&vector["message_hex(ciphertext part only)"]);
    let funds = [Coin { denom: "uscrt", amount: U256::from(5) }];
    assert_eq!(callback::sign(&secret, &message, &funds), hash(&vector["sig"]));
    assert_eq!(callback::sign(&secret, &message, &[]), hash(&vector["sig_no_funds"]));
    assert_eq!(callback::sign(&secret, &[], &[]), hash(&vector["sig_admin_msgs(empty msg, [])"]));

    let signature = bytes(&vector["sig"]);
    assert!(callback::verify(&secret, &message, &funds, &signature));
    assert!(!callback::verify(&secret, &message, &[], &signature));
    assert!(!callback::verify(&secret, &message[1..], &funds, &signature));
    assert!(!callback::verify(&secret, &message, &funds, &signature[1..]));
    assert!(!callback::verify(&Secret::from_bytes([0; 32]), &message, &funds, &signature));
}

#[test]
fn several_coins_are_signed_in_their_order() {
    let secret = Secret::from_bytes([1; 32]);
    let (a, b) = (Coin { denom: "a", amount: U256::MAX }, Coin { denom: "ibc/B.c:d_e-f", amount: U256::ZERO });
    let json = format!(r#"[{{"denom":"a","amount":"{}"}},{{"denom":"ibc/B.c:d_e-f","amount":"0"}}]"#, U256::MAX);
    let hashed = [&[1; 32], &b"message"[..], json.as_bytes()].concat();
    assert_eq!(callback::sign(&secret, b"message", &[a, b]), B256::from_slice(&Sha256::digest(hashed)));
    assert_ne!(callback::sign(&secret, b"", &[a, b]), callback::sign(&secret, b"", &[b, a]));
}

#[test]
fn nobody_else_opens_a_message() {
    let sealed = bytes(&vectors()["tx_encryption"]["encrypted_msg"]);
    let stranger = ExchangeKey::from_secret(Secret::from_bytes([9; 32]));
    assert_eq!(siv::open(&stranger, &sealed).err(), Some(MessageError::Refused));
    let other = siv::Session::of_client(&client(), &network().public(), [9; 32]).unwrap();
    assert_eq!(other.open_message(&sealed), Err(MessageError::Refused));
    assert_eq!(other.open(&sealed[siv::HEAD_BYTES..]), Err(MessageError::Refused));
    let mut low_order = sealed;
    low_order[32..64].fill(0);
    assert_eq!(siv::open(&network(), &low_order).err(), Some(MessageError::PublicKey));
    assert_eq!(siv::Session::of_client(&client(), &[0; 32], [9; 32]).err(), Some(MessageError::PublicKey));
}

#[test]
fn lengths_are_bounded_on_both_sides() {
    let sealed = bytes(&vectors()["tx_encryption"]["encrypted_msg"]);
    for length in 0..sealed.len() {
        let expected = if length < siv::MIN_MESSAGE_BYTES { MessageError::Length } else { MessageError::Refused };
        assert_eq!(siv::open(&network(), &sealed[..length]).err(), Some(expected), "{length}");
    }
    assert_eq!(siv::open(&network(), &vec![1; siv::MAX_MESSAGE_BYTES + 1]).err(), Some(MessageError::Length));
    assert_eq!(session().seal(&vec![0; MAX_PLAIN_BYTES + 1]), Err(MessageError::TooLong));
    assert_eq!(session().open(&[0; 15]), Err(MessageError::Length));
    let longest = session().seal_message(&vec![b'0'; MAX_PLAIN_BYTES]).unwrap();
    assert_eq!(longest.len(), siv::MAX_MESSAGE_BYTES);
    assert_eq!(siv::open(&network(), &longest).unwrap().1.len(), MAX_PLAIN_BYTES);
}

#[test]
fn headers_that_are_cut_or_too_many_are_refused() {
    let reply = ReplyTo { id: u64::MAX, code_hash: B256::repeat_byte(0xef) };
    let longest = Plaintext { code_hash: B256::ZERO, replies: vec![reply; MAX_REPLIES], message: b"" };
    let written = longest.to_bytes();
    assert_eq!(Plaintext::parse(&written), Ok(longest.clone()));
    for length in 0..written.len() {
        match Plaintext::parse(&written[..length]) {
            Err(MessageError::CodeHash) => assert!(length < 64),
            Err(MessageError::ReplyHeader) => assert!((length - 64) % 79 >= 7),
            // Fewer bytes than the magic word are no header; contracts are given them.
            Ok(_) => assert!((length - 64) % 79 < 7),
            Err(other) => panic!("{other:?}"),
        }
    }
    let too_many = Plaintext { replies: vec![reply; MAX_REPLIES + 1], ..longest };
    assert_eq!(Plaintext::parse(&too_many.to_bytes()), Err(MessageError::ReplyHeader));
}

#[test]
fn a_code_hash_is_64_hex_digits_of_either_case() {
    let parse = |digits: &str| Plaintext::parse(format!("{digits}{{}}").as_bytes()).map(|plain| plain.code_hash);
    assert_eq!(parse(&"AB".repeat(32)), Ok(B256::repeat_byte(0xab)));
    assert_eq!(parse(&format!("0x{}", "ab".repeat(31))), Err(MessageError::CodeHash));
    assert_eq!(parse(&format!("0x{}", "ab".repeat(32))), Err(MessageError::CodeHash));
    assert_eq!(parse(&"ab".repeat(30)), Err(MessageError::CodeHash));
}

#[test]
fn nothing_private_is_printed() {
    assert_eq!(format!("{:?}", session()), "Session([REDACTED])");
    assert_eq!(format!("{:?}", client()), "ExchangeKey([REDACTED])");
    assert_eq!(format!("{:?}", Plaintext::of_user(B256::ZERO, b"secret")), "Plaintext([REDACTED])");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_message_comes_back_and_no_flipped_bit_does(
        secret: [u8; 32], nonce: [u8; 32], code: [u8; 32], message: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8,
    ) {
        let client = ExchangeKey::from_secret(Secret::from_bytes(secret));
        let session = siv::Session::of_client(&client, &network().public(), nonce).unwrap();
        let plaintext = Plaintext::of_user(code.into(), &message);
        let mut sealed = session.seal_message(&plaintext.to_bytes()).unwrap();
        let (enclave, opened) = siv::open(&network(), &sealed).unwrap();
        if !message.starts_with(b"REPLY01") {
            prop_assert_eq!(Plaintext::parse(&opened), Ok(plaintext));
        }
        let output = enclave.seal(&message).unwrap();
        prop_assert_eq!(&*session.open(&output).unwrap(), &message);

        let at = at.index(sealed.len());
        // X25519 ignores the highest bit of a public key, so this one changes nothing that this form protects.
        prop_assume!((at, bit) != (63, 7));
        sealed[at] ^= 1 << bit;
        prop_assert!(siv::open(&network(), &sealed).is_err());
    }

    #[test]
    fn any_bytes_end_in_an_answer(mut bytes in prop::collection::vec(any::<u8>(), 0..400), text in "[0-9a-fREPLY]{0,200}") {
        let _ = siv::open(&network(), &bytes);
        let _ = session().open(&bytes);
        bytes.splice(0..0, format!("{}REPLY01", "ab".repeat(32)).into_bytes());
        if let Ok(plaintext) = Plaintext::parse(&bytes) {
            let written = plaintext.to_bytes();
            prop_assert_eq!(Plaintext::parse(&written), Ok(plaintext));
        }
        let _ = Plaintext::parse(text.as_bytes());
    }
}
