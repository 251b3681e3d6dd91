//! Public leaves: balances, sequences, code and storage, at every height that is kept. Confidential values in the storage
//! of a contract are network ciphertext.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag};
use alloy_serde::JsonStorageKey;
use jsonrpsee::proc_macros::rpc;

use super::error::EthError;
use super::{Backend, Door};

#[rpc(server, namespace = "eth")]
pub trait EthState {
    /// Balance in wei.
    #[method(name = "getBalance")]
    fn balance(&self, address: Address, block: Option<BlockId>) -> Result<U256, EthError>;

    /// Transactions sent; at `pending`, those that wait in the mempool count too.
    #[method(name = "getTransactionCount")]
    fn sequence(&self, address: Address, block: Option<BlockId>) -> Result<U64, EthError>;

    /// EVM code.
    #[method(name = "getCode")]
    fn code(&self, address: Address, block: Option<BlockId>) -> Result<Bytes, EthError>;

    /// A word of a contract's storage.
    #[method(name = "getStorageAt")]
    fn storage(&self, address: Address, slot: JsonStorageKey, block: Option<BlockId>) -> Result<B256, EthError>;
}

impl<B: Backend> EthStateServer for Door<B> {
    fn balance(&self, address: Address, block: Option<BlockId>) -> Result<U256, EthError> {
        Ok(self.account(address, block)?.balance)
    }

    fn sequence(&self, address: Address, block: Option<BlockId>) -> Result<U64, EthError> {
        let pending = matches!(block, Some(BlockId::Number(BlockNumberOrTag::Pending)));
        // The mempool first: a block that is committed in between is then seen twice, and not missed twice.
        let waiting = if pending { self.backend.mempool().next_sequence(&address) } else { None };
        let committed = self.account(address, block)?.sequence;
        let sequence = waiting.map_or(committed, |waiting| waiting.max(committed));
        Ok(U64::from(sequence))
    }

    fn code(&self, address: Address, block: Option<BlockId>) -> Result<Bytes, EthError> {
        let account = self.account(address, block)?;
        self.code_of(&account)
    }

    fn storage(&self, address: Address, slot: JsonStorageKey, block: Option<BlockId>) -> Result<B256, EthError> {
        Ok(self.cell(address, slot.as_b256(), block)?.word.into())
    }
}
