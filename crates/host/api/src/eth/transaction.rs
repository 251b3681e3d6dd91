//! Transactions: sending them, and finding them again.

use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::{BlockNumberOrTag, Index, TransactionReceipt, TransactionRequest};
use cloister_chain::{EthTx, Tx};
use jsonrpsee::core::async_trait;
use jsonrpsee::proc_macros::rpc;

use super::error::EthError;
use super::view::{self, TxView};
use super::{Backend, Door};

#[rpc(server, namespace = "eth")]
pub trait EthTransaction {
    /// Puts a signed transaction into the mempool. Legacy (with or without EIP-155), EIP-2930 and EIP-1559.
    #[method(name = "sendRawTransaction")]
    async fn send_raw(&self, bytes: Bytes) -> Result<B256, EthError>;

    /// Refused: the node holds no user keys.
    #[method(name = "sendTransaction")]
    fn send(&self, request: TransactionRequest) -> Result<B256, EthError>;

    /// A transaction that is in a block or waits for one.
    #[method(name = "getTransactionByHash")]
    async fn by_hash(&self, hash: B256) -> Result<Option<TxView>, EthError>;

    /// A transaction by its place.
    #[method(name = "getTransactionByBlockHashAndIndex")]
    async fn by_block_hash(&self, hash: B256, index: Index) -> Result<Option<TxView>, EthError>;

    /// A transaction by its place.
    #[method(name = "getTransactionByBlockNumberAndIndex")]
    async fn by_block_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<TxView>, EthError>;

    /// The EIP-2718 bytes of a transaction that is in a block or waits for one.
    #[method(name = "getRawTransactionByHash")]
    async fn raw_by_hash(&self, hash: B256) -> Result<Option<Bytes>, EthError>;

    /// What a transaction did; null until it is in a block.
    #[method(name = "getTransactionReceipt")]
    async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, EthError>;
}

#[async_trait]
impl<B: Backend> EthTransactionServer for Door<B> {
    async fn send_raw(&self, bytes: Bytes) -> Result<B256, EthError> {
        let tx = EthTx::decode(&bytes, self.backend.genesis().evm_chain_id)?;
        let hash = self.backend.submit(Tx::Eth(tx))?;
        // Recovering a signature takes some 50 µs: a batch of a hundred must leave room for others.
        tokio::task::yield_now().await;
        Ok(hash)
    }

    fn send(&self, _: TransactionRequest) -> Result<B256, EthError> {
        Err(EthError::NoAccounts)
    }

    async fn by_hash(&self, hash: B256) -> Result<Option<TxView>, EthError> {
        if let Some((mined, index)) = self.mined_with(&hash)? {
            return Ok(mined.transaction(index));
        }
        if let Some(Tx::Eth(tx)) = self.backend.mempool().get(&hash) {
            return Ok(Some(view::waiting(&tx)));
        }
        // It may have gone from the one place to the other in between.
        Ok(self.mined_with(&hash)?.and_then(|(mined, index)| mined.transaction(index)))
    }

    async fn by_block_hash(&self, hash: B256, index: Index) -> Result<Option<TxView>, EthError> {
        Ok(self.mined_at(hash.into())?.and_then(|mined| mined.transaction(index.0)))
    }

    async fn by_block_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<TxView>, EthError> {
        Ok(self.mined_at(number.into())?.and_then(|mined| mined.transaction(index.0)))
    }

    async fn raw_by_hash(&self, hash: B256) -> Result<Option<Bytes>, EthError> {
        if let Some((mined, index)) = self.mined_with(&hash)? {
            return Ok(mined.raw(index));
        }
        if let Some(Tx::Eth(tx)) = self.backend.mempool().get(&hash) {
            return Ok(Some(tx.envelope().encoded_2718().into()));
        }
        Ok(self.mined_with(&hash)?.and_then(|(mined, index)| mined.raw(index)))
    }

    async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, EthError> {
        Ok(self.mined_with(&hash)?.and_then(|(mined, index)| mined.receipt(index)))
    }
}
