use cloister_chain::staking::{Delegation, FeePool, Rewards};

use super::*;

/// What a user has earned at a validator and not yet taken.
fn earned(net: &Net, user: u8, at: u8) -> Decimal {
    let validator = net.validator(at);
    let mut rewards: Rewards = net.leaf(Leaf::Rewards(account(at))).expect("rewards");
    let fee_pool: FeePool = net.leaf(Leaf::FeePool).unwrap_or_default();
    rewards.settle(fee_pool.pending(&key_address(&validator.key)), &validator);
    let delegation: Delegation = net.leaf(Leaf::Delegation(account(user), account(at))).expect("a delegation");
    delegation.earned(&rewards)
}

fn community(net: &Net) -> Decimal {
    net.leaf::<FeePool>(Leaf::FeePool).unwrap_or_default().community
}

/// A message that costs its fee and does nothing else.
fn nothing(user: u8) -> Any {
    let address = bech32(&account(user));
    let message = distribution::MsgSetWithdrawAddress { delegator_address: address.clone(), withdraw_address: address };
    distribution_message("MsgSetWithdrawAddress", &message)
}

#[test]
fn fees_go_to_the_community_and_to_all_validators_by_power() {
    let mut net = Net::with(params(), &[3 * BOND, BOND]);
    net.do_well(9, nothing(9));
    assert_eq!(net.chain.coins(pool::fee_collector()), FEE);
    net.blocks(1);
    assert_eq!((net.chain.coins(pool::fee_collector()), net.chain.coins(pool::distribution())), (0, FEE));
    assert_eq!(community(&net), Decimal::whole(20));
    // 980 in quarters, a tenth of it commission.
    assert_eq!(earned(&net, 1, 1).floor(), 661);
    assert_eq!(earned(&net, 2, 2).floor(), 220);
}

#[test]
fn who_was_absent_is_paid_as_well() {
    let mut net = Net::of(4);
    net.absent = vec![2];
    net.do_well(9, nothing(9));
    net.blocks(2);
    assert_eq!(earned(&net, 2, 2), earned(&net, 1, 1), "a proposer does not choose whom it leaves out");
}

#[test]
fn rewards_are_taken_in_whole_coins() {
    let mut net = Net::of(1);
    net.do_well(5, delegate(5, 1, 2 * BOND));
    net.blocks(1);
    // Of 1000: 20 for the community, 98 of commission, the rest by shares of one and two.
    assert_eq!((earned(&net, 1, 1).floor(), earned(&net, 5, 1).floor()), (294, 588));
    let before = net.coins(5);
    let result = net.do_well(5, withdraw(5, 1));
    let expected =
        pairs([("amount", "588uscrt".into()), ("validator", valoper(&account(1))), ("delegator", bech32(&account(5)))]);
    assert_eq!(event(&result, "withdraw_rewards"), expected);
    assert_eq!(net.coins(5), before - FEE + 588);
    let result = net.do_well(1, withdraw_commission(1));
    assert_eq!(event(&result, "withdraw_commission"), pairs([("amount", "196uscrt".into())]));
    assert!(community(&net) >= Decimal::whole(40));
    net.do_well(5, withdraw(5, 1));
    let result = net.do_well(5, withdraw(5, 1));
    let amount = &event(&result, "withdraw_rewards")[0].1;
    assert_eq!(amount, "588uscrt", "of the fee of the last one");
}

#[test]
fn who_comes_later_earns_nothing_of_what_came_before() {
    let mut net = Net::of(1);
    (0..5).for_each(|_| drop(net.do_well(9, nothing(9))));
    net.blocks(1);
    let own = earned(&net, 1, 1);
    net.do_well(5, delegate(5, 1, 5 * BOND));
    assert_eq!(earned(&net, 5, 1), Decimal::ZERO);
    assert_eq!(earned(&net, 1, 1), own, "and takes nothing away");
}

#[test]
fn more_delegated_or_less_pays_what_was_earned() {
    let mut net = Net::of(1);
    net.do_well(5, delegate(5, 1, BOND));
    net.do_well(9, nothing(9));
    let before = net.coins(5);
    let result = net.do_well(5, delegate(5, 1, POWER));
    let paid = event(&result, "withdraw_rewards")[0].1.clone();
    assert_eq!(paid, "882uscrt", "half of two fees, less tax and commission");
    assert_eq!(net.coins(5), before - FEE - POWER + 882);
    assert_eq!(earned(&net, 5, 1), Decimal::ZERO);
}

#[test]
fn rewards_go_where_their_owner_wants_them() {
    let mut net = Net::of(1);
    let message = distribution::MsgSetWithdrawAddress {
        delegator_address: bech32(&account(1)),
        withdraw_address: bech32(&account(8)),
    };
    let result = net.do_well(1, distribution_message("MsgSetWithdrawAddress", &message));
    assert_eq!(event(&result, "set_withdraw_address"), pairs([("withdraw_address", bech32(&account(8)))]));
    net.do_well(1, withdraw(1, 1));
    assert_eq!(net.coins(8), RICH + 882);
    for closed in [pool::bonded(), pool::distribution()] {
        let closed = distribution::MsgSetWithdrawAddress { withdraw_address: bech32(&closed), ..message.clone() };
        let (codespace, code, _) = net.fails(1, distribution_message("MsgSetWithdrawAddress", &closed));
        assert_eq!((codespace.as_str(), code), ("sdk", 4));
    }
}

#[test]
fn an_address_that_can_take_no_coins_stops_nothing() {
    let mut net = Net::of(2);
    // Another world's contract, made at that address after it was chosen.
    let contract = Address::repeat_byte(0xcc);
    let message = distribution::MsgSetWithdrawAddress {
        delegator_address: bech32(&account(1)),
        withdraw_address: bech32(&contract),
    };
    let code = GenesisAccount { address: contract, code: vec![0xfe].into(), ..Default::default() };
    net.chain.genesis.accounts.push(code);
    net = Net { chain: Chain::of(net.chain.genesis.clone()), ..net };
    net.do_well(1, distribution_message("MsgSetWithdrawAddress", &message));
    net.blocks(1);
    let before = community(&net);
    net.do_well(1, withdraw(1, 1));
    assert!(community(&net).less(before) >= Decimal::whole(441), "they are everybody's");
    assert_eq!(net.chain.coins(contract), 0);
}

#[test]
fn everybody_may_give_to_the_community() {
    let mut net = Net::of(1);
    let message =
        distribution::MsgFundCommunityPool { amount: coin(77).into_iter().collect(), depositor: bech32(&account(5)) };
    net.do_well(5, distribution_message("MsgFundCommunityPool", &message));
    assert_eq!(community(&net), Decimal::whole(77));
}
