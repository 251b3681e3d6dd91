//! CosmWasm contracts written for Secret Network, run on wasmi.
//!
//! Purpose: check and compile a contract's code ([`Code`]), call one of its entry points ([`run`]) and say what it asked
//! for. Both lines of contracts run: v1 (`interface_version_8`) and the older v0.10 (`cosmwasm_vm_version_3`); what they
//! return is brought into one form ([`Response`]).
//!
//! Must not know: keys, blocks, the state tree, other contracts. Everything that a contract reads, writes or asks goes
//! through a [`Host`]. It draws no randomness and reads no clock: both come in the [`Env`].
//!
//! A contract is hostile. Its memory, its pointers, its JSON and its `allocate` may be anything: the worst that comes of it
//! is a [`Trap`] of its own call. Gas is deterministic, the same for every run of the same call on the same state.
//!
//! | module | what it says |
//! | --- | --- |
//! | [`code`] | which code is accepted, and what it says of itself |
//! | [`call`] | what a call consists of, and the JSON of `env` and `info` |
//! | [`host`] | what the machine asks for: state, and questions to the chain |
//! | [`response`] | what contracts return |
//! | [`answers`] | the JSON of the chain's answers to contracts, and of replies |
//! | [`limits`], [`gas`] | every bound and every price |
//!
//! ```
//! use cloister_wasm::{Code, CodeError};
//!
//! let nothing = b"\0asm\x01\0\0\0";
//! assert!(matches!(Code::compile(nothing), Err(CodeError::Memories)));
//! ```

pub mod answers;
pub mod call;
pub mod code;
pub mod gas;
pub mod host;
mod imports;
pub mod limits;
mod memory;
mod question;
pub mod response;
mod run;

pub use answers::{ReplyResult, reply_message};
pub use call::{Call, Coin, Entry, Env};
pub use code::{Code, CodeError, Version, unpack};
pub use host::{Charged, Host, HostError, QueryAnswer, QueryRequest};
pub use response::{Attribute, ContractError, Event, Message, ReplyOn, Response, Returned, SubMessage};
pub use run::{Run, Trap, run};

#[cfg(test)]
mod tests;
