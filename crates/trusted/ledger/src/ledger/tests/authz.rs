//! One account acts for another.

use cloister_chain::CosmosResult;
use cloister_chain::cosmos::{Authorization, Grant, bech32};
use prost::Message as _;
use secret_sdk_proto::cosmos::authz::v1beta1::{
    self as proto, GenericAuthorization, MsgExec, MsgExecResponse, MsgRevoke,
};
use secret_sdk_proto::cosmos::bank::v1beta1::{MsgSend, SendAuthorization};
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::{Any, Timestamp};

use super::cosmos::{RICH, account, signed, start};
use super::*;

const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";
const FEE: u128 = 100;

pub(super) fn any(name: &str, message: &impl prost::Message) -> Any {
    Any { type_url: format!("/cosmos.{name}"), value: message.encode_to_vec() }
}

fn coins(amount: u128) -> Vec<Coin> {
    vec![Coin { denom: "uscrt".into(), amount: amount.to_string() }]
}

fn limited(amount: u128, to: &[u8]) -> Any {
    let allow_list = to.iter().map(|to| bech32(&account(*to))).collect();
    any("bank.v1beta1.SendAuthorization", &SendAuthorization { spend_limit: coins(amount), allow_list })
}

pub(super) fn generic(url: &str) -> Any {
    any("authz.v1beta1.GenericAuthorization", &GenericAuthorization { msg: url.into() })
}

pub(super) fn grant(granter: u8, grantee: u8, authorization: Any, end: Option<i64>) -> Any {
    let expiration = end.map(|seconds| Timestamp { seconds, nanos: 0 });
    let grant = proto::Grant { authorization: Some(authorization), expiration };
    let (granter, grantee) = (bech32(&account(granter)), bech32(&account(grantee)));
    any("authz.v1beta1.MsgGrant", &proto::MsgGrant { granter, grantee, grant: Some(grant) })
}

fn revoke(granter: u8, grantee: u8, url: &str) -> Any {
    let (granter, grantee) = (bech32(&account(granter)), bech32(&account(grantee)));
    any("authz.v1beta1.MsgRevoke", &MsgRevoke { granter, grantee, msg_type_url: url.into() })
}

pub(super) fn exec(grantee: u8, msgs: Vec<Any>) -> Any {
    any("authz.v1beta1.MsgExec", &MsgExec { grantee: bech32(&account(grantee)), msgs })
}

fn send(from: u8, to: u8, amount: u128) -> Any {
    let (from_address, to_address) = (bech32(&account(from)), bech32(&account(to)));
    any("bank.v1beta1.MsgSend", &MsgSend { from_address, to_address, amount: coins(amount) })
}

impl Chain {
    fn sends(&mut self, from: u8, messages: Vec<Any>) -> (Status, CosmosResult) {
        let tx = signed(from, self.auth_sequence(account(from)), (1_000_000, FEE, 0), messages);
        let receipt = self.run(vec![tx])[0].clone();
        (receipt.status, receipt.cosmos.expect("a Cosmos result"))
    }

    fn succeeds(&mut self, from: u8, message: Any) -> CosmosResult {
        let (status, result) = self.sends(from, vec![message]);
        assert_eq!((status, result.log.as_str()), (Status::Success, ""));
        result
    }

    fn fails(&mut self, from: u8, message: Any) -> (String, u32, String) {
        let (status, result) = self.sends(from, vec![message]);
        assert_eq!(status, Status::Failed);
        let log = result.log.strip_prefix("failed to execute message; message index: 0: ").expect("which message");
        (result.codespace.clone(), result.code, log.to_owned())
    }

    fn grant_of(&self, granter: u8, grantee: u8, url: &str) -> Option<Grant> {
        let bytes = self.host.leaves.get(&Leaf::grant(account(grantee), account(granter), url))?;
        Some(borsh::from_slice(bytes).expect("a grant"))
    }

    fn second(&self) -> i64 {
        i64::try_from(self.ledger.checkpoint().header.seconds()).expect("a time")
    }
}

#[test]
fn a_grantee_sends_the_granter_s_coins_until_the_limit_is_used_up() {
    let mut chain = start();
    let result = chain.succeeds(1, grant(1, 2, limited(50, &[3]), None));
    let said = result.events.last().expect("events");
    let (one, two) = (bech32(&account(1)), bech32(&account(2)));
    assert_eq!(said.kind, "cosmos.authz.v1beta1.EventGrant");
    let quoted = |text: &str| format!("\"{text}\"");
    let attributes = [
        ("grantee", quoted(&two)),
        ("granter", quoted(&one)),
        ("msg_type_url", quoted(SEND)),
        ("msg_index", "0".into()),
    ];
    assert_eq!(said.attributes, attributes.map(|(key, value)| (key.to_owned(), value)));

    let result = chain.succeeds(2, exec(2, vec![send(1, 3, 20), send(1, 3, 10)]));
    assert_eq!(chain.coins(account(1)), RICH - FEE - 30);
    assert_eq!((chain.coins(account(2)), chain.coins(account(3))), (RICH - FEE, RICH + 30), "who acts pays the fee");
    let inner = result.events.iter().filter_map(|event| {
        let (_, place) = event.attributes.iter().find(|(key, _)| key == "authz_msg_index")?;
        Some((event.kind.as_str(), place.as_str()))
    });
    let kinds = ["coin_spent", "coin_received", "transfer", "message"];
    let expected: Vec<_> = ["0", "1"].into_iter().flat_map(|place| kinds.map(|kind| (kind, place))).collect();
    assert_eq!(inner.collect::<Vec<_>>(), expected);
    let data = TxMsgData::decode(result.data.as_ref()).expect("data");
    assert_eq!(data.msg_responses[0].type_url, "/cosmos.authz.v1beta1.MsgExecResponse");
    let response = MsgExecResponse::decode(data.msg_responses[0].value.as_slice()).expect("a response");
    assert_eq!(response.results, [Vec::<u8>::new(), Vec::new()]);

    let left = chain.grant_of(1, 2, SEND).expect("something is left").authorization;
    assert_eq!(left, Authorization::Send { limit: 20, to: vec![account(3)] });
    assert_eq!(
        chain.fails(2, exec(2, vec![send(1, 3, 21)])),
        ("sdk".into(), 5, "requested amount is more than spend limit: insufficient funds".into())
    );
    assert_eq!(chain.fails(2, exec(2, vec![send(1, 2, 1)])).1, 4, "to nobody else");
    chain.succeeds(2, exec(2, vec![send(1, 3, 20)]));
    assert_eq!(chain.grant_of(1, 2, SEND), None);
    let (codespace, code, log) = chain.fails(2, exec(2, vec![send(1, 3, 1)]));
    assert_eq!((codespace.as_str(), code), ("authz", 2));
    let who = format!("granter: {one}, grantee: {two} & msgType: {SEND}");
    assert_eq!(log, format!("failed to get grant with given {who} : authorization not found"));
}

#[test]
fn all_of_it_happens_or_nothing() {
    let mut chain = start();
    chain.succeeds(1, grant(1, 2, limited(50, &[]), None));
    let (codespace, code, log) = chain.fails(2, exec(2, vec![send(1, 3, 20), send(2, 3, u128::MAX)]));
    assert_eq!((codespace.as_str(), code), ("sdk", 5));
    assert!(log.starts_with(&format!("failed to execute message; message {SEND}: spendable balance ")), "{log}");
    assert_eq!((chain.coins(account(1)), chain.coins(account(3))), (RICH - FEE, RICH));
    let left = chain.grant_of(1, 2, SEND).expect("as before").authorization;
    assert_eq!(left, Authorization::Send { limit: 50, to: Vec::new() });
}

#[test]
fn one_s_own_messages_need_no_grant_and_another_s_do_however_deep() {
    let mut chain = start();
    chain.succeeds(2, exec(2, vec![exec(2, vec![send(2, 3, 5)])]));
    assert_eq!(chain.coins(account(3)), RICH + 5);
    chain.succeeds(1, grant(1, 2, generic(SEND), None));
    // Two may send for one, but not let three do it.
    assert_eq!(chain.fails(3, exec(3, vec![exec(2, vec![send(1, 3, 5)])])).1, 2);
    chain.succeeds(2, grant(2, 3, generic("/cosmos.authz.v1beta1.MsgExec"), None));
    chain.succeeds(3, exec(3, vec![exec(2, vec![send(1, 3, 5)])]));
    assert_eq!(chain.coins(account(1)), RICH - FEE - 5);
    let stolen = signed(3, chain.auth_sequence(account(3)), (1_000_000, FEE, 0), vec![exec(2, vec![send(1, 3, 5)])]);
    assert_eq!(chain.run(vec![stolen])[0].status, Status::Refused(Refusal::Rule), "a grantee signs");
}

#[test]
fn a_grant_ends_and_can_be_taken_back() {
    let mut chain = start();
    let soon = chain.second() + 3;
    chain.succeeds(1, grant(1, 2, generic(SEND), Some(soon)));
    chain.succeeds(2, exec(2, vec![send(1, 3, 1)]));
    assert_eq!(chain.fails(2, exec(2, vec![send(1, 3, 1)])).1, 2, "it ended with this block");
    let past = chain.second();
    assert_eq!(chain.fails(1, grant(1, 2, generic(SEND), Some(past))).1, 3);
    chain.succeeds(1, grant(1, 2, generic(SEND), None));
    let result = chain.succeeds(1, revoke(1, 2, SEND));
    assert_eq!(result.events.last().expect("events").kind, "cosmos.authz.v1beta1.EventRevoke");
    assert_eq!(chain.fails(2, exec(2, vec![send(1, 3, 1)])).1, 2);
    assert_eq!(chain.fails(1, revoke(1, 2, SEND)).1, 2);
}

#[test]
fn what_cannot_be_granted_is_refused() {
    let mut chain = start();
    assert_eq!(chain.fails(1, grant(1, 1, generic(SEND), None)).1, 7);
    let (codespace, code, log) = chain.fails(1, grant(1, 2, generic("/cosmos.nft.v1beta1.MsgSend"), None));
    assert_eq!((codespace.as_str(), code), ("sdk", 29));
    assert_eq!(log, "/cosmos.nft.v1beta1.MsgSend doesn't exist.: invalid type");
    let fresh = 9;
    chain.succeeds(1, grant(1, fresh, generic(SEND), None));
    assert!(chain.auth(account(fresh)).is_some(), "who never had a coin may sign from now on");
}
