//! Contracts that are called for others.

use secret_sdk_proto::cosmos::authz::v1beta1::MsgExecResponse;

use super::super::authz::{exec, generic, grant};
use super::*;

const EXECUTE: &str = "/secret.compute.v1beta1.MsgExecuteContract";

impl Story {
    /// User 2 sends messages of user 1.
    fn for_another(&mut self, session: siv::Session, messages: Vec<Any>) -> Seen {
        let sequence = self.chain.auth_sequence(account(2));
        let tx = signed(2, sequence, (10_000_000, 0, 0), vec![exec(2, messages)]);
        let receipt = self.chain.run(vec![tx])[0].clone();
        let result = receipt.cosmos.expect("a Cosmos result");
        Seen { status: receipt.status, result, gas_used: receipt.gas_used, session: Some(session) }
    }
}

#[test]
fn a_contract_that_is_called_for_another_is_called_by_him() {
    let mut story = Story::new();
    let prober = story.prober();
    let granted = story.send(vec![grant(1, 2, generic(EXECUTE), None)]);
    assert_eq!(granted.error(), "");
    let session = story.session();
    let message = sealed(&session, prober.code_hash, &json!({ "env": {} }));
    let before = story.chain.coins(account(1));
    let seen = story.for_another(session, vec![execution(1, prober.address, message, 70)]);
    assert_eq!(seen.error(), "");
    let MsgExecResponse { results } = seen.response(0);
    let MsgExecuteContractResponse { data } = MsgExecuteContractResponse::decode(results[0].as_slice()).expect("one");
    let text = seen.session.as_ref().expect("a session").open(&data).expect("sealed for the sender");
    let env: Value = serde_json::from_slice(&STANDARD.decode(&*text).expect("base64")).expect("JSON");
    assert_eq!(env["info"]["sender"], bech32(&account(1)));
    assert_eq!((story.chain.coins(prober.address), story.chain.coins(account(1))), (70, before - 70));
}

#[test]
fn a_contract_is_not_called_for_somebody_who_did_not_grant_it() {
    let mut story = Story::new();
    let prober = story.prober();
    let session = story.session();
    let message = sealed(&session, prober.code_hash, &json!({ "env": {} }));
    let seen = story.for_another(session, vec![execution(1, prober.address, message, 0)]);
    assert_eq!((seen.status, seen.result.codespace.as_str(), seen.result.code), (Status::Failed, "authz", 2));
}
