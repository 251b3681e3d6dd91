//! Our own form where nobody pays yet, and where somebody does: questions with permits, estimates, and gas by class.

use cloister_chain::cosmos::sealed::{self, Estimate, MsgInstantiate};
use cloister_chain::wire::Rejection;
use cloister_chain::{Receipt, gas, limits};
use cloister_envelope::AccountKey;
use cloister_envelope::message::{CallContext, Entry, QueryContext, gcm};
use zeroize::Zeroizing;

use super::own_form::{counter, own};
use super::*;

/// The key of a user's account.
pub(super) fn wallet(user: u8) -> AccountKey {
    AccountKey::from_secret(Secret::from_bytes(secret(user).secret_bytes())).expect("a key")
}

impl Story {
    pub(super) fn tip(&self) -> u64 {
        self.chain.ledger.checkpoint().header.height
    }

    /// A question of user 1, who signs for as long as anybody may.
    pub(super) fn permitted(&mut self, contract: &Made, question: &Value) -> (Query, gcm::AnswerKeys) {
        let last = self.tip() + limits::PERMIT_BLOCKS;
        let context = QueryContext { chain_id: "test-1", contract: contract.address, code_hash: contract.code_hash };
        let asked = self.sealer().signed_query(&context, &wallet(1), last, question.to_string().as_bytes());
        let (message, keys) = asked.expect("short");
        (question_to(contract, message), keys)
    }

    /// What user 1 would send to `contract`, sealed as an estimate that `reader` signs for.
    fn tried(&mut self, contract: &Made, message: &Value, reader: u8) -> (sealed::MsgExecute, gcm::AnswerKeys) {
        let (last, sender) = (self.tip() + limits::PERMIT_BLOCKS, account(1));
        let (entry, code_hash) = (Entry::Execute(contract.address), contract.code_hash);
        let context = CallContext { chain_id: "test-1", sender, entry, code_hash, funds: &[] };
        let text = message.to_string();
        let (input, keys) =
            self.sealer().signed_estimate(&context, &wallet(reader), last, text.as_bytes()).expect("short");
        let message = sealed::MsgExecute {
            sender: sender.to_vec(),
            contract: contract.address.to_vec(),
            code_hash: code_hash.to_vec(),
            input,
            funds: Vec::new(),
        };
        (message, keys)
    }

    fn estimate(&mut self, contract: &Made, message: &Value) -> Estimate {
        let (message, keys) = self.tried(contract, message, 1);
        let Answer::SealedEstimate(sealed) = self.chain.ask(trial(&own(&message))) else { panic!("an estimate") };
        assert_eq!(sealed.len(), ESTIMATE_BYTES);
        Estimate::decode(keys.open_answer(&sealed).expect("sealed for the sender").as_slice()).expect("two numbers")
    }

    fn count(&mut self, counter: &Made) -> Value {
        self.query(counter, &json!({ "get_count": {} })).expect("an answer")["count"].clone()
    }

    /// User 1 sends one call in our own form, alone in its block.
    fn call_with_gas(&mut self, contract: &Made, message: &Value, gas: u64) -> Receipt {
        let tx = self.signed_call(contract, message, gas);
        self.chain.run(vec![tx])[0].clone()
    }

    fn signed_call(&mut self, contract: &Made, message: &Value, gas: u64) -> Bytes {
        let call = self.seal(contract, message);
        self.sequence += 1;
        signed(1, self.sequence - 1, (gas, 0, 0), vec![own(&call.message)])
    }
}

fn question_to(contract: &Made, message: Vec<u8>) -> Query {
    Query::Contract(ContractQuery { contract: contract.address, form: Form::Gcm, message: message.into() })
}

fn trial(message: &Any) -> Query {
    Query::SealedEstimate(message.encode_to_vec().into())
}

#[test]
fn v09_whoever_may_not_ask_is_told_the_same_whatever_he_lacks() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let last = story.tip() + 3;
    let context = QueryContext { chain_id: "test-1", contract: counter.address, code_hash: counter.code_hash };
    let Answer::NetworkKeys(keys) = story.chain.ask(Query::NetworkKeys) else { panic!("the network's keys") };
    let network = gcm::InputKey { epoch: keys.epoch, public: keys.input };
    let client = |byte: u8| ExchangeKey::from_secret(Secret::from_bytes([byte; 32]));
    let question = br#"{"get_count":{}}"#;
    let sealer = || gcm::Sealer::new(&client(3), &network, [9; 32]).expect("a sealer");

    // A permit says nothing of the network's key. So one for something else comes to light with a key of one's own.
    let own_network = gcm::InputKey { public: client(66).public(), ..network };
    let permit_for = |context: &QueryContext<'_>, from: u8, last: u64| {
        let sealer = gcm::Sealer::new(&client(from), &own_network, [9; 32]).expect("a sealer");
        let (message, _) = sealer.signed_query(context, &wallet(1), last, question).expect("short");
        gcm::open_query(&client(66), context, &message).expect("to a key of one's own").1
    };
    let other_contract = QueryContext { contract: account(2), ..context };
    let other_chain = QueryContext { chain_id: "test-2", ..context };
    let other_code = QueryContext { code_hash: B256::ZERO, ..context };
    let inside = [
        ("unsigned", Zeroizing::new(question.to_vec())),
        ("another contract", permit_for(&other_contract, 3, last)),
        ("another chain", permit_for(&other_chain, 3, last)),
        ("other code", permit_for(&other_code, 3, last)),
        ("another answer key", permit_for(&context, 4, last)),
        ("too far off", permit_for(&context, 3, story.tip() + limits::PERMIT_BLOCKS + 1)),
        ("past", permit_for(&context, 3, story.tip() - 1)),
    ];
    let mut messages: Vec<_> =
        inside.iter().map(|(what, text)| (*what, sealer().query(&context, text).expect("short").0)).collect();
    let (good, reader) = sealer().signed_query(&context, &wallet(1), last, question).expect("short");
    let (elsewhere, _) = sealer().signed_query(&other_contract, &wallet(1), last, question).expect("short");
    let mut altered = good.clone();
    altered[80] ^= 1;
    messages.extend([("sealed to another contract", elsewhere), ("altered", altered)]);

    let log = "Execution error: Enclave: failed to decrypt data".to_owned();
    let refused = Answer::Rejected(Rejection { codespace: "compute".into(), code: 4, log });
    for (what, message) in messages {
        assert_eq!(story.chain.ask(question_to(&counter, message)), refused, "{what}");
    }
    let Answer::Contract { sealed, .. } = story.chain.ask(question_to(&counter, good.clone())) else { panic!("good") };
    reader.open_answer(&sealed).expect("sealed for the reader");

    // Whoever saw it go by asks it again: for three blocks more, and never after.
    for _ in 0..3 {
        story.chain.run(vec![]);
        assert!(matches!(story.chain.ask(question_to(&counter, good.clone())), Answer::Contract { .. }));
    }
    story.chain.run(vec![]);
    let late = question_to(&counter, good);
    assert_eq!(story.chain.ask(late.clone()), refused);
    let before = QueryAt { height: Some(last), query: late };
    assert_eq!(
        story.chain.ledger.snapshots().query(&before, &mut story.chain.host),
        refused,
        "not of an old state either"
    );
}

#[test]
fn v09_a_node_does_not_see_whether_an_answer_is_an_error() {
    let mut story = Story::new();
    let one = story.prober();
    let mut seen = Vec::new();
    for question in [
        json!({ "read": { "key": "k" } }),
        json!({ "fail": { "text": "no" } }),
        json!({ "fail": { "text": "your viewing key is wrong" } }),
        json!({ "panic": {} }),
        json!({ "nothing": {} }),
    ] {
        let (asked, keys) = story.permitted(&one, &question);
        let Answer::Contract { sealed, gas_used } = story.chain.ask(asked) else { panic!("{question}") };
        let output = keys.open_answer(&sealed).expect("sealed for the reader");
        let output = sealed::Output::decode(output.as_slice()).expect("an output");
        assert_eq!(output.height, story.tip());
        assert_eq!(output.error.is_empty(), question["read"].is_object(), "{question}");
        seen.push((sealed.len(), gas_used));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn v11_an_estimate_is_what_the_call_is_then_charged_and_changes_nothing() {
    let mut story = Story::new();
    let (counter, one) = (counter(&mut story), story.prober());
    let calls = [
        (&counter, json!({ "increment": {} })),
        (&one, json!({ "evaporate": { "amount": 90_000 } })),
        (&one, json!({ "write_many": { "n": 100 } })),
    ];
    for (contract, message) in calls {
        let estimate = story.estimate(contract, &message);
        assert_eq!((story.estimate(contract, &message), estimate.height), (estimate, story.tip()), "{message}");
        assert_eq!(gas::class(estimate.gas), estimate.gas, "a class");
        let receipt = story.call_with_gas(contract, &message, 3_000_000);
        assert_eq!(receipt.status, Status::Success, "{message}");
        let bytes = u64::try_from(story.chain.decided.last().expect("a block").block.txs[0].len()).expect("short") - 1;
        assert_eq!(receipt.gas_used, 10 * bytes + 1_000 + estimate.gas, "{message}");
    }
    assert_eq!(story.count(&counter), json!(2), "incremented once");
}

#[test]
fn v11_whatever_fails_is_estimated_with_nothing_in_one_shape() {
    let mut story = Story::new();
    let one = story.prober();
    for message in [
        json!({ "fail": { "text": "no" } }),
        json!({ "fail": { "text": "x".repeat(400) } }),
        json!({ "panic": {} }),
        json!({ "loop": {} }),
        json!({ "evaporate": { "amount": 4_000_000_000u32 } }),
        json!({ "no such": {} }),
    ] {
        let height = story.tip();
        assert_eq!(story.estimate(&one, &message), Estimate { gas: 0, height }, "{message}");
    }
    let other_code = Made { code_hash: B256::ZERO, ..one.clone() };
    let nobody = Made { address: account(2), ..one };
    for contract in [other_code, nobody] {
        assert_eq!(story.estimate(&contract, &json!({ "evaporate": { "amount": 1 } })).gas, 0);
    }
}

#[test]
fn v11_a_captured_call_cannot_be_estimated_nor_a_captured_estimate_sent() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let call = story.seal(&counter, &json!({ "increment": {} }));
    let log = "Execution error: Enclave: failed to decrypt data".to_owned();
    let refused = Answer::Rejected(Rejection { codespace: "compute".into(), code: 4, log });
    assert_eq!(story.chain.ask(trial(&own(&call.message))), refused);
    let (estimate, _) = story.tried(&counter, &json!({ "increment": {} }), 1);
    assert!(story.send(vec![own(&estimate)]).result.log.contains("failed to decrypt data"));
    assert_eq!(story.count(&counter), json!(1));

    // Somebody makes up a call of user 1's, to see what it would do. He has to sign for it with his own key.
    let (made_up, _) = story.tried(&counter, &json!({ "increment": {} }), 2);
    assert_eq!(story.chain.ask(trial(&own(&made_up))), refused);
    let as_his_own = sealed::MsgExecute { sender: account(2).to_vec(), ..estimate.clone() };
    assert_eq!(story.chain.ask(trial(&own(&as_his_own))), refused);

    // It can be asked again, and opens as an estimate only, until it ends.
    assert!(matches!(story.chain.ask(trial(&own(&estimate))), Answer::SealedEstimate(_)));
    for _ in 0..limits::PERMIT_BLOCKS {
        story.chain.run(vec![]);
    }
    assert_eq!(story.chain.ask(trial(&own(&estimate))), refused);
    for foreign in [any("MsgExecuteContract", &MsgExecuteContract::default()), Any::default()] {
        assert!(matches!(story.chain.ask(trial(&foreign)), Answer::Rejected(_)), "{foreign:?}");
    }
}

#[test]
fn v11_contracts_that_are_made_are_estimated_too() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let (last, sender, code_hash) = (story.tip(), account(1), counter.code_hash);
    let context = CallContext { chain_id: "test-1", sender, entry: Entry::Instantiate, code_hash, funds: &[] };
    let mut estimate = |label: &str| {
        let sealed = story.sealer().signed_estimate(&context, &wallet(1), last, br#"{"count":1}"#);
        let (input, keys) = sealed.expect("short");
        let message = MsgInstantiate {
            sender: sender.to_vec(),
            code_id: counter.code_id,
            code_hash: code_hash.to_vec(),
            label: label.into(),
            input,
            ..MsgInstantiate::default()
        };
        let any = Any { type_url: "/cloister.compute.v1.MsgInstantiate".into(), value: message.encode_to_vec() };
        let Answer::SealedEstimate(sealed) = story.chain.ask(trial(&any)) else { panic!("an estimate") };
        Estimate::decode(keys.open_answer(&sealed).expect("for the sender").as_slice()).expect("two numbers").gas
    };
    assert!(estimate("another counter") >= gas::SMALLEST);
    assert_eq!(estimate("counter"), 0, "the label is taken");
}

#[test]
fn v10_estimates_are_counted_with_the_questions() {
    let mut story = Story::new();
    story.chain = Chain::of(Genesis { queries: Some(2), ..story.chain.genesis.clone() });
    let counter = counter(&mut story);
    let (estimate, _) = story.tried(&counter, &json!({ "increment": {} }), 1);
    let (question, _) = story.permitted(&counter, &json!({ "get_count": {} }));
    assert!(matches!(story.chain.ask(trial(&own(&estimate))), Answer::SealedEstimate(_)));
    assert!(matches!(story.chain.ask(question.clone()), Answer::Contract { .. }));
    for query in [trial(&own(&estimate)), question] {
        assert_eq!(story.chain.ask(query), Answer::Refused(QueryRefusal::Spent));
    }
}

/// A few in every test run; a soak asks for more.
fn pairs() -> u32 {
    std::env::var("CLOISTER_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[test]
fn v19_calls_that_differ_in_secrets_alone_have_the_same_gas_and_receipts_of_one_length() {
    let mut story = Story::new();
    let one = story.prober();
    // A contract cannot store an empty value: that would be another ending, which is public.
    let text = |number: u32, most: u32| "x".repeat(usize::try_from(1 + number % most).expect("short"));
    // What it does, how long it takes, how long what it says is: all of it a secret's, all of it within a class.
    let message = |kind: u32, number: u32| match kind {
        0 => json!({ "evaporate": { "amount": 10 * number } }),
        1 => json!({ "write": { "key": "k", "value": text(number, 100) } }),
        2 => json!({ "fail": { "text": text(number, 120) } }),
        _ if number.is_multiple_of(2) => json!({ "write": { "key": "k", "value": text(number, 90) } }),
        _ => json!({ "remove": { "key": "k" } }),
    };
    let all: Vec<u32> = (0..pairs()).collect();
    for block in all.chunks(PAIRS_OF_A_BLOCK) {
        let mut txs = Vec::new();
        for pair in block {
            let drawn = keccak256(pair.to_be_bytes());
            txs.extend([0, 1].map(|at| story.signed_call(&one, &message(pair % 4, drawn[at].into()), 200_000)));
        }
        for (pair, receipts) in block.iter().zip(story.chain.run(txs).chunks(2)) {
            let [a, b] = receipts else { panic!("two receipts") };
            assert_eq!((a.status, a.gas_used), (b.status, b.gas_used), "{pair}");
            assert_eq!(receipt_bytes(a), receipt_bytes(b), "{pair}");
        }
        // What is proven is forgotten, so that a long run fits into memory.
        story.chain.outcomes.clear();
        story.chain.decided.clear();
    }
}

#[test]
fn v19_gas_that_runs_out_costs_the_limit() {
    let mut story = Story::new();
    let one = story.prober();
    let ways = [
        json!({ "loop": {} }),
        json!({ "evaporate": { "amount": 4_000_000 } }),
        json!({ "write_many": { "n": 5_000 } }),
    ];
    for message in ways {
        let receipt = story.call_with_gas(&one, &message, 300_000);
        assert_eq!((receipt.status, receipt.gas_used), (Status::Failed, 300_000), "{message}");
    }
}

#[test]
fn v19_every_failure_looks_the_same_but_for_its_class_of_gas() {
    let mut story = Story::new();
    let (one, other) = (story.prober(), counter(&mut story));
    let send = json!({ "bank": { "send": { "to_address": bech32(&account(2)), "amount": [{ "denom": "uscrt", "amount": "5" }] } } });
    let nested = json!({ "wasm": other.call(&json!({ "fail": {} })) });
    let sub = |msg: Value| json!({ "sub": { "msgs": [{ "id": 0, "reply_on": "never", "msg": msg }] } });
    // An event shows the sender's sequence: all of those below have two digits.
    while story.sequence < 10 {
        story.call_with_gas(&one, &json!({ "evaporate": { "amount": 1 } }), 300_000);
    }
    let mut seen = Vec::new();
    for message in [
        json!({ "fail": { "text": "no" } }),
        json!({ "fail": { "text": "you owe 7" } }),
        json!({ "panic": {} }),
        json!({ "evaporate": { "amount": 4_000_000 } }),
        sub(send),
        sub(nested),
    ] {
        let call = story.seal(&one, &message);
        let failed = story.send_with_gas(vec![own(&call.message)], 300_000);
        let log = failed.result.log.strip_prefix("failed to execute message; message index: 0: encrypted: ");
        let sealed = log.and_then(|log| log.strip_suffix(": execute contract failed")).expect("sealed");
        let output = super::own_form::opened(
            &call.keys,
            super::own_form::hash(&story),
            0,
            &STANDARD.decode(sealed).expect("base64"),
        );
        assert!(!output.error.is_empty(), "its sender is told why: {message}");
        let bytes = receipt_bytes(&story.chain.outcomes.last().expect("a block").receipts[0]);
        seen.push((failed.status, failed.result.code, failed.result.codespace, bytes));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn v19_nobody_is_charged_more_than_his_limit() {
    let mut story = Story::new();
    let one = story.prober();
    let message = json!({ "evaporate": { "amount": 60_000 } });
    let charged = story.call_with_gas(&one, &message, 1_000_000).gas_used;
    let limit = charged - 1_000;
    let receipt = story.call_with_gas(&one, &message, limit);
    assert_eq!((receipt.status, receipt.gas_used), (Status::Success, limit), "the class is more than it used");
    // secret.js's clients pay for what they use.
    let [a, b] = [1, 1_001].map(|amount| story.execute(&one, &json!({ "evaporate": { "amount": amount } })).gas_used);
    assert!(a < b && gas::class(a) == gas::class(b), "{a} {b}");
}

/// How long a receipt is, without what the sender wrote into the transaction.
fn receipt_bytes(receipt: &Receipt) -> usize {
    borsh::to_vec(receipt).expect("memory").len()
}

const PAIRS_OF_A_BLOCK: usize = 16;
/// Version, salt, the smallest bucket, tag.
const ESTIMATE_BYTES: usize = 1 + 16 + 256 + 16;
