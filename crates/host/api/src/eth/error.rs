//! What the Ethereum door says when it cannot answer: the codes and texts of go-ethereum, which clients match on.

use alloy_primitives::Bytes;
use alloy_sol_types::{Panic, Revert, SolError as _};
use cloister_chain::TxError;
use cloister_chain::wire::{Failure, QueryRefusal};
use cloister_consensus::SubmitError;
use cloister_store::StoreError;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE};
use thiserror::Error;

use crate::Unavailable;

/// Why a request of an Ethereum client fails. The text is the message that the client gets.
#[derive(Debug, Error)]
pub enum EthError {
    /// A parameter that has the right type and makes no sense.
    #[error("{0}")]
    Params(&'static str),
    /// No block has that height or hash.
    #[error("header not found")]
    HeaderNotFound,
    /// The filter of `eth_getLogs` names a block hash that is not on the chain.
    #[error("unknown block")]
    UnknownBlock,
    /// The state of that height is no longer kept.
    #[error("missing trie node: the state of block {0} is no longer kept")]
    Pruned(u64),
    /// No filter has that id, or it expired.
    #[error("filter not found")]
    FilterNotFound,
    /// The door holds as many filters as it may.
    #[error("too many filters, uninstall some")]
    TooManyFilters,
    /// A range of blocks holds more matching logs than one answer may.
    #[error("query returned more than {0} results")]
    TooManyLogs(usize),
    /// The bytes are not a transaction of this chain.
    #[error("{}", tx_text(.0))]
    Tx(#[from] TxError),
    /// The mempool did not take the transaction.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The node holds no keys of users.
    #[error("unknown account: this node holds no user keys, sign the transaction and use eth_sendRawTransaction")]
    NoAccounts,
    /// The message reverted, with this data.
    #[error("{}", revert_text(.0))]
    Reverted(Bytes),
    /// The message failed for another reason of the machine's.
    #[error("{}", failure_text(*.0))]
    Failed(Failure),
    /// Not even the most gas that a query may use is enough.
    #[error("gas required exceeds allowance")]
    GasAllowance,
    /// The enclave declines the question.
    #[error("{}", refusal_text(*.0))]
    Refused(QueryRefusal),
    /// The enclave cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The store failed; its operator finds the reason in the log.
    #[error("internal error")]
    Store(#[source] StoreError),
    /// A task of the node ended early, or the enclave gave an answer of another kind.
    #[error("internal error")]
    Internal,
}

impl From<StoreError> for EthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Pruned { height, .. } => Self::Pruned(height),
            StoreError::Ahead { .. } => Self::HeaderNotFound,
            other => Self::Store(other),
        }
    }
}

impl From<EthError> for ErrorObjectOwned {
    fn from(error: EthError) -> Self {
        let message = error.to_string();
        match error {
            // Wallets and libraries decode custom errors from the data, so it travels only with this code.
            EthError::Reverted(data) if !data.is_empty() => Self::owned(REVERT_CODE, message, Some(data)),
            EthError::Params(_) => Self::owned(INVALID_PARAMS_CODE, message, None::<()>),
            EthError::TooManyLogs(_) => Self::owned(LIMIT_CODE, message, None::<()>),
            EthError::Store(reason) => {
                tracing::error!(%reason, "the store failed");
                Self::owned(INTERNAL_ERROR_CODE, message, None::<()>)
            }
            EthError::Internal => Self::owned(INTERNAL_ERROR_CODE, message, None::<()>),
            _ => Self::owned(SERVER_CODE, message, None::<()>),
        }
    }
}

/// go-ethereum prefixes what its signer finds.
fn tx_text(error: &TxError) -> String {
    match error {
        TxError::Signature => format!("invalid sender: {error}"),
        other => other.to_string(),
    }
}

/// The reason that Solidity gave: `Error(string)`, or `Panic(uint256)` with its meaning.
fn revert_text(data: &Bytes) -> String {
    let reason = if let Ok(revert) = Revert::abi_decode(data) {
        revert.reason
    } else if let Ok(panic) = Panic::abi_decode(data) {
        panic.kind().map_or_else(|| format!("unknown panic code: {:#x}", panic.code), |kind| kind.as_geth_str().into())
    } else {
        return "execution reverted".into();
    };
    format!("execution reverted: {reason}")
}

fn failure_text(failure: Failure) -> &'static str {
    match failure {
        Failure::OutOfGas => "out of gas",
        Failure::Funds => "insufficient funds for gas * price + value",
        Failure::Fault => "invalid opcode, or another fault of the code",
        Failure::Rule => "max fee per gas less than block base fee, max initcode size exceeded, or another rule broken",
    }
}

fn refusal_text(refusal: QueryRefusal) -> &'static str {
    match refusal {
        QueryRefusal::Height => "missing trie node: the state of that block is not kept for queries",
        QueryRefusal::Dev => "only a SIMULATED chain with one validator has this",
        QueryRefusal::Supply => "missing trie node: the node lacks a part of the state",
        QueryRefusal::NotReady => "the node is starting",
        QueryRefusal::Fault => "the query failed inside the enclave",
        QueryRefusal::Spent => {
            "limit exceeded: the enclave answers no more questions to contracts before the next block"
        }
        QueryRefusal::Unlisted => "the enclave answers contracts' questions once the chain lists this run of it",
    }
}

/// go-ethereum's code for a revert that carries data.
const REVERT_CODE: i32 = 3;
/// go-ethereum's code for everything else.
const SERVER_CODE: i32 = -32000;
/// EIP-1474: limit exceeded.
const LIMIT_CODE: i32 = -32005;
