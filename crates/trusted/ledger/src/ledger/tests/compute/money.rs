//! Coins that go in and out of contracts.

use super::*;

fn coin(amount: u128) -> Value {
    json!([{ "denom": "uscrt", "amount": amount.to_string() }])
}

#[test]
fn a_deposit_arrives_before_the_call_and_goes_back_if_it_fails() {
    let mut story = Story::new();
    let one = story.prober();
    let before = story.chain.coins(account(1));
    let seen = story.execute_with(&one, &json!({ "env": {} }), 500);
    let env: Value = serde_json::from_slice(&seen.data()).expect("JSON");
    assert_eq!(env["info"]["funds"], coin(500));
    assert_eq!((story.chain.coins(one.address), story.chain.coins(account(1))), (500, before - 500));
    assert_eq!(seen.kinds()[..4], ["message", "message", "coin_spent", "coin_received"]);
    story.execute_with(&one, &json!({ "fail": { "text": "no" } }), 500);
    assert_eq!((story.chain.coins(one.address), story.chain.coins(account(1))), (500, before - 500));
    let poor = story.execute_with(&one, &json!({ "env": {} }), RICH + 1);
    assert_eq!((poor.result.code, poor.result.codespace.as_str()), (5, "sdk"));
    assert!(poor.result.log.contains("message index: 0: spendable balance"), "{}", poor.result.log);
}

#[test]
fn contracts_send_and_burn_what_they_have() {
    let mut story = Story::new();
    let one = story.prober();
    story.execute_with(&one, &json!({ "env": {} }), 1_000);
    let to = bech32(&account(2));
    let send = |amount| json!({ "send": { "to": to, "amount": coin(amount) } });
    let burn = json!({ "burn": { "amount": coin(100) } });
    assert_eq!(story.sub(&one, &[("always", send(300)), ("always", burn)]).error(), "");
    assert_eq!((story.chain.coins(one.address), story.chain.coins(account(2))), (600, RICH + 300));
    let seen = story.sub(&one, &[("error", send(601)), ("never", send(600))]);
    assert_eq!(seen.error(), "");
    assert_eq!((story.chain.coins(one.address), story.chain.coins(account(2))), (0, RICH + 900));
    let last = story.query(&one, &json!({ "last_reply": {} })).expect("a reply").to_string();
    assert!(last.contains("insufficient funds"), "a SIMULATED chain tells its developer why: {last}");
    let uncaught = story.sub(&one, &[("never", send(1))]);
    assert!(uncaught.error().contains("dispatch: submessages: spendable balance"), "{}", uncaught.error());
}

#[test]
fn funds_travel_with_a_contracts_call() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    story.execute_with(&one, &json!({ "env": {} }), 1_000);
    let mut call = two.call(&json!({ "env": {} }));
    call["execute"]["funds"] = coin(400);
    assert_eq!(story.sub(&one, &[("never", call)]).error(), "");
    assert_eq!((story.chain.coins(one.address), story.chain.coins(two.address)), (600, 400));
}

#[test]
fn a_contract_signs_for_itself_only() {
    let mut story = Story::new();
    let one = story.prober();
    let send = |from: Address| {
        let amount = vec![Coin { denom: "uscrt".into(), amount: "5".into() }];
        let (from_address, to_address) = (bech32(&from), bech32(&account(2)));
        let value = secret_sdk_proto::cosmos::bank::v1beta1::MsgSend { from_address, to_address, amount };
        let type_url = "/cosmos.bank.v1beta1.MsgSend";
        json!({ "stargate": { "type_url": type_url, "value": STANDARD.encode(value.encode_to_vec()) } })
    };
    story.execute_with(&one, &json!({ "env": {} }), 5);
    let stolen = story.sub(&one, &[("never", send(account(3)))]);
    assert!(stolen.error().contains("contract doesn't have permission"), "{}", stolen.error());
    assert_eq!(story.sub(&one, &[("never", send(one.address))]).error(), "");
    assert_eq!(story.chain.coins(account(2)), RICH + 5);
}

#[test]
fn neither_worlds_coins_go_to_the_other_worlds_contracts() {
    let mut story = Story::new();
    let one = story.prober();
    // Wei to a contract of the Cosmos world: it looks like one whose every call fails.
    let pay = tx(0, TxKind::Call(one.address), 7, Bytes::new());
    let receipt = story.chain.run(vec![sign(1, pay)])[0].clone();
    assert_eq!(receipt.status, Status::Failed);
    // Coins to a contract of the Ethereum world.
    let create = tx(1, TxKind::Create, 0, Bytes::from_static(&hex!("60fe60005360016000f3")));
    let receipt = story.chain.run(vec![sign(1, create)])[0].clone();
    let contract = receipt.contract.expect("created");
    let amount = vec![Coin { denom: "uscrt".into(), amount: "5".into() }];
    let (from_address, to_address) = (bech32(&account(1)), bech32(&contract));
    let value = secret_sdk_proto::cosmos::bank::v1beta1::MsgSend { from_address, to_address, amount };
    let send = Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: value.encode_to_vec() };
    let seen = story.send(vec![send]);
    assert!(seen.result.log.contains("is not allowed to receive funds: unauthorized"), "{}", seen.result.log);
}

#[test]
fn what_is_burnt_is_missing_from_the_supply() {
    let mut story = Story::new();
    let one = story.prober();
    story.execute_with(&one, &json!({ "env": {} }), 1_000);
    let supply = |story: &Story| -> u128 {
        let chain = &story.chain.host.leaves[&Leaf::Chain];
        borsh::from_slice::<leaf::ChainState>(chain).expect("the chain's bytes").supply
    };
    assert_eq!(supply(&story), 3 * RICH);
    let burn = json!({ "burn": { "amount": coin(700) } });
    assert_eq!(story.sub(&one, &[("never", burn)]).error(), "");
    let held: u128 = story
        .chain
        .host
        .leaves
        .keys()
        .map(|leaf| if let Leaf::Coins(of) = leaf { story.chain.coins(*of) } else { 0 })
        .sum();
    assert_eq!((supply(&story), held), (3 * RICH - 700, 3 * RICH - 700));
}
