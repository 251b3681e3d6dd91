//! The key schedule: every derivation of the network, one line each.
//!
//! ```text
//! output = HKDF-SHA256(salt: none, key material: parent, info: info, length: bytes)           RFC 5869
//! info   = part("cloister/v1/<chain id>/<label>") ‖ part(context 1) ‖ part(context 2) ‖ …
//! part(x) = length of x as 4 big-endian bytes ‖ x
//! ```
//!
//! Numbers in a context are 8 big-endian bytes. A chain id has no `/`, nor has a label, so the first part reads in one way
//! only; the lengths make the whole of `info` so. No label occurs twice, whatever the parent.
//!
//! *May it change?* `never`: clients keep the value, or data that nobody can rewrite depends on it. `epoch`: it changes
//! with the epoch root. `once`: its parent lives for one transaction, query or machine.

use core::marker::PhantomData;
use std::sync::Arc;

use cloister_envelope::Secret;
use hkdf::Hkdf;
use sha2::Sha256;

schedule! {
    // parent   name              label               bytes  consumer                                     may it change  context
    Root        PERMANENT_ROOT    "permanent root"     32    "PermanentRoot";                             "never"        "";
    Root        EPOCH_ROOT        "epoch root"         32    "EpochRoot of epoch 0";                      "never"        "";
    Permanent   USER_KEY          "user aes key"       16    "envelope: cells of one address";            "never"        "address";
    Permanent   IO_EXCHANGE       "io exchange key"    32    "X25519: messages in secret.js's form";      "never"        "";
    Permanent   SEED_EXCHANGE     "seed exchange key"  32    "X25519: the roots, to a joining node";      "never"        "";
    Permanent   CONTRACT_NAMES    "contract names"     32    "names of one contract's entries";           "never"        "contract";
    Epoch       NEXT_EPOCH_ROOT   "next epoch root"    32    "EpochRoot of the next epoch";               "epoch"        "next epoch, certified randomness";
    Epoch       NETWORK_KEY       "network cell key"   32    "NetworkCipher: cells in one contract";      "epoch"        "contract";
    Epoch       TRANSACTION_KEY   "transaction key"    32    "TxKeys of a transaction";                   "epoch"        "height, header hash, transaction hash";
    Epoch       SWEEP_KEY         "sweep key"          32    "TxKeys of what a block seals again";        "epoch"        "height, header hash";
    Epoch       QUERY_KEY         "query key"          32    "TxKeys of a call or an estimate";           "epoch"        "hash of the input";
    Epoch       BLOCK_BEACON      "block beacon"       32    "public: the EVM's PREVRANDAO";              "epoch"        "parent header hash";
    Epoch       INPUT_EXCHANGE    "input exchange key" 32    "X25519: messages in our own form";          "epoch"        "";
    Epoch       CALLBACK_SECRET   "callback secret"    32    "signatures of calls between contracts";     "epoch"        "";
    Epoch       CONTRACT_RANDOM   "contract random"    32    "the contract's env.block.random";           "epoch"        "header hash, contract, counter";
    Epoch       CONTRACT_STATE    "contract state"     32    "StateKeys of one contract";                 "epoch"        "contract";
    Names       STATE_NAME        "state name"         32    "the key of a sealed leaf";                  "never"        "plain key";
    State       STATE_CIPHER      "state cipher"       32    "AES-256-GCM-SIV of values";                 "epoch"        "";
    State       STATE_NONCE       "state nonce"        12    "the nonce of one written value";            "epoch"        "name, height, header hash, transaction index, write index";
    Transaction HANDLE            "handle"             32    "names of values inside the transaction";    "once"         "counter";
    Transaction SALT              "cell salt"          16    "the r of cells, public in the output";      "once"         "counter";
    Transaction RANDOM            "random number"      32    "the contract's Rand";                       "once"         "counter";
    Transaction ONBOARDING_SHARE  "onboarding share"   16    "the first share of a user's key";           "once"         "counter";
    Transaction ONBOARDING_COINS  "onboarding coins"   32    "the coins of one RSA-OAEP encryption";      "once"         "counter, share 0 or 1";
    Transaction SHARE_EPHEMERAL   "share ephemeral"    32    "X25519: the ephemeral key of one share";     "once"         "registration";
    Sealing     SEALING_CIPHER    "sealing cipher"     32    "AES-256-GCM-SIV of sealed blobs";           "once"         "";
    Sealing     SEALING_NONCE     "sealing nonce"      12    "the nonce of one sealed blob";              "once"         "associated data";
    Exchange    ROOTS_SHARE       "roots share"        32    "AES-256-GCM of the roots, to a boot key";   "once"         "genesis hash, registration, ephemeral key, boot key";
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it is derived from.
    pub parent: &'static str,
    /// The last part of the purpose string.
    pub label: &'static str,
    /// The length of the output in bytes.
    pub bytes: usize,
    /// Who uses it, for what.
    pub consumer: &'static str,
    /// `never`, `epoch` or `once`: see the module's text.
    pub may_change: &'static str,
    /// What goes into the context, in order.
    pub context: &'static str,
}

/// The derivation of `N` bytes under a parent of type `P`: a wrong parent or a wrong length does not compile.
pub(crate) struct Derivation<P, const N: usize> {
    label: &'static str,
    parent: PhantomData<P>,
}

/// A key that others are derived from, prepared: HKDF's extraction is done once. Erased when dropped.
pub(crate) struct Parent<P> {
    hkdf: Hkdf<Sha256>,
    chain_id: Arc<str>,
    kind: PhantomData<P>,
}

impl<P> Parent<P> {
    pub(crate) fn new<const N: usize>(chain_id: Arc<str>, key: &Secret<N>) -> Self {
        Self { hkdf: key.expose(|key| Hkdf::new(None, key)), chain_id, kind: PhantomData }
    }

    /// `HKDF(self, label, context)`.
    pub(crate) fn derive<const N: usize>(&self, derivation: &Derivation<P, N>, context: &[&[u8]]) -> Secret<N> {
        let info = info(&self.chain_id, derivation.label, context);
        Secret::fill(|output| self.hkdf.expand(&info, output).expect("no row of the table is longer than 255 hashes"))
    }

    /// A derived key as the parent of others.
    pub(crate) fn child<Q>(&self, derivation: &Derivation<P, 32>, context: &[&[u8]]) -> Parent<Q> {
        Parent::new(Arc::clone(&self.chain_id), &self.derive(derivation, context))
    }

    pub(crate) fn chain_id(&self) -> &str {
        &self.chain_id
    }
}

/// `part("cloister/v1/<chain id>/<label>") ‖ part(context 1) ‖ …`: also the associated data of sealed blobs.
pub(crate) fn info(chain_id: &str, label: &str, context: &[&[u8]]) -> Vec<u8> {
    let purpose = format!("cloister/v1/{chain_id}/{label}");
    let mut info = Vec::with_capacity(160);
    for part in core::iter::once(&purpose.as_bytes()).chain(context) {
        let length = u32::try_from(part.len()).expect("contexts are far shorter than 4 GiB");
        info.extend_from_slice(&length.to_be_bytes());
        info.extend_from_slice(part);
    }
    info
}

/// The secret that a chain begins with: the parent of both roots.
pub(crate) enum Root {}
/// The parent of what never changes.
pub(crate) enum Permanent {}
/// The parent of what changes with each epoch.
pub(crate) enum Epoch {}
/// The parent of the names in one contract's state.
pub(crate) enum Names {}
/// The parent of what seals one contract's state.
pub(crate) enum State {}
/// The parent of what one transaction or query draws.
pub(crate) enum Transaction {}
/// The parent of what seals blobs for one machine.
pub(crate) enum Sealing {}
/// What an ephemeral key and a boot key agree on: the parent of what seals one share.
pub(crate) enum Exchange {}

/// Writes each line of the table twice: as a typed constant for the code and as a [`Row`] for the reader of [`TABLE`].
macro_rules! schedule {
    ($($parent:ident $name:ident $label:literal $bytes:literal $consumer:literal; $may_change:literal $context:literal;)*) => {
        $(pub(crate) const $name: Derivation<$parent, $bytes> = Derivation { label: $label, parent: PhantomData };)*

        /// Every derivation.
        pub const TABLE: &[Row] = &[$(Row {
            parent: stringify!($parent),
            label: $label,
            bytes: $bytes,
            consumer: $consumer,
            may_change: $may_change,
            context: $context,
        }),*];
    };
}
use schedule;

#[cfg(test)]
mod tests;
