//! Why a transaction is not admitted.

use cloister_chain::U256;
use cloister_chain::cosmos::CosmosError;
use cloister_chain::wire::Rejection;
use thiserror::Error;

/// Why a transaction is not admitted. The texts are go-ethereum's; those in a [`Rejection`] are the Cosmos SDK's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// The sequence was used.
    #[error("nonce too low: next nonce {next}, tx nonce {given}")]
    NonceTooLow {
        /// The account's next sequence.
        next: u64,
        /// The transaction's.
        given: u64,
    },
    /// The very same transaction is in the pool.
    #[error("already known")]
    AlreadyKnown,
    /// It replaces a transaction that pays more than ten elevenths of its price.
    #[error("replacement transaction underpriced")]
    Underpriced,
    /// The account cannot pay for this and its other waiting transactions.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    InsufficientFunds {
        /// Balance in wei.
        balance: U256,
        /// Sum of what the account's waiting transactions, this one included, may cost, in wei.
        cost: U256,
    },
    /// The price cap is below the base fee.
    #[error("max fee per gas less than block base fee: maxFeePerGas: {cap}, baseFee: {base}")]
    FeeTooLow {
        /// The cap in wei.
        cap: u128,
        /// The base fee in wei.
        base: u64,
    },
    /// The tip is above the cap.
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveCap,
    /// The gas limit does not cover the intrinsic cost.
    #[error("intrinsic gas too low: gas {given}, minimum needed {needed}")]
    IntrinsicGas {
        /// Gas limit of the transaction.
        given: u64,
        /// Intrinsic gas.
        needed: u64,
    },
    /// The gas limit is above that of a block.
    #[error("exceeds block gas limit")]
    BlockGas,
    /// Creation code above the EIP-3860 limit.
    #[error("max initcode size exceeded: code size {0}, limit 49152")]
    InitCode(usize),
    /// The sender's code makes it a contract (EIP-3607).
    #[error("sender not an eoa")]
    SenderIsContract,
    /// A Cosmos transaction breaks a rule: number and text are what the chain itself would say.
    #[error("{}", .0.log)]
    Rejected(Rejection),
    /// The pool, or the sender's share of it, is full.
    #[error("txpool is full")]
    Full,
    /// The accounts were read at a height that the pool has left behind: read them again.
    #[error("the account is out of date")]
    Stale,
}

impl SubmitError {
    /// An error in the codespace `sdk`.
    pub(super) fn sdk(code: u32, log: String) -> Self {
        Self::Rejected(Rejection { codespace: "sdk".into(), code, log })
    }
}

impl From<CosmosError> for SubmitError {
    fn from(error: CosmosError) -> Self {
        Self::sdk(error.code(), error.to_string())
    }
}
