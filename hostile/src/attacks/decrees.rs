//! Whom a chain does not want, and who says so (M-23, M-24, M-29).

use alloy_primitives::B256;
use cloister_attest::{Family, Measurement, Policy};
use cloister_chain::Status;
use cloister_chain::cosmos::bech32;
use cloister_chain::cosmos::trust::{MsgRelease, MsgRetire, MsgRevoke, MsgSetPolicy};
use cloister_chain::trust::Release;
use cloister_teeth::Mechanism;
use prost::Message;
use secret_sdk_proto::Any;

use super::admission::{DELAY, RELEASED, Starting, admitted, chain, chain_with, chip, now, register};
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Stage, account, signed};

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
