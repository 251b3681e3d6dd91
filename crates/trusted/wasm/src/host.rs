//! What the machine asks for.

/// The world of one call. Keys and values are the contract's plain bytes.
pub trait Host {
    /// The value under `key`, if there is one.
    fn read(&mut self, key: &[u8]) -> Result<Charged<Option<Vec<u8>>>, HostError>;
    /// Puts `value` under `key`.
    fn write(&mut self, key: &[u8], value: &[u8]) -> Result<Charged<()>, HostError>;
    /// Removes what is under `key`, if anything is.
    fn remove(&mut self, key: &[u8]) -> Result<Charged<()>, HostError>;
    /// Answers a question to the chain or to another contract with at most `gas` wasm gas, which is all that is left.
    fn query(&mut self, request: QueryRequest, gas: u64) -> Result<Charged<QueryAnswer>, HostError>;
}

/// A value and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charged<T> {
    /// What was asked for.
    pub value: T,
    /// Its price in wasm gas. The machine charges it, beside its own ([`crate::gas`]).
    pub gas: u64,
}

/// Why a host does not answer. The call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// What is left of the gas does not suffice.
    OutOfGas,
    /// A query tried to write.
    ReadOnly,
    /// The host of the enclave lied, or fell silent: everything stops, not only this call.
    Halt,
}

/// A question of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryRequest {
    /// How much of `denom` `address` holds.
    Balance {
        /// In Bech32, as the contract wrote it; so are the addresses of the other questions.
        address: String,
        /// Denomination.
        denom: String,
    },
    /// Everything that `address` holds.
    AllBalances {
        /// In Bech32.
        address: String,
    },
    /// A query of another contract.
    Smart {
        /// Its address.
        contract: String,
        /// The code that it is expected to run, in hexadecimal.
        code_hash: String,
        /// The message.
        message: Vec<u8>,
    },
    /// An entry of another contract's state.
    Raw {
        /// Its address.
        contract: String,
        /// The key.
        key: Vec<u8>,
    },
    /// What the chain knows of a contract.
    ContractInfo {
        /// Its address.
        contract: String,
    },
    /// The denomination that is staked.
    BondedDenom,
    /// A module's own question, as protobuf.
    Stargate {
        /// The method, like `/cosmos.bank.v1beta1.Query/Balance`.
        path: String,
        /// The request.
        data: Vec<u8>,
    },
    /// Any other question that Secret Network knows: its kind.
    Unsupported(String),
}

/// What a question comes to, for the contract that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryAnswer {
    /// The answer: JSON, or whatever bytes the kind of question gives.
    Ok(Vec<u8>),
    /// The contract or module that was asked refuses. JSON, such as [`crate::answers::generic_error`] makes, is told as it is;
    /// anything else as a text.
    ContractError(String),
    /// There is no contract at this address.
    NoSuchContract(String),
    /// The chain does not answer questions of this kind.
    Unsupported(String),
    /// The question is not one.
    InvalidRequest {
        /// What is wrong with it.
        error: String,
        /// What the contract asked.
        request: Vec<u8>,
    },
    /// The answer is not one.
    InvalidResponse {
        /// What is wrong with it.
        error: String,
        /// What came back.
        response: Vec<u8>,
    },
    /// Too many contracts asked one another.
    TooDeep,
    /// No more is known.
    Unknown,
}
