//! What contracts return, in one form for both lines.

mod parse;

use crate::Coin;

pub(crate) use parse::{Binary, answer, response};

/// What a call returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// What it asks for, from every entry point but a query.
    Response(Response),
    /// The answer to a query.
    Answer(Vec<u8>),
    /// The contract's own refusal.
    Error(ContractError),
}

/// A contract's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractError {
    /// The text that its caller reads. Of the newer line: the JSON text without its quotes, so its escapes are left in. Of
    /// the older line: the JSON object with its members in alphabetical order.
    pub text: String,
}

/// What a contract asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// What it sends, in order.
    pub messages: Vec<SubMessage>,
    /// The attributes of the event of this call; in the older line its log.
    pub attributes: Vec<Attribute>,
    /// Events of its own.
    pub events: Vec<Event>,
    /// Data for its caller.
    pub data: Option<Vec<u8>>,
}

/// A key and a value of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Key.
    pub key: String,
    /// Value.
    pub value: String,
    /// Whether only the sender may read them. True unless the contract says no.
    pub encrypted: bool,
}

/// An event of a contract's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened. Never encrypted.
    pub kind: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// What a contract sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubMessage {
    /// The number by which the reply names it.
    pub id: u64,
    /// What is sent.
    pub message: Message,
    /// The most it may use, in the SDK's gas.
    pub gas_limit: Option<u64>,
    /// When the contract wants a reply. Never, in the older line.
    pub reply_on: ReplyOn,
}

/// When a contract wants to hear of what it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyOn {
    /// In both cases; a failure does not undo the call.
    Always,
    /// After a failure, which does not undo the call.
    Error,
    /// After a success.
    Success,
    /// Not at all.
    Never,
}

/// A message to another contract or to a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Sends coins.
    Send {
        /// Sender, in Bech32. Only the older line says it.
        from: Option<String>,
        /// Receiver, in Bech32.
        to: String,
        /// How much.
        amount: Vec<Coin>,
    },
    /// Destroys coins of the contract's.
    Burn {
        /// How much.
        amount: Vec<Coin>,
    },
    /// Executes a contract.
    Execute {
        /// Its address, in Bech32.
        contract: String,
        /// The code that it is expected to run, in hexadecimal.
        code_hash: String,
        /// The message.
        message: Vec<u8>,
        /// What is sent along.
        funds: Vec<Coin>,
    },
    /// Makes a contract.
    Instantiate {
        /// Who may migrate it, in Bech32.
        admin: Option<String>,
        /// Its code.
        code_id: u64,
        /// The hash of that code, in hexadecimal.
        code_hash: String,
        /// The message.
        message: Vec<u8>,
        /// What is sent along.
        funds: Vec<Coin>,
        /// Its label.
        label: String,
    },
    /// Gives a contract another code.
    Migrate {
        /// Its address, in Bech32.
        contract: String,
        /// The hash of the new code, in hexadecimal.
        code_hash: String,
        /// The new code.
        code_id: u64,
        /// The message.
        message: Vec<u8>,
    },
    /// Gives a contract another admin.
    UpdateAdmin {
        /// Its address, in Bech32.
        contract: String,
        /// The new admin, in Bech32.
        admin: String,
    },
    /// Takes the admin from a contract.
    ClearAdmin {
        /// Its address, in Bech32.
        contract: String,
    },
    /// Any message of the SDK's, as protobuf.
    Stargate {
        /// Its type.
        type_url: String,
        /// Its bytes.
        value: Vec<u8>,
    },
    /// No message may follow in this transaction.
    FinalizeTx,
    /// A message to a module of Secret Network's that this chain does not have, or of no known kind: the module's name.
    Unsupported(&'static str),
}

impl Message {
    /// Whether it goes to the module that runs contracts.
    pub const fn is_wasm(&self) -> bool {
        matches!(
            self,
            Self::Execute { .. }
                | Self::Instantiate { .. }
                | Self::Migrate { .. }
                | Self::UpdateAdmin { .. }
                | Self::ClearAdmin { .. }
        )
    }
}
