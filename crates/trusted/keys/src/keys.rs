use core::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use cloister_envelope::message::gcm::permit::{self, Asked, Term};
use cloister_envelope::message::{CallContext, Coin, QueryContext, callback, gcm, gcm::InputKey, siv};
use cloister_envelope::{ExchangeKey, MessageError, Secret, UserCipher, UserKey};
use cloister_teeth::{Mechanism, decrypted, holds};
use zeroize::Zeroizing;

use crate::roots::{EpochRoot, PermanentRoot};
use crate::{NetworkCipher, Roots, ShareError, StateKeys, TxKeys};

/// The roots of one chain: what an enclave derives everything from. Cheap to share, never changed by use. Those of another
/// epoch are others, which share what stays: a root is erased with the last of the keys that hold it.
pub struct Keys {
    permanent: Arc<PermanentRoot>,
    current: Arc<EpochRoot>,
    retiring: Option<Arc<EpochRoot>>,
}

impl Keys {
    /// The keys of the chain `chain_id` in the epoch of `roots`.
    pub fn new(chain_id: &str, roots: Roots) -> Self {
        let chain_id: Arc<str> = chain_id.into();
        let Roots { permanent, current, retiring, epoch } = roots;
        // An epoch that retires is not the first one.
        let former = |root| Arc::new(EpochRoot::new(&chain_id, epoch.saturating_sub(1), root));
        Self {
            retiring: retiring.map(former),
            permanent: Arc::new(PermanentRoot::new(&chain_id, permanent)),
            current: Arc::new(EpochRoot::new(&chain_id, epoch, current)),
        }
    }

    /// Those of the next epoch. This one's root retires, and one that was retiring is not among them.
    pub fn next_epoch(&self, randomness: &B256) -> Self {
        let chain_id: Arc<str> = self.permanent.chain_id().into();
        let Roots { current, epoch, .. } = self.roots().step(&chain_id, randomness);
        let next = Arc::new(EpochRoot::new(&chain_id, epoch, current));
        Self { permanent: Arc::clone(&self.permanent), current: next, retiring: Some(Arc::clone(&self.current)) }
    }

    /// The same without the root that was retiring.
    pub fn retired(&self) -> Self {
        Self { permanent: Arc::clone(&self.permanent), current: Arc::clone(&self.current), retiring: None }
    }

    /// Copies of the roots.
    pub fn roots(&self) -> Roots {
        Roots {
            permanent: self.permanent.copy(),
            current: self.current.copy(),
            retiring: self.retiring.as_ref().map(|root| root.copy()),
            epoch: self.current.epoch(),
        }
    }

    /// The roots, sealed to the boot key `to` of the enclave that this registration admitted; `tx` is of the transaction.
    /// Every enclave of the chain computes the same bytes.
    pub fn share(
        &self,
        genesis: &B256,
        registration: &B256,
        to: &[u8; 32],
        tx: &TxKeys,
    ) -> Result<Vec<u8>, ShareError> {
        let ephemeral = tx.share_ephemeral(registration);
        self.roots().share(self.permanent.chain_id(), genesis, registration, to, ephemeral)
    }

    /// The number of the oldest epoch whose root is still there.
    pub fn oldest_epoch(&self) -> u64 {
        self.retiring.as_ref().map_or(self.epoch(), |root| root.epoch())
    }

    /// The public key to which clients sealed in the retiring epoch.
    pub fn retiring_input(&self) -> Option<[u8; 32]> {
        self.retiring.as_ref().map(|root| root.input.public())
    }

    /// The number of the current epoch, from 0.
    pub fn epoch(&self) -> u64 {
        self.current.epoch()
    }

    /// The AES key of an address, to be on-boarded.
    pub fn user_key(&self, address: Address) -> UserKey {
        self.permanent.user_key(address)
    }

    /// The cipher of the cells that an address reads and writes.
    pub fn user_cipher(&self, address: Address) -> UserCipher {
        UserCipher::new(&self.user_key(address))
    }

    /// The cipher of the cells in the storage of one contract that `epoch` sealed; `None` if its root is not there.
    pub fn network_cipher(&self, contract: Address, epoch: u64) -> Option<NetworkCipher> {
        self.of(epoch).map(|root| root.network_cipher(contract))
    }

    /// The X25519 key to which secret.js seals: the chain's "tx key". Never changes.
    pub fn io_public(&self) -> [u8; 32] {
        self.permanent.io.public()
    }

    /// Opens a message in secret.js's form. The session seals its outputs.
    pub fn open_siv(&self, message: &[u8]) -> Result<(siv::Session, Zeroizing<Vec<u8>>), MessageError> {
        siv::open(&self.permanent.io, message).inspect(|_| decrypted())
    }

    /// The session of a message in secret.js's form of which only the head is there: a contract gets a reply.
    pub fn siv_session(&self, head: &[u8; siv::HEAD_BYTES]) -> Result<siv::Session, MessageError> {
        siv::Session::of_message(&self.permanent.io, head)
    }

    /// The X25519 key to which clients seal in our own form, in this epoch.
    pub fn input_public(&self) -> [u8; 32] {
        self.current.input.public()
    }

    /// That key, with the epoch's number, as a client seals to it.
    pub fn input_key(&self) -> InputKey {
        InputKey { epoch: self.epoch(), public: self.input_public() }
    }

    /// Opens the input of a call in our own form. The keys seal its outputs. In the time of `grace` after a switch, what was
    /// sealed to the former key opens, too.
    pub fn open_call(
        &self,
        context: &CallContext<'_>,
        message: &[u8],
        grace: bool,
    ) -> Result<(gcm::CallKeys, Zeroizing<Vec<u8>>), MessageError> {
        gcm::open_call(self.input_of(message, grace)?, context, message).inspect(|_| decrypted())
    }

    /// Opens the input of an estimate in our own form, if its permit is good for this `term`. The keys seal the answer.
    pub fn open_estimate(
        &self,
        context: &CallContext<'_>,
        message: &[u8],
        grace: bool,
        term: Term,
    ) -> Result<(gcm::AnswerKeys, Asked), MessageError> {
        permit::open_estimate(self.input_of(message, grace)?, context, message, term).inspect(|_| decrypted())
    }

    /// Opens a question in our own form, if its permit is good for this `term`. The keys seal the answer.
    pub fn open_query(
        &self,
        context: &QueryContext<'_>,
        message: &[u8],
        grace: bool,
        term: Term,
    ) -> Result<(gcm::AnswerKeys, Asked), MessageError> {
        permit::open_query(self.input_of(message, grace)?, context, message, term).inspect(|_| decrypted())
    }

    /// The key pair that a message in our own form says it is sealed to.
    fn input_of(&self, message: &[u8], grace: bool) -> Result<&ExchangeKey, MessageError> {
        let (sealed, current) = (gcm::epoch(message)?, self.epoch());
        let root = self.of(sealed).filter(|_| grace || sealed == current || !holds(Mechanism::Grace));
        root.map(|root| &root.input).ok_or(MessageError::Epoch { sealed, current })
    }

    fn of(&self, epoch: u64) -> Option<&EpochRoot> {
        let retiring = self.retiring.iter();
        std::iter::once(&self.current).chain(retiring).find(|root| root.epoch() == epoch).map(|root| &**root)
    }

    /// The key pair of the roots' hand-over to a joining node. Never changes.
    pub fn seed_exchange(&self) -> ExchangeKey {
        self.permanent.seed_exchange()
    }

    /// Signs a call that a contract makes; see [`callback`] for the little that this proves.
    pub fn callback_signature(&self, message: &[u8], funds: &[Coin<'_>]) -> B256 {
        callback::sign(&self.current.callback_secret(), message, funds)
    }

    /// Whether a contract made this call, in this epoch.
    pub fn is_callback(&self, message: &[u8], funds: &[Coin<'_>], signature: &[u8]) -> bool {
        callback::verify(&self.current.callback_secret(), message, funds, signature)
    }

    /// The secret random number of one contract call (`env.block.random`); `counter` counts the calls of the block.
    ///
    /// Only whoever executes the block knows it before the contract shows it: it hangs on the block's own header.
    pub fn contract_random(&self, header_hash: B256, contract: Address, counter: u64) -> Secret<32> {
        self.current.contract_random(header_hash, contract, counter)
    }

    /// What seals the state of one contract in this epoch, and opens what the retiring one sealed.
    pub fn contract_state(&self, contract: Address) -> StateKeys {
        let names = self.permanent.contract_names(contract);
        StateKeys::new(names, &self.current, self.retiring.clone(), contract)
    }

    /// What the block at `height` draws for the values that it seals again.
    pub fn sweep(&self, height: u64, header_hash: B256) -> TxKeys {
        self.current.sweep(height, header_hash)
    }

    /// What the transaction with this hash draws in the block at `height` with the header `header_hash`.
    ///
    /// The block's own header commits to all its transactions and to the state below, so two blocks that ever compete for a
    /// height draw differently, and no salt meets two plaintexts.
    ///
    /// Execute one transaction with one [`TxKeys`]: a second one made from the same hashes draws the same values again,
    /// which is right for a replay and wrong for anything else.
    pub fn transaction(&self, height: u64, header_hash: B256, transaction: B256) -> TxKeys {
        let header_hash = if holds(Mechanism::HeaderInSalts) { header_hash } else { B256::ZERO };
        self.current.transaction(height, header_hash, transaction)
    }

    /// What a call or an estimate draws; `input_hash` covers everything that the query depends on.
    pub fn query(&self, input_hash: B256) -> TxKeys {
        self.current.query(input_hash)
    }

    /// The public random number of the block that follows the header with `parent_hash` (the EVM's PREVRANDAO).
    pub fn beacon(&self, parent_hash: B256) -> B256 {
        self.current.beacon(parent_hash)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([REDACTED])")
    }
}
