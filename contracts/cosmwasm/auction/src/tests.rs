#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use cosmwasm_std::testing::{MockApi, MockQuerier, MockStorage, mock_dependencies, mock_env, mock_info};
use cosmwasm_std::{CosmosMsg, Empty, OwnedDeps, attr_plaintext, coin, coins, from_slice};
use proptest::prelude::*;

use super::*;

/// An auction, and the time that passes.
struct Story {
    chain: OwnedDeps<MockStorage, MockApi, MockQuerier<Empty>>,
    env: Env,
}

impl Story {
    /// Sold by stan for at least 10, in 100 seconds.
    fn new() -> Self {
        let (mut chain, env) = (mock_dependencies(), mock_env());
        let closes_at = env.block.time.seconds() + 100;
        let msg = format!(r#"{{"item":"a boat","minimum":"10","closes_at":{closes_at}}}"#);
        let msg = from_slice(msg.as_bytes()).unwrap();
        instantiate(chain.as_mut(), env.clone(), mock_info("stan", &[]), msg).unwrap();
        Self { chain, env }
    }

    fn tell(&mut self, sender: &str, funds: &[Coin], msg: &str) -> Result<Response, String> {
        let msg = from_slice(msg.as_bytes()).unwrap();
        execute(self.chain.as_mut(), self.env.clone(), mock_info(sender, funds), msg).map_err(|error| match error {
            StdError::GenericErr { msg, .. } => msg,
            other => panic!("{other}"),
        })
    }

    fn bid(&mut self, sender: &str, amount: u128, deposit: u128) -> Result<String, String> {
        let funds = if deposit == 0 { vec![] } else { coins(deposit, "uscrt") };
        let response = self.tell(sender, &funds, &format!(r#"{{"bid":{{"amount":"{amount}"}}}}"#))?;
        assert!(response.attributes.is_empty());
        Ok(trimmed(&response.data.unwrap()))
    }

    fn ask(&self, msg: &str) -> String {
        trimmed(&query(self.chain.as_ref(), self.env.clone(), from_slice(msg.as_bytes()).unwrap()).unwrap())
    }

    /// What is not fixed.
    fn auction(&self) -> String {
        self.ask(r#"{"auction":{}}"#).split_once(r#""open":"#).unwrap().1.to_string()
    }
}

/// Who is paid what.
fn payments(response: &Response) -> Vec<(String, u128)> {
    let payment = |message: &CosmosMsg| match message {
        CosmosMsg::Bank(BankMsg::Send { to_address, amount }) if amount[0].denom == "uscrt" && amount.len() == 1 => {
            (to_address.clone(), amount[0].amount.u128())
        }
        other => panic!("{other:?}"),
    };
    response.messages.iter().map(|sub| payment(&sub.msg)).collect()
}

fn trimmed(answer: &Binary) -> String {
    assert_eq!(answer.len(), 256);
    String::from_utf8(answer.0.clone()).unwrap().trim_end().to_string()
}

fn paid(all: &[(&str, u128)]) -> Vec<(String, u128)> {
    all.iter().map(|(to, amount)| (to.to_string(), *amount)).collect()
}

#[test]
fn the_best_bid_wins_and_everybody_else_gets_their_deposit_back() {
    let mut story = Story::new();
    assert_eq!(story.bid("ann", 12, 50).unwrap(), r#"{"bid":{"amount":"12","deposit":"50"}}"#);
    story.bid("bob", 40, 50).unwrap();
    story.bid("eve", 30, 30).unwrap();
    assert_eq!(story.auction(), r#"true,"bidders":3,"sale":null}}"#);

    let closed = story.tell("stan", &[], r#"{"close":{}}"#).unwrap();
    assert_eq!(payments(&closed), paid(&[("ann", 50), ("stan", 40), ("bob", 10), ("eve", 30)]));
    assert_eq!(closed.attributes, [attr_plaintext("buyer", "bob"), attr_plaintext("price", "40")]);
    assert_eq!(trimmed(&closed.data.unwrap()), r#"{"close":{"sale":{"buyer":"bob","price":"40"}}}"#);
    assert_eq!(story.auction(), r#"false,"bidders":3,"sale":{"buyer":"bob","price":"40"}}}"#);
    assert_eq!(story.tell("stan", &[], r#"{"close":{}}"#).unwrap_err(), "the auction is closed");
    assert_eq!(story.bid("joe", 99, 99).unwrap_err(), "the auction is closed");
}

#[test]
fn a_bidder_may_bid_more_and_deposits_add_up() {
    let mut story = Story::new();
    story.bid("ann", 10, 20).unwrap();
    assert_eq!(story.bid("ann", 10, 5).unwrap_err(), "you have bid 10");
    assert_eq!(story.bid("ann", 15, 0).unwrap(), r#"{"bid":{"amount":"15","deposit":"20"}}"#);
    assert_eq!(story.bid("ann", 31, 10).unwrap_err(), "the deposit is 30, less than the bid");
    assert_eq!(story.bid("ann", 30, 10).unwrap(), r#"{"bid":{"amount":"30","deposit":"30"}}"#);
    let closed = story.tell("stan", &[], r#"{"close":{}}"#).unwrap();
    assert_eq!(payments(&closed), paid(&[("stan", 30)]), "nobody is sent nothing");
}

#[test]
fn a_bid_needs_the_right_coins_and_the_least_amount() {
    let mut story = Story::new();
    assert_eq!(story.bid("ann", 9, 20).unwrap_err(), "the least bid is 10");
    assert_eq!(story.bid("ann", 21, 20).unwrap_err(), "the deposit is 20, less than the bid");
    for funds in [coins(20, "uatom"), vec![coin(20, "uscrt"), coin(1, "uatom")]] {
        let refused = story.tell("ann", &funds, r#"{"bid":{"amount":"20"}}"#);
        assert_eq!(refused.unwrap_err(), "bids are in uscrt");
    }
    assert_eq!(story.auction(), r#"true,"bidders":0,"sale":null}}"#);
    let closed = story.tell("stan", &[], r#"{"close":{}}"#).unwrap();
    assert!(closed.messages.is_empty() && closed.attributes.is_empty());
    assert_eq!(trimmed(&closed.data.unwrap()), r#"{"close":{"sale":null}}"#);
}

#[test]
fn before_its_time_only_the_seller_closes_and_after_it_nobody_bids() {
    let mut story = Story::new();
    story.bid("ann", 10, 10).unwrap();
    story.env.block.time = story.env.block.time.plus_seconds(99);
    let refused = story.tell("ann", &[], r#"{"close":{}}"#).unwrap_err();
    assert_eq!(refused, "only the seller closes the auction before its time");
    story.env.block.time = story.env.block.time.plus_seconds(1);
    assert_eq!(story.bid("bob", 20, 20).unwrap_err(), "the auction is closed");
    assert_eq!(payments(&story.tell("bob", &[], r#"{"close":{}}"#).unwrap()), paid(&[("stan", 10)]));
}

#[test]
fn a_bid_is_shown_to_whoever_has_the_bidders_key() {
    let mut story = Story::new();
    let wrong = r#"{"viewing_key_error":{"msg":"Wrong viewing key for this address or viewing key not set"}}"#;
    let question = r#"{"bid":{"address":"ann","key":"mine"}}"#;
    story.bid("ann", 12, 15).unwrap();
    assert_eq!(story.ask(question), wrong);
    story.tell("ann", &[], r#"{"set_viewing_key":{"key":"mine"}}"#).unwrap();
    assert_eq!(story.ask(question), r#"{"bid":{"amount":"12","deposit":"15"}}"#);
    assert_eq!(story.ask(r#"{"bid":{"address":"ann","key":"yours"}}"#), wrong);
    story.tell("bob", &[], r#"{"set_viewing_key":{"key":"mine"}}"#).unwrap();
    assert_eq!(story.ask(r#"{"bid":{"address":"bob","key":"mine"}}"#), r#"{"bid":null}"#);
}

#[test]
fn an_auction_has_a_hundred_seats_and_everybody_keeps_theirs() {
    let mut story = Story::new();
    for number in 0..100 {
        story.bid(&format!("bidder{number}"), 10 + number, 200).unwrap();
    }
    assert_eq!(story.bid("late", 500, 500).unwrap_err(), "the auction is full");
    story.bid("bidder7", 150, 0).unwrap();
    let closed = story.tell("stan", &[], r#"{"close":{}}"#).unwrap();
    assert_eq!(payments(&closed).len(), 101);
    assert_eq!(closed.attributes[0], attr_plaintext("buyer", "bidder7"));
}

#[test]
fn an_auction_that_makes_no_sense_is_not_opened() {
    let open = |minimum: u32, later: u64| {
        let (mut chain, env) = (mock_dependencies(), mock_env());
        let closes_at = env.block.time.seconds() + later;
        let msg = format!(r#"{{"item":"x","minimum":"{minimum}","closes_at":{closes_at}}}"#);
        instantiate(chain.as_mut(), env, mock_info("stan", &[]), from_slice(msg.as_bytes()).unwrap())
    };
    assert!(open(1, 1).is_ok());
    assert!(open(0, 1).is_err());
    assert!(open(1, 0).is_err());
}

proptest! {
    /// Against the plain rule: the first of the highest bids wins, and every coin deposited is paid out again.
    #[test]
    fn coins_are_neither_lost_nor_made(bids in proptest::collection::vec((10_u128..20, 0_u128..5), 1..20)) {
        let mut story = Story::new();
        let mut expected = BTreeMap::new();
        for (number, (amount, more)) in bids.iter().enumerate() {
            story.bid(&format!("bidder{number}"), *amount, amount + more).unwrap();
            expected.insert(format!("bidder{number}"), amount + more);
        }
        let price = bids.iter().map(|(amount, _)| *amount).max().unwrap();
        let winner = bids.iter().position(|(amount, _)| *amount == price).unwrap();
        *expected.get_mut(&format!("bidder{winner}")).unwrap() -= price;
        expected.insert("stan".into(), price);
        expected.retain(|_, amount| *amount > 0);
        let closed = story.tell("stan", &[], r#"{"close":{}}"#).unwrap();
        prop_assert_eq!(payments(&closed).into_iter().collect::<BTreeMap<_, _>>(), expected);
    }
}
