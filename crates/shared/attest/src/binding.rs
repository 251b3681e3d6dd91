use alloy_primitives::B256;
use sha2::Sha512;
use sha2::digest::Digest;

use crate::hash::absorb;
use crate::verified::{HardwareId, ReportData};

/// What a registration binds to its evidence (M-21): evidence of one node, one chain or one start serves no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// The chain.
    pub chain_id: &'a str,
    /// The validator's Ed25519 consensus key.
    pub consensus_key: &'a [u8; 32],
    /// The public half of the boot key that signs.
    pub boot_sign: &'a [u8],
    /// The public half of the boot key that opens what is handed over.
    pub boot_kem: &'a [u8],
    /// Drawn by the enclave at this start.
    pub nonce: &'a B256,
    /// The chip that the evidence has to be from.
    pub hardware: &'a HardwareId,
}

impl Binding<'_> {
    /// `SHA-512` over `"cloister/v1/<chain id>/report-data"`, the chain id, the consensus key, both boot keys, the nonce and
    /// the hardware id, each behind its length (four bytes, little-endian).
    pub fn report_data(&self) -> ReportData {
        let label = format!("cloister/v1/{}/report-data", self.chain_id);
        let parts: [&[u8]; 6] = [
            self.chain_id.as_bytes(),
            self.consensus_key,
            self.boot_sign,
            self.boot_kem,
            self.nonce.as_slice(),
            self.hardware.0.as_slice(),
        ];
        ReportData(absorb(Sha512::new(), &label, &parts).finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;

    const NONCE: B256 = B256::repeat_byte(4);
    const HARDWARE: HardwareId = HardwareId(B256::repeat_byte(5));

    fn binding() -> Binding<'static> {
        Binding {
            chain_id: "secretdev-1",
            consensus_key: &[1; 32],
            boot_sign: &[2; 32],
            boot_kem: &[3; 32],
            nonce: &NONCE,
            hardware: &HARDWARE,
        }
    }

    #[test]
    fn the_report_data_of_one_registration_for_ever() {
        let expected = "75f95a254a09ee6ec06829e8b8355e4e283c47c5c038e21fb3c61d6d659e7ac4f750957e6cf4c08d5fc05df4ee997f64ebe7a1443d48a12982fc3317aec9642e";
        assert_eq!(hex::encode(binding().report_data().0), expected);
    }

    #[test]
    fn v21_each_part_is_bound_and_none_runs_into_its_neighbour() {
        let other = HardwareId(B256::repeat_byte(9));
        let (sign, kem) = ([2; 33], [3; 31]);
        let changed = [
            binding(),
            Binding { chain_id: "secretdev-2", ..binding() },
            Binding { consensus_key: &[9; 32], ..binding() },
            Binding { boot_sign: &[9; 32], ..binding() },
            Binding { boot_kem: &[9; 32], ..binding() },
            Binding { nonce: &other.0, ..binding() },
            Binding { hardware: &other, ..binding() },
            Binding { boot_sign: &sign, boot_kem: &kem, ..binding() },
        ];
        for (index, one) in changed.iter().enumerate() {
            for two in &changed[index + 1..] {
                assert_ne!(one.report_data(), two.report_data(), "{one:?} and {two:?}");
            }
        }
    }
}
