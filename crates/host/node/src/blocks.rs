//! The block loop: propose, execute, commit, tell; and start the enclave again when it dies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cloister_chain::wire::{Execute, Lockdown, SealingBytes};
use cloister_chain::{Address, B256, Block, Bytes, Certificate, Outcome, Tx, limits};
use cloister_consensus::{Budget, Parent, Solo, Standing};
use cloister_store::StoreError;

use crate::enclave::{Enclave, EnclaveError};
use crate::node::{NodeError, Shared, payers, standing};
use crate::signal::Event;
use crate::spawn::Spawner;

/// What the loop's thread owns.
pub(crate) struct Blocks {
    shared: Arc<Shared>,
    spawner: Spawner,
    sealing: SealingBytes,
    solo: Solo,
    block_time: Option<Duration>,
    parent: Parent,
    enclave: Enclave,
    generation: u64,
}

impl Blocks {
    /// Starts the enclave; with it there is a tip, if there was none.
    pub(crate) fn start(
        shared: Arc<Shared>,
        spawner: Spawner,
        sealing: SealingBytes,
        solo: Solo,
        block_time: Option<Duration>,
    ) -> Result<(Self, Lockdown), NodeError> {
        let (enclave, lockdown) = start(&shared, &spawner, &sealing, 0)?;
        let parent = tip(&shared)?;
        shared.mempool.committed(parent.header.height, &[], &BTreeMap::new());
        shared.heads.send_replace(parent.header.height);
        Ok((Self { shared, spawner, sealing, solo, block_time, parent, enclave, generation: 0 }, lockdown))
    }

    /// Makes blocks until the node is to stop.
    pub(crate) fn run(mut self) -> Result<(), NodeError> {
        let mut deadline = self.deadline();
        loop {
            let idle = match self.shared.signal.wait(deadline) {
                Event::Stop => return Ok(()),
                Event::Lost(generation) if generation == self.generation => {
                    tracing::error!(height = self.parent.header.height, "the enclave died between two blocks");
                    self.restart()?;
                    continue;
                }
                Event::Lost(_) => continue,
                Event::Work => false,
                Event::Time => true,
            };
            if self.blocks(idle)? || idle {
                deadline = self.deadline();
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.block_time.map(|time| Instant::now() + time)
    }

    /// Blocks of what waits, as many as it takes, and one even of nothing if `idle`; true if there was one.
    fn blocks(&mut self, mut idle: bool) -> Result<bool, NodeError> {
        let mut made = false;
        while !self.shared.signal.stopping() {
            let Shared { genesis, mempool, .. } = &*self.shared;
            let budget = Budget {
                evm_gas: genesis.evm_gas,
                sdk_gas: genesis.sdk_gas,
                bytes: limits::BLOCK_BYTES,
                count: limits::BLOCK_TXS,
            };
            let chosen = mempool.select(self.parent.base_fee, budget);
            // What was admitted and waits for a lower base fee is work too: only blocks lower it, down to its floor.
            let underpriced = self.parent.base_fee > genesis.base_fee && mempool.status().pending > 0;
            if chosen.is_empty() && !idle && !underpriced {
                break;
            }
            self.block(chosen)?;
            (made, idle) = (true, false);
        }
        Ok(made)
    }

    fn block(&mut self, chosen: Vec<(B256, Bytes)>) -> Result<(), NodeError> {
        let (hashes, txs): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
        let (block, certificate) = self.solo.propose(&self.parent, txs, now());
        let outcome = self.execute(&block, &certificate)?;
        self.shared.store.commit(&block, &certificate, &outcome)?;
        let height = outcome.height;
        let accounts = self.accounts(&block, &outcome)?;
        self.parent = Parent::new(block.header, Some(&certificate), &outcome);
        self.shared.mempool.committed(height, &hashes, &accounts);
        self.shared.heads.send_replace(height);
        tracing::debug!(height, txs = hashes.len(), "block");
        Ok(())
    }

    /// Executes the block, on as many enclaves as it takes. It is the same block each time: what was decided once is never
    /// exchanged for something else, or plaintext could be probed by killing the enclave.
    fn execute(&mut self, block: &Block, certificate: &Certificate) -> Result<Outcome, NodeError> {
        let height = block.header.height;
        for death in 1..=DEATHS {
            let execute = Execute { block: block.clone(), certificate: certificate.clone() };
            match self.enclave.execute(execute, &self.shared.store) {
                Ok(outcome) => return Ok(outcome),
                Err(EnclaveError::Halted(halt)) => {
                    return Err(NodeError::Halted {
                        height,
                        block: block.header.hash(),
                        source: EnclaveError::Halted(halt),
                    });
                }
                Err(EnclaveError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(height, death, %error, "the enclave did not survive a block");
                    if death < DEATHS {
                        self.restart()?;
                    }
                }
            }
        }
        Err(NodeError::Deadly { height, block: block.header.hash(), deaths: DEATHS })
    }

    /// Another enclave, from what is committed.
    fn restart(&mut self) -> Result<(), NodeError> {
        self.shared.queries.pause();
        let mut attempt = 1;
        loop {
            self.generation += 1;
            match start(&self.shared, &self.spawner, &self.sealing, self.generation) {
                Ok((enclave, _)) => {
                    self.enclave = enclave;
                    tracing::warn!(height = self.parent.header.height, "the enclave is back");
                    return Ok(());
                }
                Err(NodeError::Enclave(error @ (EnclaveError::Spawn(_) | EnclaveError::Died(_))))
                    if attempt < DEATHS =>
                {
                    tracing::error!(attempt, %error, "the enclave did not come back");
                    attempt += 1;
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Who signed something in a block or paid for it, as they are after it.
    fn accounts(&self, block: &Block, outcome: &Outcome) -> Result<BTreeMap<Address, Standing>, StoreError> {
        let reader = self.shared.store.reader()?;
        let all = block.txs.iter().zip(&outcome.receipts).flat_map(|(bytes, receipt)| match receipt.cosmos {
            // It may have more signers than the receipt names; reading it checks no signature.
            Some(_) => Tx::from_bytes(bytes, self.shared.genesis.evm_chain_id).as_ref().map(payers).unwrap_or_default(),
            None => vec![receipt.from],
        });
        all.map(|signer| Ok((signer, standing(&reader, &signer, outcome.height)?))).collect()
    }
}

/// An enclave at the tip, its query streams in use, its death reported to the loop under the name `generation`.
fn start(
    shared: &Arc<Shared>,
    spawner: &Spawner,
    sealing: &SealingBytes,
    generation: u64,
) -> Result<(Enclave, Lockdown), NodeError> {
    let (enclave, streams, booted) = Enclave::start(spawner, &shared.genesis, sealing, &shared.store)?;
    let signal = Arc::clone(&shared.signal);
    enclave.watch(move || signal.lost(generation))?;
    shared.queries.serve(generation, streams).map_err(EnclaveError::Spawn)?;
    tracing::info!(height = booted.height, lockdown = ?booted.lockdown, "the enclave is ready");
    Ok((enclave, booted.lockdown))
}

/// What the store's last block says of the next one.
fn tip(shared: &Shared) -> Result<Parent, StoreError> {
    let reader = shared.store.reader()?;
    let head = reader.head()?.ok_or(StoreError::Missing)?;
    let header = reader.header(head.height)?.ok_or(StoreError::Corrupted("headers"))?;
    let certificate = reader.block(head.height)?.map_or(B256::ZERO, |stored| stored.certificate.hash());
    Ok(Parent {
        header,
        certificate,
        state_root: head.state_root,
        results: head.results,
        base_fee: head.next_base_fee,
        validators: head.next_validators.hash(),
    })
}

/// Nanoseconds since the Unix epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX - 1)
}

/// Most deaths over one block, or at one start, before the node gives up.
const DEATHS: u32 = 3;
/// Between two attempts to start an enclave.
const PAUSE: Duration = Duration::from_millis(200);
