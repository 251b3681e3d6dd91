//! What an application links: a wallet, clients of both doors, and accounts that seal and open what is private.
//!
//! An [`Account`] of the Ethereum door on-boards once to fetch its AES key, seals values for one function of one contract,
//! and opens what a contract sealed for it. A [`cosmos::Account`] calls and asks CosmWasm contracts in private messages.
//! A [`light::LightClient`] checks what a node says against the signatures of the validators, a [`bundle::Bundle`] shows offline
//! that the network's keys are those of attested enclaves.
//! Formats are those of `cloister-envelope` and `cloister-chain`; nothing here decides anything about ciphertext.
//!
//! Must not know: keys of the network, storage of a node, the wall to the enclave. Uses `shared/` only.
//!
//! ```no_run
//! use cloister_sdk::{Account, Client, Wallet, sol};
//!
//! sol! {
//!     function setSomeEncryptedValueEncryptedInput(uint256 ciphertext, bytes signature) external;
//!     function setUserSomeEncryptedValueEncryptedInput() external;
//!     function getUserSomeEncryptedValueEncryptedInput() external view returns (uint256);
//! }
//!
//! # async fn example(contract: cloister_sdk::Address) -> Result<(), cloister_sdk::Error> {
//! let client = Client::connect("http://127.0.0.1:8545").await?;
//! let mut alice = Account::new(Wallet::from_mnemonic(cloister_sdk::HARDHAT_MNEMONIC, 0)?, client);
//! alice.onboard().await?;
//!
//! // Only this function of this contract accepts the input, and only from Alice.
//! let input = alice.seal_for::<setSomeEncryptedValueEncryptedInputCall>(42_u64, contract)?;
//! let (ciphertext, signature) = (input.ciphertext, input.signature.into());
//! alice.write(contract, &setSomeEncryptedValueEncryptedInputCall { ciphertext, signature }).await?;
//!
//! alice.write(contract, &setUserSomeEncryptedValueEncryptedInputCall {}).await?;
//! let cell = alice.read(contract, &getUserSomeEncryptedValueEncryptedInputCall {}).await?;
//! assert_eq!(alice.open(cell)?, 42);
//! # Ok(())
//! # }
//! ```

mod account;
pub mod bundle;
mod client;
pub mod cosmos;
mod error;
pub mod light;
mod wallet;

pub use {alloy_consensus, alloy_sol_types};

pub use account::{Account, AccountOnboard, GAS_LIMIT, ONBOARD, Request, SealedText};
pub use alloy_primitives::{Address, B256, Bytes, U256, address};
pub use alloy_rpc_types_eth::{Block, BlockNumberOrTag, Filter, Log, Transaction, TransactionReceipt as Receipt};
pub use alloy_sol_types::{SolCall, SolEvent};
pub use client::{Client, Fees};
pub use cloister_envelope::{ExchangeKey, InputText, Secret, UserKey, WideCell, WideInputText};
pub use error::{DoorError, Error, Failure, Rejection, ServerError};
pub use jsonrpsee_core::rpc_params;
pub use wallet::{ETHEREUM, HARDHAT_MNEMONIC, SECRET, Wallet};

/// Makes Rust types of Solidity's interfaces: `alloy_sol_types::sol!` for crates that depend on this one only.
#[macro_export]
macro_rules! sol {
    ($($interface:tt)*) => {
        $crate::alloy_sol_types::sol! {
            #![sol(alloy_sol_types = $crate::alloy_sol_types)]
            $($interface)*
        }
    };
}
