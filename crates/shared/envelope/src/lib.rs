//! Every ciphertext that a user exchanges with the network, both ends of each: the SDK seals what the enclave opens.
//!
//! The formats are those of COTI V2 (gcEVM) and of Secret Network's secret.js, byte for byte, so that their published SDKs
//! talk to this chain unmodified, and one of our own that is stronger ([`message::gcm`]).
//! This crate knows formulas and layouts only. It must not know where keys come from, nor draw randomness: every `r`,
//! every coin is handed in, drawn from the operating system by a client and derived by an enclave.
//!
//! | module | what travels | who seals | who opens |
//! | --- | --- | --- | --- |
//! | [`cell`] | one value of up to 128 bits, or two cells for 256 bits | both | both |
//! | [`text`] | a string, one cell for 8 bytes | both | both |
//! | [`input_text`] | a cell and the signature that binds it to one function of one contract | client | enclave |
//! | [`onboard`] | the user's AES key, in two RSA-OAEP shares | enclave | client |
//! | [`signature`] | the signature rule that input texts and on-boarding share | client | enclave |
//! | [`message`] | the input of a contract call or query, and its outputs | both | both |
//! | [`padding`] | the buckets that hide how long something is | both | both |
//!
//! ```
//! use alloy_primitives::address;
//! use cloister_envelope::{AccountKey, Form, InputContext, Secret, UserCipher, UserKey};
//!
//! let account = AccountKey::from_secret(Secret::from_bytes([1; 32]))?;
//! let cipher = UserCipher::new(&UserKey::from_bytes([7; 16]));
//! let context = InputContext {
//!     sender: account.address(),
//!     contract: address!("1000000000000000000000000000000000000001"),
//!     selector: [0x11, 0x22, 0x33, 0x44],
//! };
//!
//! // The client: encrypt 5 under a fresh `r` (from the operating system), sign it for this very call.
//! let input = context.sign(cipher.seal([9; 16], 5), &account, Form::Raw);
//!
//! // The enclave: check the signature, then open the cell.
//! context.verify(input.ciphertext, &input.signature)?;
//! assert_eq!(cipher.open(input.ciphertext), 5);
//! # Ok::<(), cloister_envelope::Error>(())
//! ```

pub mod cell;
mod error;
pub mod input_text;
pub mod message;
pub mod onboard;
pub mod padding;
mod secret;
pub mod signature;
pub mod text;
mod width;

pub use cell::{UserCipher, WideCell};
pub use error::Error;
pub use input_text::{InputContext, InputText, WideInputText};
pub use message::{ExchangeKey, MessageError};
pub use onboard::{OnboardingKey, Recipient};
pub use secret::{Secret, UserKey};
pub use signature::{AccountKey, Form};
pub use width::Width;
