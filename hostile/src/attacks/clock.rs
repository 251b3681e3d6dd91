//! The clock of the machine, which belongs to the host (M-08).

use cloister_attest::simulated_authority::Chip;
use cloister_chain::wire::Execute;
use cloister_chain::{Leaf, Outcome};
use cloister_teeth::Mechanism;

use super::admission::{self, RELEASED, Starting, register};
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Clock, Stage, is_deceived};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "wrong-clock",
    rules: "M-08 M-24",
    mechanism: Mechanism::EvidenceTime,
    story: "The host turns its enclave's clock, by ten years or to when a piece of evidence was still fresh.",
    attack: wrong_clock,
}];

fn wrong_clock(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = admission::chain(stage)?;
    let then = chain.parent.header.seconds();
    let chips = [Chip::new(stage.dice.bytes()), Chip::new(stage.dice.bytes())];
    let [early, late] = chips.each_ref().map(|chip| Starting::new(&mut stage.dice, chip, RELEASED));
    let [early, late] = [early, late].map(|starting| starting.registration("test-1", then));
    // Two blocks: one in which evidence is as fresh as it can be, and one in which the same has expired.
    let fresh = chain.decide(chain.propose(vec![register(1, 0, &early)]));
    let first = offered(stage, &chain, &fresh, None)?;
    let clocks =
        [("ten years on", Clock(TEN_YEARS)), ("ten years back", Clock(-TEN_YEARS)), ("then", Clock::at(then)?)];
    let mut attempts = Attempts::default();
    attempts.also("fresh evidence is admitted", admits(&first, &chips[0]));
    for (what, clock) in clocks {
        let same = offered(stage, &chain, &fresh, Some(clock))? == first;
        attempts.also(format!("{what}: fresh evidence is as fresh as under the right clock"), same);
    }
    let mut later = chain.propose(Vec::new());
    later.header.time += (60 + stage.dice.below(1_000)) * 86_400_000_000_000;
    chain.run_block(later)?;
    let expired = chain.decide(chain.propose(vec![register(2, 0, &late)]));
    let second = offered(stage, &chain, &expired, None)?;
    for (what, clock) in clocks {
        let outcome = offered(stage, &chain, &expired, Some(clock))?;
        attempts.add(format!("{what}: expired evidence"), admits(&outcome, &chips[1]));
        attempts.also(format!("{what}: the same as under the right clock"), outcome == second);
    }
    Ok(attempts)
}

/// What a block comes to at the tip, on a machine with that clock.
fn offered(stage: &Stage, chain: &Chain, block: &Execute, clock: Option<Clock>) -> Result<Outcome, Failure> {
    let mut enclave = match clock {
        Some(clock) => stage.enclave_under(clock)?,
        None => stage.enclave()?,
    };
    let ready = enclave.resume(&chain.genesis, &chain.disk)?;
    if clock.is_some() && is_deceived(enclave.id()) == Some(false) {
        return Err("the enclave sees the right clock".into());
    }
    match ready {
        true => enclave.execute(block, &chain.disk)?.outcome(),
        false => Err("an enclave does not start under another clock".into()),
    }
}

fn admits(outcome: &Outcome, chip: &Chip) -> bool {
    let leaf = Leaf::Node(chip.hardware_id().0);
    outcome.writes.iter().any(|(written, value)| *written == leaf && value.is_some())
}

const TEN_YEARS: i64 = 315_360_000;
