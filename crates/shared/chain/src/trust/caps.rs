//! How many of the network's enclaves one account, or one family of processors, may have (M-23).

use core::cmp::Ordering;

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_teeth::{Mechanism, holds};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Caps on those who are admitted by registration. Nodes of a genesis are not capped, nor is a renewal, nor the first node
/// of an account, or the first of a family: else no network could begin. Part of the state: validators change it by
/// governance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// With one node more, an account stays *below* this share of all admitted nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Share>,
    /// With one node more, a family has *at most* this share of all admitted nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Share>,
}

/// A part of a whole: `[1, 3]` is a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Share(pub u16, pub u16);

/// Why caps are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CapsError {
    /// A share that is none.
    #[error("a share is more than nothing, and at most the whole")]
    Share,
    /// A chain that promises hardware caps its accounts.
    #[error("only a SIMULATED chain lets one account have a third of all enclaves")]
    Owner,
}

/// Why a node would be one too many. `nodes` are the admitted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OverCap {
    /// The account has too many.
    #[error("the account would have {own} of {nodes} enclaves")]
    Owner {
        /// The account's.
        own: usize,
        /// All.
        nodes: usize,
    },
    /// Too many of one family.
    #[error("{own} of {nodes} enclaves would be of one family")]
    Family {
        /// The family's.
        own: usize,
        /// All.
        nodes: usize,
    },
}

impl Caps {
    /// What a chain that promises hardware begins with: an account stays below a third, whoever makes the processors.
    pub const PRODUCTION: Self = Self { owner: Some(Share(1, 3)), family: None };

    /// Checks what the types do not, for a chain of this kind.
    pub fn check(&self, simulated: bool) -> Result<(), CapsError> {
        let sound = |share: Share| share.0 > 0 && share.0 <= share.1;
        if ![self.owner, self.family].into_iter().flatten().all(sound) {
            return Err(CapsError::Share);
        }
        let third = self.owner.is_some_and(|Share(part, whole)| 3 * u32::from(part) <= u32::from(whole));
        if simulated || third { Ok(()) } else { Err(CapsError::Owner) }
    }

    /// Whether one node more is within them, beside `nodes` that are admitted now, `of_owner` of them the account's and
    /// `of_family` of the same family.
    pub fn allow(&self, nodes: usize, of_owner: usize, of_family: usize) -> Result<(), OverCap> {
        let (nodes, of_owner, of_family) =
            (nodes.saturating_add(1), of_owner.saturating_add(1), of_family.saturating_add(1));
        let reaches = |own: usize, share: Option<Share>| {
            let share = share.filter(|_| own > 1);
            share.map(|Share(part, whole)| own.saturating_mul(whole.into()).cmp(&nodes.saturating_mul(part.into())))
        };
        if reaches(of_owner, self.owner).is_some_and(Ordering::is_ge) && holds(Mechanism::Caps) {
            return Err(OverCap::Owner { own: of_owner, nodes });
        }
        if reaches(of_family, self.family).is_some_and(Ordering::is_gt) {
            return Err(OverCap::Family { own: of_family, nodes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v23_an_account_stays_below_its_share_and_a_family_may_reach_it() {
        let caps = Caps { owner: Some(Share(1, 3)), family: Some(Share(2, 3)) };
        let allow = |nodes, of_owner, of_family| caps.allow(nodes, of_owner, of_family);
        assert_eq!(allow(0, 0, 0), Ok(()), "somebody has to be the first");
        assert_eq!(allow(1, 0, 0), Ok(()));
        assert_eq!(allow(5, 1, 0), Err(OverCap::Owner { own: 2, nodes: 6 }), "a third is not below a third");
        assert_eq!(allow(6, 1, 0), Ok(()), "two of seven");
        assert_eq!(allow(8, 2, 0), Err(OverCap::Owner { own: 3, nodes: 9 }));
        assert_eq!(allow(9, 2, 0), Ok(()));
        assert_eq!(allow(1, 0, 1), Err(OverCap::Family { own: 2, nodes: 2 }));
        assert_eq!(allow(2, 0, 1), Ok(()), "two of three are at most two thirds");
        assert_eq!(allow(4, 0, 3), Err(OverCap::Family { own: 4, nodes: 5 }));
        assert_eq!(allow(5, 0, 3), Ok(()));
        assert_eq!(Caps::default().allow(9, 9, 9), Ok(()));
        let whole = Caps { owner: None, family: Some(Share(1, 1)) };
        assert_eq!(whole.allow(9, 9, 9), Ok(()));
    }

    #[test]
    fn a_share_is_one_and_a_hardware_chain_caps_its_accounts() {
        for (part, whole) in [(0, 0), (0, 1), (2, 1)] {
            let caps = Caps { family: Some(Share(part, whole)), ..Caps::PRODUCTION };
            assert_eq!(caps.check(true), Err(CapsError::Share));
        }
        assert_eq!((Caps::PRODUCTION.check(false), Caps::default().check(true)), (Ok(()), Ok(())));
        for owner in [None, Some(Share(1, 2)), Some(Share(334, 1_000))] {
            assert_eq!(Caps { owner, family: None }.check(false), Err(CapsError::Owner));
        }
        assert_eq!(Caps { owner: Some(Share(333, 1_000)), family: None }.check(false), Ok(()));
    }

    #[test]
    fn caps_as_a_genesis_writes_them() {
        let caps = Caps { owner: Some(Share(1, 3)), family: Some(Share(2, 3)) };
        let json = r#"{"owner":[1,3],"family":[2,3]}"#;
        assert_eq!(serde_json::to_string(&caps).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<Caps>(json).expect("caps"), caps);
        assert_eq!(serde_json::from_str::<Caps>("{}").expect("caps"), Caps::default());
    }
}
