//! Has the chain list each run of a node's enclave, without which that answers no contract's question (M-04, M-06).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cloister_api::Backend;
use cloister_chain::Genesis;
use cloister_node::{Introduction, Node};
use cloister_sdk::cosmos::{Account, Client, register};
use cloister_sdk::{Wallet, light};
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::{enclaves, join, testnet};

/// Registers the enclave of `node`, and again whenever it was started anew, for the operator of the home. On a chain that does not
/// count questions no run has to be listed.
pub fn keep_listed(node: &Arc<Node>, rest: String, home: &Path) -> Option<JoinHandle<()>> {
    let genesis = node.genesis();
    if genesis.queries.is_none() || genesis.trust.is_none() {
        return None;
    }
    let registrar = Registrar { genesis: genesis.clone(), rest, home: home.into() };
    Some(tokio::spawn(registrar.run(Arc::clone(node))))
}

struct Registrar {
    genesis: Genesis,
    rest: String,
    home: PathBuf,
}

impl Registrar {
    async fn run(self, node: Arc<Node>) {
        let mut runs = node.introduced();
        let mut patience = PATIENCE;
        loop {
            let run = runs.borrow_and_update().clone();
            if let Some(run) = run {
                match self.register(&run).await {
                    Ok(()) => tracing::info!("the chain lists this run of the enclave"),
                    Err(error) => {
                        tracing::warn!(%error, "the enclave answers no contract's question until the chain lists its run");
                        tokio::time::sleep(patience).await;
                        // What a block refused cost a fee, and may be refused for long.
                        patience = (patience * 2).min(MOST_PATIENCE);
                        continue;
                    }
                }
            }
            patience = PATIENCE;
            if runs.changed().await.is_err() {
                return;
            }
        }
    }

    /// Returns when the chain lists the run.
    async fn register(&self, run: &Introduction) -> Result<(), Error> {
        let client = Client::new(&self.rest, &self.genesis.chain_id)?;
        // An earlier try may be in a block although its answer was lost.
        if client.encrypted_seed(run.boot_key()).await.is_ok() {
            return Ok(());
        }
        let owner: Wallet = testnet::operator(&self.home)?;
        let now = join::time(&light::Node::new(&self.rest)?, &self.genesis).await? / 1_000_000_000;
        let file = Some(self.home.join(COLLATERAL)).filter(|file| file.is_file());
        let registration = run.registration(enclaves::collateral(&self.genesis, file.as_deref(), now)?);
        let account = Account::new(owner, client);
        account.transact(vec![register(account.address(), &registration)], register::GAS).await?;
        Ok(())
    }
}

/// What the maker of the processor publishes, in a home; the operator keeps it up to date. A SIMULATED chain needs none.
const COLLATERAL: &str = "collateral.json";
/// Between two tries, at first and at most.
const PATIENCE: Duration = Duration::from_secs(2);
const MOST_PATIENCE: Duration = Duration::from_secs(10 * 60);
