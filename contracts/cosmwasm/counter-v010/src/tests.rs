#![allow(clippy::unwrap_used)]

use cosmwasm_std::testing::{mock_dependencies, mock_env, MockApi, MockQuerier, MockStorage};
use cosmwasm_std::{
    coins, from_binary, from_slice, log, plaintext_log, BankMsg, Binary, CosmosMsg, Extern, HandleResponse, HumanAddr,
    StdError, StdResult, WasmMsg,
};

use crate::contract::{handle, init, migrate, query};
use crate::{CountResponse, InitMsg};

type Chain = Extern<MockStorage, MockApi, MockQuerier>;

fn started(count: i32) -> Chain {
    let mut chain = mock_dependencies(20, &[]);
    let response = init(&mut chain, mock_env("alice", &[]), InitMsg { count }).unwrap();
    assert_eq!(response.log, [plaintext_log("action", "instantiate"), log("count", count)]);
    chain
}

fn call(chain: &mut Chain, msg: &str) -> StdResult<HandleResponse> {
    handle(chain, mock_env("alice", &[]), from_slice(msg.as_bytes())?)
}

fn answer(chain: &Chain) -> String {
    let answer = query(chain, from_slice(br#"{"get_count":{}}"#).unwrap()).unwrap();
    String::from_utf8(answer.0).unwrap()
}

#[test]
fn it_counts_and_answers_with_data_and_logs() {
    let mut chain = started(7);
    let response = call(&mut chain, r#"{"increment":{}}"#).unwrap();
    assert_eq!(response.log, [plaintext_log("action", "increment"), log("count", 8)]);
    assert_eq!(from_binary::<CountResponse>(&response.data.unwrap()).unwrap(), CountResponse { count: 8 });
    call(&mut chain, r#"{"reset":{"count":-3}}"#).unwrap();
    assert_eq!(answer(&chain), r#"{"count":-3}"#);
}

#[test]
fn what_it_cannot_do_are_errors_of_this_line() {
    let mut chain = started(i32::MAX);
    assert_eq!(call(&mut chain, r#"{"increment":{}}"#).unwrap_err(), StdError::generic_err("the count is full"));
    assert_eq!(call(&mut chain, r#"{"fail":{}}"#).unwrap_err(), StdError::generic_err("failed on request"));
    let StdError::ParseErr { target, msg, .. } = call(&mut chain, r#"{"reset":{}}"#).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!((target.as_str(), msg.as_str()), ("counter_v010::msg::HandleMsg", "missing field `count`"));
}

#[test]
fn it_calls_other_contracts_and_sends_its_coins() {
    let mut chain = started(0);
    let funds = r#""funds":[{"denom":"uscrt","amount":"3"}]"#;
    let call_json = format!(r#"{{"call":{{"contract":"other","code_hash":"h","msg":"e30=",{funds}}}}}"#);
    let execute = WasmMsg::Execute {
        contract_addr: HumanAddr::from("other"),
        callback_code_hash: "h".into(),
        msg: Binary(b"{}".to_vec()),
        send: coins(3, "uscrt"),
    };
    assert_eq!(call(&mut chain, &call_json).unwrap().messages, [CosmosMsg::from(execute)]);
    let send_json = r#"{"send":{"to":"bob","amount":[{"denom":"uscrt","amount":"4"}]}}"#;
    let from_address = mock_env("alice", &[]).contract.address;
    let send = BankMsg::Send { from_address, to_address: HumanAddr::from("bob"), amount: coins(4, "uscrt") };
    assert_eq!(call(&mut chain, send_json).unwrap().messages, [CosmosMsg::from(send)]);
}

#[test]
fn a_question_to_a_contract_that_is_not_there_is_an_error() {
    let question = br#"{"ask":{"contract":"nobody","code_hash":"h","msg":"e30="}}"#;
    let error = query(&started(0), from_slice(question).unwrap()).unwrap_err().to_string();
    assert!(error.contains("system error: No such contract: nobody"), "{error}");
}

#[test]
fn a_migration_keeps_the_count_unless_told_otherwise() {
    let mut chain = started(5);
    migrate(&mut chain, mock_env("alice", &[]), from_slice(b"{}").unwrap()).unwrap();
    assert_eq!(answer(&chain), r#"{"count":5}"#);
    let response = migrate(&mut chain, mock_env("alice", &[]), from_slice(br#"{"count":6}"#).unwrap()).unwrap();
    assert_eq!(response.log, [plaintext_log("action", "migrate"), log("count", 6)]);
    assert_eq!(answer(&chain), r#"{"count":6}"#);
}
