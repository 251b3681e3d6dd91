//! Secrets of Solidity contracts: bisected, forwarded, planted (M-07, M-11, M-32, D1).

use alloy_primitives::{Address, U256, hex};
use cloister_chain::wire::{Answer, Call, Query};
use cloister_chain::{Bytes, Cell, Leaf, Status};
use cloister_envelope::{AccountKey, Form, InputContext, Secret, UserCipher, UserKey};
use cloister_teeth::Mechanism;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Code, Reply, Stage, address, call, create, keeper, signed_by};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "bisection-by-forks",
        rules: "D1 M-01",
        mechanism: Mechanism::Certificate,
        story: "A copy of the enclave runs transactions that nobody ordered, again and again, until a balance is known.",
        attack: bisected_by_forks,
    },
    Scenario {
        name: "bisection-by-estimates",
        rules: "M-11",
        mechanism: Mechanism::BlindEstimates,
        story: "Gas is estimated for a call that fails below a secret number, until the number is known.",
        attack: bisected_by_estimates,
    },
    Scenario {
        name: "call-as-owner",
        rules: "M-07",
        mechanism: Mechanism::BlindCalls,
        story: "An unsigned eth_call claims to come from the owner of a secret.",
        attack: call_as_owner,
    },
    Scenario {
        name: "moved-input-text",
        rules: "M-32",
        mechanism: Mechanism::InputTexts,
        story: "A contract of the host's opens what its visitor once sealed for another contract.",
        attack: moved_input_text,
    },
    Scenario {
        name: "moved-cell",
        rules: "M-32",
        mechanism: Mechanism::AuthenticCells,
        story: "A ciphertext is copied from where its contract keeps it to where the contract shows it.",
        attack: moved_cell,
    },
];

const CONTRACT: Address = Address::repeat_byte(0xc0);

/// A chain on which user 1 keeps a number that nobody else knows, in a contract at the address returned.
pub(super) fn keeper_chain(stage: &mut Stage) -> Result<(Chain, Address, u32), Failure> {
    let secret = stage.dice.value();
    let mut chain = Chain::with(stage, vec![(CONTRACT, Code::keeper(address(1)))])?;
    let calldata = sealed_input(&mut chain, stage, secret)?;
    let receipts = chain.run(vec![call(1, 0, CONTRACT, keeper::input(keeper::KEEP, &calldata))])?.receipts.clone();
    match receipts[0].status {
        Status::Success => Ok((chain, CONTRACT, secret)),
        other => Err(format!("the victim's own input text is refused: {other:?}").into()),
    }
}

/// `ValidateCiphertext` of user 1's input text for [`keeper::KEEP`].
fn sealed_input(chain: &mut Chain, stage: &mut Stage, secret: u32) -> Result<Vec<u8>, Failure> {
    // The chain of one validator shows a key: so the victim has hers, and the story its umpire.
    let Answer::UserKey(key) = chain.ask(Query::UserKey(address(1)))? else { return Err("no user key".into()) };
    let cell = UserCipher::new(&UserKey::from_bytes(key.0)).seal(stage.dice.bytes(), secret.into());
    let context = InputContext { sender: address(1), contract: CONTRACT, selector: [keeper::KEEP, 0, 0, 0] };
    let signer = AccountKey::from_secret(Secret::from_bytes([1; 32]))?;
    let signature = context.sign(cell, &signer, Form::Raw).signature;
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    let mut calldata = hex!("e4f36e1004").to_vec();
    calldata.extend([0; 31]);
    calldata.extend(cell.to_be_bytes::<32>());
    calldata.extend(word(96));
    calldata.extend(word(65));
    calldata.extend(signature);
    calldata.extend([0; 31]);
    Ok(calldata)
}

/// What transaction `index` of an executed block told everybody in its first event.
pub(super) fn told(reply: &Reply, index: usize) -> Option<U256> {
    let Reply::Done(outcome) = reply else { return None };
    outcome.receipts.get(index)?.logs.first().map(|log| U256::from_be_slice(&log.data))
}

/// The largest number below 2^31 for which `holds` is true, if it is true for all below it and never after.
fn bisected(mut holds: impl FnMut(u32) -> Result<Option<bool>, Failure>) -> Result<Option<u32>, Failure> {
    let (mut low, mut high) = (0, 1 << 31);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        match holds(middle)? {
            Some(true) => low = middle,
            Some(false) => high = middle,
            None => return Ok(None),
        }
    }
    Ok(Some(low))
}

fn at_least(number: u32) -> Vec<u8> {
    keeper::input(keeper::AT_LEAST, &U256::from(number).to_be_bytes::<32>())
}

fn bisected_by_forks(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (chain, contract, secret) = keeper_chain(stage)?;
    let found = bisected(|guess| {
        let block = signed_by(&[], chain.propose(vec![call(2, 0, contract, at_least(guess))]));
        Ok(match chain.offer(stage, &block)? {
            Reply::Done(outcome) => Some(outcome.receipts[0].status == Status::Success),
            _ => None,
        })
    })?;
    let mut attempts = Attempts::default();
    attempts.add("the number", found == Some(secret));
    Ok(attempts)
}

fn bisected_by_estimates(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, contract, secret) = keeper_chain(stage)?;
    let found = bisected(|guess| {
        let asked = Call { from: address(2), to: Some(contract), data: at_least(guess).into(), ..Call::default() };
        Ok(Some(matches!(chain.ask(Query::Estimate(asked))?, Answer::Estimated(_))))
    })?;
    let mut attempts = Attempts::default();
    attempts.add("the number", found == Some(secret));
    Ok(attempts)
}

fn call_as_owner(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, contract, secret) = keeper_chain(stage)?;
    let data: Bytes = keeper::input(keeper::REVEAL, &[]).into();
    let asked = Call { from: address(1), to: Some(contract), data, ..Call::default() };
    let answer = chain.ask(Query::Call(asked))?;
    let mut attempts = Attempts::default();
    let told = matches!(&answer, Answer::Returned { output, .. } if U256::from_be_slice(output) == U256::from(secret));
    attempts.add("what its owner may ask", told);
    let receipt = chain.run(vec![call(1, 1, contract, keeper::input(keeper::REVEAL, &[]))])?.receipts[0].clone();
    attempts.also("the owner herself is told, in a block", receipt.status == Status::Success);
    Ok(attempts)
}

fn moved_input_text(stage: &mut Stage) -> Result<Attempts, Failure> {
    let secret = stage.dice.value();
    let mut chain = Chain::with(stage, vec![(CONTRACT, Code::keeper(address(1)))])?;
    let captured = sealed_input(&mut chain, stage, secret)?;
    chain.run(vec![call(1, 0, CONTRACT, keeper::input(keeper::KEEP, &captured))])?;
    // The host deploys a contract that uses the captured bytes, and has the victim visit it.
    let trap = chain.run(vec![create(2, 0, Code::init(&Code::airdrop(&captured)))])?.receipts[0].contract;
    let trap = trap.ok_or("the trap is not deployed")?;
    let block = chain.decide(chain.propose(vec![call(1, 1, trap, Bytes::new())]));
    let reply = chain.offer(stage, &block)?;
    let mut attempts = Attempts::default();
    attempts.add("what was sealed for another contract", told(&reply, 0) == Some(U256::from(secret)));
    Ok(attempts)
}

fn moved_cell(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, contract, secret) = keeper_chain(stage)?;
    let kept = Leaf::Storage(contract, U256::from(keeper::SECRET).into());
    let Cell { word, .. } = chain.disk.read(&kept).ok_or("storage is public")?;
    chain.run(vec![call(2, 0, contract, keeper::input(keeper::PLANT, &word.to_be_bytes::<32>()))])?;
    let block = chain.decide(chain.propose(vec![call(2, 1, contract, keeper::input(keeper::HARVEST, &[]))]));
    let reply = chain.offer(stage, &block)?;
    let mut attempts = Attempts::default();
    attempts.add("a copied ciphertext", told(&reply, 0) == Some(U256::from(secret)));
    Ok(attempts)
}
