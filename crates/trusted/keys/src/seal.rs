use core::fmt;

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit};
use cloister_envelope::Secret;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::schedule::{Parent, SEALING_CIPHER, SEALING_NONCE, Sealing, info};
use crate::{ROOTS_BYTES, Roots};

/// The longest plaintext that is sealed.
pub const MAX_SEALED_BYTES: usize = 1 << 20;
const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;

/// Seals the roots and small checkpoints into blobs that the untrusted side keeps: AES-256-GCM-SIV (RFC 8452).
///
/// ```text
/// blob  = version(1) = 1 ‖ ciphertext ‖ tag(16)
/// ad    = part("cloister/v1/<chain id>/<purpose>") ‖ part(context)                     as in the key schedule
/// key   = HKDF(sealing key, "sealing cipher")
/// nonce = HKDF(sealing key, "sealing nonce", ad)
/// ```
///
/// The nonce is derived, so that a locked-down enclave needs no randomness. A context that names what is sealed (a height,
/// a measurement) makes it unique; sealing two plaintexts under one context would show no more than whether they are equal.
/// A blob says nothing about its age: whoever opens one treats it as a cache that may have been rolled back.
pub struct SealingKey {
    parent: Parent<Sealing>,
    cipher: Aes256GcmSiv,
}

impl SealingKey {
    /// Takes over 32 bytes that belong to this machine and this measurement, for blobs of one chain.
    pub fn from_bytes(chain_id: &str, bytes: [u8; 32]) -> Self {
        let parent = Parent::new(chain_id.into(), &Secret::from_bytes(bytes));
        let cipher = parent.derive(&SEALING_CIPHER, &[]).expose(|key| Aes256GcmSiv::new(key.into()));
        Self { parent, cipher }
    }

    /// Seals the roots; `context` has to be presented again when they are opened.
    pub fn seal_roots(&self, context: &[u8], roots: &Roots) -> Result<Vec<u8>, SealError> {
        self.seal(Purpose::Roots, context, &roots.to_bytes())
    }

    /// Opens sealed roots.
    pub fn open_roots(&self, context: &[u8], blob: &[u8]) -> Result<Roots, SealError> {
        Roots::from_bytes(&self.open(Purpose::Roots, context, blob)?).ok_or(SealError::RootsLength)
    }

    /// Seals `plain`; purpose and context have to be presented again when it is opened.
    pub fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() > MAX_SEALED_BYTES || context.len() > MAX_SEALED_BYTES {
            return Err(SealError::TooLong);
        }
        let aad = self.associated_data(purpose, context);
        let sealed = self
            .cipher
            .encrypt(&self.nonce(&aad).into(), Payload { msg: plain, aad: &aad })
            .map_err(|_| SealError::TooLong)?;
        Ok([&[VERSION], sealed.as_slice()].concat())
    }

    /// Opens a blob that was sealed for this purpose and context.
    pub fn open(&self, purpose: Purpose, context: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (version, sealed) = blob.split_first().ok_or(SealError::Refused)?;
        if *version != VERSION {
            return Err(SealError::Version);
        }
        if sealed.len() > MAX_SEALED_BYTES + TAG_BYTES || context.len() > MAX_SEALED_BYTES {
            return Err(SealError::TooLong);
        }
        let aad = self.associated_data(purpose, context);
        let opened = self.cipher.decrypt(&self.nonce(&aad).into(), Payload { msg: sealed, aad: &aad });
        opened.map(Zeroizing::new).map_err(|_| SealError::Refused)
    }

    fn associated_data(&self, purpose: Purpose, context: &[u8]) -> Vec<u8> {
        info(self.parent.chain_id(), purpose.label(), &[context])
    }

    fn nonce(&self, associated_data: &[u8]) -> [u8; 12] {
        self.parent.derive(&SEALING_NONCE, &[associated_data]).expose(|nonce| *nonce)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey([REDACTED])")
    }
}

/// What a blob is for: one never opens as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The network's roots.
    Roots,
    /// Where execution stood: height, root and what else lets a node go on.
    Checkpoint,
}

impl Purpose {
    /// Both purposes.
    pub const ALL: [Self; 2] = [Self::Roots, Self::Checkpoint];

    /// The last part of the purpose string; none is a label of the key schedule.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Roots => "sealed roots",
            Self::Checkpoint => "sealed checkpoint",
        }
    }
}

/// Why something was not sealed or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// More than [`MAX_SEALED_BYTES`].
    #[error("a sealed blob holds at most {MAX_SEALED_BYTES} bytes")]
    TooLong,
    /// Sealed by a later release.
    #[error("unknown version of a sealed blob")]
    Version,
    /// Altered, or sealed by another machine, measurement or chain, for another purpose or context.
    #[error("the sealed blob is not for this enclave and purpose")]
    Refused,
    /// It opens, but holds no roots: it was sealed as something else by mistake.
    #[error("sealed roots hold {ROOTS_BYTES} bytes")]
    RootsLength,
}
