//! The way of blocks on a network: consensus decides, this node executes.
//!
//! ```text
//! doors, peers ──▶ mempool ──▶ consensus thread (Chain) ──▶ store: decided ──▶ this thread: enclave, commit
//!                                     ◀──────────── Executed, Work ◀──────────────────┘
//! ```

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cloister_chain::wire::{Halt, Lockdown};
use cloister_chain::{Block, Bytes, Certificate, Evidence, Parent, Tx, limits};
use cloister_consensus::gossip::{self, Gossip, Pool, Verdict};
use cloister_consensus::{
    Chain, Engine, EngineConfig, Event as Told, Fatal, Kept, Pace, Spread, SubmitError, ValidatorKey,
};
use cloister_store::StoreError;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::enclave::EnclaveError;
use crate::executor::Executor;
use crate::home::Home;
use crate::node::{NodeError, Shared, block_budget, epoch_due, now};
use crate::signal::Event;
use crate::snapshot::{Shelf, SnapshotError, Taken};
use crate::spawn::Spawner;

/// How a node reaches the others. Addresses are multiaddresses: `/ip4/192.0.2.1/tcp/26656`, with or without `/p2p/ID`.
pub struct Network {
    /// The node's name among its peers. They see it.
    pub moniker: String,
    /// Seed of the Ed25519 key that names the node among its peers. Not the validator's.
    pub peer_key: Zeroizing<[u8; 32]>,
    /// Where consensus listens.
    pub listen: String,
    /// Peers of consensus to stay connected to.
    pub peers: Vec<String>,
    /// Where the gossip of transactions listens.
    pub gossip_listen: String,
    /// Peers of gossip to stay connected to.
    pub gossip_peers: Vec<String>,
    /// How fast blocks follow each other.
    pub pace: Pace,
    /// After how many blocks there is a snapshot of the state for others; 0 for never.
    pub snapshots: u64,
}

/// What the loop's thread owns.
pub(crate) struct Members {
    shared: Arc<Shared>,
    executor: Executor,
    tip: Arc<Mutex<Arc<Parent>>>,
    engine: Engine,
    runtime: Runtime,
    shelf: Arc<Shelf>,
    snapshots: u64,
}

/// What consensus sees of the node.
struct Ground {
    shared: Arc<Shared>,
    tip: Arc<Mutex<Arc<Parent>>>,
    evidence: Vec<Evidence>,
}

/// What gossip sees of it.
struct Door(Arc<Shared>);

/// The peers, before there is a state.
pub(crate) struct Peers {
    runtime: Runtime,
    shelf: Arc<Shelf>,
    directory: PathBuf,
}

impl Peers {
    /// Meets them.
    pub(crate) fn meet(shared: &Arc<Shared>, home: &Home, network: &Network) -> Result<Self, NodeError> {
        let directory = home.directory.clone().ok_or(NodeError::Homeless)?;
        if !home.has_seed()? {
            return Err(NodeError::Seedless);
        }
        let runtime = Runtime::new().map_err(NodeError::Thread)?;
        let shelf = Shelf::open(&directory, Arc::clone(&shared.store)).map_err(SnapshotError::from)?;
        let shelf = Arc::new(shelf);
        let gossip = gossip::Config {
            key: gossip::Key::from_seed(&mut Zeroizing::new(*network.peer_key)),
            listen: vec![address(&network.gossip_listen)?],
            peers: network.gossip_peers.iter().map(|peer| address(peer)).collect::<Result<_, _>>()?,
            chain: shared.genesis.hash(),
            limits: gossip::Limits::default(),
        };
        let door = Arc::new(Door(Arc::clone(shared)));
        let swarm = runtime.block_on(async { Gossip::start(gossip, door, Arc::clone(&shelf) as _) })?;
        let _ = shared.gossip.set(swarm);
        Ok(Self { runtime, shelf, directory })
    }

    /// An executor: for a node without a state with one that the others have, if they have one.
    pub(crate) fn executor(
        &self,
        shared: &Arc<Shared>,
        enclave: &Spawner,
        home: &Home,
    ) -> Result<(Executor, Lockdown), NodeError> {
        let start =
            |taken: Option<&Taken>| Executor::start(Arc::clone(shared), Arc::clone(enclave), home.safe(), taken);
        let Some(gossip) =
            shared.gossip.get().filter(|_| matches!(shared.store.reader().map(|r| r.tip()), Ok(Ok(None))))
        else {
            return start(None);
        };
        while let Some(taken) = Taken::fetch(&self.runtime, gossip, &shared.genesis, &self.directory)? {
            match start(Some(&taken)) {
                // Each refusal leaves fewer peers to ask.
                Err(NodeError::Enclave(EnclaveError::Halted(Halt::Root) | EnclaveError::Snapshot(_))) => {
                    taken.refuse(gossip);
                }
                other => return other,
            }
        }
        start(None)
    }
}

impl Members {
    /// Executes what was decided and is not executed yet, then joins the others.
    pub(crate) fn start(
        shared: Arc<Shared>,
        mut executor: Executor,
        home: &Home,
        network: Network,
        met: Peers,
    ) -> Result<Self, NodeError> {
        let Peers { runtime, shelf, directory } = met;
        while let Some(next) = shared.store.reader()?.decided(executor.parent().header.height + 1)? {
            tracing::info!(height = next.block.header.height, "a decided block is executed");
            executor.run(next.block, next.certificate)?;
        }
        let tip = Arc::new(Mutex::new(Arc::clone(executor.parent())));
        let Network { moniker, peer_key, listen, peers, pace, snapshots, .. } = network;
        let config = EngineConfig {
            chain_id: shared.genesis.chain_id.clone(),
            moniker,
            key: ValidatorKey::new(&Zeroizing::new(home.validator.into())),
            peer_key,
            listen,
            peers,
            spread: Spread::Gossip,
            log: directory.join("votes.log"),
            pace,
        };
        let ground = Ground { shared: Arc::clone(&shared), tip: Arc::clone(&tip), evidence: Vec::new() };
        let engine = Engine::start(config, Box::new(ground))?;
        Ok(Self { shared, executor, tip, engine, runtime, shelf, snapshots })
    }

    /// Executes decided blocks until the node is to stop.
    pub(crate) fn run(mut self) -> Result<(), NodeError> {
        let result = self.follow();
        self.engine.stop();
        if let Some(gossip) = self.shared.gossip.get() {
            self.runtime.block_on(gossip.stop());
        }
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        result
    }

    fn follow(&mut self) -> Result<(), NodeError> {
        let events = self.engine.events();
        loop {
            match self.shared.signal.wait(Some(Instant::now() + LOOK)) {
                Event::Stop => return Ok(()),
                Event::Lost(generation) => self.executor.lost(generation)?,
                Event::Work | Event::Time => {}
            }
            self.shared.peers.store(self.engine.peers(), std::sync::atomic::Ordering::Relaxed);
            while let Some(next) = self.shared.store.reader()?.decided(self.executor.parent().header.height + 1)? {
                self.executor.run(next.block, next.certificate)?;
                if self.executor.parent().header.height.checked_rem(self.snapshots) == Some(0) {
                    self.shelf.make(self.shared.store.reader()?);
                }
                events.send(Told::Executed(self.advance()?));
            }
            events.send(Told::Work);
            if let Some(end) = self.engine.end() {
                return Err(NodeError::Consensus(end));
            }
        }
    }
}

impl Members {
    /// Consensus sees the block that was executed, with the fullest certificate there is by now.
    fn advance(&self) -> Result<u64, NodeError> {
        let mut tip = lock(&self.tip);
        let mut parent = Parent::clone(self.executor.parent());
        let height = parent.header.height;
        parent.certificate = self.shared.store.reader()?.tip_certificate()?;
        *tip = Arc::new(parent);
        Ok(height)
    }
}

impl Ground {
    /// Old values have to be sealed again, or an old root has to go. Without an answer of the store nothing waits.
    fn epoch_waits(&self, height: u64) -> bool {
        let reader = self.shared.store.reader().ok();
        reader.and_then(|reader| epoch_due(&reader, height, &self.shared.genesis)).is_some_and(|due| due <= now())
    }

    fn read<T>(&self, read: impl FnOnce(&cloister_store::Reader) -> Result<T, StoreError>) -> Result<T, Fatal> {
        self.shared.store.reader().and_then(|reader| read(&reader)).map_err(fatal)
    }
}

impl Chain for Ground {
    fn parent(&self) -> Arc<Parent> {
        Arc::clone(&lock(&self.tip))
    }

    fn select(&self, parent: &Parent) -> Vec<Bytes> {
        let chosen = self.shared.mempool.select(parent.base_fee, block_budget(&self.shared.genesis));
        chosen.into_iter().map(|(_, bytes)| bytes).collect()
    }

    fn evidence(&self) -> Vec<Evidence> {
        self.evidence.iter().take(limits::EVIDENCE).cloned().collect()
    }

    fn has_work(&self) -> bool {
        let parent = self.parent();
        let one = cloister_consensus::Budget { count: 1, ..block_budget(&self.shared.genesis) };
        let Shared { genesis, mempool, .. } = &*self.shared;
        // What was admitted and waits for a lower base fee is work too: only blocks lower it, down to its floor.
        let underpriced = parent.base_fee > genesis.base_fee && mempool.status().pending > 0;
        underpriced
            || !self.evidence.is_empty()
            || !mempool.select(parent.base_fee, one).is_empty()
            || self.epoch_waits(parent.header.height)
    }

    fn report(&mut self, evidence: Evidence) {
        // One piece is enough for each culprit: whoever is found out does not sign again.
        let known = self.evidence.iter().any(|known| known.validator == evidence.validator);
        if !known && self.evidence.len() < limits::VALIDATORS {
            tracing::warn!(validator = %evidence.validator, height = evidence.height(), "a validator contradicted itself");
            self.evidence.push(evidence);
        }
    }

    fn keep(&mut self, kept: &Kept) -> Result<(), Fatal> {
        let header = &kept.block.header;
        let bytes = borsh::to_vec(kept).expect("writing to memory does not fail");
        self.shared.store.keep(header.height, kept.round, &header.hash(), &bytes).map_err(fatal)
    }

    fn kept(&self, height: u64) -> Result<Vec<Kept>, Fatal> {
        let all = self.read(|reader| reader.proposals(height))?;
        all.iter()
            .map(|bytes| borsh::from_slice(bytes).map_err(|_| fatal(StoreError::Corrupted("proposals"))))
            .collect()
    }

    fn decide(&mut self, block: &Block, certificate: &Certificate) -> Result<(), Fatal> {
        self.shared.store.decide(block, certificate).map_err(fatal)?;
        self.evidence.retain(|evidence| !block.evidence.iter().any(|done| done.validator == evidence.validator));
        self.shared.signal.work();
        Ok(())
    }

    fn extend(&mut self, certificate: &Certificate) -> Result<(), Fatal> {
        // Before or after the execution ends: the next block carries this one.
        let mut tip = lock(&self.tip);
        self.shared.store.extend(certificate).map_err(fatal)?;
        if tip.header.height == certificate.height {
            Arc::make_mut(&mut tip).certificate = Some(certificate.clone());
        }
        Ok(())
    }

    fn tip(&self) -> Result<u64, Fatal> {
        self.read(|reader| Ok(reader.decided_tip()?.unwrap_or(0)))
    }

    fn decided(&self, height: u64) -> Result<Option<(Block, Certificate)>, Fatal> {
        let stored = self.read(|reader| reader.decided(height))?;
        Ok(stored.map(|stored| (stored.block, stored.certificate)))
    }

    fn oldest(&self) -> Result<u64, Fatal> {
        self.read(|reader| Ok(reader.oldest_block()?.unwrap_or(1)))
    }

    fn now(&self) -> u64 {
        now()
    }
}

impl Pool for Door {
    fn offer(&self, tx: &Bytes) -> Verdict {
        let Ok(tx) = Tx::from_bytes(tx, self.0.genesis.evm_chain_id) else { return Verdict::Invalid };
        match self.0.admit(&tx) {
            Ok(_) => Verdict::Accepted,
            // What depends on the transaction alone. The rest may be another matter on another node.
            Err(SubmitError::TipAboveCap | SubmitError::InitCode(_) | SubmitError::IntrinsicGas { .. }) => {
                Verdict::Invalid
            }
            Err(_) => Verdict::Ignored,
        }
    }

    fn waiting(&self, bytes: usize) -> Vec<Bytes> {
        let budget = cloister_consensus::Budget { bytes, ..block_budget(&self.0.genesis) };
        let chosen = self.0.mempool.select(u64::MAX, budget);
        chosen.into_iter().map(|(_, bytes)| bytes).collect()
    }
}

fn address(text: &str) -> Result<gossip::Multiaddr, NodeError> {
    text.parse().map_err(|_| NodeError::Address(text.into()))
}

/// What is under the lock is replaced in one step.
fn lock(tip: &Mutex<Arc<Parent>>) -> MutexGuard<'_, Arc<Parent>> {
    tip.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fatal(error: StoreError) -> Fatal {
    Fatal(Box::new(error))
}

/// How often the loop looks at consensus when nothing else wakes it.
const LOOK: Duration = Duration::from_secs(1);
