use cloister_chain::staking::{Candidate, Commission, Decimal, Description, POWER, Status, VALIDATORS, Validator};
use cloister_chain::{Address, B256};
use cloister_state::{Cache, NoSupply, Tree, View};
use ed25519_zebra::{SigningKey, VerificationKey};

use super::*;
use crate::eth::encode;

/// A chain with as many candidates as it remembers: each has one unit more than the one before, and the first half signs.
fn full<T>(story: impl FnOnce(&mut Stake<'_, '_, NoSupply>) -> T) -> T {
    let candidate = |number: usize| Candidate {
        operator: operator(number),
        key: B256::left_padding_from(operator(number).as_slice()),
        sound: true,
        tokens: POWER * (1 + u128::try_from(number).expect("few")),
        jailed: false,
        bonded: number < VALIDATORS / 2,
    };
    let all: Vec<_> = (0..VALIDATORS).map(candidate).collect();
    let mut state = Overlay::new(View::new(Tree::new(), 0, Cache::default(), NoSupply));
    state.write(Leaf::Candidates, Some(encode(&all)));
    state.write(Leaf::StakingParams, Some(encode(&Params::default())));
    let header = Header::genesis(&Genesis::for_tests());
    story(&mut Stake::new(&mut Meter::new(&mut state, u64::MAX), &header).expect("parameters"))
}

fn operator(number: usize) -> Address {
    Address::left_padding_from(&number.to_be_bytes())
}

fn validator(tokens: u128, jailed: bool) -> Validator {
    Validator {
        key: B256::new(VerificationKey::from(&SigningKey::from([1; 32])).into()),
        status: Status::Unbonded,
        jailed,
        tokens,
        shares: Decimal::whole(tokens),
        description: Description::default(),
        commission: Commission::default(),
        min_self_delegation: 1,
        unbonding_height: 0,
        unbonding_time: 0,
        delegators: 1,
        unbonders: 0,
        redelegators: 0,
    }
}

#[test]
fn however_many_there_are_who_brings_more_finds_room() {
    full(|stake| {
        let weakest = operator(VALIDATORS / 2);
        let is_known = |stake: &mut Stake<'_, '_, NoSupply>, operator: Address| {
            let all = stake.candidates().expect("readable");
            assert_eq!(all.len(), VALIDATORS);
            assert!(all.is_sorted_by_key(|candidate| candidate.operator));
            all.iter().any(|candidate| candidate.operator == operator)
        };
        let (new, tokens) = (operator(VALIDATORS), POWER * (1 + u128::try_from(VALIDATORS / 2).expect("few")));
        for (validator, comes) in [
            (validator(tokens - 1, false), false),
            (validator(u128::from(u64::MAX), true), false),
            (validator(tokens + POWER, false), true),
        ] {
            stake.put(new, &validator).expect("nothing fails");
            assert_eq!(is_known(stake, new), comes, "{} tokens, jailed: {}", validator.tokens, validator.jailed);
            assert_eq!(is_known(stake, weakest), !comes, "who signs stays, and of the others the weakest goes");
        }
        assert!(is_known(stake, operator(0)), "the weakest of all signs");
    });
}
