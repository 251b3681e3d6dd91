//! The Cosmos door: private calls of CosmWasm contracts.
//!
//! What a contract is told and what it answers is sealed with AES-256-GCM between this program and the enclaves, one key for
//! each message. A node between them sees who calls which contract with what deposit, and how long the message is to the
//! next power of two.
//!
//! | file | holds |
//! | --- | --- |
//! | `account` | an [`Account`]: a wallet at this door |
//! | `client` | a [`Client`]: what anybody can ask the door |
//! | `opening` | an [`Opening`]: one output of one's own, shown to somebody else |
//! | `reread` | one's own calls, read again from the chain |
//! | `rest` | requests and the JSON of the answers |
//! | `sealed` | messages as they are sealed, results as they are opened |
//! | `sign` | signatures of `SIGN_MODE_DIRECT` |
//!
//! **Trust.** A message is private to whoever holds the other half of the key to which it is sealed. An account asks its node
//! for that key ([`Client::network_keys`]), and a node can lie. Whoever runs the node himself needs no more; whoever does
//! not gets the key from a place that he trusts, or from a [bundle](crate::bundle) which proves that attested enclaves have
//! it, and pins it ([`Account::with_network_key`]).
//! Heights of blocks, public events and balances are the node's word. The address of a new contract, a contract's data, error,
//! private attributes and answers are not: they open only if the enclave sealed them, for this very message.
//!
//! **Later.** An account seals with a key that is forgotten with it. One that is to read its own calls again is made with a
//! key that is kept ([`Account::with_client_key`], [`Account::reread`]).
//!
//! ```no_run
//! use cloister_sdk::{Wallet, cosmos};
//! use serde_json::{Value, json};
//!
//! # async fn example(mnemonic: &str, wasm: &[u8]) -> Result<(), cloister_sdk::Error> {
//! let client = cosmos::Client::new("http://127.0.0.1:1317", "secretdev-1")?;
//! let wallet = Wallet::family(mnemonic, cloister_sdk::SECRET, [0])?.remove(0);
//! let alice = cosmos::Account::new(wallet, client);
//!
//! let code = alice.store_code(wasm).await?;
//! let made = alice.instantiate(&code, "my counter", &json!({ "count": 1 }), 0).await?;
//! let called = alice.execute(&made.contract, &json!({ "increment": {} }), 0).await?;
//! println!("block {}: {:?}", called.tx.height, called.attributes);
//! let answer = alice.query::<Value>(&made.contract, &json!({ "get_count": {} })).await?;
//! println!("at block {}: {}", answer.height, answer.value);
//! # Ok(())
//! # }
//! ```

mod account;
mod client;
mod opening;
pub mod register;
mod reread;
pub(crate) mod rest;
mod sealed;
mod sign;

pub use account::{Account, CALL_GAS, GAS_PRICE, PERMIT_BLOCKS, SEND_GAS};
pub use client::{Client, NetworkKeys, Sequence};
pub use cloister_chain::cosmos::sealed::PrivateAttribute;
pub use cloister_chain::cosmos::{DENOM, bech32, from_bech32};
pub use cloister_chain::receipt::Event;
pub use opening::{Opened, Opening};
pub use register::register;
pub use reread::Reread;
pub use rest::{Included, Placed};
pub use sealed::{Answer, Called, Code, Contract, Estimate, Made};
pub use sign::{Place, Terms, bank_send};
