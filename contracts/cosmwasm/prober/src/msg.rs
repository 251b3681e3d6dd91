use cosmwasm_std::{Attribute, Binary, Coin, ReplyOn};
use serde::{Deserialize, Serialize};

/// For instantiate and migrate.
#[derive(Serialize, Deserialize, Default)]
pub struct Start {
    /// Fails with this text.
    pub fail: Option<String>,
    /// Returns this data.
    pub data: Option<Binary>,
}

/// What the contract can be told to do.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Sends messages, in this order.
    Sub {
        /// The messages.
        msgs: Vec<Sub>,
        /// The data of this call itself.
        data: Option<Binary>,
    },
    /// Calls itself, which calls itself, `depth` times.
    Again {
        /// How many more calls.
        depth: u32,
    },
    /// What replies do from now on.
    SetReply {
        /// Fail.
        fail: Option<bool>,
        /// Return this data.
        data: Option<Binary>,
    },
    /// Fails.
    Fail {
        /// The whole text of the error.
        text: String,
    },
    /// Ends in a trap, as a panic does.
    Panic {},
    /// Asks another contract and returns its answer in the data.
    Ask {
        /// Its address.
        contract: String,
        /// Hash of its code.
        code_hash: String,
        /// The question's JSON.
        msg: Binary,
    },
    /// Asks the chain and returns its whole answer, errors included, in the data.
    Chain {
        /// JSON of the request.
        request: Binary,
    },
    /// Returns the block's random number, as data and as an attribute for everybody.
    Random {},
    /// Returns what the contract knows of its surroundings.
    Env {},
    /// Never ends.
    Loop {},
    /// Calls functions without end.
    Recurse {},
    /// Takes memory without end.
    Grow {},
    /// Writes entries of 64 bytes.
    WriteMany {
        /// How many.
        n: u32,
    },
    /// Returns data.
    BigData {
        /// Of this many bytes.
        n: u32,
    },
    /// Writes one entry.
    Write {
        /// Its name.
        key: String,
        /// Must not be empty.
        value: String,
    },
    /// Removes one entry.
    Remove {
        /// Its name.
        key: String,
    },
    /// Burns gas.
    Evaporate {
        /// In the chain's gas.
        amount: u32,
    },
    /// Returns the gas used so far.
    CheckGas {},
    /// Checks an ECDSA signature.
    VerifySecp {
        /// 32 bytes.
        hash: Binary,
        /// 64 bytes.
        sig: Binary,
        /// 33 or 65 bytes.
        key: Binary,
    },
    /// Checks an Ed25519 signature.
    VerifyEd {
        /// What was signed.
        message: Binary,
        /// 64 bytes.
        sig: Binary,
        /// 32 bytes.
        key: Binary,
    },
    /// Checks many Ed25519 signatures.
    VerifyEdBatch {
        /// What was signed.
        messages: Vec<Binary>,
        /// 64 bytes each.
        sigs: Vec<Binary>,
        /// 32 bytes each.
        keys: Vec<Binary>,
    },
    /// Signs.
    Sign {
        /// How.
        curve: Curve,
        /// What; hashed with SHA-256 first for secp256k1.
        message: Binary,
        /// Private key: 32 bytes.
        key: Binary,
    },
    /// Finds the key that made an ECDSA signature.
    Recover {
        /// 32 bytes.
        hash: Binary,
        /// 64 bytes.
        sig: Binary,
        /// 0 or 1.
        param: u8,
    },
    /// Validates an address and takes it there and back.
    Address {
        /// As people write it.
        human: String,
    },
    /// Emits an event of its own kind.
    CustomEvent {
        /// The chain puts `wasm-` before it.
        kind: String,
        /// Encrypted unless they say otherwise.
        attributes: Vec<Attribute>,
    },
    /// Emits attributes.
    Attributes {
        /// Encrypted unless they say otherwise.
        attributes: Vec<Attribute>,
    },
}

/// One message to send.
#[derive(Serialize, Deserialize)]
pub struct Sub {
    /// Comes back with the reply.
    pub id: u64,
    /// When there is a reply.
    pub reply_on: ReplyOn,
    /// In the chain's gas.
    pub gas_limit: Option<u64>,
    /// What to send.
    pub msg: Kind,
}

/// What can be sent.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A call of a contract.
    Execute {
        /// Its address.
        contract: String,
        /// Hash of its code.
        code_hash: String,
        /// The call's JSON.
        msg: Binary,
        /// Coins to go with it.
        funds: Option<Vec<Coin>>,
    },
    /// Coins.
    Send {
        /// Who gets them.
        to: String,
        /// Which.
        amount: Vec<Coin>,
    },
    /// A new contract.
    Instantiate {
        /// Of which code.
        code_id: u64,
        /// Its hash.
        code_hash: String,
        /// The JSON it starts with.
        msg: Binary,
        /// Its name.
        label: String,
        /// Coins to go with it.
        funds: Option<Vec<Coin>>,
        /// Who may migrate it.
        admin: Option<String>,
    },
    /// Coins that nobody will have.
    Burn {
        /// Which.
        amount: Vec<Coin>,
    },
    /// New code for a contract.
    Migrate {
        /// Its address.
        contract: String,
        /// The new code.
        code_id: u64,
        /// Its hash.
        code_hash: String,
        /// The JSON it is told.
        msg: Binary,
    },
    /// A new admin for a contract.
    UpdateAdmin {
        /// Its address.
        contract: String,
        /// Who.
        admin: String,
    },
    /// No admin any more.
    ClearAdmin {
        /// The contract.
        contract: String,
    },
    /// Nothing may follow in this transaction.
    Finalize {},
    /// Any message of the chain.
    Stargate {
        /// Its type.
        type_url: String,
        /// Its protobuf.
        value: Binary,
    },
}

/// A signature scheme.
#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// ECDSA.
    Secp256k1,
    /// EdDSA.
    Ed25519,
}

/// What the contract can be asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// The latest reply, or null.
    LastReply {},
    /// All replies, oldest first.
    Replies {},
    /// One entry.
    Read {
        /// Its name.
        key: String,
    },
    /// The bank's answer.
    Balance {
        /// Whose.
        address: String,
        /// Of what; `uscrt` if absent.
        denom: Option<String>,
    },
    /// Another contract's answer.
    Ask {
        /// Its address.
        contract: String,
        /// Hash of its code.
        code_hash: String,
        /// The question's JSON.
        msg: Binary,
    },
    /// The chain's whole answer, errors included.
    Chain {
        /// JSON of the request.
        request: Binary,
    },
    /// Asks itself, which asks itself, `depth` times.
    Nest {
        /// How many more questions.
        depth: u32,
    },
    /// What a query knows of its surroundings.
    Env {},
    /// Fails.
    Fail {
        /// The whole text of the error.
        text: String,
    },
    /// Ends in a trap.
    Panic {},
    /// Never ends.
    Loop {},
}
