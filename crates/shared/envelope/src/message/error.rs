use thiserror::Error;

/// Why a message or an output was not sealed or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MessageError {
    /// More than [`super::MAX_PLAIN_BYTES`] of plaintext.
    #[error("a message or an output holds at most {} bytes", super::MAX_PLAIN_BYTES)]
    TooLong,
    /// The bytes are too few, too many or, in our own form, not a bucket: they were cut, or are no ciphertext at all.
    #[error("no ciphertext of this form has that length")]
    Length,
    /// The first byte names another version of our own form than 2.
    #[error("unknown version of a sealed message")]
    Version,
    /// In our own form: sealed to the network's key of an epoch that is over, or that never was.
    #[error(
        "the message is sealed to the network's key of epoch {sealed}, which is not in use: the present one is of epoch {current}"
    )]
    Epoch {
        /// The epoch that the message names.
        sealed: u64,
        /// The present one.
        current: u64,
    },
    /// The other side's X25519 key is of low order: whatever it agrees on is known to everybody.
    #[error("the public key is of low order")]
    PublicKey,
    /// Altered, or sealed to another network key, for another purpose, context or output.
    #[error("the ciphertext does not open here")]
    Refused,
    /// It opens, but the padding inside is not what the sealing side writes.
    #[error("the padding inside the ciphertext is malformed")]
    Padding,
    /// It opens, but nobody has signed for it: no permit, one for something else, or one whose last height is past or far off.
    #[error("nobody has signed for this question, or not for now")]
    Permit,
    /// It opens, but does not begin with 64 hex digits: the hash of the code that the user means to call.
    #[error("a message begins with the code hash of its contract in 64 hex digits")]
    CodeHash,
    /// It opens, but a reply header inside is cut, has no code hash, or there are more than [`super::plain::MAX_REPLIES`].
    #[error("malformed reply headers")]
    ReplyHeader,
}
