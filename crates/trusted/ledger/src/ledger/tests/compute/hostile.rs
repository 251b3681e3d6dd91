//! Contracts that do harm: to their own transaction, and to nothing else.

use super::*;

#[test]
fn a_hostile_contract_hurts_only_its_own_transaction() {
    let mut story = Story::new();
    let one = story.prober();
    let victim = story.another(&one, "victim");
    let enclave = |text: &str| format!("Execution error: Enclave: {text}: execute contract failed");
    let (panicked, gas) = (enclave("the contract panicked"), "out of gas".to_owned());
    let stack = enclave("the contract has run out of space on the stack");
    let table = [
        (json!({ "loop": {} }), &gas),
        (json!({ "recurse": {} }), &stack),
        (json!({ "panic": {} }), &panicked),
        (json!({ "write_many": { "n": 1_000_000 } }), &gas),
        (json!({ "evaporate": { "amount": 4_000_000_000u32 } }), &gas),
    ];
    for (message, text) in table {
        let (bad, good) = (story.session(), story.session());
        let bad = execution(1, one.address, sealed(&bad, one.code_hash, &message), 0);
        let write = json!({ "write": { "key": "k", "value": message.to_string() } });
        let good = execution(2, victim.address, sealed(&good, victim.code_hash, &write), 0);
        let victims = story.chain.auth_sequence(account(2));
        let block = vec![
            signed(1, story.sequence, (2_000_000, 0, 0), vec![bad]),
            signed(2, victims, (2_000_000, 0, 0), vec![good]),
        ];
        story.sequence += 1;
        let receipts = story.chain.run(block).to_vec();
        let log = &receipts[0].cosmos.as_ref().expect("a Cosmos result").log;
        assert!(receipts[0].status == Status::Failed && log.contains(text.as_str()), "{message}: {log}");
        assert!(receipts[0].gas_used <= 2_000_000);
        assert_eq!(receipts[1].status, Status::Success, "{message}");
        assert_eq!(story.read(&victim, "k"), json!(message.to_string()));
    }
    assert_eq!(
        story.query(&one, &json!({ "loop": {} })),
        Err("Execution error: Enclave: execution ran out of gas".into())
    );
    assert_eq!(
        story.query(&one, &json!({ "panic": {} })),
        Err("Execution error: Enclave: the contract panicked".into())
    );
    assert_eq!(story.query(&one, &json!({ "fail": { "text": "no" } })), Err("no".into()));
}

#[test]
fn memory_ends_where_the_limit_is() {
    let mut story = Story::new();
    let one = story.prober();
    let seen = story.execute(&one, &json!({ "grow": {} }));
    assert_eq!(seen.status, Status::Failed);
    let data = story.execute(&one, &json!({ "big_data": { "n": 100_000 } }));
    assert_eq!(data.data().len(), 100_000);
    let too_much = story.execute(&one, &json!({ "big_data": { "n": 11_000_000 } }));
    assert_eq!(too_much.status, Status::Failed, "{}", too_much.result.log);
}

#[test]
fn gas_is_charged_for_work_and_evaporates_on_request() {
    let mut story = Story::new();
    let one = story.prober();
    let idle = story.execute(&one, &json!({ "evaporate": { "amount": 1 } })).gas_used;
    let busy = story.execute(&one, &json!({ "evaporate": { "amount": 100_001 } })).gas_used;
    assert!((99_900..=100_300).contains(&(busy - idle)), "{}", busy - idle);
    let few = story.execute(&one, &json!({ "write_many": { "n": 10 } })).gas_used;
    let many = story.execute(&one, &json!({ "write_many": { "n": 110 } })).gas_used;
    assert!(many - few > 100 * 2_000, "{}", many - few);
    let checked: u64 =
        serde_json::from_slice(&story.execute(&one, &json!({ "check_gas": {} })).data()).expect("a number");
    assert!(checked > 0);
}

#[test]
fn events_that_break_the_rules_fail_the_transaction() {
    let mut story = Story::new();
    let one = story.prober();
    let event = |kind: &str, key: &str, value: &str| {
        let attribute = json!({ "key": key, "value": value, "encrypted": false });
        json!({ "custom_event": { "kind": kind, "attributes": [attribute] } })
    };
    let good = story.execute(&one, &event(" happened ", " key ", "value"));
    assert_eq!(good.error(), "");
    let attributes = good.event("wasm-happened");
    assert_eq!(attributes[0], ("contract_address".into(), bech32(&one.address)));
    assert_eq!(attributes[1], ("key".into(), "value".into()));
    for message in [event("ab", "key", "value"), event("happened", "_key", "value"), event("happened", " ", "value")] {
        let seen = story.execute(&one, &message);
        assert_eq!((seen.result.code, seen.status), (21, Status::Failed), "{message}");
    }
    let empty = json!({ "custom_event": { "kind": "happened", "attributes": [] } });
    assert_eq!(story.execute(&one, &empty).result.code, 21);
    let attributes = json!([{ "key": "contract_address", "value": "mine", "encrypted": false }]);
    let claimed = story.execute(&one, &json!({ "attributes": { "attributes": attributes } }));
    assert_eq!(claimed.event("wasm").len(), 2, "nobody claims to be another contract");
}

#[test]
fn what_a_contract_says_is_paid_by_its_length() {
    let mut story = Story::new();
    let one = story.prober();
    let attribute = |length: usize| {
        let attribute = json!({ "key": "k", "value": "v".repeat(length), "encrypted": false });
        json!({ "attributes": { "attributes": [attribute] } })
    };
    let fail = |length: usize| json!({ "fail": { "text": "x".repeat(length) } });
    let data = |length: usize| json!({ "big_data": { "n": length } });
    let mut gas = |message: &Value| story.execute(&one, message).gas_used;
    // The transaction's own bytes are ten each.
    for longer in [gas(&attribute(50_001)) - gas(&attribute(1)), gas(&fail(50_001)) - gas(&fail(1))] {
        assert!(longer > 50_000 * (10 + 3), "{longer}");
    }
    let longer = gas(&data(50_001)) - gas(&data(1));
    assert!(longer > 50_000 * 3, "{longer}");
}
