//! Cosmos transactions that wait.
//!
//! Admission is the SDK's `CheckTx`: the rules of the ledger's ante part, with its numbers and texts, on the committed state
//! plus what waits already. So a sequence has to be the one after the signer's last waiting transaction: there are no gaps
//! and no replacements, and the order of arrival is one in which everything can run.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use cloister_chain::cosmos::{AllowanceError, CosmosError, CosmosTx, DENOM, SignerData, bech32};
use cloister_chain::leaf::Auth;
use cloister_chain::wire::Rejection;
use cloister_chain::{Address, B256, Bytes};

use super::{Admission, Budget, Chosen, Granter, Space, Standing, SubmitError};

/// The waiting transactions, in the order of their arrival.
#[derive(Default)]
pub(super) struct CosmosPool {
    bytes: usize,
    txs: BTreeMap<u64, Waiting>,
    by_hash: HashMap<B256, u64>,
    signers: BTreeMap<Address, Signer>,
    /// Sums of the fees that each account pays.
    fees: BTreeMap<Address, u128>,
    /// Sums and numbers of those that granters, named first, pay for others.
    granted: BTreeMap<(Address, Address), (u128, usize)>,
}

/// A waiting transaction: what the pool needs of it. The rest is in its bytes, which may be long.
struct Waiting {
    hash: B256,
    bytes: Bytes,
    /// Signers with the sequences that they use.
    signers: Vec<(Address, u64)>,
    /// Who pays: the first signer, or a granter.
    payer: Address,
    gas: u64,
    fee: u128,
    timeout: u64,
}

/// An account that signed waiting transactions.
#[derive(Default)]
struct Signer {
    /// Arrivals, by the sequence used.
    waiting: BTreeMap<u64, u64>,
}

/// The checks that need no pool.
pub(super) fn check(tx: &CosmosTx, admission: &Admission, block_gas: u64) -> Result<(), SubmitError> {
    let gas = tx.gas();
    if gas > block_gas {
        let log = format!("tx gas limit {gas} exceeds block max gas {block_gas}: invalid gas limit");
        return Err(SubmitError::sdk(41, log));
    }
    let (next, last) = (admission.height.saturating_add(1), tx.timeout_height());
    if last != 0 && next > last {
        return Err(SubmitError::sdk(30, format!("block height: {next}, timeout height: {last}: tx timeout height")));
    }
    let size = (tx.bytes().len() as u64).saturating_mul(TX_BYTE);
    enough(gas, size, "txSize")?;
    auths(tx, admission)?;
    let signatures = (tx.signers().len() as u64).saturating_mul(SIGNATURE);
    enough(gas, size.saturating_add(signatures), "ante verify: secp256k1")
}

/// Checks the signatures for these sequences of the signers. This takes long.
pub(super) fn verify(
    tx: &CosmosTx,
    chain_id: &str,
    admission: &Admission,
    sequences: Vec<u64>,
) -> Result<(), SubmitError> {
    let known = auths(tx, admission)?.into_iter().zip(sequences);
    let data = known.map(|(auth, sequence)| Ok(SignerData { number: auth.number, sequence, key: auth.public_key()? }));
    Ok(tx.verify(chain_id, &data.collect::<Result<Vec<_>, CosmosError>>()?)?)
}

/// What the chain knows of the signers.
fn auths<'a>(tx: &CosmosTx, admission: &'a Admission) -> Result<Vec<&'a Auth>, SubmitError> {
    let each = tx.signers().iter().enumerate().map(|(index, signer)| {
        let auth = admission.signers.get(index).and_then(|standing| standing.auth.as_ref());
        auth.ok_or_else(|| SubmitError::sdk(9, format!("account {} does not exist: unknown address", bech32(signer))))
    });
    each.collect()
}

fn enough(wanted: u64, used: u64, descriptor: &str) -> Result<(), SubmitError> {
    if used <= wanted {
        return Ok(());
    }
    let log = format!("out of gas in location: {descriptor}; gasWanted: {wanted}, gasUsed: {used}: out of gas");
    Err(SubmitError::sdk(11, log))
}

impl CosmosPool {
    /// The sequence that each signer has to use, after what is committed and what waits.
    pub(super) fn expect(&self, tx: &CosmosTx, admission: &Admission) -> Result<Vec<u64>, SubmitError> {
        if self.by_hash.contains_key(&tx.hash()) {
            return Err(SubmitError::AlreadyKnown);
        }
        let next = |(signer, standing): (&Address, &Standing)| {
            let last = self.signers.get(signer).and_then(|known| known.waiting.last_key_value());
            let committed = standing.account.sequence;
            last.map_or(committed, |(last, _)| committed.max(last.saturating_add(1)))
        };
        Ok(tx.signers().iter().zip(&admission.signers).map(next).collect())
    }

    /// Takes in a transaction with good signatures as the `arrival`th of the pool. `bytes` are the form that travels in
    /// blocks.
    pub(super) fn add(
        &mut self,
        tx: &CosmosTx,
        bytes: Bytes,
        admission: &Admission,
        space: Space,
        arrival: u64,
    ) -> Result<B256, SubmitError> {
        let signers: Vec<_> =
            tx.signers().iter().enumerate().map(|(index, signer)| (*signer, tx.sequence(index))).collect();
        // Again: others may have come while the signatures were checked.
        for (want, (_, have)) in self.expect(tx, admission)?.into_iter().zip(&signers) {
            if want != *have {
                return Err(CosmosError::Sequence { want, have: *have }.into());
            }
        }
        let full = |signer: &Signer| signer.waiting.len() >= space.per_sender;
        if space.count == 0
            || bytes.len() > space.bytes
            || signers.iter().any(|(signer, _)| self.signers.get(signer).is_some_and(full))
        {
            return Err(SubmitError::Full);
        }
        let fee = tx.fee();
        let signer = signers.first().map(|(signer, _)| *signer).unwrap_or_default();
        let payer = tx.granter().unwrap_or(signer);
        let held = if payer == signer {
            admission.signers.first().map_or(0, |standing| standing.coins)
        } else {
            self.allowed(tx, (payer, signer), admission.granter.as_ref())?
        };
        let left = held.saturating_sub(self.fees.get(&payer).copied().unwrap_or(0));
        if fee > left {
            let log = format!("spendable balance {left}{DENOM} is smaller than {fee}{DENOM}: insufficient funds");
            return Err(SubmitError::sdk(5, log));
        }
        // Within what the payer holds, so the sums are in range.
        *self.fees.entry(payer).or_default() += fee;
        if payer != signer {
            let granted = self.granted.entry((payer, signer)).or_default();
            *granted = (granted.0 + fee, granted.1 + 1);
        }
        for (signer, sequence) in &signers {
            self.signers.entry(*signer).or_default().waiting.insert(*sequence, arrival);
        }
        let hash = tx.hash();
        self.bytes += bytes.len();
        self.by_hash.insert(hash, arrival);
        let (gas, timeout) = (tx.gas(), tx.timeout_height());
        self.txs.insert(arrival, Waiting { hash, bytes, signers, payer, gas, fee, timeout });
        Ok(hash)
    }

    /// What a granter holds, if its allowance covers the fee of `tx` and of all that waits on the same allowance.
    fn allowed(
        &self,
        tx: &CosmosTx,
        (granter, grantee): (Address, Address),
        known: Option<&Granter>,
    ) -> Result<u128, SubmitError> {
        let (sum, count) = self.granted.get(&(granter, grantee)).copied().unwrap_or_default();
        if count >= GRANTED {
            return Err(SubmitError::Full);
        }
        let known = known.cloned().unwrap_or_default();
        let allowance = known.allowance.ok_or(AllowanceError::Unknown);
        let paid = allowance.and_then(|allowance| {
            // What waits pays first, and may use the allowance up.
            let left = if count > 0 { allowance.pay(known.time, sum, tx.messages())? } else { Some(allowance) };
            left.ok_or(AllowanceError::Unknown)?.pay(known.time, tx.fee(), tx.messages())
        });
        paid.map(|_| known.coins).map_err(|error| {
            let ((codespace, code), log) = (error.code(), error.text(&granter, &grantee));
            SubmitError::Rejected(Rejection { codespace: codespace.into(), code, log })
        })
    }

    /// Takes out the transactions of `signer` whose sequences are below `next`.
    pub(super) fn forget_below(&mut self, signer: &Address, next: u64) {
        let Some(known) = self.signers.get(signer) else { return };
        let used: Vec<u64> = known.waiting.range(..next).map(|(_, arrival)| *arrival).collect();
        for arrival in used {
            self.remove(arrival);
        }
    }

    /// Forgets the transactions of the block of `height`, those that come too late for the next one, and those that cannot
    /// run any more as `accounts` are now, or without another that went.
    pub(super) fn committed(&mut self, height: u64, hashes: &[B256], accounts: &BTreeMap<Address, Standing>) {
        for hash in hashes {
            if let Some(arrival) = self.by_hash.get(hash).copied() {
                self.remove(arrival);
            }
        }
        // An account that signed nothing in the block has its sequence and pays as before.
        let mut next: BTreeMap<Address, u64> = self
            .signers
            .iter()
            .filter_map(|(address, signer)| {
                let first = signer.waiting.keys().next().copied();
                Some((*address, accounts.get(address).map(|standing| standing.account.sequence).or(first)?))
            })
            .collect();
        let mut coins: BTreeMap<Address, u128> =
            accounts.iter().map(|(address, standing)| (*address, standing.coins)).collect();
        let mut gone = Vec::new();
        for (arrival, waiting) in &self.txs {
            let in_time = waiting.timeout == 0 || height < waiting.timeout;
            let in_order = waiting.signers.iter().all(|(signer, sequence)| next.get(signer) == Some(sequence));
            let payer = coins.get_mut(&waiting.payer);
            let payable = payer.as_ref().is_none_or(|held| **held >= waiting.fee);
            if !(in_time && in_order && payable) {
                gone.push(*arrival);
                continue;
            }
            if let Some(held) = payer {
                *held -= waiting.fee;
            }
            for (signer, sequence) in &waiting.signers {
                next.insert(*signer, sequence.saturating_add(1));
            }
        }
        for arrival in gone {
            self.remove(arrival);
        }
    }

    /// Adds transactions in the order of their arrival, and takes what they need from the budget. What does not fit waits
    /// for the next block with all that its signers signed later.
    pub(super) fn choose(&self, budget: &mut Budget, chosen: &mut Chosen) {
        let mut waits = BTreeSet::<Address>::new();
        for waiting in self.txs.values() {
            if budget.count == 0 {
                break;
            }
            let signers = || waiting.signers.iter().map(|(signer, _)| signer);
            let fits = waiting.gas <= budget.sdk_gas && waiting.bytes.len() <= budget.bytes;
            if !fits || signers().any(|signer| waits.contains(signer)) {
                waits.extend(signers().copied());
                continue;
            }
            budget.count -= 1;
            budget.sdk_gas -= waiting.gas;
            budget.bytes -= waiting.bytes.len();
            chosen.push((waiting.hash, waiting.bytes.clone()));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.txs.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The form that travels in blocks.
    pub(super) fn get(&self, hash: &B256) -> Option<Bytes> {
        Some(self.txs.get(self.by_hash.get(hash)?)?.bytes.clone())
    }

    fn remove(&mut self, arrival: u64) {
        let Some(waiting) = self.txs.remove(&arrival) else { return };
        self.by_hash.remove(&waiting.hash);
        self.bytes -= waiting.bytes.len();
        if let Entry::Occupied(mut sum) = self.fees.entry(waiting.payer) {
            *sum.get_mut() -= waiting.fee;
            if *sum.get() == 0 {
                sum.remove();
            }
        }
        let signer = waiting.signers.first().map(|(signer, _)| *signer).unwrap_or_default();
        if let Entry::Occupied(mut granted) = self.granted.entry((waiting.payer, signer)) {
            let (sum, count) = *granted.get();
            if count <= 1 {
                granted.remove();
            } else {
                *granted.get_mut() = (sum - waiting.fee, count - 1);
            }
        }
        for (address, sequence) in &waiting.signers {
            let Some(signer) = self.signers.get_mut(address) else { continue };
            signer.waiting.remove(sequence);
            if signer.waiting.is_empty() {
                self.signers.remove(address);
            }
        }
    }
}

/// Gas per byte of a transaction (`tx_size_cost_per_byte`).
const TX_BYTE: u64 = 10;
/// Gas per signature (`sig_verify_cost_secp256k1`).
const SIGNATURE: u64 = 1_000;
/// Most transactions that wait on one allowance. Its granter may take it back, and then they are refused in a block without
/// having paid.
const GRANTED: usize = 16;

#[cfg(test)]
pub(super) mod tests;
