use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::staking::v1beta1::{MsgDelegate, stake_authorization};

use super::*;

const ONE: Address = Address::repeat_byte(1);
const TWO: Address = Address::repeat_byte(2);

fn coin(amount: u128) -> Coin {
    Coin { denom: "uscrt".into(), amount: amount.to_string() }
}

fn any(url: &str, message: &impl prost::Message) -> Any {
    Any { type_url: url.into(), value: message.encode_to_vec() }
}

fn send(to: Address, amount: u128) -> Any {
    let message = MsgSend { from_address: bech32(&ONE), to_address: bech32(&to), amount: vec![coin(amount)] };
    any("/cosmos.bank.v1beta1.MsgSend", &message)
}

fn exec(messages: Vec<Any>) -> Any {
    any(EXEC, &MsgExec { grantee: bech32(&TWO), msgs: messages })
}

fn read(any: &Any) -> Message {
    Message::decode(any).expect("a message")
}

#[test]
fn messages_within_messages_are_read_so_deep_and_no_deeper() {
    let once = exec(vec![send(TWO, 1), send(TWO, 2)]);
    let Message::Authz(AuthzMessage::Exec(read)) = read(&once) else { panic!("an exec") };
    assert_eq!(read.messages.len(), 2);
    assert_eq!(Message::decode(&once).expect("a message").signers(), [TWO]);
    let deep = |depth: usize| (0..depth).fold(send(TWO, 1), |inner, _| exec(vec![inner]));
    assert!(Message::decode(&deep(limits::MESSAGE_DEPTH)).is_ok());
    let error = Message::decode(&deep(limits::MESSAGE_DEPTH + 1)).expect_err("too deep");
    assert_eq!(error.to_string(), "too many messages within messages: invalid request");
    assert!(Message::decode(&exec(Vec::new())).is_err());
    assert!(Message::decode(&exec(vec![send(TWO, 0)])).is_err(), "what is within is checked, too");
    assert!(matches!(Message::decode(&exec(vec![any("/a.B", &coin(1))])), Err(CosmosError::Unknown(_))));
}

#[test]
fn a_message_in_our_own_form_stands_alone() {
    let sealed = super::super::sealed::MsgExecute {
        sender: ONE.to_vec(),
        contract: TWO.to_vec(),
        code_hash: vec![0; 32],
        ..Default::default()
    };
    let sealed = any("/cloister.compute.v1.MsgExecute", &sealed);
    assert!(Message::decode(&sealed).is_ok());
    let error = Message::decode(&exec(vec![exec(vec![sealed])])).expect_err("within another");
    assert_eq!(error.code(), 18);
    assert!(error.to_string().contains("AES-256-GCM"), "{error}");
}

#[test]
fn coins_may_be_sent_up_to_the_limit_and_to_those_named() {
    let grant = Authorization::Send { limit: 10, to: vec![TWO] };
    assert_eq!(grant.type_url(), "/cosmos.bank.v1beta1.MsgSend");
    let left = grant.clone().spend(&read(&send(TWO, 4))).expect("allowed").expect("left");
    assert_eq!(left, Authorization::Send { limit: 6, to: vec![TWO] });
    assert_eq!(left.clone().spend(&read(&send(TWO, 6))), Ok(None), "used up");
    assert_eq!(left.spend(&read(&send(TWO, 7))), Err(AuthorizationError::Spend));
    assert_eq!(grant.clone().spend(&read(&send(ONE, 1))), Err(AuthorizationError::Recipient(ONE)));
    assert_eq!(grant.spend(&read(&exec(vec![send(TWO, 1)]))), Err(AuthorizationError::Type));
}

#[test]
fn stake_may_be_moved_at_those_validators_and_so_much_of_it() {
    let delegate = |to: Address, amount: u128| {
        let (delegator_address, validator_address) = (bech32(&ONE), valoper(&to));
        let message = MsgDelegate { delegator_address, validator_address, amount: Some(coin(amount)) };
        read(&any("/cosmos.staking.v1beta1.MsgDelegate", &message))
    };
    let grant = |validators| Authorization::Stake { kind: StakeKind::Delegate, limit: Some(10), validators };
    let only = grant(Validators::Only(vec![TWO]));
    assert_eq!(only.clone().spend(&delegate(TWO, 10)), Ok(None));
    assert_eq!(only.clone().spend(&delegate(TWO, 11)), Err(AuthorizationError::Stake));
    assert_eq!(only.spend(&delegate(ONE, 1)), Err(AuthorizationError::Validator(ONE)));
    let never = grant(Validators::Never(vec![TWO]));
    assert!(never.clone().spend(&delegate(ONE, 1)).is_ok() && never.spend(&delegate(TWO, 1)).is_err());
    let other = Authorization::Stake { kind: StakeKind::Undelegate, limit: None, validators: Validators::Any };
    assert_eq!(other.spend(&delegate(TWO, 1)), Err(AuthorizationError::Type));
}

#[test]
fn what_is_granted_is_read_as_published_clients_write_it() {
    let list = stake_authorization::Validators { address: vec![valoper(&TWO)] };
    let stake =
        StakeAuthorization { max_tokens: None, authorization_type: 3, validators: Some(Policy::DenyList(list)) };
    let read = Authorization::decode(&any("/cosmos.staking.v1beta1.StakeAuthorization", &stake)).expect("a grant");
    assert_eq!(read.type_url(), "/cosmos.staking.v1beta1.MsgBeginRedelegate");
    assert!(
        matches!(&read, Authorization::Stake { limit: None, validators: Validators::Never(these), .. } if *these == [TWO])
    );
    let grant = Grant { authorization: read, expiration: Some(7) };
    let bytes = borsh::to_vec(&grant).expect("memory");
    assert_eq!(bytes[..8], [2, 3, 0, 2, 1, 0, 0, 0], "the format is pinned");
    assert_eq!(borsh::from_slice::<Grant>(&bytes).expect("own bytes"), grant);
    assert!(grant.expired(7) && !grant.expired(6));
    let endless = StakeAuthorization { authorization_type: 0, ..StakeAuthorization::default() };
    assert!(Authorization::decode(&any("/cosmos.staking.v1beta1.StakeAuthorization", &endless)).is_err());
    let free = SendAuthorization { spend_limit: Vec::new(), allow_list: Vec::new() };
    assert!(Authorization::decode(&any("/cosmos.bank.v1beta1.SendAuthorization", &free)).is_err());
    let twice = SendAuthorization { spend_limit: vec![coin(1)], allow_list: vec![bech32(&ONE), bech32(&ONE)] };
    assert!(Authorization::decode(&any("/cosmos.bank.v1beta1.SendAuthorization", &twice)).is_err());
}

#[test]
fn a_wallet_shows_a_grant_as_the_published_client_writes_it() {
    let grant = |authorization: Any| {
        let expiration = Some(secret_sdk_proto::Timestamp { seconds: 1_900_000_000, nanos: 0 });
        let grant = secret_sdk_proto::cosmos::authz::v1beta1::Grant { authorization: Some(authorization), expiration };
        any(GRANT, &MsgGrant { granter: bech32(&ONE), grantee: bech32(&TWO), grant: Some(grant) })
    };
    let shown = |any: &Any| read(any).amino().expect("a form").compact();
    let (one, two) = (bech32(&ONE), bech32(&TWO));
    let coins = SendAuthorization { spend_limit: vec![coin(5)], allow_list: Vec::new() };
    assert_eq!(
        shown(&grant(any("/cosmos.bank.v1beta1.SendAuthorization", &coins))),
        format!(
            r#"{{"type":"cosmos-sdk/MsgGrant","value":{{"grant":{{"authorization":{{"type":"cosmos-sdk/SendAuthorization","value":{{"spend_limit":[{{"amount":"5","denom":"uscrt"}}]}}}},"expiration":"2030-03-17T17:46:40Z"}},"grantee":"{two}","granter":"{one}"}}}}"#
        )
    );
    assert_eq!(
        shown(&exec(vec![send(TWO, 1)])),
        format!(
            r#"{{"type":"cosmos-sdk/MsgExec","value":{{"grantee":"{two}","msgs":[{{"type":"cosmos-sdk/MsgSend","value":{{"amount":[{{"amount":"1","denom":"uscrt"}}],"from_address":"{one}","to_address":"{two}"}}}}]}}}}"#
        )
    );
    let stake = StakeAuthorization { authorization_type: 1, ..StakeAuthorization::default() };
    assert_eq!(read(&grant(any("/cosmos.staking.v1beta1.StakeAuthorization", &stake))).amino(), None);
}
