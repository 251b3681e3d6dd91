//! A node: what the doors see, and how it starts and stops.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use cloister_api::{Backend, Unavailable};
use cloister_chain::genesis::GenesisError;
use cloister_chain::wire::{Answer, Lockdown, QueryAt};
use cloister_chain::{Address, B256, Genesis, Leaf, Tx};
use cloister_consensus::{Admission, Granter, Limits, Mempool, Solo, Standing, SubmitError};
use cloister_store::{Reader, Store, StoreError};
use thiserror::Error;
use tokio::sync::{broadcast, watch};

use crate::blocks::Blocks;
use crate::enclave::EnclaveError;
use crate::home::Home;
use crate::queries::Queries;
use crate::signal::Signal;
use crate::spawn::Spawner;

/// What a node needs to start.
pub struct Config {
    /// The chain. If the home holds one already, it has to be this one.
    pub genesis: Genesis,
    /// Keys, and the directory of the store.
    pub home: Home,
    /// Makes a block this long after the last one, even of nothing. Transactions do not wait for it.
    pub block_time: Option<Duration>,
    /// Starts the enclave: usually [`crate::process`].
    pub enclave: Spawner,
}

/// Why a node does not start, or stops by itself.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The genesis breaks a rule.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The genesis has several validators.
    #[error("a chain with {0} validators needs consensus: this program runs chains with one")]
    Validators(usize),
    /// The genesis has one validator, and it is not this node.
    #[error("this node's validator key is not the one of the genesis")]
    Stranger,
    /// The store failed, or is of another chain.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The enclave does not start or does not come back.
    #[error(transparent)]
    Enclave(#[from] EnclaveError),
    /// The enclave refused a block.
    #[error("block {height} ({block}): {source}")]
    Halted {
        /// Its height.
        height: u64,
        /// Its hash.
        block: B256,
        /// The refusal.
        source: EnclaveError,
    },
    /// The enclave died of one block again and again.
    #[error("block {height} ({block}) killed the enclave {deaths} times: the node stops in front of it")]
    Deadly {
        /// Its height.
        height: u64,
        /// Its hash.
        block: B256,
        /// How often it was tried.
        deaths: u32,
    },
    /// The system gives no more threads.
    #[error("no thread for the blocks: {0}")]
    Thread(#[source] io::Error),
    /// The block loop ended by a fault of this program.
    #[error("the block loop ended by a fault of this program")]
    Fault,
}

/// A running node. Dropping it stops it.
pub struct Node {
    pub(crate) shared: Arc<Shared>,
    lockdown: Lockdown,
    ended: watch::Receiver<Ended>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How a node ended; `None` while it runs.
type Ended = Option<Result<(), Arc<NodeError>>>;

/// What the block loop and the doors share.
pub(crate) struct Shared {
    pub(crate) genesis: Genesis,
    pub(crate) store: Arc<Store>,
    pub(crate) mempool: Mempool,
    pub(crate) queries: Arc<Queries>,
    pub(crate) signal: Arc<Signal>,
    pub(crate) heads: watch::Sender<u64>,
    pub(crate) arrivals: broadcast::Sender<B256>,
}

impl Node {
    /// Starts a node and returns when it is ready: the enclave is locked down and at the tip of the store.
    pub fn start(config: Config) -> Result<Self, NodeError> {
        let Config { genesis, home, block_time, enclave } = config;
        genesis.check()?;
        let solo = solo(&genesis, &home)?;
        let store = Arc::new(Store::create(home.directory.as_deref(), &genesis)?);
        let signal = Arc::new(Signal::default());
        let limits = Limits { block_gas: genesis.evm_gas, sdk_gas: genesis.sdk_gas, ..Limits::default() };
        let shared = Arc::new(Shared {
            mempool: Mempool::new(&genesis.chain_id, limits, 0),
            queries: Queries::new(Arc::clone(&store), Arc::clone(&signal)),
            heads: watch::Sender::new(0),
            arrivals: broadcast::Sender::new(ARRIVALS),
            genesis,
            store,
            signal,
        });
        let start = Blocks::start(Arc::clone(&shared), enclave, home.sealing, solo, block_time);
        let (blocks, lockdown) = start.inspect_err(|_| shared.queries.close())?;
        let (end, ended) = watch::channel(None);
        let run = {
            let shared = Arc::clone(&shared);
            move || {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| blocks.run()));
                let result = result.unwrap_or(Err(NodeError::Fault)).map_err(Arc::new);
                if let Err(error) = &result {
                    tracing::error!(%error, "the node stops");
                }
                shared.queries.close();
                end.send_replace(Some(result));
            }
        };
        let thread = thread::Builder::new().name("blocks".into()).spawn(run).map_err(NodeError::Thread)?;
        Ok(Self { shared, lockdown, ended, thread: Mutex::new(Some(thread)) })
    }

    /// Finishes the block under way, ends the enclave, and returns when both are done. Everything that was confirmed is on
    /// disk already. Blocks its thread.
    pub fn stop(&self) {
        self.shared.signal.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A fault in the thread is reported by [`Node::ended`].
            let _ = thread.join();
        }
    }

    /// Returns when the node has stopped: because it was told to, or because it cannot go on.
    pub async fn ended(&self) -> Result<(), Arc<NodeError>> {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or(Ok(())),
            Err(_) => Err(Arc::new(NodeError::Fault)),
        }
    }

    /// Which walls stand around the enclave.
    pub fn lockdown(&self) -> Lockdown {
        self.lockdown
    }

    /// The signers' accounts, all of one height, and the base fee that a transaction has to meet.
    fn admission(&self, tx: &Tx) -> Result<Admission, StoreError> {
        let reader = self.shared.store.reader()?;
        let head = reader.head()?.ok_or(StoreError::Missing)?;
        let (height, base_fee) = (head.height, head.next_base_fee);
        let standings = signers(tx).into_iter().map(|signer| standing(&reader, &signer, height));
        let signers = standings.collect::<Result<_, _>>()?;
        Ok(Admission { signers, height, base_fee, granter: granter(&reader, tx, height)? })
    }
}

impl Backend for Node {
    fn genesis(&self) -> &Genesis {
        &self.shared.genesis
    }

    fn store(&self) -> &Store {
        &self.shared.store
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.shared.heads.subscribe()
    }

    fn mempool(&self) -> &Mempool {
        &self.shared.mempool
    }

    fn submit(&self, tx: Tx) -> Result<B256, SubmitError> {
        loop {
            let admission = self.admission(&tx).map_err(|error| {
                tracing::error!(%error, "a transaction could not be checked");
                SubmitError::Stale
            })?;
            // Stale: a block was committed since. The accounts are read again, and there is a block for each turn.
            let hash = match self.shared.mempool.add(&tx, &admission) {
                Err(SubmitError::Stale) => continue,
                result => result?,
            };
            // Nobody may be listening.
            let _ = self.shared.arrivals.send(hash);
            self.shared.signal.work();
            return Ok(hash);
        }
    }

    fn arrivals(&self) -> broadcast::Receiver<B256> {
        self.shared.arrivals.subscribe()
    }

    async fn query(&self, question: QueryAt) -> Result<Answer, Unavailable> {
        self.shared.queries.ask(question).await
    }

    fn peers(&self) -> usize {
        0
    }

    fn syncing(&self) -> Option<u64> {
        None
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("chain", &self.shared.genesis.chain_id).finish_non_exhaustive()
    }
}

/// The proposer of a chain that has one validator, which is this node.
fn solo(genesis: &Genesis, home: &Home) -> Result<Solo, NodeError> {
    let mut validators = genesis.validators.iter();
    match (validators.next(), validators.count()) {
        (Some(only), 0) if only.key == home.validator() => Ok(Solo::new(home.validator)),
        (Some(_), 0) => Err(NodeError::Stranger),
        (_, others) => Err(NodeError::Validators(others.saturating_add(1))),
    }
}

/// Accounts that have to sign a transaction, in its order.
pub(crate) fn signers(tx: &Tx) -> Vec<Address> {
    match tx {
        Tx::Eth(tx) => vec![tx.sender()],
        Tx::Cosmos(tx) => tx.signers().to_vec(),
    }
}

/// Who signs a transaction, and who else pays for it.
pub(crate) fn payers(tx: &Tx) -> Vec<Address> {
    let granter = if let Tx::Cosmos(tx) = tx { tx.granter() } else { None };
    signers(tx).into_iter().chain(granter).collect()
}

/// An account after the block of `height`.
pub(crate) fn standing(reader: &Reader, address: &Address, height: u64) -> Result<Standing, StoreError> {
    let corrupted = |_| StoreError::Corrupted("leaves");
    let coins = reader.leaf(&Leaf::Coins(*address), height)?;
    let auth = reader.leaf(&Leaf::Auth(*address), height)?;
    Ok(Standing {
        account: reader.account(address, height)?,
        coins: coins.map(|bytes| borsh::from_slice(&bytes)).transpose().map_err(corrupted)?.unwrap_or_default(),
        auth: auth.map(|bytes| borsh::from_slice(&bytes)).transpose().map_err(corrupted)?,
    })
}

/// The account that is to pay for a transaction in its first signer's place, after the block of `height`.
fn granter(reader: &Reader, tx: &Tx, height: u64) -> Result<Option<Granter>, StoreError> {
    let Tx::Cosmos(tx) = tx else { return Ok(None) };
    let (Some(granter), Some(grantee)) = (tx.granter(), tx.signers().first()) else { return Ok(None) };
    let corrupted = |_| StoreError::Corrupted("leaves");
    let allowance = reader.leaf(&Leaf::Allowance(*grantee, granter), height)?;
    let header = reader.header(height)?.ok_or(StoreError::Corrupted("headers"))?;
    Ok(Some(Granter {
        coins: standing(reader, &granter, height)?.coins,
        allowance: allowance.map(|bytes| borsh::from_slice(&bytes)).transpose().map_err(corrupted)?,
        time: header.time,
    }))
}

/// How many new transactions a listener may be behind.
const ARRIVALS: usize = 4_096;
