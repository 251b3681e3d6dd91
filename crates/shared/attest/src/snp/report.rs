//! The attestation report: 1 184 bytes, of which the first 672 are signed (AMD publication 56860, table "ATTESTATION_REPORT").
//!
//! | at | bytes | field |
//! | --- | --- | --- |
//! | 0x000 | 4 | version |
//! | 0x008 | 8 | the guest's policy: bit 17 is one, 18 migration agent, 19 debug, from 26 on reserved |
//! | 0x030 | 4 | privilege level (VMPL) of the asker |
//! | 0x034 | 4 | signature algorithm: 1 is ECDSA P-384 with SHA-384 |
//! | 0x040 | 8 | platform: bit 0 is SMT |
//! | 0x048 | 4 | bit 0 author key, 1 chip key masked, 2 to 4 the signing key (0: VCEK), others reserved |
//! | 0x050 | 64 | report data |
//! | 0x090 | 48 | launch measurement |
//! | 0x180 | 8 | reported TCB |
//! | 0x188 | 2 | processor family and model, from version 3 on |
//! | 0x1A0 | 64 | chip id |
//! | 0x1EC | 3 | build, minor and major of the committed firmware |
//! | 0x2A0 | 72 + 72 | `r` and `s`, little-endian |

use alloy_primitives::FixedBytes;

use crate::policy::SnpTcb;
use crate::refused::Refused;
use crate::verified::Family;

/// A well-formed report of an environment that nobody can look into. Not yet a proven one.
pub(super) struct Report {
    pub(super) family: Family,
    pub(super) smt: bool,
    pub(super) report_data: [u8; 64],
    pub(super) measurement: FixedBytes<48>,
    pub(super) tcb: SnpTcb,
    pub(super) chip_id: [u8; 64],
    /// Major, minor, build.
    pub(super) firmware: (u8, u8, u8),
    /// `r` and `s`, big-endian.
    pub(super) signature: [[u8; 48]; 2],
}

impl Report {
    /// Reads a report of a chip that its certificate says to be of this family.
    pub(super) fn parse(bytes: &[u8], family: Family) -> Result<Self, Refused> {
        let bytes = whole(bytes)?;
        let version = u32::from_le_bytes(field(bytes, 0x000));
        check_reserved(bytes, version)?;
        check_processor(bytes, version, family)?;
        check_guest(bytes)?;
        check_key(bytes)?;

        let [build, minor, major] = field(bytes, 0x1EC);
        let platform = u64::from_le_bytes(field(bytes, 0x040));
        Ok(Self {
            family,
            smt: platform & 1 != 0,
            report_data: field(bytes, 0x050),
            measurement: FixedBytes(field(bytes, 0x090)),
            tcb: tcb(field(bytes, 0x180), family)?,
            chip_id: field(bytes, 0x1A0),
            firmware: (major, minor, build),
            signature: [scalar(bytes, SIGNED)?, scalar(bytes, SIGNED + 72)?],
        })
    }

    /// The part of the report that its signature covers.
    pub(super) fn signed<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[..SIGNED]
    }
}

/// The report data of a report that is not looked at otherwise.
pub(super) fn report_data(bytes: &[u8]) -> Result<[u8; 64], Refused> {
    whole(bytes).map(|bytes| field(bytes, 0x050))
}

fn whole(bytes: &[u8]) -> Result<&[u8; SIZE], Refused> {
    bytes.try_into().map_err(|_| if bytes.len() > SIZE { Refused::TrailingBytes } else { Refused::Malformed })
}

/// Reserved in this version, and the padding behind the signature. A report has one encoding only.
fn check_reserved(bytes: &[u8; SIZE], version: u32) -> Result<(), Refused> {
    let (processor, vectors) = match version {
        2 => (0x188, 0x1F8),
        3 => (0x18B, 0x1F8),
        5 => (0x18B, 0x208),
        _ => return Err(Refused::Version),
    };
    let reserved = [0x04C..0x050, processor..0x1A0, 0x1EB..0x1EC, 0x1EF..0x1F0, vectors..SIGNED, SIGNED + 144..SIZE];
    let clean = reserved.into_iter().all(|range| bytes[range].iter().all(|byte| *byte == 0));
    if clean { Ok(()) } else { Err(Refused::Reserved) }
}

/// From version 3 on a report names the processor itself.
fn check_processor(bytes: &[u8; SIZE], version: u32, family: Family) -> Result<(), Refused> {
    let named = match (version, field(bytes, 0x188)) {
        (2, _) => Some(family),
        (_, [0x19, 0x00..=0x0F]) => Some(Family::SnpMilan),
        (_, [0x19, 0x10..=0x1F | 0xA0..=0xAF]) => Some(Family::SnpGenoa),
        (_, [0x1A, 0x00..=0x11]) => Some(Family::SnpTurin),
        _ => None,
    };
    if named == Some(family) { Ok(()) } else { Err(Refused::Chip) }
}

fn check_guest(bytes: &[u8; SIZE]) -> Result<(), Refused> {
    let policy = u64::from_le_bytes(field(bytes, 0x008));
    if policy & (1 << 17) == 0 || policy >> 26 != 0 {
        return Err(Refused::Reserved);
    }
    if policy & (1 << 19) != 0 {
        return Err(Refused::Debug);
    }
    if policy & (1 << 18) != 0 {
        return Err(Refused::Migration);
    }
    if u32::from_le_bytes(field(bytes, 0x030)) != 0 {
        return Err(Refused::Privilege);
    }
    Ok(())
}

fn check_key(bytes: &[u8; SIZE]) -> Result<(), Refused> {
    let algorithm = u32::from_le_bytes(field(bytes, 0x034));
    let flags = u32::from_le_bytes(field(bytes, 0x048));
    if flags >> 5 != 0 {
        return Err(Refused::Reserved);
    }
    if algorithm != 1 || flags >> 1 != 0 {
        return Err(Refused::SigningKey);
    }
    Ok(())
}

/// Turin moved the components of a TCB version.
fn tcb(bytes: [u8; 8], family: Family) -> Result<SnpTcb, Refused> {
    let (tcb, reserved) = match (family, bytes) {
        (Family::SnpTurin, [fmc, bootloader, tee, snp, reserved @ .., microcode]) => {
            (SnpTcb { fmc, bootloader, tee, snp, microcode }, [0, reserved[0], reserved[1], reserved[2]])
        }
        (_, [bootloader, tee, a, b, c, d, snp, microcode]) => {
            (SnpTcb { fmc: 0, bootloader, tee, snp, microcode }, [a, b, c, d])
        }
    };
    if reserved == [0; 4] { Ok(tcb) } else { Err(Refused::Reserved) }
}

/// A number of 48 bytes in a field of 72, little-endian, as a big-endian one.
fn scalar(bytes: &[u8; SIZE], at: usize) -> Result<[u8; 48], Refused> {
    let mut number: [u8; 48] = field(bytes, at);
    number.reverse();
    if field(bytes, at + 48) == [0; 24] { Ok(number) } else { Err(Refused::Reserved) }
}

fn field<const N: usize>(bytes: &[u8; SIZE], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("every field lies inside a report")
}

/// A whole report.
const SIZE: usize = 1184;
/// Its signed part.
const SIGNED: usize = 0x2A0;
