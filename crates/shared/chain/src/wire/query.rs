//! Questions about committed states, and their answers.

use std::fmt;

use alloy_primitives::{Address, B256, Bytes, U256};
use borsh::{BorshDeserialize, BorshSerialize};
use zeroize::Zeroize;

use crate::Leaf;
use crate::proof::Proof;

/// A question about a committed state.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct QueryAt {
    /// Height whose state is meant; `None` for the tip.
    pub height: Option<u64>,
    /// The question.
    pub query: Query,
}

/// Questions that an enclave answers without changing anything.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Query {
    /// `eth_call`: run without effect. Confidential operations are refused.
    Call(Call),
    /// `eth_estimateGas`: the least gas limit with which it succeeds. Confidential operations are not evaluated.
    Estimate(Call),
    /// The value of a leaf, or its absence, with a proof against the state root.
    Prove(Leaf),
    /// The AES key of an account. Only on a SIMULATED chain with one validator.
    UserKey(Address),
    /// The network's public keys of X25519.
    NetworkKeys,
    /// A question to a CosmWasm contract, encrypted. The answer is, too.
    Contract(ContractQuery),
    /// A Cosmos transaction (`TxRaw`) run without its signatures being checked and without effect: its gas. Messages that
    /// run contracts are refused.
    Simulate(Bytes),
    /// A message in our own form whose input is sealed as an estimate, as the `Any` of a transaction: what it would be charged.
    SealedEstimate(Bytes),
}

/// A question to a CosmWasm contract.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ContractQuery {
    /// The contract.
    pub contract: Address,
    /// Which form `message` has.
    pub form: Form,
    /// The encrypted question.
    pub message: Bytes,
}

/// Forms of encrypted questions. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Form {
    /// secret.js's AES-SIV.
    Siv = 1,
    /// Our own AES-256-GCM.
    Gcm = 2,
}

/// An EVM message to try.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Call {
    /// Sender; not authenticated.
    pub from: Address,
    /// Callee; `None` creates a contract.
    pub to: Option<Address>,
    /// Wei sent along.
    pub value: U256,
    /// Input.
    pub data: Bytes,
    /// Gas limit; `None` for the most that a query may use.
    pub gas: Option<u64>,
    /// Price per gas in wei; `None` waives the base fee.
    pub gas_price: Option<u128>,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Answer {
    /// To `Call`: it succeeded.
    Returned {
        /// Output.
        output: Bytes,
        /// Gas used.
        gas_used: u64,
    },
    /// To `Call` or `Estimate`: it reverted with this data.
    Reverted(Bytes),
    /// To `Call` or `Estimate`: it ended for another reason of the machine's.
    Failed(Failure),
    /// To `Estimate`: the gas limit to use.
    Estimated(u64),
    /// To `Prove`.
    Proved {
        /// Height of the state; its root stands in the header one above.
        height: u64,
        /// Root of the state.
        root: B256,
        /// The value, if there is one.
        value: Option<Vec<u8>>,
        /// The path.
        proof: Proof,
    },
    /// To `UserKey`: 16 bytes.
    UserKey(Key),
    /// To `NetworkKeys`.
    NetworkKeys(NetworkKeys),
    /// To `Contract`: the encrypted answer. In secret.js's form it is base64 inside.
    Contract {
        /// The ciphertext.
        sealed: Bytes,
        /// Gas used, in the SDK's units.
        gas_used: u64,
    },
    /// To `Simulate`: gas used, in the SDK's units.
    Simulated(u64),
    /// To `Contract`, `Simulate` or `SealedEstimate`: an error of the Cosmos world.
    Rejected(Rejection),
    /// To any: not answered.
    Refused(QueryRefusal),
    /// To `SealedEstimate`: a [`sealed::Estimate`](crate::cosmos::sealed::Estimate) for the sender, of one length.
    SealedEstimate(Bytes),
}

/// The network's public keys: u-coordinates of X25519, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NetworkKeys {
    /// To which secret.js seals (`tx-key`). Never changes.
    pub io: [u8; 32],
    /// To which the seed is sealed for a joining node (`registration-key`). Never changes.
    pub registration: [u8; 32],
    /// To which our own form is sealed, in this epoch.
    pub input: [u8; 32],
    /// The epoch.
    pub epoch: u64,
}

/// An error of the Cosmos world.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Rejection {
    /// Module that the number belongs to.
    pub codespace: String,
    /// Number of the error.
    pub code: u32,
    /// Text.
    pub log: String,
}

/// How the machine stopped. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Failure {
    /// The gas limit was too low.
    OutOfGas = 1,
    /// The sender cannot pay for the value, or for gas at the price given.
    Funds = 2,
    /// An invalid opcode, a stack fault or another fault of the code.
    Fault = 3,
    /// The message itself breaks a rule (code too large, price below the base fee).
    Rule = 4,
}

/// Why a query is not answered. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum QueryRefusal {
    /// The state of that height is no longer kept, or not yet there.
    Height = 1,
    /// Only a SIMULATED chain with one validator has this.
    Dev = 2,
    /// The host did not supply what the state holds.
    Supply = 3,
    /// The enclave has no state yet.
    NotReady = 4,
    /// The enclave failed over this question: a fault of ours, of which nothing more may be told (M-12).
    Fault = 5,
    /// As many questions to contracts were answered since the last block as the chain allows (M-10).
    Spent = 6,
    /// The chain does not list this run of the enclave: it has not seen it start (M-04), or has seen a later one (M-06).
    Unlisted = 7,
}

/// A user's AES key on its way to a developer's screen. Never printed by `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Key(pub [u8; 16]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
