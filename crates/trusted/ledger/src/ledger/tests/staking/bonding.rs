use cloister_chain::staking::{Delegator, Unbonding};

use super::*;

#[test]
fn who_delegates_adds_to_a_validators_power_two_blocks_later() {
    let mut net = Net::of(4);
    assert_eq!(net.elected(), [(1, 100), (2, 100), (3, 100), (4, 100)]);
    let result = net.do_well(5, delegate(5, 1, 50 * POWER + 7));
    assert_eq!(net.coins(5), RICH - 50 * POWER - 7 - FEE);
    let kinds: Vec<String> = events(&result).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["message", "coin_spent", "coin_received", "delegate"]);
    let expected = pairs([
        ("validator", valoper(&account(1))),
        ("delegator", bech32(&account(5))),
        ("amount", "50000007uscrt".into()),
        ("new_shares", "50000007.000000000000000000".into()),
    ]);
    assert_eq!(event(&result, "delegate"), expected);
    let received = pairs([("receiver", bech32(&pool::bonded())), ("amount", "50000007uscrt".into())]);
    assert_eq!(event(&result, "coin_received"), received);
    assert_eq!(net.elected()[0], (1, 150));
    let power = |set: &ValidatorSet| set.find(&key(1)).map(|member| member.power);
    let tip = net.chain.ledger.checkpoint();
    assert_eq!((power(&tip.validators), power(&tip.following)), (Some(100), Some(150)));
    net.blocks(1);
    assert_eq!(power(&net.chain.ledger.checkpoint().validators), Some(150));
    net.blocks(1);
}

#[test]
fn coins_leave_after_the_unbonding_time_and_not_before() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 1, 50 * POWER));
    let result = net.do_well(5, undelegate(5, 1, 20 * POWER));
    let began = net.time();
    let expected = pairs([
        ("validator", valoper(&account(1))),
        ("delegator", bech32(&account(5))),
        ("amount", "20000000uscrt".into()),
        ("completion_time", "2023-11-14T22:15:02Z".into()),
    ]);
    assert_eq!(event(&result, "unbond"), expected);
    assert_eq!(net.elected()[0], (1, 130));
    let left = net.coins(5);
    net.later(99);
    assert_eq!(net.coins(5), left);
    net.later(1);
    assert_eq!(net.coins(5), left + 20 * POWER);
    assert_eq!(net.time(), began + 100 * SECOND);
    assert_eq!(net.leaf::<Unbonding>(Leaf::Unbonding(account(5), account(1))), None);
    let record: Delegator = net.leaf(Leaf::Delegator(account(5))).expect("a delegator");
    assert_eq!((record.validators, record.unbonding), (vec![account(1)], vec![]));
}

#[test]
fn everything_comes_back_and_no_trace_is_left() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 1, 50 * POWER));
    net.do_well(5, undelegate(5, 1, 50 * POWER));
    net.later(100);
    // One fee of its own came back as a reward on the way.
    assert!(net.coins(5) >= RICH - 2 * FEE && net.coins(5) < RICH, "{}", net.coins(5));
    for leaf in [Leaf::Delegator(account(5)), Leaf::Delegation(account(5), account(1)), Leaf::Unbonders(account(1), 0)]
    {
        assert!(!net.chain.host.leaves.contains_key(&leaf), "{leaf:?}");
    }
}

#[test]
fn who_changes_his_mind_is_bonded_again() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 1, 50 * POWER));
    net.do_well(5, undelegate(5, 1, 20 * POWER));
    let height = net.height();
    let not_there = net.fails(5, cancel(5, 1, POWER, height + 1));
    assert_eq!((not_there.0.as_str(), not_there.1), ("sdk", 38), "{}", not_there.2);
    let too_much = net.fails(5, cancel(5, 1, 21 * POWER, height));
    assert_eq!(too_much.2, "amount is greater than the unbonding delegation entry balance: invalid request");
    let result = net.do_well(5, cancel(5, 1, 15 * POWER, height));
    let expected = pairs([
        ("amount", "15000000uscrt".into()),
        ("validator", valoper(&account(1))),
        ("delegator", bech32(&account(5))),
        ("creation_height", height.to_string()),
    ]);
    assert_eq!(event(&result, "cancel_unbonding_delegation"), expected);
    assert_eq!(net.validator(1).tokens, BOND + 45 * POWER);
    net.do_well(5, cancel(5, 1, 5 * POWER, height));
    let left = net.coins(5);
    net.later(200);
    assert_eq!(net.coins(5), left, "nothing is left to be freed");
}

#[test]
fn a_delegation_moves_at_once_and_answers_for_where_it_was() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 1, 50 * POWER));
    let result = net.do_well(5, redelegate(5, 1, 2, 30 * POWER));
    let expected = pairs([
        ("source_validator", valoper(&account(1))),
        ("destination_validator", valoper(&account(2))),
        ("amount", "30000000uscrt".into()),
        ("completion_time", "2023-11-14T22:15:02Z".into()),
    ]);
    assert_eq!(event(&result, "redelegate"), expected);
    assert_eq!(net.elected()[..2], [(1, 120), (2, 130)]);
    let again = net.fails(5, redelegate(5, 2, 3, POWER));
    assert_eq!((again.0.as_str(), again.1), ("staking", 32), "{}", again.2);
    net.do_well(5, redelegate(5, 1, 2, POWER));
    net.do_well(5, redelegate(5, 1, 2, POWER));
    let fourth = net.fails(5, redelegate(5, 1, 2, POWER));
    assert_eq!((fourth.0.as_str(), fourth.1), ("staking", 33), "{}", fourth.2);
    net.later(200);
    net.do_well(5, redelegate(5, 2, 3, POWER));
}

#[test]
fn what_cannot_be_is_refused_in_the_sdks_words() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 1, 50 * POWER));
    let cases = [
        (delegate(5, 9, 1), ("staking", 3, "validator does not exist")),
        (delegate(5, 1, 0), ("sdk", 18, "invalid delegation amount: invalid request")),
        (undelegate(5, 1, 0), ("sdk", 18, "invalid shares amount: invalid request")),
        (undelegate(5, 1, 50 * POWER + 1), ("sdk", 18, "invalid shares amount: invalid request")),
        (undelegate(5, 2, 1), ("staking", 19, "no delegation for (address, validator) tuple")),
        (redelegate(5, 1, 1, 1), ("staking", 29, "cannot redelegate to the same validator")),
        (redelegate(5, 1, 9, 1), ("staking", 31, "redelegation destination validator not found")),
        (withdraw(5, 2), ("staking", 19, "no delegation for (address, validator) tuple")),
        (withdraw_commission(5), ("distribution", 7, "no validator commission to withdraw")),
        (unjail(1), ("slashing", 5, "validator not jailed; cannot be unjailed")),
    ];
    for (message, (codespace, code, log)) in cases {
        let user = signer(&message);
        assert_eq!(net.fails(user, message), (codespace.into(), code, log.into()));
    }
    let mut other = proto::MsgDelegate {
        delegator_address: bech32(&account(5)),
        validator_address: valoper(&account(1)),
        amount: Some(Coin { denom: "stake".into(), amount: "5".into() }),
    };
    let log = "invalid coin denomination: got stake, expected uscrt: invalid request";
    assert_eq!(net.fails(5, staking_message("MsgDelegate", &other)), ("sdk".into(), 18, log.into()));
    other.amount = coin(RICH);
    let (codespace, code, log) = net.fails(5, staking_message("MsgDelegate", &other));
    assert_eq!((codespace.as_str(), code), ("sdk", 5), "{log}");
}

/// The user who has to sign a message of these tests.
fn signer(message: &Any) -> u8 {
    if message.type_url.ends_with("MsgUnjail") { 1 } else { 5 }
}

#[test]
fn a_delegator_has_a_few_ways_out_of_one_validator_at_a_time() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 1, 50 * POWER));
    (0..3).for_each(|_| drop(net.do_well(5, undelegate(5, 1, POWER))));
    let (codespace, code, _) = net.fails(5, undelegate(5, 1, POWER));
    assert_eq!((codespace.as_str(), code), ("staking", 27));
    net.later(100);
    net.do_well(5, undelegate(5, 1, POWER));
}

#[test]
fn coins_of_the_modules_are_the_modules() {
    let mut net = Net::of(1);
    for pool in [pool::bonded(), pool::not_bonded(), pool::fee_collector(), pool::distribution()] {
        let message = secret_sdk_proto::cosmos::bank::v1beta1::MsgSend {
            from_address: bech32(&account(5)),
            to_address: bech32(&pool),
            amount: coin(1).into_iter().collect(),
        };
        let message =
            Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: prost::Message::encode_to_vec(&message) };
        let expected = format!("{} is not allowed to receive funds: unauthorized", bech32(&pool));
        assert_eq!(net.fails(5, message), ("sdk".into(), 4, expected));
    }
}

#[test]
fn a_chain_without_a_staking_section_has_no_stake() {
    let mut chain = super::super::cosmos::start();
    let tx = signed(1, 0, (200_000, 100, 0), vec![delegate(1, 1, 5)]);
    let receipt = chain.run(vec![tx])[0].clone();
    let result = receipt.cosmos.expect("a Cosmos result");
    assert_eq!((receipt.status, result.codespace.as_str(), result.code), (Status::Failed, "sdk", 6), "{}", result.log);
    assert!(!chain.host.leaves.contains_key(&Leaf::Candidates));
    chain.run(vec![]);
    assert_eq!(chain.coins(pool::fee_collector()), 100, "fees stay where they are");
}

#[test]
fn a_quiet_block_writes_nothing_about_stake() {
    let mut net = Net::of(4);
    net.blocks(3);
    let written = |net: &Net| -> Vec<Leaf> {
        let writes = &net.chain.outcomes.last().expect("a block").writes;
        writes.iter().map(|(leaf, _)| *leaf).filter(|leaf| !matches!(leaf, Leaf::Chain | Leaf::BlockHash(_))).collect()
    };
    assert_eq!(written(&net), []);
    net.do_well(5, withdraw_nothing());
    net.blocks(1);
    let fees =
        [Leaf::Coins(pool::distribution()), Leaf::Coins(pool::fee_collector()), Leaf::Auth(pool::distribution())];
    let mut expected = [&fees[..], &[Leaf::FeePool]].concat();
    expected.sort();
    assert_eq!(written(&net), expected, "fees, once for all validators");
}

#[test]
fn an_enclave_that_starts_asks_once_for_what_the_ends_of_a_block_need() {
    let mut net = Net::of(4);
    net.do_well(5, delegate(5, 1, POWER));
    net.blocks(2);
    net.chain.ledger.cache = Cache::default();
    net.chain.host.crossings = 0;
    net.blocks(1);
    assert_eq!(net.chain.host.crossings, 1);
}

/// A message that changes nothing but its sender's own record.
fn withdraw_nothing() -> Any {
    let address = bech32(&account(5));
    let message = distribution::MsgSetWithdrawAddress { delegator_address: address.clone(), withdraw_address: address };
    distribution_message("MsgSetWithdrawAddress", &message)
}
