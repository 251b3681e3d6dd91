//! Upload, instantiate, execute, query, migrate: the way of a private message.

use super::*;
use secret_sdk_proto::secret::compute::v1beta1::{MsgClearAdmin, MsgMigrateContract, MsgUpdateAdmin};

fn counter(story: &mut Story) -> Made {
    let code = story.store(COUNTER);
    story.make(code, "counter", &json!({ "count": 41 }))
}

#[test]
fn a_counter_counts_and_only_its_user_reads_along() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let seen = story.execute(&counter, &json!({ "increment": {} }));
    assert_eq!((seen.status, seen.result.log.as_str()), (Status::Success, ""));
    assert_eq!(seen.data(), br#"{"count":42}"#);
    assert_eq!(story.query(&counter, &json!({ "get_count": {} })), Ok(json!({ "count": 42 })));

    assert_eq!(seen.kinds(), ["message", "message", "execute", "wasm"]);
    let (me, it) = (bech32(&account(1)), bech32(&counter.address));
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    };
    let action =
        pairs(&[("action", "/secret.compute.v1beta1.MsgExecuteContract"), ("sender", &me), ("msg_index", "0")]);
    assert_eq!(seen.messages()[0].attributes, action);
    let handled = pairs(&[("module", "compute"), ("sender", &me), ("contract_address", &it), ("msg_index", "0")]);
    assert_eq!(seen.messages()[1].attributes, handled);
    let wasm = seen.event("wasm");
    assert_eq!(wasm[..2], pairs(&[("contract_address", &it), ("action", "increment")]));
    let session = seen.session.as_ref().expect("a session");
    let open = |text: &str| session.open(&STANDARD.decode(text).expect("base64")).expect("sealed for the sender");
    assert_eq!((open(&wasm[2].0).as_slice(), open(&wasm[2].1).as_slice()), (&b"count"[..], &b"42"[..]));
}

#[test]
fn an_error_is_for_the_sender_and_undoes_what_was_written() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let seen = story.execute(&counter, &json!({ "fail": {} }));
    assert_eq!((seen.status, seen.result.code, seen.result.codespace.as_str()), (Status::Failed, 3, "compute"));
    assert!(seen.result.log.starts_with("failed to execute message; message index: 0: encrypted: "));
    assert!(!seen.result.log.contains("failed on request"));
    assert_eq!(
        seen.error(),
        "failed to execute message; message index: 0: Generic error: failed on request: execute contract failed"
    );
    assert_eq!(story.query(&counter, &json!({ "get_count": {} })), Ok(json!({ "count": 41 })));
    let unknown = story.query(&counter, &json!({ "nothing": {} })).expect_err("no such question");
    assert!(unknown.contains("unknown variant `nothing`"), "{unknown}");
}

#[test]
fn labels_are_unique_and_codes_and_contracts_are_found() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let code = (counter.code_id, counter.code_hash);
    let (_, again) = story.try_make(code, "counter", &json!({ "count": 0 }));
    assert!(again.result.log.contains("label already in use"), "{}", again.result.log);
    assert_eq!((again.result.codespace.as_str(), again.result.code), ("compute", 6));
    let (_, empty) = story.try_make(code, "", &json!({ "count": 0 }));
    assert!(empty.result.log.contains("a label has 1 to 512 bytes"), "{}", empty.result.log);
    let (_, unknown) = story.try_make((99, counter.code_hash), "other", &json!({ "count": 0 }));
    assert!(unknown.result.log.ends_with("code: not found"), "{}", unknown.result.log);
    let nobody = Made { address: account(2), ..counter.clone() };
    assert!(story.execute(&nobody, &json!({})).result.log.ends_with("contract: not found"));
    assert_eq!(story.query(&nobody, &json!({})), Err("contract: not found".into()));
    let info = story.info(&counter);
    assert_eq!((info.code, info.creator, info.label.as_str()), (1, account(1), "counter"));
    assert_eq!((info.created.height, info.created.index, info.history), (2, 0, 1));
}

#[test]
fn a_message_for_other_code_is_refused() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let other = Made { code_hash: B256::repeat_byte(7), ..counter.clone() };
    let seen = story.execute(&other, &json!({ "increment": {} }));
    assert_eq!(
        seen.result.log,
        "failed to execute message; message index: 0: Execution error: Enclave: failed to validate transaction: execute contract failed"
    );
    let refused = story.query(&other, &json!({ "get_count": {} }));
    assert_eq!(refused, Err("Execution error: Enclave: failed to validate transaction".into()));
    let (_, made) = story.try_make((counter.code_id, other.code_hash), "other", &json!({ "count": 1 }));
    assert!(made.result.log.contains("failed to validate transaction: instantiate contract failed"));
}

#[test]
fn plaintext_is_answered_in_plaintext_and_a_claimed_callback_is_refused() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let seen = story.send(vec![execution(1, counter.address, br#"{"increment":{}}"#.to_vec(), 0)]);
    let MsgExecuteContractResponse { data } = seen.response(0);
    assert_eq!(data, br#"{"count":42}"#);
    assert_eq!(seen.event("wasm")[2], ("count".into(), "42".into()));
    let seen = story.send(vec![execution(1, counter.address, br#"{"fail":{}}"#.to_vec(), 0)]);
    let log = "failed to execute message; message index: 0: encrypted: Generic error: failed on request: execute contract failed";
    assert_eq!(seen.result.log, log);
    let forged = MsgExecuteContract {
        sender: account(1).to_vec(),
        contract: counter.address.to_vec(),
        msg: br#"{"increment":{}}"#.to_vec(),
        callback_sig: vec![1; 32],
        ..Default::default()
    };
    let seen = story.send(vec![any("MsgExecuteContract", &forged)]);
    assert!(seen.result.log.contains("failed to verify transaction signature"), "{}", seen.result.log);
}

#[test]
fn several_messages_stand_or_fall_together() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let (one, two) = (story.session(), story.session());
    let increment = json!({ "increment": {} });
    let calls = |second: &Value| {
        let first = sealed(&one, counter.code_hash, &increment);
        let second = sealed(&two, counter.code_hash, second);
        vec![execution(1, counter.address, first, 0), execution(1, counter.address, second, 0)]
    };
    let both = calls(&increment);
    assert_eq!(story.send(both).status, Status::Success);
    assert_eq!(story.query(&counter, &json!({ "get_count": {} })), Ok(json!({ "count": 43 })));
    let one_fails = calls(&json!({ "fail": {} }));
    let mut seen = story.send(one_fails);
    seen.session = Some(two);
    let log = "failed to execute message; message index: 1: Generic error: failed on request: execute contract failed";
    assert_eq!(seen.error(), log);
    assert_eq!(story.query(&counter, &json!({ "get_count": {} })), Ok(json!({ "count": 43 })));
}

#[test]
fn only_the_admin_migrates_and_hands_on() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let code = story.store(COUNTER);
    let migration = |story: &mut Story, message: &Value| {
        let session = story.session();
        let value = MsgMigrateContract {
            sender: bech32(&account(1)),
            contract: bech32(&counter.address),
            code_id: code.0,
            msg: sealed(&session, code.1, message),
            ..Default::default()
        };
        let mut seen = story.send(vec![any("MsgMigrateContract", &value)]);
        seen.session = Some(session);
        seen
    };
    let seen = migration(&mut story, &json!({ "count": 7 }));
    assert_eq!(seen.error(), "");
    assert_eq!(seen.kinds(), ["message", "message", "migrate", "wasm"]);
    let keys: Vec<&str> = seen.messages()[2].attributes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["code_id", "contract_address", "msg_index"]);
    assert_eq!((story.info(&counter).code, story.info(&counter).history), (code.0, 2));
    assert_eq!(story.query(&counter, &json!({ "get_count": {} })), Ok(json!({ "count": 7 })));

    let (sender, contract) = (bech32(&account(1)), bech32(&counter.address));
    let update = MsgUpdateAdmin {
        sender: sender.clone(),
        contract: contract.clone(),
        new_admin: bech32(&account(2)),
        ..Default::default()
    };
    let clear = MsgClearAdmin { sender, contract, ..Default::default() };
    assert_eq!(story.send(vec![any("MsgUpdateAdmin", &update)]).status, Status::Success);
    assert_eq!(story.info(&counter).admin, Some(account(2)));
    let late = story.send(vec![any("MsgClearAdmin", &clear)]);
    assert_eq!((late.result.code, late.result.codespace.as_str()), (4, "sdk"));
    let refused = migration(&mut story, &json!({ "count": 8 }));
    assert!(refused.result.log.contains("requires migrate from admin"), "{}", refused.result.log);
    let plain = MsgMigrateContract {
        msg: b"{}".to_vec(),
        sender: bech32(&account(1)),
        contract: bech32(&counter.address),
        code_id: code.0,
        ..Default::default()
    };
    let plain = story.send(vec![any("MsgMigrateContract", &plain)]);
    assert!(plain.result.log.contains("failed to decrypt data: migrate contract failed"), "{}", plain.result.log);
}

#[test]
fn uploads_that_are_no_contracts_are_refused_and_gzip_is_unpacked() {
    let mut story = Story::new();
    let upload = |story: &mut Story, code: &[u8]| {
        let value = MsgStoreCode { sender: account(1).to_vec(), wasm_byte_code: code.to_vec(), ..Default::default() };
        story.send_with_gas(vec![any("MsgStoreCode", &value)], 50_000_000)
    };
    for code in [&b""[..], b"\0asm\x01\0\0\0", b"\x1f\x8b\x08 no gzip", &vec![0; (2 << 20) + 1]] {
        let seen = upload(&mut story, code);
        assert_eq!((seen.status, seen.result.code, seen.result.codespace.as_str()), (Status::Failed, 15, "compute"));
        assert!(seen.result.log.ends_with(": create contract failed"), "{}", seen.result.log);
    }
    assert!(story.chain.host.blobs.is_empty(), "nothing is kept of them");
    let stored = upload(&mut story, COUNTER);
    assert_eq!(stored.kinds(), ["message", "message", "message"]);
    assert_eq!(stored.messages()[2].attributes[0], ("code_id".into(), "1".into()));
}

#[test]
fn a_reply_header_in_a_users_message_is_refused() {
    let mut story = Story::new();
    let counter = counter(&mut story);
    let session = story.session();
    let reply = cloister_envelope::message::plain::ReplyTo { id: 1, code_hash: counter.code_hash };
    let (code_hash, message) = (counter.code_hash, &br#"{"increment":{}}"#[..]);
    let plaintext = Plaintext { code_hash, replies: vec![reply], message };
    let wire = session.seal_message(&plaintext.to_bytes()).expect("short");
    let seen = story.send(vec![execution(1, counter.address, wire.clone(), 0)]);
    assert!(seen.result.log.contains("failed to validate transaction"), "{}", seen.result.log);
    let query = ContractQuery { contract: counter.address, form: Form::Siv, message: wire.into() };
    assert!(matches!(story.chain.ask(Query::Contract(query)), Answer::Rejected(_)));
}
