//! Programs that the validators release although nobody, or not enough people, rebuilt them (M-28).

use alloy_primitives::B256;
use cloister_attest::simulated_authority::Chip;
use cloister_attest::{Measurement, Policy};
use cloister_chain::cosmos::bech32;
use cloister_chain::cosmos::trust::MsgRelease;
use cloister_chain::staking::{Decimal, GenesisStaking, GenesisValidator, POWER, Params};
use cloister_chain::trust::{Build, Rebuilders, Rebuilt, Release, Trust};
use cloister_chain::{Genesis, gov};
use cloister_teeth::Mechanism;
use ed25519_zebra::{SigningKey, VerificationKey};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::gov::v1::{MsgSubmitProposal, MsgVote, VoteOption};

use super::admission::{Starting, admitted, now};
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Stage, account, genesis, key, signed};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "under-rebuilt-program",
    rules: "M-28",
    mechanism: Mechanism::Rebuilds,
    story: "The validators release programs for which too few rebuilders vouch, and machines that run them ask for the seed.",
    attack: under_rebuilt,
}];

fn under_rebuilt(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, [first, second]) = governed(stage)?;
    let stranger = SigningKey::from(stage.dice.bytes::<32>());
    let builds: [Build; 6] = std::array::from_fn(|_| build(B256::new(stage.dice.bytes())));
    let by = |key: &SigningKey, build: &Build, chain_id: &str| Rebuilt::sign(key, build, chain_id);
    let [nobody, one, twice, foreign, elsewhere, whole] = &builds;
    let plans = [
        ("nobody", nobody, vec![]),
        ("one", one, vec![by(&first, one, "test-1")?]),
        ("one, twice", twice, vec![by(&first, twice, "test-1")?; 2]),
        ("one and a stranger", foreign, vec![by(&first, foreign, "test-1")?, by(&stranger, foreign, "test-1")?]),
        (
            "one, and one on another chain",
            elsewhere,
            vec![by(&first, elsewhere, "test-1")?, by(&second, elsewhere, "test-2")?],
        ),
        (HONEST, whole, vec![by(&first, whole, "test-1")?, by(&second, whole, "test-1")?]),
    ];
    release(&mut chain, plans.iter().map(|(_, build, rebuilt)| ((*build).clone(), rebuilt.clone())).collect())?;

    let mut attempts = Attempts::default();
    for (who, build, _) in plans {
        let chip = Chip::new(stage.dice.bytes());
        let starting = Starting::new(&mut stage.dice, &chip, program(build));
        let registration = starting.registration("test-1", now(&chain));
        let node = admitted(stage, &chain, (2, 0), &registration, &chip)?;
        let opens = node.is_some_and(|node| starting.opens(&chain, &registration, &node));
        match who {
            HONEST => attempts.also("what two rebuilt is admitted", opens),
            _ => attempts.add(format!("rebuilt by {who}"), opens),
        }
    }
    Ok(attempts)
}

/// A chain on which user 1, alone, governs, and two people rebuild each program.
fn governed(stage: &mut Stage) -> Result<(Chain, [SigningKey; 2]), Failure> {
    let rebuilders: [SigningKey; 2] = std::array::from_fn(|_| SigningKey::from(stage.dice.bytes::<32>()));
    let mut keys: Vec<B256> = rebuilders.iter().map(public).collect();
    keys.sort_unstable();
    let rebuilders_list = Rebuilders { keys, threshold: 2 };
    let trust = Trust { policy: Policy::production(), delay: 1, rebuilders: rebuilders_list, ..Trust::default() };
    let validator = GenesisValidator {
        operator: account(1),
        key: public(&key(1)),
        bond: POWER,
        moniker: "the only one".into(),
        commission: Decimal::percent(10),
        max_commission: Decimal::percent(20),
        max_commission_change: Decimal::percent(1),
    };
    let governance = gov::Params {
        min_deposit: DEPOSIT,
        expedited_min_deposit: 2 * DEPOSIT,
        voting_period: VOTING,
        expedited_voting_period: VOTING / 2,
        ..gov::Params::default()
    };
    let staking = GenesisStaking { params: Params::default(), governance, validators: vec![validator] };
    let validators = staking.set()?;
    let genesis = Genesis { trust: Some(trust), staking: Some(staking), validators, ..genesis(1, Vec::new()) };
    Ok((Chain::start(stage, genesis, 1)?, rebuilders))
}

/// User 1 proposes each release, votes for it, and waits until it is active.
fn release(chain: &mut Chain, releases: Vec<(Build, Vec<Rebuilt>)>) -> Result<(), Failure> {
    let activation = ACTIVATION;
    let proposal = |(build, rebuilt)| {
        let release = Release { build, activation, rebuilt };
        let message = MsgRelease::new(bech32(&gov::account()), &release);
        let messages = vec![Any { type_url: "/cloister.trust.v1.MsgRelease".into(), value: message.encode_to_vec() }];
        let deposit = Coin { denom: "uscrt".into(), amount: DEPOSIT.to_string() };
        let proposal = MsgSubmitProposal {
            messages,
            initial_deposit: vec![deposit],
            proposer: bech32(&account(1)),
            title: "A release".into(),
            summary: "Trust us".into(),
            ..MsgSubmitProposal::default()
        };
        Any { type_url: "/cosmos.gov.v1.MsgSubmitProposal".into(), value: proposal.encode_to_vec() }
    };
    let proposals: Vec<Any> = releases.into_iter().map(proposal).collect();
    let vote = |proposal_id: u64| {
        let (voter, option, metadata) = (bech32(&account(1)), VoteOption::Yes.into(), String::new());
        let vote = MsgVote { proposal_id, voter, option, metadata };
        Any { type_url: "/cosmos.gov.v1.MsgVote".into(), value: vote.encode_to_vec() }
    };
    let votes = (1..=proposals.len() as u64).map(vote).collect();
    succeeded(chain, signed(1, 0, 20_000_000, proposals))?;
    succeeded(chain, signed(1, 1, 20_000_000, votes))?;
    let mut end = chain.propose(Vec::new());
    end.header.time += VOTING;
    chain.run_block(end)?;
    while chain.parent.header.height < ACTIVATION {
        chain.run(Vec::new())?;
    }
    Ok(())
}

fn succeeded(chain: &mut Chain, tx: cloister_chain::Bytes) -> Result<(), Failure> {
    let receipt = chain.run(vec![tx])?.receipts.first().cloned().ok_or("an empty block")?;
    match receipt.cosmos.filter(|result| result.code != 0) {
        Some(result) => Err(format!("an honest transaction failed: {}", result.log).into()),
        None => Ok(()),
    }
}

fn build(program: B256) -> Build {
    let measurement = Measurement::Sgx { enclave: program }.digest();
    // The kit needs the program again: it stands where a source would.
    Build { measurement, source: program, toolchain: "rustc".into(), ..Build::default() }
}

fn program(build: &Build) -> B256 {
    build.source
}

fn public(key: &SigningKey) -> B256 {
    B256::new(VerificationKey::from(key).into())
}

/// Who has to have rebuilt a program on this chain.
const HONEST: &str = "two";
/// In coins of the micro-denomination.
const DEPOSIT: u128 = 1_000;
/// In nanoseconds.
const VOTING: u64 = 60_000_000_000;
/// The height from which all releases are active.
const ACTIVATION: u64 = 12;
