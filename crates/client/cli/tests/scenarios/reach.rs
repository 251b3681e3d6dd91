//! The way to a node's doors, which may be in another network namespace.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

use cloister_sdk::light::Node as LightNode;
use cloister_sdk::{Account, Client, Error, HARDHAT_MNEMONIC, Wallet, cosmos};
use serde_json::Value;

use super::fabric::Namespace;

/// How to reach a node. Stays good while the node is down.
#[derive(Clone)]
pub struct Reach {
    pub name: String,
    pub chain_id: String,
    pub ethereum: String,
    pub cosmos: String,
    pub namespace: Option<Namespace>,
}

impl Reach {
    /// Runs something on a thread from where the node can be reached.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let entered = || {
            self.namespace.iter().for_each(Namespace::enter);
            work()
        };
        thread::scope(|scope| scope.spawn(entered).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Asks the node something.
    pub fn talk<T: Send>(&self, ask: impl AsyncFnOnce(&Reach) -> T + Send) -> T {
        // Of this thread alone: the runtime's own threads begin where theirs is.
        self.within(|| block_on(ask(self)))
    }

    /// Height of the last block, if the node can say.
    pub fn height(&self) -> Option<u64> {
        self.talk(async |node| {
            let ask = async { node.client().await?.height().await };
            tokio::time::timeout(Duration::from_secs(5), ask).await.ok()?.ok()
        })
    }

    /// What the Cosmos door says.
    pub fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.cosmos);
        let text = self.within(|| ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap());
        serde_json::from_str(&text).unwrap()
    }

    /// Waits until the node has a block.
    pub fn reaches(&self, height: u64) {
        wait(&format!("{} reaches block {height}", self.name), || self.height().is_some_and(|now| now >= height));
    }

    pub async fn client(&self) -> Result<Client, Error> {
        Client::connect(&self.ethereum).await
    }

    /// One of hardhat's accounts at the Ethereum door.
    pub async fn account(&self, index: u32) -> Result<Account, Error> {
        Ok(Account::new(wallet(index), self.client().await?))
    }

    /// The same at the Cosmos door.
    pub fn cosmos_account(&self, index: u32) -> cosmos::Account {
        cosmos::Account::new(wallet(index), cosmos::Client::new(&self.cosmos, &self.chain_id).unwrap())
    }

    pub fn light(&self) -> LightNode {
        LightNode::new(&self.cosmos).unwrap()
    }
}

/// One of hardhat's accounts, which are funded at both doors.
pub fn wallet(index: u32) -> Wallet {
    Wallet::from_mnemonic(HARDHAT_MNEMONIC, index).unwrap()
}

/// On this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Waits for something that has to come.
pub fn wait(what: &str, mut come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !come() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Far longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
