//! Evidence as it travels: bounded before it is decoded, and in two parts, because many chips share the second.

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use dcap_qvl::QuoteCollateralV3;

use crate::hash::digest;
use crate::refused::Refused;
use crate::verified::{HardwareId, ReportData};
use crate::{dcap, snp};

/// A statement and what is needed to check it without asking its maker.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// What one chip signed.
    pub statement: Statement,
    /// What the maker publishes about chips of this model.
    pub collateral: Collateral,
}

/// What a chip signed, with the certificates that are its own.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Statement {
    /// An Intel quote, of an enclave or a trust domain.
    Dcap {
        /// Version 3, 4 or 5, with its certificate chain inside.
        quote: Vec<u8>,
    },
    /// An AMD SEV-SNP attestation report.
    Snp {
        /// 1 184 bytes.
        report: Vec<u8>,
        /// The certificate of the chip's versioned key, DER.
        vcek: Vec<u8>,
    },
}

/// What a maker publishes. A chain stores it once, under its [hash](Collateral::hash), for all registrations that name it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[allow(clippy::large_enum_variant, reason = "never many at once, and most of each is on the heap")]
pub enum Collateral {
    /// Intel's.
    Dcap(DcapCollateral),
    /// AMD's.
    Snp(SnpCollateral),
}

/// Intel's collateral, each document exactly as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DcapCollateral {
    /// Revocation list of the root, DER.
    pub root_crl: Vec<u8>,
    /// Revocation list of the authority that certifies the chips, DER.
    pub pck_crl: Vec<u8>,
    /// The TCB levels of the processor model, JSON.
    pub tcb_info: String,
    /// ECDSA P-256 over it: `r ‖ s`.
    pub tcb_info_signature: [u8; 64],
    /// Who signed it, leaf first, PEM.
    pub tcb_info_chain: String,
    /// The quoting enclave, JSON.
    pub qe_identity: String,
    /// ECDSA P-256 over it: `r ‖ s`.
    pub qe_identity_signature: [u8; 64],
    /// Who signed it, leaf first, PEM.
    pub qe_identity_chain: String,
}

/// AMD's collateral. The root is not part of it: it is compiled in.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SnpCollateral {
    /// The certificate of the product's signing key (ASK), DER.
    pub ask: Vec<u8>,
    /// Revocation list of the product's root key (ARK), DER.
    pub crl: Vec<u8>,
}

impl Evidence {
    /// Decodes what [`borsh::to_vec`] wrote. Longer input than both limits together is not looked at.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
        decode(bytes, Statement::MAX_BYTES + Collateral::MAX_BYTES)
    }

    /// Both parts within their limits, however the value was made.
    pub(crate) fn check_size(&self) -> Result<(), Refused> {
        if self.statement.size() > Statement::MAX_BYTES || self.collateral.size() > Collateral::MAX_BYTES {
            return Err(Refused::Oversize);
        }
        Ok(())
    }
}

impl Statement {
    /// Most bytes of an encoded statement.
    pub const MAX_BYTES: usize = 32 << 10;

    /// Decodes what [`borsh::to_vec`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
        decode(bytes, Self::MAX_BYTES)
    }

    /// Takes an Intel quote as a quoting service hands it over: the zeros that some append are cut off, because a quote has one
    /// encoding. Nothing is proven by it.
    pub fn from_quote(bytes: &[u8]) -> Result<Self, Refused> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(Refused::Oversize);
        }
        dcap::without_padding(bytes).map(|quote| Self::Dcap { quote })
    }

    /// The 64 bytes that the statement *claims* to be about: unproven. A node sees by it that it got the answer to its own
    /// question.
    pub fn claimed_data(&self) -> Result<ReportData, Refused> {
        match self {
            Self::Dcap { quote } => dcap::claimed_data(quote),
            Self::Snp { report, .. } => snp::claimed_data(report),
        }
    }

    /// The chip that the statement *claims* to be from: unproven. A node asks it about its own chip, because what it binds to
    /// its evidence names the chip ([`Binding`](crate::Binding)), and a first statement is the way to learn that name.
    pub fn claimed_hardware(&self) -> Result<HardwareId, Refused> {
        match self {
            Self::Dcap { quote } => dcap::claimed_hardware(quote),
            Self::Snp { vcek, .. } => snp::claimed_hardware(vcek),
        }
    }

    fn size(&self) -> usize {
        let parts = match self {
            Self::Dcap { quote } => [quote.len(), 0],
            Self::Snp { report, vcek } => [report.len(), vcek.len()],
        };
        encoded(&parts)
    }
}

impl Collateral {
    /// Most bytes of encoded collateral.
    pub const MAX_BYTES: usize = 64 << 10;

    /// Decodes what [`borsh::to_vec`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
        decode(bytes, Self::MAX_BYTES)
    }

    /// Reads Intel's collateral in the JSON form of Intel's caching service as the `dcap-qvl` tools write it: byte strings
    /// as hex. A chip's certificates are left out: a quote carries its own.
    pub fn from_json(json: &str) -> Result<Self, Refused> {
        if json.len() > 4 * Self::MAX_BYTES {
            return Err(Refused::Oversize);
        }
        let read: QuoteCollateralV3 = serde_json::from_str(json).map_err(|_| Refused::Malformed)?;
        let signature = |bytes: Vec<u8>| bytes.try_into().map_err(|_| Refused::Malformed);
        Ok(Self::Dcap(DcapCollateral {
            root_crl: read.root_ca_crl,
            pck_crl: read.pck_crl,
            tcb_info: read.tcb_info,
            tcb_info_signature: signature(read.tcb_info_signature)?,
            tcb_info_chain: read.tcb_info_issuer_chain,
            qe_identity: read.qe_identity,
            qe_identity_signature: signature(read.qe_identity_signature)?,
            qe_identity_chain: read.qe_identity_issuer_chain,
        }))
    }

    /// The name under which a registration finds it.
    pub fn hash(&self) -> B256 {
        let bytes = borsh::to_vec(self).expect("writing to memory does not fail");
        digest("cloister/attest/collateral", &[&bytes])
    }

    fn size(&self) -> usize {
        match self {
            Self::Dcap(dcap) => encoded(&[
                dcap.root_crl.len(),
                dcap.pck_crl.len(),
                dcap.tcb_info.len(),
                dcap.tcb_info_signature.len(),
                dcap.tcb_info_chain.len(),
                dcap.qe_identity.len(),
                dcap.qe_identity_signature.len(),
                dcap.qe_identity_chain.len(),
            ]),
            Self::Snp(snp) => encoded(&[snp.ask.len(), snp.crl.len()]),
        }
    }
}

impl DcapCollateral {
    /// As the verifier wants it. It does not use the revocation list's own chain.
    pub(crate) fn to_qvl(&self) -> QuoteCollateralV3 {
        QuoteCollateralV3 {
            pck_crl_issuer_chain: String::new(),
            root_ca_crl: self.root_crl.clone(),
            pck_crl: self.pck_crl.clone(),
            tcb_info_issuer_chain: self.tcb_info_chain.clone(),
            tcb_info: self.tcb_info.clone(),
            tcb_info_signature: self.tcb_info_signature.to_vec(),
            qe_identity_issuer_chain: self.qe_identity_chain.clone(),
            qe_identity: self.qe_identity.clone(),
            qe_identity_signature: self.qe_identity_signature.to_vec(),
            pck_certificate_chain: None,
        }
    }
}

fn decode<T: BorshDeserialize>(bytes: &[u8], most: usize) -> Result<T, Refused> {
    if bytes.len() > most {
        return Err(Refused::Oversize);
    }
    borsh::from_slice(bytes).map_err(|_| Refused::Malformed)
}

/// At least the size of the encoding: the variant, and each part with its length.
fn encoded(parts: &[usize]) -> usize {
    parts.iter().fold(1, |sum, part| sum.saturating_add(4).saturating_add(*part))
}
