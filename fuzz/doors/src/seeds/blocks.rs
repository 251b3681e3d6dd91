//! Blocks of calls to the contracts of the stage.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::bech32;

use crate::compute::told;
use crate::guest;
use crate::seeds::contracts;
use crate::signer::account;
use crate::stage::{Contract, STAGE};

const OLD_NOTHING: &str = r#"{"Ok":{"messages":[],"log":[]}}"#;
const NOTHING: &str = r#"{"Ok":{}}"#;

pub(super) fn all(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    let [echo, old, machine, _] = STAGE.contracts.as_slice() else { return };
    let mut add = |block: Vec<u8>| seeds.push(("cosmos_block", block));
    let to = bech32(&account(2));
    let messages = [
        call(old, OLD_NOTHING),
        call(echo, r#"{"Err":"no"}"#),
        call(echo, &response(&[call(echo, NOTHING)], "success")),
        call(machine, "-"),
        format!(r#"{{"bank":{{"send":{{"to_address":"{to}","amount":[{{"denom":"uscrt","amount":"5"}}]}}}}}}"#),
        r#"{"bank":{"burn":{"amount":[{"denom":"uscrt","amount":"5"}]}}}"#.into(),
        instantiate(echo, NOTHING),
        r#"{"finalize_tx":{}}"#.into(),
        r#"{"stargate":{"type_url":"/cosmos.bank.v1beta1.MsgSend","value":""}}"#.into(),
    ];
    for form in 0..4 {
        for reply in ["always", "error", "success", "never"] {
            add(told(0, form, 0, 0, 1, response(&messages[..4], reply).as_bytes()));
        }
        for message in &messages {
            add(told(0, form, 0, 0, 0, response(std::slice::from_ref(message), "always").as_bytes()));
        }
        add(told(1, form, 0, 2, 9, &contracts::write_and_read()[2..]));
        add(told(1, form, 1, 0, 9, NOTHING.as_bytes()));
        add(told(0, form, 2, 0, 0, NOTHING.as_bytes()));
        add(told(2, form, 0, 0, 0, br#"{"Ok":"e30="}"#));
    }
    for kind in 3..7 {
        add(told(0, 0, kind, 0, 3, &guest::echo(cloister_wasm::Version::V1)));
    }
    // Several transactions, and several messages in one.
    let one = told(0, 1, 0, 0x80, 0, NOTHING.as_bytes());
    let two = told(0, 2, 0, 1, 0, OLD_NOTHING.as_bytes());
    add([one.as_slice(), &two[1..], &two, &one].concat());
}

/// A response that sends these messages.
pub(crate) fn response(messages: &[String], reply_on: &str) -> String {
    let sub = |message: &String| format!(r#"{{"id":7,"msg":{message},"gas_limit":null,"reply_on":"{reply_on}"}}"#);
    let messages: Vec<String> = messages.iter().map(sub).collect();
    format!(
        r#"{{"Ok":{{"messages":[{}],"attributes":[{{"key":"k","value":"v"}}],"data":"AQID"}}}}"#,
        messages.join(",")
    )
}

/// A call of a contract.
pub(crate) fn call(contract: &Contract, message: &str) -> String {
    let (address, hash, message) =
        (bech32(&contract.address), hex::encode(contract.code_hash), STANDARD.encode(message));
    format!(
        r#"{{"wasm":{{"execute":{{"contract_addr":"{address}","code_hash":"{hash}","msg":"{message}","send":[]}}}}}}"#
    )
}

fn instantiate(contract: &Contract, message: &str) -> String {
    let (id, hash, message) = (contract.code_id, hex::encode(contract.code_hash), STANDARD.encode(message));
    format!(
        r#"{{"wasm":{{"instantiate":{{"admin":null,"code_id":{id},"code_hash":"{hash}","msg":"{message}","funds":[],"label":"new"}}}}}}"#
    )
}
