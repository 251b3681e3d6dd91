//! Transactions as they enter the machine, and how they end.

use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256};
use revm::context::TxEnv;
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction};
pub use revm::context::result::{HaltReason, OutOfGasError};
pub use revm::context::transaction::{AccessList, AccessListItem};
use thiserror::Error;

use crate::world::WorldError;

/// A transaction whose signature is already checked. EIP-2718 type 0 without an access list, 1 with one, 2 with
/// [`Price::Dynamic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxInput {
    /// Hash by which clients know it; the vault's derivations hang on it.
    pub hash: B256,
    /// Account that signed it.
    pub from: Address,
    /// Contract or account called, or a creation.
    pub to: TxKind,
    /// Wei sent along.
    pub value: U256,
    /// Calldata, or the init code of a creation.
    pub data: Bytes,
    /// Most gas it may use.
    pub gas_limit: u64,
    /// What the sender pays for gas.
    pub price: Price,
    /// Accounts and slots named in advance (EIP-2930).
    pub access_list: Option<AccessList>,
    /// The sender's nonce.
    pub nonce: u64,
    /// Chain it was signed for; `None` for a legacy transaction without EIP-155.
    pub chain_id: Option<u64>,
}

/// Price of gas, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// One price, base fee included.
    Fixed(u128),
    /// EIP-1559.
    Dynamic {
        /// Most that is paid, base fee included.
        max_fee: u128,
        /// Most that the beneficiary gets of it.
        max_priority: u128,
    },
}

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// How it ended.
    pub ending: Ending,
    /// Gas paid for, refunds deducted.
    pub gas_used: u64,
    /// Gas refunded (EIP-3529).
    pub gas_refunded: u64,
    /// Price paid for each unit of it, in wei.
    pub gas_price: u128,
    /// Events, in order; empty unless it succeeded.
    pub logs: Vec<Log>,
    /// What the contract returned, or its revert data; the code of a created contract.
    pub output: Bytes,
    /// Address of the contract that the transaction created.
    pub contract: Option<Address>,
}

/// How a transaction ended. Anything but success undoes its effects; the gas is paid all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ran to its end.
    Success,
    /// It gave up with `REVERT`; unused gas is returned.
    Revert,
    /// It broke a rule of the EVM; all gas is used.
    Halt(HaltReason),
}

/// Why a transaction was not executed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The transaction itself: it leaves no trace, and the next one goes on.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The world: nothing of this block may be used.
    #[error(transparent)]
    World(#[from] WorldError),
    /// revm refused its environment; as fatal as [`Failure::World`]. This crate never builds such an environment.
    #[error("the machine cannot run in this environment")]
    Machine,
}

/// Why a transaction cannot run at all. The texts are geth's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    /// The nonce was used already.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// Nonce of the transaction.
        nonce: u64,
        /// The account's next nonce.
        next: u64,
    },
    /// Earlier transactions of the account are missing.
    #[error("nonce too high: next nonce {next}, tx nonce {nonce}")]
    NonceTooHigh {
        /// Nonce of the transaction.
        nonce: u64,
        /// The account's next nonce.
        next: u64,
    },
    /// The account has used all nonces (EIP-2681).
    #[error("nonce has max value")]
    NonceMax,
    /// The account cannot pay the value and the most that the gas may cost.
    #[error("insufficient funds for gas * price + value: have {have} want {want}")]
    Funds {
        /// Balance, in wei.
        have: U256,
        /// Needed, in wei.
        want: U256,
    },
    /// Value and fee do not even fit into 256 bits.
    #[error("insufficient funds for gas * price + value: cost overflows")]
    CostOverflow,
    /// The gas limit does not cover calldata, access list and base cost.
    #[error("intrinsic gas too low: have {have}, want {want}")]
    IntrinsicGas {
        /// Gas limit.
        have: u64,
        /// Least gas limit.
        want: u64,
    },
    /// The gas limit exceeds the block's.
    #[error("exceeds block gas limit")]
    BlockGas,
    /// The price is below the base fee.
    #[error("max fee per gas less than block base fee")]
    FeeBelowBase,
    /// The beneficiary's part exceeds the whole.
    #[error("max priority fee per gas higher than max fee per gas")]
    PriorityAboveFee,
    /// The init code is longer than EIP-3860 allows.
    #[error("max initcode size exceeded")]
    InitCode,
    /// Signed for another chain.
    #[error("invalid chain id for signer")]
    ChainId,
    /// The sender has code (EIP-3607).
    #[error("sender not an eoa")]
    SenderHasCode,
    /// A field that no transaction of types 0 to 2 has.
    #[error("transaction type not supported")]
    Unsupported,
}

impl TxInput {
    pub(crate) fn env(&self) -> TxEnv {
        let (kind, gas_price, gas_priority_fee) = match self.price {
            Price::Fixed(price) => (u8::from(self.access_list.is_some()), price, None),
            Price::Dynamic { max_fee, max_priority } => (2, max_fee, Some(max_priority)),
        };
        TxEnv {
            tx_type: kind,
            caller: self.from,
            gas_limit: self.gas_limit,
            gas_price,
            kind: self.to,
            value: self.value,
            data: self.data.clone(),
            nonce: self.nonce,
            chain_id: self.chain_id,
            access_list: self.access_list.clone().unwrap_or_default(),
            gas_priority_fee,
            blob_hashes: Vec::new(),
            max_fee_per_blob_gas: 0,
            authorization_list: Vec::new(),
        }
    }
}

impl Price {
    /// The most that a unit of gas may cost.
    pub const fn max(self) -> u128 {
        match self {
            Self::Fixed(price) => price,
            Self::Dynamic { max_fee, .. } => max_fee,
        }
    }

    /// What a unit of gas costs in a block with this base fee.
    pub fn effective(self, base_fee: u64) -> u128 {
        match self {
            Self::Fixed(price) => price,
            Self::Dynamic { max_fee, max_priority } => max_fee.min(u128::from(base_fee).saturating_add(max_priority)),
        }
    }
}

impl Executed {
    /// Whether its effects stay.
    pub fn success(&self) -> bool {
        self.ending == Ending::Success
    }

    pub(crate) fn new(result: ExecutionResult, gas_price: u128) -> Self {
        let gas = *result.gas();
        let (ending, logs, output, contract) = match result {
            ExecutionResult::Success { logs, output, .. } => {
                let contract = output.address().copied();
                (Ending::Success, logs, output.into_data(), contract)
            }
            ExecutionResult::Revert { output, .. } => (Ending::Revert, Vec::new(), output, None),
            ExecutionResult::Halt { reason, .. } => (Ending::Halt(reason), Vec::new(), Bytes::new(), None),
        };
        let (gas_used, gas_refunded) = (gas.tx_gas_used(), gas.final_refunded());
        Self { ending, gas_used, gas_refunded, gas_price, logs, output, contract }
    }
}

impl From<InvalidTransaction> for Invalid {
    fn from(why: InvalidTransaction) -> Self {
        use InvalidTransaction as Why;
        match why {
            Why::NonceTooLow { tx, state } => Self::NonceTooLow { nonce: tx, next: state },
            Why::NonceTooHigh { tx, state } => Self::NonceTooHigh { nonce: tx, next: state },
            Why::NonceOverflowInTransaction => Self::NonceMax,
            Why::LackOfFundForMaxFee { fee, balance } => Self::Funds { have: *balance, want: *fee },
            Why::OverflowPaymentInTransaction => Self::CostOverflow,
            Why::CallGasCostMoreThanGasLimit { initial_gas: want, gas_limit: have }
            | Why::GasFloorMoreThanGasLimit { gas_floor: want, gas_limit: have } => Self::IntrinsicGas { have, want },
            Why::CallerGasLimitMoreThanBlock | Why::TxGasLimitGreaterThanCap { .. } => Self::BlockGas,
            Why::GasPriceLessThanBasefee => Self::FeeBelowBase,
            Why::PriorityFeeGreaterThanMaxFee => Self::PriorityAboveFee,
            Why::CreateInitCodeSizeLimit => Self::InitCode,
            Why::InvalidChainId | Why::MissingChainId => Self::ChainId,
            Why::RejectCallerWithCode => Self::SenderHasCode,
            _ => Self::Unsupported,
        }
    }
}

impl From<EVMError<WorldError>> for Failure {
    fn from(error: EVMError<WorldError>) -> Self {
        match error {
            EVMError::Transaction(why) => Self::Invalid(why.into()),
            EVMError::Database(why) => Self::World(why),
            EVMError::Header(_) | EVMError::Custom(_) | EVMError::CustomAny(_) => Self::Machine,
        }
    }
}
