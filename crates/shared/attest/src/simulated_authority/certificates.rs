//! The authority's keys, certificates and revocation lists.

use std::str::FromStr;
use std::time::Duration;

use dcap_qvl::oids;
use der::asn1::{Any, OctetString};
use der::oid::ObjectIdentifier;
use der::pem::LineEnding;
use der::{Encode, EncodePem, Enumerated, Sequence, Tag};
use p256::ecdsa::{DerSignature, SigningKey};
use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder, CrlBuilder, Result};
use x509_cert::certificate::TbsCertificate;
use x509_cert::crl::RevokedCert;
use x509_cert::ext::pkix::{BasicConstraints, CrlNumber, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::{Bulletin, Chip};
use crate::hash::digest;

/// The root's certificate, DER: what [`Root::Simulated`](crate::Root::Simulated) believes.
pub fn root_certificate() -> Vec<u8> {
    der(&root())
}

/// The chip's certificate, its issuer's and the root's, PEM.
pub(super) fn chip_chain(chip: &Chip) -> String {
    let sgx =
        Extension { extn_id: oids::SGX_EXTENSION, critical: false, extn_value: octets(&der(&sgx_extension(chip))) };
    let leaf = certificate(CHIP, CHIPS, &chip_key(&chip.ppid), &key(CHIPS, &[]), serial(&chip.ppid), None, vec![sgx]);
    [leaf, chips(), root()].iter().map(pem).collect()
}

/// Who signs the documents, and the root, PEM.
pub(super) fn signer_chain() -> String {
    let leaf = certificate(SIGNER, ROOT, &signer_key(), &key(ROOT, &[]), 3u8.into(), None, vec![]);
    [leaf, root()].iter().map(pem).collect()
}

/// The revocation lists of a bulletin, DER.
pub(super) struct Lists {
    pub(super) root: Vec<u8>,
    pub(super) chips: Vec<u8>,
}

impl Lists {
    pub(super) fn new(bulletin: &Bulletin) -> Self {
        let list = |issuer: &Certificate, key: &SigningKey, revoked: &[[u8; 16]]| {
            let number = CrlNumber::try_from(1u8).expect("a small number");
            let from = time(bulletin.issued);
            let mut list = CrlBuilder::new_with_this_update(issuer, number, from)
                .expect("an issuer of our own")
                .with_next_update(Some(time(bulletin.next_list)));
            if !revoked.is_empty() {
                list = list.with_certificates(revoked.iter().map(|ppid| RevokedCert {
                    serial_number: serial(ppid),
                    revocation_date: from,
                    crl_entry_extensions: None,
                }));
            }
            der(&list.build::<_, DerSignature>(key).expect("a list of our own"))
        };
        Self { root: list(&root(), &key(ROOT, &[]), &[]), chips: list(&chips(), &key(CHIPS, &[]), &bulletin.revoked) }
    }
}

/// Signs the documents.
pub(super) fn signer_key() -> SigningKey {
    key(SIGNER, &[])
}

/// Certified by the authority, it signs the quoting enclave's reports.
pub(super) fn chip_key(ppid: &[u8; 16]) -> SigningKey {
    key(CHIP, ppid)
}

/// Made by the quoting enclave, it signs quotes.
pub(super) fn attestation_key(ppid: &[u8; 16]) -> SigningKey {
    key("SIMULATED attestation key", ppid)
}

fn root() -> Certificate {
    certificate(ROOT, ROOT, &key(ROOT, &[]), &key(ROOT, &[]), 1u8.into(), Some(1), vec![])
}

fn chips() -> Certificate {
    certificate(CHIPS, ROOT, &key(CHIPS, &[]), &key(ROOT, &[]), 2u8.into(), Some(0), vec![])
}

/// The secret key of this name: published, as the name is. Clearing the top bit keeps it below the group's order.
fn key(name: &str, of: &[u8]) -> SigningKey {
    let mut secret = digest("cloister/simulated-authority/secret-key", &[name.as_bytes(), of]).0;
    secret[0] &= 0x7F;
    SigningKey::from_slice(&secret).expect("a number between zero and the group's order")
}

/// A chip's certificate is known by the chip's id, so that a list can name it.
fn serial(ppid: &[u8; 16]) -> SerialNumber {
    let mut bytes: [u8; 16] =
        digest("cloister/simulated-authority/serial", &[ppid])[..16].try_into().expect("16 of 32");
    bytes[0] |= 0x40;
    bytes[0] &= 0x7F;
    SerialNumber::new(&bytes).expect("fewer than 20 bytes")
}

/// `depth` is that of the authorities below this one; a certificate without it is none.
fn certificate(
    subject: &str,
    issuer: &str,
    key: &SigningKey,
    signer: &SigningKey,
    serial: SerialNumber,
    depth: Option<u8>,
    extensions: Vec<Extension>,
) -> Certificate {
    let public = SubjectPublicKeyInfo::from_key(key.verifying_key()).expect("a key of our own");
    let profile = Profile { subject: name(subject), issuer: name(issuer), depth, extensions };
    let validity = Validity::new(time(0), time(END));
    CertificateBuilder::new(profile, serial, validity, public)
        .and_then(|builder| builder.build::<_, DerSignature>(signer))
        .expect("a certificate of our own")
}

struct Profile {
    subject: Name,
    issuer: Name,
    depth: Option<u8>,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> Result<Vec<Extension>> {
        let usage = match self.depth {
            Some(_) => KeyUsages::KeyCertSign | KeyUsages::CRLSign,
            None => KeyUsages::DigitalSignature.into(),
        };
        let constraints = BasicConstraints { ca: self.depth.is_some(), path_len_constraint: self.depth };
        let mut all = self.extensions.clone();
        all.push((&KeyUsage(usage)).to_extension(tbs.subject(), &[])?);
        all.push((&constraints).to_extension(tbs.subject(), &[])?);
        Ok(all)
    }
}

/// One value of the SGX extension of a chip's certificate (Intel, "SGX PCK Certificate and CRL Profile Specification").
#[derive(Sequence)]
struct Entry {
    name: ObjectIdentifier,
    value: Any,
}

#[derive(Clone, Copy, Enumerated)]
#[repr(u8)]
enum SgxType {
    Standard = 0,
}

fn sgx_extension(chip: &Chip) -> Vec<Entry> {
    let mut tcb: Vec<Entry> =
        (1..=16).map(|component| entry(oids::TCB.push_arc(component).expect("a short name"), any(&chip.svn))).collect();
    tcb.push(entry(oids::PCESVN, any(&u16::from(chip.svn))));
    tcb.push(entry(oids::CPUSVN, bytes(&[chip.svn; 16])));
    let configuration = vec![
        entry(oids::DYNAMIC_PLATFORM, any(&chip.dynamic_platform)),
        entry(oids::CACHED_KEYS, any(&chip.cached_keys)),
        entry(oids::SMT_ENABLED, any(&chip.smt)),
    ];
    vec![
        entry(oids::PPID, bytes(&chip.ppid)),
        entry(oids::TCB, any(&tcb)),
        entry(oids::PCEID, bytes(&PCE_ID)),
        entry(oids::FMSPC, bytes(&chip.model)),
        entry(oids::SGX_TYPE, any(&SgxType::Standard)),
        entry(oids::CONFIGURATION, any(&configuration)),
    ]
}

fn entry(name: ObjectIdentifier, value: Any) -> Entry {
    Entry { name, value }
}

fn any<T: der::Tagged + der::EncodeValue>(value: &T) -> Any {
    Any::encode_from(value).expect("a small value")
}

fn bytes(value: &[u8]) -> Any {
    Any::new(Tag::OctetString, value).expect("a short string")
}

fn octets(value: &[u8]) -> OctetString {
    OctetString::new(value).expect("a short string")
}

fn name(common: &str) -> Name {
    Name::from_str(&format!("CN={common},O=Cloister")).expect("a plain name")
}

fn time(seconds: u64) -> Time {
    let date = der::DateTime::from_unix_duration(Duration::from_secs(seconds.min(END))).expect("within the calendar");
    Time::from(date)
}

fn der(value: &impl Encode) -> Vec<u8> {
    value.to_der().expect("it fits into memory")
}

fn pem(certificate: &Certificate) -> String {
    certificate.to_pem(LineEnding::LF).expect("it fits into memory")
}

/// The last second of the year 9999: certificates of the authority never end before, so that only documents and lists expire.
pub(super) const END: u64 = 253_402_300_799;
/// The imaginary provisioning enclave of all chips.
pub const PCE_ID: [u8; 2] = [0; 2];
const ROOT: &str = "SIMULATED Root CA";
const CHIPS: &str = "SIMULATED PCK Platform CA";
const CHIP: &str = "SIMULATED PCK Certificate";
const SIGNER: &str = "SIMULATED TCB Signing";
