use core::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use alloy_primitives::B256;
use cloister_envelope::{ExchangeKey, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::schedule::{Exchange, Parent, ROOTS_SHARE, info};
use crate::{ROOTS_BYTES, Roots};

/// The length of a share: version, ephemeral public key, roots, tag.
pub const SHARE_BYTES: usize = 1 + 32 + ROOTS_BYTES + 16;
const VERSION: u8 = 2;
/// None is a label of the key schedule.
pub(crate) const LABEL: &str = "share of the roots";

/// A key pair that an enclave makes when it starts and never stores: whoever hands the roots to that enclave seals to it.
///
/// ```text
/// share  = version(1) = 2 ‖ ephemeral public key(32) ‖ AES-256-GCM(key, roots(104))          SP 800-38D, tag of 16 bytes
/// key    = HKDF(X25519(ephemeral, boot), "roots share", genesis hash, registration, ephemeral key, boot key)
/// nonce  = 12 zero bytes: the ephemeral key, and so the key, seals one share
/// ad     = part("cloister/v1/<chain id>/share of the roots") ‖ part(genesis hash) ‖ part(registration) ‖ part(ephemeral key)
///          ‖ part(boot key)                                                            as in the key schedule
/// ```
///
/// The registration is the name of the chain's record that vouches for the boot key (M-25); zero before there is a chain.
///
/// A share opens for one start of one enclave and for one chain. It proves nothing about who sealed it: an enclave that opens
/// it believes its host about the chain, and finds out with the first state root that the others agreed on.
pub struct BootKey(ExchangeKey);

impl BootKey {
    /// Takes over 32 bytes that are fresh from the operating system.
    pub fn from_secret(bytes: Secret<32>) -> Self {
        Self(ExchangeKey::from_secret(bytes))
    }

    /// The public half.
    pub const fn public(&self) -> [u8; 32] {
        self.0.public()
    }

    /// Opens a share that was sealed to this key, as this registration, for the chain with this name and genesis.
    pub fn open(&self, chain_id: &str, genesis: &B256, registration: &B256, share: &[u8]) -> Result<Roots, ShareError> {
        let share: &[u8; SHARE_BYTES] = share.try_into().map_err(|_| ShareError::Length)?;
        let (version, rest) = share.split_first().ok_or(ShareError::Length)?;
        let (ephemeral, sealed) = rest.split_first_chunk::<32>().ok_or(ShareError::Length)?;
        if *version != VERSION {
            return Err(ShareError::Version);
        }
        let context = [genesis.as_slice(), registration.as_slice(), ephemeral, &self.public()];
        let cipher = cipher(chain_id, &self.0, ephemeral, &context)?;
        let payload = Payload { msg: sealed, aad: &info(chain_id, LABEL, &context) };
        let opened = cipher.decrypt(&Nonce::default(), payload).map_err(|_| ShareError::Refused)?;
        Roots::from_bytes(&Zeroizing::new(opened)).ok_or(ShareError::Length)
    }
}

impl Roots {
    /// Seals the roots to the boot key `to` of another enclave; see [`BootKey`]. `ephemeral` is 32 bytes that are used for
    /// nothing else: fresh from the operating system, or derived for one registration in one block.
    pub fn share(
        &self,
        chain_id: &str,
        genesis: &B256,
        registration: &B256,
        to: &[u8; 32],
        ephemeral: Secret<32>,
    ) -> Result<Vec<u8>, ShareError> {
        let ephemeral = ExchangeKey::from_secret(ephemeral);
        let context = [genesis.as_slice(), registration.as_slice(), &ephemeral.public(), to];
        let cipher = cipher(chain_id, &ephemeral, to, &context)?;
        let aad = info(chain_id, LABEL, &context);
        let sealed = cipher.encrypt(&Nonce::default(), Payload { msg: &self.to_bytes(), aad: &aad });
        let sealed = sealed.expect("roots are far below GCM's limit of 64 GiB");
        Ok([&[VERSION], ephemeral.public().as_slice(), &sealed].concat())
    }
}

impl fmt::Debug for BootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BootKey([REDACTED])")
    }
}

/// Why a share was not sealed or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ShareError {
    /// Not [`SHARE_BYTES`] long.
    #[error("a share of the roots has {SHARE_BYTES} bytes")]
    Length,
    /// Sealed by a later release.
    #[error("unknown version of a share of the roots")]
    Version,
    /// A public key of low order, with which everybody could open the share.
    #[error("the other side's public key is of low order")]
    PublicKey,
    /// Altered, or sealed to another key or for another chain.
    #[error("the share of the roots is not for this enclave and chain")]
    Refused,
}

fn cipher(chain_id: &str, own: &ExchangeKey, theirs: &[u8; 32], context: &[&[u8]]) -> Result<Aes256Gcm, ShareError> {
    let agreed = own.agree(theirs).map_err(|_| ShareError::PublicKey)?;
    let parent = Parent::<Exchange>::new(chain_id.into(), &agreed);
    Ok(parent.derive(&ROOTS_SHARE, context).expose(|key| Aes256Gcm::new(key.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    const CHAIN: &str = "golden-1";
    const GENESIS: B256 = B256::repeat_byte(0x66);
    const REGISTRATION: B256 = B256::repeat_byte(0x77);

    fn roots() -> Roots {
        Roots::found(CHAIN, Seed::from_bytes([7; 32])).step(CHAIN, &B256::ZERO)
    }

    fn boot(fill: u8) -> BootKey {
        BootKey::from_secret(Secret::from_bytes([fill; 32]))
    }

    fn share(to: &BootKey) -> Vec<u8> {
        let roots = roots();
        roots.share(CHAIN, &GENESIS, &REGISTRATION, &to.public(), Secret::from_bytes([0xe0; 32])).expect("a good key")
    }

    #[test]
    fn a_share_opens_for_its_enclave_and_chain_only() {
        let share = share(&boot(1));
        assert_eq!(share.len(), SHARE_BYTES);
        assert_eq!(boot(1).open(CHAIN, &GENESIS, &REGISTRATION, &share), Ok(roots()));
        assert_eq!(boot(2).open(CHAIN, &GENESIS, &REGISTRATION, &share), Err(ShareError::Refused));
        assert_eq!(boot(1).open("golden-2", &GENESIS, &REGISTRATION, &share), Err(ShareError::Refused));
        assert_eq!(boot(1).open(CHAIN, &B256::ZERO, &REGISTRATION, &share), Err(ShareError::Refused));
        assert_eq!(boot(1).open(CHAIN, &GENESIS, &B256::ZERO, &share), Err(ShareError::Refused));
    }

    #[test]
    fn no_byte_of_a_share_can_be_changed_and_none_is_missing_or_too_many() {
        let share = share(&boot(1));
        for at in 0..share.len() {
            let mut other = share.clone();
            other[at] ^= 1;
            let refused = boot(1).open(CHAIN, &GENESIS, &REGISTRATION, &other).expect_err("altered");
            assert_eq!(refused, if at == 0 { ShareError::Version } else { ShareError::Refused }, "byte {at}");
            assert_eq!(boot(1).open(CHAIN, &GENESIS, &REGISTRATION, &share[..at]), Err(ShareError::Length));
        }
        assert_eq!(boot(1).open(CHAIN, &GENESIS, &REGISTRATION, &[share, vec![0]].concat()), Err(ShareError::Length));
    }

    #[test]
    fn nothing_is_sealed_to_a_key_for_which_everybody_knows_the_secret() {
        let roots = roots();
        let refused = roots.share(CHAIN, &GENESIS, &REGISTRATION, &[0; 32], Secret::from_bytes([1; 32]));
        assert_eq!(refused, Err(ShareError::PublicKey));
        let mut share = share(&boot(1));
        share[1..33].fill(0);
        assert_eq!(boot(1).open(CHAIN, &GENESIS, &REGISTRATION, &share), Err(ShareError::PublicKey));
    }
}
