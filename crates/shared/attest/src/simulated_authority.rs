//! The issuing half of the simulated authority: imaginary chips, and a maker who publishes what is known about them.
//!
//! The evidence has Intel's own format, so that the one verifier checks it; it leads to a root of its own, so that no
//! hardware chain believes it. **Every secret key here follows from a published label: whoever reads this can issue too.**
//! That is the point: a simulated chain keeps nothing from its host.
//!
//! The same arguments give the same bytes, signatures included.
//!
//! ```
//! use cloister_attest::simulated_authority::{Bulletin, Chip, Enclave, evidence};
//! use cloister_attest::{Policy, ReportData, Refused, Root, verify};
//!
//! let (chip, now) = (Chip::new([7; 16]), 1_800_000_000);
//! let enclave = Enclave { measurement: [1; 32].into(), report_data: ReportData([2; 64]), debug: false };
//! let evidence = evidence(&chip, &enclave, &Bulletin::new(now));
//!
//! let verified = verify(&evidence, &Policy::production(), Root::Simulated, now)?;
//! assert_eq!(verified.hardware, chip.hardware_id());
//! assert_eq!(verify(&evidence, &Policy::production(), Root::Hardware, now), Err(Refused::Unproven));
//! # Ok::<(), Refused>(())
//! ```

mod certificates;

use alloy_primitives::B256;
use chrono::{DateTime, SecondsFormat};
use dcap_qvl::quote::{AuthData, AuthDataV3, CertificationData, Data, EnclaveReport, Header, Quote, Report};
use dcap_qvl::{INTEL_QE_VENDOR_ID, QeIdentity, QeTcb, QeTcbLevel, Tcb, TcbComponents, TcbInfo, TcbLevel, TcbStatus};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use parity_scale_codec::Encode;
use sha2::{Digest, Sha256};

use self::certificates::{attestation_key, chip_key, signer_key};
use crate::evidence::{Collateral, DcapCollateral, Evidence, Statement};
use crate::hash::digest;
use crate::verified::{HardwareId, ReportData};

pub use self::certificates::{PCE_ID, root_certificate};

/// An imaginary processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Its provisioning id (PPID): two chips differ in it.
    pub ppid: [u8; 16],
    /// Its model: the FMSPC.
    pub model: [u8; 6],
    /// The security version of every part of its firmware.
    pub svn: u8,
    /// Whether two threads share a core.
    pub smt: bool,
    /// Whether packages may be added.
    pub dynamic_platform: bool,
    /// Whether its root keys are kept by its maker.
    pub cached_keys: bool,
}

/// What runs on a chip and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclave {
    /// MRENCLAVE.
    pub measurement: B256,
    /// The enclave's own 64 bytes.
    pub report_data: ReportData,
    /// Whether the host can look into it.
    pub debug: bool,
}

/// What the authority publishes about a model at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// The model: the FMSPC.
    pub model: [u8; 6],
    /// The provisioning enclave of the chips; all chips here have [`PCE_ID`].
    pub pce_id: [u8; 2],
    /// Seconds since the Unix epoch.
    pub issued: u64,
    /// End of the documents, in seconds since the Unix epoch.
    pub next_update: u64,
    /// End of the revocation lists, in seconds since the Unix epoch.
    pub next_list: u64,
    /// Number of the evaluation: later ones know more.
    pub tcb_eval_data_number: u32,
    /// What is known, by security version. A chip has the first level, from the highest, that it reaches.
    pub levels: Vec<Level>,
    /// Chips whose certificates are revoked, by their PPID.
    pub revoked: Vec<[u8; 16]>,
}

/// What is known about chips from one security version on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The least security version of this level.
    pub svn: u8,
    /// Its verdict.
    pub status: LevelStatus,
    /// Numbers of advisories: 289 stands for INTEL-SA-00289.
    pub advisories: Vec<u32>,
}

/// The verdicts that Intel gives on a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelStatus {
    /// Nothing is known against it.
    UpToDate,
    /// The software has to mitigate something.
    SwHardeningNeeded,
    /// The platform's configuration may be wrong.
    ConfigurationNeeded,
    /// Both.
    ConfigurationAndSwHardeningNeeded,
    /// Newer firmware has to be installed.
    OutOfDate,
    /// Besides, the configuration may be wrong.
    OutOfDateConfigurationNeeded,
    /// Its keys are known to others.
    Revoked,
}

impl Chip {
    /// A chip of the usual model with up-to-date firmware.
    pub fn new(ppid: [u8; 16]) -> Self {
        Self { ppid, model: MODEL, svn: SVN, smt: false, dynamic_platform: false, cached_keys: false }
    }

    /// As a verifier will name it.
    pub fn hardware_id(&self) -> HardwareId {
        HardwareId::from_ppid(&self.ppid)
    }
}

/// The chip of the SIMULATED machine that seals with this key.
pub fn chip_of(sealing_key: &[u8; 32]) -> Chip {
    let name = digest("cloister/simulated-authority/chip", &[sealing_key]);
    Chip::new(*name.first_chunk().expect("a hash has 32 bytes"))
}

/// What a SIMULATED processor measures of this release's enclave: no program was looked at, only its version.
pub fn program() -> B256 {
    digest("cloister/simulated-authority/program", &[env!("CARGO_PKG_VERSION").as_bytes()])
}

impl Bulletin {
    /// For 30 days from `issued`, about the usual model: up-to-date firmware is, older is not.
    pub fn new(issued: u64) -> Self {
        let end = issued.saturating_add(30 * 24 * 60 * 60);
        Self {
            model: MODEL,
            pce_id: PCE_ID,
            issued,
            next_update: end,
            next_list: end,
            tcb_eval_data_number: 20,
            levels: vec![
                Level { svn: SVN, status: LevelStatus::UpToDate, advisories: vec![] },
                Level { svn: 1, status: LevelStatus::OutOfDate, advisories: vec![1] },
            ],
            revoked: vec![],
        }
    }
}

/// The whole evidence.
pub fn evidence(chip: &Chip, enclave: &Enclave, bulletin: &Bulletin) -> Evidence {
    Evidence { statement: statement(chip, enclave), collateral: collateral(bulletin) }
}

/// A quote of version 3.
pub fn statement(chip: &Chip, enclave: &Enclave) -> Statement {
    let header = Header {
        version: 3,
        attestation_key_type: 2,
        tee_type: 0,
        qe_svn: QE_SVN,
        pce_svn: u16::from(chip.svn),
        qe_vendor_id: INTEL_QE_VENDOR_ID,
        user_data: [0; 20],
    };
    let report = report(chip, enclave.measurement, B256::ZERO, enclave.report_data, enclave.debug);
    let attestation = attestation_key(&chip.ppid);
    let public = attestation.verifying_key().to_sec1_point(false);
    let attestation_public: [u8; 64] = public.as_bytes()[1..].try_into().expect("two coordinates of 32 bytes");

    let auth_data = [0; 32];
    let mut bound = [0; 64];
    bound[..32].copy_from_slice(&Sha256::new().chain_update(attestation_public).chain_update(auth_data).finalize());
    let quoting = self::report(chip, B256::repeat_byte(0x0e), QE_SIGNER, ReportData(bound), false).encode();
    let signed = [header.encode(), report.encode()].concat();
    let quote = Quote {
        header,
        report: Report::SgxEnclave(report),
        auth_data: AuthData::V3(AuthDataV3 {
            ecdsa_signature: sign(&attestation, &signed),
            ecdsa_attestation_key: attestation_public,
            qe_report_signature: sign(&chip_key(&chip.ppid), &quoting),
            qe_report: quoting.try_into().expect("a report has 384 bytes"),
            qe_auth_data: Data::new(auth_data.to_vec()),
            certification_data: CertificationData {
                cert_type: 5,
                body: Data::new(certificates::chip_chain(chip).into_bytes()),
            },
        }),
    };
    Statement::Dcap { quote: quote.encode() }
}

/// The documents and the lists.
pub fn collateral(bulletin: &Bulletin) -> Collateral {
    let tcb_info = json(&TcbInfo {
        id: "SGX".into(),
        version: 3,
        issue_date: date(bulletin.issued),
        next_update: date(bulletin.next_update),
        fmspc: hex::encode_upper(bulletin.model),
        pce_id: hex::encode(bulletin.pce_id),
        tcb_type: 0,
        tcb_evaluation_data_number: bulletin.tcb_eval_data_number,
        tcb_levels: bulletin.levels.iter().map(|level| level.to_qvl(bulletin.issued)).collect(),
        tdx_module: None,
        tdx_module_identities: vec![],
    });
    let qe_identity = json(&QeIdentity {
        id: "QE".into(),
        version: 2,
        issue_date: date(bulletin.issued),
        next_update: date(bulletin.next_update),
        tcb_evaluation_data_number: bulletin.tcb_eval_data_number,
        miscselect: [0; 4],
        miscselect_mask: [0xFF; 4],
        attributes: attributes(false),
        attributes_mask: [0xFF; 16],
        mrsigner: QE_SIGNER.0,
        isvprodid: 1,
        tcb_levels: vec![QeTcbLevel {
            tcb: QeTcb { isvsvn: QE_SVN },
            tcb_date: date(bulletin.issued),
            tcb_status: TcbStatus::UpToDate,
            advisory_ids: vec![],
        }],
    });
    let lists = certificates::Lists::new(bulletin);
    Collateral::Dcap(DcapCollateral {
        root_crl: lists.root,
        pck_crl: lists.chips,
        tcb_info_signature: sign(&signer_key(), tcb_info.as_bytes()),
        tcb_info,
        tcb_info_chain: certificates::signer_chain(),
        qe_identity_signature: sign(&signer_key(), qe_identity.as_bytes()),
        qe_identity,
        qe_identity_chain: certificates::signer_chain(),
    })
}

impl Level {
    fn to_qvl(&self, date_of: u64) -> TcbLevel {
        TcbLevel {
            tcb: Tcb {
                sgx_components: vec![TcbComponents { svn: self.svn }; 16],
                tdx_components: vec![],
                pce_svn: u16::from(self.svn),
            },
            tcb_date: date(date_of),
            tcb_status: match self.status {
                LevelStatus::UpToDate => TcbStatus::UpToDate,
                LevelStatus::SwHardeningNeeded => TcbStatus::SWHardeningNeeded,
                LevelStatus::ConfigurationNeeded => TcbStatus::ConfigurationNeeded,
                LevelStatus::ConfigurationAndSwHardeningNeeded => TcbStatus::ConfigurationAndSWHardeningNeeded,
                LevelStatus::OutOfDate => TcbStatus::OutOfDate,
                LevelStatus::OutOfDateConfigurationNeeded => TcbStatus::OutOfDateConfigurationNeeded,
                LevelStatus::Revoked => TcbStatus::Revoked,
            },
            advisory_ids: self.advisories.iter().map(|number| format!("INTEL-SA-{number:05}")).collect(),
        }
    }
}

fn report(chip: &Chip, enclave: B256, signer: B256, data: ReportData, debug: bool) -> EnclaveReport {
    EnclaveReport {
        cpu_svn: [chip.svn; 16],
        misc_select: 0,
        reserved1: [0; 28],
        attributes: attributes(debug),
        mr_enclave: enclave.0,
        reserved2: [0; 32],
        mr_signer: signer.0,
        reserved3: [0; 96],
        isv_prod_id: 1,
        isv_svn: QE_SVN,
        reserved4: [0; 60],
        report_data: data.0,
    }
}

/// Initialised, 64 bits, with the usual state components.
fn attributes(debug: bool) -> [u8; 16] {
    let mut attributes = [0; 16];
    attributes[0] = if debug { 0x07 } else { 0x05 };
    attributes[8] = 0x07;
    attributes
}

fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    let signature: Signature = key.sign(message);
    signature.to_bytes().into()
}

fn json(document: &impl serde::Serialize) -> String {
    serde_json::to_string(document).expect("the documents hold nothing that JSON cannot")
}

/// A date as Intel writes it. What is beyond the calendar is its last second.
fn date(seconds: u64) -> String {
    let seconds = i64::try_from(seconds.min(certificates::END)).expect("the calendar ends before");
    let date = DateTime::from_timestamp(seconds, 0).expect("within the calendar");
    date.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The usual model.
const MODEL: [u8; 6] = *b"CLOIST";
/// Up-to-date firmware.
const SVN: u8 = 2;
/// Of the quoting enclave.
const QE_SVN: u16 = 1;
/// Who signed the quoting enclave.
const QE_SIGNER: B256 = B256::repeat_byte(0x51);
