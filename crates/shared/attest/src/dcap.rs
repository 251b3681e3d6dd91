//! Intel's evidence: SGX and TDX quotes.

use alloy_primitives::{B256, FixedBytes};
use chrono::DateTime;
use cloister_teeth::{Mechanism, holds};
use dcap_qvl::configs::RingConfig;
use dcap_qvl::intel::{extract_cert_chain, parse_pck_extension_with};
use dcap_qvl::quote::{AuthData, Quote, Report};
use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{PckCertFlag, QuoteClaims, TcbInfo, TcbStatus};
use der::Decode;
use parity_scale_codec::Encode;
use serde::Deserialize;
use x509_cert::crl::CertificateList;

use crate::evidence::DcapCollateral;
use crate::hash::digest;
use crate::policy::{DcapPolicy, Policy, Tolerated};
use crate::refused::Refused;
use crate::roots::Root;
use crate::verified::{Family, HardwareId, Measurement, ReportData, Verified};

/// Rules 1, 2, 4, 5, 6, 7 and 8 for a quote.
pub(crate) fn verify(
    quote: &[u8],
    collateral: &DcapCollateral,
    policy: &Policy,
    root: Root,
    now: u64,
) -> Result<Verified, Refused> {
    let parsed = parse(quote)?;
    check_debug(&parsed.report)?;
    check_dates(collateral, now)?;
    let family = if parsed.header.is_sgx() { Family::Sgx } else { Family::Tdx };
    policy.check_family(family)?;

    let appraisal = Appraisal { policy, collateral, now };
    let claims = QuoteVerifier::<RingConfig>::new_with_config(root.dcap().to_vec())
        .verify_with_policy(quote, collateral.to_qvl(), now, &appraisal)
        .map_err(|error| error.downcast().unwrap_or(Refused::Unproven))?;

    let signed = quote.get(..parsed.signed_length()).ok_or(Refused::Malformed)?;
    Ok(Verified {
        family,
        measurement: measurement(&claims.report)?,
        hardware: hardware(&claims.platform.pck.ppid)?,
        report_data: report_data(&claims.report)?,
        expires: claims.earliest_expiration_date,
        identity: digest("cloister/attest/identity/dcap", &[signed]),
    })
}

/// The chip that the quote's certificates name, nothing proven.
pub(crate) fn claimed_hardware(quote: &[u8]) -> Result<HardwareId, Refused> {
    let chain = extract_cert_chain(&parse(quote)?).map_err(|_| Refused::Malformed)?;
    let leaf = chain.first().ok_or(Refused::Malformed)?;
    let certified = parse_pck_extension_with::<RingConfig>(leaf).map_err(|_| Refused::Malformed)?;
    hardware(&certified.ppid)
}

/// What the quote's report says, nothing proven.
pub(crate) fn claimed_data(quote: &[u8]) -> Result<ReportData, Refused> {
    report_data(&parse(quote)?.report)
}

/// A quote in its one encoding, of bytes in which nothing but zeros follows it.
pub(crate) fn without_padding(bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let quote = Quote::parse(bytes).map_err(|_| Refused::Malformed)?.encode();
    match bytes.strip_prefix(quote.as_slice()) {
        Some(padding) if padding.iter().all(|byte| *byte == 0) => parse(&quote).map(|_| quote),
        _ => Err(Refused::TrailingBytes),
    }
}

/// A quote in its one encoding. The decoder itself stops where it has enough, on each level.
fn parse(quote: &[u8]) -> Result<Quote, Refused> {
    let version = quote.first_chunk().map(|bytes| u16::from_le_bytes(*bytes)).ok_or(Refused::Malformed)?;
    if !(3..=5).contains(&version) {
        return Err(Refused::Version);
    }
    let parsed = Quote::parse(quote).map_err(|_| Refused::Malformed)?;
    if parsed.encode() != quote {
        return Err(Refused::TrailingBytes);
    }
    let wrapped = match &parsed.auth_data {
        AuthData::V3(_) => true,
        AuthData::V4(data) => data.certification_data.cert_type == QE_REPORT_CERTIFICATION_DATA,
    };
    if !wrapped || parsed.inner_cert_type() != PCK_CERTIFICATE_CHAIN {
        return Err(Refused::CertificationData);
    }
    Ok(parsed)
}

/// The verifier refuses debuggable software too, but says so in words.
fn check_debug(report: &Report) -> Result<(), Refused> {
    let debug = match report {
        Report::SgxEnclave(enclave) => enclave.attributes[0] & SGX_DEBUG != 0,
        domain => domain.as_td10().is_none_or(|domain| domain.td_attributes[0] != 0),
    };
    if debug { Err(Refused::Debug) } else { Ok(()) }
}

/// The verifier checks these dates too, but says so in words. Nothing is believed here that it does not prove afterwards.
fn check_dates(collateral: &DcapCollateral, now: u64) -> Result<(), Refused> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Dated {
        issue_date: String,
        next_update: String,
    }

    for document in [&collateral.tcb_info, &collateral.qe_identity] {
        let dated: Dated = serde_json::from_str(document).map_err(|_| Refused::Malformed)?;
        check_window(seconds(&dated.issue_date)?, seconds(&dated.next_update)?, now)?;
    }
    for list in [&collateral.root_crl, &collateral.pck_crl] {
        let (from, until) = crl_window(list)?;
        check_window(from, until, now)?;
    }
    Ok(())
}

/// `thisUpdate` and `nextUpdate` of a revocation list, in Unix seconds. A list that never ends is refused.
pub(crate) fn crl_window(list: &[u8]) -> Result<(u64, u64), Refused> {
    let list: CertificateList = CertificateList::from_der(list).map_err(|_| Refused::Malformed)?;
    let until = list.tbs_cert_list.next_update.ok_or(Refused::Malformed)?;
    Ok((list.tbs_cert_list.this_update.to_unix_duration().as_secs(), until.to_unix_duration().as_secs()))
}

/// Valid from `from` on, and before `until`.
pub(crate) fn check_window(from: u64, until: u64, now: u64) -> Result<(), Refused> {
    if now < from {
        return Err(Refused::NotYetValid);
    }
    if now >= until {
        return Err(Refused::Expired);
    }
    Ok(())
}

fn seconds(text: &str) -> Result<u64, Refused> {
    let date = DateTime::parse_from_rfc3339(text).map_err(|_| Refused::Malformed)?;
    u64::try_from(date.timestamp()).map_err(|_| Refused::Malformed)
}

/// The chain's policy in the form in which the verifier applies one.
struct Appraisal<'a> {
    policy: &'a Policy,
    collateral: &'a DcapCollateral,
    now: u64,
}

impl dcap_qvl::Policy for Appraisal<'_> {
    fn validate(&self, claims: &QuoteClaims) -> anyhow::Result<()> {
        Ok(self.check(claims)?)
    }
}

impl Appraisal<'_> {
    fn check(&self, claims: &QuoteClaims) -> Result<(), Refused> {
        check_window(claims.latest_issue_date, claims.earliest_expiration_date, self.now)?;
        self.check_pce(claims)?;

        let (rules, chip) = (&self.policy.dcap, &claims.platform.pck);
        if rules.denied_models.contains(&FixedBytes(chip.fmspc)) {
            return Err(Refused::ModelDenied);
        }
        if claims.tcb.eval_data_number < rules.min_tcb_eval_data_number && holds(Mechanism::TcbFloor) {
            return Err(Refused::OldCollateral);
        }
        check_status(rules, claims)?;
        if !self.policy.allow_smt && chip.smt_enabled == PckCertFlag::True {
            return Err(Refused::Smt);
        }
        if !rules.allow_dynamic_platform && chip.dynamic_platform == PckCertFlag::True {
            return Err(Refused::DynamicPlatform);
        }
        if !rules.allow_cached_keys && chip.cached_keys == PckCertFlag::True {
            return Err(Refused::CachedKeys);
        }
        hardware(&chip.ppid).map(|_| ())
    }

    /// The levels have to be those of the chip's own provisioning enclave, as in Intel's verifier.
    fn check_pce(&self, claims: &QuoteClaims) -> Result<(), Refused> {
        let levels: TcbInfo = serde_json::from_str(&self.collateral.tcb_info).map_err(|_| Refused::Malformed)?;
        let same = hex::decode(&levels.pce_id).is_ok_and(|id| id == claims.platform.pck.pce_id);
        if same { Ok(()) } else { Err(Refused::Unproven) }
    }
}

/// The platform, the quoting enclave and, after an update of the TDX module, the current platform: each has to be up to
/// date, or tolerated together with everything that is known about it.
fn check_status(rules: &DcapPolicy, claims: &QuoteClaims) -> Result<(), Refused> {
    let current = claims.platform.current_tcb_level.as_ref();
    let statuses = [claims.tcb.status, claims.qe.tcb_level.tcb_status].into_iter();
    let mut up_to_date = true;
    for status in statuses.chain(current.map(|level| level.tcb_status)) {
        let tolerated = match status {
            TcbStatus::UpToDate => continue,
            TcbStatus::SWHardeningNeeded => Tolerated::SwHardeningNeeded,
            TcbStatus::ConfigurationAndSWHardeningNeeded => Tolerated::ConfigurationAndSwHardeningNeeded,
            _ => return Err(Refused::TcbStatus),
        };
        if !rules.tolerated.contains(&tolerated) {
            return Err(Refused::TcbStatus);
        }
        up_to_date = false;
    }
    if up_to_date {
        return Ok(());
    }
    let advisories = claims.tcb.advisory_ids.iter().chain(current.iter().flat_map(|level| &level.advisory_ids));
    for advisory in advisories {
        if !advisory_number(advisory).is_some_and(|number| rules.advisories.contains(&number)) {
            return Err(Refused::Advisory);
        }
    }
    Ok(())
}

/// 289 for `INTEL-SA-00289`.
fn advisory_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("INTEL-SA-")?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn measurement(report: &Report) -> Result<Measurement, Refused> {
    if let Report::SgxEnclave(enclave) = report {
        return Ok(Measurement::Sgx { enclave: B256::new(enclave.mr_enclave) });
    }
    let domain = report.as_td10().ok_or(Refused::Malformed)?;
    Ok(Measurement::Tdx {
        domain: FixedBytes(domain.mr_td),
        runtime: [domain.rt_mr0, domain.rt_mr1, domain.rt_mr2, domain.rt_mr3].map(FixedBytes),
        config: FixedBytes(domain.mr_config_id),
    })
}

fn report_data(report: &Report) -> Result<ReportData, Refused> {
    if let Report::SgxEnclave(enclave) = report {
        return Ok(ReportData(enclave.report_data));
    }
    report.as_td10().map(|domain| ReportData(domain.report_data)).ok_or(Refused::Malformed)
}

fn hardware(ppid: &[u8]) -> Result<HardwareId, Refused> {
    match ppid.try_into() {
        Ok(ppid) if ppid != [0; 16] => Ok(HardwareId::from_ppid(&ppid)),
        _ => Err(Refused::HardwareId),
    }
}

/// Of the attributes of an enclave: bit 1 of the first byte.
const SGX_DEBUG: u8 = 0x02;
/// Certification data that is the chip's certificate, its issuer's and the root's, PEM.
const PCK_CERTIFICATE_CHAIN: u16 = 5;
/// Certification data of quotes of version 4 and 5: the quoting enclave's report, and certification data again.
const QE_REPORT_CERTIFICATION_DATA: u16 = 6;
