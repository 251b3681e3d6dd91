//! Words and rules of the chain, shared by both sides of the wall and by every client.
//!
//! Purpose: addresses, transactions, headers, blocks, certificates, receipts, leaves, proofs, and the messages that cross
//! the wall ([`wire`]). Pure: no I/O, no clock, no secrets. What is decoded here came from a stranger, so every decoder is
//! bounded ([`limits`]), consumes its whole input and returns a value that needs no further check.
//!
//! Must not know: keys of the network, plaintext, storage, sockets.
//!
//! ```
//! use cloister_chain::{Header, Genesis};
//! let genesis = Genesis::for_tests();
//! let header = Header::genesis(&genesis);
//! assert_eq!(header.height, 0);
//! ```

pub mod block;
pub mod certificate;
pub mod cosmos;
pub mod epoch;
pub mod evidence;
pub mod gas;
pub mod genesis;
pub mod gov;
pub mod hash;
pub mod leaf;
pub mod limits;
pub mod parent;
pub mod proof;
pub mod receipt;
pub mod staking;
pub mod trail;
pub mod trust;
pub mod tx;
pub mod validators;
pub mod vote;
pub mod wire;

pub use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
pub use block::{Block, Header};
pub use certificate::{Certificate, CertificateError};
pub use cosmos::CosmosTx;
pub use epoch::{Epoch, Epochs};
pub use evidence::Evidence;
pub use genesis::Genesis;
pub use leaf::{Account, Cell, Leaf};
pub use parent::Parent;
pub use receipt::{CosmosResult, Event, Log, Outcome, Receipt, Refusal, Status};
pub use trail::Trail;
pub use tx::{EthTx, Tx, TxError};
pub use validators::{Validator, ValidatorSet};
pub use vote::{Signed, Statement};
