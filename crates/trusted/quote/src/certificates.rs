//! The table of certificates that an SEV-SNP host may give (AMD publication 56421, "SEV-ES Guest-Hypervisor Communication
//! Block Standardization", section 4.1.8.1).
//!
//! ```text
//! table = entry* ‖ 24 zeros ‖ certificates
//! entry = GUID (16, in the order in which it is written) ‖ offset in the table (4, LE) ‖ length (4, LE)
//! ```

use crate::QuoteError;

/// What a table says about the key that signs reports.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// DER, unproven: the host wrote it.
    Vcek(Vec<u8>),
    /// Only that of a key which AMD leased to the host.
    Leased,
    None,
}

pub(crate) fn find(table: &[u8]) -> Result<Certificate, QuoteError> {
    let mut found = Certificate::None;
    let (entries, _) = table.as_chunks::<ENTRY>();
    for entry in entries.iter().take_while(|entry| **entry != [0; ENTRY]) {
        if entry.starts_with(&VCEK) {
            let certificate = pointed_at(table, entry).ok_or(QuoteError::CertificateTable)?;
            return Ok(if certificate.is_empty() { found } else { Certificate::Vcek(certificate.to_vec()) });
        }
        if entry.starts_with(&VLEK) {
            found = Certificate::Leased;
        }
    }
    Ok(found)
}

/// What the operator has to fetch for this report (AMD publication 57230, "VCEK Certificate and KDS Interface Specification").
pub(crate) fn wanted(report: &[u8]) -> QuoteError {
    let field = |at: usize, length| report.get(at..at.saturating_add(length)).map(hex::encode).unwrap_or_default();
    QuoteError::NoCertificate { chip_id: field(CHIP_ID, 64), tcb: field(REPORTED_TCB, 8) }
}

fn pointed_at<'a>(table: &'a [u8], entry: &[u8; ENTRY]) -> Option<&'a [u8]> {
    let number = |at: usize| entry.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let (start, length) = (usize::try_from(number(16)?).ok()?, usize::try_from(number(20)?).ok()?);
    table.get(start..start.checked_add(length)?)
}

const ENTRY: usize = 24;
/// 63da758d-e664-4564-adc5-f4b93be8accd
const VCEK: [u8; 16] = 0x63da758d_e664_4564_adc5_f4b93be8accd_u128.to_be_bytes();
/// a8074bc2-a25a-483e-aae6-39c045a0b8a1
const VLEK: [u8; 16] = 0xa8074bc2_a25a_483e_aae6_39c045a0b8a1_u128.to_be_bytes();
/// Of the report's fields (AMD publication 56860, table "ATTESTATION_REPORT").
const REPORTED_TCB: usize = 0x180;
const CHIP_ID: usize = 0x1A0;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// A table with these certificates, in this order.
    fn table(certificates: &[([u8; 16], &[u8])]) -> Vec<u8> {
        let mut offset = (certificates.len() + 1) * ENTRY;
        let mut table = Vec::new();
        for (guid, certificate) in certificates {
            table.extend_from_slice(guid);
            table.extend_from_slice(&u32::try_from(offset).unwrap().to_le_bytes());
            table.extend_from_slice(&u32::try_from(certificate.len()).unwrap().to_le_bytes());
            offset += certificate.len();
        }
        table.extend_from_slice(&[0; ENTRY]);
        certificates.iter().for_each(|(_, certificate)| table.extend_from_slice(certificate));
        table
    }

    const ASK: [u8; 16] = 0x4ab7b379_bbac_4fe4_a02f_05aef327c782_u128.to_be_bytes();

    #[test]
    fn the_chips_certificate_is_found_among_others_for_ever() {
        let expected =
            "4ab7b379bbac4fe4a02f05aef327c782480000000300000063da758de6644564adc5f4b93be8accd4b00000004000000";
        let table = table(&[(ASK, b"ask"), (VCEK, b"vcek")]);
        assert_eq!(hex::encode(&table[..2 * ENTRY]), expected);
        assert_eq!(find(&table).unwrap(), Certificate::Vcek(b"vcek".to_vec()));
    }

    #[test]
    fn a_host_that_gives_nothing_and_one_that_leases_are_told_apart() {
        assert_eq!(find(&[]).unwrap(), Certificate::None);
        assert_eq!(find(&[0; 64]).unwrap(), Certificate::None);
        assert_eq!(find(&table(&[(ASK, b"ask"), (VCEK, b"")])).unwrap(), Certificate::None);
        assert_eq!(find(&table(&[(VLEK, b"vlek"), (ASK, b"ask")])).unwrap(), Certificate::Leased);
        assert_eq!(find(&table(&[(VLEK, b"vlek"), (VCEK, b"vcek")])).unwrap(), Certificate::Vcek(b"vcek".to_vec()));
        // Behind the end of the table nothing is an entry.
        let hidden = [table(&[]), table(&[(VCEK, b"vcek")])].concat();
        assert_eq!(find(&hidden).unwrap(), Certificate::None);
    }

    #[test]
    fn a_table_that_points_outside_itself_is_refused() {
        let whole = table(&[(VCEK, b"vcek")]);
        assert!(matches!(find(&whole[..whole.len() - 1]), Err(QuoteError::CertificateTable)));
        let mut far = whole.clone();
        far[16..24].fill(0xFF);
        assert!(matches!(find(&far), Err(QuoteError::CertificateTable)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_table_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..200), plant in any::<bool>()) {
            if plant && bytes.len() > 16 {
                bytes[..16].copy_from_slice(&VCEK);
            }
            if let Ok(Certificate::Vcek(certificate)) = find(&bytes) {
                prop_assert!(bytes.windows(certificate.len()).any(|window| window == certificate));
            }
        }
    }
}
