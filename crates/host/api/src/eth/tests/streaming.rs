//! Subscriptions over WebSocket, and closing the door.

use cloister_chain::{B256, Tx};
use jsonrpsee::core::client::{ClientT as _, Error, Subscription, SubscriptionClientT as _};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::core::rpc_params;
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};

use super::world::*;
use crate::Backend as _;

async fn connect(world: &World) -> WsClient {
    WsClientBuilder::default().build(format!("ws://{}", world.door.address())).await.unwrap()
}

async fn subscribe(client: &WsClient, params: ArrayParams) -> Subscription<Value> {
    client.subscribe("eth_subscribe", params, "eth_unsubscribe").await.unwrap()
}

async fn next(subscription: &mut Subscription<Value>) -> Value {
    subscription.next().await.unwrap().unwrap()
}

#[tokio::test]
async fn subscribers_see_every_block_and_its_events() {
    let world = World::start().await;
    let client = connect(&world).await;
    let mut heads = subscribe(&client, rpc_params!["newHeads"]).await;
    let topic = json!({ "topics": [B256::with_last_byte(2)] });
    let mut logs = subscribe(&client, rpc_params!["logs", topic]).await;
    let mut everything = subscribe(&client, rpc_params!["logs"]).await;
    world.mine(&[]);
    let effect = Effect { logs: vec![event(&[1], b""), event(&[2], b"")], ..Effect::default() };
    world.mine(&[(transfer(1, 0), effect)]);
    world.mine(&[]);
    for height in 1..=3 {
        let mut block = world.get("eth_getBlockByNumber", json!([format!("{height:#x}"), false])).await;
        let fields = block.as_object_mut().unwrap();
        fields.remove("transactions");
        fields.remove("uncles");
        assert_eq!(next(&mut heads).await, block, "a header is a block without its lists");
    }
    let found = world.get("eth_getLogs", json!([{ "fromBlock": "0x2", "toBlock": "0x2" }])).await;
    assert_eq!(next(&mut logs).await, found[1]);
    assert_eq!(next(&mut everything).await, found[0]);
    assert_eq!(next(&mut everything).await, found[1]);
}

#[tokio::test]
async fn subscribers_see_what_enters_the_mempool() {
    let world = World::start().await;
    let client = connect(&world).await;
    let mut hashes = subscribe(&client, rpc_params!["newPendingTransactions"]).await;
    let mut full = subscribe(&client, rpc_params!["newPendingTransactions", true]).await;
    let tx = transfer(1, 0);
    world.node.submit(Tx::Eth(tx.clone())).unwrap();
    assert_eq!(next(&mut hashes).await, json!(tx.hash()));
    assert_eq!(next(&mut full).await, world.get("eth_getTransactionByHash", json!([tx.hash()])).await);

    let quick = transfer(1, 1);
    world.node.submit(Tx::Eth(quick.clone())).unwrap();
    world.mine(&[(tx, Effect::default()), (quick.clone(), Effect::default())]);
    assert_eq!(next(&mut hashes).await, json!(quick.hash()));
    assert_eq!(next(&mut full).await["hash"], json!(quick.hash()), "though it waits no more");
}

#[tokio::test]
async fn subscribers_see_when_the_node_falls_behind() {
    let world = World::start().await;
    let client = connect(&world).await;
    let mut syncing = subscribe(&client, rpc_params!["syncing"]).await;
    world.mine(&[]);
    assert_eq!(next(&mut syncing).await, false);
    *world.node.behind.lock().unwrap() = Some(9);
    world.mine(&[]);
    assert_eq!(next(&mut syncing).await, true);
}

#[tokio::test]
async fn a_web_socket_has_every_method_and_hexadecimal_subscription_ids() {
    let world = World::start().await;
    let client = connect(&world).await;
    assert_eq!(client.request::<Value, _>("eth_chainId", rpc_params![]).await.unwrap(), "0x6c11a0");
    let id: String = client.request("eth_subscribe", rpc_params!["newHeads"]).await.unwrap();
    assert!(id.starts_with("0x") && id[2..].chars().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    assert!(client.request::<bool, _>("eth_unsubscribe", rpc_params![&id]).await.unwrap());
    assert!(!client.request::<bool, _>("eth_unsubscribe", rpc_params![&id]).await.unwrap());
    for params in [rpc_params!["transactionReceipts"], rpc_params!["nothing"], rpc_params!["logs", true], rpc_params![]]
    {
        let error = client.request::<Value, _>("eth_subscribe", params).await.unwrap_err();
        assert!(matches!(&error, Error::Call(call) if call.code() == -32602), "{error:?}");
    }
}

#[tokio::test]
async fn a_stopped_door_is_closed() {
    let world = World::start().await;
    let client = connect(&world).await;
    let mut heads = subscribe(&client, rpc_params!["newHeads"]).await;
    let address = world.door.address();
    world.door.stop().await;
    assert!(heads.next().await.is_none(), "the client is told");
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens");
}
