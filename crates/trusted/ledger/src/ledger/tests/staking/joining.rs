use cloister_chain::staking::{Candidate, Status as Bond};
use secret_sdk_proto::cosmos::crypto::ed25519;

use super::*;

/// A user's validator, which bonds so much.
pub(super) fn create(user: u8, key: B256, bond: u128) -> Any {
    let key = ed25519::PubKey { key: key.to_vec() };
    let message = proto::MsgCreateValidator {
        description: Some(proto::Description { moniker: "new".into(), ..Default::default() }),
        commission: Some(proto::CommissionRates {
            rate: Decimal::percent(5).to_atto(),
            max_rate: Decimal::percent(10).to_atto(),
            max_change_rate: Decimal::percent(1).to_atto(),
        }),
        min_self_delegation: "1".into(),
        validator_address: valoper(&account(user)),
        pubkey: Some(Any {
            type_url: "/cosmos.crypto.ed25519.PubKey".into(),
            value: prost::Message::encode_to_vec(&key),
        }),
        value: coin(bond),
        ..Default::default()
    };
    staking_message("MsgCreateValidator", &message)
}

fn edit(user: u8, rate: Option<Decimal>, least: &str) -> Any {
    let message = proto::MsgEditValidator {
        description: Some(proto::Description {
            moniker: "[do-not-modify]".into(),
            website: "https://example.org".into(),
            ..Default::default()
        }),
        validator_address: valoper(&account(user)),
        commission_rate: rate.map(Decimal::to_atto).unwrap_or_default(),
        min_self_delegation: least.into(),
    };
    staking_message("MsgEditValidator", &message)
}

#[test]
fn a_fifth_validator_joins_signs_and_leaves() {
    let mut net = Net::of(4);
    let result = net.do_well(5, create(5, key(5), 60 * POWER));
    let expected = pairs([("validator", valoper(&account(5))), ("amount", "60000000uscrt".into())]);
    assert_eq!(event(&result, "create_validator"), expected);
    assert_eq!(net.elected().last(), Some(&(5, 60)));
    net.blocks(4);
    let signers = &net.chain.ledger.checkpoint().signers;
    assert_eq!(signers.find(&key(5)).map(|member| member.power), Some(60));
    assert!(net.certificate.as_ref().is_some_and(|last| last.precommits.len() == 5), "it signs");

    net.do_well(5, undelegate(5, 5, 60 * POWER));
    assert_eq!(net.elected().len(), 4);
    let gone = net.validator(5);
    assert_eq!((gone.status, gone.unbonding_height), (Bond::Unbonding, net.height()));
    net.blocks(4);
    net.later(100);
    assert_eq!(net.leaf::<staking::Validator>(Leaf::Validator(account(5))), None, "nothing is left of it");
    net.do_well(5, create(5, key(6), POWER));
}

#[test]
fn only_those_with_most_behind_them_sign() {
    let mut net = Net::with(Params { max_validators: 2, ..params() }, &[BOND, BOND]);
    net.do_well(5, create(5, key(5), BOND - 1));
    assert_eq!(net.elected(), [(1, 100), (2, 100)]);
    assert_eq!(net.validator(5).status, Bond::Unbonded);
    net.do_well(6, delegate(6, 5, 2));
    let out = if account(1) < account(2) { 2 } else { 1 };
    assert_eq!(net.elected().len(), 2);
    assert!(net.elected().iter().any(|(user, _)| *user == 5), "one more than the others");
    assert_eq!(net.validator(out).status, Bond::Unbonding, "of two that are equal, the greater operator goes");
    let first = net.time();
    net.do_well(6, delegate(6, out, 5));
    assert_eq!(net.validator(out).status, Bond::Bonded, "it comes back before it has left");
    net.do_well(6, delegate(6, 3 - out, 20));
    net.do_well(6, delegate(6, 5, 20));
    assert_eq!(net.validator(out).status, Bond::Unbonding);
    net.later(98);
    assert!(net.time() >= first + 100 * SECOND);
    assert_eq!(net.validator(out).status, Bond::Unbonding, "what ended here was about the first time");
    net.later(10);
    assert_eq!(net.validator(out).status, Bond::Unbonded);
}

#[test]
fn a_key_that_nobody_can_sign_with_is_never_bonded() {
    let mut net = Net::of(1);
    let hopeless = (0..=255).map(B256::repeat_byte).find(|key| VerificationKey::try_from(key.0).is_err());
    net.do_well(5, create(5, hopeless.expect("half of them"), 200 * POWER));
    assert_eq!(net.elected(), [(1, 100)]);
    let all: Vec<Candidate> = net.leaf(Leaf::Candidates).expect("candidates");
    assert!(all.iter().any(|candidate| candidate.operator == account(5) && !candidate.sound));
}

#[test]
fn what_is_no_validator_is_refused_in_the_sdks_words() {
    let mut net = Net::of(2);
    let owner = "validator already exist for this operator address; must use new validator operator address";
    assert_eq!(net.fails(1, create(1, key(5), POWER)), ("staking".into(), 4, owner.into()));
    let taken = "validator already exist for this pubkey; must use new validator pubkey";
    assert_eq!(net.fails(5, create(5, key(1), POWER)), ("staking".into(), 5, taken.into()));
    let type_url = "/cosmos.crypto.secp256k1.PubKey";
    let mut message = <proto::MsgCreateValidator as prost::Message>::decode(create(5, key(5), POWER).value.as_slice())
        .expect("its own bytes");
    message.pubkey = message.pubkey.map(|key| Any { type_url: type_url.into(), ..key });
    let (codespace, code, log) = net.fails(5, staking_message("MsgCreateValidator", &message));
    assert_eq!((codespace.as_str(), code), ("staking", 6), "{log}");
}

#[test]
fn a_validator_describes_itself_and_changes_its_commission_slowly() {
    let mut net = Net::of(2);
    let early = net.fails(1, edit(1, Some(Decimal::percent(11)), ""));
    assert_eq!(early, ("staking".into(), 12, "commission cannot be changed more than once in 24h".into()));
    net.later(25 * 3_600);
    let jump = net.fails(1, edit(1, Some(Decimal::percent(15)), ""));
    assert_eq!(jump, ("staking".into(), 15, "commission cannot be changed more than max change rate".into()));
    let result = net.do_well(1, edit(1, Some(Decimal::percent(11)), "7"));
    assert_eq!(event(&result, "edit_validator")[1], ("min_self_delegation".into(), "7".into()));
    let validator = net.validator(1);
    assert_eq!((validator.commission.rate, validator.min_self_delegation), (Decimal::percent(11), 7));
    assert_eq!(validator.description.moniker, "validator 1", "kept");
    assert_eq!(validator.description.website, "https://example.org");
    let lower = net.fails(1, edit(1, None, "6"));
    assert_eq!(lower, ("staking".into(), 17, "minimum self delegation cannot be decrease".into()));
}

#[test]
fn the_last_validator_cannot_leave() {
    let mut net = Net::of(1);
    let log = "the last validator cannot leave, as nobody could sign blocks: invalid request";
    assert_eq!(net.fails(1, undelegate(1, 1, BOND)), ("sdk".into(), 18, log.into()));
    assert_eq!(net.fails(1, undelegate(1, 1, BOND - POWER + 1)), ("sdk".into(), 18, log.into()));
    net.do_well(1, undelegate(1, 1, BOND - POWER));
    assert_eq!(net.elected(), [(1, 1)]);
    net.do_well(5, create(5, key(5), 7 * POWER));
    net.do_well(1, undelegate(1, 1, POWER));
    assert_eq!(net.elected(), [(5, 7)], "now there is another one");
    net.blocks(3);
}

#[test]
fn who_takes_his_own_stake_away_is_jailed() {
    let mut net = Net::of(2);
    net.do_well(5, delegate(5, 1, 50 * POWER));
    net.do_well(1, edit(1, None, &BOND.to_string()));
    net.do_well(1, undelegate(1, 1, 1));
    assert!(net.validator(1).jailed);
    assert_eq!(net.elected(), [(2, 100)]);
    let few = net.fails(1, unjail(1));
    assert_eq!((few.0.as_str(), few.1), ("slashing", 7), "{}", few.2);
    net.do_well(1, delegate(1, 1, 1));
    net.do_well(1, unjail(1));
    assert_eq!(net.elected(), [(1, 150), (2, 100)]);
}
