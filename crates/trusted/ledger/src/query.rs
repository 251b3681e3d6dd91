//! Questions about committed states.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use alloy_primitives::{B256, Bytes, TxKind};
use cloister_chain::cosmos::CosmosTx;
use cloister_chain::wire::{Answer, Call, Failure as Why, NetworkKeys, Query, QueryAt, QueryRefusal, Rejection};
#[cfg(feature = "simulator")]
use cloister_chain::{Address, wire::Key};
use cloister_chain::{Epoch, Genesis, Header, limits};
use cloister_evm::tx::HaltReason;
use cloister_evm::{CallInput, Ending, Estimate, Executed, Failure, Invalid, Price};
use cloister_keys::Keys;
use cloister_state::{Cache, Overlay, Supply, Tree, View};
use cloister_teeth::{Mechanism, holds};

use crate::compute::{self, Codes, Scene};
use crate::cosmos::{self, Fail};
use crate::eth::{self, KeyVault, Leaves};

/// The states of the last [`limits::QUERY_HEIGHTS`] heights, or of fewer if these wrote more than [`limits::QUERY_WRITES`]
/// leaves. A query works on its own copy of a tree, so that it neither
/// waits for a block nor holds one up.
pub struct Snapshots {
    genesis: Arc<Genesis>,
    /// One place for all heights, so that no height keeps an old root alive.
    keys: RwLock<Arc<Keys>>,
    cache: Cache,
    codes: Arc<Codes>,
    window: RwLock<VecDeque<Snapshot>>,
    /// Questions to contracts since the last block (M-10).
    asked: AtomicU32,
    /// The boot key of the run that answers, and whether the chain lists it (M-04, M-06).
    run: OnceLock<B256>,
    listed: AtomicBool,
}

/// One committed state and the block that led to it.
#[derive(Clone)]
pub(crate) struct Snapshot {
    tree: Tree,
    header: Header,
    epoch: Epoch,
    /// Leaves that the block wrote: what the snapshot before it holds alone is in proportion to it.
    writes: usize,
}

impl Snapshot {
    pub(crate) fn new(header: &Header, epoch: &Epoch, tree: Tree, writes: usize) -> Self {
        Self { tree, header: header.clone(), epoch: epoch.clone(), writes }
    }
}

impl Snapshots {
    pub(crate) fn new(genesis: Arc<Genesis>, keys: Arc<Keys>, cache: Cache, codes: Arc<Codes>) -> Self {
        let (asked, listed) = (AtomicU32::new(0), AtomicBool::new(false));
        Self {
            genesis,
            keys: RwLock::new(keys),
            cache,
            codes,
            window: RwLock::default(),
            asked,
            run: OnceLock::new(),
            listed,
        }
    }

    /// The keys of another epoch, or without a root that was erased.
    pub(crate) fn turn(&self, keys: &Arc<Keys>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(keys);
    }

    /// This run has a boot key, which answers name.
    pub(crate) fn begin_run(&self, boot_key: B256) {
        let _ = self.run.set(boot_key);
    }

    /// Whether the chain lists this run.
    pub(crate) fn listed(&self, listed: bool) {
        self.listed.store(listed, Ordering::Relaxed);
    }

    pub(crate) fn push(&self, snapshot: Snapshot) {
        let mut window = self.window.write().unwrap_or_else(PoisonError::into_inner);
        window.push_back(snapshot);
        let mut held: usize = window.iter().map(|snapshot| snapshot.writes).sum();
        let mut forgotten = Vec::new();
        // The tip stays whatever it wrote, and so does the state before it, which queries in flight are about.
        while window.len() > 2 && (window.len() > limits::QUERY_HEIGHTS || held > limits::QUERY_WRITES) {
            let oldest = window.pop_front();
            held = held.saturating_sub(oldest.as_ref().map_or(0, |snapshot| snapshot.writes));
            forgotten.extend(oldest);
        }
        self.asked.store(0, Ordering::Relaxed);
        drop(window);
        // An old tree may be the last owner of many nodes: they are freed after the lock is.
        drop(forgotten);
    }

    /// Answers one query, with leaves from `supply`.
    pub fn query(&self, question: &QueryAt, supply: &mut dyn Supply) -> Answer {
        let Some((snapshot, grace, tip)) = self.at(question.height) else {
            return Answer::Refused(QueryRefusal::Height);
        };
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        // The keys of some values of that height may be erased.
        let asks = matches!(question.query, Query::Contract(_) | Query::SealedEstimate(_));
        if asks && keys.oldest_epoch() > snapshot.epoch.oldest() {
            return Answer::Refused(QueryRefusal::Height);
        }
        let Snapshot { tree, header, epoch, .. } = snapshot;
        let block = eth::block_info(&self.genesis, &keys, &header);
        let root = tree.root();
        // Who asks about an old state seals to a key of now, and signs for now.
        let asked = || Scene {
            grace,
            tip,
            run: self.run.get().copied(),
            ..Scene::new(&self.genesis, (&keys, &epoch), &self.codes, &header, &header)
        };
        let mut view = View::new(tree, block.number, self.cache.clone(), supply);
        match &question.query {
            Query::Call(call) => {
                let mut state = Overlay::new(view);
                let vault = KeyVault::query(&keys);
                called(cloister_evm::call(
                    Leaves { state: &mut state, oldest: eth::oldest_hash(block.number) },
                    vault,
                    &block,
                    &input(call),
                    limits::QUERY_GAS,
                ))
            }
            Query::Estimate(call) => {
                let mut state = Overlay::new(view);
                let vault = KeyVault::query(&keys);
                estimated(cloister_evm::estimate(
                    Leaves { state: &mut state, oldest: eth::oldest_hash(block.number) },
                    vault,
                    &block,
                    &input(call),
                    limits::QUERY_GAS,
                ))
            }
            Query::Prove(leaf) => match view.prove(leaf) {
                Ok((value, proof)) => Answer::Proved { height: block.number, root, value, proof },
                Err(_) => Answer::Refused(QueryRefusal::Supply),
            },
            #[cfg(feature = "simulator")]
            Query::UserKey(address) if self.allows_keys() => development_key(&keys, *address),
            Query::UserKey(_) => Answer::Refused(QueryRefusal::Dev),
            Query::NetworkKeys => Answer::NetworkKeys(NetworkKeys {
                io: keys.io_public(),
                registration: keys.seed_exchange().public(),
                input: keys.input_public(),
                epoch: keys.epoch(),
            }),
            Query::Contract(query) => match self.may_ask() {
                Ok(()) => compute::ask(&asked(), &mut Overlay::new(view), query),
                Err(refusal) => Answer::Refused(refusal),
            },
            Query::SealedEstimate(message) => match self.may_ask() {
                Ok(()) => compute::estimate(&asked(), &mut Overlay::new(view), message),
                Err(refusal) => Answer::Refused(refusal),
            },
            Query::Simulate(bytes) => {
                // What is compiled here was never uploaded: it must not push out what contracts run.
                let codes = Codes::default();
                let scene = Scene::new(&self.genesis, (&keys, &epoch), &codes, &header, &header);
                let tx = CosmosTx::decode(bytes).map_err(Fail::from);
                match tx.and_then(|tx| cosmos::simulate(&scene, &mut Overlay::new(view), &tx)) {
                    Ok(gas) => Answer::Simulated(gas),
                    Err(Fail::Rule { codespace, code, log }) => {
                        Answer::Rejected(Rejection { codespace: codespace.into(), code, log })
                    }
                    Err(Fail::Halt(_)) => Answer::Refused(QueryRefusal::Supply),
                }
            }
        }
    }

    /// Counts one more question to a contract, of whatever height: what is sealed is the same. Without the chain an enclave
    /// could be started again and again from one state, for a new count each time.
    fn may_ask(&self) -> Result<(), QueryRefusal> {
        let Some(limit) = self.genesis.queries else { return Ok(()) };
        let unlisted = self.genesis.trust.is_some() && !self.listed.load(Ordering::Relaxed);
        if holds(Mechanism::SeenStart) && unlisted {
            return Err(QueryRefusal::Unlisted);
        }
        let count = |asked: u32| (asked < limit).then(|| asked.saturating_add(1));
        match self.asked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count) {
            Err(_) if holds(Mechanism::QueryCount) => Err(QueryRefusal::Spent),
            _ => Ok(()),
        }
    }

    #[cfg(feature = "simulator")]
    fn allows_keys(&self) -> bool {
        self.genesis.simulated && self.genesis.validators.iter().count() == 1 || !holds(Mechanism::KeyLens)
    }

    /// A height's state, whether the former epoch's input key still opens at the tip, and the tip's height.
    fn at(&self, height: Option<u64>) -> Option<(Snapshot, bool, u64)> {
        let window = self.window.read().unwrap_or_else(PoisonError::into_inner);
        let tip = window.back()?;
        let grace = self.genesis.epochs.is_some_and(|epochs| epochs.is_grace(&tip.epoch, tip.header.time));
        let snapshot = match height {
            None => tip,
            Some(height) => {
                let oldest = window.front()?.header.height;
                window.get(usize::try_from(height.checked_sub(oldest)?).ok()?)?
            }
        };
        Some((snapshot.clone(), grace, tip.header.height))
    }
}

/// D12: the one answer that is a secret in the clear. A function with a name of its own, which a production build is searched for.
#[cfg(feature = "simulator")]
#[inline(never)]
fn development_key(keys: &Keys, address: Address) -> Answer {
    Answer::UserKey(keys.user_key(address).expose(|bytes| Key(*bytes)))
}

fn input(call: &Call) -> CallInput {
    CallInput {
        from: call.from,
        to: call.to.map_or(TxKind::Create, TxKind::Call),
        value: call.value,
        data: call.data.clone(),
        gas: call.gas,
        price: Price::Fixed(call.gas_price.unwrap_or(0)),
        access_list: None,
    }
}

fn called(result: Result<Executed, Failure>) -> Answer {
    match result {
        Ok(Executed { ending: Ending::Success, output, gas_used, .. }) => Answer::Returned { output, gas_used },
        Ok(Executed { ending: Ending::Revert, output, .. }) => Answer::Reverted(output),
        Ok(Executed { ending: Ending::Halt(reason), .. }) => Answer::Failed(halted(&reason)),
        Err(failure) => failed(&failure),
    }
}

fn estimated(result: Result<Estimate, Failure>) -> Answer {
    match result {
        Ok(Estimate::Gas(gas)) => Answer::Estimated(gas),
        Ok(Estimate::Reverted(output)) => Answer::Reverted(Bytes::clone(&output)),
        Ok(Estimate::Halted(reason)) => Answer::Failed(halted(&reason)),
        Ok(Estimate::Exceeds(_)) => Answer::Failed(Why::OutOfGas),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> Answer {
    match failure {
        Failure::Invalid(Invalid::Funds { .. } | Invalid::CostOverflow) => Answer::Failed(Why::Funds),
        Failure::Invalid(Invalid::IntrinsicGas { .. }) => Answer::Failed(Why::OutOfGas),
        Failure::Invalid(_) => Answer::Failed(Why::Rule),
        Failure::World(_) | Failure::Machine => Answer::Refused(QueryRefusal::Supply),
    }
}

fn halted(reason: &HaltReason) -> Why {
    match reason {
        HaltReason::OutOfGas(_) => Why::OutOfGas,
        HaltReason::OutOfFunds => Why::Funds,
        _ => Why::Fault,
    }
}
