//! Transfers: signed beforehand, sent in batches over several connections, awaited, checked.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use cloister_sdk::alloy_consensus::TxEip1559;
use cloister_sdk::{Address, B256, Bytes, U256, Wallet};
use serde_json::{Value, json};

use crate::Failure;
use crate::cpu::{self, Stages};
use crate::peer::{CHAIN_ID, Running};
use crate::plan::Plan;
use crate::rpc::{Receipt, Rpc, send_batch};

/// Enough for a base fee that rises through many full blocks; only the base fee and the tip are paid.
const MOST_PER_GAS: u128 = 100_000_000_000;
const TIP_PER_GAS: u128 = 1_000_000_000;

/// A wallet, and how many transactions it has sent.
pub(crate) struct Sender {
    pub(crate) wallet: Wallet,
    pub(crate) nonce: u64,
}

impl Sender {
    /// The next transaction of this account.
    pub(crate) fn sign(&mut self, to: Option<Address>, input: Bytes, gas: u64) -> Bytes {
        let tx = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: gas,
            max_fee_per_gas: MOST_PER_GAS,
            max_priority_fee_per_gas: TIP_PER_GAS,
            to: to.into(),
            value: U256::ZERO,
            input,
            ..TxEip1559::default()
        };
        self.nonce += 1;
        self.wallet.sign(&tx)
    }

    pub(crate) fn address(&self) -> Address {
        self.wallet.address()
    }
}

/// Bodies for each connection, in order.
pub(crate) struct Load {
    bodies: Vec<Vec<Vec<u8>>>,
    /// Nonce of each sender when everything is done.
    goal: Vec<(Address, u64)>,
}

/// What one measurement gave.
pub(crate) struct Measured {
    pub(crate) transfers: usize,
    pub(crate) seconds: f64,
    /// Blocks that the transfers came to stand in.
    pub(crate) blocks: u64,
    pub(crate) stages: Stages,
}

impl Load {
    /// Signs `plan.transfers` transactions; `input` says what the sender of that number sends in that round.
    pub(crate) fn sign(
        plan: &Plan,
        senders: &mut [Sender],
        token: Address,
        gas: u64,
        mut input: impl FnMut(&Sender, usize, usize) -> Bytes,
    ) -> Self {
        // One account stays with one connection, so that its transactions arrive in order.
        let mut raws: Vec<Vec<Bytes>> = (0..plan.connections).map(|_| Vec::new()).collect();
        for round in 0..plan.rounds() {
            for (number, sender) in senders.iter_mut().enumerate() {
                let input = input(sender, number, round);
                raws[number % plan.connections].push(sender.sign(Some(token), input, gas));
            }
        }
        let bodies = raws.iter().map(|raws| raws.chunks(plan.batch).map(send_batch).collect()).collect();
        Self { bodies, goal: senders.iter().map(|sender| (sender.address(), sender.nonce)).collect() }
    }

    /// Sends everything and waits until the chain has executed it. Every receipt has to say success.
    pub(crate) fn run(self, plan: &Plan, chain: &Running) -> Result<Measured, Failure> {
        let rpc = Rpc::new(&chain.url);
        let height = height(&rpc)?;
        let before = cpu::stages(chain.pid())?;
        let start = Instant::now();
        let hashes = thread::scope(|scope| {
            let submit = |bodies: &Vec<Vec<u8>>| submit(&chain.url, bodies).map_err(|error| error.to_string());
            let threads: Vec<_> = self.bodies.iter().map(|bodies| scope.spawn(move || submit(bodies))).collect();
            let joined = threads.into_iter().map(|thread| thread.join().expect("a connection does not panic"));
            joined.collect::<Result<Vec<_>, String>>()
        })?;
        wait(&rpc, &self.goal)?;
        let seconds = start.elapsed().as_secs_f64();
        let stages = cpu::between(&before, &cpu::stages(chain.pid())?);
        let hashes: BTreeSet<B256> = hashes.into_iter().flatten().collect();
        let blocks = check(&rpc, height, &hashes)?;
        Ok(Measured { transfers: plan.transfers, seconds, blocks, stages })
    }
}

fn submit(url: &str, bodies: &[Vec<u8>]) -> Result<Vec<B256>, Failure> {
    let rpc = Rpc::new(url);
    let mut hashes = Vec::new();
    for body in bodies {
        hashes.extend(rpc.batch::<B256>(body)?);
    }
    Ok(hashes)
}

/// Looks at the last few senders often, and at all of them once these are done.
fn wait(rpc: &Rpc, goal: &[(Address, u64)]) -> Result<(), Failure> {
    let last = &goal[goal.len().saturating_sub(4)..];
    for group in [last, goal] {
        let params: Vec<Value> = group.iter().map(|(address, _)| json!([address, "latest"])).collect();
        loop {
            let nonces: Vec<U256> = rpc.ask_all("eth_getTransactionCount", &params)?;
            if nonces.iter().zip(group).all(|(nonce, (_, goal))| *nonce == U256::from(*goal)) {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
    Ok(())
}

/// Finds each hash with status 1 in a block above `from`; the number of blocks.
fn check(rpc: &Rpc, from: u64, hashes: &BTreeSet<B256>) -> Result<u64, Failure> {
    let to = height(rpc)?;
    let mut missing = hashes.clone();
    for number in from + 1..=to {
        let receipts: Vec<Receipt> = rpc.ask("eth_getBlockReceipts", json!([format!("{number:#x}")]))?;
        for receipt in receipts {
            if receipt.status.is_zero() {
                return Err(format!("transfer {} failed", receipt.transaction_hash).into());
            }
            missing.remove(&receipt.transaction_hash);
        }
    }
    if missing.is_empty() { Ok(to - from) } else { Err(format!("{} transfers have no receipt", missing.len()).into()) }
}

fn height(rpc: &Rpc) -> Result<u64, Failure> {
    Ok(rpc.ask::<U256>("eth_blockNumber", json!([]))?.to())
}
