use core::fmt;

use alloy_primitives::{Address, B256};
use cloister_envelope::message::{CallContext, Coin, QueryContext, callback, gcm, siv};
use cloister_envelope::{ExchangeKey, MessageError, Secret, UserCipher, UserKey};
use cloister_teeth::{Mechanism, holds};
use zeroize::Zeroizing;

use crate::{EpochRoot, NetworkCipher, PermanentRoot, Seed, ShareError, StateKeys, TxKeys};

/// Both roots of one chain: what an enclave derives everything from. Cheap to share, never changed by use.
pub struct Keys {
    permanent: PermanentRoot,
    epoch: EpochRoot,
    // Derived from the roots, and kept because each costs a multiplication on the curve.
    io: ExchangeKey,
    input: ExchangeKey,
    /// For enclaves that are admitted.
    seed: Seed,
}

impl Keys {
    /// The keys of the chain `chain_id` in epoch 0.
    pub fn new(chain_id: &str, seed: &Seed) -> Self {
        Self::of(PermanentRoot::new(chain_id, seed), EpochRoot::first(chain_id, seed), seed.copy())
    }

    /// Steps on to the next epoch and erases the root of this one.
    pub fn next_epoch(self, randomness: &B256) -> Self {
        Self::of(self.permanent, self.epoch.next(randomness), self.seed)
    }

    fn of(permanent: PermanentRoot, epoch: EpochRoot, seed: Seed) -> Self {
        let (io, input) = (permanent.io_exchange(), epoch.input_exchange());
        Self { permanent, epoch, io, input, seed }
    }

    /// The seed, sealed to the boot key `to` of the enclave that this registration admitted; `tx` is of the transaction.
    /// Every enclave of the chain computes the same bytes.
    pub fn share(
        &self,
        genesis: &B256,
        registration: &B256,
        to: &[u8; 32],
        tx: &TxKeys,
    ) -> Result<Vec<u8>, ShareError> {
        self.seed.share(self.permanent.chain_id(), genesis, registration, to, tx.share_ephemeral(registration))
    }

    /// The number of the current epoch, from 0.
    pub const fn epoch(&self) -> u64 {
        self.epoch.epoch()
    }

    /// The AES key of an address, to be on-boarded.
    pub fn user_key(&self, address: Address) -> UserKey {
        self.permanent.user_key(address)
    }

    /// The cipher of the cells that an address reads and writes.
    pub fn user_cipher(&self, address: Address) -> UserCipher {
        UserCipher::new(&self.user_key(address))
    }

    /// The cipher of the cells in the storage of one contract, in this epoch.
    pub fn network_cipher(&self, contract: Address) -> NetworkCipher {
        self.epoch.network_cipher(contract)
    }

    /// The X25519 key to which secret.js seals: the chain's "tx key". Never changes.
    pub const fn io_public(&self) -> [u8; 32] {
        self.io.public()
    }

    /// Opens a message in secret.js's form. The session seals its outputs.
    pub fn open_siv(&self, message: &[u8]) -> Result<(siv::Session, Zeroizing<Vec<u8>>), MessageError> {
        siv::open(&self.io, message)
    }

    /// The session of a message in secret.js's form of which only the head is there: a contract gets a reply.
    pub fn siv_session(&self, head: &[u8; siv::HEAD_BYTES]) -> Result<siv::Session, MessageError> {
        siv::Session::of_message(&self.io, head)
    }

    /// The X25519 key to which clients seal in our own form, in this epoch.
    pub const fn input_public(&self) -> [u8; 32] {
        self.input.public()
    }

    /// Opens the input of a call in our own form. The keys seal its outputs.
    pub fn open_call(
        &self,
        context: &CallContext<'_>,
        message: &[u8],
    ) -> Result<(gcm::CallKeys, Zeroizing<Vec<u8>>), MessageError> {
        gcm::open_call(&self.input, context, message)
    }

    /// Opens the input of an estimate in our own form.
    pub fn open_estimate(&self, context: &CallContext<'_>, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        gcm::open_estimate(&self.input, context, message)
    }

    /// Opens a question in our own form. The keys seal the answer.
    pub fn open_query(
        &self,
        context: &QueryContext<'_>,
        message: &[u8],
    ) -> Result<(gcm::AnswerKeys, Zeroizing<Vec<u8>>), MessageError> {
        gcm::open_query(&self.input, context, message)
    }

    /// The key pair of the seed's hand-over to a joining node. Never changes.
    pub fn seed_exchange(&self) -> ExchangeKey {
        self.permanent.seed_exchange()
    }

    /// Signs a call that a contract makes; see [`callback`] for the little that this proves.
    pub fn callback_signature(&self, message: &[u8], funds: &[Coin<'_>]) -> B256 {
        callback::sign(&self.epoch.callback_secret(), message, funds)
    }

    /// Whether a contract made this call, in this epoch.
    pub fn is_callback(&self, message: &[u8], funds: &[Coin<'_>], signature: &[u8]) -> bool {
        callback::verify(&self.epoch.callback_secret(), message, funds, signature)
    }

    /// The secret random number of one contract call (`env.block.random`); `counter` counts the calls of the block.
    ///
    /// Only whoever executes the block knows it before the contract shows it: it hangs on the block's own header.
    pub fn contract_random(&self, header_hash: B256, contract: Address, counter: u64) -> Secret<32> {
        self.epoch.contract_random(header_hash, contract, counter)
    }

    /// What seals the state of one contract, in this epoch.
    pub fn contract_state(&self, contract: Address) -> StateKeys {
        self.epoch.contract_state(contract)
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
        self.epoch.transaction(height, header_hash, transaction)
    }

    /// What a call or an estimate draws; `input_hash` covers everything that the query depends on.
    pub fn query(&self, input_hash: B256) -> TxKeys {
        self.epoch.query(input_hash)
    }

    /// The public random number of the block that follows the header with `parent_hash` (the EVM's PREVRANDAO).
    pub fn beacon(&self, parent_hash: B256) -> B256 {
        self.epoch.beacon(parent_hash)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([REDACTED])")
    }
}
