//! Every decoder that faces a client or the host, as one function that takes hostile bytes and must not panic.
//!
//! The fuzz targets of `fuzz/fuzz_targets` call these; so does a test of this crate, with the seeds and with damaged copies
//! of them, so that every change runs them on the stable toolchain. Beyond not panicking each function checks what its
//! decoder promises: that what it accepts is written back byte for byte, that execution repeats itself, that what does not
//! verify stays refused.
//!
//! | door | the bytes are |
//! | --- | --- |
//! | `eth_tx` | what a client puts into `eth_sendRawTransaction` |
//! | `tx` | a transaction in a proposed block |
//! | `to_enclave`, `to_host` | frames across the wall |
//! | `block` | a block and its certificate, from a peer or from the host |
//! | `proof` | a state proof, as a client checks it |
//! | `input_text` | a user's ciphertext and signature, strings, the text of a user key |
//! | `onboarding` | an on-boarding request, and its answer as a client opens it |
//! | `sealed` | sealed blobs that the host kept |
//! | `bytecode` | EVM code, calldata and queries for it |
//! | `precompile` | a program of calls to the confidential precompile, results fed into later calls |
//! | `json_rpc` | a method and its parameters, through the real server |
//! | `envelope` | encrypted messages and outputs, and what somebody changed on the way |
//! | `amino` | how somebody signs, and the body of a Cosmos transaction |
//! | `contract_upload` | the code in an upload |
//! | `contract_region` | a program of calls to what contracts import, with any pointers |
//! | `contract_result` | what a contract returns, or asks the chain |
//! | `cosmos_rest` | a request to the Cosmos door, through the real server |
//! | `cosmos_block` | calls to contracts in all forms, in a block |

mod amino;
mod cells;
mod chain;
mod compute;
mod contract;
mod cursor;
mod envelope;
mod guest;
mod machine;
mod node;
mod program;
mod rest;
mod rpc;
pub mod seeds;
mod signer;
mod stage;

/// A function that must take any bytes.
pub type Door = fn(&[u8]);

/// All of them, by the name of their fuzz target.
pub const DOORS: [(&str, Door); 19] = [
    ("eth_tx", chain::eth_tx),
    ("tx", chain::tx),
    ("to_enclave", chain::to_enclave),
    ("to_host", chain::to_host),
    ("block", chain::block),
    ("proof", chain::proof),
    ("input_text", cells::input_text),
    ("onboarding", cells::onboarding),
    ("sealed", cells::sealed),
    ("bytecode", machine::bytecode),
    ("precompile", machine::precompile),
    ("json_rpc", rpc::json_rpc),
    ("envelope", envelope::envelope),
    ("amino", amino::amino),
    ("contract_upload", contract::upload),
    ("contract_region", contract::region),
    ("contract_result", contract::result),
    ("cosmos_rest", rest::cosmos_rest),
    ("cosmos_block", compute::block),
];

/// Opens the door of that name.
///
/// # Panics
/// When there is none, and when a decoder breaks its promise: that is the finding.
pub fn open(name: &str, data: &[u8]) {
    let (_, door) = DOORS.iter().find(|(known, _)| *known == name).expect("a fuzz target is named after its door");
    door(data);
}
