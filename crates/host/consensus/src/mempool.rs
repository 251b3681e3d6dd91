//! Transactions that wait for a block.
//!
//! Admission follows go-ethereum's rules and texts: sequence, fee, funds, size, gas; a transaction with a future sequence
//! waits; one with the same sequence replaces another if it pays a tenth more. What leaves the pool leaves it because it was
//! committed, replaced, or became impossible.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use alloy_consensus::{Transaction as _, Typed2718 as _};
use cloister_chain::{Account, Address, B256, Bytes, Tx, U256};
use thiserror::Error;

/// Bounds of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most transactions.
    pub count: usize,
    /// Most bytes in all transactions.
    pub bytes: usize,
    /// Most transactions of one sender.
    pub per_sender: usize,
    /// Gas that one block may use: no transaction may ask for more.
    pub block_gas: u64,
}

/// What the pool is told about the sender of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The account as of `height`.
    pub account: Account,
    /// A committed height.
    pub height: u64,
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
}

/// Why a transaction is not admitted. The texts are go-ethereum's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// The sequence was used.
    #[error("nonce too low: next nonce {next}, tx nonce {given}")]
    NonceTooLow {
        /// The account's next sequence.
        next: u64,
        /// The transaction's.
        given: u64,
    },
    /// The very same transaction is in the pool.
    #[error("already known")]
    AlreadyKnown,
    /// It replaces a transaction that pays more than ten elevenths of its price.
    #[error("replacement transaction underpriced")]
    Underpriced,
    /// The account cannot pay for this and its other waiting transactions.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    InsufficientFunds {
        /// Balance in wei.
        balance: U256,
        /// Sum of what the account's waiting transactions, this one included, may cost, in wei.
        cost: U256,
    },
    /// The price cap is below the base fee.
    #[error("max fee per gas less than block base fee: maxFeePerGas: {cap}, baseFee: {base}")]
    FeeTooLow {
        /// The cap in wei.
        cap: u128,
        /// The base fee in wei.
        base: u64,
    },
    /// The tip is above the cap.
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveCap,
    /// The gas limit does not cover the intrinsic cost.
    #[error("intrinsic gas too low: gas {given}, minimum needed {needed}")]
    IntrinsicGas {
        /// Gas limit of the transaction.
        given: u64,
        /// Intrinsic gas.
        needed: u64,
    },
    /// The gas limit is above that of a block.
    #[error("exceeds block gas limit")]
    BlockGas,
    /// Creation code above the EIP-3860 limit.
    #[error("max initcode size exceeded: code size {0}, limit 49152")]
    InitCode(usize),
    /// The sender's code makes it a contract (EIP-3607).
    #[error("sender not an eoa")]
    SenderIsContract,
    /// A kind of transaction that no door of this node takes in.
    #[error("transaction type not supported")]
    Kind,
    /// The pool, or the sender's share of it, is full.
    #[error("txpool is full")]
    Full,
    /// The account was read at a height that the pool has left behind: read it again.
    #[error("the account is out of date")]
    Stale,
}

/// Numbers for `txpool_status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Transactions that the next blocks may take.
    pub pending: usize,
    /// Transactions that wait for an earlier sequence.
    pub queued: usize,
}

/// The pool. Shared by reference; its lock is held for memory operations only.
pub struct Mempool {
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    height: u64,
    arrivals: u64,
    bytes: usize,
    senders: BTreeMap<Address, Sender>,
    by_hash: HashMap<B256, (Address, u64)>,
}

#[derive(Default)]
struct Sender {
    /// Next sequence in the committed state.
    next: u64,
    /// Sum of what the waiting transactions may cost.
    cost: U256,
    waiting: BTreeMap<u64, Arc<Waiting>>,
}

struct Waiting {
    tx: Tx,
    bytes: Bytes,
    arrival: u64,
    cap: u128,
    tip: u128,
    gas: u64,
    cost: U256,
}

impl Default for Limits {
    fn default() -> Self {
        Self { count: 100_000, bytes: 256 << 20, per_sender: 4_096, block_gas: 120_000_000 }
    }
}

impl Mempool {
    /// An empty pool for the block after `height`.
    pub fn new(limits: Limits, height: u64) -> Self {
        Self { limits, inner: Mutex::new(Inner { height, ..Inner::default() }) }
    }

    /// Admits `tx`, whose sender is as `admission` says, and returns its hash.
    pub fn add(&self, tx: Tx, admission: &Admission) -> Result<B256, SubmitError> {
        let waiting = self.check(tx, admission)?;
        let (hash, sender, sequence) = (waiting.tx.hash(), waiting.tx.sender(), waiting.tx.sequence());
        let mut inner = self.lock();
        if inner.height > admission.height {
            return Err(SubmitError::Stale);
        }
        // A block is in the store a moment before the pool hears of it: what it used up must not count against its sender.
        inner.forget_below(&sender, admission.account.sequence);
        if inner.by_hash.contains_key(&hash) {
            return Err(SubmitError::AlreadyKnown);
        }
        let Inner { senders, by_hash, bytes, arrivals, .. } = &mut *inner;
        let known = senders.get(&sender);
        let replaced = known.and_then(|known| known.waiting.get(&sequence)).cloned();
        if let Some(old) = &replaced {
            let enough = |old: u128| old.saturating_add(old / 10);
            if waiting.cap < enough(old.cap) || waiting.tip < enough(old.tip) {
                return Err(SubmitError::Underpriced);
            }
        } else if by_hash.len() >= self.limits.count
            || known.is_some_and(|known| known.waiting.len() >= self.limits.per_sender)
        {
            return Err(SubmitError::Full);
        }
        let grown = *bytes - replaced.as_ref().map_or(0, |old| old.bytes.len()) + waiting.bytes.len();
        if grown > self.limits.bytes {
            return Err(SubmitError::Full);
        }
        let others =
            known.map_or(U256::ZERO, |known| known.cost) - replaced.as_ref().map_or(U256::ZERO, |old| old.cost);
        let cost = others.saturating_add(waiting.cost);
        if cost > admission.account.balance {
            return Err(SubmitError::InsufficientFunds { balance: admission.account.balance, cost });
        }
        if let Some(old) = replaced {
            by_hash.remove(&old.tx.hash());
        }
        *bytes = grown;
        *arrivals += 1;
        by_hash.insert(hash, (sender, sequence));
        let entry = senders.entry(sender).or_default();
        entry.next = admission.account.sequence;
        entry.cost = cost;
        entry.waiting.insert(sequence, Arc::new(Waiting { arrival: *arrivals, ..waiting }));
        Ok(hash)
    }

    /// Transactions for the next block: each sender's in the order of their sequences, the best tip first, then the first
    /// to arrive; within `gas`, `bytes` and `count`. They stay in the pool until [`Mempool::committed`].
    pub fn select(&self, base_fee: u64, gas: u64, bytes: usize, count: usize) -> Vec<(B256, Bytes)> {
        let mut heads = BinaryHeap::new();
        {
            let inner = self.lock();
            for sender in inner.senders.values() {
                let run: Vec<Arc<Waiting>> = sender
                    .run()
                    .take_while(|waiting| waiting.cap >= u128::from(base_fee))
                    .take(count)
                    .cloned()
                    .collect();
                heads.extend(Head::new(run, 0, base_fee));
            }
        }
        let (mut gas, mut bytes, mut chosen) = (gas, bytes, Vec::new());
        while let Some(head) = heads.pop() {
            let waiting = &head.run[head.at];
            if chosen.len() == count {
                break;
            }
            // A sender whose transaction does not fit waits for the next block with all that follow it.
            if waiting.gas > gas || waiting.bytes.len() > bytes {
                continue;
            }
            gas -= waiting.gas;
            bytes -= waiting.bytes.len();
            chosen.push((waiting.tx.hash(), waiting.bytes.clone()));
            let Head { run, at, .. } = head;
            heads.extend(Head::new(run, at + 1, base_fee));
        }
        chosen
    }

    /// Follows a commit: forgets the transactions of the block and whatever `accounts`, the senders of the block as they
    /// are now, make impossible.
    pub fn committed(&self, height: u64, hashes: &[B256], accounts: &BTreeMap<Address, Account>) {
        let mut inner = self.lock();
        inner.height = height;
        let mut gone: BTreeSet<(Address, u64)> =
            hashes.iter().filter_map(|hash| inner.by_hash.get(hash).copied()).collect();
        for (address, account) in accounts {
            let Some(sender) = inner.senders.get_mut(address) else { continue };
            sender.next = account.sequence;
            let mut cost = U256::ZERO;
            for (sequence, waiting) in &sender.waiting {
                cost = cost.saturating_add(waiting.cost);
                if *sequence < account.sequence || cost > account.balance {
                    gone.insert((*address, *sequence));
                    cost = cost.saturating_sub(waiting.cost);
                }
            }
        }
        for (address, sequence) in gone {
            inner.remove(&address, sequence);
        }
    }

    /// A transaction that waits.
    pub fn get(&self, hash: &B256) -> Option<Tx> {
        let inner = self.lock();
        let (address, sequence) = inner.by_hash.get(hash)?;
        Some(inner.senders.get(address)?.waiting.get(sequence)?.tx.clone())
    }

    /// The sequence after those of `address` that are ready; `None` if it has no transaction here. Who compares it with the
    /// committed state asks here first: what leaves the pool in between is in that state, and no sequence is given twice.
    pub fn next_sequence(&self, address: &Address) -> Option<u64> {
        let inner = self.lock();
        let sender = inner.senders.get(address)?;
        Some(sender.run().last().map_or(sender.next, |last| last.tx.sequence().saturating_add(1)))
    }

    /// How many transactions wait.
    pub fn status(&self) -> PoolStatus {
        let inner = self.lock();
        let pending = inner.senders.values().map(|sender| sender.run().count()).sum();
        PoolStatus { pending, queued: inner.by_hash.len() - pending }
    }

    /// All waiting transactions with whether they are ready, by sender and sequence.
    pub fn content(&self) -> Vec<(Tx, bool)> {
        let inner = self.lock();
        let senders = inner.senders.values();
        senders
            .flat_map(|sender| {
                let ready = sender.run().count();
                sender.waiting.values().enumerate().map(move |(index, waiting)| (waiting.tx.clone(), index < ready))
            })
            .collect()
    }

    /// The checks that need no lock.
    fn check(&self, tx: Tx, admission: &Admission) -> Result<Waiting, SubmitError> {
        let Tx::Eth(eth) = &tx else { return Err(SubmitError::Kind) };
        let envelope = eth.envelope();
        let (cap, gas) = (envelope.max_fee_per_gas(), envelope.gas_limit());
        let tip = envelope.max_priority_fee_per_gas().unwrap_or(cap);
        if envelope.kind().is_create() && envelope.input().len() > INIT_CODE_BYTES {
            return Err(SubmitError::InitCode(envelope.input().len()));
        }
        if gas > self.limits.block_gas {
            return Err(SubmitError::BlockGas);
        }
        if tip > cap {
            return Err(SubmitError::TipAboveCap);
        }
        if cap < u128::from(admission.base_fee) {
            return Err(SubmitError::FeeTooLow { cap, base: admission.base_fee });
        }
        let given = tx.sequence();
        if given < admission.account.sequence {
            return Err(SubmitError::NonceTooLow { next: admission.account.sequence, given });
        }
        if admission.account.code != Account::default().code {
            return Err(SubmitError::SenderIsContract);
        }
        let needed = intrinsic_gas(envelope);
        if gas < needed {
            return Err(SubmitError::IntrinsicGas { given: gas, needed });
        }
        let cost = U256::from(gas).saturating_mul(U256::from(cap)).saturating_add(envelope.value());
        Ok(Waiting { bytes: tx.to_bytes(), arrival: 0, cap, tip, gas, cost, tx })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every critical section leaves the pool consistent at each step that can panic.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    /// Takes out the transactions of `address` whose sequences are below `next`.
    fn forget_below(&mut self, address: &Address, next: u64) {
        let first = |inner: &Self| inner.senders.get(address)?.waiting.keys().next().copied();
        while let Some(sequence) = first(self).filter(|sequence| *sequence < next) {
            self.remove(address, sequence);
        }
    }

    fn remove(&mut self, address: &Address, sequence: u64) {
        let Some(sender) = self.senders.get_mut(address) else { return };
        if let Some(waiting) = sender.waiting.remove(&sequence) {
            self.by_hash.remove(&waiting.tx.hash());
            self.bytes -= waiting.bytes.len();
            sender.cost = sender.cost.saturating_sub(waiting.cost);
        }
        if sender.waiting.is_empty() {
            self.senders.remove(address);
        }
    }
}

impl Sender {
    /// The transactions that can run one after the other, from the next sequence on.
    fn run(&self) -> impl Iterator<Item = &Arc<Waiting>> {
        let sequences = self.next..;
        sequences
            .zip(self.waiting.range(self.next..))
            .take_while(|(want, (have, _))| want == *have)
            .map(|(_, (_, w))| w)
    }
}

/// A sender's run and how far it was taken; ordered by what its next transaction pays.
struct Head {
    run: Vec<Arc<Waiting>>,
    at: usize,
    key: (u128, std::cmp::Reverse<u64>),
}

impl Head {
    fn new(run: Vec<Arc<Waiting>>, at: usize, base_fee: u64) -> Option<Self> {
        let waiting = run.get(at)?;
        let tip = waiting.tip.min(waiting.cap.saturating_sub(u128::from(base_fee)));
        let key = (tip, std::cmp::Reverse(waiting.arrival));
        Some(Self { run, at, key })
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Gas charged before the first instruction: EIP-2028 (data), EIP-2930 (access list), EIP-2 and EIP-3860 (creation).
fn intrinsic_gas(envelope: &alloy_consensus::TxEnvelope) -> u64 {
    let data = envelope.input();
    let zeros = data.iter().filter(|byte| **byte == 0).count() as u64;
    let mut gas = 21_000 + zeros * 4 + (data.len() as u64 - zeros) * 16;
    if envelope.kind().is_create() {
        gas += 32_000 + data.len().div_ceil(32) as u64 * 2;
    }
    if let Some(list) = envelope.access_list().filter(|_| envelope.ty() != 0) {
        gas += list.0.iter().map(|item| 2_400 + item.storage_keys.len() as u64 * 1_900).sum::<u64>();
    }
    gas
}

const INIT_CODE_BYTES: usize = 49_152;

#[cfg(test)]
mod tests;
