//! Transactions from the client's bytes to the receipt.

use std::sync::Arc;

use alloy_consensus::TxLegacy;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{TxKind, hex};
use cloister_chain::{Address, Bytes, EthTx, U256};
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::core::params::BatchRequestBuilder;
use jsonrpsee::core::rpc_params;
use jsonrpsee_http_client::HttpClientBuilder;
use serde_json::{Value, json};

use super::world::*;

fn raw(tx: &EthTx) -> String {
    hex::encode_prefixed(tx.envelope().encoded_2718())
}

#[tokio::test]
async fn a_transaction_waits_and_is_mined() {
    let world = World::start().await;
    let (tx, later) = (transfer(1, 0), transfer(1, 2));
    assert_eq!(world.get("eth_sendRawTransaction", json!([raw(&tx)])).await, json!(tx.hash()));
    world.get("eth_sendRawTransaction", json!([raw(&later)])).await;

    let waiting = world.get("eth_getTransactionByHash", json!([tx.hash()])).await;
    assert_eq!((&waiting["blockHash"], &waiting["blockNumber"]), (&Value::Null, &Value::Null));
    assert_eq!(waiting["gasPrice"], "0x77359400", "until it is mined, the cap");
    assert_eq!(world.get("eth_getRawTransactionByHash", json!([tx.hash()])).await, raw(&tx));
    assert_eq!(world.get("eth_getTransactionReceipt", json!([tx.hash()])).await, Value::Null);
    assert_eq!(world.get("eth_getTransactionCount", json!([user(1), "latest"])).await, "0x0");
    assert_eq!(world.get("eth_getTransactionCount", json!([user(1), "pending"])).await, "0x1");
    assert_eq!(world.get("txpool_status", json!([])).await, json!({ "pending": "0x1", "queued": "0x1" }));
    let content = world.get("txpool_content", json!([])).await;
    let sender = user(1).to_string().to_lowercase();
    assert_eq!(content["pending"][&sender]["0"], waiting);
    assert_eq!(content["queued"][&sender]["2"]["hash"], json!(later.hash()));

    world.mine(&[(tx.clone(), Effect::default())]);
    let mined = world.get("eth_getTransactionByHash", json!([tx.hash()])).await;
    assert_eq!((&mined["blockNumber"], &mined["gasPrice"]), (&json!("0x1"), &json!("0x3be71540")));
    assert_eq!(world.get("eth_getRawTransactionByHash", json!([tx.hash()])).await, raw(&tx));
    assert_eq!(world.get("eth_getTransactionReceipt", json!([tx.hash()])).await["status"], "0x1");
    assert_eq!(world.get("txpool_status", json!([])).await, json!({ "pending": "0x0", "queued": "0x1" }));
}

#[tokio::test]
async fn the_pending_sequence_does_not_go_back_while_a_block_is_committed() {
    let world = Arc::new(World::start().await);
    let tx = transfer(1, 0);
    world.get("eth_sendRawTransaction", json!([raw(&tx)])).await;
    let count = json!([user(1), "pending"]);
    assert_eq!(world.get("eth_getTransactionCount", count.clone()).await, "0x1");
    let chain = Arc::clone(&world);
    *world.node.meanwhile.lock().unwrap() = Some(Box::new(move || {
        chain.mine(&[(tx, Effect::default())]);
    }));
    assert_eq!(world.get("eth_getTransactionCount", count).await, "0x1");
}

#[tokio::test]
async fn a_transaction_from_before_eip_155_is_taken() {
    let world = World::start().await;
    let old = TxLegacy {
        chain_id: None,
        gas_price: 1_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(Address::ZERO),
        ..Default::default()
    };
    let tx = send(1, old);
    assert_eq!(world.get("eth_sendRawTransaction", json!([raw(&tx)])).await, json!(tx.hash()));
}

#[tokio::test]
async fn what_the_mempool_refuses_has_the_texts_of_geth() {
    let world = World::start().await;
    world.mine(&[(transfer(2, 0), Effect::default())]);
    let known = transfer(1, 0);
    world.get("eth_sendRawTransaction", json!([raw(&known)])).await;
    let base = || call(0, Address::ZERO, b"");
    let changed = |change: &dyn Fn(&mut alloy_consensus::TxEip1559)| {
        let mut tx = base();
        change(&mut tx);
        send(3, tx)
    };
    for (tx, text) in [
        (known, "already known"),
        (transfer(2, 0), "nonce too low: next nonce 1, tx nonce 0"),
        (send(1, base()), "replacement transaction underpriced"),
        (changed(&|tx| tx.value = U256::from(1u128 << 100)), "insufficient funds for gas * price + value: balance"),
        (changed(&|tx| tx.gas_limit = 20_999), "intrinsic gas too low: gas 20999, minimum needed 21000"),
        (changed(&|tx| tx.gas_limit = 1_200_000_001), "exceeds block gas limit"),
        (
            changed(&|tx| (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (4_999_999, 0)),
            "max fee per gas less than block base fee",
        ),
        (
            changed(&|tx| tx.max_priority_fee_per_gas = 3_000_000_000),
            "max priority fee per gas higher than max fee per gas",
        ),
    ] {
        let (code, message) = world.refused("eth_sendRawTransaction", json!([raw(&tx)])).await;
        assert!(code == -32000 && message.starts_with(text), "{code} {message}, not {text}");
    }
    let tx = json!({ "from": user(1), "to": user(2), "value": "0x1" });
    let (code, message) = world.refused("eth_sendTransaction", json!([tx])).await;
    assert!(code == -32000 && message.starts_with("unknown account"), "{message}");
}

#[tokio::test]
async fn bytes_that_are_no_transaction_of_this_chain_are_named() {
    let world = World::start().await;
    let mut foreign = call(0, Address::ZERO, b"");
    foreign.chain_id = 1;
    let good = sign(1, call(0, Address::ZERO, b""));
    let mut overlong = good.clone();
    overlong.push(0);
    // The last 32 bytes are `s`; the curve's order less one is a high one.
    let mut high = good.clone();
    let s = high.len() - 32;
    high[s..].copy_from_slice(&hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"));
    for (bytes, text) in [
        (sign(1, foreign), "invalid chain id for signer: have 1 want 7082400"),
        (high, "invalid sender: invalid transaction v, r, s values"),
        (overlong, "rlp: "),
        (good[..good.len() - 1].to_vec(), "rlp: "),
        (vec![], "rlp: "),
        (vec![0xc0], "rlp: "),
        (vec![3, 0xc0], "transaction type not supported"),
        (vec![4, 0xc0], "transaction type not supported"),
        (vec![0x7f], "transaction type not supported"),
        (vec![0xff; 4 << 20], "oversized data: transaction of 4194304 bytes"),
    ] {
        let (code, message) = world.refused("eth_sendRawTransaction", json!([Bytes::from(bytes)])).await;
        assert!(code == -32000 && message.starts_with(text), "{code} {message}, not {text}");
    }
}

#[tokio::test]
async fn a_batch_of_a_hundred_is_answered_in_order() {
    let world = World::start().await;
    let client = HttpClientBuilder::default().build(format!("http://{}", world.door.address())).unwrap();
    let txs: Vec<EthTx> = (0..100).map(|nonce| transfer(1, nonce)).collect();
    let mut batch = BatchRequestBuilder::new();
    for tx in &txs {
        batch.insert("eth_sendRawTransaction", rpc_params![raw(tx)]).unwrap();
    }
    batch.insert("eth_sendRawTransaction", rpc_params!["0xc0"]).unwrap();
    batch.insert("eth_nothing", rpc_params![]).unwrap();
    let answers = client.batch_request::<Value>(batch).await.unwrap();
    let answers: Vec<_> = answers.into_iter().collect();
    for (tx, answer) in txs.iter().zip(&answers) {
        assert_eq!(answer.as_ref().unwrap(), &json!(tx.hash()));
    }
    let codes: Vec<i32> = answers[100..].iter().map(|answer| answer.as_ref().unwrap_err().code()).collect();
    assert_eq!(codes, [-32000, -32601]);
    assert_eq!(world.get("txpool_status", json!([])).await["pending"], "0x64");
}
