//! Every bound that faces a contract, in one place. Sizes are bytes where nothing else is said.

/// Largest code, as it is uploaded and unpacked.
pub const CODE_BYTES: usize = cloister_chain::limits::WASM_BYTES;
/// Most memory of a contract, in pages of 64 KiB: 12 MiB.
pub const MEMORY_PAGES: u64 = 192;
/// Most elements of the one table that a contract may have. A count, as are the next three.
pub const TABLE_ELEMENTS: usize = 16_384;
/// Most local variables of a function: they are set to zero at each call, for which the call does not pay.
pub const LOCALS: u64 = 512;
/// Most local variables of all functions together, each of which takes its time to compile.
pub const ALL_LOCALS: u64 = 200_000;
/// Deepest nesting of calls inside a contract.
pub const CALL_DEPTH: usize = 1_024;
/// Largest stack of values: locals and operands of all the calls that are open.
pub const STACK_BYTES: usize = 1 << 20;
/// Largest JSON that a contract returns.
pub const RESULT_BYTES: u32 = 1 << 20;
/// Largest key of its state.
pub const KEY_BYTES: u32 = 64 << 10;
/// Largest value of its state. The host may bound it further.
pub const VALUE_BYTES: u32 = 1 << 20;
/// Largest question to the chain or to another contract, as JSON.
pub const QUESTION_BYTES: u32 = 1 << 20;
/// Longest text that is meant as an address.
pub const ADDRESS_BYTES: u32 = 1 << 10;
/// Largest message that is signed or verified, and the most bytes of one argument of a batch.
pub const SIGNED_BYTES: u32 = 128 << 10;
/// Most signatures of one batch. A count, as is the next.
pub const BATCH: usize = 256;
/// Most messages, and most attributes or events, of one response.
pub const RESPONSE_ITEMS: usize = 4_096;
