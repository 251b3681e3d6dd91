use thiserror::Error;

/// Why an envelope was refused.
///
/// The precompile answers each of these with the same plain revert; the difference is for clients and for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The signature is not 65 bytes: COTI's own negative tests send 64 zero bytes or none.
    #[error("a signature has 65 bytes: r, s and v")]
    SignatureLength,
    /// The last byte is none of 0, 1 (plain digest) and 27, 28 (EIP-191 digest).
    #[error("the last byte of a signature is 0, 1, 27 or 28")]
    RecoveryId,
    /// `s` lies in the upper half of the group order: a malleated copy of a good signature.
    #[error("the s of a signature lies in the lower half of the group order")]
    HighS,
    /// `r` or `s` is zero or too large, or `r` is not on the curve.
    #[error("no public key belongs to this signature")]
    Unrecoverable,
    /// A good signature of somebody else, or over other bytes: another sender, contract, function or ciphertext.
    #[error("the signature is not the expected account's over these bytes")]
    WrongSigner,
    /// The secret is zero or not below the group order.
    #[error("not a secp256k1 secret key")]
    AccountKey,
    /// The on-boarding payload is shorter than 65 + 257 or longer than 65 + 512 bytes.
    #[error("an on-boarding request has 322 to 577 bytes: a signature and an RSA public key")]
    RequestLength,
    /// The public key is not one canonical DER SubjectPublicKeyInfo of the RSA type, or bytes follow it.
    #[error("not a DER-encoded RSA public key")]
    PublicKey,
    /// A well-formed RSA key of another size: its ciphertexts would not fit the contract's slices of 256 bytes.
    #[error("the RSA key has to have 2048 bits")]
    KeySize,
    /// A well-formed RSA key with another exponent than 65537: small ones weaken the encryption.
    #[error("the RSA exponent has to be 65537")]
    Exponent,
    /// The private key is not a DER-encoded RSA key of 2048 bits, or its parts do not belong together.
    #[error("not a DER-encoded RSA private key of 2048 bits")]
    PrivateKey,
    /// The share does not open with this RSA key: another on-boarding's key, or altered bytes.
    #[error("the share does not open with this RSA key")]
    Share,
    /// The text of an AES key is not 32 lower-case hex digits.
    #[error("a user's AES key is written as 32 lower-case hex digits")]
    KeyText,
    /// The cells hold no UTF-8: usually they were opened with another user's key.
    #[error("the cells hold no UTF-8 text: opened with another key?")]
    NotText,
}
