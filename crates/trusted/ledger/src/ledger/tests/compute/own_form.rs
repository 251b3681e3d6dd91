//! The documents' form: AES-256-GCM, bound to everything that the message says, one output for all.

use cloister_chain::cosmos::sealed;
use cloister_envelope::message::{CallContext, Entry, gcm};

use super::*;

/// A call in our own form, as its sender builds it, and the keys that open its output.
pub(super) struct Sealed {
    pub(super) message: sealed::MsgExecute,
    pub(super) keys: gcm::CallKeys,
}

impl Story {
    pub(super) fn sealer(&mut self) -> gcm::Sealer {
        self.nonce = self.nonce.wrapping_add(1);
        let Answer::NetworkKeys(keys) = self.chain.ask(Query::NetworkKeys) else { panic!("the network's keys") };
        let key = gcm::InputKey { epoch: keys.epoch, public: keys.input };
        gcm::Sealer::new(&self.client, &key, [self.nonce; 32]).expect("a sealer")
    }

    pub(super) fn seal(&mut self, contract: &Made, message: &Value) -> Sealed {
        let entry = Entry::Execute(contract.address);
        let (sender, code_hash) = (account(1), contract.code_hash);
        let context = CallContext { chain_id: "test-1", sender, entry, code_hash, funds: &[] };
        let (input, keys) = self.sealer().call(&context, message.to_string().as_bytes()).expect("short");
        let message = sealed::MsgExecute {
            sender: sender.to_vec(),
            contract: contract.address.to_vec(),
            code_hash: code_hash.to_vec(),
            input,
            funds: Vec::new(),
        };
        Sealed { message, keys }
    }
}

pub(super) fn own(message: &sealed::MsgExecute) -> Any {
    Any { type_url: "/cloister.compute.v1.MsgExecute".into(), value: message.encode_to_vec() }
}

pub(super) fn opened(keys: &gcm::CallKeys, transaction: B256, message: u64, output: &[u8]) -> sealed::Output {
    let place = gcm::OutputPlace { transaction, message, output: 0 };
    let text = keys.open_output(&place, output).expect("sealed for the sender");
    sealed::Output::decode(text.as_slice()).expect("an output")
}

pub(super) fn hash(story: &Story) -> B256 {
    story.chain.outcomes.last().expect("a block").receipts[0].tx
}

pub(super) fn counter(story: &mut Story) -> Made {
    let code = story.store(COUNTER);
    story.make(code, "counter", &json!({ "count": 1 }))
}

#[test]
fn one_output_holds_data_and_private_attributes_and_events_only_what_is_public() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let call = story.seal(&counter, &json!({ "increment": {} }));
    let seen = story.send(vec![own(&call.message)]);
    assert_eq!(seen.result.log, "");
    let sealed::MsgExecuteResponse { output } = seen.response(0);
    let output = opened(&call.keys, hash(&story), 0, &output);
    assert_eq!((output.data.as_slice(), output.error.as_str()), (&br#"{"count":2}"#[..], ""));
    let it = bech32(&counter.address);
    let count = sealed::PrivateAttribute { contract: it.clone(), key: "count".into(), value: "2".into() };
    assert_eq!(output.attributes, [count]);
    let keys: Vec<String> = seen.event("wasm").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["contract_address", "action", "msg_index"]);
}

#[test]
fn an_error_is_sealed_like_a_result() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let call = story.seal(&counter, &json!({ "fail": {} }));
    let seen = story.send(vec![own(&call.message)]);
    let log = seen.result.log.strip_prefix("failed to execute message; message index: 0: encrypted: ").expect("sealed");
    let text = log.strip_suffix(": execute contract failed").expect("who failed");
    let output = opened(&call.keys, hash(&story), 0, &STANDARD.decode(text).expect("base64"));
    assert_eq!(output.error, "Generic error: failed on request");
}

#[test]
fn what_does_not_open_is_refused_and_never_counts_as_plaintext() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let call = story.seal(&counter, &json!({ "increment": {} }));
    let other_contract = sealed::MsgExecute { contract: account(2).to_vec(), ..call.message.clone() };
    let with_funds =
        sealed::MsgExecute { funds: vec![Coin { denom: "uscrt".into(), amount: "5".into() }], ..call.message.clone() };
    let other_code = sealed::MsgExecute { code_hash: vec![1; 32], ..call.message.clone() };
    let plain = sealed::MsgExecute { input: br#"{"increment":{}}"#.to_vec(), ..call.message.clone() };
    let cut = sealed::MsgExecute { input: call.message.input[..90].to_vec(), ..call.message.clone() };
    for message in [other_contract, with_funds, other_code, plain, cut] {
        let seen = story.send(vec![own(&message)]);
        let log = "failed to execute message; message index: 0: Execution error: Enclave: failed to decrypt data: execute contract failed";
        assert_eq!(seen.result.log, log);
    }
    // Somebody else sends what user 1 sealed: the ciphertext is bound to its sender.
    let stolen = sealed::MsgExecute { sender: account(2).to_vec(), ..call.message.clone() };
    let tx = signed(2, 0, (1_000_000, 0, 0), vec![own(&stolen)]);
    let receipt = story.chain.run(vec![tx])[0].clone();
    assert!(receipt.cosmos.expect("a Cosmos result").log.contains("failed to decrypt data"));
    assert_eq!(story.query(&counter, &json!({ "get_count": {} })), Ok(json!({ "count": 1 })));
    assert_eq!(story.send(vec![own(&call.message)]).status, Status::Success, "and as it was sealed it opens");
}

#[test]
fn no_two_messages_of_a_transaction_share_an_output_key() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let call = story.seal(&counter, &json!({ "reset": { "count": 5 } }));
    // The very same message twice: same input, same result, other place.
    let seen = story.send(vec![own(&call.message), own(&call.message)]);
    let [one, two] = [0, 1].map(|index| seen.response::<sealed::MsgExecuteResponse>(index).output);
    assert_ne!(one, two);
    let outputs = [(0, &one), (1, &two)].map(|(index, output)| opened(&call.keys, hash(&story), index, output));
    assert_eq!(outputs[0], outputs[1]);
    let wrong = gcm::OutputPlace { transaction: hash(&story), message: 1, output: 0 };
    assert!(call.keys.open_output(&wrong, &one).is_err());
}

#[test]
fn an_answer_says_which_height_it_is_about() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let mut ask = |question: Value| {
        let (query, keys) = story.permitted(&counter, &question);
        (story.chain.ask(query), keys)
    };
    let (answer, keys) = ask(json!({ "get_count": {} }));
    let Answer::Contract { sealed, gas_used } = answer else { panic!("{answer:?}") };
    assert!(gas_used > 20_000);
    let read = |keys: gcm::AnswerKeys, sealed: &[u8]| {
        sealed::Output::decode(keys.open_answer(sealed).expect("sealed for the asker").as_slice()).expect("an output")
    };
    let output = read(keys, &sealed);
    let count = br#"{"count":1}"#.to_vec();
    assert_eq!(output, sealed::Output { data: count, height: 2, ..Default::default() });
    let (answer, keys) = ask(json!({ "nothing": {} }));
    let Answer::Contract { sealed, .. } = answer else { panic!("{answer:?}") };
    let output = read(keys, &sealed);
    assert!(output.error.contains("unknown variant `nothing`") && output.data.is_empty());
}

#[test]
fn v10_an_enclave_answers_so_many_questions_between_two_blocks_and_no_more() {
    let mut story = Story::new();
    story.chain = Chain::of(Genesis { queries: Some(2), ..story.chain.genesis.clone() });
    let counter = counter(&mut story);
    let ask = |story: &mut Story| {
        let (query, _) = story.permitted(&counter, &json!({ "get_count": {} }));
        story.chain.ask(query)
    };
    for _ in 0..2 {
        assert!(matches!(ask(&mut story), Answer::Contract { .. }));
    }
    // The key of the network was asked for as well, and did not count.
    for _ in 0..3 {
        assert_eq!(ask(&mut story), Answer::Refused(QueryRefusal::Spent));
    }
    story.chain.run(vec![]);
    assert!(matches!(ask(&mut story), Answer::Contract { .. }));
}
