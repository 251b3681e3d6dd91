//! What a chain accepts of what is genuine. Part of the state: validators change it by governance.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::FixedBytes;
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_teeth::{Mechanism, holds};
use serde::{Deserialize, Serialize};

use crate::refused::Refused;
use crate::verified::Family;

/// Which genuine evidence is accepted. [`Default`] is the strictest: Intel platforms that are up to date in every respect.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Families that are refused as a whole.
    pub denied: BTreeSet<Family>,
    /// Whether two threads may share a core. A neighbour on the same core can time the enclave closely.
    pub allow_smt: bool,
    /// Intel's rules.
    pub dcap: DcapPolicy,
    /// The least firmware of each AMD family. A family that is not listed is refused.
    pub snp: BTreeMap<Family, SnpFloor>,
}

/// Rules for Intel's evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DcapPolicy {
    /// Least number of Intel's TCB evaluation that the collateral may be from. It only ever rises (M-24).
    pub min_tcb_eval_data_number: u32,
    /// What is accepted besides a TCB that is up to date, if all its advisories are listed too.
    pub tolerated: BTreeSet<Tolerated>,
    /// The advisories that are accepted with a tolerated status: 289 stands for INTEL-SA-00289.
    pub advisories: BTreeSet<u32>,
    /// Processor models that are refused, by FMSPC: family, model, stepping, platform, custom SKU.
    pub denied_models: BTreeSet<FixedBytes<6>>,
    /// Whether processor packages may be added to the platform.
    pub allow_dynamic_platform: bool,
    /// Whether Intel may keep the platform's root keys.
    pub allow_cached_keys: bool,
}

/// A TCB status other than up to date that a policy may accept. All others are refused whatever a policy says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerated {
    /// The software has to mitigate something itself.
    SwHardeningNeeded,
    /// Besides, the platform's configuration may be wrong.
    ConfigurationAndSwHardeningNeeded,
}

/// The least firmware of an AMD family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnpFloor {
    /// Each component of the reported TCB has to reach its floor.
    pub tcb: SnpTcb,
    /// Major, minor and build of the firmware that can no longer be rolled back.
    pub firmware: (u8, u8, u8),
}

/// Security versions of an AMD platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnpTcb {
    /// Of the FMC; zero before Turin.
    #[serde(default)]
    pub fmc: u8,
    /// Of the boot loader.
    pub bootloader: u8,
    /// Of the operating system of the security processor.
    pub tee: u8,
    /// Of the SNP firmware.
    pub snp: u8,
    /// Of the microcode.
    pub microcode: u8,
}

impl Policy {
    /// Where a production chain starts. Milan is denied: its root seed can be extracted by software. No AMD family has a
    /// floor, so none is admitted before the validators have decided on one.
    pub fn production() -> Self {
        Self {
            denied: BTreeSet::from([Family::SnpMilan]),
            dcap: DcapPolicy { min_tcb_eval_data_number: 20, ..DcapPolicy::default() },
            ..Self::default()
        }
    }

    /// Whether this policy would accept older collateral or older firmware than `former`. A chain refuses such a change:
    /// floors only rise (M-24). A floor that is taken off could come back lower: who wants a family no more denies it.
    pub fn lowers(&self, former: &Self) -> bool {
        let lower_firmware = former.snp.iter().any(|(family, before)| {
            let floor = self.snp.get(family);
            floor.is_none_or(|floor| !floor.tcb.reaches(&before.tcb) || floor.firmware < before.firmware)
        });
        lower_firmware || self.dcap.min_tcb_eval_data_number < former.dcap.min_tcb_eval_data_number
    }

    /// Refuses a family that the policy denies as a whole.
    pub fn check_family(&self, family: Family) -> Result<(), Refused> {
        let denied = self.denied.contains(&family) && holds(Mechanism::DeniedFamily);
        if denied { Err(Refused::FamilyDenied) } else { Ok(()) }
    }
}

impl SnpTcb {
    pub(crate) fn reaches(&self, floor: &Self) -> bool {
        self.fmc >= floor.fmc
            && self.bootloader >= floor.bootloader
            && self.tee >= floor.tee
            && self.snp >= floor.snp
            && self.microcode >= floor.microcode
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn with(number: u32, snp: u8, build: u8) -> Policy {
        let floor = SnpFloor { tcb: SnpTcb { snp, ..SnpTcb::default() }, firmware: (1, 55, build) };
        let dcap = DcapPolicy { min_tcb_eval_data_number: number, ..DcapPolicy::default() };
        Policy { dcap, snp: BTreeMap::from([(Family::SnpGenoa, floor)]), ..Policy::default() }
    }

    #[test]
    fn v24_floors_only_rise() {
        let former = with(20, 23, 21);
        for higher in [with(20, 23, 21), with(21, 23, 21), with(20, 24, 21), with(20, 23, 22)] {
            assert!(!higher.lowers(&former), "{higher:?}");
        }
        for lower in [with(19, 24, 22), with(21, 22, 22), with(21, 24, 20)] {
            assert!(lower.lowers(&former), "{lower:?}");
        }
        let unlisted = Policy { snp: BTreeMap::new(), ..former.clone() };
        assert!(unlisted.lowers(&former) && !former.lowers(&unlisted), "off the list today, back and lower tomorrow");
        let denied = Policy { denied: BTreeSet::from([Family::SnpGenoa]), ..former.clone() };
        assert!(!denied.lowers(&former));
    }

    #[test]
    fn a_policy_as_a_genesis_writes_it() {
        let mut policy = with(20, 23, 21);
        policy.denied = BTreeSet::from([Family::SnpMilan]);
        policy.dcap.tolerated = BTreeSet::from([Tolerated::SwHardeningNeeded]);
        policy.dcap.denied_models = BTreeSet::from([FixedBytes(*b"CLOIST")]);
        let json = serde_json::to_string(&policy).unwrap();
        let expected = concat!(
            r#"{"denied":["snp-milan"],"allow_smt":false,"dcap":{"min_tcb_eval_data_number":20,"#,
            r#""tolerated":["sw-hardening-needed"],"advisories":[],"denied_models":["0x434c4f495354"],"#,
            r#""allow_dynamic_platform":false,"allow_cached_keys":false},"snp":{"snp-genoa":{"tcb":"#,
            r#"{"fmc":0,"bootloader":0,"tee":0,"snp":23,"microcode":0},"firmware":[1,55,21]}}}"#,
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }
}
