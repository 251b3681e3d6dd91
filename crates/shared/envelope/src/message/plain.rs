//! What stands inside a [`super::siv`] message:
//!
//! ```text
//! plaintext = code hash(64 hex digits) ‖ reply header * ‖ message, usually JSON
//! reply header = "REPLY01" ‖ id(8, big-endian) ‖ code hash(64 hex digits)                 79 bytes
//! ```
//!
//! The code hash says which code the sender means to call; whoever runs another one has to refuse. A reply header is written
//! by an enclave into a call that a contract makes: the result goes, under that number, to the contract with that code. The
//! first one is the immediate caller's. Users write none. (Secret Network's sub-messages.)

use core::fmt;

use alloy_primitives::{B256, hex};
use zeroize::Zeroizing;

use super::MessageError;

/// The most reply headers in one message. Every nested call that wants a reply adds one.
pub const MAX_REPLIES: usize = 128;
/// The length of a code hash as it is written.
pub const CODE_HASH_BYTES: usize = 64;
const MAGIC: &[u8; 7] = b"REPLY01";

/// A message as an enclave reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext<'a> {
    /// The SHA-256 of the code that is meant.
    pub code_hash: B256,
    /// Who gets the result, the immediate caller first. Empty for a user's message.
    pub replies: Vec<ReplyTo>,
    /// What the contract is given.
    pub message: &'a [u8],
}

/// Who gets the result of a contract's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyTo {
    /// The number that the calling contract gave to its call.
    pub id: u64,
    /// The SHA-256 of the calling contract's code.
    pub code_hash: B256,
}

impl<'a> Plaintext<'a> {
    /// What a user sends.
    pub const fn of_user(code_hash: B256, message: &'a [u8]) -> Self {
        Self { code_hash, replies: Vec::new(), message }
    }

    /// Reads an opened message. Hex digits may have either case, as users copy them from anywhere.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MessageError> {
        let (code_hash, mut message) = split_hash(bytes).ok_or(MessageError::CodeHash)?;
        let mut replies = Vec::new();
        while let Some(header) = message.strip_prefix(MAGIC) {
            let (id, rest) = header.split_first_chunk().ok_or(MessageError::ReplyHeader)?;
            let (code_hash, rest) = split_hash(rest).ok_or(MessageError::ReplyHeader)?;
            if replies.len() == MAX_REPLIES {
                return Err(MessageError::ReplyHeader);
            }
            replies.push(ReplyTo { id: u64::from_be_bytes(*id), code_hash });
            message = rest;
        }
        Ok(Self { code_hash, replies, message })
    }

    /// Writes it down, to be sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let header = MAGIC.len() + 8 + CODE_HASH_BYTES;
        let length = CODE_HASH_BYTES + self.replies.len() * header + self.message.len();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend_from_slice(hex::encode(self.code_hash).as_bytes());
        for reply in &self.replies {
            bytes.extend_from_slice(MAGIC);
            bytes.extend_from_slice(&reply.id.to_be_bytes());
            bytes.extend_from_slice(hex::encode(reply.code_hash).as_bytes());
        }
        bytes.extend_from_slice(self.message);
        bytes
    }
}

impl fmt::Debug for Plaintext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext([REDACTED])")
    }
}

fn split_hash(bytes: &[u8]) -> Option<(B256, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<CODE_HASH_BYTES>()?;
    // alloy's decoder takes a leading 0x, which would leave 31 bytes here and is refused by the length.
    let mut hash = B256::ZERO;
    hex::decode_to_slice(digits, hash.as_mut_slice()).ok()?;
    Some((hash, rest))
}
