use alloy_primitives::{Address, B256};
use cloister_envelope::{ExchangeKey, Secret, UserKey};

use crate::schedule::{
    BLOCK_BEACON, CALLBACK_SECRET, CONTRACT_RANDOM, CONTRACT_STATE, EPOCH_ROOT, Epoch, INPUT_EXCHANGE, IO_EXCHANGE,
    NETWORK_KEY, NEXT_EPOCH_ROOT, PERMANENT_ROOT, Parent, Permanent, QUERY_KEY, SEED_EXCHANGE, TRANSACTION_KEY,
    USER_KEY,
};
use crate::{NetworkCipher, StateKeys, TxKeys};

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

    /// The same of bytes that are a secret already.
    pub fn from_secret(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    pub(crate) fn copy(&self) -> Self {
        self.0.expose(|seed| Self(Secret::fill(|target| *target = *seed)))
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

    /// The key pair to which wallets of Secret Network seal. They keep the public half, so it cannot change.
    pub fn io_exchange(&self) -> ExchangeKey {
        ExchangeKey::from_secret(self.0.derive(&IO_EXCHANGE, &[]))
    }

    pub(crate) fn chain_id(&self) -> &str {
        self.0.chain_id()
    }

    /// The key pair of the seed's hand-over. Its public half stands in the genesis that a joining node has.
    pub fn seed_exchange(&self) -> ExchangeKey {
        ExchangeKey::from_secret(self.0.derive(&SEED_EXCHANGE, &[]))
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

    /// The key pair to which clients seal in our own form, in this epoch.
    pub fn input_exchange(&self) -> ExchangeKey {
        ExchangeKey::from_secret(self.parent.derive(&INPUT_EXCHANGE, &[]))
    }

    /// What signs the calls that contracts make. Such a call ends in the block in which it began, and no client ever keeps a
    /// signature: nothing needs an older secret.
    pub(crate) fn callback_secret(&self) -> Secret<32> {
        self.parent.derive(&CALLBACK_SECRET, &[])
    }

    /// What a contract is given as the random number of its call.
    pub fn contract_random(&self, header_hash: B256, contract: Address, counter: u64) -> Secret<32> {
        let context = [header_hash.as_slice(), contract.as_slice(), &counter.to_be_bytes()];
        self.parent.derive(&CONTRACT_RANDOM, &context)
    }

    /// What seals the state of one contract.
    pub fn contract_state(&self, contract: Address) -> StateKeys {
        StateKeys::new(self.parent.child(&CONTRACT_STATE, &[contract.as_slice()]), contract, self.epoch)
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
