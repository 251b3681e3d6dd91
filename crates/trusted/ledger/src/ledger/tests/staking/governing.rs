//! Proposals, from their deposit to what they bring about.

use cloister_chain::gov::{self, Ballot, Governance, Proposal, Tally};
use secret_sdk_proto::cosmos::distribution::v1beta1::{MsgCommunityPoolSpend, MsgFundCommunityPool};
use secret_sdk_proto::cosmos::gov::{v1, v1beta1};

use super::*;

const DEPOSIT: u128 = 10 * POWER;
/// The least that anybody deposits.
const LEAST: u128 = DEPOSIT / 100;
const VOTING: u64 = 90;

/// LocalSecret's.
pub(super) fn governance() -> gov::Params {
    gov::Params {
        min_deposit: DEPOSIT,
        expedited_min_deposit: 2 * DEPOSIT,
        max_deposit_period: 60 * SECOND,
        voting_period: VOTING * SECOND,
        expedited_voting_period: 15 * SECOND,
        ..gov::Params::default()
    }
}

fn message(name: &str, message: &impl prost::Message) -> Any {
    Any { type_url: format!("/cosmos.{name}"), value: message.encode_to_vec() }
}

fn coins(amount: u128) -> Vec<Coin> {
    coin(amount).into_iter().filter(|_| amount > 0).collect()
}

fn authority() -> String {
    bech32(&gov::account())
}

/// A user's proposal of these messages.
pub(super) fn proposal(user: u8, deposit: u128, messages: Vec<Any>) -> v1::MsgSubmitProposal {
    v1::MsgSubmitProposal {
        messages,
        initial_deposit: coins(deposit),
        proposer: bech32(&account(user)),
        metadata: "more about it".into(),
        title: "A title".into(),
        summary: "What it is about".into(),
        expedited: false,
    }
}

pub(super) fn submit(proposal: &v1::MsgSubmitProposal) -> Any {
    message("gov.v1.MsgSubmitProposal", proposal)
}

fn text(user: u8, deposit: u128) -> Any {
    submit(&proposal(user, deposit, Vec::new()))
}

pub(super) fn deposit(user: u8, proposal_id: u64, amount: u128) -> Any {
    let depositor = bech32(&account(user));
    message("gov.v1.MsgDeposit", &v1::MsgDeposit { proposal_id, depositor, amount: coins(amount) })
}

pub(super) fn vote(user: u8, proposal_id: u64, option: v1::VoteOption) -> Any {
    let voter = bech32(&account(user));
    let option = option.into();
    message("gov.v1.MsgVote", &v1::MsgVote { proposal_id, voter, option, metadata: String::new() })
}

pub(super) fn take_back(user: u8, proposal_id: u64) -> Any {
    let proposer = bech32(&account(user));
    message("gov.v1.MsgCancelProposal", &v1::MsgCancelProposal { proposal_id, proposer })
}

fn split(user: u8, proposal_id: u64, parts: &[(v1::VoteOption, &str)]) -> Any {
    let option = |(option, weight): &(v1::VoteOption, &str)| v1::WeightedVoteOption {
        option: (*option).into(),
        weight: (*weight).into(),
    };
    let (voter, options) = (bech32(&account(user)), parts.iter().map(option).collect());
    message("gov.v1.MsgVoteWeighted", &v1::MsgVoteWeighted { proposal_id, voter, options, metadata: String::new() })
}

fn spend(to: u8, amount: u128) -> Any {
    let recipient = bech32(&account(to));
    let message_ = MsgCommunityPoolSpend { authority: authority(), recipient, amount: coins(amount) };
    message("distribution.v1beta1.MsgCommunityPoolSpend", &message_)
}

impl Net {
    fn proposal(&self, id: u64) -> Option<Proposal> {
        self.leaf(Leaf::Proposal(id))
    }

    fn status(&self, id: u64) -> gov::Status {
        self.proposal(id).expect("a proposal").status
    }

    fn supply(&self) -> u128 {
        self.leaf::<cloister_chain::leaf::ChainState>(Leaf::Chain).expect("the chain's own").supply
    }

    fn held(&self) -> u128 {
        self.chain.coins(gov::account())
    }

    /// Nothing is left of any proposal but the proposals themselves.
    fn is_clear(&self) {
        let kept = self.chain.host.leaves.keys();
        let rest = kept.filter(|leaf| {
            matches!(
                leaf,
                Leaf::Ballot(_)
                    | Leaf::Deposit(..)
                    | Leaf::Depositors(..)
                    | Leaf::Vote(..)
                    | Leaf::Voters(..)
                    | Leaf::GovQueue(_)
            )
        });
        assert_eq!(rest.count(), 0);
        let governance: Governance = self.leaf(Leaf::Governance).expect("there were some");
        assert_eq!((governance.queued, governance.due), (0, None));
    }

    /// The voting period passes, and as many blocks as its end takes.
    fn pass_time(&mut self) {
        self.later(VOTING);
        self.blocks(12);
    }
}

#[test]
fn a_proposal_waits_for_its_deposit_is_voted_on_and_passes() {
    let mut net = Net::of(3);
    let few = "need at least one of the following: 100000uscrt: minimum deposit is too small";
    assert_eq!(
        net.fails(5, text(5, 0)),
        ("gov".into(), 16, format!("received  but {few}")),
        "nobody proposes for nothing"
    );
    let result = net.do_well(5, text(5, LEAST));
    let submitted = event(&result, "submit_proposal");
    assert_eq!(submitted[0], ("proposal_id".into(), "1".into()));
    assert_eq!(net.status(1), gov::Status::Deposit);
    assert_eq!(net.fails(1, vote(1, 1, v1::VoteOption::Yes)), ("gov".into(), 3, "1: inactive proposal".into()));
    let refused = net.fails(6, deposit(6, 1, LEAST - 1));
    assert_eq!(refused, ("gov".into(), 16, format!("received 99999uscrt but {few}")));
    let result = net.do_well(6, deposit(6, 1, DEPOSIT));
    let deposited =
        [("depositor", bech32(&account(6))), ("amount", "10000000uscrt".into()), ("proposal_id", "1".into())];
    assert_eq!(event(&result, "proposal_deposit"), pairs(deposited));
    let voting = net.proposal(1).expect("it is there");
    assert_eq!((voting.status, voting.deposit, net.held()), (gov::Status::Voting, DEPOSIT + LEAST, DEPOSIT + LEAST));

    // Of validator 2's hundred, user 7 has a half more, and says no with it.
    net.do_well(7, delegate(7, 2, BOND / 2));
    for user in [1, 2] {
        net.do_well(user, vote(user, 1, v1::VoteOption::No));
    }
    let result = net.do_well(1, vote(1, 1, v1::VoteOption::Yes));
    let voted = [
        ("voter", bech32(&account(1))),
        ("option", r#"{"option":1,"weight":"1.000000000000000000"}"#.into()),
        ("proposal_id", "1".into()),
    ];
    assert_eq!(event(&result, "proposal_vote"), pairs(voted));
    net.do_well(2, split(2, 1, &[(v1::VoteOption::Yes, "0.75"), (v1::VoteOption::Abstain, "0.25")]));
    net.do_well(7, vote(7, 1, v1::VoteOption::No));
    let (before, rich) = (net.coins(5), net.coins(6));
    net.pass_time();
    let passed = net.proposal(1).expect("it stays");
    assert_eq!((passed.status, passed.failed.as_str()), (gov::Status::Passed, ""));
    let quarter = BOND / 4;
    assert_eq!(passed.tally, Tally { yes: BOND + 3 * quarter, abstain: quarter, no: BOND / 2, veto: 0 });
    assert_eq!(
        (net.coins(5), net.coins(6), net.held()),
        (before + LEAST, rich + DEPOSIT, 0),
        "deposits are given back"
    );
    net.is_clear();
    assert_eq!(net.fails(1, vote(1, 1, v1::VoteOption::No)).1, 3);
    assert_eq!(net.fails(1, deposit(1, 1, DEPOSIT)).1, 3);
    assert_eq!(net.fails(1, deposit(1, 2, DEPOSIT)).1, 17);
}

#[test]
fn a_proposal_without_enough_deposit_is_forgotten() {
    let mut net = Net::of(1);
    net.do_well(5, text(5, DEPOSIT - 1));
    net.do_well(6, text(6, LEAST));
    let rich = net.coins(5);
    net.later(61);
    net.blocks(12);
    assert_eq!((net.proposal(1), net.proposal(2), net.coins(5)), (None, None, rich + DEPOSIT - 1));
    net.is_clear();
    assert_eq!(net.fails(6, deposit(6, 1, DEPOSIT)).1, 17);
    net.do_well(5, text(5, LEAST));
    assert!(net.proposal(3).is_some(), "numbers are not used again");
}

#[test]
fn a_veto_burns_the_deposits_and_a_lost_vote_does_not() {
    for (option, burned) in [(v1::VoteOption::NoWithVeto, DEPOSIT), (v1::VoteOption::No, 0)] {
        let mut net = Net::of(2);
        net.do_well(5, text(5, DEPOSIT));
        net.do_well(1, vote(1, 1, option));
        let (rich, supply) = (net.coins(5), net.supply());
        net.pass_time();
        let rejected = net.proposal(1).expect("it stays");
        assert_eq!(rejected.status, gov::Status::Rejected);
        assert_eq!(rejected.failed, "proposal did not get enough votes to pass");
        assert_eq!((net.coins(5), net.supply()), (rich + DEPOSIT - burned, supply - burned));
        net.is_clear();
    }
}

#[test]
fn haste_needs_more_votes_and_a_second_try_needs_no_haste() {
    let mut net = Net::of(3);
    let hasty = v1::MsgSubmitProposal { expedited: true, ..proposal(5, DEPOSIT, Vec::new()) };
    net.do_well(5, submit(&hasty));
    assert_eq!(net.status(1), gov::Status::Deposit, "it needs more of a deposit, too");
    net.do_well(5, deposit(5, 1, DEPOSIT));
    for (user, option) in [(1, v1::VoteOption::Yes), (2, v1::VoteOption::Yes), (3, v1::VoteOption::No)] {
        net.do_well(user, vote(user, 1, option));
    }
    net.later(15);
    net.blocks(8);
    let again = net.proposal(1).expect("it is there");
    assert_eq!((again.status, again.expedited), (gov::Status::Voting, false), "two thirds are not more than 0.667");
    assert_eq!(net.held(), 2 * DEPOSIT);
    for (user, option) in [(1, v1::VoteOption::Yes), (2, v1::VoteOption::Yes), (3, v1::VoteOption::No)] {
        net.do_well(user, vote(user, 1, option));
    }
    net.pass_time();
    assert_eq!((net.status(1), net.held()), (gov::Status::Passed, 0));
    net.is_clear();
}

#[test]
fn who_proposed_it_takes_it_back_for_half_of_the_deposits() {
    let mut net = Net::of(1);
    net.do_well(5, text(5, DEPOSIT));
    net.do_well(6, deposit(6, 1, DEPOSIT));
    net.do_well(1, vote(1, 1, v1::VoteOption::Yes));
    assert_eq!(net.fails(6, take_back(6, 1)).1, 18);
    let (rich, supply) = (net.coins(6), net.supply());
    let result = net.do_well(5, take_back(5, 1));
    assert_eq!(
        event(&result, "cancel_proposal"),
        pairs([("sender", bech32(&account(5))), ("proposal_id", "1".into())])
    );
    assert_eq!(net.proposal(1), None);
    net.blocks(3);
    assert_eq!((net.coins(6), net.supply(), net.held()), (rich + DEPOSIT / 2, supply - DEPOSIT, 0));
    net.pass_time();
    net.is_clear();
}

#[test]
fn what_passed_comes_into_effect_all_of_it_or_nothing() {
    let mut net = Net::of(1);
    let fund = MsgFundCommunityPool { depositor: bech32(&account(5)), amount: coins(500) };
    net.do_well(5, distribution_message("MsgFundCommunityPool", &fund));
    net.do_well(5, submit(&proposal(5, DEPOSIT, vec![spend(8, 200), spend(9, 100)])));
    net.do_well(5, submit(&proposal(5, DEPOSIT, vec![spend(8, 100), spend(9, 10 * DEPOSIT)])));
    for id in [1, 2] {
        net.do_well(1, vote(1, id, v1::VoteOption::Yes));
    }
    let rich = (net.coins(8), net.coins(9));
    net.pass_time();
    assert_eq!((net.status(1), net.status(2)), (gov::Status::Passed, gov::Status::Failed));
    assert_eq!((net.coins(8), net.coins(9)), (rich.0 + 200, rich.1 + 100));
    let why = net.proposal(2).expect("it stays").failed;
    assert_eq!(why, "community pool does not have sufficient coins to distribute");
    assert_eq!(net.held(), 0, "deposits are given back whatever happens");
}

#[test]
fn the_community_gives_nothing_to_accounts_of_modules() {
    let mut net = Net::of(1);
    let fund = MsgFundCommunityPool { depositor: bech32(&account(5)), amount: coins(500) };
    net.do_well(5, distribution_message("MsgFundCommunityPool", &fund));
    let give = |to: Address| {
        let give = MsgCommunityPoolSpend { authority: authority(), recipient: bech32(&to), amount: coins(100) };
        message("distribution.v1beta1.MsgCommunityPoolSpend", &give)
    };
    for (id, pool) in [(1, pool::bonded()), (2, pool::distribution())] {
        net.do_well(5, submit(&proposal(5, DEPOSIT, vec![give(pool)])));
        net.do_well(1, vote(1, id, v1::VoteOption::Yes));
    }
    net.pass_time();
    for (id, pool) in [(1, pool::bonded()), (2, pool::distribution())] {
        let ended = net.proposal(id).expect("it stays");
        assert_eq!(ended.status, gov::Status::Failed);
        assert_eq!(ended.failed, format!("{} is not allowed to receive funds: unauthorized", bech32(&pool)));
    }
}

#[test]
fn governance_sets_parameters_and_nobody_else_does() {
    let mut net = Net::of(1);
    let new = proto::Params {
        unbonding_time: Some(secret_sdk_proto::tendermint::google::protobuf::Duration { seconds: 7, nanos: 0 }),
        max_validators: 5,
        max_entries: 2,
        historical_entries: 0,
        bond_denom: "uscrt".into(),
        min_commission_rate: "50000000000000000".into(),
    };
    let update = |authority: String, new: &proto::Params| {
        staking_message("MsgUpdateParams", &proto::MsgUpdateParams { authority, params: Some(new.clone()) })
    };
    assert_eq!(net.fails(5, update(bech32(&account(5)), &new)).1, 13);
    let stolen = signed(5, net.chain.auth_sequence(account(5)), (5_000_000, FEE, 0), vec![update(authority(), &new)]);
    assert_eq!(net.block(vec![stolen])[0].status, Status::Refused(Refusal::Rule), "the module signs nothing");
    let own = update(bech32(&account(5)), &new);
    assert_eq!(net.fails(5, submit(&proposal(5, DEPOSIT, vec![own]))).1, 13, "nor is another's message proposed");

    let broken = proto::Params { max_validators: 0, ..new.clone() };
    net.do_well(5, submit(&proposal(5, DEPOSIT, vec![update(authority(), &new)])));
    net.do_well(5, submit(&proposal(5, DEPOSIT, vec![update(authority(), &broken)])));
    for id in [1, 2] {
        net.do_well(1, vote(1, id, v1::VoteOption::Yes));
    }
    net.pass_time();
    assert_eq!((net.status(1), net.status(2)), (gov::Status::Passed, gov::Status::Failed));
    let params: Params = net.leaf(Leaf::StakingParams).expect("parameters");
    assert_eq!((params.max_validators, params.max_entries, params.unbonding_time), (5, 2, 7 * SECOND));
    assert_eq!(params.min_commission_rate, Decimal::percent(5));
}

#[test]
fn the_older_form_is_understood() {
    let mut net = Net::of(1);
    let content = v1beta1::TextProposal { title: "Old".into(), description: "As it was".into() };
    let old = v1beta1::MsgSubmitProposal {
        content: Some(message("gov.v1beta1.TextProposal", &content)),
        initial_deposit: coins(DEPOSIT),
        proposer: bech32(&account(5)),
    };
    net.do_well(5, message("gov.v1beta1.MsgSubmitProposal", &old));
    let voter = bech32(&account(1));
    let option = v1beta1::WeightedVoteOption { option: 1, weight: "1000000000000000000".into() };
    let weighted = v1beta1::MsgVoteWeighted { proposal_id: 1, voter: voter.clone(), options: vec![option] };
    net.do_well(1, message("gov.v1beta1.MsgVoteWeighted", &weighted));
    net.do_well(1, message("gov.v1beta1.MsgVote", &v1beta1::MsgVote { proposal_id: 1, voter, option: 1 }));
    let read = net.proposal(1).expect("it is there");
    assert_eq!((read.title.as_str(), read.summary.as_str(), read.messages.len()), ("Old", "As it was", 1));
    net.pass_time();
    assert_eq!(net.status(1), gov::Status::Passed);
}

#[test]
fn an_end_that_takes_several_blocks_is_the_same_end() {
    let mut net = Net::of(2);
    net.do_well(5, text(5, DEPOSIT));
    let all = 1..=9u8;
    for user in all.clone().filter(|user| *user > 2) {
        net.do_well(user, delegate(user, 1 + user % 2, POWER));
    }
    for user in all.clone() {
        net.do_well(user, deposit(user, 1, DEPOSIT));
        net.do_well(user, vote(user, 1, if user < 9 { v1::VoteOption::Yes } else { v1::VoteOption::No }));
    }
    net.later(VOTING);
    let ballot: Ballot = net.leaf(Leaf::Ballot(1)).expect("it has not ended");
    assert!(matches!(ballot.stage, gov::Stage::Counting(_)) && ballot.voters > 0, "{ballot:?}");
    assert_eq!(net.fails(1, deposit(1, 1, DEPOSIT)).1, 3, "it is over");
    assert_eq!(net.fails(1, vote(1, 1, v1::VoteOption::No)).1, 3);
    net.blocks(12);
    let tally = net.proposal(1).expect("it stays").tally;
    assert_eq!(tally, Tally { yes: 2 * BOND + 6 * POWER, no: POWER, ..Tally::default() });
    assert_eq!((net.status(1), net.held()), (gov::Status::Passed, 0));
    net.is_clear();
}

#[test]
fn a_block_counts_few_votes_of_those_who_delegate_to_many() {
    let mut net = Net::of(3);
    net.do_well(9, text(9, DEPOSIT));
    for user in 4..=9 {
        (1..=3).for_each(|to| drop(net.do_well(user, delegate(user, to, POWER))));
        net.do_well(user, vote(user, 1, v1::VoteOption::Yes));
    }
    let voters = |net: &Net| net.leaf::<Ballot>(Leaf::Ballot(1)).map_or(0, |ballot| ballot.voters);
    net.later(VOTING);
    while voters(&net) > 0 {
        let before = voters(&net);
        net.blocks(1);
        assert!(before - voters(&net) <= 2, "each is the work of four, and a block does that of eight");
    }
    net.blocks(4);
    assert_eq!(net.proposal(1).expect("it stays").tally, Tally { yes: 18 * POWER, ..Tally::default() });
}

#[test]
fn votes_are_parts_of_one() {
    use v1::VoteOption::{No, Yes};
    let mut net = Net::of(1);
    net.do_well(5, text(5, DEPOSIT));
    for (parts, log) in [
        (&[(Yes, "0.5"), (No, "0.6")][..], "total weight overflow 1.00: invalid vote option"),
        (&[(Yes, "0.5")], "total weight lower than 1.00: invalid vote option"),
        (&[(Yes, "0.5"), (Yes, "0.5")], "duplicated vote option: invalid vote option"),
        (&[(Yes, "a half")], "invalid weight: invalid vote option"),
        (&[(v1::VoteOption::Unspecified, "1")], "0: invalid vote option"),
    ] {
        assert_eq!(net.fails(1, split(1, 1, parts)), ("gov".into(), 7, log.to_owned()));
    }
    let untitled = v1::MsgSubmitProposal { title: String::new(), ..proposal(5, DEPOSIT, Vec::new()) };
    assert_eq!(net.fails(5, submit(&untitled)).2, "proposal title cannot be empty: invalid request");
    let empty = v1::MsgSubmitProposal { metadata: String::new(), ..proposal(5, DEPOSIT, Vec::new()) };
    assert_eq!(net.fails(5, submit(&empty)).1, 11);
    let long = v1::MsgSubmitProposal { summary: "x".repeat(10_201), ..proposal(5, DEPOSIT, Vec::new()) };
    assert_eq!(net.fails(5, submit(&long)).1, 15);
}
