use alloy_primitives::{Address, B256, U256};
use cloister_teeth::{Mechanism, holds};

/// What a call in our own form is bound to: opened with anything else in its place, the ciphertext does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallContext<'a> {
    /// The chain.
    pub chain_id: &'a str,
    /// The account that signs the transaction.
    pub sender: Address,
    /// What is called.
    pub entry: Entry,
    /// The SHA-256 of the code that the sender means to run.
    pub code_hash: B256,
    /// The deposit, in the order of the transaction.
    pub funds: &'a [Coin<'a>],
}

/// Which function of which contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A new contract, whose address nobody knows yet.
    Instantiate,
    /// A contract's `execute`.
    Execute(Address),
    /// A contract's `migrate`; the code hash is the new code's.
    Migrate(Address),
}

/// What a query in our own form is bound to. Who asks signs for it inside: [`super::gcm::permit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryContext<'a> {
    /// The chain.
    pub chain_id: &'a str,
    /// The contract that is asked.
    pub contract: Address,
    /// The SHA-256 of its code.
    pub code_hash: B256,
}

/// An amount of one denomination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin<'a> {
    /// The denomination, such as `uscrt`.
    pub denom: &'a str,
    /// How many of it.
    pub amount: U256,
}

impl CallContext<'_> {
    /// `part(label) ‖ part(epoch) ‖ part(chain id) ‖ part(sender) ‖ part(entry) ‖ part(contract) ‖ part(code hash) ‖ part(funds)`.
    pub(super) fn associated_data(&self, label: &str, epoch: u64) -> Vec<u8> {
        if !holds(Mechanism::EnvelopeContext) {
            return parts(label, &[]);
        }
        let (entry, contract) = match &self.entry {
            Entry::Instantiate => ("instantiate", &[][..]),
            Entry::Execute(contract) => ("execute", contract.as_slice()),
            Entry::Migrate(contract) => ("migrate", contract.as_slice()),
        };
        let mut funds = Vec::new();
        for coin in self.funds {
            push_part(&mut funds, coin.denom.as_bytes());
            push_part(&mut funds, &coin.amount.to_be_bytes::<32>());
        }
        let epoch = authentic(epoch);
        let context = [
            epoch.as_slice(),
            self.chain_id.as_bytes(),
            self.sender.as_slice(),
            entry.as_bytes(),
            contract,
            self.code_hash.as_slice(),
            &funds,
        ];
        parts(label, &context)
    }
}

impl QueryContext<'_> {
    /// `part(label) ‖ part(epoch) ‖ part(chain id) ‖ part(contract) ‖ part(code hash)`.
    pub(super) fn associated_data(&self, label: &str, epoch: u64) -> Vec<u8> {
        let epoch = authentic(epoch);
        parts(label, &[&epoch, self.chain_id.as_bytes(), self.contract.as_slice(), self.code_hash.as_slice()])
    }
}

fn authentic(epoch: u64) -> [u8; 8] {
    if holds(Mechanism::EpochOfItsOwn) { epoch.to_be_bytes() } else { [0; 8] }
}

/// `part("cloister envelope v1/<label>") ‖ part(context 1) ‖ …`, `part(x) = length(4, big-endian) ‖ x`: reads in one way only.
pub(super) fn parts(label: &str, context: &[&[u8]]) -> Vec<u8> {
    let label = format!("cloister envelope v1/{label}");
    // Exact, because a buffer that grows leaves copies behind, and a part may be secret.
    let length = 4 + label.len() + context.iter().map(|part| 4 + part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    push_part(&mut bytes, label.as_bytes());
    for part in context {
        push_part(&mut bytes, part);
    }
    bytes
}

fn push_part(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("every part was decoded from far less than 4 GiB");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(part);
}
