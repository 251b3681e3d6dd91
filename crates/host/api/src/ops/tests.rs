#![allow(clippy::unwrap_used)]

use std::time::Duration;

use cloister_chain::wire::NetworkKeys;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::Unavailable;
use crate::cosmos::tests::world::World;

const KEYS: NetworkKeys = NetworkKeys { io: [1; 32], registration: [2; 32], input: [3; 32], epoch: 0 };

#[tokio::test]
async fn status_says_where_the_chain_is_and_metrics_say_the_same() {
    let world = World::start().await;
    world.mine(&[]);
    world.mine(&[]);
    let door = serve(world.node.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let (code, body) = ask(&door, "/status").await;
    let status: Value = serde_json::from_str(&body).unwrap();
    let reader = world.node.store.reader().unwrap();
    assert_eq!((code, &status["height"], &status["simulated"]), (200, &json!(2), &json!(true)));
    assert_eq!(status["block"], json!(reader.header(2).unwrap().unwrap().hash()));
    assert_eq!(status["next_validators"]["count"], 1);
    assert_eq!(status["mempool"], json!({ "pending": 0, "queued": 0, "cosmos": 0 }));

    let (code, body) = ask(&door, "/metrics").await;
    assert_eq!(code, 200);
    assert!(body.contains("# TYPE cloister_height gauge\ncloister_height 2\n"), "{body}");
    assert!(body.contains("\ncloister_mempool_pending 0\n"), "{body}");
    assert!(body.ends_with("# EOF\n"));
    let (code, _) = ask(&door, "/somewhere").await;
    assert_eq!(code, 404);
}

#[tokio::test]
async fn a_node_is_healthy_while_its_enclave_answers_and_it_is_not_behind() {
    let world = World::start().await;
    let door = serve(world.node.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    *world.node.enclave.lock().unwrap() = Box::new(|_| Ok(Answer::NetworkKeys(KEYS)));
    assert_eq!(ask(&door, "/health").await, (200, r#"{"healthy":true}"#.into()));
    *world.node.behind.lock().unwrap() = Some(9);
    let (code, body) = ask(&door, "/health").await;
    assert!(code == 503 && body.contains("at block 0, behind the others, who are at 9"), "{code} {body}");
    *world.node.behind.lock().unwrap() = None;
    *world.node.enclave.lock().unwrap() = Box::new(|_| Err(Unavailable::Restarting));
    let (code, body) = ask(&door, "/health").await;
    assert!(code == 503 && body.contains("the enclave is restarting"), "{code} {body}");
}

#[test]
fn what_a_node_counts_is_what_prometheus_reads() {
    let vitals = Vitals::default();
    vitals.committed(3, Duration::from_secs(1), Duration::from_millis(2));
    vitals.committed(0, Duration::from_secs(5), Duration::from_millis(1));
    vitals.restarted();
    let mut registry = prometheus_client::registry::Registry::with_prefix("cloister");
    metrics::register(&mut registry, &vitals);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for line in [
        "cloister_blocks_total 2",
        "cloister_transactions_total 3",
        "cloister_enclave_restarts_total 1",
        "cloister_block_interval_seconds_sum 6.0",
        "cloister_block_execution_seconds_count 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

async fn ask(door: &ServerHandle, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(door.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
