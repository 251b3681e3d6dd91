//! The doors of a node: what clients speak to.
//!
//! Purpose: parse requests into the chain's words, answer them from the store, the mempool and the enclave's queries, in
//! the dialect and with the error texts that published clients expect. [`eth`] is Ethereum JSON-RPC, [`cosmos`] is Cosmos REST,
//! [`ops`] is for operators.
//!
//! Must not know: keys, plaintext, how consensus or the enclave process work. A door sees what is public: ciphertext.
//! The node behind a door is a [`Backend`].
//!
//! ```
//! use std::sync::Arc;
//! use cloister_api::{Backend, cosmos, eth};
//!
//! async fn open_and_close<B: Backend>(node: Arc<B>) -> std::io::Result<()> {
//!     let ethereum = eth::serve(Arc::clone(&node), ([127, 0, 0, 1], 8545).into()).await?;
//!     let secret = cosmos::serve(node, ([127, 0, 0, 1], 1317).into()).await?;
//!     assert_eq!((ethereum.address().port(), secret.address().port()), (8545, 1317));
//!     ethereum.stop().await;
//!     secret.stop().await;
//!     Ok(())
//! }
//! ```

pub mod backend;
pub mod cosmos;
pub mod eth;
pub mod ops;

pub use backend::{Backend, Unavailable};
