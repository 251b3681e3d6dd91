//! Whatever arrives, the door answers in its dialect and stays open.

use cloister_chain::limits;
use serde_json::{Value, json};

use super::world::*;

const JSON: &str = "Content-Type: application/json\r\n";

/// Code of an error, or of the first one in the answer to a batch.
fn code(answer: &str) -> i64 {
    let answer: Value = serde_json::from_str(answer).unwrap_or_else(|_| panic!("not JSON: {answer}"));
    let answer = answer.get(0).unwrap_or(&answer);
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {answer}"))
}

#[tokio::test]
async fn bodies_that_are_no_request_have_the_codes_of_json_rpc() {
    let world = World::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, expected) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId""#, -32700),
        ("", -32700),
        ("hello", -32700),
        ("\u{0}", -32700),
        ("[", -32700),
        (&*deep, -32600),
        ("[]", -32600),
        ("{}", -32700),
        (r#"{"id":1}"#, -32600),
        ("42", -32700),
        (r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"debug_traceTransaction","params":["0x00"]}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{}}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance"}"#, -32602),
    ] {
        let (status, answer) = world.post(body.as_bytes(), JSON).await;
        assert!(status.starts_with("http/1.1 "), "{status}");
        let shown = &body[..body.len().min(60)];
        assert_eq!(code(&answer), expected, "{shown}: {answer}");
    }
    let (status, _) =
        world.post(br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#, "Content-Type: text/html\r\n").await;
    assert!(status.starts_with("http/1.1 415"), "{status}");
    assert_eq!(world.get("eth_chainId", json!([])).await, "0x6c11a0", "the door is open");
}

#[tokio::test]
async fn too_much_is_refused_and_not_kept() {
    let world = World::start().await;
    let one = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    let (_, answer) = world.post(format!("[{}]", [one; 1_001].join(",")).as_bytes(), JSON).await;
    assert_eq!(code(&answer), -32010, "{answer}");
    let (_, answer) = world.post(format!("[{}]", [one; 1_000].join(",")).as_bytes(), JSON).await;
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap().as_array().unwrap().len(), 1_000);
    let (status, answer) = world.post(&vec![b' '; limits::RPC_BODY_BYTES + 1], JSON).await;
    assert!(status.starts_with("http/1.1 413") && code(&answer) == -32007, "{status} {answer}");
}

#[tokio::test]
async fn a_browser_of_any_origin_may_ask() {
    let world = World::start().await;
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    let (status, answer) = world.post(body, &format!("{JSON}Origin: https://wallet.example\r\n")).await;
    assert!(status.contains("access-control-allow-origin: *"), "{status}");
    assert_eq!(answer, r#"{"jsonrpc":"2.0","id":1,"result":"0x6c11a0"}"#);
}

#[tokio::test]
async fn parameters_of_the_wrong_kind_are_invalid_params() {
    let world = World::start().await;
    let address = user(1);
    for (method, params) in [
        ("eth_getBalance", json!([])),
        ("eth_getBalance", json!(["0x1234", "latest"])),
        ("eth_getBalance", json!([7, "latest"])),
        ("eth_getBalance", json!([address, "newest"])),
        ("eth_getBalance", json!([address, "0x"])),
        ("eth_getBalance", json!([address, "12zz"])),
        ("eth_getBalance", json!([address, true])),
        ("eth_getBalance", json!([address, "0x10000000000000000"])),
        ("eth_getBalance", json!([address, { "blockHash": "0x12" }])),
        ("eth_getBalance", json!([address, { "blockHash": null, "blockNumber": "0x1" }])),
        ("eth_getBlockByNumber", json!([null, false])),
        ("eth_getBlockByNumber", json!(["latest", "yes"])),
        ("eth_getBlockByHash", json!(["0x12", false])),
        ("eth_getStorageAt", json!([address, "slot", "latest"])),
        ("eth_getStorageAt", json!([address, format!("0x{}", "1".repeat(65)), "latest"])),
        ("eth_getTransactionByHash", json!(["0x123"])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["latest", "first"])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["latest", -1])),
        ("eth_sendRawTransaction", json!(["0x123"])),
        ("eth_sendRawTransaction", json!(["0xzz"])),
        ("eth_sendRawTransaction", json!([{}])),
        ("eth_sendRawTransaction", json!([null])),
        ("eth_call", json!(["0x00"])),
        ("eth_call", json!([{ "to": "0x1" }, "latest"])),
        ("eth_call", json!([{ "value": "-1" }, "latest"])),
        ("eth_call", json!([{ "gas": "0x10000000000000000" }, "latest"])),
        ("eth_estimateGas", json!([{ "data": "0x1" }])),
        ("eth_feeHistory", json!(["many", "latest", []])),
        ("eth_feeHistory", json!(["0x1", "latest", ["half"]])),
        ("eth_getLogs", json!([])),
        ("eth_getLogs", json!([{ "fromBlock": "soon" }])),
        ("eth_getLogs", json!([{ "address": "0x12" }])),
        ("eth_getLogs", json!([{ "topics": [null, null, null, null, null] }])),
        ("eth_getLogs", json!([{ "topics": ["0x12"] }])),
        ("eth_getLogs", json!([{ "fromBlock": "0x1", "blockHash": format!("0x{}", "0".repeat(64)) }])),
        ("eth_getFilterChanges", json!(["one"])),
        ("eth_newPendingTransactionFilter", json!([true])),
        ("web3_sha3", json!(["0x1"])),
    ] {
        let (code, message) = world.refused(method, params.clone()).await;
        assert_eq!(code, -32602, "{method} {params}: {message}");
    }
    assert_eq!(world.get("eth_chainId", json!([])).await, "0x6c11a0", "the door is open");
}
