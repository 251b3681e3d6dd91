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
        loop {
            let run = runs.borrow_and_update().clone();
            if let Some(run) = run {
                match self.register(&run).await {
                    Ok(height) => tracing::info!(height, "the chain lists this run of the enclave"),
                    Err(error) => {
                        tracing::warn!(%error, "the enclave answers no contract's question until the chain lists its run");
                        tokio::time::sleep(PATIENCE).await;
                        continue;
                    }
                }
            }
            if runs.changed().await.is_err() {
                return;
            }
        }
    }

    /// The height of the registration.
    async fn register(&self, run: &Introduction) -> Result<u64, Error> {
        let owner: Wallet = testnet::operator(&self.home)?;
        let now = join::time(&light::Node::new(&self.rest)?, &self.genesis).await? / 1_000_000_000;
        let file = Some(self.home.join(COLLATERAL)).filter(|file| file.is_file());
        let registration = run.registration(enclaves::collateral(&self.genesis, file.as_deref(), now)?);
        let account = Account::new(owner, Client::new(&self.rest, &self.genesis.chain_id)?);
        Ok(account.transact(vec![register(account.address(), &registration)], register::GAS).await?.height)
    }
}

/// What the maker of the processor publishes, in a home; the operator keeps it up to date. A SIMULATED chain needs none.
const COLLATERAL: &str = "collateral.json";
/// Between two tries.
const PATIENCE: Duration = Duration::from_secs(2);
