//! What AMD certifies about one chip: the extensions of its VCEK (AMD publication 57230, "VCEK Certificate and KDS
//! Interface Specification").

use der::Decode;
use der::asn1::Ia5StringRef;
use der::oid::ObjectIdentifier;
use x509_cert::Certificate;

use crate::policy::SnpTcb;
use crate::refused::Refused;
use crate::verified::Family;

/// A chip with the firmware from which its signing key was derived.
pub(super) struct Chip {
    pub(super) family: Family,
    pub(super) tcb: SnpTcb,
    /// As it stands in a report: Turin's id has eight bytes, followed by zeros.
    pub(super) id: [u8; 64],
}

impl Chip {
    pub(super) fn parse(vcek: &[u8]) -> Result<Self, Refused> {
        let certificate = Certificate::from_der(vcek).map_err(|_| Refused::Malformed)?;
        let family = family(&certificate)?;
        let tcb = SnpTcb {
            fmc: if family == Family::SnpTurin { version(&certificate, 9)? } else { 0 },
            bootloader: version(&certificate, 1)?,
            tee: version(&certificate, 2)?,
            snp: version(&certificate, 3)?,
            microcode: version(&certificate, 8)?,
        };
        let bytes = extension(&certificate, HARDWARE_ID)?;
        if bytes.len() != if family == Family::SnpTurin { 8 } else { 64 } {
            return Err(Refused::Malformed);
        }
        let mut id = [0; 64];
        id[..bytes.len()].copy_from_slice(bytes);
        if id == [0; 64] {
            return Err(Refused::HardwareId);
        }
        Ok(Self { family, tcb, id })
    }
}

/// First and last second at which a certificate holds, the last one not included.
pub(super) fn validity(certificate: &[u8]) -> Result<(u64, u64), Refused> {
    let certificate = Certificate::from_der(certificate).map_err(|_| Refused::Malformed)?;
    let validity = certificate.tbs_certificate().validity();
    Ok((validity.not_before.to_unix_duration().as_secs(), validity.not_after.to_unix_duration().as_secs()))
}

/// The product's name, with or without a stepping: `Milan-B0`, `Turin`.
fn family(certificate: &Certificate) -> Result<Family, Refused> {
    let name = Ia5StringRef::from_der(extension(certificate, PRODUCT_NAME)?).map_err(|_| Refused::Malformed)?;
    match name.as_str().split('-').next() {
        Some("Milan") => Ok(Family::SnpMilan),
        Some("Genoa") => Ok(Family::SnpGenoa),
        Some("Turin") => Ok(Family::SnpTurin),
        _ => Err(Refused::NoRoot),
    }
}

/// One of the security versions, by the last arc of its name.
fn version(certificate: &Certificate, arc: u32) -> Result<u8, Refused> {
    let name = SECURITY_VERSIONS.push_arc(arc).map_err(|_| Refused::Malformed)?;
    u8::from_der(extension(certificate, name)?).map_err(|_| Refused::Malformed)
}

/// The extension of this name, which stands there exactly once.
fn extension(certificate: &Certificate, name: ObjectIdentifier) -> Result<&[u8], Refused> {
    let all = certificate.tbs_certificate().extensions().map(Vec::as_slice).unwrap_or_default();
    let mut named = all.iter().filter(|extension| extension.extn_id == name);
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one.extn_value.as_bytes()),
        _ => Err(Refused::Malformed),
    }
}

const PRODUCT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2");
const SECURITY_VERSIONS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3");
const HARDWARE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");
