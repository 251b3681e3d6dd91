//! Our own messages to contracts, in the documents' AES-256-GCM form (`cloister.compute.v1`).
//!
//! What a contract is given stands in `input`, sealed to everything else that the message says: chain, sender, contract, code
//! hash and funds are its associated data. Beside it nothing is encrypted and nothing is ever taken for plaintext. Each
//! message has one output, sealed and padded as a whole: data, private attributes, or the error. Outside the enclave a
//! success shows the output in the message's response, a failure shows it in the log:
//! `encrypted: <base64>: execute contract failed`. Whatever it is that failed looks like that, once the input was opened; what
//! does not open is refused in words that everybody reads.

use secret_sdk_proto::cosmos::base::v1beta1::Coin;

/// `/cloister.compute.v1.MsgInstantiate`: a new contract from stored code.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgInstantiate {
    /// Signer, 20 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub sender: Vec<u8>,
    /// Number of the code.
    #[prost(uint64, tag = "2")]
    pub code_id: u64,
    /// SHA-256 of the code that the sender means, 32 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub code_hash: Vec<u8>,
    /// The chain-wide name of the new contract.
    #[prost(string, tag = "4")]
    pub label: String,
    /// The sealed input.
    #[prost(bytes = "vec", tag = "5")]
    pub input: Vec<u8>,
    /// Deposit.
    #[prost(message, repeated, tag = "6")]
    pub funds: Vec<Coin>,
    /// Who may migrate it, in Bech32; empty for nobody.
    #[prost(string, tag = "7")]
    pub admin: String,
}

/// `/cloister.compute.v1.MsgInstantiateResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgInstantiateResponse {
    /// The new contract, in Bech32.
    #[prost(string, tag = "1")]
    pub address: String,
    /// The sealed [`Output`].
    #[prost(bytes = "vec", tag = "2")]
    pub output: Vec<u8>,
}

/// `/cloister.compute.v1.MsgExecute`: a call of a contract.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgExecute {
    /// Signer, 20 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub sender: Vec<u8>,
    /// The contract, 20 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub contract: Vec<u8>,
    /// SHA-256 of the code that the sender means, 32 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub code_hash: Vec<u8>,
    /// The sealed input.
    #[prost(bytes = "vec", tag = "4")]
    pub input: Vec<u8>,
    /// Deposit.
    #[prost(message, repeated, tag = "5")]
    pub funds: Vec<Coin>,
}

/// `/cloister.compute.v1.MsgExecuteResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgExecuteResponse {
    /// The sealed [`Output`].
    #[prost(bytes = "vec", tag = "1")]
    pub output: Vec<u8>,
}

/// `/cloister.compute.v1.MsgMigrate`: a contract gets other code.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgMigrate {
    /// Signer, 20 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub sender: Vec<u8>,
    /// The contract, 20 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub contract: Vec<u8>,
    /// Number of the new code.
    #[prost(uint64, tag = "3")]
    pub code_id: u64,
    /// SHA-256 of the new code, 32 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub code_hash: Vec<u8>,
    /// The sealed input.
    #[prost(bytes = "vec", tag = "5")]
    pub input: Vec<u8>,
}

/// `/cloister.compute.v1.MsgMigrateResponse`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct MsgMigrateResponse {
    /// The sealed [`Output`].
    #[prost(bytes = "vec", tag = "1")]
    pub output: Vec<u8>,
}

/// What the one output of a message, or the answer to a question, holds.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Output {
    /// What the contract returned; empty if it returned nothing.
    #[prost(bytes = "vec", tag = "1")]
    pub data: Vec<u8>,
    /// The contract's error, or the chain's. If there is one, there is nothing else.
    #[prost(string, tag = "2")]
    pub error: String,
    /// Private attributes of the contract and of those that it called, in the order of the calls.
    #[prost(message, repeated, tag = "3")]
    pub attributes: Vec<PrivateAttribute>,
    /// The contract that a [`MsgInstantiate`] made, in Bech32.
    #[prost(string, tag = "4")]
    pub contract: String,
    /// The height whose state an answer is about; zero in a message's output, whose transaction stands in a block.
    #[prost(uint64, tag = "5")]
    pub height: u64,
    /// The boot key of the run that answers a question (M-09), 32 bytes; empty in a message's output, which every enclave gives,
    /// and on chains that admit no enclaves.
    #[prost(bytes = "vec", tag = "6")]
    pub run: Vec<u8>,
}

/// What a message would be charged, for its sender alone. Two numbers and nothing else: no output, and no reason why not.
#[derive(Clone, Copy, PartialEq, Eq, ::prost::Message)]
pub struct Estimate {
    /// The [class](crate::gas) of the gas of the message itself, without what signature and bytes of its transaction cost. Zero
    /// if it would fail, or use more than [`limits::QUERY_ESTIMATE_GAS`](crate::limits::QUERY_ESTIMATE_GAS).
    #[prost(uint64, tag = "1")]
    pub gas: u64,
    /// The height on whose state it was tried.
    #[prost(uint64, tag = "2")]
    pub height: u64,
}

/// An attribute that only the sender reads.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct PrivateAttribute {
    /// The contract that it comes from, in Bech32.
    #[prost(string, tag = "1")]
    pub contract: String,
    /// Key.
    #[prost(string, tag = "2")]
    pub key: String,
    /// Value.
    #[prost(string, tag = "3")]
    pub value: String,
}
