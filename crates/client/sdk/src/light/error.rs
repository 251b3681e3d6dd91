use alloy_primitives::B256;
use cloister_chain::CertificateError;
use cloister_chain::genesis::GenesisError;
use cloister_chain::proof::ProofError;
use thiserror::Error;

/// What is wrong with what a node said, or with what it was held to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LightError {
    /// The genesis cannot start a chain.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The text is not a height, a colon and 64 hex digits.
    #[error("a checkpoint is written HEIGHT:HASH")]
    Anchor,
    /// The node has another header there than the one that is trusted: another chain, or a lie.
    #[error("the node's header of height {0} is not the one of the checkpoint")]
    OtherCheckpoint(u64),
    /// The header is of another chain.
    #[error("the header is of chain {0:?}")]
    ChainId(String),
    /// A SIMULATED chain became a real one, or the reverse.
    #[error("the header calls the chain {}, which it is not", if *.0 { "SIMULATED" } else { "real" })]
    Simulated(bool),
    /// The node answered with another height than the one that was asked for, or one that is not above what is trusted.
    #[error("the header is of height {0}, which is not the one that is wanted")]
    Height(u64),
    /// The header's time is not after that of the trusted one.
    #[error("the header of height {0} is not later than the trusted one")]
    Time(u64),
    /// The header's time is ahead of the caller's clock.
    #[error("the header of height {0} is from the future: is the clock right?")]
    Future(u64),
    /// What is trusted is older than the trusting period: its validators may have left and sold their keys.
    #[error("the trusted header of height {0} is too old to vouch for others: a newer checkpoint is needed")]
    Expired(u64),
    /// The header does not follow from the one below it, or from the one above it.
    #[error("the header of height {0} is not of this chain: hashes do not join")]
    Parent(u64),
    /// The header's validators are not those that the trusted header announced.
    #[error("the header of height {0} is of other validators than those that sign it")]
    Validators(u64),
    /// The node did not send a set of validators with the hash that the header names.
    #[error("the node did not send the validators that the header of height {0} names")]
    Set(u64),
    /// Nobody signed the header.
    #[error("the node did not send a certificate of height {0}")]
    Unsigned(u64),
    /// The header is not decided.
    #[error("the header of height {height} is not decided: {error}")]
    Certificate {
        /// Its height.
        height: u64,
        /// Why its certificate is none.
        error: CertificateError,
    },
    /// A third or less of the trusted validators' power signed a header further up: those between have to be looked at.
    #[error("a third or less of the trusted power signed the header of height {0}")]
    Overlap(u64),
    /// The chain that the node has, or shows, ends below.
    #[error("the node has no header of height {0}")]
    Missing(u64),
    /// The node knows no block with the transaction.
    #[error("the node knows no block with transaction {0}")]
    NoTransaction(B256),
    /// The node sent another transaction than the one that was asked for.
    #[error("the node sent another transaction than {0}")]
    OtherTransaction(B256),
    /// The transaction does not stand where the node says.
    #[error("the transaction does not stand in block {0} at that place")]
    Transaction(u64),
    /// The receipt is of another transaction.
    #[error("the receipt is of another transaction")]
    OtherReceipt,
    /// The receipt is not the one that the validators agreed on.
    #[error("the receipt is not the one of that place in block {0}")]
    Receipt(u64),
    /// The state is not what the node says.
    #[error("the state is not what the node says: {0}")]
    Leaf(#[from] ProofError),
    /// A part of an answer does not decode.
    #[error("the node's answer does not decode: {0}")]
    Answer(&'static str),
}
