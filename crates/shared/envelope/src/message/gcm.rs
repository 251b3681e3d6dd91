//! Our own form: AES-256-GCM (SP 800-38D), every key used for one plaintext.
//!
//! ```text
//! secret  = HKDF-Extract(no salt, X25519(client, network) ‖ nonce)                                       RFC 5869, SHA-256
//! derive(label, context …) = HKDF-Expand(secret, parts(label, client's key, network's key, context …))
//!
//! message = version(1) = 2 ‖ epoch(8) ‖ nonce(32) ‖ client's X25519 public key(32) ‖ AES-256-GCM(key, pad(plaintext))
//!   key   = derive(purpose)                          purpose: "call input", "estimate input" or "query input"
//!   ad    = parts(purpose, epoch, everything in CallContext or QueryContext)
//!
//! output  = version(1) = 2 ‖ salt(16) ‖ AES-256-GCM(key, pad(text))
//!   salt  = derive("call output salt", transaction hash, message index, output index, pad(text))
//!   key   = derive("call output", transaction hash, message index, output index, salt)
//! answer  = the same with "query answer salt" and "query answer", without hash and indices; to an estimate with
//!           "estimate answer salt" and "estimate answer"
//!
//! parts(label, a, b …) = part("cloister envelope v1/<label>") ‖ part(a) ‖ part(b) …
//! part(x) = length of x as 4 big-endian bytes ‖ x; indices and epochs are 8 big-endian bytes
//! ```
//!
//! * GCM's nonce is twelve zero bytes: there is one key per plaintext, so it has nothing to tell apart. For a message that
//!   rests on the client's fresh nonce, for an output on its salt.
//! * The salt is a pseudorandom function of the text, as in RFC 5297. Enclaves have no randomness to agree on, and one
//!   transaction can be executed twice (a fork, a revert of a dev node) and one query be answered at many heights: another
//!   text has another key, and the same text gives the same bytes.
//! * The epoch is that of the network's key. It stands in the clear, so that whoever has the key of another one says so
//!   instead of failing to open.
//! * The sealed text is padded ([`super::BUCKETS`]): only the bucket shows.
//! * What a question or an estimate seals is signed by who asks ([`permit`]); a call is signed with its transaction.
//! * A message opens for its own chain, sender, contract, function, code and deposit only, an output for its own place only,
//!   and an estimate or a query is never a call. What a client seals, it can open: nothing is proven to third parties.

pub mod permit;

use core::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use alloy_primitives::B256;
use cloister_teeth::{Mechanism, holds};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::context::parts;
use super::{BUCKETS, CallContext, ExchangeKey, MessageError, QueryContext};
use crate::Secret;

/// The first byte of everything in this form.
pub const VERSION: u8 = 2;
/// Version, epoch, nonce and public key, which stand before every message.
pub const HEAD_BYTES: usize = 1 + EPOCH_BYTES + 64;
/// Version and salt, which stand before every output.
pub const OUTPUT_HEAD_BYTES: usize = 1 + SALT_BYTES;
const EPOCH_BYTES: usize = 8;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// The network's key of one epoch, as clients seal to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputKey {
    /// The epoch.
    pub epoch: u64,
    /// The X25519 public key: the u-coordinate, 32 little-endian bytes.
    pub public: [u8; 32],
}

/// The epoch to whose key a message says that it is sealed. It opens with no other epoch's number.
pub fn epoch(message: &[u8]) -> Result<u64, MessageError> {
    Ok(split(message)?.0.epoch)
}

/// The client's side of one message: whatever is sealed uses it up, and with it the nonce.
pub struct Sealer {
    head: Head,
    secret: Agreed,
}

impl Sealer {
    /// Agrees with the network's key of the present epoch under a nonce that is fresh from the operating system.
    pub fn new(client: &ExchangeKey, network: &InputKey, nonce: [u8; 32]) -> Result<Self, MessageError> {
        let InputKey { epoch, public } = *network;
        let head = Head { epoch, nonce, client: client.public() };
        Ok(Self { secret: Agreed::new(client, &public, &head, public)?, head })
    }

    /// Seals the input of a call. The keys open its outputs.
    pub fn call(self, context: &CallContext<'_>, plain: &[u8]) -> Result<(Vec<u8>, CallKeys), MessageError> {
        let message = self.seal(CALL_INPUT, &context.associated_data(CALL_INPUT, self.head.epoch), plain)?;
        Ok((message, CallKeys(self.secret)))
    }

    /// Seals the input of a call whose gas is to be estimated, as it is: for [`Sealer::signed_estimate`]. The keys open the answer.
    pub fn estimate(self, context: &CallContext<'_>, plain: &[u8]) -> Result<(Vec<u8>, AnswerKeys), MessageError> {
        let message = self.seal(ESTIMATE_INPUT, &context.associated_data(ESTIMATE_INPUT, self.head.epoch), plain)?;
        Ok((message, AnswerKeys { agreed: self.secret, labels: ESTIMATE_ANSWER }))
    }

    /// Seals a question as it is: for [`Sealer::signed_query`]. The keys open the answer.
    pub fn query(self, context: &QueryContext<'_>, plain: &[u8]) -> Result<(Vec<u8>, AnswerKeys), MessageError> {
        let message = self.seal(QUERY_INPUT, &context.associated_data(QUERY_INPUT, self.head.epoch), plain)?;
        Ok((message, AnswerKeys { agreed: self.secret, labels: QUERY_ANSWER }))
    }

    fn seal(&self, label: &str, associated_data: &[u8], plain: &[u8]) -> Result<Vec<u8>, MessageError> {
        let padded = BUCKETS.pad(plain).ok_or(MessageError::TooLong)?;
        let sealed = encrypt(&self.secret.derive(label, &[]), associated_data, &padded);
        Ok([self.head.to_bytes().as_slice(), &sealed].concat())
    }
}

/// The enclave's side: opens the input of a call. The keys seal its outputs.
pub fn open_call(
    network: &ExchangeKey,
    context: &CallContext<'_>,
    message: &[u8],
) -> Result<(CallKeys, Zeroizing<Vec<u8>>), MessageError> {
    let (head, sealed) = split(message)?;
    let secret = Agreed::new(network, &head.client, &head, network.public())?;
    let plain = secret.open(CALL_INPUT, &context.associated_data(CALL_INPUT, head.epoch), sealed)?;
    Ok((CallKeys(secret), plain))
}

/// The enclave's side: opens the input of an estimate, whose permit [`permit::open_estimate`] checks. The keys seal the answer.
pub fn open_estimate(
    network: &ExchangeKey,
    context: &CallContext<'_>,
    message: &[u8],
) -> Result<(AnswerKeys, Zeroizing<Vec<u8>>), MessageError> {
    let (head, sealed) = split(message)?;
    let secret = Agreed::new(network, &head.client, &head, network.public())?;
    let plain = secret.open(ESTIMATE_INPUT, &context.associated_data(ESTIMATE_INPUT, head.epoch), sealed)?;
    Ok((AnswerKeys { agreed: secret, labels: ESTIMATE_ANSWER }, plain))
}

/// The enclave's side: opens a question, whose permit [`permit::open_query`] checks. The keys seal the answer.
pub fn open_query(
    network: &ExchangeKey,
    context: &QueryContext<'_>,
    message: &[u8],
) -> Result<(AnswerKeys, Zeroizing<Vec<u8>>), MessageError> {
    let (head, sealed) = split(message)?;
    let secret = Agreed::new(network, &head.client, &head, network.public())?;
    let plain = secret.open(QUERY_INPUT, &context.associated_data(QUERY_INPUT, head.epoch), sealed)?;
    Ok((AnswerKeys { agreed: secret, labels: QUERY_ANSWER }, plain))
}

/// The client's side, later: opens the input of its own call as it stands in the chain. The keys open its outputs.
pub fn reread_call(
    client: &ExchangeKey,
    network: &[u8; 32],
    context: &CallContext<'_>,
    message: &[u8],
) -> Result<(CallKeys, Zeroizing<Vec<u8>>), MessageError> {
    let (head, sealed) = split(message)?;
    if head.client != client.public() {
        return Err(MessageError::Refused);
    }
    let secret = Agreed::new(client, network, &head, *network)?;
    let plain = secret.open(CALL_INPUT, &context.associated_data(CALL_INPUT, head.epoch), sealed)?;
    Ok((CallKeys(secret), plain))
}

/// What seals and opens the outputs of one call, the same on both sides.
pub struct CallKeys(Agreed);

impl CallKeys {
    /// Seals one output.
    pub fn seal_output(&self, place: &OutputPlace, text: &[u8]) -> Result<Vec<u8>, MessageError> {
        let [message, output] = place.indices();
        self.0.seal_output(CALL_OUTPUT, &[place.transaction.as_slice(), &message, &output], text)
    }

    /// Opens the output that stands in this place.
    pub fn open_output(&self, place: &OutputPlace, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        self.output_key(place, sealed)?.open(sealed)
    }

    /// The key of the output that stands in this place, to be shown to somebody else. It opens nothing but that output.
    pub fn output_key(&self, place: &OutputPlace, sealed: &[u8]) -> Result<OutputKey, MessageError> {
        let [message, output] = place.indices();
        self.0.output_key(CALL_OUTPUT, &[place.transaction.as_slice(), &message, &output], sealed)
    }
}

/// What opens one output (M-34).
///
/// GCM alone does not commit to its key: whoever may choose the ciphertext can make one that opens under two. Here nobody may.
/// An enclave sealed the output under a key that follows from its text, by way of the salt, so that another key for the very
/// bytes that stand in a block has to be found and cannot be prepared.
#[derive(PartialEq, Eq)]
pub struct OutputKey(Secret<32>);

impl OutputKey {
    /// Takes over a key that somebody shows.
    pub const fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    /// The key itself: whoever has it reads the output.
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// Opens the output.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        let (_, sealed) = split_version::<SALT_BYTES>(sealed)?;
        decrypt(&self.0, &[], sealed)
    }
}

impl fmt::Debug for OutputKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OutputKey([REDACTED])")
    }
}

impl fmt::Debug for CallKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallKeys([REDACTED])")
    }
}

/// Where an output stands. No two outputs of a chain have the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputPlace {
    /// The hash of the transaction.
    pub transaction: B256,
    /// Which message of the transaction, from 0.
    pub message: u64,
    /// Which output of the message and of the calls that it led to, from 0.
    pub output: u64,
}

impl OutputPlace {
    const fn indices(&self) -> [[u8; 8]; 2] {
        [self.message.to_be_bytes(), self.output.to_be_bytes()]
    }
}

/// What seals and opens the answer to one question or estimate, the same on both sides.
pub struct AnswerKeys {
    agreed: Agreed,
    labels: [&'static str; 2],
}

impl AnswerKeys {
    /// Seals the answer.
    pub fn seal_answer(&self, text: &[u8]) -> Result<Vec<u8>, MessageError> {
        self.agreed.seal_output(self.labels, &[], text)
    }

    /// Opens the answer. It says nothing about its age: the text has to name its height.
    pub fn open_answer(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        self.agreed.output_key(self.labels, &[], sealed)?.open(sealed)
    }
}

impl fmt::Debug for AnswerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerKeys([REDACTED])")
    }
}

/// What stands before a message.
struct Head {
    epoch: u64,
    nonce: [u8; 32],
    client: [u8; 32],
}

impl Head {
    fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [VERSION; HEAD_BYTES];
        bytes[1..9].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[9..41].copy_from_slice(&self.nonce);
        bytes[41..].copy_from_slice(&self.client);
        bytes
    }
}

fn split(message: &[u8]) -> Result<(Head, &[u8]), MessageError> {
    let (head, sealed) = split_version::<{ HEAD_BYTES - 1 }>(message)?;
    let mut epoch = [0; EPOCH_BYTES];
    epoch.copy_from_slice(&head[..8]);
    let mut parsed = Head { epoch: u64::from_be_bytes(epoch), nonce: [0; 32], client: [0; 32] };
    parsed.nonce.copy_from_slice(&head[8..40]);
    parsed.client.copy_from_slice(&head[40..]);
    Ok((parsed, sealed))
}

/// `version ‖ head(N) ‖ sealed`, when `sealed` has a length that sealing gives.
fn split_version<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), MessageError> {
    let (version, rest) = bytes.split_first().ok_or(MessageError::Length)?;
    if *version != VERSION {
        return Err(MessageError::Version);
    }
    let (head, sealed) = rest.split_first_chunk().ok_or(MessageError::Length)?;
    match sealed.len().checked_sub(TAG_BYTES) {
        Some(padded) if BUCKETS.holds(padded) => Ok((head, sealed)),
        _ => Err(MessageError::Length),
    }
}

/// The secret of one message.
struct Agreed {
    hkdf: Hkdf<Sha256>,
    client: [u8; 32],
    network: [u8; 32],
}

impl Agreed {
    fn new(own: &ExchangeKey, theirs: &[u8; 32], head: &Head, network: [u8; 32]) -> Result<Self, MessageError> {
        let mut material = Zeroizing::new([0; 64]);
        own.agree(theirs)?.expose(|shared| material[..32].copy_from_slice(shared));
        material[32..].copy_from_slice(&head.nonce);
        Ok(Self { hkdf: Hkdf::new(None, material.as_slice()), client: head.client, network })
    }

    fn open(&self, label: &str, associated_data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
        decrypt(&self.derive(label, &[]), associated_data, sealed)
    }

    fn seal_output(&self, labels: [&str; 2], place: &[&[u8]], text: &[u8]) -> Result<Vec<u8>, MessageError> {
        let [salt_label, key_label] = labels;
        let padded = BUCKETS.pad(text).ok_or(MessageError::TooLong)?;
        let place = if holds(Mechanism::OutputPlace) { place } else { &[] };
        let salted: &[&[u8]] = if holds(Mechanism::OutputSalt) { &[padded.as_slice()] } else { &[] };
        let salt: Secret<SALT_BYTES> = self.derive(salt_label, &[place, salted].concat());
        salt.expose(|salt| {
            let sealed = encrypt(&self.derive(key_label, &[place, &[salt]].concat()), &[], &padded);
            Ok([&[VERSION], salt.as_slice(), &sealed].concat())
        })
    }

    fn output_key(&self, labels: [&str; 2], place: &[&[u8]], sealed: &[u8]) -> Result<OutputKey, MessageError> {
        let [_, key_label] = labels;
        let (salt, _) = split_version::<SALT_BYTES>(sealed)?;
        let place = if holds(Mechanism::OutputPlace) { place } else { &[] };
        Ok(OutputKey(self.derive(key_label, &[place, &[salt]].concat())))
    }

    fn derive<const N: usize>(&self, label: &str, context: &[&[u8]]) -> Secret<N> {
        let info = Zeroizing::new(parts(label, &[&[&self.client[..], &self.network], context].concat()));
        Secret::fill(|output| self.hkdf.expand(&info, output).expect("no output is longer than 255 hashes"))
    }
}

fn encrypt(key: &Secret<32>, associated_data: &[u8], padded: &[u8]) -> Vec<u8> {
    let payload = Payload { msg: padded, aad: associated_data };
    cipher(key).encrypt(&Nonce::default(), payload).expect("the largest bucket is far below GCM's limit of 64 GiB")
}

fn decrypt(key: &Secret<32>, associated_data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MessageError> {
    let payload = Payload { msg: sealed, aad: associated_data };
    let padded = cipher(key).decrypt(&Nonce::default(), payload).map_err(|_| MessageError::Refused)?;
    BUCKETS.unpad(Zeroizing::new(padded)).ok_or(MessageError::Padding)
}

fn cipher(key: &Secret<32>) -> Aes256Gcm {
    key.expose(|key| Aes256Gcm::new(key.into()))
}

const CALL_INPUT: &str = "call input";
const ESTIMATE_INPUT: &str = "estimate input";
const QUERY_INPUT: &str = "query input";
const CALL_OUTPUT: [&str; 2] = ["call output salt", "call output"];
const QUERY_ANSWER: [&str; 2] = ["query answer salt", "query answer"];
const ESTIMATE_ANSWER: [&str; 2] = ["estimate answer salt", "estimate answer"];

#[cfg(test)]
mod wycheproof;
