use core::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use cloister_envelope::{ExchangeKey, Secret, UserKey};
use cloister_teeth::{Mechanism, holds};
use zeroize::Zeroizing;

use crate::schedule::{
    BLOCK_BEACON, CALLBACK_SECRET, CONTRACT_NAMES, CONTRACT_RANDOM, CONTRACT_STATE, EPOCH_ROOT, Epoch, INPUT_EXCHANGE,
    IO_EXCHANGE, NETWORK_KEY, NEXT_EPOCH_ROOT, Names, PERMANENT_ROOT, Parent, Permanent, QUERY_KEY, Root,
    SEED_EXCHANGE, SWEEP_KEY, State, TRANSACTION_KEY, USER_KEY,
};
use crate::{NetworkCipher, TxKeys};

/// What a chain begins with: 32 bytes from the operating system of the first enclave. It becomes [`Roots`] at once and is
/// gone: whoever had it would have every epoch.
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
}

/// The network's secrets as they stand: what an enclave seals to its machine, and what an admitted one is given.
///
/// ```text
/// permanent root(32) ‖ root of the present epoch(32) ‖ root of the retiring one(32), or zeros ‖ the present epoch's number(8, BE)
/// ```
///
/// Whoever has them reads what the present epoch seals, and the retiring one until it is erased; and follows the chain from
/// there on, because what leads to the next root is public. They do not lead back: root e+1 = HKDF(root e, …).
#[derive(PartialEq, Eq)]
pub struct Roots {
    pub(crate) permanent: Secret<32>,
    pub(crate) current: Secret<32>,
    pub(crate) retiring: Option<Secret<32>>,
    pub(crate) epoch: u64,
}

/// The length of [`Roots::to_bytes`].
pub const ROOTS_BYTES: usize = 3 * 32 + 8;

impl Roots {
    /// Those of a new chain. The seed ends here.
    pub fn found(chain_id: &str, seed: Seed) -> Self {
        let seed = Parent::<Root>::new(chain_id.into(), &seed.0);
        let (permanent, current) = (seed.derive(&PERMANENT_ROOT, &[]), seed.derive(&EPOCH_ROOT, &[]));
        Self { permanent, current, retiring: None, epoch: 0 }
    }

    /// Reads [`Self::to_bytes`]; `None` if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ROOTS_BYTES] = bytes.try_into().ok()?;
        let secret = |at: usize| Secret::fill(|target| target.copy_from_slice(&bytes[at..at + 32]));
        let retiring = Some(secret(64)).filter(|retiring| *retiring != Secret::fill(|_| {}));
        let epoch = u64::from_be_bytes(bytes[96..].try_into().expect("eight bytes are left"));
        Some(Self { permanent: secret(0), current: secret(32), retiring, epoch })
    }

    /// The layout above.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Exact, because a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOTS_BYTES));
        for root in [Some(&self.permanent), Some(&self.current), self.retiring.as_ref()] {
            match root {
                Some(root) => root.expose(|root| bytes.extend_from_slice(root)),
                None => bytes.extend_from_slice(&[0; 32]),
            }
        }
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes
    }

    /// Steps on to the next epoch, of which this one's root is the retiring one. One that was retiring already is erased.
    pub fn step(self, chain_id: &str, randomness: &B256) -> Self {
        let epoch = self.epoch.checked_add(1).expect("an epoch lasts minutes at least");
        let parent = Parent::<Epoch>::new(chain_id.into(), &self.current);
        let next = match holds(Mechanism::EpochOfItsOwn) {
            true => parent.derive(&NEXT_EPOCH_ROOT, &[&epoch.to_be_bytes(), randomness.as_slice()]),
            false => copy(&self.current),
        };
        Self { permanent: self.permanent, current: next, retiring: Some(self.current), epoch }
    }

    /// Erases the retiring root.
    pub fn retire(self) -> Self {
        Self { retiring: None, ..self }
    }

    /// The number of the present epoch, from 0.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the former epoch's root is still there.
    pub const fn is_retiring(&self) -> bool {
        self.retiring.is_some()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Roots([REDACTED])")
    }
}

/// Derives what never changes. Not forward-secret: a wallet caches these keys, so they cannot be erased.
pub(crate) struct PermanentRoot {
    parent: Parent<Permanent>,
    root: Secret<32>,
    /// Kept because it costs a multiplication on the curve.
    pub(crate) io: ExchangeKey,
}

impl PermanentRoot {
    pub(crate) fn new(chain_id: &Arc<str>, root: Secret<32>) -> Self {
        let parent = Parent::new(Arc::clone(chain_id), &root);
        let io = ExchangeKey::from_secret(parent.derive(&IO_EXCHANGE, &[]));
        Self { parent, root, io }
    }

    /// The AES key of an address: there before on-boarding, the same after each one, for contracts and users alike.
    pub(crate) fn user_key(&self, address: Address) -> UserKey {
        self.parent.derive(&USER_KEY, &[address.as_slice()]).into()
    }

    /// Names the entries of one contract. A name outlives the epochs, so that a value that is sealed again keeps its place.
    pub(crate) fn contract_names(&self, contract: Address) -> Parent<Names> {
        self.parent.child(&CONTRACT_NAMES, &[contract.as_slice()])
    }

    pub(crate) fn chain_id(&self) -> &str {
        self.parent.chain_id()
    }

    /// The key pair of the hand-over. Its public half stands in the state that a joining node can have proven.
    pub(crate) fn seed_exchange(&self) -> ExchangeKey {
        ExchangeKey::from_secret(self.parent.derive(&SEED_EXCHANGE, &[]))
    }

    pub(crate) fn copy(&self) -> Secret<32> {
        copy(&self.root)
    }
}

/// Derives what changes with the epoch. When it is dropped, everything that only it derives is gone.
pub(crate) struct EpochRoot {
    parent: Parent<Epoch>,
    root: Secret<32>,
    epoch: u64,
    /// The key pair to which clients seal in our own form, kept like [`PermanentRoot::io`].
    pub(crate) input: ExchangeKey,
}

impl EpochRoot {
    pub(crate) fn new(chain_id: &Arc<str>, epoch: u64, root: Secret<32>) -> Self {
        let parent = Parent::new(Arc::clone(chain_id), &root);
        let input = ExchangeKey::from_secret(parent.derive(&INPUT_EXCHANGE, &[]));
        Self { parent, root, epoch, input }
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(crate) fn copy(&self) -> Secret<32> {
        copy(&self.root)
    }

    /// The cipher of the cells in the storage of one contract.
    pub(crate) fn network_cipher(&self, contract: Address) -> NetworkCipher {
        NetworkCipher::new(&self.parent.derive(&NETWORK_KEY, &[contract.as_slice()]))
    }

    /// What signs the calls that contracts make. Such a call ends in the block in which it began, and no client ever keeps a
    /// signature: nothing needs an older secret.
    pub(crate) fn callback_secret(&self) -> Secret<32> {
        self.parent.derive(&CALLBACK_SECRET, &[])
    }

    /// What a contract is given as the random number of its call.
    pub(crate) fn contract_random(&self, header_hash: B256, contract: Address, counter: u64) -> Secret<32> {
        let context = [header_hash.as_slice(), contract.as_slice(), &counter.to_be_bytes()];
        self.parent.derive(&CONTRACT_RANDOM, &context)
    }

    /// What seals the state of one contract.
    pub(crate) fn contract_state(&self, contract: Address) -> Parent<State> {
        self.parent.child(&CONTRACT_STATE, &[contract.as_slice()])
    }

    /// What a transaction draws. The header's hash makes it another one in any other block.
    pub(crate) fn transaction(&self, height: u64, header_hash: B256, transaction: B256) -> TxKeys {
        let context = [&height.to_be_bytes()[..], header_hash.as_slice(), transaction.as_slice()];
        TxKeys::new(self.parent.child(&TRANSACTION_KEY, &context))
    }

    /// What a block draws for the values that it seals again: nothing that any transaction ever draws.
    pub(crate) fn sweep(&self, height: u64, header_hash: B256) -> TxKeys {
        TxKeys::new(self.parent.child(&SWEEP_KEY, &[&height.to_be_bytes(), header_hash.as_slice()]))
    }

    /// What a call or an estimate draws: nothing that any transaction ever draws.
    pub(crate) fn query(&self, input_hash: B256) -> TxKeys {
        TxKeys::new(self.parent.child(&QUERY_KEY, &[input_hash.as_slice()]))
    }

    /// A block's public random number, which the proposer of its parent could not foresee.
    pub(crate) fn beacon(&self, parent_hash: B256) -> B256 {
        self.parent.derive(&BLOCK_BEACON, &[parent_hash.as_slice()]).expose(|bytes| B256::from(*bytes))
    }
}

fn copy(secret: &Secret<32>) -> Secret<32> {
    secret.expose(|bytes| Secret::fill(|target| *target = *bytes))
}
