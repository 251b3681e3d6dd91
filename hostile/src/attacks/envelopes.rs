//! Sealed messages: copied, exchanged, measured, made to speak (R3, M-12, M-14, M-18).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_attest::simulated_authority::{self as authority, Chip};
use cloister_chain::Status;
use cloister_chain::cosmos::sealed::{MsgExecute, MsgExecuteResponse};
use cloister_chain::wire::{Answer, Query};
use cloister_envelope::message::{gcm, siv};
use cloister_envelope::{ExchangeKey, Secret};
use cloister_teeth::Mechanism;

use super::admission::Starting;
use super::founding::founding;
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Counter, Stage, account, execute, genesis, response, signed};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "copied-envelope",
        rules: "R3",
        mechanism: Mechanism::EnvelopeContext,
        story: "The host sends a captured message, nonce and key included, to a contract of its own with the same code.",
        attack: copied,
    },
    Scenario {
        name: "exchanged-outputs",
        rules: "R3 M-34",
        mechanism: Mechanism::OutputPlace,
        story: "A client that sent a message again is shown the output of the first time.",
        attack: exchanged,
    },
    Scenario {
        name: "low-order-key",
        rules: "M-14",
        mechanism: Mechanism::LowOrder,
        story: "The host names a key with which everybody agrees on the same secret.",
        attack: low_order,
    },
    Scenario {
        name: "planted-secret",
        rules: "M-12",
        mechanism: Mechanism::SealedErrors,
        story: "The victim's message fails with its content in the error; the host searches all that leaves the enclave.",
        attack: planted,
    },
    Scenario {
        name: "answer-size",
        rules: "M-18",
        mechanism: Mechanism::Padding,
        story: "The host measures messages, outputs and answers of different secrets.",
        attack: sizes,
    },
];

fn reset(count: u32) -> String {
    format!("{{\"reset\":{{\"count\":{count}}}}}")
}

fn copied(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let secret = stage.dice.value();
    let counter = Counter::start(&mut chain, 1, 1)?;
    let own = counter.another(&mut chain, 2, 0, 2)?;
    let (captured, _) = counter.call(&mut chain, 1, stage.dice.bytes(), &reset(secret))?;
    let stolen = MsgExecute { sender: account(2).to_vec(), contract: own.address.to_vec(), ..captured.clone() };
    chain.run(vec![signed(2, 1, 1_000_000, vec![execute(&stolen)])])?;
    let mut attempts = Attempts::default();
    attempts.add("what it told the victim's contract", own.count(&mut chain, 2)? == secret);
    chain.run(vec![signed(1, 2, 1_000_000, vec![execute(&captured)])])?;
    attempts.also("as it was sealed it opens", counter.count(&mut chain, 1)? == secret);
    Ok(attempts)
}

fn exchanged(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let counter = Counter::start(&mut chain, 1, stage.dice.value())?;
    let (message, keys) = counter.call(&mut chain, 1, stage.dice.bytes(), r#"{"increment":{}}"#)?;
    let mut outputs = Vec::new();
    for sequence in [2, 3] {
        let outcome = chain.run(vec![signed(1, sequence, 1_000_000, vec![execute(&message)])])?;
        let MsgExecuteResponse { output } = response(outcome)?;
        outputs.push((gcm::OutputPlace { transaction: outcome.receipts[0].tx, message: 0, output: 0 }, output));
    }
    let mut attempts = Attempts::default();
    for (what, shown, asked) in [("the first for the second", 0, 1), ("the second for the first", 1, 0)] {
        attempts.add(what, keys.open_output(&outputs[asked].0, &outputs[shown].1).is_ok());
        attempts.also("each is read in its place", keys.open_output(&outputs[shown].0, &outputs[shown].1).is_ok());
    }
    Ok(attempts)
}

fn low_order(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (victim, host) = (stage.dice.bytes(), stage.dice.bytes());
    let (victim, host) = [victim, host].map(|bytes| ExchangeKey::from_secret(Secret::from_bytes(bytes))).into();
    let (secret, nonce) = (stage.dice.bytes::<20>(), stage.dice.bytes());
    let mut attempts = Attempts::default();
    for (what, point) in [("zero", 0), ("one", 1)] {
        let mut named = [0; 32];
        named[0] = point;
        // The victim seals to the key that the host names as the network's.
        let sent = siv::Session::of_client(&victim, &named, nonce).and_then(|session| session.seal_message(&secret));
        let read = sent.ok().and_then(|sent| {
            let nonce = *sent.first_chunk()?;
            let session = siv::Session::of_client(&host, &named, nonce).ok()?;
            session.open(&sent[siv::HEAD_BYTES..]).ok()
        });
        attempts.add(format!("{what}, as the network's key"), read.is_some_and(|read| read.as_slice() == secret));

        // An enclave seals the seed of a new chain to it: a simulated chip vouches for any key.
        let mut other = Starting::new(&mut stage.dice, &Chip::new([2; 16]), authority::program());
        other.boot.kem = named.into();
        let genesis = genesis(1, Vec::new());
        let registration = other.registration(&genesis.chain_id, genesis.time / 1_000_000_000);
        attempts.add(format!("{what}, as an enclave's key"), founding(stage, &registration)?.is_some());
    }
    Ok(attempts)
}

fn planted(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let counter = Counter::start(&mut chain, 1, 1)?;
    let secret = format!("planted{}", stage.dice.next());
    let (message, keys) = counter.call(&mut chain, 1, stage.dice.bytes(), &format!("{{\"{secret}\":{{}}}}"))?;
    let receipt = chain.run(vec![signed(1, 2, 1_000_000, vec![execute(&message)])])?.receipts[0].clone();
    let log = receipt.cosmos.as_ref().map(|result| result.log.clone()).unwrap_or_default();
    let (question, _) = counter.question(&mut chain, 1, stage.dice.bytes())?;
    let asked = format!("{:?}", chain.ask(question)?);
    let left = borsh::to_vec(&chain.outcomes)?;
    let said = chain.enclave.leave()?;

    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    let mut attempts = Attempts::default();
    attempts.add("in receipts and leaves", holds(&left));
    attempts.also("not in an answer", !holds(asked.as_bytes()));
    attempts.also("not on standard error", !holds(said.as_bytes()));
    attempts.also("it failed", receipt.status == Status::Failed);
    let sealed = log.split("encrypted: ").nth(1).and_then(|rest| rest.split(": ").next()).unwrap_or_default();
    let place = gcm::OutputPlace { transaction: receipt.tx, message: 0, output: 0 };
    let read = STANDARD.decode(sealed).ok().and_then(|sealed| keys.open_output(&place, &sealed).ok());
    attempts.also("the victim reads it", read.is_none_or(|text| holds(&text)));
    Ok(attempts)
}

fn sizes(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let counter = Counter::start(&mut chain, 1, 1)?;
    let mut seen = Vec::new();
    for (sequence, count) in [(2, 7), (3, stage.dice.value())] {
        let (message, _) = counter.call(&mut chain, 1, stage.dice.bytes(), &reset(count))?;
        let outcome = chain.run(vec![signed(1, sequence, 1_000_000, vec![execute(&message)])])?;
        let MsgExecuteResponse { output } = response(outcome)?;
        let (question, _) = counter.question(&mut chain, 1, stage.dice.bytes())?;
        let Query::Contract(asked) = &question else { return Err("a question".into()) };
        let question_size = asked.message.len();
        let Answer::Contract { sealed, .. } = chain.ask(question)? else { return Err("no answer".into()) };
        seen.push([message.input.len(), output.len(), sealed.len(), question_size]);
    }
    let mut attempts = Attempts::default();
    for (at, what) in ["the message", "the output", "the answer"].into_iter().enumerate() {
        attempts.add(what, seen[0][at] != seen[1][at]);
    }
    Ok(attempts)
}
