//! The leaves of the state: what there is to know, by name.
//!
//! A [`Leaf`] names an entry; the host stores entries by that name and version, the enclave's tree authenticates them.
//! Public leaves carry their real name, so that the host can serve them. Sealed leaves carry a PRF of theirs.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::cosmos::{CosmosError, PublicKey};
use crate::hash::tagged;
#[allow(unused_imports)] // Named in the documentation.
use crate::{epoch, gov, staking, trust};

/// Name of an entry of the state. The encoding (borsh: one tag byte, then fixed-size fields) is the host's storage key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum Leaf {
    /// The chain's own singletons; holds a [`ChainState`].
    Chain,
    /// Hash of the header whose height is this number modulo 256; holds 32 bytes. For the EVM's `BLOCKHASH`.
    BlockHash(u8),
    /// An account; holds an [`Account`].
    Account(Address),
    /// A storage slot of an EVM contract; holds a [`Cell`]. The slot is big-endian.
    Storage(Address, B256),
    /// What an account holds in the Cosmos micro-denomination; holds a `u128`, 16 bytes, absent for zero.
    Coins(Address),
    /// What the Cosmos door knows of an account; holds an [`Auth`].
    Auth(Address),
    /// An uploaded CosmWasm code, by its number from 1; holds a [`Code`].
    Code(u64),
    /// A CosmWasm contract; holds a [`Contract`].
    Contract(Address),
    /// A contract's label, by its hash ([`Leaf::label`]); holds the contract's address, 20 bytes.
    Label(B256),
    /// The contract that was instantiated as this one, from 1; holds its address, 20 bytes.
    Instance(u64),
    /// What happened to a contract, from 0; holds a [`History`].
    History(Address, u32),
    /// An entry of a CosmWasm contract's state under the PRF of its key; holds ciphertext.
    Sealed(Address, B256),
    /// What a grantee, named first, may spend on fees of a granter's coins; holds an [`Allowance`](crate::cosmos::Allowance).
    Allowance(Address, Address),
    /// What may be set about staking; holds [`staking::Params`].
    StakingParams,
    /// What ends with time; holds a [`staking::Queue`].
    StakingQueue,
    /// The thing of this number that ends with time; holds when, and a [`staking::Due`]: `(u64, Due)`.
    StakingDue(u64),
    /// Every validator; holds a list of [`staking::Candidate`].
    Candidates,
    /// A validator, by its operator's account; holds a [`staking::Validator`].
    Validator(Address),
    /// Whose a validator's key is, by [`staking::key_address`]; holds the operator, 20 bytes.
    Consensus(Address),
    /// What is known of such a key; holds a [`staking::Signing`].
    Signing(Address),
    /// When such a key did not sign; holds [`staking::Absences`].
    Absences(Address),
    /// What a validator and its delegators have earned; holds [`staking::Rewards`].
    Rewards(Address),
    /// Fees on their way; holds a [`staking::FeePool`].
    FeePool,
    /// Where an account has delegated; holds a [`staking::Delegator`].
    Delegator(Address),
    /// What a delegator, named first, has at a validator; holds a [`staking::Delegation`].
    Delegation(Address, Address),
    /// What a delegator, named first, is taking away from a validator; holds a [`staking::Unbonding`].
    Unbonding(Address, Address),
    /// What a delegator, named first, moved from one validator to another; holds a [`staking::Redelegation`].
    Redelegation(Address, Address, Address),
    /// A page of a validator's delegators; holds a list of addresses.
    Delegators(Address, u32),
    /// A page of the delegators that are leaving a validator; holds a list of addresses.
    Unbonders(Address, u32),
    /// A page of the delegators that left a validator for another, who is named second; holds a list of pairs.
    Redelegators(Address, u32),
    /// What a grantee, named first, may do for a granter with messages of a kind ([`Leaf::grant`]); holds a
    /// [`Grant`](crate::cosmos::Grant).
    Grant(Address, Address, B256),
    /// What may be set about governance; holds [`gov::Params`].
    GovParams,
    /// What the chain remembers about all proposals; holds a [`gov::Governance`].
    Governance,
    /// An entry of the heap of what ends with time; holds a [`gov::Due`].
    GovQueue(u32),
    /// A proposal, by its number; holds a [`gov::Proposal`].
    Proposal(u64),
    /// What has not been cleared away of a proposal; holds a [`gov::Ballot`].
    Ballot(u64),
    /// What an account deposited for a proposal; holds a `u128`.
    Deposit(u64, Address),
    /// A page of a proposal's depositors; holds a list of addresses.
    Depositors(u64, u32),
    /// How an account voted on a proposal; holds a [`gov::Vote`].
    Vote(u64, Address),
    /// A page of a proposal's voters; holds a list of addresses.
    Voters(u64, u32),
    /// What is demanded of enclaves; holds a [`trust::Trust`].
    Trust,
    /// Every chip that has a node; holds a list of [`B256`].
    Nodes,
    /// The node of a chip; holds a [`trust::Node`].
    Node(B256),
    /// Whose chip a boot key is; holds the chip, 32 bytes.
    BootKey(B256),
    /// Which keys are in use; holds an [`Epoch`](epoch::Epoch).
    Epoch,
    /// What led to the epoch of this number, from 1; holds the public randomness, 32 bytes.
    Switch(u64),
}

/// What the chain remembers about itself between blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ChainState {
    /// Base fee of the next block, in wei per gas.
    pub base_fee: u64,
    /// Number that the next account of the Cosmos door gets.
    pub accounts: u64,
    /// Codes uploaded so far; the last one has this number.
    pub codes: u64,
    /// Contracts instantiated so far; the last one has this number.
    pub instances: u64,
    /// All coins in the Cosmos micro-denomination.
    pub supply: u128,
}

/// An uploaded CosmWasm code.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Code {
    /// SHA-256 of the uncompressed code: the code hash of the Cosmos world.
    pub hash: B256,
    /// Keccak-256 of it: the name of the blob.
    pub blob: B256,
    /// Its length, in bytes.
    pub size: u32,
    /// Who uploaded it.
    pub creator: Address,
    /// Where its source is, if its creator said so.
    pub source: String,
    /// What built it, if its creator said so.
    pub builder: String,
}

/// A CosmWasm contract.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Contract {
    /// Number of the code that it runs.
    pub code: u64,
    /// Who instantiated it.
    pub creator: Address,
    /// Its chain-wide name.
    pub label: String,
    /// Who may migrate it.
    pub admin: Option<Address>,
    /// Where it was instantiated.
    pub created: Position,
    /// Entries of its history.
    pub history: u32,
}

/// A transaction's place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Position {
    /// Height.
    pub height: u64,
    /// Index in the block, from 0.
    pub index: u32,
}

/// An entry of a contract's history.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct History {
    /// What happened.
    pub operation: Operation,
    /// Number of the code that it has run since.
    pub code: u64,
    /// When.
    pub updated: Position,
    /// The message, as encrypted as it was sent; in secret.js's form when a contract sent it.
    pub message: Vec<u8>,
}

/// What can happen to a contract's code. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Operation {
    /// It was instantiated.
    Init = 1,
    /// It got other code.
    Migrate = 2,
}

/// What the Cosmos door knows of an account beside its sequence and its coins.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Auth {
    /// Account number: every account of the door has its own, for ever.
    pub number: u64,
    /// The key that it signs with, as a protobuf `Any`, once it has signed.
    pub key: Option<Vec<u8>>,
}

impl Auth {
    /// The key, read.
    pub fn public_key(&self) -> Result<Option<PublicKey>, CosmosError> {
        self.key.as_deref().map(PublicKey::from_bytes).transpose()
    }
}

/// An account: one table and one sequence for both worlds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// Transactions sent so far; for a contract, contracts created so far plus one (EIP-161).
    pub sequence: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Keccak-256 of the EVM code, [`KECCAK256_EMPTY`] when there is none.
    pub code: B256,
}

/// A storage slot of an EVM contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Cell {
    /// The word that `SLOAD` gives.
    pub word: U256,
    /// The word is a network ciphertext that this contract itself stored here, and may be on-boarded: the epoch that sealed it.
    pub marked: Option<u64>,
}

impl Leaf {
    /// The leaf of the hash of the header at `height`; the one of 256 heights before is overwritten.
    pub fn block_hash(height: u64) -> Self {
        Self::BlockHash(height.to_le_bytes()[0])
    }

    /// Where the leaf stands in the tree: SHA-256 of its encoding under its own label.
    pub fn position(&self) -> B256 {
        tagged("cloister/leaf/name", &[&self.to_bytes()])
    }

    /// The borsh encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// The leaf of a contract's label.
    pub fn label(label: &str) -> Self {
        Self::Label(tagged("cloister/label", &[label.as_bytes()]))
    }

    /// The epoch with whose keys the network sealed `value`, which stands under this name; `None` if the network did not.
    pub fn sealed_in(&self, value: &[u8]) -> Option<u64> {
        match self {
            Self::Sealed(..) => {
                let epoch = value.get(SEALED_EPOCH)?.try_into().expect("eight bytes were taken");
                Some(u64::from_be_bytes(epoch))
            }
            Self::Storage(..) => Cell::try_from_slice(value).ok()?.marked,
            _ => None,
        }
    }

    /// Hash of a value, as the tree holds it.
    pub fn value_hash(value: &[u8]) -> B256 {
        tagged("cloister/leaf/value", &[value])
    }
}

/// Where a sealed value names its epoch, behind the byte of its version.
const SEALED_EPOCH: core::ops::Range<usize> = 1..9;

impl Account {
    /// An account that has done nothing and holds nothing; never stored (EIP-161).
    pub fn is_empty(&self) -> bool {
        self.sequence == 0 && self.balance.is_zero() && self.code == KECCAK256_EMPTY
    }
}

impl Default for Account {
    fn default() -> Self {
        Self { sequence: 0, balance: U256::ZERO, code: KECCAK256_EMPTY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pinned() {
        assert_eq!(Leaf::Chain.to_bytes(), [0]);
        assert_eq!(Leaf::BlockHash(7).to_bytes(), [1, 7]);
        assert_eq!(Leaf::Account(Address::repeat_byte(0xaa)).to_bytes(), [&[2][..], &[0xaa; 20]].concat());
        let slot = B256::with_last_byte(3);
        assert_eq!(
            Leaf::Storage(Address::repeat_byte(0xbb), slot).to_bytes(),
            [&[3][..], &[0xbb; 20], slot.as_slice()].concat()
        );
    }

    #[test]
    fn what_the_network_sealed_says_in_which_epoch() {
        let (sealed, storage) = (Leaf::Sealed(Address::ZERO, B256::ZERO), Leaf::Storage(Address::ZERO, B256::ZERO));
        let cell = |marked| borsh::to_vec(&Cell { word: U256::from(5), marked }).expect("memory");
        assert_eq!(sealed.sealed_in(&[2, 0, 0, 0, 0, 0, 0, 1, 2, 99]), Some(258));
        assert_eq!(storage.sealed_in(&cell(Some(258))), Some(258));
        assert_eq!(storage.sealed_in(&cell(None)), None);
        assert_eq!(Leaf::Chain.sealed_in(&cell(Some(1))), None);
        assert_eq!((sealed.sealed_in(&[2; 8]), storage.sealed_in(&[])), (None, None));
    }

    #[test]
    fn the_names_of_epochs_are_pinned() {
        assert_eq!(Leaf::Epoch.to_bytes(), [44]);
        assert_eq!(Leaf::Switch(7).to_bytes(), [45, 7, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn the_name_of_an_allowance_begins_with_its_grantee() {
        let name = Leaf::Allowance(Address::repeat_byte(0xaa), Address::repeat_byte(0xbb)).to_bytes();
        assert_eq!(name, [&[12][..], &[0xaa; 20], &[0xbb; 20]].concat());
    }

    #[test]
    fn values_are_pinned() {
        let cell = Cell { word: U256::from(5), marked: Some(7) };
        let bytes = borsh::to_vec(&cell).expect("memory");
        assert_eq!(bytes.len(), 32 + 1 + 8);
        assert_eq!((bytes[0], bytes[32], bytes[33]), (5, 1, 7), "the word is little-endian, the mark comes last");
        assert_eq!(borsh::to_vec(&Cell { marked: None, ..cell }).expect("memory").len(), 33);
        assert_eq!(borsh::from_slice::<Cell>(&bytes).expect("own bytes"), cell);
        assert_eq!(borsh::to_vec(&Account::default()).expect("memory").len(), 8 + 32 + 32);
    }
}
