//! Evidence that an enclave is one: parsed, verified, and held against the chain's policy.
//!
//! Pure: no clock, no files, no network. Time is handed in by whoever runs a block, collateral travels with the evidence.
//! Validators have to agree on every verdict, so it depends on the arguments of [`verify`] and on nothing else.
//!
//! Must not know: what a registration does with a verdict, which measurements are released, keys of any kind.
//!
//! # The rules
//! 1. Sizes first: 32 KiB for a [`Statement`], 64 KiB for [`Collateral`]; then exact length, no bytes that belong to nothing,
//!    and only quotes of version 3, 4 and 5.
//! 2. Intel: `dcap-qvl` in one exact version with one backend, our own root, and a policy always. Debug, migration and
//!    service domains are refused. A TCB is up to date, or its status *and* every advisory of it are listed. The TCB
//!    evaluation has a floor. SMT, dynamic platforms and cached keys are refused unless the [`Policy`] says otherwise.
//! 3. AMD: our own checks over the raw 672 signed bytes; padding and reserved bytes are zero; the root is the one compiled
//!    in for the product; signatures, dates and revocation of the chain; the certificate's chip and firmware are the
//!    report's; the most privileged level, no debug, no migration agent; a floor for the firmware, and a list of denied
//!    families.
//! 4. What runs is named by its [`Measurement`]; who signed it does not count.
//! 5. Evidence is named by the hash of its *signed part*, because the rest can be written in many ways.
//! 6. Time is an argument.
//! 7. No words of a dependency come out: [`Refused`] is closed, and a status that it does not know is refused.
//! 8. Evidence expires with the first of all the things it rests on.
//! 9. Collateral has a [hash](Collateral::hash), under which a chain stores it once.
//! 10. Another version of a dependency, another backend or another rule is an upgrade with a height.
//!
//! # Simulation
//! A simulated genesis believes [`Root::Simulated`] and nobody else. Its authority issues evidence in Intel's own format
//! and the same verifier checks it: only the root differs. The issuing half is the module `simulated_authority`, behind the
//! feature `simulator`, and is absent from a production build.
//!
//! ```
//! use cloister_attest::{Collateral, Evidence, Policy, Refused, Root, Statement, verify};
//!
//! let quote = include_bytes!("../testdata/dcap/sgx_quote").to_vec();
//! let collateral = Collateral::from_json(include_str!("../testdata/dcap/sgx_quote_collateral.json"))?;
//! let evidence = Evidence { statement: Statement::Dcap { quote }, collateral };
//!
//! // Genuine, but the processor needs attention that a production chain does not excuse.
//! let verdict = verify(&evidence, &Policy::default(), Root::Hardware, 1_750_416_971);
//! assert_eq!(verdict, Err(Refused::TcbStatus));
//! # Ok::<(), Refused>(())
//! ```

mod binding;
mod dcap;
mod evidence;
mod hash;
mod policy;
mod refused;
mod roots;
#[cfg(feature = "simulator")]
pub mod simulated_authority;
mod snp;
mod verified;

pub use binding::Binding;
pub use evidence::{Collateral, DcapCollateral, Evidence, SnpCollateral, Statement};
pub use policy::{DcapPolicy, Policy, SnpFloor, SnpTcb, Tolerated};
pub use refused::Refused;
pub use roots::Root;
pub use verified::{Family, HardwareId, Measurement, ReportData, Vendor, Verified};

/// What the evidence proves, if it is genuine under `root` and acceptable to `policy` at `now`, in seconds since the Unix
/// epoch: the time of the previous block, never a clock's.
pub fn verify(evidence: &Evidence, policy: &Policy, root: Root, now: u64) -> Result<Verified, Refused> {
    evidence.check_size()?;
    match (&evidence.statement, &evidence.collateral) {
        (Statement::Dcap { quote }, Collateral::Dcap(collateral)) => dcap::verify(quote, collateral, policy, root, now),
        (Statement::Snp { report, vcek }, Collateral::Snp(collateral)) => {
            snp::verify(report, vcek, collateral, policy, root.snp(), now)
        }
        _ => Err(Refused::Mismatched),
    }
}
