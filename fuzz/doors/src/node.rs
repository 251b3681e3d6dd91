//! The host's part of a node in front of [`crate::stage`]'s chain, for the doors of clients. Nothing makes more blocks.

use std::sync::Arc;

use cloister_api::{Backend, Unavailable};
use cloister_chain::leaf::Auth;
use cloister_chain::wire::{Answer, QueryAt};
use cloister_chain::{Address, B256, Genesis, Leaf, Tx};
use cloister_consensus::{Admission, Limits, Mempool, Standing, SubmitError};
use cloister_ledger::Snapshots;
use cloister_store::Store;
use tokio::sync::{broadcast, watch};

use crate::stage::STAGE;

pub(crate) struct Node {
    store: Store,
    pool: Mempool,
    heads: watch::Sender<u64>,
    arrivals: broadcast::Sender<B256>,
    snapshots: Arc<Snapshots>,
}

impl Node {
    pub(crate) fn start() -> Arc<Self> {
        let genesis = &STAGE.genesis;
        let store = Store::create(None, genesis).expect("memory");
        store.commit_genesis(&STAGE.first).expect("memory");
        for (next, outcome) in &STAGE.blocks {
            store.commit(&next.block, &next.certificate, outcome).expect("memory");
        }
        let limits = Limits { block_gas: genesis.evm_gas, ..Limits::default() };
        Arc::new(Self {
            pool: Mempool::new(&genesis.chain_id, limits, STAGE.height()),
            heads: watch::Sender::new(STAGE.height()),
            arrivals: broadcast::Sender::new(64),
            snapshots: STAGE.ledger().snapshots(),
            store,
        })
    }

    fn standing(&self, signer: &Address) -> Standing {
        let reader = self.store.reader().expect("memory");
        let leaf = |leaf| reader.leaf(&leaf, STAGE.height()).expect("memory");
        Standing {
            account: reader.account(signer, STAGE.height()).expect("memory"),
            coins: leaf(Leaf::Coins(*signer)).map_or(0, |bytes| borsh::from_slice(&bytes).expect("coins")),
            auth: leaf(Leaf::Auth(*signer)).map(|bytes| borsh::from_slice::<Auth>(&bytes).expect("an account")),
        }
    }
}

impl Backend for Node {
    fn genesis(&self) -> &Genesis {
        &STAGE.genesis
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.heads.subscribe()
    }

    fn mempool(&self) -> &Mempool {
        &self.pool
    }

    fn submit(&self, tx: Tx) -> Result<B256, SubmitError> {
        let signers = match &tx {
            Tx::Cosmos(tx) => tx.signers().iter().map(|signer| self.standing(signer)).collect(),
            Tx::Eth(tx) => vec![self.standing(&tx.sender())],
        };
        let admission = Admission { signers, height: STAGE.height(), base_fee: STAGE.genesis.base_fee, granter: None };
        let hash = self.pool.add(&tx, &admission)?;
        let _ = self.arrivals.send(hash);
        Ok(hash)
    }

    fn arrivals(&self) -> broadcast::Receiver<B256> {
        self.arrivals.subscribe()
    }

    async fn query(&self, question: QueryAt) -> Result<Answer, Unavailable> {
        Ok(self.snapshots.query(&question, &mut STAGE.host.clone()))
    }

    fn peers(&self) -> usize {
        0
    }

    fn syncing(&self) -> Option<u64> {
        None
    }
}
