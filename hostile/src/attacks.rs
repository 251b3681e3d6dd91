//! The attacks, by what they turn against the enclave.

mod admission;
mod blocks;
mod clock;
mod commits;
mod decrees;
mod envelopes;
mod epochs;
mod evm;
mod founding;
mod oracles;
mod queries;
mod releases;
mod retired;
mod runs;
mod sealed;
mod state;
mod wall;

use crate::scenario::Scenario;

/// Every attack, in the order in which they are told.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    let chapters: [&[Scenario]; 17] = [
        commits::SCENARIOS,
        blocks::SCENARIOS,
        clock::SCENARIOS,
        state::SCENARIOS,
        sealed::SCENARIOS,
        runs::SCENARIOS,
        epochs::SCENARIOS,
        retired::SCENARIOS,
        queries::SCENARIOS,
        evm::SCENARIOS,
        oracles::SCENARIOS,
        envelopes::SCENARIOS,
        founding::SCENARIOS,
        admission::SCENARIOS,
        decrees::SCENARIOS,
        releases::SCENARIOS,
        wall::SCENARIOS,
    ];
    chapters.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cloister_teeth::Mechanism;

    use super::*;

    #[test]
    fn every_mechanism_that_can_be_switched_off_is_attacked_and_no_two_attacks_have_one_name() {
        let names: BTreeSet<&str> = all().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), all().count());
        for mechanism in Mechanism::ALL {
            assert!(all().any(|scenario| scenario.mechanism == mechanism), "{mechanism:?}");
        }
    }
}
