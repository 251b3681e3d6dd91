//! Whom a chain does not want, and who says so (M-23, M-24, M-27, M-29).

use alloy_primitives::B256;
use cloister_attest::{Family, Measurement, Policy};
use cloister_chain::cosmos::trust::{MsgRelease, MsgRetire, MsgRevoke, MsgSetPolicy};
use cloister_chain::cosmos::{DENOM, bech32};
use cloister_chain::staking::{Decimal, GenesisStaking, GenesisValidator, POWER, Params};
use cloister_chain::trust::{Node, Release};
use cloister_chain::{Genesis, Leaf, Status};
use cloister_teeth::Mechanism;
use prost::Message;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::gov::v1::{MsgSubmitProposal, MsgVote, VoteOption};

use super::admission::{DELAY, RELEASED, Starting, admitted, chain, chain_with, chip, now, register, trusting};
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Stage, account, signed};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "denied-family",
        rules: "M-23",
        mechanism: Mechanism::DeniedFamily,
        story: "A genuine enclave on a family of processors that the chain denies asks for the seed.",
        attack: denied_family,
    },
    Scenario {
        name: "below-the-floor",
        rules: "M-24",
        mechanism: Mechanism::TcbFloor,
        story: "Evidence comes with collateral of an evaluation that is below the chain's floor.",
        attack: below_the_floor,
    },
    Scenario {
        name: "revoked-node",
        rules: "M-27",
        mechanism: Mechanism::Revocation,
        story: "The validators revoke a chip, and its owner registers it again, with new evidence, for another share.",
        attack: revoked,
    },
    Scenario {
        name: "own-decree",
        rules: "M-29",
        mechanism: Mechanism::OnlyByProposal,
        story: "The host decides by itself what only a proposal may: other rules, its own program, the victim's revocation.",
        attack: own_decree,
    },
];

fn denied_family(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut policy = Policy::production();
    policy.denied.insert(Family::Sgx);
    shut_out(stage, policy)
}

fn below_the_floor(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut policy = Policy::production();
    policy.dcap.min_tcb_eval_data_number += 1 + u32::try_from(stage.dice.below(5))?;
    shut_out(stage, policy)
}

/// Tries an enclave that every chain but one of this policy admits.
fn shut_out(stage: &mut Stage, policy: Policy) -> Result<Attempts, Failure> {
    let mut attempts = Attempts::default();
    let chip = chip(stage);
    for (policy, wanted) in [(policy, false), (Policy::production(), true)] {
        let chain = chain_with(stage, policy)?;
        let registration = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(&chain));
        let node = admitted(stage, &chain, (2, 0), &registration, &chip)?;
        match wanted {
            false => attempts.add("the seed", node.is_some()),
            true => attempts.also("another chain admits it", node.is_some()),
        }
    }
    Ok(attempts)
}

fn revoked(stage: &mut Stage) -> Result<Attempts, Failure> {
    let chip = chip(stage);
    let mut chain = Chain::start(stage, governed()?, 1)?;
    let first = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(&chain));
    chain.run(vec![register(2, 0, &first)])?;

    let authority = bech32(&cloister_chain::gov::account());
    let revoke = decree("MsgRevoke", &MsgRevoke { authority, hardware: chip.hardware_id().0.to_vec() });
    let (voter, deposit) = (bech32(&account(1)), Coin { denom: DENOM.into(), amount: DEPOSIT.to_string() });
    let proposal = MsgSubmitProposal {
        messages: vec![revoke],
        initial_deposit: vec![deposit],
        proposer: voter.clone(),
        title: "A revocation".into(),
        summary: "The chip is known to be weak".into(),
        ..MsgSubmitProposal::default()
    };
    let vote = MsgVote { proposal_id: 1, voter, option: VoteOption::Yes.into(), metadata: String::new() };
    chain.run(vec![signed(1, 0, 5_000_000, vec![gov("MsgSubmitProposal", &proposal)])])?;
    chain.run(vec![signed(1, 1, 5_000_000, vec![gov("MsgVote", &vote)])])?;
    let mut later = chain.propose(Vec::new());
    later.header.time += VOTING + SECOND;
    chain.run_block(later)?;
    chain.run(Vec::new())?;

    let mut attempts = Attempts::default();
    let node: Option<Node> = chain.disk.read(&Leaf::Node(chip.hardware_id().0));
    attempts.also("the validators' decision holds", node.is_some_and(|node| node.revoked && node.share.is_empty()));
    let again = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(&chain));
    let node = admitted(stage, &chain, (2, 1), &again, &chip)?;
    attempts.add("another share", node.is_some_and(|node| !node.share.is_empty()));
    Ok(attempts)
}

/// A chain whose one validator decides proposals, and belongs to user 1.
fn governed() -> Result<Genesis, Failure> {
    let genesis = trusting(Policy::production());
    let member = genesis.validators.iter().next().ok_or("a chain has a validator")?;
    let validator = GenesisValidator {
        operator: account(1),
        key: member.key,
        bond: POWER,
        moniker: "validator".into(),
        commission: Decimal::percent(10),
        max_commission: Decimal::percent(20),
        max_commission_change: Decimal::percent(1),
    };
    let governance = cloister_chain::gov::Params {
        min_deposit: DEPOSIT,
        expedited_min_deposit: 2 * DEPOSIT,
        max_deposit_period: VOTING,
        voting_period: VOTING,
        expedited_voting_period: VOTING / 2,
        ..Default::default()
    };
    let staking = GenesisStaking { params: Params::default(), governance, validators: vec![validator] };
    Ok(Genesis { staking: Some(staking), ..genesis })
}

fn gov(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("/cosmos.gov.v1.{name}"), value: message.encode_to_vec() }
}

fn own_decree(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, chip) = (chain(stage)?, chip(stage));
    let victim = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(&chain));
    chain.run(vec![register(1, 0, &victim)])?;
    let own = B256::new(stage.dice.bytes());
    let lax = serde_json::to_string(&Policy { allow_smt: true, ..Policy::production() })?;
    let (hardware, known) = (chip.hardware_id().0.to_vec(), Measurement::Sgx { enclave: RELEASED }.digest().to_vec());
    let decrees = |authority: &str| {
        let authority = authority.to_owned();
        let release = Release { activation: 10 * DELAY, ..Release::simulated(own) };
        let release = MsgRelease::new(authority.clone(), &release);
        [
            (
                "other rules",
                decree("MsgSetPolicy", &MsgSetPolicy { authority: authority.clone(), policy: lax.clone() }),
            ),
            ("a program of its own", decree("MsgRelease", &release)),
            (
                "no more released programs",
                decree("MsgRetire", &MsgRetire { authority: authority.clone(), measurement: known.clone() }),
            ),
            ("the victim's revocation", decree("MsgRevoke", &MsgRevoke { authority, hardware: hardware.clone() })),
        ]
    };
    let mut attempts = Attempts::default();
    let mut passes = |sequence: u64, message: Any| -> Result<bool, Failure> {
        let outcome = chain.run(vec![signed(2, sequence, 1_000_000, vec![message])])?;
        Ok(outcome.receipts[0].status == Status::Success)
    };
    for (sequence, (what, message)) in (0..).zip(decrees(&bech32(&account(2)))) {
        attempts.add(what, passes(sequence, message)?);
    }
    for (what, message) in decrees(&bech32(&cloister_chain::gov::account())) {
        attempts.also(format!("{what}, in the module's name"), !passes(4, message)?);
    }
    Ok(attempts)
}

fn decree(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("/cloister.trust.v1.{name}"), value: message.encode_to_vec() }
}

const SECOND: u64 = 1_000_000_000;
/// How long a proposal is voted on, in nanoseconds.
const VOTING: u64 = 90 * SECOND;
/// What a proposal takes.
const DEPOSIT: u128 = 1_000_000;
