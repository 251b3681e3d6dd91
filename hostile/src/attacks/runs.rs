//! Starts that the chain did not see, and two runs of one machine (M-04, M-06).

use alloy_primitives::B256;
use cloister_attest::simulated_authority::{self as authority, Bulletin, Chip};
use cloister_attest::{Evidence, Measurement, Policy};
use cloister_chain::trust::{Node, Registration, Release, Trust};
use cloister_chain::wire::{Answer, Enrolled, Query};
use cloister_chain::{Epochs, Genesis, Leaf};
use cloister_teeth::Mechanism;

use super::admission::{Starting, now, register};
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Counter, Disk, Enclave, Stage, genesis};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "unseen-start",
        rules: "M-04 M-10",
        mechanism: Mechanism::SeenStart,
        story: "Cut off from the chain, the host starts the enclave again and again from one state, and asks whatever each start allows.",
        attack: unseen,
    },
    Scenario {
        name: "cloned-machine",
        rules: "M-06",
        mechanism: Mechanism::OneRun,
        story: "Two enclaves run on one chip: the host has both registered, and wants answers from each and the seed for the later.",
        attack: cloned,
    },
];

const ALLOWED: u32 = 4;

/// A chain that counts questions and admits the program that runs here.
fn chain(stage: &Stage) -> Result<Chain, Failure> {
    let measurement = Measurement::Sgx { enclave: authority::program() }.digest();
    let releases = vec![Release::simulated(measurement)];
    let trust = Some(Trust { policy: Policy::production(), releases, delay: 20, ..Trust::default() });
    let epochs = Some(Epochs { length: 3_600_000_000_000, grace: 1_000_000_000, sweep: 16 });
    Chain::start(stage, Genesis { trust, epochs, queries: Some(ALLOWED), ..genesis(1, Vec::new()) }, 1)
}

/// What an enclave that was started registers with.
fn registration(chain: &Chain, enclave: &Enclave) -> Result<Registration, Failure> {
    let Enrolled { boot, statement } = enclave.run.clone().ok_or("it introduced itself")?;
    let collateral = authority::collateral(&Bulletin::new(now(chain)));
    Ok(Registration { consensus_key: B256::ZERO, boot, evidence: Evidence { statement, collateral } })
}

/// How many of twice as many questions as are allowed an enclave answers.
fn answers(enclave: &mut Enclave, question: &Query, disk: &Disk) -> Result<u32, Failure> {
    let mut answered = 0;
    for _ in 0..2 * ALLOWED {
        answered += u32::from(matches!(enclave.ask(question.clone(), disk)?, Answer::Contract { .. }));
    }
    Ok(answered)
}

fn unseen(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = chain(stage)?;
    let counter = Counter::start(&mut chain, 1, stage.dice.value())?;
    let (question, _) = counter.question(&mut chain, 1, stage.dice.bytes())?;
    let own = registration(&chain, &chain.enclave)?;
    chain.run(vec![register(2, 0, &own)])?;
    let disk = chain.disk.clone();
    let mut attempts = Attempts::default();
    attempts.also("the run that the chain saw answers", answers(&mut chain.enclave, &question, &disk)? == ALLOWED);
    for start in 1..=2 {
        let answered = answers(&mut chain.another(stage, &disk)?, &question, &disk)?;
        attempts.add(format!("as many answers again, from start {start}"), answered == ALLOWED);
    }
    Ok(attempts)
}

fn cloned(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = chain(stage)?;
    let counter = Counter::start(&mut chain, 1, stage.dice.value())?;
    let (question, _) = counter.question(&mut chain, 1, stage.dice.bytes())?;
    let first = registration(&chain, &chain.enclave)?;
    chain.run(vec![register(2, 0, &first)])?;
    let clone = chain.another(stage, &chain.disk)?;
    chain.run(vec![register(2, 1, &registration(&chain, &clone)?)])?;
    let disk = chain.disk.clone();
    let mut attempts = Attempts::default();
    let older = answers(&mut chain.enclave, &question, &disk)?;
    attempts.add("answers of the older run, beside the later one's", older == ALLOWED);

    // The owner of a broken machine states of it whatever he likes, and has the keys.
    let chip = Chip::new(stage.dice.bytes());
    let mut opened = |sequence: u64| -> Result<bool, Failure> {
        let run = Starting::new(&mut stage.dice, &chip, authority::program());
        let registration = run.registration("test-1", now(&chain));
        chain.run(vec![register(1, sequence, &registration)])?;
        let node: Node = chain.disk.read(&Leaf::Node(chip.hardware_id().0)).ok_or("it was admitted")?;
        Ok(run.key.open("test-1", &chain.genesis.hash(), &registration.id(), &node.share).is_ok())
    };
    attempts.also("the first run of a machine gets the seed", opened(2)?);
    attempts.add("the seed for another run in the same epoch", opened(3)?);
    Ok(attempts)
}
