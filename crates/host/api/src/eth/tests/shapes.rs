//! The JSON of a block, a transaction and a receipt, byte for byte.

use alloy_consensus::{TxEip2930, TxLegacy};
use alloy_primitives::TxKind;
use cloister_chain::receipt::{Receipt, Refusal, Status};
use cloister_chain::{Address, U256};
use serde_json::{Value, json};

use super::world::*;

/// One block: a message with two events, a contract creation, a transfer that failed, one that was refused.
async fn chain() -> World {
    let world = World::start().await;
    let message = send(1, call(0, CONTRACT, b"\x01\x02\x03\x04"));
    let creation = send(
        2,
        TxLegacy {
            chain_id: None,
            nonce: 0,
            gas_price: 3_000_000_000,
            gas_limit: 90_000,
            to: TxKind::Create,
            value: U256::ZERO,
            input: contract_code(),
        },
    );
    let failed = send(
        3,
        TxEip2930 {
            chain_id: CHAIN,
            nonce: 0,
            gas_price: 1_000_000_000,
            gas_limit: 30_000,
            to: TxKind::Call(CONTRACT),
            ..Default::default()
        },
    );
    let refused = transfer(4, 9);
    world.mine(&[
        (message, Effect { gas: 50_000, logs: vec![event(&[1, 2], b"ab"), event(&[], b"")], ..Effect::default() }),
        (
            creation,
            Effect {
                gas: 80_000,
                contract: Some(Address::repeat_byte(0xdd)),
                logs: vec![event(&[9], b"c")],
                ..Effect::default()
            },
        ),
        (failed, Effect { status: Status::Failed, gas: 30_000, ..Effect::default() }),
        (refused, Effect { status: Status::Refused(Refusal::Sequence), gas: 0, ..Effect::default() }),
    ]);
    world
}

#[tokio::test]
async fn blocks_transactions_and_receipts_have_the_shape_that_clients_know() {
    let world = chain().await;
    let block = world.get("eth_getBlockByNumber", json!(["latest", false])).await;
    let genesis = world.get("eth_getBlockByNumber", json!(["0x0", false])).await;
    let full = world.get("eth_getBlockByNumber", json!(["latest", true])).await;
    let shown = json!({
        "block": block,
        "genesis": genesis,
        "transactions": full["transactions"],
        "receipts": world.get("eth_getBlockReceipts", json!(["latest"])).await,
    });
    // What the chain's own formats decide, and pin elsewhere, stands in the golden file by name.
    let mut text = serde_json::to_string_pretty(&shown).unwrap();
    for (name, value) in [
        ("hash of block 1", &block["hash"]),
        ("hash of block 0", &genesis["hash"]),
        ("hash of the genesis", &genesis["parentHash"]),
        ("size of block 1", &block["size"]),
        ("size of block 0", &genesis["size"]),
        ("transactions root of block 1", &block["transactionsRoot"]),
        ("receipts root of block 1", &block["receiptsRoot"]),
        ("root of nothing", &genesis["receiptsRoot"]),
    ] {
        text = text.replace(&value.to_string(), &format!("\"<{name}>\""));
    }
    let golden: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), golden, "{text}");
}

#[tokio::test]
async fn a_block_carries_what_our_header_commits_to() {
    let world = chain().await;
    let reader = world.node.store.reader().unwrap();
    let stored = reader.block(1).unwrap().unwrap().block;
    let receipts = reader.receipts(1).unwrap().unwrap();
    let before = world.get("eth_getBlockByNumber", json!(["0x1", false])).await;
    for (field, expected) in [
        ("hash", stored.header.hash()),
        ("transactionsRoot", stored.header.txs),
        ("receiptsRoot", Receipt::root(&receipts)),
        ("stateRoot", root(1)),
    ] {
        assert_eq!(before[field], json!(expected), "{field}");
    }
    assert_eq!(before["size"], json!(format!("{:#x}", borsh::to_vec(&stored).unwrap().len())));
    world.mine(&[]);
    let header = world.node.store.reader().unwrap().header(2).unwrap().unwrap();
    assert_eq!(
        (json!(header.state_root), json!(header.results)),
        (before["stateRoot"].clone(), before["receiptsRoot"].clone())
    );
    assert_eq!(world.get("eth_getBlockByNumber", json!(["0x1", false])).await, before, "a block never changes");
}

#[test]
fn a_block_shows_no_transaction_of_the_other_door_and_numbers_the_others_as_if_alone() {
    use crate::eth::view::{After, Mined};
    use cloister_chain::{Block, CosmosResult, Genesis, Header, Tx};

    let txs = [transfer(1, 0), transfer(2, 0)];
    let receipt = |tx: &cloister_chain::EthTx| Receipt {
        tx: tx.hash(),
        from: tx.sender(),
        status: Status::Success,
        gas_used: 21_000,
        gas_price: 1,
        contract: None,
        logs: vec![event(&[], b"event")],
        cosmos: None,
    };
    let other =
        Receipt { cosmos: Some(CosmosResult::default()), gas_used: 70_000, logs: Vec::new(), ..receipt(&txs[0]) };
    let [first, second] = txs.clone().map(|tx| Tx::Eth(tx).to_bytes());
    let bodies = vec![vec![2, 0xff].into(), first, vec![2, 0xfe].into(), second];
    let receipts = vec![other.clone(), receipt(&txs[0]), other, receipt(&txs[1])];
    let block =
        Block { header: Header::genesis(&Genesis::for_tests()), txs: bodies, parent: None, evidence: Vec::new() };
    let after = After { state_root: Default::default(), results: Default::default(), bloom: Default::default() };
    let mined = Mined::new(block, receipts, after, 1_000_000);

    assert_eq!((mined.receipts.len(), mined.gas_used()), (2, 42_000));
    assert_eq!([0, 1, 2, 3].map(|place| mined.index_of(place)), [None, Some(0), None, Some(1)]);
    let last = mined.receipt(1).expect("a receipt");
    assert_eq!((last.transaction_hash, last.transaction_index), (txs[1].hash(), Some(1)));
    assert_eq!((last.inner.cumulative_gas_used(), last.inner.logs()[0].log_index), (42_000, Some(1)));
    assert_eq!(mined.transaction(1).expect("a transaction").inner.tx_hash(), &txs[1].hash());
    assert_eq!(mined.transaction(2), None);
}
