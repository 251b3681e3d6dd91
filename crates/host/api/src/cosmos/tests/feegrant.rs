//! Who pays the fees of others.

use cloister_chain::cosmos::{Allowance, Period, bech32};
use cloister_chain::{Address, Leaf};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::feegrant::v1beta1::{BasicAllowance, MsgGrantAllowance, MsgRevokeAllowance};
use serde_json::{Value, json};

use super::world::*;

const FEEGRANT: &str = "/cosmos/feegrant/v1beta1";
const SECOND: u128 = 1_000_000_000;

fn one() -> Address {
    Address::repeat_byte(1)
}

fn two() -> Address {
    Address::repeat_byte(2)
}

/// The user and one grant to two, and two grants to the user; one of the grants expired long ago.
async fn world() -> World {
    let world = World::start().await;
    let basic = Allowance { limit: Some(70), expiration: Some(4_000_000_000 * SECOND + 5), ..Allowance::default() };
    let period = Period { length: 90 * SECOND, limit: 9, left: 0, reset: 3_000_000_000 * SECOND };
    let allowed = Allowance { period: Some(period), messages: Some(vec!["/a.b.C".into()]), ..Allowance::default() };
    let late = Allowance { expiration: Some(5), ..Allowance::default() };
    let grants = vec![
        leaf(Leaf::Allowance(two(), user()), &basic),
        leaf(Leaf::Allowance(two(), one()), &allowed),
        leaf(Leaf::Allowance(one(), user()), &late),
        leaf(Leaf::Allowance(user(), two()), &Allowance::default()),
    ];
    world.mine_with(&[], grants, Vec::new());
    world
}

fn basic() -> Value {
    json!({
        "granter": USER,
        "grantee": bech32(&two()),
        "allowance": {
            "@type": "/cosmos.feegrant.v1beta1.BasicAllowance",
            "spend_limit": [{ "denom": "uscrt", "amount": "70" }],
            "expiration": "2096-10-02T07:06:40.000000005Z",
        },
    })
}

fn allowed() -> Value {
    json!({
        "granter": bech32(&one()),
        "grantee": bech32(&two()),
        "allowance": {
            "@type": "/cosmos.feegrant.v1beta1.AllowedMsgAllowance",
            "allowance": {
                "@type": "/cosmos.feegrant.v1beta1.PeriodicAllowance",
                "basic": { "spend_limit": [], "expiration": null },
                "period": "90s",
                "period_spend_limit": [{ "denom": "uscrt", "amount": "9" }],
                "period_can_spend": [],
                "period_reset": "2065-01-24T05:20:00Z",
            },
            "allowed_messages": ["/a.b.C"],
        },
    })
}

#[tokio::test]
async fn an_allowance_is_shown_as_the_sdk_shows_it() {
    let world = world().await;
    let path =
        |granter: Address, grantee: Address| format!("{FEEGRANT}/allowance/{}/{}", bech32(&granter), bech32(&grantee));
    assert_eq!(world.get(&path(user(), two())).await, json!({ "allowance": basic() }));
    assert_eq!(world.get(&path(one(), two())).await, json!({ "allowance": allowed() }));
    for (granter, grantee) in [(two(), one()), (user(), one())] {
        let error = world.refused(&path(granter, grantee)).await;
        assert_eq!(error, (404, 5, "fee-grant not found: not found".into()), "none, or expired");
    }
    assert_eq!(world.refused(&format!("{FEEGRANT}/allowance/a/{USER}")).await.0, 400);
}

#[tokio::test]
async fn grants_are_listed_by_either_side_page_by_page() {
    let world = world().await;
    let grantee = format!("{FEEGRANT}/allowances/{}", bech32(&two()));
    let all = json!({ "allowances": [allowed(), basic()], "pagination": { "next_key": null, "total": "2" } });
    assert_eq!(world.get(&grantee).await, all);
    let second = world.get(&format!("{grantee}?pagination.offset=1&pagination.limit=5")).await;
    assert_eq!(second["allowances"], json!([basic()]));
    let issued = world.get(&format!("{FEEGRANT}/issued/{USER}")).await;
    assert_eq!(issued["allowances"], json!([basic()]), "what expired is not shown");
    let nobody = world.get(&format!("{FEEGRANT}/allowances/{}", bech32(&Address::repeat_byte(8)))).await;
    assert_eq!(nobody["allowances"], json!([]));
}

#[tokio::test]
async fn transactions_that_grant_are_read_like_others() {
    let world = World::start().await;
    let (granter, grantee) = (USER.to_owned(), bech32(&two()));
    let allowance = Any {
        type_url: "/cosmos.feegrant.v1beta1.BasicAllowance".into(),
        value: BasicAllowance::default().encode_to_vec(),
    };
    let grant = MsgGrantAllowance { granter: granter.clone(), grantee: grantee.clone(), allowance: Some(allowance) };
    let revoke = MsgRevokeAllowance { granter, grantee };
    let any = |name: &str, value| Any { type_url: format!("/cosmos.feegrant.v1beta1.{name}"), value };
    let tx = unsigned(vec![
        any("MsgGrantAllowance", grant.encode_to_vec()),
        any("MsgRevokeAllowance", revoke.encode_to_vec()),
    ]);
    let receipt = done(&tx, Vec::new());
    world.mine(&[(tx.clone(), receipt)]);
    let found = world.get(&format!("/cosmos/tx/v1beta1/txs/{}", upper(tx.hash()))).await;
    let messages = &found["tx"]["body"]["messages"];
    assert_eq!(messages[0]["@type"], "/cosmos.feegrant.v1beta1.MsgGrantAllowance");
    assert_eq!(
        messages[0]["allowance"],
        json!({ "@type": "/cosmos.feegrant.v1beta1.BasicAllowance", "spend_limit": [], "expiration": null })
    );
    assert_eq!(messages[1]["granter"], USER);
}
