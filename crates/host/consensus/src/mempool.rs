//! Transactions that wait for a block.
//!
//! Each world has its own rules: [`eth`] follows go-ethereum, [`cosmos`] the SDK's `CheckTx`. They share one bound of the
//! pool, and one block. What leaves the pool leaves it because it was committed, replaced, or became impossible.

mod cosmos;
mod error;
mod eth;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use cloister_chain::cosmos::Allowance;
use cloister_chain::leaf::Auth;
use cloister_chain::{Account, Address, B256, Bytes, Tx};

use cosmos::CosmosPool;
pub use error::SubmitError;
use eth::EthPool;

/// Bounds of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most transactions.
    pub count: usize,
    /// Most bytes in all transactions.
    pub bytes: usize,
    /// Most transactions of one sender or signer.
    pub per_sender: usize,
    /// EVM gas that one block may use: no transaction may ask for more.
    pub block_gas: u64,
    /// Gas in the SDK's units that one block may use: no transaction may ask for more.
    pub sdk_gas: u64,
}

/// What one block may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// EVM gas.
    pub evm_gas: u64,
    /// Gas in the SDK's units.
    pub sdk_gas: u64,
    /// Bytes of all transactions.
    pub bytes: usize,
    /// Transactions.
    pub count: usize,
}

/// An account after a committed block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Sequence, wei, code.
    pub account: Account,
    /// What it holds in the Cosmos micro-denomination.
    pub coins: u128,
    /// Its number and key in the Cosmos world; `None` if it does not exist there.
    pub auth: Option<Auth>,
}

/// What the pool is told about the state behind a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The accounts that have to sign, in the transaction's order; an Ethereum transaction has one.
    pub signers: Vec<Standing>,
    /// The committed height of these accounts.
    pub height: u64,
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
    /// Who is to pay the fee in the first signer's place.
    pub granter: Option<Granter>,
}

/// An account that a Cosmos transaction names as its payer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granter {
    /// What it holds in the Cosmos micro-denomination.
    pub coins: u128,
    /// What the first signer may spend of it.
    pub allowance: Option<Allowance>,
    /// Time of the last block, in nanoseconds since 1970.
    pub time: u64,
}

/// Numbers for `txpool_status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Ethereum transactions that the next blocks may take.
    pub pending: usize,
    /// Ethereum transactions that wait for an earlier sequence.
    pub queued: usize,
    /// Cosmos transactions. All of them can run.
    pub cosmos: usize,
}

/// Transactions for a block: hashes, and the form that travels.
type Chosen = Vec<(B256, Bytes)>;

/// The pool. Shared by reference; its lock is held for memory operations only.
pub struct Mempool {
    chain_id: String,
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    height: u64,
    arrivals: u64,
    eth: EthPool,
    cosmos: CosmosPool,
}

/// What is left of the bounds.
#[derive(Clone, Copy)]
struct Space {
    count: usize,
    bytes: usize,
    per_sender: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { count: 100_000, bytes: 256 << 20, per_sender: 4_096, block_gas: 120_000_000, sdk_gas: 10_000_000 }
    }
}

impl From<Account> for Standing {
    /// An account that the Cosmos world does not know.
    fn from(account: Account) -> Self {
        Self { account, ..Self::default() }
    }
}

impl Mempool {
    /// An empty pool for the block after `height`. `chain_id` is the one that Cosmos signatures cover.
    pub fn new(chain_id: impl Into<String>, limits: Limits, height: u64) -> Self {
        Self { chain_id: chain_id.into(), limits, inner: Mutex::new(Inner { height, ..Inner::default() }) }
    }

    /// Admits `tx`, whose signers are as `admission` says, and returns its hash.
    pub fn add(&self, tx: &Tx, admission: &Admission) -> Result<B256, SubmitError> {
        match tx {
            Tx::Eth(eth) => {
                let account = admission.signers.first().map(|sender| sender.account.clone()).unwrap_or_default();
                let waiting = eth::check(eth, tx.to_bytes(), &account, admission.base_fee, self.limits.block_gas)?;
                let mut inner = self.lock_at(admission, &[eth.sender()])?;
                let (space, arrival) = inner.arrive(&self.limits);
                inner.eth.add(waiting, &account, space, arrival)
            }
            Tx::Cosmos(cosmos) => {
                cosmos::check(cosmos, admission, self.limits.sdk_gas)?;
                let sequences = self.lock_at(admission, cosmos.signers())?.cosmos.expect(cosmos, admission)?;
                // Without the lock, and once: whoever comes in between only makes the sequences wrong.
                cosmos::verify(cosmos, &self.chain_id, admission, sequences)?;
                let mut inner = self.lock_at(admission, cosmos.signers())?;
                let (space, arrival) = inner.arrive(&self.limits);
                inner.cosmos.add(cosmos, tx.to_bytes(), admission, space, arrival)
            }
        }
    }

    /// Transactions for the next block, within `budget`: Cosmos ones as they arrived, then Ethereum ones, each sender's in
    /// the order of their sequences, the best tip first. Of what both worlds use, bytes and places, each has half for
    /// certain and more if the other leaves it. They stay in the pool until [`Mempool::committed`].
    pub fn select(&self, base_fee: u64, budget: Budget) -> Chosen {
        let mut chosen = Vec::new();
        let mut left = budget;
        let candidates = {
            let inner = self.lock();
            let share = |all: usize, other: usize| (all / 2).max(all.saturating_sub(other));
            left.count = share(budget.count, inner.eth.len());
            left.bytes = share(budget.bytes, inner.eth.bytes());
            let before = left;
            inner.cosmos.choose(&mut left, &mut chosen);
            left.count = budget.count - (before.count - left.count);
            left.bytes = budget.bytes - (before.bytes - left.bytes);
            inner.eth.candidates(base_fee, left.count)
        };
        candidates.choose(&mut left, &mut chosen);
        chosen
    }

    /// Follows a commit: forgets the transactions of the block and whatever is impossible now that `accounts`, all that
    /// signed something in the block, are as they are.
    pub fn committed(&self, height: u64, hashes: &[B256], accounts: &BTreeMap<Address, Standing>) {
        let mut inner = self.lock();
        inner.height = height;
        inner.eth.committed(hashes, accounts);
        inner.cosmos.committed(height, hashes, accounts);
    }

    /// A transaction that waits.
    pub fn get(&self, hash: &B256) -> Option<Tx> {
        let bytes = {
            let inner = self.lock();
            match inner.eth.get(hash) {
                Some(tx) => return Some(tx),
                None => inner.cosmos.get(hash)?,
            }
        };
        // The EVM's chain id is not looked at.
        Tx::from_bytes(&bytes, 0).ok()
    }

    /// The sequence after those of `address` that are ready in Ethereum transactions; `None` if it has none here. Who
    /// compares it with the committed state asks here first: what leaves the pool in between is in that state, and no
    /// sequence is given twice.
    pub fn next_sequence(&self, address: &Address) -> Option<u64> {
        self.lock().eth.next_sequence(address)
    }

    /// How many transactions wait.
    pub fn status(&self) -> PoolStatus {
        let inner = self.lock();
        let pending = inner.eth.ready();
        PoolStatus { pending, queued: inner.eth.len() - pending, cosmos: inner.cosmos.len() }
    }

    /// All waiting Ethereum transactions with whether they are ready, by sender and sequence.
    pub fn content(&self) -> Vec<(Tx, bool)> {
        self.lock().eth.content()
    }

    /// The pool, if it is not ahead of `admission`. A block is in the store a moment before the pool hears of it: what it
    /// used up must not count against its signers.
    fn lock_at(&self, admission: &Admission, signers: &[Address]) -> Result<MutexGuard<'_, Inner>, SubmitError> {
        let mut inner = self.lock();
        if inner.height > admission.height {
            return Err(SubmitError::Stale);
        }
        for (signer, Standing { account, .. }) in signers.iter().zip(&admission.signers) {
            inner.eth.forget_below(signer, account.sequence);
            inner.cosmos.forget_below(signer, account.sequence);
        }
        Ok(inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every critical section leaves the pool consistent at each step that can panic.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    /// Room for one more, and its number.
    fn arrive(&mut self, limits: &Limits) -> (Space, u64) {
        self.arrivals += 1;
        let space = Space {
            count: limits.count.saturating_sub(self.eth.len() + self.cosmos.len()),
            bytes: limits.bytes.saturating_sub(self.eth.bytes() + self.cosmos.bytes()),
            per_sender: limits.per_sender,
        };
        (space, self.arrivals)
    }
}

#[cfg(test)]
mod tests;
