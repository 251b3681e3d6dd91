//! Blocks and their receipts. An unknown height or hash is `null`. Blocks are final, so `safe`, `finalized` and `pending`
//! are `latest`.

use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag, Index, TransactionReceipt};
use jsonrpsee::core::async_trait;
use jsonrpsee::proc_macros::rpc;

use super::error::EthError;
use super::view::BlockView;
use super::{Backend, Door};

#[rpc(server, namespace = "eth")]
pub trait EthBlock {
    /// Height of the last committed block.
    #[method(name = "blockNumber")]
    fn block_number(&self) -> Result<U64, EthError>;

    /// A block by height or tag, with its transactions in full or as hashes.
    #[method(name = "getBlockByNumber")]
    async fn block_by_number(
        &self,
        number: BlockNumberOrTag,
        full: Option<bool>,
    ) -> Result<Option<BlockView>, EthError>;

    /// A block by its hash, with its transactions in full or as hashes.
    #[method(name = "getBlockByHash")]
    async fn block_by_hash(&self, hash: B256, full: Option<bool>) -> Result<Option<BlockView>, EthError>;

    /// Number of transactions in a block.
    #[method(name = "getBlockTransactionCountByNumber")]
    async fn count_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, EthError>;

    /// Number of transactions in a block.
    #[method(name = "getBlockTransactionCountByHash")]
    async fn count_by_hash(&self, hash: B256) -> Result<Option<U64>, EthError>;

    /// All receipts of a block.
    #[method(name = "getBlockReceipts")]
    async fn receipts(&self, block: BlockId) -> Result<Option<Vec<TransactionReceipt>>, EthError>;

    /// Zero: there are no uncles.
    #[method(name = "getUncleCountByBlockNumber")]
    fn uncles_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, EthError>;

    /// Zero: there are no uncles.
    #[method(name = "getUncleCountByBlockHash")]
    fn uncles_by_hash(&self, hash: B256) -> Result<Option<U64>, EthError>;

    /// Null: there are no uncles.
    #[method(name = "getUncleByBlockNumberAndIndex")]
    fn uncle_by_number(&self, number: BlockNumberOrTag, index: Index) -> Result<Option<BlockView>, EthError>;

    /// Null: there are no uncles.
    #[method(name = "getUncleByBlockHashAndIndex")]
    fn uncle_by_hash(&self, hash: B256, index: Index) -> Result<Option<BlockView>, EthError>;
}

#[async_trait]
impl<B: Backend> EthBlockServer for Door<B> {
    fn block_number(&self) -> Result<U64, EthError> {
        Ok(U64::from(self.tip()?))
    }

    async fn block_by_number(
        &self,
        number: BlockNumberOrTag,
        full: Option<bool>,
    ) -> Result<Option<BlockView>, EthError> {
        let full = full.unwrap_or(false);
        Ok(self.mined_at(number.into())?.map(|mined| mined.block(full)))
    }

    async fn block_by_hash(&self, hash: B256, full: Option<bool>) -> Result<Option<BlockView>, EthError> {
        let full = full.unwrap_or(false);
        Ok(self.mined_at(hash.into())?.map(|mined| mined.block(full)))
    }

    async fn count_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, EthError> {
        Ok(self.mined_at(number.into())?.map(|mined| U64::from(mined.receipts.len())))
    }

    async fn count_by_hash(&self, hash: B256) -> Result<Option<U64>, EthError> {
        Ok(self.mined_at(hash.into())?.map(|mined| U64::from(mined.receipts.len())))
    }

    async fn receipts(&self, block: BlockId) -> Result<Option<Vec<TransactionReceipt>>, EthError> {
        let Some(mined) = self.mined_at(block)? else { return Ok(None) };
        Ok(Some((0..mined.receipts.len()).filter_map(|index| mined.receipt(index)).collect()))
    }

    fn uncles_by_number(&self, number: BlockNumberOrTag) -> Result<Option<U64>, EthError> {
        Ok(self.find(number.into())?.map(|_| U64::ZERO))
    }

    fn uncles_by_hash(&self, hash: B256) -> Result<Option<U64>, EthError> {
        Ok(self.find(hash.into())?.map(|_| U64::ZERO))
    }

    fn uncle_by_number(&self, _: BlockNumberOrTag, _: Index) -> Result<Option<BlockView>, EthError> {
        Ok(None)
    }

    fn uncle_by_hash(&self, _: B256, _: Index) -> Result<Option<BlockView>, EthError> {
        Ok(None)
    }
}
