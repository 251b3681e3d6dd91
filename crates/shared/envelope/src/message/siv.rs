//! secretjs's form: AES-SIV-CMAC with a 256-bit key, that is two of AES-128 (RFC 5297), and one empty associated datum.
//!
//! ```text
//! key     = HKDF-SHA256(salt: SALT, key material: X25519(client, network) ‖ nonce, info: "", length: 32)
//! message = nonce(32) ‖ client's X25519 public key(32) ‖ SIV(key, [""], plaintext)
//! output  = SIV(key, [""], text), or its base64 where a text is needed
//! SIV     = tag(16) ‖ ciphertext
//! ```
//!
//! The enclave answers under the key of the message: outputs carry no nonce of their own. SIV needs none, but two equal
//! texts in one transaction look equal, lengths show, and neither sender nor contract is bound: the transaction's signature
//! has to vouch for them, and the code hash inside the plaintext for the contract's code. The network key never changes,
//! so whoever learns it reads every message ever sent. [`super::gcm`] has none of these. (Secret Network, secret.js 1.)

use core::fmt;

use aes_siv::KeyInit;
use aes_siv::siv::Aes128Siv;
use alloy_primitives::{B256, hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::plain::CODE_HASH_BYTES;
use super::{ExchangeKey, MAX_PLAIN_BYTES, MessageError, ReplyTo};
use crate::Secret;

/// Nonce and public key, which stand before every message and, in the clear, before a reply.
pub const HEAD_BYTES: usize = 64;
/// The shortest message: a head, a tag and a code hash.
pub const MIN_MESSAGE_BYTES: usize = HEAD_BYTES + TAG_BYTES + CODE_HASH_BYTES;
/// The longest message.
pub const MAX_MESSAGE_BYTES: usize = HEAD_BYTES + TAG_BYTES + MAX_PLAIN_BYTES;
const TAG_BYTES: usize = 16;
const SALT: [u8; 32] = hex!("000000000000000000024bead8df69990852c202db0e0097c1a12ea637d7e96d");

/// The enclave's side: opens a client's message. The session seals the outputs.
pub fn open(network: &ExchangeKey, message: &[u8]) -> Result<(Session, Zeroizing<Vec<u8>>), MessageError> {
    if !(MIN_MESSAGE_BYTES..=MAX_MESSAGE_BYTES).contains(&message.len()) {
        return Err(MessageError::Length);
    }
    let session = Session::of_message(network, message)?;
    let plaintext = session.open_message(message)?;
    Ok((session, plaintext))
}

/// One key that a client and the enclaves share: for a message, for the calls that it leads to and for all their outputs.
pub struct Session {
    head: [u8; HEAD_BYTES],
    key: Secret<32>,
}

impl Session {
    /// The client's side. `nonce` is fresh from the operating system, or the first 32 bytes of a message of its own that
    /// it wants to read again.
    pub fn of_client(client: &ExchangeKey, network: &[u8; 32], nonce: [u8; 32]) -> Result<Self, MessageError> {
        Self::agree(client, network, &nonce, &client.public())
    }

    /// The enclave's side, from the head of a message; the rest is not looked at.
    pub fn of_message(network: &ExchangeKey, message: &[u8]) -> Result<Self, MessageError> {
        let head: &[u8; HEAD_BYTES] = message.first_chunk().ok_or(MessageError::Length)?;
        let (nonce, client) = halves(head);
        Self::agree(network, client, nonce, client)
    }

    fn agree(own: &ExchangeKey, theirs: &[u8; 32], nonce: &[u8; 32], client: &[u8; 32]) -> Result<Self, MessageError> {
        let mut material = Zeroizing::new([0; 64]);
        own.agree(theirs)?.expose(|shared| material[..32].copy_from_slice(shared));
        material[32..].copy_from_slice(nonce);
        let hkdf = Hkdf::<Sha256>::new(Some(&SALT), material.as_slice());
        let key = Secret::fill(|key| hkdf.expand(&[], key).expect("32 bytes are one hash"));
        let mut head = [0; HEAD_BYTES];
        head[..32].copy_from_slice(nonce);
        head[32..].copy_from_slice(client);
        Ok(Self { head, key })
    }

    /// Nonce and public key of the message.
    pub const fn head(&self) -> &[u8; HEAD_BYTES] {
        &self.head
    }

    /// Seals a plaintext as a whole message: a client's own, or a contract's call that an enclave passes on.
    pub fn seal_message(&self, plaintext: &[u8]) -> Result<Vec<u8>, MessageError> {
        Ok([self.head.as_slice(), &self.seal(plaintext)?].concat())
    }

    /// Opens a whole message of this session.
    pub fn open_message(&self, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        let (head, sealed) = message.split_first_chunk::<HEAD_BYTES>().ok_or(MessageError::Length)?;
        if *head != self.head {
            return Err(MessageError::Refused);
        }
        self.open(sealed)
    }

    /// Seals an output: raw text of an attribute, base64 text of data and answers.
    pub fn seal(&self, text: &[u8]) -> Result<Vec<u8>, MessageError> {
        if text.len() > MAX_PLAIN_BYTES {
            return Err(MessageError::TooLong);
        }
        self.cipher().encrypt([[]; 1], text).map_err(|_| MessageError::TooLong)
    }

    /// Opens an output.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        if !(TAG_BYTES..=TAG_BYTES + MAX_PLAIN_BYTES).contains(&sealed.len()) {
            return Err(MessageError::Length);
        }
        self.cipher().decrypt([[]; 1], sealed).map(Zeroizing::new).map_err(|_| MessageError::Refused)
    }

    /// Seals a result (an error, data, an acknowledgement) for whom it goes to: behind the caller's code hash when a contract
    /// waits for it, as it is when the user does.
    pub fn seal_result(&self, to: Option<&ReplyTo>, text: &[u8]) -> Result<Vec<u8>, MessageError> {
        let Some(to) = to else { return self.seal(text) };
        let prefixed = Zeroizing::new([hex::encode(to.code_hash).as_bytes(), text].concat());
        self.seal(&prefixed)
    }

    /// [`Self::seal_result`] as standard base64: `enc` of the errors, attributes and answers in a receipt.
    pub fn seal_text(&self, to: Option<&ReplyTo>, text: &[u8]) -> Result<String, MessageError> {
        Ok(BASE64.encode(self.seal_result(to, text)?))
    }

    /// Opens a [`Self::seal_result`] whose caller has the code with this hash.
    pub fn open_result(&self, to: Option<B256>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        let text = self.open(sealed)?;
        let Some(code_hash) = to else { return Ok(text) };
        let rest = text.strip_prefix(hex::encode(code_hash).as_bytes()).ok_or(MessageError::CodeHash)?;
        Ok(Zeroizing::new(rest.to_vec()))
    }

    fn cipher(&self) -> Aes128Siv {
        self.key.expose(|key| Aes128Siv::new(key.into()))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session([REDACTED])")
    }
}

fn halves(head: &[u8; HEAD_BYTES]) -> (&[u8; 32], &[u8; 32]) {
    let (nonce, public) = head.split_at(32);
    let halves = (nonce.try_into(), public.try_into());
    (halves.0.expect("32 of 64 bytes"), halves.1.expect("32 of 64 bytes"))
}

#[cfg(test)]
mod wycheproof;
