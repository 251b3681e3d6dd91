//! On-boarding: how the network hands a user their AES key without showing it to anybody else.
//!
//! ```text
//! request   signature(65) ‖ SPKI           the user's fresh RSA key, signed by the account ([`crate::signature`])
//! answer    RSA-OAEP(share 1) ‖ RSA-OAEP(share 2)            2 · 256 bytes, share 1 XOR share 2 = key
//! legacy    RSA-OAEP(key)                                    256 bytes, for contracts of 2024
//! ```
//!
//! OAEP is that of RFC 8017 with SHA-256, MGF1 with SHA-256 and an empty label; a share has 16 bytes. The 32 coins of an
//! OAEP encryption are handed in, because every enclave has to write the same answer into the receipt. They are as secret
//! as the share: whoever knows them can test guesses. (COTI gcEVM `GetUserKey`.)

use core::fmt;

use alloy_primitives::Address;
use cloister_teeth::{Mechanism, holds};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use rsa::rand_core::{self, CryptoRng, RngCore};
use rsa::sha2::Sha256;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Oaep, RsaPrivateKey, RsaPublicKey};
use zeroize::Zeroizing;

use crate::signature::{self, SIGNATURE_BYTES};
use crate::{Error, Secret, UserKey};

/// The size of the modulus in bits. The contract slices the answer at multiples of 256 bytes, so there is no other.
pub const RSA_BITS: usize = 2048;
/// The length of one OAEP ciphertext.
pub const SHARE_BYTES: usize = RSA_BITS / 8;
/// The length of the answer: two shares.
pub const ANSWER_BYTES: usize = 2 * SHARE_BYTES;
/// The shortest and the longest request that is looked at.
pub const REQUEST_BYTES: core::ops::RangeInclusive<usize> = SIGNATURE_BYTES + 257..=SIGNATURE_BYTES + 512;

/// Reads a request `signature ‖ SPKI` and gives the recipient of the key, when `origin` signed it.
pub fn open_request(request: &[u8], origin: Address) -> Result<Recipient, Error> {
    if !REQUEST_BYTES.contains(&request.len()) {
        return Err(Error::RequestLength);
    }
    let (signature, spki) = request.split_at(SIGNATURE_BYTES);
    if holds(Mechanism::KeyRequest) {
        signature::verify(spki, signature, origin)?;
    }
    Recipient::from_spki(spki)
}

/// A user's RSA public key: 2048 bits, exponent 65537.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(RsaPublicKey);

impl Recipient {
    /// Reads the one DER encoding that such a key has: 294 bytes, no other parameters, nothing behind it.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Error> {
        if spki.len() > *REQUEST_BYTES.end() {
            return Err(Error::PublicKey);
        }
        let key = RsaPublicKey::from_public_key_der(spki).map_err(|_| Error::PublicKey)?;
        if key.n().bits() != RSA_BITS {
            return Err(Error::KeySize);
        }
        if *key.e() != BigUint::from(65_537_u32) {
            return Err(Error::Exponent);
        }
        Ok(Self(key))
    }

    /// The answer of on-boarding: `key` in two shares, the first one `share` itself.
    ///
    /// `share` and `coins` have to be unpredictable and used once.
    pub fn seal_key(&self, key: &UserKey, share: &Secret<16>, coins: [&Secret<32>; 2]) -> [u8; ANSWER_BYTES] {
        let mut answer = [0; ANSWER_BYTES];
        let (first, second) = answer.split_at_mut(SHARE_BYTES);
        first.copy_from_slice(&self.seal_share(share, coins[0]));
        second.copy_from_slice(&self.seal_share(&key.secret().xor(share), coins[1]));
        answer
    }

    /// The legacy answer: the whole key under one encryption.
    pub fn seal_whole_key(&self, key: &UserKey, coins: &Secret<32>) -> [u8; SHARE_BYTES] {
        self.seal_share(key.secret(), coins)
    }

    fn seal_share(&self, share: &Secret<16>, coins: &Secret<32>) -> [u8; SHARE_BYTES] {
        coins.expose(|coins| {
            let mut source = Coins { coins, drawn: 0 };
            let sealed = share
                .expose(|share| self.0.encrypt(&mut source, Oaep::new::<Sha256>(), share))
                .ok()
                .filter(|_| source.drawn == coins.len())
                .expect("a checked 2048-bit key takes 16 bytes and draws one OAEP seed of 32 bytes");
            sealed.try_into().expect("a ciphertext is as long as the modulus")
        })
    }
}

/// A user's RSA private key, for clients: made for one on-boarding and thrown away after it.
pub struct OnboardingKey(RsaPrivateKey);

impl OnboardingKey {
    /// Makes a fresh key from the randomness that `fill` writes, which has to come from the operating system.
    pub fn generate(fill: impl FnMut(&mut [u8])) -> Self {
        Self(RsaPrivateKey::new(&mut Fill(fill), RSA_BITS).expect("2048 bits and the exponent 65537 have keys"))
    }

    /// Reads what the TypeScript SDK keeps.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, Error> {
        Self::checked(RsaPrivateKey::from_pkcs1_der(der).ok())
    }

    /// Reads what the Python SDK keeps.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        Self::checked(RsaPrivateKey::from_pkcs8_der(der).ok())
    }

    fn checked(key: Option<RsaPrivateKey>) -> Result<Self, Error> {
        key.filter(|key| key.n().bits() == RSA_BITS).map(Self).ok_or(Error::PrivateKey)
    }

    /// The public half as it is signed and sent: DER SubjectPublicKeyInfo, 294 bytes.
    pub fn spki(&self) -> Vec<u8> {
        let document = self.0.to_public_key().to_public_key_der().expect("every RSA public key has a DER form");
        document.as_bytes().to_vec()
    }

    /// Joins the two shares of an answer, `userKey1` and `userKey2` of the event.
    pub fn recover(&self, share_1: &[u8], share_2: &[u8]) -> Result<UserKey, Error> {
        Ok(self.open_share(share_1)?.xor(&self.open_share(share_2)?).into())
    }

    /// Opens the legacy answer, `userKey` of the event.
    pub fn recover_whole(&self, sealed: &[u8]) -> Result<UserKey, Error> {
        Ok(self.open_share(sealed)?.into())
    }

    fn open_share(&self, sealed: &[u8]) -> Result<Secret<16>, Error> {
        let share = self.0.decrypt(Oaep::new::<Sha256>(), sealed).map(Zeroizing::new).map_err(|_| Error::Share)?;
        let share: &[u8; 16] = share.as_slice().try_into().map_err(|_| Error::Share)?;
        Ok(Secret::fill(|target| *target = *share))
    }
}

impl fmt::Debug for OnboardingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnboardingKey([REDACTED])")
    }
}

/// Hands 32 given bytes to OAEP where it expects a random generator, and counts what was asked for.
struct Coins<'a> {
    coins: &'a [u8; 32],
    drawn: usize,
}

impl RngCore for Coins<'_> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        let unused = self.coins.iter().skip(self.drawn);
        target.iter_mut().zip(unused).for_each(|(to, from)| *to = *from);
        self.drawn = self.drawn.saturating_add(target.len());
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(target);
        Ok(())
    }
}

impl CryptoRng for Coins<'_> {}

/// A caller's source of randomness in the form that key generation expects.
struct Fill<F>(F);

impl<F: FnMut(&mut [u8])> RngCore for Fill<F> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        (self.0)(target);
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(target);
        Ok(())
    }
}

impl<F: FnMut(&mut [u8])> CryptoRng for Fill<F> {}

#[cfg(test)]
mod wycheproof;
