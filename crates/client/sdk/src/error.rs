use alloy_primitives::{Address, B256, Bytes};
use cloister_envelope::MessageError;
use thiserror::Error;

use crate::Receipt;

/// Why a call of this crate failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The text is not 32 bytes of hex, or the number is zero or not below the order of secp256k1.
    #[error("not a private key: 64 hex digits of a number below the order of secp256k1")]
    PrivateKey,
    /// A word that is not in the English list, a wrong number of words or a wrong checksum: usually a typing error.
    #[error("not a BIP-39 mnemonic: {0}")]
    Mnemonic(#[from] bip39::Error),
    /// BIP-32 has no key at this index or coin: above 2^31 - 1, or one in 2^127 that falls outside the group.
    #[error("no BIP-32 key has the number {0}")]
    Index(u32),
    /// The address of the node is not a `http://` URL.
    #[error("not a http:// URL: {0}")]
    Url(String),
    /// The node cannot be reached, or the connection broke: is it running?
    #[error("cannot reach the node: {0}")]
    Transport(#[source] jsonrpsee_core::client::Error),
    /// The node answered with an error.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The node answered with something that the method does not return: usually the URL of another kind of server.
    #[error("the node's answer does not decode: {0}")]
    Answer(#[source] serde_json::Error),
    /// A contract returned something else than its interface says: usually another contract, or none, at this address.
    #[error("the contract's answer does not decode: {0}")]
    Abi(#[from] alloy_sol_types::Error),
    /// The transaction stands in a block with status 0; a confidential contract does not say why.
    #[error("transaction {} was included and reverted", .0.transaction_hash)]
    Reverted(Box<Receipt>),
    /// No receipt in time. The transaction may still be included later.
    #[error("no receipt of transaction {0} within two minutes")]
    Unconfirmed(B256),
    /// The receipt lacks what the transaction is for: a contract address, or the on-boarding event.
    #[error("transaction {0} succeeded but left no trace of its purpose: is that the right contract?")]
    Incomplete(B256),
    /// Sealing and opening need the user's AES key: call `onboard`, or hand over a key that was kept.
    #[error("account {0} has no user key yet: on-board first")]
    NoUserKey(Address),
    /// A ciphertext, a share or a key was refused.
    #[error(transparent)]
    Envelope(#[from] cloister_envelope::Error),
    /// A private message was not sealed, or what the node gave back does not open: the wrong network key, another chain or
    /// code hash, or a node that altered it.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The Cosmos door cannot be reached, or the connection broke: is it running?
    #[error("cannot reach the node: {0}")]
    Http(#[source] Box<ureq::Error>),
    /// The Cosmos door answered with an error.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// A text that is not an address of this chain's Cosmos door, or not the code or contract that it should be.
    #[error(transparent)]
    Cosmos(#[from] cloister_chain::cosmos::CosmosError),
    /// The node did not take the transaction in: nothing happened and nothing was paid.
    #[error("the node refused the transaction: {0}")]
    Rejected(#[source] Rejection),
    /// The transaction stands in a block and failed: its fee is paid, nothing else happened.
    #[error(transparent)]
    Failed(Box<Failure>),
    /// The contract answered a question with an error.
    #[error("the contract answered at block {height}: {text}")]
    Answered {
        /// The state that was asked.
        height: u64,
        /// The contract's words, which only the asker can read.
        text: String,
    },
    /// A message for a contract has no JSON form.
    #[error("the message has no JSON form: {0}")]
    Json(#[source] serde_json::Error),
    /// What a contract returned is not the JSON that was expected.
    #[error("the contract's answer is not what was expected: {0}")]
    Unexpected(#[source] serde_json::Error),
    /// Contract code has to be a WebAssembly module, not compressed.
    #[error("not a WebAssembly module")]
    Code,
    /// The transaction succeeded, but what the node gives as its result is none: a node that lies, or another version.
    #[error("the result of transaction {0} does not decode")]
    Result(B256),
    /// The node names another address than that of the contract that the enclave made, which this is: a node that lies.
    #[error("the node hid the new contract {}", cloister_chain::cosmos::bech32(.0))]
    Elsewhere(Address),
    /// A node told a light client something that is not so, or what it was held to is wrong.
    #[error(transparent)]
    Light(#[from] crate::light::LightError),
    /// What a node says does not vouch for the network's keys.
    #[error(transparent)]
    Bundle(#[from] crate::bundle::BundleError),
    /// Not what [`Opening::to_json`](crate::cosmos::Opening::to_json) writes.
    #[error("not an opening of an output")]
    Opening,
    /// The opening is of another transaction than the one that was proven.
    #[error("the opening is of transaction {0}")]
    OtherOpening(B256),
    /// An output is opened to somebody else only when the validators have agreed on it: in the next block.
    #[error("what transaction {0} did is not agreed on yet")]
    NotAgreed(B256),
    /// Only a private call that stands in a block, alone in a transaction of this account, can be read again.
    #[error("transaction {0} is no private call of this account, or stands in no block")]
    NoCall(B256),
}

impl Error {
    /// The contract's own words, if a contract's error is why a call or a question failed.
    pub fn contract_error(&self) -> Option<&str> {
        match self {
            Self::Failed(failure) => failure.contract.as_deref(),
            Self::Answered { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// An error of the Cosmos door that is not about a transaction's rules.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the node refused: {message} (code {code}, HTTP {status})")]
pub struct DoorError {
    /// HTTP status.
    pub status: u16,
    /// Code of gRPC: 5 for what does not exist, 3 for a bad request.
    pub code: i64,
    /// The node's words.
    pub message: String,
}

/// Why a Cosmos transaction was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{log} (code {code} of {codespace})")]
pub struct Rejection {
    /// The module that the number belongs to: `sdk`, `compute`, …
    pub codespace: String,
    /// Number of the error.
    pub code: u32,
    /// The chain's words. A contract's own stand in [`Failure::contract`].
    pub log: String,
}

impl Rejection {
    /// The sequence that the account has to use instead, if a wrong one is why (Cosmos SDK, error 32: `account sequence
    /// mismatch, expected 5, got 4: incorrect account sequence`).
    pub fn expected_sequence(&self) -> Option<u64> {
        if (self.codespace.as_str(), self.code) != ("sdk", 32) {
            return None;
        }
        let (_, rest) = self.log.split_once("expected ")?;
        rest.split_once(',')?.0.parse().ok()
    }
}

/// A transaction that stands in a block and failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("transaction {hash} failed in block {height}: {}", .contract.as_deref().unwrap_or(&.reason.log))]
pub struct Failure {
    /// Its hash.
    pub hash: B256,
    /// The block.
    pub height: u64,
    /// Gas used, in the SDK's units.
    pub gas_used: u64,
    /// What everybody sees.
    pub reason: Rejection,
    /// What the contract said, which only the sender can read.
    pub contract: Option<String>,
}

/// A JSON-RPC error as the node sent it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the node refused: {message} (code {code})")]
pub struct ServerError {
    /// -32000 for most of geth's errors, 3 for a revert with data, -32601 and its neighbours for JSON-RPC's own.
    pub code: i32,
    /// The node's words.
    pub message: String,
    /// Whatever else it sent, as JSON.
    pub data: Option<serde_json::Value>,
}

impl ServerError {
    /// The bytes that a contract reverted with, if the node sent any.
    pub fn revert_data(&self) -> Option<Bytes> {
        self.data.as_ref()?.as_str()?.parse().ok()
    }
}

impl From<jsonrpsee_core::client::Error> for Error {
    fn from(error: jsonrpsee_core::client::Error) -> Self {
        use jsonrpsee_core::client::Error as Rpc;
        match error {
            Rpc::Call(object) => ServerError {
                code: object.code(),
                message: object.message().into(),
                data: object.data().and_then(|data| serde_json::from_str(data.get()).ok()),
            }
            .into(),
            Rpc::ParseError(error) => Self::Answer(error),
            other => Self::Transport(other),
        }
    }
}
