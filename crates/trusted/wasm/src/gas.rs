//! What things cost, in *wasm gas*: 1000 of it are one gas of the Cosmos SDK. All of it decides consensus.
//!
//! An instruction costs [`INSTRUCTION`]; [`crate::code`] holds the table. What a [`crate::Host`] does costs what it says,
//! beside the prices here.

/// One instruction of Wasm that does something at run time.
pub const INSTRUCTION: u8 = 2;
/// So many bytes that one instruction copies, fills or adds to the memory cost one: 8192 for a page.
pub const BYTES_PER_GAS: u32 = 8;
/// Each byte that crosses between a contract and its host, either way.
pub const BYTE: u64 = 2;
/// `db_read`, beside the host's price.
pub const READ: u64 = 1_000;
/// `db_write`, beside the host's price.
pub const WRITE: u64 = 2_000;
/// `db_remove`, beside the host's price.
pub const REMOVE: u64 = 2_000;
/// `query_chain`, beside the host's price.
pub const QUERY: u64 = 1_000;
/// A question that is not one, in all.
pub const MALFORMED_QUERY: u64 = 500;
/// Any of the functions on addresses.
pub const ADDRESS: u64 = 8_192;
/// `debug`, `debug_print`.
pub const DEBUG: u64 = 100;
/// `secp256k1_verify` and `secp256k1_recover_pubkey`.
pub const SECP256K1_VERIFY: u64 = 98_304;
/// `secp256k1_sign`.
pub const SECP256K1_SIGN: u64 = 100_000;
/// `ed25519_verify`.
pub const ED25519_VERIFY: u64 = 73_728;
/// `ed25519_batch_verify`.
pub const ED25519_BATCH: u64 = 5_000;
/// Each signature of a batch.
pub const ED25519_BATCH_EACH: u64 = 70_000;
/// `ed25519_sign`.
pub const ED25519_SIGN: u64 = 75_000;
/// `check_gas`.
pub const CHECK_GAS: u64 = 8_192;
/// The least that `gas_evaporate` costs.
pub const EVAPORATE: u64 = 8_000;
/// `dcap_quote_verify`.
pub const QUOTE_VERIFY: u64 = 100_000;
/// Wasm gas in one gas of the SDK.
pub const MULTIPLIER: u64 = 1_000;
/// Each message, event and attribute of a response.
pub const ITEM: u64 = 5_000;
