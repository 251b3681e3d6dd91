//! Questions that should not be answered, or answered to nobody but who asks (M-07, M-09 to M-11, M-31).

use alloy_primitives::{Address, Bytes, U256, address as known, hex};
use cloister_chain::Genesis;
use cloister_chain::cosmos::sealed::{Estimate, Output};
use cloister_chain::wire::{Answer, Call, Query};
use cloister_envelope::message::BUCKETS;
use cloister_envelope::{AccountKey, Form, OnboardingKey, Secret};
use cloister_teeth::Mechanism;
use prost::Message as _;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Counter, Dice, Stage, address, execute, genesis, signed};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "simulated-message",
        rules: "M-07",
        mechanism: Mechanism::BlindSimulation,
        story: "The host simulates a transaction that waits, and sees in how it ends what is sealed in it.",
        attack: simulated,
    },
    Scenario {
        name: "replayed-question",
        rules: "R3 M-09",
        mechanism: Mechanism::OutputSalt,
        story: "The host repeats a question that it saw, after the answer has changed, and compares the ciphertexts.",
        attack: replayed,
    },
    Scenario {
        name: "endless-questions",
        rules: "M-10",
        mechanism: Mechanism::QueryCount,
        story: "Cut off from the chain, the host asks a contract again and again, until it has tried what it wanted to.",
        attack: endless,
    },
    Scenario {
        name: "borrowed-permit",
        rules: "M-09",
        mechanism: Mechanism::Permits,
        story: "The host asks with a permit that was given for another contract, and with one that has ended.",
        attack: borrowed,
    },
    Scenario {
        name: "estimate-for-another",
        rules: "M-11",
        mechanism: Mechanism::Permits,
        story: "The host makes up a call in the victim's name, and has it estimated: would it succeed?",
        attack: for_another,
    },
    Scenario {
        name: "stolen-user-key",
        rules: "M-31",
        mechanism: Mechanism::KeyRequest,
        story: "In an unsigned call the host asks for the victim's AES key, encrypted to a key of its own.",
        attack: stolen_key,
    },
    Scenario {
        name: "asked-for-key",
        rules: "D12",
        mechanism: Mechanism::KeyLens,
        story: "On a network the host asks for a user's key as a developer may on a chain of one.",
        attack: asked_for_key,
    },
];

fn simulated(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let counter = Counter::start(&mut chain, 1, stage.dice.value())?;
    let mut gas = |message: &str| -> Result<Option<u64>, Failure> {
        let (message, _) = counter.call(&mut chain, 1, stage.dice.bytes(), message)?;
        let waiting = signed(1, 2, 1_000_000, vec![execute(&message)]);
        Ok(match chain.ask(Query::Simulate(waiting.slice(1..)))? {
            Answer::Simulated(gas) => Some(gas),
            _ => None,
        })
    };
    // The gas of both is of one class (M-19), so only how they end could tell them apart.
    let (one, other) = (gas(r#"{"increment":{}}"#)?, gas(r#"{"fail":{}}"#)?);
    let mut attempts = Attempts::default();
    attempts.add("which of two messages it is", one != other);
    Ok(attempts)
}

fn replayed(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let (before, after) = (stage.dice.value(), stage.dice.value());
    let counter = Counter::start(&mut chain, 1, before)?;
    // The victim asks once. The host happens to know this answer, and keeps question and ciphertext.
    let (question, keys) = counter.question(&mut chain, 1, stage.dice.bytes())?;
    let first = answer(&mut chain, &question)?;
    let known = keys.open_answer(&first)?;
    let mut attempts = Attempts::default();
    attempts.also("the same state gives the same bytes", answer(&mut chain, &question)? == first);
    let (message, _) =
        counter.call(&mut chain, 1, stage.dice.bytes(), &format!("{{\"reset\":{{\"count\":{after}}}}}"))?;
    chain.run(vec![signed(1, 2, 1_000_000, vec![execute(&message)])])?;
    let second = answer(&mut chain, &question)?;

    // One key and one stream for two texts: the one that is known gives the other.
    let padded = BUCKETS.pad(&known).ok_or("it was sealed")?;
    let stream = first[HEAD..].iter().zip(&second[HEAD..]).map(|(one, other)| one ^ other);
    let guessed: Vec<u8> = stream.zip(padded.iter()).map(|(difference, known)| difference ^ known).collect();
    let length = usize::from(*guessed.get(3).ok_or("an answer has a length")?);
    let output = guessed.get(4..4 + length).and_then(|text| Output::decode(text).ok()).unwrap_or_default();
    let read = String::from_utf8_lossy(&output.data).contains(&after.to_string());
    attempts.add("the new count", read);
    attempts.also("the victim reads it", counter.count(&mut chain, 1)? == after);
    Ok(attempts)
}

fn endless(stage: &mut Stage) -> Result<Attempts, Failure> {
    const ALLOWED: u32 = 16;
    let mut chain = Chain::start(stage, Genesis { queries: Some(ALLOWED), ..genesis(1, Vec::new()) }, 1)?;
    let counter = Counter::start(&mut chain, 1, stage.dice.value())?;
    let (question, _) = counter.question(&mut chain, 1, stage.dice.bytes())?;
    let mut answered = 0;
    for _ in 0..10 * ALLOWED {
        answered += u32::from(matches!(chain.ask(question.clone())?, Answer::Contract { .. }));
    }
    let mut attempts = Attempts::default();
    attempts.add("more answers than the chain allows between two blocks", answered > ALLOWED);
    attempts.also("those are answered", answered >= ALLOWED);
    Ok(attempts)
}

fn borrowed(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let counter = Counter::start(&mut chain, 1, stage.dice.value())?;
    let other = counter.another(&mut chain, 2, 0, stage.dice.value())?;
    let (borrowed, _) = counter.question_by_permit_for(&other, &mut chain, 1, stage.dice.bytes())?;
    let last = chain.parent.header.height;
    let (ending, _) = counter.question_until(&mut chain, 1, stage.dice.bytes(), last)?;
    let in_time = matches!(chain.ask(ending.clone())?, Answer::Contract { .. });
    chain.run(Vec::new())?;
    let mut attempts = Attempts::default();
    attempts.also("a permit is good up to its height", in_time);
    for (what, question) in [("for another contract", borrowed), ("that has ended", ending)] {
        attempts.add(what, matches!(chain.ask(question)?, Answer::Contract { .. }));
    }
    Ok(attempts)
}

fn for_another(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let counter = Counter::start(&mut chain, 1, stage.dice.value())?;
    let (victim, host) = (1, 2);
    let mut learn = |reader: u8, message: &str| -> Result<Option<bool>, Failure> {
        let nonce = stage.dice.bytes();
        let (query, keys) = counter.estimate(&mut chain, (victim, reader), nonce, message)?;
        let Answer::SealedEstimate(sealed) = chain.ask(query)? else { return Ok(None) };
        Ok(Some(Estimate::decode(keys.open_answer(&sealed)?.as_slice())?.gas > 0))
    };
    let mut attempts = Attempts::default();
    for (message, succeeds) in [(r#"{"increment":{}}"#, true), (r#"{"fail":{}}"#, false)] {
        attempts.add("what the victim's call would come to", learn(host, message)? == Some(succeeds));
        attempts.also("the victim learns it", learn(victim, message)? == Some(succeeds));
    }
    Ok(attempts)
}

fn answer(chain: &mut Chain, question: &Query) -> Result<Bytes, Failure> {
    match chain.ask(question.clone())? {
        Answer::Contract { sealed, .. } => Ok(sealed),
        other => Err(format!("no answer: {other:?}").into()),
    }
}

fn stolen_key(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let victim = address(1);
    let Answer::UserKey(key) = chain.ask(Query::UserKey(victim))? else { return Err("no umpire".into()) };
    let mut dice = Dice::new(stage.dice.next());
    let own = OnboardingKey::generate(|bytes| bytes.iter_mut().for_each(|byte| *byte = dice.bytes::<1>()[0]));
    let spki = own.spki();
    let host = AccountKey::from_secret(Secret::from_bytes([2; 32]))?;
    let mut attempts = Attempts::default();
    for (what, signature) in [("signed by the host", host.sign(&spki, Form::Raw)), ("signed by nobody", [0; 65])] {
        let request = [signature.as_slice(), &spki].concat();
        let asked = Call { from: victim, to: Some(PRECOMPILE), data: user_key_call(&request), ..Call::default() };
        let stolen = match chain.ask(Query::Call(asked))? {
            // Offset and length, then two shares.
            Answer::Returned { output, .. } if output.len() == 64 + 512 => {
                own.recover(&output[64..320], &output[320..]).ok()
            }
            _ => None,
        };
        attempts.add(what, stolen.is_some_and(|stolen| stolen.expose(|bytes| *bytes == key.0)));
    }
    Ok(attempts)
}

/// `GetUserKey(request)`.
fn user_key_call(request: &[u8]) -> Bytes {
    let word = |number: usize| U256::from(number).to_be_bytes::<32>();
    let mut calldata = hex!("a85f0ca2").to_vec();
    calldata.extend(word(32));
    calldata.extend(word(request.len()));
    calldata.extend(request);
    calldata.resize(4 + 64 + request.len().next_multiple_of(32), 0);
    calldata.into()
}

fn asked_for_key(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::four(stage)?;
    let answer = chain.ask(Query::UserKey(address(1)))?;
    let mut attempts = Attempts::default();
    attempts.add("a user's key", matches!(answer, Answer::UserKey(_)));
    Ok(attempts)
}

const PRECOMPILE: Address = known!("0000000000000000000000000000000000000064");
/// Version and salt.
const HEAD: usize = 17;
