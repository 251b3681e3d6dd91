//! Encrypted messages and outputs: what strangers send, and what somebody changed on the way.

use std::sync::LazyLock;

use alloy_primitives::{Address, B256, U256};
use cloister_envelope::message::gcm::permit::Term;
use cloister_envelope::message::gcm::{OutputPlace, Sealer, reread_call};
use cloister_envelope::message::{CallContext, Coin, Entry, Plaintext, QueryContext, callback, siv};
use cloister_envelope::{AccountKey, ExchangeKey, MessageError, Secret};
use cloister_keys::{Keys, Roots, Seed};

use crate::cursor::Cursor;

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new("test-1", Roots::found("test-1", Seed::from_bytes([9; 32]))));

/// The bytes are a message as the chain gets it; then they are what a client seals, and where it is changed.
///
/// ```text
/// nonce(32) ‖ amount(32) ‖ at(2) ‖ flip(1) ‖ plaintext
/// ```
pub(crate) fn envelope(data: &[u8]) {
    foreign(data);
    let mut cursor = Cursor(data);
    let (nonce, amount) = (cursor.array(), cursor.word());
    let change = Change { at: usize::from(u16::from_be_bytes(cursor.array())), flip: cursor.byte() };
    let plain = cursor.0;
    parse(plain);
    siv(nonce, plain, &change);
    gcm(nonce, amount, plain, &change);
    callbacks(amount, plain, &change);
}

/// Nobody knows where these bytes come from.
fn foreign(message: &[u8]) {
    if let Ok((session, plain)) = KEYS.open_siv(message) {
        parse(&plain);
        assert_eq!(session.seal_message(&plain).as_deref(), Ok(message), "SIV has one ciphertext for a text");
    }
    let context = call(&[]);
    if let Ok((_, plain)) = KEYS.open_call(&context, message, true) {
        // Only the seeds' client could know how.
        assert_eq!(message.get(41..73), Some(&client().public()[..]));
        let sealer = Sealer::new(&client(), &KEYS.input_key(), message[9..41].try_into().expect("a nonce"));
        assert_eq!(
            sealer.and_then(|sealer| sealer.call(&context, &plain)).map(|sealed| sealed.0),
            Ok(message.to_vec())
        );
        assert!(
            KEYS.open_estimate(&context, message, true, TERM).is_err()
                && KEYS.open_query(&query(), message, true, TERM).is_err()
        );
    }
    let _ = KEYS.open_estimate(&context, message, true, TERM);
    let _ = KEYS.open_query(&query(), message, true, TERM);
    if let Some(head) = message.first_chunk()
        && let Ok(session) = KEYS.siv_session(head)
    {
        let _ = session.open_message(message);
    }
}

fn parse(plain: &[u8]) {
    let Ok(parsed) = Plaintext::parse(plain) else { return };
    let written = parsed.to_bytes();
    assert!(written.eq_ignore_ascii_case(plain), "only the case of hexadecimal digits may differ");
    assert_eq!(Plaintext::parse(&written), Ok(parsed));
}

fn siv(nonce: [u8; 32], plain: &[u8], change: &Change) {
    let session = siv::Session::of_client(&client(), &KEYS.io_public(), nonce).expect("a good key");
    let message = session.seal_message(plain).expect("short");
    match KEYS.open_siv(&message) {
        Ok((_, opened)) => assert_eq!(*opened, plain),
        // The shortest message holds a code hash.
        Err(_) => assert!(plain.len() < 64),
    }
    let changed = change.of(&message);
    assert!(KEYS.open_siv(&changed).is_err());
    assert!(session.open_message(&changed).is_err());

    // Outputs, and what a host puts in their place.
    let _ = (session.open(plain), session.open_result(Some(CODE), plain));
    let output = session.seal(plain).expect("short");
    assert_eq!(session.open(&output).as_deref().map(Vec::as_slice), Ok(plain));
    assert!(session.open(&change.of(&output)).is_err());
    if let Ok(result) = session.open_result(Some(CODE), &output) {
        assert_eq!(plain.len(), result.len() + 64);
    }
}

fn gcm(nonce: [u8; 32], amount: U256, plain: &[u8], change: &Change) {
    let sealer = || Sealer::new(&client(), &KEYS.input_key(), nonce).expect("a good key");
    let funds = [Coin { denom: "uscrt", amount }];
    let context = call(&funds);
    let (message, caller) = sealer().call(&context, plain).expect("short");
    let (keys, opened) = KEYS.open_call(&context, &message, true).expect("sealed for this call");
    assert_eq!(*opened, plain);
    let reread = reread_call(&client(), &KEYS.input_public(), &context, &message);
    assert_eq!(reread.map(|reread| reread.1.to_vec()).as_deref(), Ok(plain));

    let changed = change.of(&message);
    assert!(KEYS.open_call(&context, &changed, true).is_err());
    assert!(reread_call(&client(), &KEYS.input_public(), &context, &changed).is_err());
    let more = [Coin { denom: "uscrt", amount: amount.wrapping_add(U256::ONE) }];
    let others = [
        CallContext { chain_id: "test-2", ..context },
        CallContext { sender: CONTRACT, ..context },
        CallContext { entry: Entry::Instantiate, ..context },
        CallContext { entry: Entry::Migrate(CONTRACT), ..context },
        CallContext { code_hash: B256::ZERO, ..context },
        CallContext { funds: &[], ..context },
        CallContext { funds: &more, ..context },
    ];
    for other in others {
        assert!(KEYS.open_call(&other, &message, true).is_err(), "{other:?}");
    }

    let place = OutputPlace { transaction: CODE, message: 1, output: 0 };
    let output = keys.seal_output(&place, plain).expect("short");
    assert_eq!(caller.open_output(&place, &output).as_deref().map(Vec::as_slice), Ok(plain));
    assert_eq!(caller.seal_output(&place, plain), Ok(output.clone()), "both sides have the same keys");
    assert!(caller.open_output(&OutputPlace { output: 1, ..place }, &output).is_err());
    for foreign in [plain, &change.of(&output), &message] {
        assert!(caller.open_output(&place, foreign).is_err());
    }

    let (unsigned, _) = sealer().query(&query(), plain).expect("short");
    assert_eq!(KEYS.open_query(&query(), &unsigned, true, TERM).err(), Some(MessageError::Permit));
    let (question, asker) = sealer().signed_query(&query(), &reader(), TERM.tip, plain).expect("short");
    let (answerer, asked) = KEYS.open_query(&query(), &question, true, TERM).expect("signed for this contract");
    assert_eq!(*asked.text, plain);
    assert!(KEYS.open_query(&query(), &change.of(&question), true, TERM).is_err());
    let answer = answerer.seal_answer(plain).expect("short");
    assert_eq!(asker.open_answer(&answer).as_deref().map(Vec::as_slice), Ok(plain));
    assert!(asker.open_answer(&change.of(&answer)).is_err());
}

fn callbacks(amount: U256, message: &[u8], change: &Change) {
    let (secret, funds) = (Secret::from_bytes([4; 32]), [Coin { denom: "uscrt", amount }]);
    let signature = callback::sign(&secret, message, &funds);
    assert!(callback::verify(&secret, message, &funds, signature.as_slice()));
    assert!(!callback::verify(&secret, message, &funds, &change.of(signature.as_slice())));
    assert!(!callback::verify(&secret, message, &funds, message));
    assert!(!KEYS.is_callback(message, &funds, signature.as_slice()), "another secret");
}

/// What is done to a ciphertext: it is cut, or some bits of one byte are flipped.
struct Change {
    at: usize,
    flip: u8,
}

impl Change {
    fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let at = self.at % bytes.len();
        if self.flip == 0 {
            return bytes[..at].to_vec();
        }
        let mut changed = bytes.to_vec();
        changed[at] ^= self.flip;
        changed
    }
}

/// The client of the seeds.
fn client() -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes([3; 32]))
}

/// Who asks.
fn reader() -> AccountKey {
    AccountKey::from_secret(Secret::from_bytes([4; 32])).expect("a key")
}

fn call<'a>(funds: &'a [Coin<'a>]) -> CallContext<'a> {
    CallContext { chain_id: "test-1", sender: SENDER, entry: Entry::Execute(CONTRACT), code_hash: CODE, funds }
}

const fn query() -> QueryContext<'static> {
    QueryContext { chain_id: "test-1", contract: CONTRACT, code_hash: CODE }
}

/// Messages that open, in both forms, and inputs of [`envelope`]'s own shape.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let reply = cloister_envelope::message::ReplyTo { id: 7, code_hash: CODE };
    let plain = Plaintext { code_hash: CODE, replies: vec![reply, reply], message: b"{\"read\":{}}" }.to_bytes();
    let session = siv::Session::of_client(&client(), &KEYS.io_public(), [1; 32]).expect("a good key");
    let sealer = || Sealer::new(&client(), &KEYS.input_key(), [2; 32]).expect("a good key");
    let mut seeds = vec![
        session.seal_message(&plain).expect("short"),
        sealer().call(&call(&[]), b"{}").expect("short").0,
        sealer().signed_estimate(&call(&[]), &reader(), TERM.tip, b"{}").expect("short").0,
        sealer().signed_query(&query(), &reader(), TERM.tip, b"{}").expect("short").0,
    ];
    for (at, flip) in [(0, 1), (20, 0), (40, 0x80), (70, 1), (0x7fff, 0xff)] {
        let head = [&[5; 32][..], &[0; 31], &[9], &u16::to_be_bytes(at), &[flip]].concat();
        seeds.push([head.as_slice(), &plain].concat());
        seeds.push([head.as_slice(), &plain.to_ascii_uppercase()].concat());
        seeds.push(head);
    }
    seeds
}

const TERM: Term = Term { tip: 9, most: 0 };
const SENDER: Address = Address::repeat_byte(5);
const CONTRACT: Address = Address::repeat_byte(6);
const CODE: B256 = B256::repeat_byte(0xab);
