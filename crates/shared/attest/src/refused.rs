use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

/// Why evidence was refused. Closed and without payload: the numbers may stand in a receipt and never change, and nothing
/// that a dependency wrote in words can reach the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Error, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Refused {
    /// A statement above 32 KiB or collateral above 64 KiB.
    #[error("the evidence is larger than a chain accepts")]
    Oversize = 1,
    /// Too short, or a field does not decode.
    #[error("the evidence does not decode")]
    Malformed = 2,
    /// Bytes follow the statement, or stand between its parts: one statement has one encoding.
    #[error("there are bytes that belong to nothing")]
    TrailingBytes = 3,
    /// Not version 3, 4 or 5 of a quote, nor version 2, 3 or 5 of a report.
    #[error("an unknown version of a quote or a report")]
    Version = 4,
    /// A quote with AMD's collateral, or a report with Intel's.
    #[error("statement and collateral are of different makers")]
    Mismatched = 5,
    /// A quote that does not carry its chip's own certificates (certification data of type 5), but a name for them.
    #[error("the quote does not carry its certificate chain")]
    CertificationData = 6,
    /// Reserved or padding bytes that are not zero.
    #[error("reserved bytes are not zero")]
    Reserved = 7,
    /// Evidence of a maker who has no root here: the simulated authority issues no AMD reports.
    #[error("no root for evidence of this kind")]
    NoRoot = 8,

    /// Time lies before the issue of some part of the collateral. Usually: the collateral is newer than the block.
    #[error("part of the collateral is not valid yet")]
    NotYetValid = 16,
    /// Time lies after the end of some part of the collateral. Usually: old collateral; fetch it again.
    #[error("part of the collateral has expired")]
    Expired = 17,
    /// A signature, a chain, a revocation list or a binding between them fails. Usual causes: altered bytes, another root,
    /// collateral of another processor model, a revoked certificate, firmware older than any level that Intel lists.
    #[error("the evidence does not prove what it says")]
    Unproven = 18,
    /// AMD's revocation list is not the root's, or names a certificate of the chain.
    #[error("a certificate is revoked, or that it is not cannot be shown")]
    Revocation = 19,

    /// The host can look into the enclave, the trust domain or the virtual machine.
    #[error("a debuggable environment")]
    Debug = 32,
    /// The virtual machine may be moved by a migration agent.
    #[error("an environment that may migrate")]
    Migration = 33,
    /// A report asked for by less privileged software than the guest's own firmware.
    #[error("the report is not of the most privileged level")]
    Privilege = 34,
    /// Signed by a key that is not the chip's own, or whose chip is masked.
    #[error("signed by something other than the chip's own key")]
    SigningKey = 35,
    /// The report and the chip's certificate do not name the same chip, product or firmware.
    #[error("report and certificate name different chips or firmware")]
    Chip = 36,
    /// The evidence does not tell which chip it is from.
    #[error("the chip has no identity")]
    HardwareId = 37,

    /// The policy denies the whole family.
    #[error("this family of processors is denied")]
    FamilyDenied = 48,
    /// The policy denies this model, by its FMSPC.
    #[error("this model of processor is denied")]
    ModelDenied = 49,
    /// The policy states no floor for this family of AMD's, so none of it is admitted.
    #[error("this family of processors is not listed")]
    FamilyUnlisted = 50,
    /// A TCB status that is neither up to date nor tolerated by the policy. Unknown ones are never tolerated.
    #[error("the TCB status is not accepted")]
    TcbStatus = 51,
    /// The tolerated status comes with an advisory that the policy does not list.
    #[error("an advisory is not accepted")]
    Advisory = 52,
    /// Collateral of an older evaluation than the policy's floor.
    #[error("the collateral is older than the floor")]
    OldCollateral = 53,
    /// Hyper-threads share a core, and the policy does not allow it.
    #[error("simultaneous multithreading is on")]
    Smt = 54,
    /// Processor packages may be added to the platform, and the policy does not allow it.
    #[error("a dynamic platform")]
    DynamicPlatform = 55,
    /// Intel keeps the platform's root keys, and the policy does not allow it.
    #[error("a platform with cached keys")]
    CachedKeys = 56,
    /// AMD firmware below the policy's floor.
    #[error("the firmware is older than the floor")]
    Firmware = 57,
}
