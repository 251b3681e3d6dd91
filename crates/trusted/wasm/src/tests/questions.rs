//! What contracts ask, and what they hear.

use super::World;
use super::wat::{code, db_write, import, region};
use crate::{Coin, Entry, HostError, QueryAnswer, QueryRequest, Trap, answers, gas};

/// Asks what its message says, and keeps the answer.
fn asking(world: &mut World, question: &[u8]) -> Result<String, Trap> {
    let imports = db_write() + &import("query_chain", "(param i32) (result i32)");
    let functions = region(1024, b"k")
        + r#"(func (export "execute") (param i32 i32 i32) (result i32)
            (call $db_write (i32.const 1024) (call $query_chain (local.get 2))) (i32.const 16))"#;
    world.call(&code(&imports, &functions), Entry::Execute, question).result?;
    Ok(String::from_utf8(world.at("k")).unwrap())
}

fn parsed(json: &str) -> QueryRequest {
    QueryRequest::parse(json.as_bytes()).unwrap()
}

#[test]
fn every_kind_of_question() {
    let text = str::to_owned;
    assert_eq!(
        parsed(r#"{"bank":{"balance":{"address":"a","denom":"d"}}}"#),
        QueryRequest::Balance { address: text("a"), denom: text("d") }
    );
    assert_eq!(
        parsed(r#"{"bank":{"all_balances":{"address":"a"}}}"#),
        QueryRequest::AllBalances { address: text("a") }
    );
    assert_eq!(
        parsed(r#"{"wasm":{"smart":{"contract_addr":"c","callback_code_hash":"h","msg":"e30="}}}"#),
        QueryRequest::Smart { contract: text("c"), code_hash: text("h"), message: b"{}".to_vec() }
    );
    assert_eq!(
        parsed(r#"{"wasm":{"raw":{"contract_addr":"c","key":"e30=","callback_code_hash":"h"}}}"#),
        QueryRequest::Raw { contract: text("c"), key: b"{}".to_vec() }
    );
    assert_eq!(
        parsed(r#"{"wasm":{"contract_info":{"contract_addr":"c"}}}"#),
        QueryRequest::ContractInfo { contract: text("c") }
    );
    assert_eq!(parsed(r#"{"staking":{"bonded_denom":{}}}"#), QueryRequest::BondedDenom);
    assert_eq!(
        parsed(r#"{"stargate":{"path":"/p","data":"e30="}}"#),
        QueryRequest::Stargate { path: text("/p"), data: b"{}".to_vec() }
    );
    for (json, kind) in [
        (r#"{"staking":{"all_delegations":{"delegator":"d"}}}"#, "staking"),
        (r#"{"dist":{"rewards":{"delegator":"d"}}}"#, "dist"),
        (r#"{"mint":{"inflation":{}}}"#, "mint"),
        (r#"{"gov":{"proposals":{}}}"#, "gov"),
        (r#"{"ibc":{"port_id":{}}}"#, "ibc"),
        (r#"{"custom":{}}"#, "custom"),
    ] {
        assert_eq!(parsed(json), QueryRequest::Unsupported(text(kind)));
    }
}

#[test]
fn a_question_reaches_the_host_and_its_answer_the_contract() {
    let mut world = World::answering(QueryAnswer::Ok(br#"{"a":1}"#.to_vec()));
    let heard = asking(&mut world, br#"{"bank":{"all_balances":{"address":"a"}}}"#);
    assert_eq!(heard.unwrap(), r#"{"Ok":{"Ok":"eyJhIjoxfQ=="}}"#);
    assert_eq!(world.asked, [QueryRequest::AllBalances { address: "a".into() }]);
}

#[test]
fn every_kind_of_answer() {
    let heard = |answer| asking(&mut World::answering(answer), br#"{"staking":{"bonded_denom":{}}}"#).unwrap();
    assert_eq!(
        heard(QueryAnswer::ContractError(answers::generic_error("a \"text\""))),
        r#"{"Ok":{"Err":{"generic_err":{"msg":"a \"text\""}}}}"#
    );
    assert_eq!(heard(QueryAnswer::ContractError("a text".into())), r#"{"Ok":{"Err":"a text"}}"#);
    // A text that happens to be JSON, but no object, is a text.
    assert_eq!(heard(QueryAnswer::ContractError("5".into())), r#"{"Ok":{"Err":"5"}}"#);
    assert_eq!(heard(QueryAnswer::NoSuchContract("c".into())), r#"{"Err":{"no_such_contract":{"addr":"c"}}}"#);
    assert_eq!(heard(QueryAnswer::Unsupported("gov".into())), r#"{"Err":{"unsupported_request":{"kind":"gov"}}}"#);
    assert_eq!(
        heard(QueryAnswer::InvalidResponse { error: "e".into(), response: b"hi".to_vec() }),
        r#"{"Err":{"invalid_response":{"error":"e","response":"aGk="}}}"#
    );
    assert_eq!(heard(QueryAnswer::TooDeep), r#"{"Err":{"exceeded_recursion_limit":{}}}"#);
    assert_eq!(heard(QueryAnswer::Unknown), r#"{"Err":{"unknown":{}}}"#);
}

#[test]
fn a_question_that_is_none_is_answered_here() {
    let mut world = World::new();
    let heard = asking(&mut world, b"{}").unwrap();
    assert!(heard.starts_with(r#"{"Err":{"invalid_request":{"error":"#), "{heard}");
    assert!(heard.ends_with(r#","request":"e30="}}}"#), "{heard}");
    assert!(asking(&mut world, br#"{"moon":{}}"#).unwrap().contains("unknown variant `moon`"));
    assert!(world.asked.is_empty());
    assert_eq!(gas::MALFORMED_QUERY, 500);
}

#[test]
fn a_question_that_costs_too_much_ends_the_call() {
    let question = br#"{"staking":{"bonded_denom":{}}}"#;
    let mut world = World { answer: Err(HostError::OutOfGas), ..World::new() };
    assert_eq!(asking(&mut world, question), Err(Trap::OutOfGas));
    let mut world = World { price: u64::MAX, ..World::answering(QueryAnswer::Unknown) };
    assert_eq!(asking(&mut world, question), Err(Trap::OutOfGas));
}

#[test]
fn the_chains_own_answers() {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let coin = Coin { denom: "uscrt".into(), amount: 5 };
    assert_eq!(text(answers::balance(&coin)), r#"{"amount":{"denom":"uscrt","amount":"5"}}"#);
    assert_eq!(text(answers::all_balances(&[coin])), r#"{"amount":[{"denom":"uscrt","amount":"5"}]}"#);
    assert_eq!(text(answers::bonded_denom("uscrt")), r#"{"denom":"uscrt"}"#);
    assert_eq!(
        text(answers::contract_info(3, "secret1x", Some("secret1y"))),
        r#"{"code_id":3,"creator":"secret1x","admin":"secret1y","pinned":false}"#
    );
    assert_eq!(
        text(answers::contract_info(3, "secret1x", None)),
        r#"{"code_id":3,"creator":"secret1x","pinned":false}"#
    );
}
