//! AMD's evidence: SEV-SNP attestation reports.
//!
//! The report's layout is read by our own table (AMD publication 56860, "SEV Secure Nested Paging Firmware ABI"), because
//! what is checked has to be the bytes that were signed: not a struct that was read from them and written again.

mod chip;
mod report;
#[cfg(test)]
mod tests;

use std::time::Duration;

use dcap_qvl::config::EcdsaSigEncoder;
use dcap_qvl::signature::DerSigEncoder;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, UnixTime,
};
use webpki::ring::{ECDSA_P384_SHA384, RSA_PSS_2048_8192_SHA384_LEGACY_KEY as RSA_PSS};
use webpki::{EndEntityCert, KeyUsage, OwnedCertRevocationList};

use self::chip::{Chip, validity};
use self::report::Report;
use crate::dcap::{check_window, crl_window};
use crate::evidence::SnpCollateral;
use crate::hash::digest;
use crate::policy::Policy;
use crate::refused::Refused;
use crate::roots::Ark;
use crate::verified::{HardwareId, Measurement, ReportData, Verified};

/// Rules 1, 3, 4, 5, 6 and 8 for a report.
pub(crate) fn verify(
    report: &[u8],
    vcek: &[u8],
    collateral: &SnpCollateral,
    policy: &Policy,
    roots: &[Ark],
    now: u64,
) -> Result<Verified, Refused> {
    let (mut verified, report, ark) = prove(report, vcek, &collateral.ask, roots, now)?;
    policy.check_family(verified.family)?;
    let until = check_revocation(&collateral.crl, ark, &collateral.ask, now)?;
    appraise(&report, policy)?;
    verified.expires = verified.expires.min(until);
    Ok(verified)
}

/// The chip that the certificate names, nothing proven.
pub(crate) fn claimed_hardware(vcek: &[u8]) -> Result<HardwareId, Refused> {
    Chip::parse(vcek).map(|chip| HardwareId::from_chip_id(&chip.id))
}

/// What the report says, nothing proven.
pub(crate) fn claimed_data(report: &[u8]) -> Result<ReportData, Refused> {
    report::report_data(report).map(ReportData)
}

/// The signatures from the root to the report, and what the report then says. Revocation is left to the caller.
fn prove<'a>(
    bytes: &[u8],
    vcek: &[u8],
    ask: &[u8],
    roots: &'a [Ark],
    now: u64,
) -> Result<(Verified, Report, &'a Ark), Refused> {
    if roots.is_empty() {
        return Err(Refused::NoRoot);
    }
    let chip = Chip::parse(vcek)?;
    let ark = roots.iter().find(|ark| ark.family == chip.family).ok_or(Refused::NoRoot)?;
    let report = Report::parse(bytes, chip.family)?;
    if report.tcb != chip.tcb || report.chip_id != chip.id {
        return Err(Refused::Chip);
    }

    let expires = check_chain(vcek, ask, ark, now)?;
    let [r, s] = &report.signature;
    let signature = DerSigEncoder::encode_ecdsa_sig(r, s).map_err(|_| Refused::Unproven)?;
    let vcek = CertificateDer::from(vcek);
    EndEntityCert::try_from(&vcek)
        .and_then(|signer| signer.verify_signature(ECDSA_P384_SHA384, report.signed(bytes), &signature))
        .map_err(|_| Refused::Unproven)?;

    let verified = Verified {
        family: chip.family,
        measurement: Measurement::Snp { launch: report.measurement },
        hardware: HardwareId::from_chip_id(&report.chip_id),
        report_data: ReportData(report.report_data),
        expires,
        identity: digest("cloister/attest/identity/snp", &[report.signed(bytes)]),
    };
    Ok((verified, report, ark))
}

/// The signatures from the root to the chip's certificate, and until when all of them hold.
fn check_chain(vcek: &[u8], ask: &[u8], ark: &Ark, now: u64) -> Result<u64, Refused> {
    let mut expires = u64::MAX;
    for certificate in [vcek, ask, ark.certificate] {
        let (from, until) = validity(certificate)?;
        check_window(from, until, now)?;
        expires = expires.min(until);
    }
    let [vcek, ask, root] = [vcek, ask, ark.certificate].map(CertificateDer::from);
    let anchor = webpki::anchor_from_trusted_cert(&root).map_err(|_| Refused::Unproven)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(now));
    EndEntityCert::try_from(&vcek)
        .and_then(|leaf| {
            let usage = KeyUsage::server_auth();
            leaf.verify_for_usage(CERTIFICATES, &[anchor], &[ask], time, usage, None, None).map(|_| expires)
        })
        .map_err(|_| Refused::Unproven)
}

/// The root's own list, for everything that the root signs, names neither the root nor the product's key. Answers until when
/// the list holds.
fn check_revocation(list: &[u8], ark: &Ark, ask: &[u8], now: u64) -> Result<u64, Refused> {
    let (from, until) = crl_window(list).map_err(|_| Refused::Revocation)?;
    check_window(from, until, now)?;
    let root = CertificateDer::from(ark.certificate);
    let ask = CertificateDer::from(ask);
    let anchor = webpki::anchor_from_trusted_cert(&root).map_err(|_| Refused::Revocation)?;
    let list = OwnedCertRevocationList::from_der_verified(list, &anchor.subject_public_key_info, CERTIFICATES)
        .map(webpki::CertRevocationList::from)
        .map_err(|_| Refused::Revocation)?;
    if list.issuing_distribution_point().is_some() {
        return Err(Refused::Revocation);
    }
    for certificate in [&root, &ask] {
        let certificate = EndEntityCert::try_from(certificate).map_err(|_| Refused::Revocation)?;
        let listed = list.find_serial(certificate.serial()).map_err(|_| Refused::Revocation)?;
        if certificate.issuer() != list.issuer() || listed.is_some() {
            return Err(Refused::Revocation);
        }
    }
    Ok(until)
}

fn appraise(report: &Report, policy: &Policy) -> Result<(), Refused> {
    if report.smt && !policy.allow_smt {
        return Err(Refused::Smt);
    }
    let floor = policy.snp.get(&report.family).ok_or(Refused::FamilyUnlisted)?;
    if !report.tcb.reaches(&floor.tcb) || report.firmware < floor.firmware {
        return Err(Refused::Firmware);
    }
    Ok(())
}

/// All that AMD signs certificates and lists with: RSASSA-PSS with SHA-384, its parameters written in two ways.
const CERTIFICATES: &[&dyn SignatureVerificationAlgorithm] = &[RSA_PSS, &WithTrailer];

/// RSASSA-PSS with SHA-384 as most of AMD's certificates name it: the parameters spell out the trailer field, which is the
/// default and in DER should be left out (RFC 4055, section 3.1).
#[derive(Debug)]
struct WithTrailer;

impl SignatureVerificationAlgorithm for WithTrailer {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        RSA_PSS.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        RSA_PSS.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(include_bytes!("../roots/rsa_pss_sha384_with_trailer.der"))
    }
}
