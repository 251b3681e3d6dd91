//! Ethereum transactions that wait.
//!
//! Admission follows go-ethereum's rules and texts: sequence, fee, funds, size, gas; a transaction with a future sequence
//! waits; one with the same sequence replaces another if it pays a tenth more.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use alloy_consensus::{Transaction as _, Typed2718 as _};
use cloister_chain::{Account, Address, B256, Bytes, EthTx, Tx, U256};

use super::{Budget, Chosen, Space, Standing, SubmitError};

/// The waiting transactions, by sender.
#[derive(Default)]
pub(super) struct EthPool {
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

/// A transaction that passed the checks which need no pool.
pub(super) struct Waiting {
    tx: EthTx,
    bytes: Bytes,
    arrival: u64,
    cap: u128,
    tip: u128,
    gas: u64,
    cost: U256,
}

/// The checks that need no pool. `bytes` are the form of `tx` that travels in blocks.
pub(super) fn check(
    tx: &EthTx,
    bytes: Bytes,
    sender: &Account,
    base_fee: u64,
    block_gas: u64,
) -> Result<Waiting, SubmitError> {
    let envelope = tx.envelope();
    let (cap, gas) = (envelope.max_fee_per_gas(), envelope.gas_limit());
    let tip = envelope.max_priority_fee_per_gas().unwrap_or(cap);
    if envelope.kind().is_create() && envelope.input().len() > INIT_CODE_BYTES {
        return Err(SubmitError::InitCode(envelope.input().len()));
    }
    if gas > block_gas {
        return Err(SubmitError::BlockGas);
    }
    if tip > cap {
        return Err(SubmitError::TipAboveCap);
    }
    if cap < u128::from(base_fee) {
        return Err(SubmitError::FeeTooLow { cap, base: base_fee });
    }
    let given = envelope.nonce();
    if given < sender.sequence {
        return Err(SubmitError::NonceTooLow { next: sender.sequence, given });
    }
    if sender.code != Account::default().code {
        return Err(SubmitError::SenderIsContract);
    }
    let needed = intrinsic_gas(envelope);
    if gas < needed {
        return Err(SubmitError::IntrinsicGas { given: gas, needed });
    }
    let cost = U256::from(gas).saturating_mul(U256::from(cap)).saturating_add(envelope.value());
    Ok(Waiting { tx: tx.clone(), bytes, arrival: 0, cap, tip, gas, cost })
}

impl EthPool {
    /// Takes in a checked transaction, whose sender is as `account` says, as the `arrival`th of the pool.
    pub(super) fn add(
        &mut self,
        waiting: Waiting,
        account: &Account,
        space: Space,
        arrival: u64,
    ) -> Result<B256, SubmitError> {
        let (hash, sender, sequence) = (waiting.tx.hash(), waiting.tx.sender(), waiting.tx.envelope().nonce());
        if self.by_hash.contains_key(&hash) {
            return Err(SubmitError::AlreadyKnown);
        }
        let known = self.senders.get(&sender);
        let replaced = known.and_then(|known| known.waiting.get(&sequence)).cloned();
        if let Some(old) = &replaced {
            let enough = |old: u128| old.saturating_add(old / 10);
            if waiting.cap < enough(old.cap) || waiting.tip < enough(old.tip) {
                return Err(SubmitError::Underpriced);
            }
        } else if space.count == 0 || known.is_some_and(|known| known.waiting.len() >= space.per_sender) {
            return Err(SubmitError::Full);
        }
        let freed = replaced.as_ref().map_or(0, |old| old.bytes.len());
        if waiting.bytes.len() > space.bytes + freed {
            return Err(SubmitError::Full);
        }
        let others =
            known.map_or(U256::ZERO, |known| known.cost) - replaced.as_ref().map_or(U256::ZERO, |old| old.cost);
        let cost = others.saturating_add(waiting.cost);
        if cost > account.balance {
            return Err(SubmitError::InsufficientFunds { balance: account.balance, cost });
        }
        if let Some(old) = replaced {
            self.by_hash.remove(&old.tx.hash());
        }
        self.bytes = self.bytes - freed + waiting.bytes.len();
        self.by_hash.insert(hash, (sender, sequence));
        let entry = self.senders.entry(sender).or_default();
        entry.next = account.sequence;
        entry.cost = cost;
        entry.waiting.insert(sequence, Arc::new(Waiting { arrival, ..waiting }));
        Ok(hash)
    }

    /// Takes out the transactions of `address` whose sequences are below `next`.
    pub(super) fn forget_below(&mut self, address: &Address, next: u64) {
        let first = |pool: &Self| pool.senders.get(address)?.waiting.keys().next().copied();
        while let Some(sequence) = first(self).filter(|sequence| *sequence < next) {
            self.remove(address, sequence);
        }
    }

    /// Forgets the transactions of a block and what `accounts` make impossible.
    pub(super) fn committed(&mut self, hashes: &[B256], accounts: &BTreeMap<Address, Standing>) {
        let mut gone: BTreeSet<(Address, u64)> =
            hashes.iter().filter_map(|hash| self.by_hash.get(hash).copied()).collect();
        for (address, Standing { account, .. }) in accounts {
            let Some(sender) = self.senders.get_mut(address) else { continue };
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
            self.remove(&address, sequence);
        }
    }

    /// What can run, at most `count` of each sender: the raw material of [`Candidates::choose`].
    pub(super) fn candidates(&self, base_fee: u64, count: usize) -> Candidates {
        let mut heads = BinaryHeap::new();
        for sender in self.senders.values() {
            let affordable = sender.run().take_while(|waiting| waiting.cap >= u128::from(base_fee));
            heads.extend(Head::new(affordable.take(count).cloned().collect(), 0, base_fee));
        }
        Candidates { heads, base_fee }
    }

    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn get(&self, hash: &B256) -> Option<Tx> {
        let (address, sequence) = self.by_hash.get(hash)?;
        Some(Tx::Eth(self.senders.get(address)?.waiting.get(sequence)?.tx.clone()))
    }

    pub(super) fn next_sequence(&self, address: &Address) -> Option<u64> {
        let sender = self.senders.get(address)?;
        Some(sender.run().last().map_or(sender.next, |last| last.tx.envelope().nonce().saturating_add(1)))
    }

    /// How many can run.
    pub(super) fn ready(&self) -> usize {
        self.senders.values().map(|sender| sender.run().count()).sum()
    }

    /// All with whether they can run, by sender and sequence.
    pub(super) fn content(&self) -> Vec<(Tx, bool)> {
        let each = |sender: &Sender| {
            let ready = sender.run().count();
            let txs = sender.waiting.values().enumerate();
            txs.map(|(index, waiting)| (Tx::Eth(waiting.tx.clone()), index < ready)).collect::<Vec<_>>()
        };
        self.senders.values().flat_map(each).collect()
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

/// What can run at a base fee, taken out of the pool's lock.
pub(super) struct Candidates {
    heads: BinaryHeap<Head>,
    base_fee: u64,
}

impl Candidates {
    /// Adds each sender's in the order of their sequences, the best tip first, then the first to arrive, and takes what they
    /// need from the budget.
    pub(super) fn choose(mut self, budget: &mut Budget, chosen: &mut Chosen) {
        while let Some(head) = self.heads.pop() {
            let waiting = &head.run[head.at];
            if budget.count == 0 {
                break;
            }
            // A sender whose transaction does not fit waits for the next block with all that follow it.
            if waiting.gas > budget.evm_gas || waiting.bytes.len() > budget.bytes {
                continue;
            }
            budget.count -= 1;
            budget.evm_gas -= waiting.gas;
            budget.bytes -= waiting.bytes.len();
            chosen.push((waiting.tx.hash(), waiting.bytes.clone()));
            let Head { run, at, .. } = head;
            self.heads.extend(Head::new(run, at + 1, self.base_fee));
        }
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
pub(super) mod tests;
