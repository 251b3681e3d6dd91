//! Permits: who asks, for exactly what, and until when (M-09, M-11).
//!
//! A question costs nothing and leaves no trace. So a host could ask again for ever what it once saw somebody ask, and an estimate
//! that anybody may make in anybody's name would tell whether the other one has the coins for it. Both are therefore signed by
//! the key of the account that asks. The permit is sealed together with what is asked: only enclaves learn who it is.
//!
//! ```text
//! sealed    = signature(64) ‖ public key(33) ‖ last height(8) ‖ text
//! signature = r ‖ s, low s: ECDSA on secp256k1 (SEC 1) over
//!             SHA-256(parts("permit", ad, nonce, client's X25519 key, last height, SHA-256(text)))
//! ```
//!
//! * `ad` is the message's associated data: purpose, epoch, chain, contract, code hash, and of an estimate sender, function and
//!   deposit. Nonce and client's key are those of the message, and the answer is sealed to that key. So a permit is for one
//!   message, for one reader, and a question about anything else needs another one.
//! * The last height is the last one of the chain's tip at which it is answered; [`Term`] is the enclave's side of that.
//! * What is signed begins with four bytes of which the first is zero, which no transaction of either door begins with.

use alloy_primitives::B256;
use cloister_teeth::{Mechanism, holds};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    AnswerKeys, CallContext, ESTIMATE_INPUT, ExchangeKey, Head, MessageError, QUERY_INPUT, QueryContext, Sealer, parts,
    split,
};
use crate::AccountKey;
use crate::signature::is_signed;

/// Signature, public key and last height, which stand before what is asked.
pub const PERMIT_BYTES: usize = SIGNATURE_BYTES + KEY_BYTES + HEIGHT_BYTES;
const SIGNATURE_BYTES: usize = 64;
const KEY_BYTES: usize = 33;
const HEIGHT_BYTES: usize = 8;

/// At what heights of the chain a permit is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The newest height that the enclave knows.
    pub tip: u64,
    /// How far above it a permit may end, so that none is for ever.
    pub most: u64,
}

/// What somebody asks, and who.
#[derive(Debug)]
pub struct Asked {
    /// The compressed public key of the account that signed for it.
    pub reader: [u8; KEY_BYTES],
    /// What is asked.
    pub text: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// Seals a question that `reader` signs, to be answered up to the height `last`. The keys open the answer.
    pub fn signed_query(
        self,
        context: &QueryContext<'_>,
        reader: &AccountKey,
        last: u64,
        question: &[u8],
    ) -> Result<(Vec<u8>, AnswerKeys), MessageError> {
        let signed = self.sign(&context.associated_data(QUERY_INPUT, self.head.epoch), reader, last, question);
        self.query(context, &signed)
    }

    /// Seals the input of a call whose gas is to be estimated, signed by its sender, to be answered up to the height `last`. The
    /// keys open the answer.
    pub fn signed_estimate(
        self,
        context: &CallContext<'_>,
        sender: &AccountKey,
        last: u64,
        input: &[u8],
    ) -> Result<(Vec<u8>, AnswerKeys), MessageError> {
        let signed = self.sign(&context.associated_data(ESTIMATE_INPUT, self.head.epoch), sender, last, input);
        self.estimate(context, &signed)
    }

    fn sign(&self, associated_data: &[u8], reader: &AccountKey, last: u64, text: &[u8]) -> Zeroizing<Vec<u8>> {
        let signature = reader.sign_digest(digest(associated_data, &self.head, last, text));
        let mut signed = Zeroizing::new(Vec::with_capacity(PERMIT_BYTES.saturating_add(text.len())));
        signed.extend_from_slice(&signature[..SIGNATURE_BYTES]);
        signed.extend_from_slice(&reader.public_key());
        signed.extend_from_slice(&last.to_be_bytes());
        signed.extend_from_slice(text);
        signed
    }
}

/// The enclave's side: opens a question and checks its permit. The keys seal the answer.
pub fn open_query(
    network: &ExchangeKey,
    context: &QueryContext<'_>,
    message: &[u8],
    term: Term,
) -> Result<(AnswerKeys, Asked), MessageError> {
    let (keys, signed) = super::open_query(network, context, message)?;
    let (head, _) = split(message)?;
    let asked = check(&context.associated_data(QUERY_INPUT, head.epoch), &head, &signed, term)?;
    Ok((keys, asked))
}

/// The enclave's side: opens the input of an estimate and checks its permit. Whether the reader is the sender is for the caller
/// to compare. The keys seal the answer.
pub fn open_estimate(
    network: &ExchangeKey,
    context: &CallContext<'_>,
    message: &[u8],
    term: Term,
) -> Result<(AnswerKeys, Asked), MessageError> {
    let (keys, signed) = super::open_estimate(network, context, message)?;
    let (head, _) = split(message)?;
    let asked = check(&context.associated_data(ESTIMATE_INPUT, head.epoch), &head, &signed, term)?;
    Ok((keys, asked))
}

fn check(associated_data: &[u8], head: &Head, signed: &[u8], term: Term) -> Result<Asked, MessageError> {
    let (signature, rest) = signed.split_first_chunk().ok_or(MessageError::Permit)?;
    let (reader, rest) = rest.split_first_chunk().ok_or(MessageError::Permit)?;
    let (last, text) = rest.split_first_chunk().ok_or(MessageError::Permit)?;
    let last = u64::from_be_bytes(*last);
    let in_time = last.checked_sub(term.tip).is_some_and(|ahead| ahead <= term.most);
    let good = in_time && is_signed(digest(associated_data, head, last, text), signature, reader);
    if !good && holds(Mechanism::Permits) {
        return Err(MessageError::Permit);
    }
    Ok(Asked { reader: *reader, text: Zeroizing::new(text.to_vec()) })
}

fn digest(associated_data: &[u8], head: &Head, last: u64, text: &[u8]) -> B256 {
    let (last, text) = (last.to_be_bytes(), Sha256::digest(text));
    let signed = parts("permit", &[associated_data, &head.nonce, &head.client, &last, &text]);
    B256::from_slice(&Sha256::digest(signed))
}
