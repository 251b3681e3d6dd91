//! The set of one height, as the engine asks for it, and whose turn it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloister_chain::B256;
use malachite_types::VotingPower;

use super::context::{Address, Tendermint};

/// A member of a [`ValidatorSet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    address: Address,
    key: B256,
    power: u64,
}

/// The validators of one height in the order of their keys. Cheap to clone: the engine does it for each vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet(Arc<Members>);

#[derive(Debug, PartialEq, Eq)]
struct Members {
    list: Vec<Validator>,
    index: BTreeMap<Address, usize>,
    total: u64,
}

/// 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl ValidatorSet {
    /// Whose turn it is to propose in `round` of `height`.
    ///
    /// The powers lie side by side on a circle, in the order of keys, and the turn goes around it in steps of the golden
    /// ratio: turn *t = height + round* falls on `⌊frac(t/φ) · total⌋`. That needs no memory, gives each validator its
    /// share over any stretch of heights to within a few turns (Weyl's sequence with the lowest discrepancy), and never
    /// the same one twice in a row unless it holds more than 38 % of the power, so that a silent proposer costs one round.
    pub fn proposer(&self, height: u64, round: u32) -> &Validator {
        let turn = height.wrapping_add(round.into()).wrapping_mul(GOLDEN);
        let mut place = (u128::from(turn) * u128::from(self.0.total)) >> 64;
        for validator in &self.0.list {
            let power = u128::from(validator.power);
            if place < power {
                return validator;
            }
            place -= power;
        }
        unreachable!("the place lies below the sum of all powers")
    }

    /// The member with this address.
    pub fn find(&self, address: &Address) -> Option<&Validator> {
        self.0.index.get(address).map(|&index| &self.0.list[index])
    }
}

impl Validator {
    /// Address derived from the key.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Ed25519 verification key.
    pub fn key(&self) -> B256 {
        self.key
    }
}

impl From<&cloister_chain::ValidatorSet> for ValidatorSet {
    fn from(set: &cloister_chain::ValidatorSet) -> Self {
        let member = |validator: &cloister_chain::Validator| Validator {
            address: Address(validator.address()),
            key: validator.key,
            power: validator.power,
        };
        let list: Vec<Validator> = set.iter().map(member).collect();
        let index = list.iter().enumerate().map(|(index, validator)| (validator.address, index)).collect();
        Self(Arc::new(Members { list, index, total: set.total_power() }))
    }
}

impl malachite_types::Validator<Tendermint> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &B256 {
        &self.key
    }

    fn voting_power(&self) -> VotingPower {
        self.power
    }
}

impl malachite_types::ValidatorSet<Tendermint> for ValidatorSet {
    fn count(&self) -> usize {
        self.0.list.len()
    }

    fn total_voting_power(&self) -> VotingPower {
        self.0.total
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.find(address)
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.list.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(powers: &[u64]) -> ValidatorSet {
        let member = |(index, &power)| cloister_chain::Validator { key: B256::with_last_byte(index as u8 + 1), power };
        let list = powers.iter().enumerate().map(member).collect();
        ValidatorSet::from(&cloister_chain::ValidatorSet::new(list).expect("a set"))
    }

    /// How often each of `set` proposes in `turns` heights from `start`.
    fn shares(set: &ValidatorSet, start: u64, turns: u64) -> Vec<u64> {
        let mut shares = vec![0; set.0.list.len()];
        for height in start..start + turns {
            shares[set.0.index[&set.proposer(height, 0).address]] += 1;
        }
        shares
    }

    #[test]
    fn everybody_proposes_in_proportion_to_power_over_every_stretch_of_heights() {
        let powers = [1_000_000, 3_000_000, 2_000_000, 4_000_000];
        for start in [1, 17, 1_000_003, u64::MAX - 5_000] {
            for (share, power) in shares(&set(&powers), start, 1_000).into_iter().zip(powers) {
                assert!(share.abs_diff(power / 10_000) <= 4, "{share} turns of a thousand for {power}");
            }
        }
    }

    #[test]
    fn of_equal_validators_none_has_two_turns_in_a_row_and_the_next_round_is_anothers() {
        for count in [3usize, 4, 7, 100] {
            let set = set(&vec![5; count]);
            for height in 1..2_000 {
                let first = set.proposer(height, 0);
                assert_ne!(first, set.proposer(height, 1));
                assert_ne!(first, set.proposer(height + 1, 0));
            }
        }
    }

    #[test]
    fn the_turns_are_pinned() {
        let set = set(&[1, 1, 1, 1]);
        let turns: Vec<usize> = (1..=12).map(|height| set.0.index[&set.proposer(height, 0).address]).collect();
        assert_eq!(turns, [2, 0, 3, 1, 0, 2, 1, 3, 2, 0, 3, 1]);
        let alone = self::set(&[7]);
        assert_eq!(alone.proposer(u64::MAX, u32::MAX), &alone.0.list[0]);
    }
}
