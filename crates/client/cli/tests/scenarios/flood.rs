//! A client that means no good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use cloister_sdk::{Bytes, Error, U256, Wallet};

use super::fabric::Namespace;
use super::reach::{Reach, block_on};

/// Junk and valid transactions, as fast as a node takes them.
pub struct Flood {
    stop: Arc<AtomicBool>,
    counts: Arc<[AtomicU64; 2]>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    pub fn at(node: &Reach) -> Self {
        let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new([AtomicU64::new(0), AtomicU64::new(0)]));
        let start = |kind: fn(Sender)| {
            let sender = Sender { node: node.clone(), stop: Arc::clone(&stop), counts: Arc::clone(&counts) };
            thread::spawn(move || {
                sender.node.namespace.iter().for_each(Namespace::enter);
                kind(sender);
            })
        };
        let threads = vec![start(|sender| block_on(junk(sender))), start(|sender| block_on(valid(sender)))];
        Self { stop, counts, threads }
    }

    /// Ends it. How many were refused, and how many were taken in.
    pub fn end(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let [refused, taken] = &*self.counts;
        (refused.load(Ordering::Relaxed), taken.load(Ordering::Relaxed))
    }
}

struct Sender {
    node: Reach,
    stop: Arc<AtomicBool>,
    counts: Arc<[AtomicU64; 2]>,
}

impl Sender {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn count<T>(&self, result: &Result<T, Error>) {
        match result {
            Ok(_) => self.counts[1].fetch_add(1, Ordering::Relaxed),
            Err(Error::Server(_) | Error::Door(_) | Error::Rejected(_)) => {
                self.counts[0].fetch_add(1, Ordering::Relaxed)
            }
            Err(other) => panic!("the node neither takes nor refuses: {other}"),
        };
    }
}

/// Bytes that are no transaction, at both doors.
async fn junk(sender: Sender) {
    let client = sender.node.client().await.unwrap();
    let cosmos = sender.node.cosmos_account(0);
    for round in 0_u32.. {
        if !sender.goes_on() {
            return;
        }
        let bytes: Vec<u8> = round.to_be_bytes().repeat(1 + round as usize % 4_096);
        sender.count(&client.send_raw(&Bytes::from(bytes.clone())).await);
        sender.count(&cosmos.client().broadcast(&bytes).await);
    }
}

/// Transfers of one account, without waiting for blocks.
async fn valid(sender: Sender) {
    let account = sender.node.account(7).await.unwrap();
    while sender.goes_on() {
        let request = cloister_sdk::Request {
            to: Some(Wallet::random().address()),
            value: U256::from(1),
            gas: 21_000,
            ..cloister_sdk::Request::default()
        };
        sender.count(&account.submit(request).await);
    }
}
