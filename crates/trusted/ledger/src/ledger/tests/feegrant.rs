use cloister_chain::CosmosResult;
use cloister_chain::cosmos::{Allowance, bech32};
use secret_sdk_proto::Any;
use secret_sdk_proto::Timestamp;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::feegrant::v1beta1::{
    AllowedMsgAllowance, BasicAllowance, MsgGrantAllowance, MsgRevokeAllowance,
};

use super::cosmos::{RICH, account, collector, granted, start};
use super::*;

const PRICE: (u64, u128, u64) = (200_000, 100, 0);
/// The account that a grant brings into being is the fifth: after three rich ones and the one that collects fees.
const POOR: u8 = 5;

fn any(name: &str, message: &impl prost::Message) -> Any {
    Any { type_url: format!("/cosmos.{name}"), value: message.encode_to_vec() }
}

fn basic(limit: Option<u128>, expiration: Option<i64>) -> Any {
    let coin = |amount: u128| Coin { denom: "uscrt".into(), amount: amount.to_string() };
    let expiration = expiration.map(|seconds| Timestamp { seconds, nanos: 0 });
    let allowance = BasicAllowance { spend_limit: limit.map(coin).into_iter().collect(), expiration };
    any("feegrant.v1beta1.BasicAllowance", &allowance)
}

fn grant(granter: u8, grantee: u8, allowance: Any) -> Any {
    let (granter, grantee) = (bech32(&account(granter)), bech32(&account(grantee)));
    any("feegrant.v1beta1.MsgGrantAllowance", &MsgGrantAllowance { granter, grantee, allowance: Some(allowance) })
}

fn revoke(granter: u8, grantee: u8) -> Any {
    let (granter, grantee) = (bech32(&account(granter)), bech32(&account(grantee)));
    any("feegrant.v1beta1.MsgRevokeAllowance", &MsgRevokeAllowance { granter, grantee })
}

fn send(from: u8, to: u8, amount: u128) -> Any {
    let amount = vec![Coin { denom: "uscrt".into(), amount: amount.to_string() }];
    let (from_address, to_address) = (bech32(&account(from)), bech32(&account(to)));
    any("bank.v1beta1.MsgSend", &MsgSend { from_address, to_address, amount })
}

fn kinds(result: &CosmosResult) -> Vec<&str> {
    result.events.iter().map(|event| event.kind.as_str()).collect()
}

impl Chain {
    fn does(&mut self, from: u8, message: Any, granter: Option<u8>) -> (Status, CosmosResult) {
        let sequence = self.auth_sequence(account(from));
        let receipt = self.run(vec![granted(from, sequence, PRICE, vec![message], granter)])[0].clone();
        (receipt.status, receipt.cosmos.expect("a Cosmos result"))
    }

    fn allowance(&self, granter: u8, grantee: u8) -> Option<Allowance> {
        let bytes = self.host.leaves.get(&Leaf::Allowance(account(grantee), account(granter)))?;
        Some(borsh::from_slice(bytes).expect("an allowance"))
    }

    fn now(&self) -> i64 {
        i64::try_from(self.ledger.checkpoint().header.seconds()).expect("a time")
    }
}

/// A chain on which user 1 pays for a user without coins.
fn with(allowance: Any) -> Chain {
    let mut chain = start();
    let (status, result) = chain.does(1, grant(1, POOR, allowance), None);
    assert_eq!((status, result.log.as_str()), (Status::Success, ""));
    chain
}

#[test]
fn who_never_had_a_coin_signs_and_the_granter_pays() {
    let mut chain = with(basic(Some(250), None));
    assert_eq!(chain.auth(account(POOR)).expect("opened").number, u64::from(POOR) - 1);
    let (_, result) = chain.does(2, send(2, POOR, 7), None);
    assert_eq!(result.code, 0, "{}", result.log);
    let (status, result) = chain.does(POOR, send(POOR, 3, 7), Some(1));
    assert_eq!((status, result.log.as_str()), (Status::Success, ""));
    assert_eq!(kinds(&result)[..4], ["use_feegrant", "update_feegrant", "coin_spent", "coin_received"]);
    let payer = result.events.iter().flat_map(|event| &event.attributes).find(|(key, _)| key == "fee_payer");
    assert_eq!(payer.map(|(_, value)| value.as_str()), Some(bech32(&account(1)).as_str()));
    assert_eq!(chain.coins(account(1)), RICH - 200, "for the grant, and for the other's transaction");
    assert_eq!((chain.coins(account(POOR)), chain.coins(account(3)), chain.coins(collector())), (0, RICH + 7, 300));
    assert_eq!(chain.allowance(1, POOR).and_then(|left| left.limit), Some(150));
}

#[test]
fn an_allowance_is_used_up_and_gone() {
    let mut chain = with(basic(Some(200), None));
    assert_eq!(chain.does(POOR, revoke(POOR, 1), Some(1)).0, Status::Failed, "the fee is paid for what fails, too");
    let (_, result) = chain.does(POOR, revoke(POOR, 1), Some(1));
    assert_eq!(kinds(&result)[..2], ["revoke_feegrant", "use_feegrant"]);
    assert_eq!(chain.allowance(1, POOR), None);
    let (status, result) = chain.does(POOR, revoke(POOR, 1), Some(1));
    assert_eq!((status, result.code, result.codespace.as_str()), (Status::Refused(Refusal::Rule), 38, "sdk"));
    let (granter, grantee) = (bech32(&account(1)), bech32(&account(POOR)));
    let why = "fee-grant not found: not found";
    assert_eq!(result.log, format!("{granter} does not allow to pay fees for {grantee}: {why}"));
}

#[test]
fn what_an_allowance_does_not_cover_is_refused_without_a_trace() {
    let limited = with(basic(Some(99), None));
    let only = AllowedMsgAllowance {
        allowance: Some(basic(None, None)),
        allowed_messages: vec!["/cosmos.bank.v1beta1.MsgMultiSend".into()],
    };
    let other = with(any("feegrant.v1beta1.AllowedMsgAllowance", &only));
    let mut late = start();
    let soon = late.now() + 1;
    assert_eq!(late.does(1, grant(1, POOR, basic(None, Some(soon))), None).0, Status::Success);
    for (mut chain, code, log) in [
        (limited, 2, "basic allowance: fee limit exceeded"),
        (other, 7, "message does not exist in allowed messages: message not allowed"),
        (late, 3, "basic allowance: fee allowance expired"),
    ] {
        let before = (chain.coins(account(1)), chain.allowance(1, POOR));
        let (status, result) = chain.does(POOR, send(POOR, 1, 1), Some(1));
        let refused = (Status::Refused(Refusal::Rule), code, "feegrant");
        assert_eq!((status, result.code, result.codespace.as_str()), refused, "{}", result.log);
        assert!(result.log.ends_with(log), "{}", result.log);
        assert_eq!((chain.coins(account(1)), chain.allowance(1, POOR)), before);
        assert_eq!(chain.auth_sequence(account(POOR)), 0);
    }
}

#[test]
fn a_granter_without_coins_cannot_pay_and_its_allowance_stays() {
    let mut chain = with(basic(Some(500), None));
    let all = chain.coins(account(1)) - 100;
    assert_eq!(chain.does(1, send(1, 2, all), None).0, Status::Success);
    let (status, result) = chain.does(POOR, send(POOR, 1, 1), Some(1));
    assert_eq!((status, result.code), (Status::Refused(Refusal::Rule), 5), "{}", result.log);
    assert_eq!(chain.allowance(1, POOR).and_then(|left| left.limit), Some(500));
}

#[test]
fn there_is_one_allowance_at_a_time_and_it_can_be_taken_back() {
    let mut chain = with(basic(None, None));
    let (status, result) = chain.does(1, grant(1, POOR, basic(Some(5), None)), None);
    assert_eq!((status, result.code), (Status::Failed, 18));
    assert!(result.log.contains("fee allowance already exists"), "{}", result.log);
    let (status, result) = chain.does(1, revoke(1, POOR), None);
    assert_eq!(status, Status::Success);
    assert_eq!(*kinds(&result).last().expect("events"), "revoke_feegrant");
    let (status, result) = chain.does(1, revoke(1, POOR), None);
    assert_eq!((status, result.code), (Status::Failed, 38));
    assert_eq!(result.log, "failed to execute message; message index: 0: fee-grant not found: not found");
    let past = chain.now();
    let (status, result) = chain.does(1, grant(1, POOR, basic(None, Some(past))), None);
    assert_eq!((status, result.code), (Status::Failed, 18), "{}", result.log);
    let soon = chain.now() + 1;
    assert_eq!(chain.does(1, grant(1, POOR, basic(None, Some(soon))), None).0, Status::Success);
    assert_eq!(chain.does(1, grant(1, POOR, basic(None, None)), None).0, Status::Success, "the old one expired");
}

#[test]
fn nobody_grants_what_is_another_s() {
    let mut chain = start();
    let sequence = chain.auth_sequence(account(2));
    let stolen = granted(2, sequence, PRICE, vec![grant(1, 2, basic(None, None))], None);
    assert_eq!(chain.run(vec![stolen])[0].status, Status::Refused(Refusal::Rule));
    assert_eq!(chain.does(2, send(2, 3, 1), Some(1)).0, Status::Refused(Refusal::Rule));
    assert_eq!(chain.coins(account(1)), RICH);
    assert_eq!(chain.does(2, send(2, 3, 1), Some(2)).0, Status::Success, "one's own coins need no grant");
}
