use alloy_primitives::{Address, U256};

use super::*;
use crate::Leaf;

fn power(operator: u8, tokens: u128) -> Power {
    let shares = Decimal::whole(tokens * 2);
    let operator = Address::repeat_byte(operator);
    Power { operator, tokens, shares, gone: Decimal::ZERO, options: Vec::new() }
}

fn only(choice: Choice) -> Vec<(Choice, Decimal)> {
    vec![(choice, Decimal::ONE)]
}

fn votes(yes: u128, abstain: u128, no: u128, veto: u128) -> [Decimal; 4] {
    [yes, abstain, no, veto].map(Decimal::whole)
}

#[test]
fn leaves_and_records_are_pinned() {
    let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let first = Leaf::grant(one, two, "/a.B").to_bytes()[0];
    let names = [
        (Leaf::grant(one, two, "/a.B"), 0, 72),
        (Leaf::GovParams, 1, 0),
        (Leaf::Governance, 2, 0),
        (Leaf::GovQueue(1), 3, 4),
        (Leaf::Proposal(1), 4, 8),
        (Leaf::Ballot(1), 5, 8),
        (Leaf::Deposit(1, one), 6, 28),
        (Leaf::Depositors(1, 1), 7, 12),
        (Leaf::Vote(1, one), 8, 28),
        (Leaf::Voters(1, 1), 9, 12),
    ];
    for (leaf, tag, rest) in names {
        let bytes = leaf.to_bytes();
        assert_eq!((bytes[0], bytes.len()), (first + tag, 1 + rest), "{leaf:?}");
    }
    let bytes = |record: &dyn Fn() -> Vec<u8>| record();
    let governance = Governance { last: 1, queued: 2, due: Some(3) };
    assert_eq!(bytes(&|| borsh::to_vec(&governance).expect("memory")).len(), 8 + 4 + 9);
    assert_eq!(borsh::to_vec(&Choice::Veto).expect("memory"), [4]);
    assert_eq!(borsh::to_vec(&Status::Failed).expect("memory"), [5]);
    let closing = Stage::Closing { kept: Decimal::ONE, to: None, passed: Some(true) };
    assert_eq!(borsh::to_vec(&closing).expect("memory").len(), 1 + 32 + 1 + 2);
    assert_eq!(
        account(),
        alloy_primitives::address!("7b5fe22b5446f7c62ea27b8bd71cef94e03f3df2"),
        "every Cosmos chain's"
    );
}

#[test]
fn the_sdk_s_parameters_are_sound_and_read_like_them() {
    let params = Params::default();
    assert!(params.are_sound());
    let json = serde_json::to_value(&params).expect("memory");
    assert_eq!(json["quorum"], "0.334000000000000000");
    assert_eq!(json["expedited_threshold"], "0.667000000000000000");
    assert_eq!(json["veto_threshold"], "0.334000000000000000");
    assert!(!Params { voting_period: 0, ..Params::default() }.are_sound());
    assert!(!Params { expedited_min_deposit: 1, ..Params::default() }.are_sound());
    assert!(!Params { quorum: Decimal(U256::MAX), ..Params::default() }.are_sound());
}

#[test]
fn a_validator_votes_with_what_its_delegators_leave_it() {
    let mut count = Count { validators: vec![power(1, 70), power(2, 30)], ..Count::default() };
    let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
    // Of the 140 shares of 70 tokens, somebody else's 40 are worth 20.
    count.count(&Address::repeat_byte(9), only(Choice::No), &[(one, Decimal::whole(40)), (two, Decimal::whole(10))]);
    assert_eq!(Tally::from(count.finish()), Tally { no: 25, ..Tally::default() });
    count.count(&one, only(Choice::Yes), &[(one, Decimal::whole(2))]);
    assert_eq!(Tally::from(count.finish()), Tally { yes: 50, no: 25, ..Tally::default() });
    let half = Decimal::percent(50);
    count.count(&two, vec![(Choice::Abstain, half), (Choice::Veto, half)], &[]);
    assert_eq!(Tally::from(count.finish()), Tally { yes: 50, no: 25, abstain: 12, veto: 12 });
    assert_eq!(count.bonded(), 100);
    // More than all shares are nobody's.
    count.count(&Address::repeat_byte(8), only(Choice::No), &[(one, Decimal::whole(10_000))]);
    assert_eq!(Tally::from(count.finish()), Tally { yes: 1, no: 74, abstain: 12, veto: 12 });
}

#[test]
fn what_votes_decide() {
    let params = Params { burn_vote_quorum: true, ..Params::default() };
    let cases = [
        ("nothing is bonded", votes(1, 0, 0, 0), 0, false, (false, false)),
        ("too few vote", votes(333, 0, 0, 0), 1_000, false, (false, true)),
        ("enough do", votes(334, 0, 0, 0), 1_000, false, (true, false)),
        ("all abstain", votes(0, 999, 0, 0), 1_000, false, (false, false)),
        ("half are for it", votes(500, 0, 500, 0), 1_000, false, (false, false)),
        ("more than half", votes(501, 0, 499, 0), 1_000, false, (true, false)),
        ("who abstains does not count", votes(201, 600, 199, 0), 1_000, false, (true, false)),
        ("a third may veto", votes(666, 0, 0, 334), 1_000, false, (true, false)),
        ("and not more", votes(665, 0, 0, 335), 1_000, false, (false, true)),
        ("two thirds are not enough for haste", votes(667, 0, 333, 0), 1_000, true, (false, false)),
        ("more are", votes(668, 0, 332, 0), 1_000, true, (true, false)),
    ];
    for (story, votes, bonded, expedited, decided) in cases {
        assert_eq!(params.decide(&votes, bonded, expedited), decided, "{story}");
    }
}
