//! What contracts send each other.

use super::*;

fn write(key: &str, value: &str) -> Value {
    json!({ "write": { "key": key, "value": value } })
}

fn fail(text: &str) -> Value {
    json!({ "fail": { "text": text } })
}

#[test]
fn sub_messages_run_in_order_depth_first_and_each_reply_comes_right_after() {
    let mut story = Story::new();
    let one = story.prober();
    let (two, three) = (story.another(&one, "two"), story.another(&one, "three"));
    let inner = json!({ "sub": { "msgs": [{ "id": 5, "reply_on": "always", "msg": three.call(&write("x", "3")) }] } });
    let seen = story.sub(&one, &[("success", two.call(&inner)), ("never", three.call(&write("y", "4")))]);
    assert_eq!(seen.error(), "");
    let events: Vec<(&str, &str)> = seen
        .messages()
        .iter()
        .filter(|event| ["execute", "reply"].contains(&event.kind.as_str()))
        .map(|event| (event.kind.as_str(), event.attributes[0].1.as_str()))
        .collect();
    let [a, b, c] = [&one, &two, &three].map(|contract| bech32(&contract.address));
    assert_eq!(
        events,
        [("execute", a.as_str()), ("execute", &b), ("execute", &c), ("reply", &b), ("reply", &a), ("execute", &c)]
    );
    assert_eq!((story.read(&three, "x"), story.read(&three, "y")), (json!("3"), json!("4")));
    let replies = story.query(&one, &json!({ "replies": {} })).expect("replies");
    assert_eq!(replies.as_array().map(Vec::len), Some(1));
    assert_eq!(replies[0]["id"], 0);
}

#[test]
fn replies_are_given_exactly_when_they_are_asked_for() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    let good = two.call(&write("k", "v"));
    let bad = two.call(&fail("no \"good\""));
    // What is sent, and: does the transaction succeed, is there a reply?
    let table = [
        ("always", &good, true, true),
        ("success", &good, true, true),
        ("error", &good, true, false),
        ("never", &good, true, false),
        ("always", &bad, true, true),
        ("error", &bad, true, true),
        ("success", &bad, false, false),
        ("never", &bad, false, false),
    ];
    let mut replies = 0;
    for (reply_on, message, succeeds, replied) in table {
        let seen = story.sub(&one, &[(reply_on, message.clone())]);
        assert_eq!(seen.status == Status::Success, succeeds, "{reply_on}: {}", seen.error());
        if !succeeds {
            let log = "failed to execute message; message index: 0: dispatch: submessages: no \\\"good\\: execute contract failed";
            assert_eq!(seen.error(), log, "escapes are left in, quotation marks are trimmed");
        }
        replies += usize::from(replied);
        let all = story.query(&one, &json!({ "replies": {} })).expect("replies");
        assert_eq!(all.as_array().map(Vec::len), Some(replies), "{reply_on}");
    }
    let last = story.query(&one, &json!({ "last_reply": {} })).expect("a reply");
    assert!(last["result"].to_string().contains("no"), "{last}");
}

#[test]
fn a_caught_failure_undoes_the_call_and_nothing_else() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    let inner = json!({ "sub": { "msgs": [
        { "id": 1, "reply_on": "never", "msg": one.call(&write("inner", "1")) },
        { "id": 2, "reply_on": "never", "msg": two.call(&fail("late")) },
    ] } });
    let seen = story.sub(
        &one,
        &[
            ("never", two.call(&write("before", "1"))),
            ("error", two.call(&inner)),
            ("never", two.call(&write("after", "1"))),
        ],
    );
    assert_eq!(seen.error(), "");
    let read = |story: &mut Story, contract: &Made, key: &str| !story.read(contract, key).is_null();
    assert!(read(&mut story, &two, "before") && read(&mut story, &two, "after"));
    assert!(!read(&mut story, &one, "inner"), "undone with the call that led to it");
}

#[test]
fn data_of_a_reply_takes_the_place_of_the_callers() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    story.execute(&one, &json!({ "set_reply": { "data": STANDARD.encode("from the reply") } }));
    let msg = two.call(&write("k", "v"));
    let sub = |reply_on: &str| json!({ "sub": { "msgs": [{ "id": 1, "reply_on": reply_on, "msg": msg }], "data": STANDARD.encode("own") } });
    assert_eq!(story.execute(&one, &sub("never")).data(), b"own");
    assert_eq!(story.execute(&one, &sub("always")).data(), b"from the reply");
    story.execute(&one, &json!({ "set_reply": { "fail": true } }));
    let seen = story.execute(&one, &sub("always"));
    let log = "failed to execute message; message index: 0: dispatch: submessages: the reply was told to fail: reply to contract failed";
    assert_eq!(seen.error(), log);
    assert_eq!(seen.result.code, 19);
}

#[test]
fn the_caller_reads_what_the_callee_returned() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    let msg = two.call(&json!({ "big_data": { "n": 3 } }));
    assert_eq!(story.sub(&one, &[("always", msg)]).error(), "");
    let last = story.query(&one, &json!({ "last_reply": {} })).expect("a reply").to_string();
    assert!(last.contains(&STANDARD.encode("xxx")), "bare bytes, no protobuf around them: {last}");
    assert!(last.contains("wasm") && last.contains(&bech32(&two.address)), "{last}");
}

#[test]
fn contracts_make_contracts_migrate_them_and_hand_them_on() {
    let mut story = Story::new();
    let one = story.prober();
    let (code_id, code_hash) = (one.code_id, hex::encode(one.code_hash));
    let start = STANDARD.encode(r#"{"data":"aGk="}"#);
    let me = bech32(&one.address);
    let instantiate = json!({ "instantiate": { "code_id": code_id, "code_hash": code_hash, "msg": start, "label": "child", "admin": me } });
    let seen = story.sub(&one, &[("always", instantiate)]);
    assert_eq!(seen.error(), "");
    let child = from_bech32(&seen.event("instantiate")[0].1).expect("an address");
    let child = Made { address: child, ..one.clone() };
    let info = story.info(&child);
    assert_eq!((info.creator, info.admin, info.label.as_str()), (one.address, Some(one.address), "child"));
    // The history of what a contract made opens with the session of the user's own message.
    let history = &story.chain.host.leaves[&Leaf::History(child.address, 0)];
    let history: leaf::History = borsh::from_slice(history).expect("an entry");
    let opened = seen.session.expect("a session").open_message(&history.message).expect("sealed for the sender");
    assert_eq!(opened[64..], *br#"{"data":"aGk="}"#);

    let child_name = bech32(&child.address);
    let migrate =
        json!({ "migrate": { "contract": child_name, "code_id": code_id, "code_hash": code_hash, "msg": start } });
    let admin = json!({ "update_admin": { "contract": child_name, "admin": bech32(&account(2)) } });
    assert_eq!(story.sub(&one, &[("always", migrate.clone()), ("never", admin)]).error(), "");
    assert_eq!((story.info(&child).admin, story.info(&child).history), (Some(account(2)), 2));
    let refused = story.sub(&one, &[("never", migrate)]);
    assert!(refused.error().contains("requires migrate from admin"), "{}", refused.error());
}

#[test]
fn a_callee_with_other_code_or_no_callee_ends_the_transaction_even_if_a_reply_was_asked_for() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    let other = Made { code_hash: B256::repeat_byte(1), ..two.clone() };
    let nobody = Made { address: account(3), ..two };
    for callee in [other, nobody] {
        let seen = story.sub(&one, &[("always", callee.call(&write("k", "v")))]);
        let text = "dispatch: submessages: an sdk error occurred while sending a sub-message: ";
        assert!(seen.error().contains(text), "{}", seen.error());
    }
}

#[test]
fn calls_nest_to_a_depth_and_no_deeper() {
    let mut story = Story::new();
    let one = story.prober();
    let again = |story: &mut Story, depth: u32| {
        let session = story.session();
        let message = sealed(&session, one.code_hash, &json!({ "again": { "depth": depth } }));
        story.send_with_gas(vec![execution(1, one.address, message, 0)], 90_000_000)
    };
    assert_eq!(again(&mut story, 100).result.log, "");
    let deep = again(&mut story, 101);
    assert!(deep.result.log.ends_with("max call depth exceeded"), "{}", deep.result.log);
    assert_eq!(deep.result.code, 30);
}

#[test]
fn nothing_follows_a_finalised_transaction() {
    let mut story = Story::new();
    let one = story.prober();
    let seen = story.sub(&one, &[("never", json!({ "finalize": {} })), ("never", one.call(&write("a", "1")))]);
    assert_eq!(seen.error(), "");
    assert!(story.read(&one, "a").is_null(), "what comes after it in the same response is dropped");
    let (first, second) = (story.session(), story.session());
    let finalize = json!({ "sub": { "msgs": [{ "id": 1, "reply_on": "never", "msg": { "finalize": {} } }] } });
    let messages = vec![
        execution(1, one.address, sealed(&first, one.code_hash, &finalize), 0),
        execution(1, one.address, sealed(&second, one.code_hash, &write("a", "1")), 0),
    ];
    let seen = story.send(messages);
    assert!(seen.result.log.contains("message index: 1: Cannot send messages or submessages"), "{}", seen.result.log);
}

#[test]
fn a_call_that_is_undone_finalises_nothing() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    let finalize = STANDARD.encode(
        json!({ "sub": { "msgs": [{ "id": 1, "reply_on": "never", "msg": { "finalize": {} } }] } }).to_string(),
    );
    let finalize = json!({ "execute": { "contract": bech32(&one.address), "code_hash": hex::encode(one.code_hash), "msg": finalize } });
    let inner = json!({ "sub": { "msgs": [
        { "id": 1, "reply_on": "never", "msg": finalize },
        { "id": 2, "reply_on": "never", "msg": one.call(&fail("late")) },
    ] } });
    // What comes after the end fails, so the whole inner call does; that is caught, and the outer one goes on.
    let seen = story.sub(&one, &[("error", two.call(&inner)), ("never", two.call(&write("after", "1")))]);
    assert_eq!(seen.status, Status::Failed, "an error of the chain's is not told to a contract: {}", seen.error());
    let plain = json!({ "sub": { "msgs": [
        { "id": 1, "reply_on": "error", "msg": two.call(&inner) },
        { "id": 2, "reply_on": "never", "msg": two.call(&write("after", "1")) },
    ] } });
    let seen = story.send(vec![execution(1, one.address, plain.to_string().into_bytes(), 0)]);
    assert_eq!(seen.result.log, "");
    assert_eq!(story.read(&two, "after"), json!("1"));
}

#[test]
fn a_gas_limit_ends_one_call_and_not_the_transaction() {
    let mut story = Story::new();
    let one = story.prober();
    let to = bech32(&account(2));
    let sub = json!({ "sub": { "msgs": [
        { "id": 1, "reply_on": "error", "gas_limit": 100, "msg": { "send": { "to": to, "amount": [] } } },
        { "id": 2, "reply_on": "never", "msg": one.call(&write("k", "v")) },
    ] } });
    let seen = story.execute(&one, &sub);
    assert_eq!(seen.error(), "");
    let last = story.query(&one, &json!({ "last_reply": {} })).expect("a reply").to_string();
    assert!(last.contains("SubMsg hit gas limit"), "{last}");
    assert_eq!(story.read(&one, "k"), json!("v"));
}

#[test]
fn contracts_ask_each_other_and_the_chain() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    story.execute(&two, &write("k", "v"));
    let ask = |contract: &Made, question: &Value| {
        let msg = STANDARD.encode(question.to_string());
        json!({ "ask": { "contract": bech32(&contract.address), "code_hash": hex::encode(contract.code_hash), "msg": msg } })
    };
    let question = ask(&two, &json!({ "read": { "key": "k" } }));
    assert_eq!(story.execute(&one, &question).data(), br#"{"value":"v"}"#);
    assert_eq!(story.query(&one, &question), Ok(json!({ "value": "v" })));
    let other = Made { code_hash: B256::repeat_byte(1), ..two.clone() };
    assert!(story.query(&one, &ask(&other, &json!({}))).expect_err("wrong code").contains("failed to validate"));
    let chain = |request: Value| json!({ "chain": { "request": STANDARD.encode(request.to_string()) } });
    let balance = chain(json!({ "bank": { "balance": { "address": bech32(&account(2)), "denom": "uscrt" } } }));
    let answer = story.query(&one, &balance).expect("an answer");
    let inner = STANDARD.decode(answer["Ok"]["Ok"].as_str().expect("an answer")).expect("base64");
    let expected = format!(r#"{{"amount":{{"denom":"uscrt","amount":"{RICH}"}}}}"#);
    assert_eq!(String::from_utf8_lossy(&inner), expected);
    let missing = chain(json!({ "wasm": { "contract_info": { "contract_addr": bech32(&account(3)) } } }));
    assert!(story.query(&one, &missing).expect("an answer").to_string().contains("no_such_contract"));
    assert_eq!(
        story.query(&one, &chain(json!({ "staking": { "validators": {} } }))).expect("an answer"),
        json!({ "Err": { "unsupported_request": { "kind": "staking" } } })
    );
    let nest = |depth: u32| json!({ "nest": { "depth": depth } });
    assert!(story.query(&one, &nest(8)).is_ok());
    let deep = story.query(&one, &nest(9)).map(|answer| answer.to_string()).unwrap_or_else(|error| error);
    assert!(deep.contains("recursion"), "{deep}");
}

#[test]
fn random_numbers_differ_by_call_and_hang_on_the_block() {
    let mut story = Story::new();
    let one = story.prober();
    let random = json!({ "random": {} });
    let (first, second) = (story.session(), story.session());
    let messages =
        [&first, &second].map(|session| execution(1, one.address, sealed(session, one.code_hash, &random), 0));
    let seen = story.send(messages.to_vec());
    let drawn: Vec<String> = seen
        .messages()
        .iter()
        .flat_map(|event| &event.attributes)
        .filter(|(key, _)| key == "random")
        .map(|(_, value)| value.clone())
        .collect();
    assert_eq!(drawn.len(), 2);
    assert_ne!(drawn[0], drawn[1]);
    assert!(drawn.iter().all(|text| STANDARD.decode(text).expect("base64").len() == 32));
    let env = story.execute(&one, &json!({ "env": {} })).data();
    let env: Value = serde_json::from_slice(&env).expect("JSON");
    assert_eq!(env["info"]["sender"], json!(bech32(&account(1))));
    assert_eq!(env["env"]["transaction"]["index"], 0);
    assert_eq!(env["env"]["block"]["chain_id"], "test-1");
}
