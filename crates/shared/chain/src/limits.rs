//! Every bound that faces a client, a peer or the host, in one place. All sizes are bytes.

/// Largest transaction as it travels. A base64 upload of 2 MiB of contract code fits with its envelope (3 MiB).
pub const TX_BYTES: usize = 3 << 20;
/// Largest sum of transaction bytes in one block.
pub const BLOCK_BYTES: usize = 16 << 20;
/// Most transactions in one block.
pub const BLOCK_TXS: usize = 20_000;
/// Largest frame across the wall. A block's outcome is larger than the block: receipts and leaves ride along.
pub const FRAME_BYTES: usize = 256 << 20;
/// Longest chain id, as in the Cosmos SDK's and Tendermint's practice.
pub const CHAIN_ID_BYTES: usize = 50;
/// Most headers on the way to a state: one for each change of the validator set since the genesis. A count.
pub const TRAIL: usize = 65_536;
/// Most validators in one set.
pub const VALIDATORS: usize = 1_024;
/// Most pieces of evidence in one block. A count.
pub const EVIDENCE: usize = 16;
/// Largest block as it travels: transactions, a certificate by every validator, evidence, and a header.
pub const ENCODED_BLOCK_BYTES: usize = BLOCK_BYTES + (256 << 10);
/// Largest EVM contract (EIP-170).
pub const EVM_CODE_BYTES: usize = 24_576;
/// Largest body of one JSON-RPC request, batch or not.
pub const RPC_BODY_BYTES: usize = 16 << 20;
/// Most blocks whose state an enclave keeps for queries below the tip.
pub const QUERY_HEIGHTS: usize = 128;
/// Most leaf writes that lie between the oldest and the newest of these states: about 600 bytes of the enclave's memory each.
/// A count, as are the next two.
pub const QUERY_WRITES: usize = 1 << 18;
/// Most query streams of one enclave.
pub const QUERY_STREAMS: usize = 64;
/// Most leaves or blobs that one crossing of the wall asks for.
pub const SUPPLY_ITEMS: usize = 65_536;
/// Most EVM gas of one unsigned query: a call or an estimate.
pub const QUERY_GAS: u64 = 120_000_000;
/// Most messages of one Cosmos transaction. A count, as is the next.
pub const COSMOS_MESSAGES: usize = 256;
/// Most signers of one Cosmos transaction, and most members of one multisig key.
pub const COSMOS_SIGNERS: usize = 7;
/// Longest memo of a Cosmos transaction.
pub const MEMO_BYTES: usize = 256;
/// Largest CosmWasm code, compressed or not (`max_contract_size`).
pub const WASM_BYTES: usize = 2 << 20;
/// Longest label of a contract.
pub const LABEL_BYTES: usize = 512;
/// Most gas, in the SDK's units, of one question to a CosmWasm contract: unsigned, so less than a transaction may use.
pub const QUERY_SDK_GAS: u64 = 3_000_000;
/// Most gas, in the SDK's units, that a call may use in an estimate: a class of [`crate::gas`]. It costs nothing either.
pub const QUERY_ESTIMATE_GAS: u64 = 3_200_000;
/// How far above the tip a permit may end, in blocks: whoever captured the question can ask it again until then.
pub const PERMIT_BLOCKS: u64 = 1_000;
/// Most gas, in the SDK's units, of a simulated transaction: it may store code.
pub const QUERY_SIMULATION_GAS: u64 = 50_000_000;
/// Deepest nesting of questions between contracts. A count, as is the next.
pub const QUERY_DEPTH: u32 = 10;
/// Deepest nesting of calls between contracts.
pub const CALL_DEPTH: u32 = 100;
/// Deepest nesting of messages that hold others: authorizations and proposals.
pub const MESSAGE_DEPTH: usize = 4;
/// Longest name of a kind of message.
pub const TYPE_URL_BYTES: usize = 128;
