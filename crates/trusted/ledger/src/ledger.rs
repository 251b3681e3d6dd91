//! Blocks in, outcomes out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use borsh::BorshDeserialize as _;
use cloister_chain::cosmos::Message;
use cloister_chain::hash::merkle_root;
use cloister_chain::leaf::ChainState;
use cloister_chain::wire::{Execute, Halt};
use cloister_chain::{
    Address, B256, Epoch, Genesis, Header, Leaf, Outcome, Receipt, Refusal, Status, Tx, ValidatorSet,
};
use cloister_keys::{Keys, Roots};
use cloister_state::{Cache, NoSupply, Overlay, Supply, Tree, View};
use cloister_teeth::{Mechanism, holds};

use crate::checkpoint::Checkpoint;
use crate::compute::{Codes, Scene};
use crate::cosmos;
use crate::epoch::{self, Turn};
use crate::eth::{self, encode};
use crate::genesis;
use crate::gov;
use crate::query::{Snapshot, Snapshots};
use crate::run::Run;
use crate::staking;

/// The state machine of one chain, at one height.
pub struct Ledger {
    genesis: Arc<Genesis>,
    keys: Arc<Keys>,
    epoch: Epoch,
    tip: Checkpoint,
    tree: Tree,
    cache: Cache,
    codes: Arc<Codes>,
    snapshots: Arc<Snapshots>,
    run: Option<Run>,
}

/// A ledger that waits for the leaves of its checkpoint.
pub struct Loading {
    ledger: Ledger,
    /// What the leaves say of epochs, so far.
    epoch: Option<Vec<u8>>,
    switches: BTreeMap<u64, Vec<u8>>,
}

impl Ledger {
    /// The ledger of a new chain, and the outcome that the host has to keep as height 0. Roots of a later epoch do not begin a
    /// chain: what it sealed first, they do not open.
    pub fn genesis(genesis: &Genesis, roots: Roots) -> Result<(Self, Outcome), Halt> {
        if roots.epoch() != 0 {
            return Err(Halt::Sealed);
        }
        let mut ledger = Self::empty(genesis, roots)?;
        let view = View::new(Tree::new(), 0, ledger.cache.clone(), NoSupply);
        let mut state = Overlay::new(view);
        genesis::write(genesis, &ledger.tip.header, &ledger.epoch, &mut state).map_err(|_| Halt::Genesis)?;
        let (header, set) = (ledger.tip.header.clone(), genesis.validators.clone());
        let turn = Turn { epoch: ledger.epoch.clone(), keys: None };
        let outcome = ledger.advance(header, state.finish(), Vec::new(), genesis.base_fee, set, turn);
        Ok((ledger, outcome))
    }

    /// A ledger at `checkpoint`, whose leaves are still to come. The checkpoint is taken as true: the caller opened it. The
    /// roots may be of an earlier epoch.
    pub fn resume(genesis: &Genesis, roots: Roots, checkpoint: Checkpoint) -> Result<Loading, Halt> {
        let mut ledger = Self::empty(genesis, roots)?;
        ledger.tip = checkpoint;
        Ok(Loading { ledger, epoch: None, switches: BTreeMap::new() })
    }

    /// Executes the next block. `supply` has the leaves of the present height. After an error the ledger is as before.
    pub fn execute(&mut self, next: &Execute, supply: &mut dyn Supply) -> Result<Outcome, Halt> {
        self.tip.admit(&self.genesis, next)?;
        let header = &next.block.header;
        let view = View::new(self.tree.clone(), self.tip.header.height, self.cache.clone(), supply);
        let mut state = Overlay::new(view);
        let txs: Vec<_> =
            next.block.txs.iter().map(|bytes| (bytes, Tx::from_bytes(bytes, self.genesis.evm_chain_id))).collect();
        let leaves = [foreseen(&txs), staking::foreseen(&self.genesis)].concat();
        let ahead = epoch::ahead(self.genesis.epochs.as_ref(), &self.epoch, &self.tree);
        let mut seal_again: BTreeSet<Leaf> =
            state.prefetch(&leaves, &ahead).map_err(|_| Halt::Supply)?.into_iter().collect();

        let before = staking::begin_block(&mut state, &self.genesis, &next.block, &self.tip.signers)?;
        let mut receipts = Vec::with_capacity(txs.len());
        let scene = Scene::new(&self.genesis, (&self.keys, &self.epoch), &self.codes, header, &self.tip.header);
        let (mut evm_gas, mut sdk_gas) = (0u64, 0u64);
        // One machine for each run of Ethereum transactions: between two runs the other world writes.
        for run in txs.chunk_by(|(_, one), (_, next)| is_cosmos(one) == is_cosmos(next)) {
            if run.first().is_some_and(|(_, tx)| is_cosmos(tx)) {
                for tx in run.iter().filter_map(|(_, tx)| tx.as_ref().ok()) {
                    let Tx::Cosmos(tx) = tx else { continue };
                    let left = self.genesis.sdk_gas.saturating_sub(sdk_gas);
                    let index = u32::try_from(receipts.len()).map_err(|_| Halt::Block)?;
                    let receipt = cosmos::run(&scene, &mut state, tx, index, left)?;
                    sdk_gas = sdk_gas.saturating_add(receipt.gas_used);
                    receipts.push(receipt);
                }
                continue;
            }
            let mut block = eth::Block::new(&self.genesis, &self.keys, header, &mut state);
            for (bytes, tx) in run {
                let receipt = match tx {
                    Ok(Tx::Eth(tx)) => block.run(tx, self.genesis.evm_gas.saturating_sub(evm_gas))?,
                    _ => malformed(bytes),
                };
                evm_gas = evm_gas.saturating_add(receipt.gas_used);
                receipts.push(receipt);
            }
            let changes = block.finish();
            seal_again.extend(eth::write(&mut state, changes, self.epoch.number));
        }

        gov::end_block(&scene, &mut state, u32::try_from(receipts.len()).map_err(|_| Halt::Block)?)?;
        let following = staking::end_block(&mut state, &self.genesis, header, &before, &self.tip.following)?;
        let turn = epoch::end_block(&scene, &mut state, &ahead, seal_again)?;
        let params = BaseFeeParams::ethereum();
        let base_fee = calc_next_block_base_fee(evm_gas, self.genesis.evm_gas, header.base_fee, params);
        let base_fee = base_fee.max(self.genesis.base_fee);
        let chain = state.read(&Leaf::Chain).map_err(|_| Halt::Supply)?.ok_or(Halt::Supply)?;
        let chain = ChainState { base_fee, ..ChainState::try_from_slice(&chain).map_err(|_| Halt::Supply)? };
        state.write(Leaf::Chain, Some(encode(&chain)));
        state.write(Leaf::block_hash(header.height), Some(encode(&header.hash())));
        let changes = state.finish();
        Ok(self.advance(header.clone(), changes, receipts, base_fee, following, turn))
    }

    /// Waits for the registration of this run, whose enclave is on `chip` and drew `boot_key`: a ledger that counts questions
    /// answers none before it (M-04).
    pub fn await_registration(&mut self, chip: B256, boot_key: B256) {
        self.run = Some(Run::new(chip, boot_key));
        self.snapshots.begin_run(boot_key);
    }

    /// What the next block will be judged by.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.tip
    }

    /// The keys of the next block. Whoever keeps them keeps roots that the chain erases.
    pub fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// The committed states, for queries on other threads.
    pub fn snapshots(&self) -> Arc<Snapshots> {
        Arc::clone(&self.snapshots)
    }

    fn empty(genesis: &Genesis, roots: Roots) -> Result<Self, Halt> {
        genesis.check().map_err(|_| Halt::Genesis)?;
        let header = Header::genesis(genesis);
        let genesis = Arc::new(genesis.clone());
        let keys = Arc::new(Keys::new(&genesis.chain_id, roots));
        let epoch = Epoch::first(&header, epoch::public_keys(&keys));
        let cache = Cache::default();
        let codes = Arc::new(Codes::default());
        let snapshots = Snapshots::new(Arc::clone(&genesis), Arc::clone(&keys), cache.clone(), Arc::clone(&codes));
        let snapshots = Arc::new(snapshots);
        let tip = Checkpoint {
            header,
            state_root: Tree::new().root(),
            results: merkle_root(&[]),
            base_fee: genesis.base_fee,
            signers: genesis.validators.clone(),
            validators: genesis.validators.clone(),
            following: genesis.validators.clone(),
        };
        Ok(Self { genesis, keys, epoch, tip, tree: Tree::new(), cache, codes, snapshots, run: None })
    }

    /// Moves to the state after the block of `header`, which leaves `following` to sign two blocks later.
    fn advance(
        &mut self,
        header: Header,
        changes: cloister_state::Changes,
        receipts: Vec<Receipt>,
        base_fee: u64,
        following: ValidatorSet,
        turn: Turn,
    ) -> Outcome {
        // The genesis signs nothing and moves nothing on.
        let rotates = header.height > 0;
        let (signers, validators) = if rotates {
            (self.tip.validators.clone(), self.tip.following.clone())
        } else {
            (self.tip.signers.clone(), self.tip.validators.clone())
        };
        self.tree.apply_writes(&changes.writes);
        self.cache.absorb(&changes.writes, &changes.blobs);
        self.tip = Checkpoint {
            header,
            state_root: self.tree.root(),
            results: Receipt::root(&receipts),
            base_fee,
            signers,
            validators,
            following,
        };
        self.epoch = turn.epoch;
        if let Some(keys) = turn.keys {
            self.keys = Arc::new(keys);
            self.snapshots.turn(&self.keys);
        }
        if let Some(run) = &mut self.run {
            self.snapshots.listed(run.follow(&changes.writes, self.tip.header.seconds()));
        }
        self.snapshots.push(Snapshot::new(&self.tip.header, &self.epoch, self.tree.clone(), changes.writes.len()));
        Outcome {
            height: self.tip.header.height,
            receipts,
            writes: changes.writes,
            blobs: changes.blobs,
            state_root: self.tip.state_root,
            results: self.tip.results,
            next_base_fee: base_fee,
            next_validators: self.tip.validators.clone(),
            following_validators: self.tip.following.clone(),
            checkpoint: Vec::new(),
            sealed_roots: None,
        }
    }
}

impl Loading {
    /// Takes some of the current leaves.
    pub fn load(&mut self, leaves: Vec<(Leaf, Vec<u8>)>) {
        for (leaf, value) in &leaves {
            match leaf {
                Leaf::Epoch => self.epoch = Some(value.clone()),
                Leaf::Switch(number) => drop(self.switches.insert(*number, value.clone())),
                _ => {}
            }
        }
        let writes: Vec<_> = leaves.into_iter().map(|(leaf, value)| (leaf, Some(value))).collect();
        self.ledger.tree.apply_writes(&writes);
        self.ledger.cache.absorb(&writes, &[]);
    }

    /// The ledger, if the leaves have the checkpoint's root (M-03) and the roots lead to the state's epoch.
    pub fn finish(self) -> Result<Ledger, Halt> {
        let Self { mut ledger, epoch, switches } = self;
        if holds(Mechanism::LoadedRoot) && ledger.tree.root() != ledger.tip.state_root {
            return Err(Halt::Root);
        }
        ledger.epoch = epoch.and_then(|bytes| borsh::from_slice(&bytes).ok()).ok_or(Halt::Root)?;
        let switch = |number| switches.get(&number).and_then(|bytes| borsh::from_slice::<B256>(bytes).ok());
        ledger.keys = epoch::reconcile(Arc::clone(&ledger.keys), &ledger.epoch, switch)?;
        ledger.snapshots.turn(&ledger.keys);
        let snapshot = Snapshot::new(&ledger.tip.header, &ledger.epoch, ledger.tree.clone(), 0);
        ledger.snapshots.push(snapshot);
        Ok(ledger)
    }
}

/// The leaves that a block touches for certain: fetched in one crossing.
fn foreseen(txs: &[(&alloy_primitives::Bytes, Result<Tx, cloister_chain::TxError>)]) -> Vec<Leaf> {
    use alloy_consensus::Transaction as _;
    let mut leaves = vec![Leaf::Chain];
    for tx in txs.iter().filter_map(|(_, tx)| tx.as_ref().ok()) {
        match tx {
            Tx::Eth(tx) => {
                leaves.push(Leaf::Account(tx.sender()));
                leaves.extend(tx.envelope().to().map(Leaf::Account));
            }
            Tx::Cosmos(tx) => {
                let signers = tx.signers().iter().copied();
                let called = tx.messages().iter().filter_map(Message::contract);
                for address in signers.chain(called) {
                    leaves.extend([Leaf::Account, Leaf::Auth, Leaf::Coins, Leaf::Contract].map(|leaf| leaf(address)));
                }
            }
        }
    }
    leaves
}

fn is_cosmos(tx: &Result<Tx, cloister_chain::TxError>) -> bool {
    matches!(tx, Ok(Tx::Cosmos(_)))
}

/// The receipt of bytes that are no transaction: a proposer put them there, and nobody pays.
fn malformed(bytes: &[u8]) -> Receipt {
    Receipt {
        tx: alloy_primitives::keccak256(bytes),
        from: Address::ZERO,
        status: Status::Refused(Refusal::Malformed),
        gas_used: 0,
        gas_price: 0,
        contract: None,
        logs: Vec::new(),
        cosmos: None,
    }
}

#[cfg(test)]
mod tests;
