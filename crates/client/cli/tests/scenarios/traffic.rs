//! Clients that go on sending while nodes come and go, and remember what they were promised.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cloister_sdk::{B256, Error, U256, Wallet};

use super::fabric::Namespace;
use super::reach::{Reach, block_on, wait};

/// Senders, one for each node.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    confirmed: Arc<Mutex<Vec<B256>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// One sender at each node, with an account of its own: hardhat's, from the first on.
    pub fn at<'a>(nodes: impl IntoIterator<Item = &'a Reach>) -> Self {
        let (stop, confirmed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let send = |(index, node): (u32, &Reach)| {
            let (stop, confirmed, node) = (Arc::clone(&stop), Arc::clone(&confirmed), node.clone());
            thread::spawn(move || {
                node.namespace.iter().for_each(Namespace::enter);
                block_on(async {
                    while !stop.load(Ordering::Relaxed) {
                        // A node that is down, or that cannot decide: later again.
                        if let Ok(Ok(hash)) = tokio::time::timeout(GIVE_UP, transfer(&node, index)).await {
                            confirmed.lock().unwrap().push(hash);
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                });
            })
        };
        Self { threads: (0..).zip(nodes).map(send).collect(), stop, confirmed }
    }

    /// How many were confirmed by now.
    pub fn count(&self) -> usize {
        self.confirmed.lock().unwrap().len()
    }

    /// Waits until so many more are confirmed.
    pub fn confirms(&self, more: usize) {
        let goal = self.count() + more;
        wait(&format!("{more} more transactions are confirmed"), || self.count() >= goal);
    }

    /// Ends it, for the hashes of all that was confirmed.
    pub fn end(mut self) -> Vec<B256> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
        std::mem::take(&mut self.confirmed.lock().unwrap())
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn transfer(node: &Reach, account: u32) -> Result<B256, Error> {
    let sent = node.account(account).await?.transfer(Wallet::random().address(), U256::from(1)).await;
    match sent {
        Err(error @ Error::Reverted(_)) => panic!("{}: {error}", node.name),
        other => Ok(other?.transaction_hash),
    }
}

/// How long a sender waits for one transaction before it sends the next.
const GIVE_UP: Duration = Duration::from_secs(20);
/// Between two transactions of a sender: the machine has other things to do.
const PAUSE: Duration = Duration::from_millis(100);
