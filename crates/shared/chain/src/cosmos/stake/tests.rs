use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::crypto::ed25519;
use secret_sdk_proto::cosmos::staking::v1beta1::{CommissionRates, Description};

use super::*;
use crate::cosmos::{Message, bech32};
use crate::staking::valoper;

const OWNER: Address = Address::repeat_byte(7);

fn any(url: &str, message: &impl prost::Message) -> Any {
    Any { type_url: url.into(), value: message.encode_to_vec() }
}

fn amino(message: &Any) -> String {
    Message::decode(message).expect("a message").amino().expect("a form").compact()
}

#[test]
fn an_operator_signs_with_the_account_that_the_validator_belongs_to() {
    let edit = MsgEditValidator { validator_address: valoper(&OWNER), ..Default::default() };
    assert_eq!(Message::decode(&any(EDIT_VALIDATOR, &edit)).expect("a message").signers(), [OWNER]);
    let own = MsgEditValidator { validator_address: bech32(&OWNER), ..Default::default() };
    assert!(matches!(Message::decode(&any(EDIT_VALIDATOR, &own)), Err(CosmosError::Address(_))));
}

#[test]
fn a_new_validator_in_a_sign_document() {
    let key = ed25519::PubKey { key: vec![1; 32] };
    let message = MsgCreateValidator {
        description: Some(Description { moniker: "one".into(), ..Default::default() }),
        commission: Some(CommissionRates {
            rate: "50000000000000000".into(),
            max_rate: "100000000000000000".into(),
            max_change_rate: "10000000000000000".into(),
        }),
        min_self_delegation: "1".into(),
        validator_address: valoper(&OWNER),
        pubkey: Some(any("/cosmos.crypto.ed25519.PubKey", &key)),
        value: Some(Coin { denom: "uscrt".into(), amount: "5".into() }),
        ..Default::default()
    };
    let expected = format!(
        concat!(
            r#"{{"type":"cosmos-sdk/MsgCreateValidator","value":{{"commission":{{"max_change_rate":"0.010000000000000000","#,
            r#""max_rate":"0.100000000000000000","rate":"0.050000000000000000"}},"description":{{"moniker":"one"}},"#,
            r#""min_self_delegation":"1","pubkey":{{"type":"tendermint/PubKeyEd25519","#,
            r#""value":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}},"validator_address":"{0}","#,
            r#""value":{{"amount":"5","denom":"uscrt"}}}}}}"#
        ),
        valoper(&OWNER)
    );
    assert_eq!(amino(&any(CREATE_VALIDATOR, &message)), expected);
}

#[test]
fn the_other_messages_in_a_sign_document() {
    let (owner, operator) = (bech32(&OWNER), valoper(&OWNER));
    let cancel = MsgCancelUnbondingDelegation {
        delegator_address: owner.clone(),
        validator_address: operator.clone(),
        amount: Some(Coin { denom: "uscrt".into(), amount: "5".into() }),
        creation_height: 9,
    };
    let expected = format!(
        r#"{{"type":"cosmos-sdk/MsgCancelUnbondingDelegation","value":{{"amount":{{"amount":"5","denom":"uscrt"}},"creation_height":"9","delegator_address":"{owner}","validator_address":"{operator}"}}}}"#
    );
    assert_eq!(amino(&any(CANCEL_UNBONDING, &cancel)), expected);
    let unjail = MsgUnjail { validator_addr: operator.clone() };
    let expected = format!(r#"{{"type":"cosmos-sdk/MsgUnjail","value":{{"address":"{operator}"}}}}"#);
    assert_eq!(amino(&any(UNJAIL, &unjail)), expected);
    let reward = MsgWithdrawDelegatorReward { delegator_address: owner.clone(), validator_address: operator.clone() };
    let expected = format!(
        r#"{{"type":"cosmos-sdk/MsgWithdrawDelegationReward","value":{{"delegator_address":"{owner}","validator_address":"{operator}"}}}}"#
    );
    assert_eq!(amino(&any(WITHDRAW_REWARD, &reward)), expected);
}
