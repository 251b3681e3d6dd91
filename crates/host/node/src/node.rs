//! A node: what the doors see, and how it starts and stops.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fmt, io};

use cloister_api::ops::Vitals;
use cloister_api::{Backend, Unavailable};
use cloister_chain::genesis::GenesisError;
use cloister_chain::wire::{Answer, Lockdown, QueryAt};
use cloister_chain::{Address, B256, Epoch, Genesis, Leaf, Tx, limits};
use cloister_consensus::gossip::Gossip;
use cloister_consensus::{Admission, Budget, Engine, Granter, Limits, Mempool, Solo, Standing, SubmitError};
use cloister_store::{Reader, Store, StoreError};
use thiserror::Error;
use tokio::sync::{broadcast, watch};

use crate::alone::Alone;
use crate::enclave::EnclaveError;
use crate::executor::Executor;
use crate::home::{Home, HomeError};
use crate::network::{Members, Network, Peers};
use crate::provision::Introduction;
use crate::queries::Queries;
use crate::signal::Signal;
use crate::spawn::Spawner;

/// What a node needs to start.
pub struct Config {
    /// The chain. If the home holds one already, it has to be this one.
    pub genesis: Genesis,
    /// Keys, and the directory of the store.
    pub home: Home,
    /// The only validator of a chain makes a block this long after the last one, even of nothing. Transactions do not wait
    /// for it.
    pub block_time: Option<Duration>,
    /// Other nodes. Without them this node has to be the only validator.
    pub network: Option<Network>,
    /// Starts the enclave: usually [`crate::process`].
    pub enclave: Spawner,
}

/// Why a node does not start, or stops by itself.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The genesis breaks a rule.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The genesis has several validators, and there is no network.
    #[error("a chain with {0} validators needs the addresses of its other nodes")]
    Validators(usize),
    /// The genesis has one validator, and it is not this node.
    #[error("this node's validator key is not the one of the genesis")]
    Stranger,
    /// The store failed, or is of another chain.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The home fails.
    #[error(transparent)]
    Home(#[from] HomeError),
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
    /// A node of a network has to remember what it signed.
    #[error("a node of a network needs a directory")]
    Homeless,
    /// A node of a network gets its roots from the others.
    #[error("no sealed roots here: a node of a network has its home made by `cloister testnet init`")]
    Seedless,
    /// A snapshot cannot be written or read.
    #[error(transparent)]
    Snapshot(#[from] crate::snapshot::SnapshotError),
    /// Not the address of a peer.
    #[error("not an address like /ip4/192.0.2.1/tcp/26656: {0}")]
    Address(String),
    /// Consensus does not start.
    #[error(transparent)]
    Engine(#[from] cloister_consensus::StartError),
    /// Gossip does not start.
    #[error(transparent)]
    Gossip(#[from] cloister_consensus::gossip::StartError),
    /// Consensus ended by itself.
    #[error(transparent)]
    Consensus(Arc<cloister_consensus::End>),
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
    pub(crate) gossip: OnceLock<Gossip>,
    pub(crate) peers: AtomicUsize,
    pub(crate) vitals: Vitals,
    pub(crate) introduced: watch::Sender<Option<Introduction>>,
}

/// How blocks come about.
enum Way {
    Alone(Alone),
    Network(Members),
}

impl Way {
    fn start(
        shared: &Arc<Shared>,
        home: Home,
        enclave: Spawner,
        block_time: Option<Duration>,
        network: Option<Network>,
    ) -> Result<(Self, Lockdown), NodeError> {
        let own = Arc::clone(shared);
        let Some(network) = network else {
            let (executor, lockdown) = Executor::start(Arc::clone(shared), enclave, home.safe(), None)?;
            let solo = Solo::new(home.validator);
            return Ok((Self::Alone(Alone { shared: own, executor, solo, block_time }), lockdown));
        };
        let peers = Peers::meet(shared, &home, &network)?;
        let (executor, lockdown) = peers.executor(shared, &enclave, &home)?;
        Ok((Self::Network(Members::start(own, executor, &home, network, peers)?), lockdown))
    }
}

impl Node {
    /// Starts a node and returns when it is ready: the enclave is locked down and at the tip of the store.
    pub fn start(config: Config) -> Result<Self, NodeError> {
        // The store's engine holds some damage to be impossible and panics where it reads it.
        let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Self::begin(config)));
        started.unwrap_or_else(|_| Err(StoreError::Corrupted("database file").into()))
    }

    fn begin(config: Config) -> Result<Self, NodeError> {
        let Config { genesis, home, block_time, network, enclave } = config;
        genesis.check()?;
        if network.is_none() {
            check_alone(&genesis, &home)?;
        }
        let store = Arc::new(Store::create(home.directory.as_deref(), &genesis)?);
        let signal = Arc::new(Signal::default());
        let limits = Limits { block_gas: genesis.evm_gas, sdk_gas: genesis.sdk_gas, ..Limits::default() };
        let shared = Arc::new(Shared {
            mempool: Mempool::new(&genesis.chain_id, limits, 0),
            queries: Queries::new(Arc::clone(&store), Arc::clone(&signal)),
            heads: watch::Sender::new(0),
            arrivals: broadcast::Sender::new(ARRIVALS),
            gossip: OnceLock::new(),
            peers: AtomicUsize::new(0),
            vitals: Vitals::default(),
            introduced: watch::Sender::new(None),
            genesis,
            store,
            signal,
        });
        let start = Way::start(&shared, home, enclave, block_time, network);
        let (blocks, lockdown) = start.inspect_err(|_| shared.queries.close())?;
        let (end, ended) = watch::channel(None);
        let run = {
            let shared = Arc::clone(&shared);
            move || {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match blocks {
                    Way::Alone(alone) => alone.run(),
                    Way::Network(members) => members.run(),
                }));
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

    /// What the running enclave registers with, on a chain that admits enclaves. Another one with each of its starts.
    pub fn introduced(&self) -> watch::Receiver<Option<Introduction>> {
        self.shared.introduced.subscribe()
    }

    /// Which walls stand around the enclave.
    pub fn lockdown(&self) -> Lockdown {
        self.lockdown
    }
}

impl Shared {
    /// Puts a transaction into the mempool, and tells whoever waits for one.
    pub(crate) fn admit(&self, tx: &Tx) -> Result<B256, SubmitError> {
        loop {
            let admission = self.admission(tx).map_err(|error| {
                tracing::error!(%error, "a transaction could not be checked");
                SubmitError::Stale
            })?;
            // Stale: a block was committed since. The accounts are read again, and there is a block for each turn.
            let hash = match self.mempool.add(tx, &admission) {
                Err(SubmitError::Stale) => continue,
                result => result?,
            };
            // Nobody may be listening.
            let _ = self.arrivals.send(hash);
            self.signal.work();
            return Ok(hash);
        }
    }

    /// The signers' accounts, all of one height, and the base fee that a transaction has to meet.
    fn admission(&self, tx: &Tx) -> Result<Admission, StoreError> {
        let reader = self.store.reader()?;
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
        let hash = self.shared.admit(&tx)?;
        if let Some(gossip) = self.shared.gossip.get() {
            gossip.publish(tx.to_bytes());
        }
        Ok(hash)
    }

    fn arrivals(&self) -> broadcast::Receiver<B256> {
        self.shared.arrivals.subscribe()
    }

    async fn query(&self, question: QueryAt) -> Result<Answer, Unavailable> {
        self.shared.queries.ask(question).await
    }

    fn vitals(&self) -> Option<&Vitals> {
        Some(&self.shared.vitals)
    }

    fn engine_metrics(&self) -> Option<String> {
        self.shared.gossip.get().map(|_| Engine::metrics())
    }

    fn peers(&self) -> usize {
        self.shared.peers.load(Ordering::Relaxed)
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

/// Succeeds when this node is the chain's only validator.
fn check_alone(genesis: &Genesis, home: &Home) -> Result<(), NodeError> {
    let mut validators = genesis.validators.iter();
    match (validators.next(), validators.count()) {
        (Some(only), 0) if only.key == home.validator() => Ok(()),
        (Some(_), 0) => Err(NodeError::Stranger),
        (_, others) => Err(NodeError::Validators(others.saturating_add(1))),
    }
}

/// How much one block of this chain may hold.
pub(crate) fn block_budget(genesis: &Genesis) -> Budget {
    Budget { evm_gas: genesis.evm_gas, sdk_gas: genesis.sdk_gas, bytes: limits::BLOCK_BYTES, count: limits::BLOCK_TXS }
}

/// Nanoseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX - 1)
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

/// When the chain's epochs need a block, in nanoseconds since 1970: at once to seal old values again, and when the time of grace is
/// over to erase the old root. A switch waits for a block that somebody else needs.
pub(crate) fn epoch_due(reader: &Reader, height: u64, genesis: &Genesis) -> Option<u64> {
    let epochs = genesis.epochs.as_ref()?;
    let epoch: Epoch = borsh::from_slice(&reader.leaf(&Leaf::Epoch, height).ok()??).ok()?;
    let retiring = epoch.retiring?;
    Some(if retiring.swept { epoch.began.saturating_add(epochs.grace) } else { epoch.began })
}

/// How many new transactions a listener may be behind.
const ARRIVALS: usize = 4_096;
