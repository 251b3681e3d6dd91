use alloy_primitives::{Address, B256, U256, address, hex};
use proptest::prelude::*;

use super::*;
use crate::genesis::{GenesisAccount, GenesisError};
use crate::{Genesis, Leaf, Validator as Member, ValidatorSet};

fn validator(tokens: u128, shares: u128) -> Validator {
    Validator {
        key: B256::repeat_byte(1),
        status: Status::Bonded,
        jailed: false,
        tokens,
        shares: Decimal::whole(shares),
        description: Description::default(),
        commission: Commission { rate: Decimal::percent(10), ..Commission::default() },
        min_self_delegation: 1,
        unbonding_height: 0,
        unbonding_time: 0,
        delegators: 1,
        unbonders: 0,
        redelegators: 0,
    }
}

#[test]
fn a_decimal_is_written_as_the_sdk_writes_it() {
    let cases = [("0", "0.000000000000000000"), ("0.05", "0.050000000000000000"), ("17.5", "17.500000000000000000")];
    for (short, long) in cases {
        let decimal: Decimal = short.parse().expect("a number");
        assert_eq!(decimal.to_string(), long);
        assert_eq!(long.parse(), Ok(decimal));
        assert_eq!(Decimal::from_atto(&decimal.to_atto()), Ok(decimal));
    }
    assert_eq!(Decimal::from_atto("50000000000000000"), Ok(Decimal::percent(5)));
    for wrong in ["", ".", "1.", ".5", "-1", "1e3", "0.0000000000000000001", "1.2.3", "٣"] {
        assert_eq!(wrong.parse::<Decimal>(), Err(DecimalError), "{wrong}");
    }
    assert!("9".repeat(78).parse::<Decimal>().is_err() && "9".repeat(79).parse::<Decimal>().is_err());
}

#[test]
fn names_are_those_of_clients() {
    let a = crate::cosmos::from_bech32("secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03").expect("account a");
    assert_eq!(valoper(&a), "secretvaloper1ap26qrlp8mcq2pg6r47w43l0y8zkqm8aynpdzc");
    assert_eq!(from_valoper(&valoper(&a)), Ok(a));
    assert!(from_valoper("secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03").is_err());
    assert!(from_valoper(&valcons(&a)).is_err());
}

#[test]
fn modules_have_the_addresses_of_every_cosmos_chain() {
    assert_eq!(pool::bonded(), address!("4fea76427b8345861e80a3540a8a9d936fd39391"));
    assert_eq!(pool::not_bonded(), address!("5911b844d7bc224654fe0dcd16babd2d253f2fdf"));
    assert_eq!(pool::fee_collector(), address!("f1829676db577682e944fc3493d451b67ff3e29f"));
    assert_eq!(pool::distribution(), address!("93354845030274cd4bf1686abd60ab28ec52e1a7"));
}

#[test]
fn leaves_are_pinned() {
    let (one, two, three) = (Address::repeat_byte(1), Address::repeat_byte(2), Address::repeat_byte(3));
    let names = [
        (Leaf::StakingParams, 13, 0),
        (Leaf::StakingQueue, 14, 0),
        (Leaf::StakingDue(1), 15, 8),
        (Leaf::Candidates, 16, 0),
        (Leaf::Validator(one), 17, 20),
        (Leaf::Consensus(one), 18, 20),
        (Leaf::Signing(one), 19, 20),
        (Leaf::Absences(one), 20, 20),
        (Leaf::Rewards(one), 21, 20),
        (Leaf::FeePool, 22, 0),
        (Leaf::Delegator(one), 23, 20),
        (Leaf::Delegation(one, two), 24, 40),
        (Leaf::Unbonding(one, two), 25, 40),
        (Leaf::Redelegation(one, two, three), 26, 60),
        (Leaf::Delegators(one, 1), 27, 24),
        (Leaf::Unbonders(one, 1), 28, 24),
        (Leaf::Redelegators(one, 1), 29, 24),
    ];
    for (leaf, tag, rest) in names {
        let bytes = leaf.to_bytes();
        assert_eq!((bytes[0], bytes.len()), (tag, 1 + rest), "{leaf:?}");
    }
}

#[test]
fn records_are_pinned() {
    let delegation = Delegation { shares: Decimal::ONE, ratio: U256::from(2), slot: 3 };
    let bytes = borsh::to_vec(&delegation).expect("memory");
    let expected = hex!(
        "000064a7b3b6e00d000000000000000000000000000000000000000000000000"
        "0200000000000000000000000000000000000000000000000000000000000000"
        "03000000"
    );
    assert_eq!(bytes, expected);
    let exit = Exit { id: 1, height: 2, completion: 3, initial: 4, balance: 5 };
    assert_eq!(borsh::to_vec(&exit).expect("memory").len(), 8 * 3 + 16 * 2);
    assert_eq!(borsh::to_vec(&Status::Bonded).expect("memory"), [3]);
    let due = borsh::to_vec(&Due::Validator(Address::repeat_byte(9))).expect("memory");
    assert_eq!((due[0], due.len()), (2, 21));
}

#[test]
fn absences_count_within_their_window() {
    let mut absences = Absences::default();
    for height in [3, 4, 5, 9, 10, 12] {
        absences.note(height, 8);
    }
    assert_eq!(absences.spells, [(3, 5), (9, 10), (12, 12)], "five is still within the eight blocks up to twelve");
    assert_eq!((absences.count(12, 8), absences.count(13, 8), absences.count(12, 3)), (4, 3, 2));
    absences.note(14, 8);
    assert_eq!(absences.spells, [(9, 10), (12, 12), (14, 14)]);
    for height in (100..).step_by(2).take(3 * Absences::SPELLS) {
        absences.note(height, u64::MAX);
        assert!(absences.spells.len() <= Absences::SPELLS);
    }
}

#[test]
fn marks_reach_back_over_the_span_and_no_further() {
    let mut queue = Queue::default();
    for height in 0..1_000 {
        queue.mark(height, height * 10, 1_600);
        assert!(queue.marks.len() <= 18, "{}", queue.marks.len());
    }
    let oldest = queue.oldest();
    assert!((1_000 - 160 - 20..=1_000 - 160).contains(&oldest), "{oldest}");
}

#[test]
fn a_genesis_names_the_validators_of_its_set_and_no_others() {
    let one = |byte: u8, bond: u128| GenesisValidator {
        operator: Address::repeat_byte(byte),
        key: B256::repeat_byte(byte),
        bond,
        moniker: format!("validator {byte}"),
        commission: Decimal::percent(5),
        max_commission: Decimal::percent(10),
        max_commission_change: Decimal::percent(1),
    };
    let good = GenesisStaking {
        params: Params::default(),
        governance: Default::default(),
        validators: vec![one(1, 3 * POWER), one(2, 2 * POWER + 1)],
    };
    let set = good.set().expect("a set");
    assert_eq!(set.iter().map(|member| member.power).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(good.check(&set), Ok(()));
    let with = |change: fn(&mut GenesisStaking)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.check(&set)
    };
    assert_eq!(with(|genesis| genesis.validators[0].bond = POWER), Err(StakingError::Set));
    assert_eq!(with(|genesis| genesis.validators[0].bond = POWER - 1), Err(StakingError::Bond));
    assert_eq!(with(|genesis| genesis.validators[0].bond = u128::MAX), Err(StakingError::Bond));
    assert_eq!(with(|genesis| genesis.validators[0].key = B256::repeat_byte(2)), Err(StakingError::Duplicate));
    assert_eq!(with(|genesis| genesis.validators[0].commission = Decimal::percent(11)), Err(StakingError::Commission));
    assert_eq!(with(|genesis| genesis.validators[0].moniker.clear()), Err(StakingError::Moniker));
    assert_eq!(with(|genesis| genesis.params.max_validators = 1), Err(StakingError::Params));
    assert_eq!(with(|genesis| genesis.params.unbonding_time = 0), Err(StakingError::Params));
    let other = ValidatorSet::new(vec![Member { key: B256::repeat_byte(1), power: 1 }]).expect("a set");
    assert_eq!(good.check(&other), Err(StakingError::Set));
    let text = serde_json::to_string(&good).expect("memory");
    assert!(text.contains(r#""community_tax":"0.020000000000000000""#), "{text}");
    assert_eq!(serde_json::from_str::<GenesisStaking>(&text).expect("its own text"), good);
}

#[test]
fn a_genesis_leaves_the_accounts_of_modules_to_the_chain_and_its_coins_can_be_counted() {
    let key = Genesis::for_tests().validators.iter().next().expect("one").key;
    let validator = GenesisValidator {
        operator: Address::repeat_byte(1),
        key,
        bond: POWER,
        moniker: "one".into(),
        commission: Decimal::ZERO,
        max_commission: Decimal::ZERO,
        max_commission_change: Decimal::ZERO,
    };
    let (params, governance) = (Params::default(), Default::default());
    let staking = Some(GenesisStaking { params, governance, validators: vec![validator] });
    let rich = |address: Address, coins: u128| {
        let accounts = vec![GenesisAccount { address, coins, ..Default::default() }];
        Genesis { accounts, staking: staking.clone(), ..Genesis::for_tests() }.check()
    };
    let user = Address::repeat_byte(2);
    assert_eq!(rich(user, u128::MAX - POWER), Ok(()));
    assert_eq!(rich(user, u128::MAX - POWER + 1), Err(GenesisError::Coins));
    for pool in pool::all() {
        assert_eq!(rich(pool, 1), Err(GenesisError::Module));
    }
}

#[test]
fn a_validator_without_shares_leaves_its_fees_to_the_community() {
    let mut rewards = Rewards::default();
    assert_eq!(rewards.settle(Decimal::whole(7), &validator(0, 0)), Decimal::whole(7));
    assert_eq!(rewards, Rewards::default());
}

proptest! {
    #[test]
    fn nobody_earns_more_than_came_in(
        shares in prop::collection::vec(1..u128::from(u64::MAX), 1..6),
        fees in prop::collection::vec(0..u128::from(u64::MAX), 1..6),
    ) {
        let total: u128 = shares.iter().sum();
        let validator = validator(total / 2 + 1, total);
        let (mut rewards, mut came) = (Rewards::default(), Decimal::ZERO);
        for fee in fees {
            let fee = Decimal(U256::from(fee) * U256::from(123_456_789));
            came = came.plus(fee);
            prop_assert!(rewards.settle(fee, &validator).is_zero());
        }
        let each = shares.iter().map(|part| Delegation { shares: Decimal::whole(*part), ..Delegation::default() });
        let earned = each.map(|one| one.earned(&rewards)).fold(Decimal::ZERO, Decimal::plus);
        let all = earned.plus(rewards.commission);
        prop_assert!(all <= came);
        prop_assert!(came.less(all) <= Decimal(U256::from(1_000_000_000_000u64)), "no more than a dust is lost: {}", came.less(all));
    }

    #[test]
    fn shares_bought_are_worth_no_more_than_what_was_paid(tokens in 1..u128::from(u64::MAX), shares in 1..u128::from(u64::MAX), paid in 1..u128::from(u64::MAX)) {
        let mut validator = validator(tokens, shares);
        let bought = validator.price(paid).expect("it has a price");
        validator.tokens += paid;
        validator.shares = validator.shares.plus(bought);
        prop_assert!(validator.worth(bought) <= Decimal::whole(paid));
    }
}
