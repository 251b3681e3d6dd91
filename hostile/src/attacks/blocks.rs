//! Decided blocks, but not as they were decided, not in their order, or not once (G4).

use alloy_consensus::TxEnvelope;
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Bytes, Signature, U256, uint};
use cloister_chain::{Account, Leaf, Status};
use cloister_teeth::Mechanism;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Stage, address, next_of, transfer};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "altered-block",
        rules: "M-01",
        mechanism: Mechanism::DataHash,
        story: "The host leaves out, reorders, repeats or adds transactions of a decided block.",
        attack: altered,
    },
    Scenario {
        name: "duplicated-block",
        rules: "G4",
        mechanism: Mechanism::Succession,
        story: "A decided block is executed a second time.",
        attack: duplicated,
    },
    Scenario {
        name: "skipped-height",
        rules: "M-01 G4",
        mechanism: Mechanism::Succession,
        story: "The host withholds a decided block and goes on with the next one.",
        attack: skipped,
    },
    Scenario {
        name: "fork",
        rules: "G4",
        mechanism: Mechanism::Succession,
        story: "The validators themselves decide two blocks for one height: an enclave executes one.",
        attack: fork,
    },
    Scenario {
        name: "clock-jump",
        rules: "M-08",
        mechanism: Mechanism::Time,
        story: "The validators' clock jumps back, so that what has ended begins again.",
        attack: clock_jump,
    },
    Scenario {
        name: "replayed-transaction",
        rules: "G4",
        mechanism: Mechanism::Sequence,
        story: "The proposer puts a payment that was made into a block once more.",
        attack: replayed,
    },
    Scenario {
        name: "twin-signature",
        rules: "M-01",
        mechanism: Mechanism::LowS,
        story: "The host gives a payment another signature that verifies too, so that its sender never finds it.",
        attack: twin,
    },
];

fn altered(stage: &mut Stage) -> Result<Attempts, Failure> {
    let chain = Chain::four(stage)?;
    let txs: Vec<Bytes> = (0..3).map(|nonce| transfer(1, nonce, address(2), nonce + 1)).collect();
    let honest = chain.decide(chain.propose(txs.clone()));
    let chosen = usize::try_from(stage.dice.below(3))?;
    let mut attempts = Attempts::default();
    type Change = fn(&mut Vec<Bytes>, usize);
    let changes: [(&str, Change); 4] = [
        ("one left out", |txs, chosen| drop(txs.remove(chosen))),
        ("two exchanged", |txs, chosen| txs.swap(chosen, (chosen + 1) % 3)),
        ("one repeated", |txs, chosen| txs.push(txs[chosen].clone())),
        ("one added", |txs, chosen| txs.insert(chosen, transfer(2, 0, address(1), 7))),
    ];
    for (what, change) in changes {
        let mut block = chain.decide(honest.block.clone());
        change(&mut block.block.txs, chosen);
        attempts.add(what, chain.offer(stage, &block)?.is_done());
    }
    attempts.also("the block as it was decided is executed", chain.offer(stage, &honest)?.is_done());
    Ok(attempts)
}

fn duplicated(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::four(stage)?;
    chain.run(Vec::new())?;
    chain.run(vec![transfer(1, 0, address(2), 5)])?;
    let mut attempts = Attempts::default();
    for height in [1, 2] {
        let reply = chain.offer(stage, &chain.decided[height - 1])?;
        attempts.add(format!("block {height} again"), reply.is_done());
    }
    Ok(attempts)
}

fn skipped(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::four(stage)?;
    chain.run(Vec::new())?;
    let before = chain.disk.clone();
    // What the victim paid away never happens where block 2 is left out.
    chain.run(vec![transfer(1, 0, address(2), 5)])?;
    chain.run(Vec::new())?;
    chain.run(Vec::new())?;
    let mut attempts = Attempts::default();
    for height in [3, 4] {
        let reply = chain.another(stage, &before)?.execute(&chain.decided[height - 1], &before)?;
        attempts.add(format!("block {height} on top of block 1"), reply.is_done());
    }
    Ok(attempts)
}

fn fork(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    chain.run(Vec::new())?;
    let below = chain.parent.clone();
    chain.run(vec![transfer(1, 0, address(2), 5)])?;
    let rival = chain.decide(next_of(&below, vec![transfer(1, 0, address(1), 5)]));
    let mut attempts = Attempts::default();
    attempts.add("the rival after the block", chain.offer(stage, &rival)?.is_done());
    let above = chain.parent.then(rival.block.header.clone(), rival.certificate.clone(), &chain.outcomes[2]);
    let above = chain.decide(next_of(&above, Vec::new()));
    attempts.add("a block above the rival", chain.offer(stage, &above)?.is_done());
    Ok(attempts)
}

fn clock_jump(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    chain.run(Vec::new())?;
    let now = chain.parent.header.time;
    let mut attempts = Attempts::default();
    for (what, time) in [("it stands still", now), ("ten years back", now - 315_360_000_000_000_000), ("to zero", 0)] {
        let mut block = chain.propose(vec![transfer(1, 0, address(2), 5)]);
        block.header.time = time;
        attempts.add(what, chain.offer(stage, &chain.decide(block))?.is_done());
    }
    Ok(attempts)
}

fn replayed(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let payment = transfer(1, 0, address(9), 5 + stage.dice.below(1_000));
    chain.run(vec![payment.clone()])?;
    let held = |chain: &Chain| chain.disk.read::<Account>(&Leaf::Account(address(9))).unwrap_or_default().balance;
    let once = held(&chain);
    let receipts = chain.run(vec![payment.clone(), payment])?.receipts.clone();
    let mut attempts = Attempts::default();
    attempts.add("in a later block", receipts[0].status == Status::Success && held(&chain) != once);
    attempts.add("twice in a block", receipts[1].status == Status::Success && held(&chain) != once);
    Ok(attempts)
}

fn twin(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let payment = transfer(1, 0, address(9), 5 + stage.dice.below(1_000));
    let TxEnvelope::Eip1559(signed) = TxEnvelope::decode_2718(&mut &payment[1..])? else {
        return Err("a payment has type 2".into());
    };
    let signature = signed.signature();
    let other = Signature::new(signature.r(), GROUP_ORDER - signature.s(), !signature.v());
    let twin = TxEnvelope::Eip1559(alloy_consensus::Signed::new_unhashed(signed.tx().clone(), other));
    let bytes = [&[1], twin.encoded_2718().as_slice()].concat();
    let receipt = chain.run(vec![bytes.into()])?.receipts[0].clone();
    let mut attempts = Attempts::default();
    let unknown = receipt.tx != *signed.hash();
    attempts.add("the payment under another hash", receipt.status == Status::Success && unknown);
    Ok(attempts)
}

/// Of secp256k1 (SEC 2).
const GROUP_ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
