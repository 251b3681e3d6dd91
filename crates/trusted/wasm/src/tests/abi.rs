//! The JSON of responses, errors and replies, byte for byte.

use super::World;
use super::wat::returning;
use crate::response::{answer, response};
use crate::{
    Attribute, Coin, Entry, Event, Message, ReplyOn, ReplyResult, Response, Returned, SubMessage, Trap, Version,
    reply_message,
};

fn parsed(version: Version, json: &str) -> Response {
    match response(version, json.as_bytes()).unwrap() {
        Returned::Response(response) => response,
        other => panic!("not a response: {other:?}"),
    }
}

fn error(version: Version, json: &str) -> String {
    match response(version, json.as_bytes()).unwrap() {
        Returned::Error(error) => error.text,
        other => panic!("not an error: {other:?}"),
    }
}

fn message(json: &str) -> Message {
    let json = format!(
        r#"{{"Ok":{{"messages":[{{"id":0,"msg":{json},"gas_limit":null,"reply_on":"never"}}],"attributes":[],"events":[],"data":null}}}}"#
    );
    parsed(Version::V1, &json).messages.remove(0).message
}

#[test]
fn a_response_of_the_newer_line() {
    let json = r#"{"Ok":{
        "messages":[{"id":7,"msg":{"bank":{"burn":{"amount":[{"denom":"uscrt","amount":"5"}]}}},"gas_limit":100,
            "reply_on":"always","was_msg_encrypted":false}],
        "attributes":[{"key":"a","value":"b","encrypted":false},{"key":"c","value":"d","encrypted":true},{"key":"e","value":"f"}],
        "events":[{"type":"kind","attributes":[{"key":"g","value":"h","encrypted":false}]}],
        "data":"aGk="}}"#;
    let attribute = |key: &str, value: &str, encrypted| Attribute { key: key.into(), value: value.into(), encrypted };
    let burn = Message::Burn { amount: vec![Coin { denom: "uscrt".into(), amount: 5 }] };
    assert_eq!(
        parsed(Version::V1, json),
        Response {
            messages: vec![SubMessage { id: 7, message: burn, gas_limit: Some(100), reply_on: ReplyOn::Always }],
            attributes: vec![attribute("a", "b", false), attribute("c", "d", true), attribute("e", "f", true)],
            events: vec![Event { kind: "kind".into(), attributes: vec![attribute("g", "h", false)] }],
            data: Some(b"hi".to_vec()),
        }
    );
}

#[test]
fn a_response_of_the_older_line() {
    let json = r#"{"Ok":{"messages":[{"bank":{"send":{"from_address":"me","to_address":"you",
        "amount":[{"denom":"uscrt","amount":"5"}]}}}],"log":[{"key":"a","value":"b","encrypted":true}],"data":null}}"#;
    let send = Message::Send {
        from: Some("me".into()),
        to: "you".into(),
        amount: vec![Coin { denom: "uscrt".into(), amount: 5 }],
    };
    assert_eq!(
        parsed(Version::V010, json),
        Response {
            messages: vec![SubMessage { id: 0, message: send, gas_limit: None, reply_on: ReplyOn::Never }],
            attributes: vec![Attribute { key: "a".into(), value: "b".into(), encrypted: true }],
            ..Response::default()
        }
    );
}

#[test]
fn the_older_line_has_no_members_of_its_own_making() {
    let json = br#"{"Ok":{"messages":[],"log":[],"data":null,"attributes":[]}}"#;
    assert!(response(Version::V010, json).is_err());
    // Each line's response is not the other's.
    assert!(response(Version::V010, br#"{"Ok":{"messages":[],"attributes":[],"events":[],"data":null}}"#).is_err());
    assert!(response(Version::V1, br#"{"ok":{"messages":[],"attributes":[],"events":[],"data":null}}"#).is_err());
}

#[test]
fn every_kind_of_message() {
    let funds = || vec![Coin { denom: "uscrt".into(), amount: 1 }];
    let (contract, code_hash, bytes) = (|| "c".to_owned(), || "h".to_owned(), || b"{}".to_vec());
    let send = r#"[{"denom":"uscrt","amount":"1"}]"#;
    assert_eq!(
        message(&format!(
            r#"{{"wasm":{{"execute":{{"contract_addr":"c","code_hash":"h","msg":"e30=","send":{send}}}}}}}"#
        )),
        Message::Execute { contract: contract(), code_hash: code_hash(), message: bytes(), funds: funds() }
    );
    assert_eq!(
        message(&format!(
            r#"{{"wasm":{{"execute":{{"contract_addr":"c","callback_code_hash":"h","msg":"e30=","send":{send}}}}}}}"#
        )),
        Message::Execute { contract: contract(), code_hash: code_hash(), message: bytes(), funds: funds() }
    );
    assert_eq!(
        message(&format!(
            r#"{{"wasm":{{"instantiate":{{"admin":"a","code_id":3,"code_hash":"h","msg":"e30=","send":{send},"label":"l"}}}}}}"#
        )),
        Message::Instantiate {
            admin: Some("a".into()),
            code_id: 3,
            code_hash: code_hash(),
            message: bytes(),
            funds: funds(),
            label: "l".into()
        }
    );
    assert_eq!(
        message(
            r#"{"wasm":{"instantiate":{"code_id":3,"callback_code_hash":"h","msg":"e30=","send":[],"label":"l"}}}"#
        ),
        Message::Instantiate {
            admin: None,
            code_id: 3,
            code_hash: code_hash(),
            message: bytes(),
            funds: Vec::new(),
            label: "l".into()
        }
    );
    assert_eq!(
        message(r#"{"wasm":{"migrate":{"contract_addr":"c","code_hash":"h","code_id":4,"msg":"e30="}}}"#),
        Message::Migrate { contract: contract(), code_hash: code_hash(), code_id: 4, message: bytes() }
    );
    assert_eq!(
        message(r#"{"wasm":{"update_admin":{"contract_addr":"c","admin":"a","callback_sig":null}}}"#),
        Message::UpdateAdmin { contract: contract(), admin: "a".into() }
    );
    assert_eq!(
        message(r#"{"wasm":{"clear_admin":{"contract_addr":"c","callback_sig":null}}}"#),
        Message::ClearAdmin { contract: contract() }
    );
    assert_eq!(
        message(r#"{"bank":{"send":{"to_address":"you","amount":[]}}}"#),
        Message::Send { from: None, to: "you".into(), amount: Vec::new() }
    );
    assert_eq!(
        message(r#"{"stargate":{"type_url":"/x","value":"e30="}}"#),
        Message::Stargate { type_url: "/x".into(), value: bytes() }
    );
    assert_eq!(message(r#"{"finalize_tx":{}}"#), Message::FinalizeTx);
    for kind in ["staking", "distribution", "gov", "ibc", "custom"] {
        let anything = format!(r#"{{"{kind}":{{"anything":[1,{{"at":"all"}}]}}}}"#);
        assert_eq!(message(&anything), Message::Unsupported(kind));
    }
}

#[test]
fn amounts_are_decimal_texts_that_fit() {
    let burn = |amount: &str| {
        let json = format!(
            r#"{{"Ok":{{"messages":[{{"bank":{{"burn":{{"amount":[{{"denom":"d","amount":{amount}}}]}}}}}}],"log":[],"data":null}}}}"#
        );
        response(Version::V010, json.as_bytes()).is_ok()
    };
    assert!(burn(r#""340282366920938463463374607431768211455""#));
    for wrong in [r#""340282366920938463463374607431768211456""#, "5", r#""-1""#, r#""""#, r#""1.0""#] {
        assert!(!burn(wrong), "{wrong}");
    }
}

#[test]
fn an_error_of_the_newer_line_is_the_body_of_a_json_text() {
    assert_eq!(
        error(Version::V1, r#"{"Err":"Generic error: insufficient funds"}"#),
        "Generic error: insufficient funds"
    );
    assert_eq!(
        error(Version::V1, r#"{"Err":"unknown variant `yolo`,\n say \"nop\" now"}"#),
        r#"unknown variant `yolo`,\n say \"nop\" now"#
    );
    // Every quote at an end goes, so that the escape of the last one is left alone.
    assert_eq!(error(Version::V1, r#"{"Err":"say \"nop\""}"#), r#"say \"nop\"#);
}

#[test]
fn an_error_of_the_older_line_is_a_json_object_in_alphabetical_order() {
    assert_eq!(
        error(Version::V010, r#"{"Err":{"generic_err":{"msg":"insufficient funds: balance=1, required=2"}}}"#),
        r#"{"generic_err":{"msg":"insufficient funds: balance=1, required=2"}}"#
    );
    assert_eq!(
        error(
            Version::V010,
            r#"{"Err":{"parse_err":{"target":"snip20_reference_impl::msg::InitMsg","msg":"missing field `name`"}}}"#
        ),
        r#"{"parse_err":{"msg":"missing field `name`","target":"snip20_reference_impl::msg::InitMsg"}}"#
    );
    let sorted = r#"{"underflow":{"minuend":"1","subtrahend":"2"}}"#;
    assert_eq!(error(Version::V010, r#"{"Err":{"underflow":{"subtrahend":"2","minuend":"1"}}}"#), sorted);
}

#[test]
fn an_answer_may_be_written_either_way() {
    for json in [r#"{"Ok":"aGk="}"#, r#"{"ok":"aGk="}"#] {
        assert_eq!(answer(json.as_bytes()).unwrap(), Returned::Answer(b"hi".to_vec()));
    }
    let json = br#"{"Err":{"parse_err":{"target":"snip20_reference_impl::msg::QueryMsg","msg":"unknown variant"}}}"#;
    let Returned::Error(error) = answer(json).unwrap() else { panic!("an error") };
    assert_eq!(
        error.text,
        r#"{"parse_err":{"msg":"unknown variant","target":"snip20_reference_impl::msg::QueryMsg"}}"#
    );
}

#[test]
fn a_contract_returns_its_error_through_its_memory() {
    let result = World::new().call(&returning(br#"{"Err":"no"}"#), Entry::Execute, b"{}").result;
    assert_eq!(result, Ok(Returned::Error(crate::ContractError { text: "no".into() })));
    let result = World::new().call(&returning(br#"{"Err":5"#), Entry::Execute, b"{}").result;
    assert_eq!(result, Err(Trap::Malformed));
}

#[test]
fn replies() {
    let events = vec![("wasm".to_owned(), vec![("contract_address".to_owned(), "secret1x".to_owned())])];
    let golden = |result: &ReplyResult| String::from_utf8(reply_message(7, result)).unwrap();
    assert_eq!(
        golden(&ReplyResult::Ok { events, data: Some(b"hi".to_vec()) }),
        concat!(
            r#"{"id":7,"result":{"ok":{"events":[{"type":"wasm","attributes":"#,
            r#"[{"key":"contract_address","value":"secret1x"}]}],"data":"aGk="}}}"#
        )
    );
    assert_eq!(
        golden(&ReplyResult::Ok { events: Vec::new(), data: None }),
        r#"{"id":7,"result":{"ok":{"events":[],"data":null}}}"#
    );
    assert_eq!(golden(&ReplyResult::Error("a \"text\"".into())), r#"{"id":7,"result":{"error":"a \"text\""}}"#);
}
