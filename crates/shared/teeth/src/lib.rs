//! The switches of the hostile-host kit: which mechanism of defence is at work.
//!
//! An attack that fails proves something only if it would succeed without the defence. So each defence that the kit attacks asks
//! [`holds`] in one place. In every build but the kit's own that is a constant, and the compiler removes the question; with
//! the feature `teeth`, which no product has and no release build accepts, the kit switches off one mechanism at a time.
//!
//! Beside them stands what a test of M-07 asks: how often something was [`decrypted`].
//!
//! Must not know: what the mechanisms do.
//!
//! ```
//! use cloister_teeth::{Mechanism, holds};
//! assert!(Mechanism::ALL.into_iter().all(holds), "nobody has switched anything off");
//! ```

mod count;

pub use count::decrypted;
#[cfg(debug_assertions)]
pub use count::decryptions;

#[cfg(all(feature = "teeth", not(debug_assertions)))]
compile_error!("the feature `teeth` switches defences off: it is for the hostile-host kit, never for a release");

/// Names every mechanism once.
macro_rules! mechanisms {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// What can be switched off.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Mechanism {
            $($(#[$doc])+ $name,)+
        }

        impl Mechanism {
            /// All of them.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$name),+];

            /// Its name on a command line.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

mechanisms! {
    /// M-01: a block is executed only with a certificate.
    Certificate = "certificate",
    /// M-01: more than two thirds of the power have to sign.
    Power = "power",
    /// M-01: nobody signs twice.
    DistinctSigners = "distinct-signers",
    /// M-01: a signature is over this very statement.
    Signatures = "signatures",
    /// M-01, G4: a block is the one above the last, on its state.
    Succession = "succession",
    /// M-08: the time of a header is above its parent's.
    Time = "time",
    /// M-01: a header commits to the transactions of its block.
    DataHash = "data-hash",
    /// M-01: on a trail, a set is the one that the header before it names.
    SetLink = "set-link",
    /// M-01: on a trail, who has handed over signs no more.
    Rotation = "rotation",
    /// M-03: loaded leaves have the root of the checkpoint.
    LoadedRoot = "loaded-root",
    /// M-03: a value from the host has the hash that the tree holds.
    ReadProof = "read-proof",
    /// M-03: a blob from the host has the hash that it was asked for by.
    BlobHash = "blob-hash",
    /// M-05: what is sealed opens on its own machine only.
    MachineKey = "machine-key",
    /// D11: an enclave on a simulated machine serves simulated chains only.
    SimulatedOnly = "simulated-only",
    /// M-13, D8: what a block draws hangs on its own header.
    HeaderInSalts = "header-in-salts",
    /// M-13: a sealed value opens in its own record only.
    StateContext = "state-context",
    /// M-10: questions to contracts are counted.
    QueryCount = "query-count",
    /// M-07: a simulation runs no contract.
    BlindSimulation = "blind-simulation",
    /// M-07: `eth_call` evaluates nothing confidential.
    BlindCalls = "blind-calls",
    /// M-11: an estimation evaluates nothing confidential.
    BlindEstimates = "blind-estimates",
    /// D12: a user's key is shown on a chain of one validator only.
    KeyLens = "key-lens",
    /// M-31: a user's key is handed to whom the user signed for.
    KeyRequest = "key-request",
    /// M-32: an input text is for its sender, contract and function.
    InputTexts = "input-texts",
    /// M-32: a network ciphertext is opened only where its contract stored it.
    AuthenticCells = "authentic-cells",
    /// R3: a sealed message is for its sender, contract, code, deposit and chain.
    EnvelopeContext = "envelope-context",
    /// R3: an output is for its place in its transaction.
    OutputPlace = "output-place",
    /// R3: two answers under one message have two keys.
    OutputSalt = "output-salt",
    /// M-14: a public key for which everybody knows the secret is refused.
    LowOrder = "low-order",
    /// M-21: evidence is for one registration on one chain.
    EvidenceBinding = "evidence-binding",
    /// M-04: an enclave that counts questions answers none before the chain has seen its start.
    SeenStart = "seen-start",
    /// M-06: of two runs on one chip the later counts, and gets the seed with the next epoch.
    OneRun = "one-run",
    /// M-23: evidence and boot key serve once.
    EvidenceOnce = "evidence-once",
    /// M-24: evidence is judged at the time of the chain.
    EvidenceTime = "evidence-time",
    /// M-23: a chip belongs to one owner.
    OneOwner = "one-owner",
    /// M-28: a program has to be released.
    Releases = "releases",
    /// M-23: what the policy denies as a whole is not admitted.
    DeniedFamily = "denied-family",
    /// M-24: collateral of an older evaluation than the policy's floor is not taken.
    TcbFloor = "tcb-floor",
    /// M-27: a revoked chip is never admitted again.
    Revocation = "revocation",
    /// M-29: who is trusted is for a proposal to decide.
    OnlyByProposal = "only-by-proposal",
    /// M-28: enough rebuilders vouch for a release.
    Rebuilds = "rebuilds",
    /// M-23: an account has less than its share of the enclaves.
    Caps = "caps",
    /// M-12: an error text of a confidential call leaves sealed.
    SealedErrors = "sealed-errors",
    /// M-18: lengths show as buckets only.
    Padding = "padding",
    /// M-01: a signature has one form (EIP-2).
    LowS = "low-s",
    /// G4: a sequence is used once.
    Sequence = "sequence",
    /// A frame has a bound.
    FrameBound = "frame-bound",
    /// M-05, M-26: what is kept of the roots has to lead to the state's epoch, and is brought there.
    StateEpoch = "state-epoch",
    /// M-26: the root of a retired epoch is erased.
    Erasure = "erasure",
    /// M-26: after the time of grace nothing opens that was sealed to the former input key.
    Grace = "grace",
    /// M-26: each epoch has a root of its own, and what it seals says so under the seal.
    EpochOfItsOwn = "epoch-of-its-own",
    /// M-19: a confidential operation has one price, whatever it works on.
    FlatPrice = "flat-price",
    /// M-09, M-11: who asks has signed for this very question, until a height that is not past.
    Permits = "permits",
}

/// Whether a mechanism is at work: always.
#[cfg(not(feature = "teeth"))]
pub const fn holds(_: Mechanism) -> bool {
    true
}

#[cfg(feature = "teeth")]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Mechanism;

    /// Whether a mechanism is at work: all but the one that [`only_without`] named last.
    pub fn holds(mechanism: Mechanism) -> bool {
        OFF.load(Ordering::Relaxed) != mechanism as u8
    }

    /// Switches one mechanism of this process off, and every other one on.
    pub fn only_without(mechanism: Option<Mechanism>) {
        OFF.store(mechanism.map_or(NONE, |mechanism| mechanism as u8), Ordering::Relaxed);
    }

    static OFF: AtomicU8 = AtomicU8::new(NONE);
    const NONE: u8 = u8::MAX;
}
#[cfg(feature = "teeth")]
pub use switch::{holds, only_without};

/// A build without the feature answers before it runs, so there is nothing in it that could be switched.
#[cfg(not(feature = "teeth"))]
const _: () = {
    let mut at = 0;
    while at < Mechanism::ALL.len() {
        assert!(holds(Mechanism::ALL[at]));
        at += 1;
    }
};
