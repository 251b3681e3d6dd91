//! Frames that are too long, too short, or nonsense.

use cloister_chain::wire::{Boot, Query, QueryAt, SealingBytes, ToEnclave, ToHost};
use cloister_chain::{B256, limits};
use cloister_teeth::Mechanism;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Stage, address, genesis, transfer};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "oversize-frame",
    rules: "wire",
    mechanism: Mechanism::FrameBound,
    story: "A frame claims more than any frame may have, on each stream; others end early or mean nothing.",
    attack: oversize,
}];

fn oversize(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut attempts = Attempts::default();
    let bound = u32::try_from(limits::FRAME_BYTES)?;
    // More than a socket holds: what is taken was read.
    let body = vec![stage.dice.bytes::<1>()[0]; 4 << 20];
    for claimed in [bound + 1, u32::MAX] {
        let prefix = claimed.to_le_bytes();
        let mut fresh = stage.enclave()?;
        attempts.add(format!("{claimed} bytes at the start"), fresh.pour(&prefix) && fresh.pour(&body));
        let mut chain = Chain::solo(stage)?;
        attempts.add(format!("{claimed} bytes among blocks"), chain.enclave.pour(&prefix) && chain.enclave.pour(&body));
        let mut chain = Chain::solo(stage)?;
        attempts.add(format!("{claimed} bytes among questions"), chain.enclave.pour_question(&prefix, &body));
    }
    for said in [cut_short(stage)?, cut_short(stage)?, cut_among_blocks(stage)?, cut_among_questions(stage)?] {
        attempts.also(format!("a frame that ends early is no fault: {said}"), !said.contains("fault"));
    }
    attempts.also("nonsense ends the enclave in order", nonsense(stage)?);
    Ok(attempts)
}

/// What the enclave says when the host leaves in the middle of its first frame.
fn cut_short(stage: &mut Stage) -> Result<String, Failure> {
    let sealing_key = SealingBytes([1; 32]);
    let boot = Boot {
        genesis: genesis(1, Vec::new()),
        sealing_key,
        sealed_roots: None,
        checkpoint: None,
        trail: None,
        consensus_key: B256::ZERO,
    };
    let mut enclave = stage.enclave()?;
    enclave.pour(&beginning(stage, &ToEnclave::Boot(boot))?);
    enclave.leave()
}

fn cut_among_blocks(stage: &mut Stage) -> Result<String, Failure> {
    let mut chain = Chain::solo(stage)?;
    let block = chain.decide(chain.propose(vec![transfer(1, 0, address(2), 5)]));
    chain.enclave.pour(&beginning(stage, &ToEnclave::Execute(block))?);
    chain.enclave.leave()
}

fn cut_among_questions(stage: &mut Stage) -> Result<String, Failure> {
    let mut chain = Chain::solo(stage)?;
    let question = ToEnclave::Query(QueryAt { height: None, query: Query::NetworkKeys });
    chain.enclave.pour_question(&[], &beginning(stage, &question)?);
    chain.enclave.leave()
}

/// Some of a frame.
fn beginning(stage: &mut Stage, message: &ToEnclave) -> Result<Vec<u8>, Failure> {
    let body = borsh::to_vec(message)?;
    let mut frame = [&u32::try_from(body.len())?.to_le_bytes(), body.as_slice()].concat();
    frame.truncate(usize::try_from(stage.dice.below(frame.len() as u64))?);
    Ok(frame)
}

/// Whether each of these is answered with a refusal, or with an end.
fn nonsense(stage: &mut Stage) -> Result<bool, Failure> {
    let mut refused = true;
    for length in [0, 1, 7, 64] {
        let body: Vec<u8> = (0..length).map(|_| 0x80 | stage.dice.bytes::<1>()[0]).collect();
        let frame = [&u32::try_from(body.len())?.to_le_bytes(), body.as_slice()].concat();
        let mut chain = Chain::solo(stage)?;
        chain.enclave.pour(&frame);
        refused &= matches!(chain.enclave.hear()?, None | Some(ToHost::Halt(_)));
        refused &= !chain.enclave.leave()?.contains("fault");
    }
    let mut chain = Chain::solo(stage)?;
    chain.enclave.tell(&ToEnclave::Query(QueryAt { height: None, query: Query::NetworkKeys }))?;
    refused &= matches!(chain.enclave.hear()?, Some(ToHost::Halt(_)));
    Ok(refused)
}
