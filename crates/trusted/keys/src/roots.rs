use alloy_primitives::{Address, B256};
use cloister_envelope::{Secret, UserKey};

use crate::schedule::{
    BLOCK_BEACON, EPOCH_ROOT, Epoch, NETWORK_KEY, NEXT_EPOCH_ROOT, PERMANENT_ROOT, Parent, Permanent, QUERY_KEY,
    TRANSACTION_KEY, USER_KEY,
};
use crate::{NetworkCipher, TxKeys};

/// The network's secret: 32 bytes from the operating system of the first enclave, handed over by attested ones.
///
/// Whoever has it reads everything of every epoch up to the first switch, so it leaves an enclave only sealed.
#[derive(Debug, PartialEq, Eq)]
pub struct Seed(pub(crate) Secret<32>);

impl Seed {
    /// Takes over 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }
}

/// Derives what never changes. Not forward-secret: a wallet caches these keys, so they cannot be erased.
pub struct PermanentRoot(Parent<Permanent>);

impl PermanentRoot {
    /// The permanent root of a chain.
    pub fn new(chain_id: &str, seed: &Seed) -> Self {
        Self(Parent::new(chain_id.into(), &seed.0).child(&PERMANENT_ROOT, &[]))
    }

    /// The AES key of an address: there before on-boarding, the same after each one, for contracts and users alike.
    pub fn user_key(&self, address: Address) -> UserKey {
        self.0.derive(&USER_KEY, &[address.as_slice()]).into()
    }
}

/// Derives what changes with the epoch. When the root steps on, everything that only the old one derives is gone.
pub struct EpochRoot {
    parent: Parent<Epoch>,
    epoch: u64,
}

impl EpochRoot {
    /// The root of epoch 0.
    pub fn first(chain_id: &str, seed: &Seed) -> Self {
        Self { parent: Parent::new(chain_id.into(), &seed.0).child(&EPOCH_ROOT, &[]), epoch: 0 }
    }

    /// Steps on to the next epoch with randomness that the validators certified, and erases this root.
    pub fn next(self, randomness: &B256) -> Self {
        let epoch = self.epoch.checked_add(1).expect("an epoch lasts minutes at least");
        let parent = self.parent.child(&NEXT_EPOCH_ROOT, &[&epoch.to_be_bytes(), randomness.as_slice()]);
        Self { parent, epoch }
    }

    /// The number of this epoch, from 0.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The cipher of the cells in the storage of one contract.
    pub fn network_cipher(&self, contract: Address) -> NetworkCipher {
        NetworkCipher::new(&self.parent.derive(&NETWORK_KEY, &[contract.as_slice()]))
    }

    /// What a transaction draws. The header's hash makes it another one in any other block.
    pub fn transaction(&self, height: u64, header_hash: B256, transaction: B256) -> TxKeys {
        let context = [&height.to_be_bytes()[..], header_hash.as_slice(), transaction.as_slice()];
        TxKeys::new(self.parent.child(&TRANSACTION_KEY, &context))
    }

    /// What a call or an estimate draws: nothing that any transaction ever draws.
    pub fn query(&self, input_hash: B256) -> TxKeys {
        TxKeys::new(self.parent.child(&QUERY_KEY, &[input_hash.as_slice()]))
    }

    /// A block's public random number, which the proposer of its parent could not foresee.
    pub fn beacon(&self, parent_hash: B256) -> B256 {
        self.parent.derive(&BLOCK_BEACON, &[parent_hash.as_slice()]).expose(|bytes| B256::from(*bytes))
    }
}
