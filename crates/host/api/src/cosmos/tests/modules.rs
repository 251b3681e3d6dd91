//! Authorizations, governance and staking as clients read them from leaves.

use cloister_chain::cosmos::{Authorization, Grant, bech32};
use cloister_chain::gov::{self, Ballot, Choice, Governance, Proposal, Stage, Status, Tally, Vote};
use cloister_chain::staking::{
    self, Candidate, Decimal, Delegation, Delegator, FeePool, Rewards, key_address, valoper,
};
use cloister_chain::{Address, B256, Leaf, U256};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::gov::v1::MsgExecLegacyContent;
use secret_sdk_proto::cosmos::gov::v1beta1::TextProposal;
use serde_json::{Value, json};

use super::world::*;

const SECOND: u64 = 1_000_000_000;

fn one() -> Address {
    Address::repeat_byte(1)
}

fn two() -> Address {
    Address::repeat_byte(2)
}

fn key() -> B256 {
    B256::repeat_byte(9)
}

fn half() -> Decimal {
    Decimal::percent(50)
}

/// One validator of a hundred coins, of which the user has forty, and what they earned.
fn stake() -> Writes {
    let validator = staking::Validator {
        key: key(),
        status: staking::Status::Bonded,
        jailed: false,
        tokens: 100,
        shares: Decimal::whole(200),
        description: staking::Description { moniker: "one".into(), ..Default::default() },
        commission: staking::Commission { rate: half(), ..Default::default() },
        min_self_delegation: 1,
        unbonding_height: 0,
        unbonding_time: 0,
        delegators: 1,
        unbonders: 0,
        redelegators: 0,
    };
    let candidate = Candidate { operator: one(), key: key(), sound: true, tokens: 100, jailed: false, bonded: true };
    let delegator = Delegator { validators: vec![one()], ..Delegator::default() };
    let delegation = Delegation { shares: Decimal::whole(80), ratio: U256::ZERO, slot: 0 };
    let mut pool = FeePool { community: Decimal::whole(3).plus(half()), ..FeePool::default() };
    pool.give(key_address(&key()), Decimal::whole(10));
    vec![
        leaf(Leaf::Candidates, &vec![candidate]),
        leaf(Leaf::Validator(one()), &validator),
        leaf(Leaf::Delegators(one(), 0), &vec![user()]),
        leaf(Leaf::Delegator(user()), &delegator),
        leaf(Leaf::Delegation(user(), one()), &delegation),
        leaf(Leaf::Rewards(one()), &Rewards::default()),
        leaf(Leaf::FeePool, &pool),
        leaf(Leaf::Signing(key_address(&key())), &staking::Signing { jailed_until: u64::MAX, ..Default::default() }),
        leaf(Leaf::Coins(staking::pool::bonded()), &100u128),
    ]
}

fn proposal(status: Status) -> Proposal {
    let content = TextProposal { title: "A title".into(), description: "What it is about".into() };
    let content = Any { type_url: "/cosmos.gov.v1beta1.TextProposal".into(), value: content.encode_to_vec() };
    let message = MsgExecLegacyContent { content: Some(content), authority: bech32(&gov::account()) };
    let any = Any { type_url: "/cosmos.gov.v1.MsgExecLegacyContent".into(), value: message.encode_to_vec() };
    Proposal {
        messages: vec![any.encode_to_vec()],
        status,
        tally: Tally { yes: 5, ..Tally::default() },
        submitted: 1_700_000_000 * SECOND,
        deposit_end: 1_700_000_060 * SECOND,
        deposit: 7,
        voting: (status != Status::Deposit).then_some((1_700_000_010 * SECOND, 1_700_000_100 * SECOND)),
        metadata: "more".into(),
        title: "A title".into(),
        summary: "What it is about".into(),
        proposer: user(),
        expedited: true,
        failed: String::new(),
    }
}

/// Proposal 1 waits for its deposit, 2 was taken back, 3 is voted on, 4 has passed.
async fn world() -> World {
    let world = World::start().await;
    let vote = Vote { options: vec![(Choice::Yes, half()), (Choice::No, half())], metadata: "so so".into() };
    let ballot = Ballot { depositors: 1, voters: 1, stage: Stage::Open };
    let leaves = vec![
        leaf(Leaf::Governance, &Governance { last: 4, queued: 0, due: None }),
        leaf(Leaf::Proposal(1), &proposal(Status::Deposit)),
        leaf(Leaf::Proposal(3), &proposal(Status::Voting)),
        leaf(Leaf::Proposal(4), &proposal(Status::Passed)),
        leaf(Leaf::Ballot(3), &ballot),
        leaf(Leaf::Depositors(3, 0), &vec![two()]),
        leaf(Leaf::Deposit(3, two()), &7u128),
        leaf(Leaf::Voters(3, 0), &vec![user()]),
        leaf(Leaf::Vote(3, user()), &vote),
    ];
    world.mine_with(&[], [leaves, stake()].concat(), Vec::new());
    world
}

fn ids(list: &Value) -> Vec<&str> {
    let list = list["proposals"].as_array().expect("a list");
    list.iter().map(|proposal| proposal["id"].as_str().expect("a number")).collect()
}

#[tokio::test]
async fn a_proposal_is_shown_in_both_forms() {
    let world = world().await;
    let shown = world.get("/cosmos/gov/v1/proposals/3").await["proposal"].clone();
    let content = json!({
        "@type": "/cosmos.gov.v1beta1.TextProposal",
        "title": "A title",
        "description": "What it is about",
    });
    let coins = json!([{ "denom": "uscrt", "amount": "7" }]);
    let expected = json!({
        "id": "3",
        "messages": [{
            "@type": "/cosmos.gov.v1.MsgExecLegacyContent",
            "content": content,
            "authority": bech32(&gov::account()),
        }],
        "status": "PROPOSAL_STATUS_VOTING_PERIOD",
        "final_tally_result": { "yes_count": "5", "abstain_count": "0", "no_count": "0", "no_with_veto_count": "0" },
        "submit_time": "2023-11-14T22:13:20Z",
        "deposit_end_time": "2023-11-14T22:14:20Z",
        "total_deposit": coins,
        "voting_start_time": "2023-11-14T22:13:30Z",
        "voting_end_time": "2023-11-14T22:15:00Z",
        "metadata": "more",
        "title": "A title",
        "summary": "What it is about",
        "proposer": USER,
        "expedited": true,
        "failed_reason": "",
    });
    assert_eq!(shown, expected);
    let old = world.get("/cosmos/gov/v1beta1/proposals/1").await["proposal"].clone();
    assert_eq!((&old["proposal_id"], &old["content"]), (&json!("1"), &content));
    assert_eq!(old["voting_end_time"], "0001-01-01T00:00:00Z");
    assert_eq!(old["final_tally_result"], json!({ "yes": "5", "abstain": "0", "no": "0", "no_with_veto": "0" }));
    let error = world.refused("/cosmos/gov/v1/proposals/2").await;
    assert_eq!(error, (404, 5, "proposal 2 doesn't exist: key not found".into()));
    assert_eq!(world.refused("/cosmos/gov/v1/proposals/x").await.0, 400);
}

#[tokio::test]
async fn proposals_are_listed_by_what_a_client_asks_for() {
    let world = world().await;
    let list = "/cosmos/gov/v1/proposals";
    assert_eq!(ids(&world.get(list).await), ["1", "3", "4"]);
    assert_eq!(ids(&world.get(&format!("{list}?pagination.reverse=true&pagination.limit=2")).await), ["4", "3"]);
    assert_eq!(ids(&world.get(&format!("{list}?proposal_status=PROPOSAL_STATUS_PASSED")).await), ["4"]);
    assert_eq!(ids(&world.get(&format!("{list}?proposal_status=2")).await), ["3"]);
    assert_eq!(ids(&world.get(&format!("{list}?voter={USER}")).await), ["3"]);
    assert_eq!(ids(&world.get(&format!("{list}?depositor={}", bech32(&two()))).await), ["3"]);
    assert_eq!(ids(&world.get(&format!("{list}?depositor={USER}")).await), [""; 0]);
    assert_eq!(world.refused(&format!("{list}?proposal_status=LOST")).await.0, 400);
}

#[tokio::test]
async fn votes_are_counted_while_voting_goes_on() {
    let world = world().await;
    let of = "/cosmos/gov/v1/proposals/3";
    let counted = json!({ "yes_count": "20", "abstain_count": "0", "no_count": "20", "no_with_veto_count": "0" });
    assert_eq!(world.get(&format!("{of}/tally")).await["tally"], counted, "80 of 200 shares of 100 coins");
    let passed = world.get("/cosmos/gov/v1beta1/proposals/4/tally").await["tally"].clone();
    assert_eq!(passed["yes"], "5", "what was decided stays");
    let vote = json!({
        "proposal_id": "3",
        "voter": USER,
        "options": [
            { "option": "VOTE_OPTION_YES", "weight": "0.500000000000000000" },
            { "option": "VOTE_OPTION_NO", "weight": "0.500000000000000000" },
        ],
        "metadata": "so so",
    });
    assert_eq!(world.get(&format!("{of}/votes/{USER}")).await["vote"], vote);
    assert_eq!(world.get(&format!("{of}/votes")).await["votes"], json!([vote]));
    let deposit =
        json!({ "proposal_id": "3", "depositor": bech32(&two()), "amount": [{ "denom": "uscrt", "amount": "7" }] });
    assert_eq!(world.get(&format!("{of}/deposits")).await["deposits"], json!([deposit]));
    assert_eq!(world.get(&format!("{of}/deposits/{}", bech32(&two()))).await["deposit"], deposit);
    assert_eq!(world.refused(&format!("{of}/deposits/{USER}")).await.0, 404);
}

#[tokio::test]
async fn parameters_of_governance_are_shown_by_kind() {
    let world = world().await;
    let voting = world.get("/cosmos/gov/v1/params/voting").await;
    assert_eq!(voting["voting_params"], json!({ "voting_period": "172800s" }));
    assert_eq!((&voting["tally_params"], &voting["params"]["quorum"]), (&Value::Null, &json!("0.334000000000000000")));
    let old = world.get("/cosmos/gov/v1beta1/params/deposit").await;
    assert_eq!(old["deposit_params"]["max_deposit_period"], "172800s");
    assert_eq!(old["voting_params"], json!({ "voting_period": "0s" }));
    assert_eq!(world.refused("/cosmos/gov/v1/params/colour").await.0, 400);
}

#[tokio::test]
async fn a_validator_and_its_delegators_are_shown() {
    let world = world().await;
    let operator = valoper(&one());
    let shown = world.get(&format!("/cosmos/staking/v1beta1/validators/{operator}")).await["validator"].clone();
    assert_eq!((&shown["operator_address"], &shown["status"]), (&json!(operator), &json!("BOND_STATUS_BONDED")));
    assert_eq!(shown["delegator_shares"], "200.000000000000000000");
    assert_eq!(shown["unbonding_time"], "1970-01-01T00:00:00Z");
    let all = "/cosmos/staking/v1beta1/validators";
    assert_eq!(world.get(all).await["validators"], json!([shown]));
    assert_eq!(world.get(&format!("{all}?status=BOND_STATUS_UNBONDED")).await["validators"], json!([]));
    let delegation = json!({
        "delegation": {
            "delegator_address": USER,
            "validator_address": operator,
            "shares": "80.000000000000000000",
        },
        "balance": { "denom": "uscrt", "amount": "40" },
    });
    let own = world.get(&format!("/cosmos/staking/v1beta1/delegations/{USER}")).await;
    assert_eq!(own["delegation_responses"], json!([delegation]));
    assert_eq!(world.get(&format!("{all}/{operator}/delegations")).await["delegation_responses"], json!([delegation]));
    let other = bech32(&two());
    assert_eq!(world.refused(&format!("{all}/{operator}/delegations/{other}")).await.0, 404);
    assert_eq!(world.refused(&format!("{all}/{}", valoper(&two()))).await.1, 5);
    assert_eq!(world.refused(&format!("{all}/{USER}")).await.0, 400, "an account is no operator");
    assert_eq!(world.get("/cosmos/staking/v1beta1/pool").await["pool"]["bonded_tokens"], "100");
}

#[tokio::test]
async fn rewards_are_those_that_a_withdrawal_would_pay() {
    let world = world().await;
    let operator = valoper(&one());
    let coins = |amount: &str| json!([{ "denom": "uscrt", "amount": format!("{amount}.000000000000000000") }]);
    let path = format!("/cosmos/distribution/v1beta1/delegators/{USER}/rewards");
    let rewards = world.get(&path).await;
    assert_eq!(rewards["rewards"], json!([{ "validator_address": operator, "reward": coins("2") }]));
    assert_eq!(rewards["total"], coins("2"), "of ten, half is the validator's, and of the rest 80 of 200");
    let of = format!("/cosmos/distribution/v1beta1/validators/{operator}");
    assert_eq!(world.get(&format!("{of}/commission")).await["commission"]["commission"], coins("5"));
    assert_eq!(world.get(&format!("{of}/outstanding_rewards")).await["rewards"]["rewards"], coins("10"));
    let pool = world.get("/cosmos/distribution/v1beta1/community_pool").await;
    assert_eq!(pool["pool"][0]["amount"], "3.500000000000000000");
    assert_eq!(world.refused(&format!("{path}/{}", valoper(&two()))).await.0, 404);
}

#[tokio::test]
async fn a_key_that_never_comes_back_is_jailed_until_time_ends() {
    let world = world().await;
    let list = world.get("/cosmos/slashing/v1beta1/signing_infos").await;
    let name = list["info"][0]["address"].as_str().expect("a name").to_owned();
    assert!(name.starts_with("secretvalcons1"), "{name}");
    let info = world.get(&format!("/cosmos/slashing/v1beta1/signing_infos/{name}")).await;
    assert_eq!(info["val_signing_info"]["jailed_until"], "9999-12-31T23:59:59Z");
    assert_eq!(world.refused(&format!("/cosmos/slashing/v1beta1/signing_infos/{USER}")).await.0, 400);
}

#[tokio::test]
async fn grants_are_listed_by_either_side_and_by_kind() {
    let world = World::start().await;
    let send = Grant { authorization: Authorization::Send { limit: 5, to: vec![two()] }, expiration: None };
    let generic = |url: &str| Authorization::Generic(url.into());
    let late = Grant { authorization: generic("/a.B"), expiration: Some(5) };
    let other = Grant { authorization: generic("/a.B"), expiration: Some(4_000_000_000_000_000_000) };
    let url = "/cosmos.bank.v1beta1.MsgSend";
    let grants = vec![
        leaf(Leaf::grant(two(), user(), url), &send),
        leaf(Leaf::grant(one(), user(), "/a.B"), &late),
        leaf(Leaf::grant(two(), one(), "/a.B"), &other),
    ];
    world.mine_with(&[], grants, Vec::new());
    let path = "/cosmos/authz/v1beta1/grants";
    let shown = json!({
        "authorization": {
            "@type": "/cosmos.bank.v1beta1.SendAuthorization",
            "spend_limit": [{ "denom": "uscrt", "amount": "5" }],
            "allow_list": [bech32(&two())],
        },
        "expiration": null,
    });
    let (grantee, granter) = (bech32(&two()), bech32(&one()));
    assert_eq!(world.get(&format!("{path}?granter={USER}&grantee={grantee}")).await["grants"], json!([shown]));
    let kind = format!("{path}?granter={USER}&grantee={grantee}&msg_type_url={url}");
    assert_eq!(world.get(&kind).await["grants"], json!([shown]));
    let issued = world.get(&format!("{path}/granter/{USER}")).await;
    assert_eq!((&issued["grants"][0]["grantee"], &issued["pagination"]["total"]), (&json!(grantee), &json!("1")));
    let held = world.get(&format!("{path}/grantee/{grantee}")).await;
    assert_eq!(held["pagination"]["total"], "2");
    let both = format!("{path}?granter={granter}&grantee={grantee}&msg_type_url=/a.C");
    assert_eq!(world.refused(&both).await.0, 404);
    assert_eq!(world.refused(path).await.0, 400);
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let world = World::start().await;
    assert_eq!(world.get("/cosmos/mint/v1beta1/inflation").await, json!({ "inflation": "0.000000000000000000" }));
    let channels = world.get("/ibc/core/channel/v1/channels").await;
    assert_eq!((&channels["channels"], &channels["height"]["revision_height"]), (&json!([]), &json!("0")));
    let channel = world.refused("/ibc/core/channel/v1/channels/channel-1/ports/transfer").await;
    assert_eq!(channel, (404, 5, "channel: not found".into()));
    assert_eq!(
        world.get("/cosmos/staking/v1beta1/validators").await["validators"],
        json!([]),
        "no staking, no validators"
    );
    let accounts = world.get("/cosmos/auth/v1beta1/accounts").await;
    assert_eq!(accounts["accounts"][0]["address"], USER);
    assert_eq!(world.get("/cosmos/auth/v1beta1/address_by_id/7").await, json!({ "account_address": USER }));
    assert_eq!(world.refused("/cosmos/auth/v1beta1/address_by_id/8").await.0, 404);
}
