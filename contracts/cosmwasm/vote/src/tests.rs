#![allow(clippy::unwrap_used)]

use cosmwasm_std::testing::{MockApi, MockQuerier, MockStorage, mock_dependencies, mock_env, mock_info};
use cosmwasm_std::{Api, Empty, OwnedDeps, from_slice};

use super::*;

/// A vote, and the time that passes.
struct Story {
    chain: OwnedDeps<MockStorage, MockApi, MockQuerier<Empty>>,
    env: Env,
}

impl Story {
    /// Opened by olga for 100 seconds.
    fn new(more: &str) -> Self {
        let (mut chain, env) = (mock_dependencies(), mock_env());
        let closes_at = env.block.time.seconds() + 100;
        let msg = format!(r#"{{"question":"Lunch?","options":["soup","cake","both"],"closes_at":{closes_at}{more}}}"#);
        let msg = from_slice(msg.as_bytes()).unwrap();
        instantiate(chain.as_mut(), env.clone(), mock_info("olga", &[]), msg).unwrap();
        Self { chain, env }
    }

    fn tell(&mut self, sender: &str, msg: &str) -> Result<String, String> {
        let msg = from_slice(msg.as_bytes()).unwrap();
        match execute(self.chain.as_mut(), self.env.clone(), mock_info(sender, &[]), msg) {
            Ok(response) => Ok(trimmed(&response.data.unwrap())),
            Err(StdError::GenericErr { msg, .. }) => Err(msg),
            Err(other) => panic!("{other}"),
        }
    }

    fn vote(&mut self, sender: &str, choice: u8) -> Result<String, String> {
        self.tell(sender, &format!(r#"{{"vote":{{"choice":{choice}}}}}"#))
    }

    fn ask(&self, msg: &str) -> String {
        trimmed(&query(self.chain.as_ref(), self.env.clone(), from_slice(msg.as_bytes()).unwrap()).unwrap())
    }

    /// Without the question.
    fn poll(&self) -> String {
        self.ask(r#"{"poll":{}}"#).split_once(r#""open":"#).unwrap().1.to_string()
    }

    fn wait(&mut self, seconds: u64) {
        self.env.block.time = self.env.block.time.plus_seconds(seconds);
    }
}

fn trimmed(answer: &Binary) -> String {
    assert_eq!(answer.len(), 256);
    String::from_utf8(answer.0.clone()).unwrap().trim_end().to_string()
}

#[test]
fn the_tally_appears_when_the_owner_closes_the_vote() {
    let mut story = Story::new("");
    for (voter, choice) in [("ann", 1), ("bob", 0), ("eve", 1)] {
        assert_eq!(story.vote(voter, choice).unwrap(), format!(r#"{{"vote":{{"choice":{choice}}}}}"#));
    }
    assert_eq!(story.poll(), r#"true,"votes":3,"tally":null}}"#);
    assert_eq!(story.tell("olga", r#"{"close":{}}"#).unwrap(), r#"{"close":{"tally":[1,2,0]}}"#);
    assert_eq!(story.poll(), r#"false,"votes":3,"tally":[1,2,0]}}"#);
    assert_eq!(story.vote("joe", 0).unwrap_err(), "the vote is closed");
    assert_eq!(story.tell("olga", r#"{"close":{}}"#).unwrap_err(), "the vote is closed");
}

#[test]
fn an_address_votes_once_for_something_that_exists() {
    let mut story = Story::new("");
    assert_eq!(story.vote("ann", 3).unwrap_err(), "no such option");
    story.vote("ann", 2).unwrap();
    assert_eq!(story.vote("ann", 0).unwrap_err(), "you have voted");
    story.tell("olga", r#"{"close":{}}"#).unwrap();
    assert_eq!(story.poll(), r#"false,"votes":1,"tally":[0,0,1]}}"#);
}

#[test]
fn before_its_time_only_the_owner_closes_and_after_it_nobody_votes() {
    let mut story = Story::new("");
    story.vote("ann", 1).unwrap();
    story.wait(99);
    assert_eq!(story.tell("eve", r#"{"close":{}}"#).unwrap_err(), "only the owner closes the vote before its time");
    story.wait(1);
    assert_eq!(story.vote("bob", 1).unwrap_err(), "the vote is closed");
    assert_eq!(story.poll(), r#"true,"votes":1,"tally":null}}"#);
    story.tell("eve", r#"{"close":{}}"#).unwrap();
    assert_eq!(story.poll(), r#"false,"votes":1,"tally":[0,1,0]}}"#);
}

#[test]
fn a_ballot_is_shown_to_whoever_has_the_voters_key() {
    let mut story = Story::new("");
    let wrong = r#"{"viewing_key_error":{"msg":"Wrong viewing key for this address or viewing key not set"}}"#;
    let ballot = r#"{"ballot":{"address":"ann","key":"mine"}}"#;
    story.vote("ann", 1).unwrap();
    assert_eq!(story.ask(ballot), wrong);
    assert_eq!(story.tell("ann", r#"{"set_viewing_key":{"key":"mine"}}"#).unwrap(), r#"{"set_viewing_key":{}}"#);
    assert_eq!(story.ask(ballot), r#"{"ballot":{"choice":1}}"#);
    assert_eq!(story.ask(r#"{"ballot":{"address":"bob","key":"mine"}}"#), wrong);
    story.tell("bob", r#"{"set_viewing_key":{"key":"mine"}}"#).unwrap();
    assert_eq!(story.ask(r#"{"ballot":{"address":"bob","key":"mine"}}"#), r#"{"ballot":{"choice":null}}"#);
}

#[test]
fn an_invitation_is_for_those_named() {
    let mut story = Story::new(r#","voters":["ann","bob"]"#);
    story.vote("ann", 0).unwrap();
    assert_eq!(story.vote("eve", 0).unwrap_err(), "you are not invited to this vote");
}

#[test]
fn votes_differ_in_nothing_that_the_host_sees() {
    let written = |choice| {
        let mut story = Story::new("");
        let response = story.vote("ann", choice).unwrap();
        let ballot = story.chain.api.addr_canonicalize("ann").unwrap();
        let entries = [b"t".to_vec(), [b"b".as_slice(), ballot.as_slice()].concat()];
        (response.len(), entries.map(|key| story.chain.storage.get(&key).unwrap().len()))
    };
    assert_eq!(written(0), written(2));
}

#[test]
fn a_vote_that_makes_no_sense_is_not_opened() {
    let open = |options: &str, later: u64| {
        let (mut chain, env) = (mock_dependencies(), mock_env());
        let closes_at = env.block.time.seconds() + later;
        let msg = format!(r#"{{"question":"?","options":[{options}],"closes_at":{closes_at}}}"#);
        instantiate(chain.as_mut(), env, mock_info("olga", &[]), from_slice(msg.as_bytes()).unwrap())
    };
    assert!(open(r#""a","b""#, 1).is_ok());
    assert!(open(r#""a""#, 1).is_err());
    assert!(open(&[r#""x""#; 11].join(","), 1).is_err());
    assert!(open(r#""a","b""#, 0).is_err());
}
