//! What the host measures: prices and records (M-18, M-19). Nothing is said about times.

use alloy_primitives::{Address, B256, U256};
use cloister_chain::Status;
use cloister_keys::{Keys, Roots, Seed, WritePlace};
use cloister_teeth::Mechanism;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Code, Stage, address, call, keeper};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "gas-oracle",
        rules: "M-19",
        mechanism: Mechanism::FlatPrice,
        story: "The host compares what confidential operations cost on small and on large numbers.",
        attack: prices,
    },
    Scenario {
        name: "record-size",
        rules: "M-18",
        mechanism: Mechanism::Padding,
        story: "The host measures the sealed records of a contract for different secrets.",
        attack: records,
    },
];

const KEEPER: Address = Address::repeat_byte(0xc0);

fn prices(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::with(stage, vec![(KEEPER, Code::keeper(address(1)))])?;
    let mut nonce = 0;
    let mut costs = |chain: &mut Chain, input: Vec<u8>| -> Result<u64, Failure> {
        nonce += 1;
        let receipt = &chain.run(vec![call(2, nonce - 1, KEEPER, input)])?.receipts[0];
        match receipt.status {
            Status::Success => Ok(receipt.gas_used),
            other => Err(format!("the keeper fails: {other:?}").into()),
        }
    };
    let mut measured = Vec::new();
    // The first one fills slots that were empty, which the EVM charges for.
    for number in [1, 0, 7, stage.dice.value()] {
        let public = U256::from(number).to_be_bytes::<32>();
        costs(&mut chain, keeper::input(keeper::SET, &public))?;
        let resealed = costs(&mut chain, keeper::input(keeper::RESEAL, &[]))?;
        let compared = costs(&mut chain, keeper::input(keeper::AT_LEAST, &[]))?;
        measured.push([resealed, compared]);
    }
    let mut attempts = Attempts::default();
    for (at, what) in ["opened and sealed", "opened and decrypted"].into_iter().enumerate() {
        for (one, other) in [(1, 2), (2, 3)] {
            attempts.add(format!("{what}, {one} and {other}"), measured[one][at] != measured[other][at]);
        }
    }
    Ok(attempts)
}

fn records(stage: &mut Stage) -> Result<Attempts, Failure> {
    let keys = Keys::new("test-1", Roots::found("test-1", Seed::from_bytes(stage.dice.bytes())));
    let state = keys.contract_state(address(9));
    let name = state.name(b"vote");
    let place = WritePlace { height: 1, header_hash: B256::new(stage.dice.bytes()), transaction: 0, write: 0 };
    let mut attempts = Attempts::default();
    for (one, other) in [("yes", "no"), ("", "abstain"), ("7", "1000000000")] {
        let [first, second] = [one, other].map(|vote| state.seal(name, &place, vote.as_bytes()));
        attempts.add(format!("{one:?} or {other:?}"), first?.len() != second?.len());
    }
    Ok(attempts)
}
