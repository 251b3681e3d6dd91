//! Messages that are tried: what the enclave is asked, and what its answers become.

use std::sync::{Arc, Mutex};

use alloy_primitives::{U256 as Number, hex};
use alloy_sol_types::{Panic, Revert, SolError as _};
use cloister_chain::wire::{Answer, Call, Failure, Query, QueryAt, QueryRefusal};
use cloister_chain::{Address, Bytes, U256};
use serde_json::{Value, json};

use super::world::*;
use crate::Unavailable;

/// Asks, and gives what the enclave was asked.
async fn asked(world: &World, method: &str, params: Value) -> QueryAt {
    let seen = Arc::new(Mutex::new(None));
    let note = seen.clone();
    world.enclave(move |question| {
        let answer = match &question.query {
            Query::Estimate(_) => Answer::Estimated(21_000),
            _ => Answer::Returned { output: Bytes::from_static(&[1]), gas_used: 5 },
        };
        *note.lock().unwrap() = Some(question);
        Ok(answer)
    });
    let answer = world.get(method, params).await;
    assert_eq!(answer, if method == "eth_call" { "0x01" } else { "0x5208" });
    seen.lock().unwrap().take().unwrap()
}

#[tokio::test]
async fn a_message_reaches_the_enclave_as_the_client_meant_it() {
    let world = World::start().await;
    world.mine(&[]);
    let message = json!({ "from": user(1), "to": CONTRACT, "value": "0x5", "data": "0x0102", "gas": "0x5208",
        "gasPrice": "0x9", "nonce": "0x0", "type": "0x0", "chainId": "0x6c11a0" });
    let expected = Call {
        from: user(1),
        to: Some(CONTRACT),
        value: U256::from(5),
        data: Bytes::from_static(&[1, 2]),
        gas: Some(21_000),
        gas_price: Some(9),
    };
    let question = asked(&world, "eth_call", json!([message, "latest"])).await;
    assert_eq!((question.height, question.query), (None, Query::Call(expected.clone())));
    let question = asked(&world, "eth_estimateGas", json!([message])).await;
    assert_eq!((question.height, question.query), (None, Query::Estimate(expected)), "without a tag");

    let question = asked(&world, "eth_call", json!([{ "input": "0x6000", "gasPrice": "0x0" }, "0x0", {}, null])).await;
    let creation = Call { data: Bytes::from_static(&hex!("6000")), ..Call::default() };
    assert_eq!((question.height, question.query), (Some(0), Query::Call(creation)), "no callee, no price");

    let fees = json!({ "to": CONTRACT, "maxFeePerGas": "0x7", "maxPriorityFeePerGas": "0x1" });
    let question = asked(&world, "eth_call", json!([fees, "pending"])).await;
    let priced = Call { to: Some(CONTRACT), gas_price: Some(7), ..Call::default() };
    assert_eq!((question.height, question.query), (None, Query::Call(priced)));
}

#[tokio::test]
async fn a_message_that_makes_no_sense_does_not_reach_the_enclave() {
    let world = World::start().await;
    world.enclave(|question| panic!("asked {question:?}"));
    let fine = json!({ "to": CONTRACT });
    for (params, code, text) in [
        (json!([fine, "0x9"]), -32000, "header not found"),
        (
            json!([fine, "latest", { CONTRACT.to_string(): { "balance": "0x1" } }]),
            -32602,
            "state and block overrides are not supported",
        ),
        (json!([fine, "latest", {}, { "number": "0x1" }]), -32602, "state and block overrides are not supported"),
        (
            json!([{ "data": "0x01", "input": "0x02" }, "latest"]),
            -32602,
            "both \"data\" and \"input\" are set and not equal",
        ),
        (json!([{ "gasPrice": "0x1", "maxFeePerGas": "0x1" }, "latest"]), -32602, "both gasPrice and (maxFeePerGas"),
        (json!([{ "chainId": "0x1" }, "latest"]), -32602, "chainId does not match the node's"),
    ] {
        for method in ["eth_call", "eth_estimateGas"] {
            let error = world.refused(method, params.clone()).await;
            assert!(error.0 == code && error.1.starts_with(text), "{error:?}, not {text}");
        }
    }
}

#[tokio::test]
async fn what_the_enclave_refuses_becomes_the_errors_of_geth() {
    let world = World::start().await;
    let reason = Bytes::from(Revert::from("not yours").abi_encode());
    let panic = Bytes::from(Panic { code: Number::from(0x11) }.abi_encode());
    let strange = Bytes::from(Panic { code: Number::from(0x99) }.abi_encode());
    let custom = Bytes::from_static(&hex!("deadbeef"));
    // An `Error(string)` whose length lies.
    let broken = Bytes::from([&Revert::SELECTOR[..], &[0xff; 64]].concat());
    let plain = |text: &str| (-32000, text.to_string(), None);
    let revert = |text: &str, data: &Bytes| (3, text.to_string(), Some(json!(data)));
    for (answer, call, estimate) in [
        (Answer::Reverted(Bytes::new()), plain("execution reverted"), None),
        (Answer::Reverted(reason.clone()), revert("execution reverted: not yours", &reason), None),
        (Answer::Reverted(panic.clone()), revert("execution reverted: arithmetic underflow or overflow", &panic), None),
        (Answer::Reverted(strange.clone()), revert("execution reverted: unknown panic code: 0x99", &strange), None),
        (Answer::Reverted(custom.clone()), revert("execution reverted", &custom), None),
        (Answer::Reverted(broken.clone()), revert("execution reverted", &broken), None),
        (Answer::Failed(Failure::OutOfGas), plain("out of gas"), Some(plain("gas required exceeds allowance"))),
        (Answer::Failed(Failure::Funds), plain("insufficient funds for gas * price + value"), None),
        (Answer::Failed(Failure::Fault), plain("invalid opcode, or another fault of the code"), None),
        (Answer::Refused(QueryRefusal::NotReady), plain("the node is starting"), None),
        (Answer::Refused(QueryRefusal::Fault), plain("the query failed inside the enclave"), None),
        (
            Answer::Refused(QueryRefusal::Height),
            plain("missing trie node: the state of that block is not kept for queries"),
            None,
        ),
    ] {
        let says = answer.clone();
        world.enclave(move |_| Ok(says.clone()));
        let message = json!([{ "to": CONTRACT }]);
        assert_eq!(world.ask("eth_call", message.clone()).await, Err(call.clone()), "{answer:?}");
        assert_eq!(world.ask("eth_estimateGas", message).await, Err(estimate.unwrap_or(call)), "{answer:?}");
    }
    world.enclave(|_| Err(Unavailable::Busy));
    let busy = "too many queries are waiting, try again later".to_string();
    assert_eq!(world.refused("eth_call", json!([{ "to": CONTRACT }])).await, (-32000, busy));
    world.enclave(|_| Ok(Answer::UserKey(cloister_chain::wire::Key([0x42; 16]))));
    let other = world.ask("eth_call", json!([{ "to": Address::ZERO }])).await;
    assert_eq!(other, Err((-32603, "internal error".into(), None)), "an answer to another question is told to nobody");
}
