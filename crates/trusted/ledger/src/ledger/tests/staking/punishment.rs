use cloister_chain::staking::{Absences, Status as Bond, Unbonding};

use super::*;

/// A network on which one validator has been absent until that had a consequence.
fn jailed() -> Net {
    let mut net = Net::of(4);
    net.blocks(12);
    net.absent = vec![4];
    while !net.validator(4).jailed {
        net.blocks(1);
        assert!(net.height() < 40, "it is never jailed");
    }
    net
}

#[test]
fn a_new_network_forgives_absence_for_one_window() {
    let mut net = Net::of(4);
    net.absent = vec![4];
    net.blocks(12);
    assert!(!net.validator(4).jailed);
    net.blocks(1);
    assert!(net.validator(4).jailed);
}

#[test]
fn who_is_absent_is_jailed_and_comes_back() {
    let mut net = jailed();
    // Block 13 is the first that it did not sign; five of ten are forgiven; the next block tells of the sixth.
    assert_eq!(net.height(), 19);
    let validator = net.validator(4);
    assert_eq!((validator.status, validator.tokens), (Bond::Unbonding, BOND - BOND / 100));
    assert_eq!(net.elected().len(), 3);
    assert_eq!(net.leaf::<Absences>(Leaf::Absences(key_address(&key(4)))), None);
    net.blocks(2);
    net.absent.clear();
    let early = net.fails(4, unjail(4));
    assert_eq!(early, ("slashing".into(), 4, "validator still jailed; cannot be unjailed".into()));
    net.later(60);
    net.do_well(4, unjail(4));
    assert_eq!(net.elected().len(), 4);
    assert_eq!(net.signing(4).start, net.height() + 2);
    net.blocks(4);
    assert!(net.certificate.as_ref().is_some_and(|last| last.precommits.len() == 4));
}

#[test]
fn a_short_absence_costs_nothing() {
    let mut net = Net::of(4);
    net.blocks(12);
    for _ in 0..6 {
        net.absent = vec![4];
        net.blocks(2);
        net.absent.clear();
        net.blocks(4);
    }
    let validator = net.validator(4);
    assert_eq!((validator.jailed, validator.tokens), (false, BOND));
    let absences: Absences = net.leaf(Leaf::Absences(key_address(&key(4)))).expect("noted");
    assert_eq!(absences.count(net.height(), 10), 2, "only the last one is within the window");
}

#[test]
fn who_signs_twice_loses_and_never_comes_back() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 4, BOND));
    net.blocks(3);
    let height = net.height() - 1;
    let supply = net.chain_state().supply;
    net.block_with(Vec::new(), vec![double_sign(4, height)]);
    let validator = net.validator(4);
    assert_eq!((validator.jailed, validator.status), (true, Bond::Unbonding));
    assert_eq!(validator.tokens, 2 * BOND - 2 * BOND / 20, "a twentieth of all that is delegated to it");
    assert_eq!(net.chain_state().supply, supply - 2 * BOND / 20, "burnt");
    assert_eq!(net.elected().len(), 3);
    let worth = |user: u8| {
        let delegation = net.leaf::<staking::Delegation>(Leaf::Delegation(account(user), account(4)));
        validator.worth(delegation.expect("a delegation").shares).floor()
    };
    assert_eq!((worth(4), worth(5)), (BOND - BOND / 20, BOND - BOND / 20), "delegators share the loss");
    let signing = net.signing(4);
    assert!(signing.tombstoned && signing.jailed_until == u64::MAX);
    net.later(50);
    assert_eq!(net.fails(4, unjail(4)).1, 4);
    net.block_with(Vec::new(), vec![double_sign(4, height), double_sign(4, height + 1)]);
    assert_eq!(net.validator(4).tokens, validator.tokens, "once is enough");
    net.do_well(5, undelegate(5, 4, BOND - BOND / 20));
    net.blocks(2);
}

#[test]
fn who_left_since_shares_the_loss_and_who_left_before_does_not() {
    let mut net = Net::of(4);
    (5..=8).for_each(|user| drop(net.do_well(user, delegate(user, 4, 40 * POWER))));
    net.do_well(5, undelegate(5, 4, 20 * POWER));
    net.blocks(3);
    let height = net.height();
    net.do_well(6, undelegate(6, 4, 20 * POWER));
    net.do_well(7, redelegate(7, 4, 1, 20 * POWER));
    net.do_well(8, redelegate(8, 4, 1, 20 * POWER));
    // It is no longer where it was moved to.
    net.do_well(8, undelegate(8, 1, 20 * POWER));
    let there = net.validator(1).tokens;
    net.block_with(Vec::new(), vec![double_sign(4, height)]);
    let balance = |user: u8, from: u8| {
        let record: Unbonding = net.leaf(Leaf::Unbonding(account(user), account(from))).expect("on its way");
        record.entries[0].balance
    };
    assert_eq!(balance(5, 4), 20 * POWER, "it left before");
    assert_eq!(balance(6, 4), 19 * POWER);
    assert_eq!(balance(8, 1), 19 * POWER, "and so does what was moved and then taken away");
    assert_eq!(net.validator(1).tokens, there - POWER, "what was moved answers for where it was");
    assert_eq!(net.elected().iter().find(|(user, _)| *user == 1), Some(&(1, 119)));
    let before = net.coins(6);
    net.later(200);
    assert_eq!(net.coins(6), before + 19 * POWER);
}

#[test]
fn what_is_too_old_or_nobodys_is_ignored() {
    let mut net = Net::of(4);
    net.blocks(8);
    net.later(60);
    net.later(60);
    let tokens = net.validator(4).tokens;
    net.block_with(Vec::new(), vec![double_sign(4, 1), double_sign(9, net.height())]);
    assert_eq!((net.validator(4).tokens, net.validator(4).jailed), (tokens, false));
    net.block_with(Vec::new(), vec![double_sign(4, net.height())]);
    assert!(net.validator(4).jailed);
}

#[test]
fn words_about_a_height_at_which_it_did_not_sign_are_no_offence_and_no_way_out_of_one() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 4, BOND));
    net.blocks(3);
    net.block_with(Vec::new(), vec![double_sign(4, net.height() + 9)]);
    assert!(!net.validator(4).jailed, "nobody has asked yet");
    net.do_well(5, undelegate(5, 4, BOND));
    net.do_well(4, undelegate(4, 4, BOND));
    let last = net.validator(4).unbonding_height + 1;
    net.blocks(3);
    // Whoever is punished for this loses nothing: it has all left before.
    net.block_with(Vec::new(), vec![double_sign(4, last + 1)]);
    assert!(!net.signing(4).tombstoned);
    net.block_with(Vec::new(), vec![double_sign(4, last)]);
    assert!(net.signing(4).tombstoned);
    let record: Unbonding = net.leaf(Leaf::Unbonding(account(4), account(4))).expect("on its way");
    assert_eq!(record.entries[0].balance, BOND - BOND / 20, "what stood behind the last vote pays");
}

#[test]
fn when_all_sign_twice_they_go_on_until_there_is_another() {
    let mut net = Net::of(2);
    net.blocks(2);
    let height = net.height();
    net.block_with(Vec::new(), vec![double_sign(1, height), double_sign(2, height)]);
    assert_eq!(net.elected(), [(1, 100), (2, 100)], "somebody has to sign");
    assert!(net.validator(1).jailed && net.validator(2).jailed);
    net.blocks(3);
    let refused = net.fails(1, undelegate(1, 1, POWER));
    assert_eq!((refused.0.as_str(), refused.1), ("sdk", 18), "{}", refused.2);
}

impl Net {
    fn chain_state(&self) -> ChainState {
        self.leaf(Leaf::Chain).expect("the chain's own leaf")
    }
}
