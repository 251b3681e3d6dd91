//! Decided blocks, one after the other: execute, commit, tell; and start the enclave again when it dies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloister_chain::wire::{Execute, Lockdown};
use cloister_chain::{Address, B256, Block, Certificate, Outcome, Parent, Tx};
use cloister_consensus::Standing;
use cloister_store::StoreError;

use crate::enclave::{Enclave, EnclaveError};
use crate::node::{NodeError, Shared, payers, standing};
use crate::provision::Introduction;
use crate::roots::Safe;
use crate::snapshot::Taken;
use crate::spawn::Spawner;

/// The enclave at the tip, and what the next header says of it.
pub(crate) struct Executor {
    shared: Arc<Shared>,
    spawner: Spawner,
    safe: Safe,
    parent: Arc<Parent>,
    enclave: Enclave,
    generation: u64,
}

impl Executor {
    /// Starts the enclave; with it there is a tip, if there was none: that of the state that others gave, or the genesis.
    pub(crate) fn start(
        shared: Arc<Shared>,
        spawner: Spawner,
        safe: Safe,
        taken: Option<&Taken>,
    ) -> Result<(Self, Lockdown), NodeError> {
        let (enclave, lockdown) = start(&shared, &spawner, &safe, 0, taken)?;
        let parent = Arc::new(tip(&shared)?);
        shared.mempool.committed(parent.header.height, &[], &BTreeMap::new());
        shared.heads.send_replace(parent.header.height);
        Ok((Self { shared, spawner, safe, parent, enclave, generation: 0 }, lockdown))
    }

    /// The last executed block.
    pub(crate) fn parent(&self) -> &Arc<Parent> {
        &self.parent
    }

    /// Executes the next block and commits it with all that came of it.
    pub(crate) fn run(&mut self, block: Block, certificate: Certificate) -> Result<(), NodeError> {
        let start = Instant::now();
        let outcome = self.execute(&block, &certificate)?;
        let execution = start.elapsed();
        self.shared.store.commit(&block, &certificate, &outcome)?;
        // After the block: older roots lead to newer ones, and not back.
        if let Some(roots) = &outcome.sealed_roots {
            self.safe.write(roots)?;
        }
        let height = outcome.height;
        let accounts = self.accounts(&block, &outcome)?;
        let hashes: Vec<B256> = outcome.receipts.iter().map(|receipt| receipt.tx).collect();
        let interval = Duration::from_nanos(block.header.time.saturating_sub(self.parent.header.time));
        self.shared.vitals.committed(hashes.len(), interval, execution);
        self.parent = Arc::new(self.parent.then(block.header, certificate, &outcome));
        self.shared.mempool.committed(height, &hashes, &accounts);
        self.shared.heads.send_replace(height);
        tracing::debug!(height, txs = hashes.len(), "block");
        Ok(())
    }

    /// The enclave of `generation` is gone: another one, if that was the present one.
    pub(crate) fn lost(&mut self, generation: u64) -> Result<(), NodeError> {
        if generation != self.generation {
            return Ok(());
        }
        tracing::error!(height = self.parent.header.height, "the enclave died between two blocks");
        self.restart()
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
            match start(&self.shared, &self.spawner, &self.safe, self.generation, None) {
                Ok((enclave, _)) => {
                    self.enclave = enclave;
                    self.shared.vitals.restarted();
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
    safe: &Safe,
    generation: u64,
    taken: Option<&Taken>,
) -> Result<(Enclave, Lockdown), NodeError> {
    let (enclave, streams, booted) = Enclave::start(spawner, &shared.genesis, safe, &shared.store, taken)?;
    let signal = Arc::clone(&shared.signal);
    enclave.watch(move || signal.lost(generation))?;
    shared.queries.serve(generation, streams).map_err(EnclaveError::Spawn)?;
    shared.introduced.send_replace(booted.run.map(|run| Introduction { consensus_key: safe.consensus_key, run }));
    tracing::info!(height = booted.height, lockdown = ?booted.lockdown, "the enclave is ready");
    Ok((enclave, booted.lockdown))
}

/// What the store's last block says of the next one.
fn tip(shared: &Shared) -> Result<Parent, StoreError> {
    let reader = shared.store.reader()?;
    let head = reader.head()?.ok_or(StoreError::Missing)?;
    let header = reader.header(head.height)?.ok_or(StoreError::Corrupted("headers"))?;
    Ok(Parent {
        header,
        certificate: reader.tip_certificate()?,
        state_root: head.state_root,
        results: head.results,
        base_fee: head.next_base_fee,
        signers: head.signers,
        validators: head.next_validators,
        following: head.following_validators,
    })
}

/// Most deaths over one block, or at one start, before the node gives up.
const DEATHS: u32 = 3;
/// Between two attempts to start an enclave.
const PAUSE: Duration = Duration::from_millis(200);
