//! What the node is: versions, network, accounts, mempool. Namespaces `web3`, `net`, `txpool` and parts of `eth`.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rpc_types_eth::{SyncInfo, SyncStatus};
use cloister_chain::Tx;
use jsonrpsee::proc_macros::rpc;
use serde::Serialize;

use super::error::EthError;
use super::view::{self, TxView};
use super::{Backend, Door};

#[rpc(server)]
pub trait Node {
    /// Name and version of the node; it says when the chain is simulated.
    #[method(name = "web3_clientVersion")]
    fn client_version(&self) -> Result<String, EthError>;

    /// Keccak-256 of bytes.
    #[method(name = "web3_sha3")]
    fn sha3(&self, bytes: Bytes) -> Result<B256, EthError>;

    /// The EIP-155 chain id, in decimals.
    #[method(name = "net_version")]
    fn version(&self) -> Result<String, EthError>;

    /// True: the node accepts connections.
    #[method(name = "net_listening")]
    fn listening(&self) -> Result<bool, EthError>;

    /// Number of connected peers.
    #[method(name = "net_peerCount")]
    fn peer_count(&self) -> Result<U64, EthError>;

    /// The EIP-155 chain id.
    #[method(name = "eth_chainId")]
    fn chain_id(&self) -> Result<U64, EthError>;

    /// False, or how far the node is behind.
    #[method(name = "eth_syncing")]
    fn syncing(&self) -> Result<SyncStatus, EthError>;

    /// None: the node holds no user keys.
    #[method(name = "eth_accounts")]
    fn accounts(&self) -> Result<Vec<Address>, EthError>;

    /// How many transactions wait, and how many of them wait for an earlier sequence.
    #[method(name = "txpool_status")]
    fn pool_status(&self) -> Result<PoolStatus, EthError>;

    /// The transactions that wait, by sender and sequence.
    #[method(name = "txpool_content")]
    fn pool_content(&self) -> Result<PoolContent, EthError>;
}

/// Answer of `txpool_status`.
#[derive(Clone, Debug, Serialize)]
pub struct PoolStatus {
    /// Transactions that the next blocks may take.
    pending: U64,
    /// Transactions that wait for an earlier sequence.
    queued: U64,
}

/// Answer of `txpool_content`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PoolContent {
    /// Transactions that the next blocks may take.
    pending: BySender,
    /// Transactions that wait for an earlier sequence.
    queued: BySender,
}

/// Sender, then sequence in decimals.
type BySender = BTreeMap<Address, BTreeMap<u64, TxView>>;

impl<B: Backend> NodeServer for Door<B> {
    fn client_version(&self) -> Result<String, EthError> {
        let simulated = if self.backend.genesis().simulated { "/SIMULATED" } else { "" };
        Ok(format!("cloister/v{}{simulated}", env!("CARGO_PKG_VERSION")))
    }

    fn sha3(&self, bytes: Bytes) -> Result<B256, EthError> {
        Ok(keccak256(bytes))
    }

    fn version(&self) -> Result<String, EthError> {
        Ok(self.backend.genesis().evm_chain_id.to_string())
    }

    fn listening(&self) -> Result<bool, EthError> {
        Ok(true)
    }

    fn peer_count(&self) -> Result<U64, EthError> {
        Ok(U64::from(self.backend.peers()))
    }

    fn chain_id(&self) -> Result<U64, EthError> {
        Ok(U64::from(self.backend.genesis().evm_chain_id))
    }

    fn syncing(&self) -> Result<SyncStatus, EthError> {
        let Some(target) = self.backend.syncing() else { return Ok(SyncStatus::None) };
        let (current_block, highest_block) = (U256::from(self.tip()?), U256::from(target));
        Ok(SyncStatus::Info(Box::new(SyncInfo { current_block, highest_block, ..SyncInfo::default() })))
    }

    fn accounts(&self) -> Result<Vec<Address>, EthError> {
        Ok(Vec::new())
    }

    fn pool_status(&self) -> Result<PoolStatus, EthError> {
        let status = self.backend.mempool().status();
        Ok(PoolStatus { pending: U64::from(status.pending), queued: U64::from(status.queued) })
    }

    fn pool_content(&self) -> Result<PoolContent, EthError> {
        let mut content = PoolContent::default();
        for (tx, ready) in self.backend.mempool().content() {
            let side = if ready { &mut content.pending } else { &mut content.queued };
            let Tx::Eth(eth) = &tx else { continue };
            side.entry(tx.sender()).or_default().insert(tx.sequence(), view::waiting(eth));
        }
        Ok(content)
    }
}
