//! A production enclave, started as it is on whatever machine this is (V-40, V-41).
//!
//! Where there is no processor that vouches for programs, it can do nothing, and has to say so in words for its operator. Where there
//! is one, a chain that promises hardware begins, and shows nobody a key.

use std::path::Path;
use std::process::{Command, ExitCode};

use cloister_chain::B256;
use cloister_chain::wire::{self, Answer, Boot, Enrol, Halt, Query, QueryAt, SealingBytes, ToEnclave, ToHost};

use crate::Failure;
use crate::scenario::Attempts;
use crate::stage::{Enclave, address, genesis};

/// One line for each thing that it has to refuse.
pub(crate) fn run(program: &Path) -> ExitCode {
    type Check = fn(&Path) -> Result<Attempts, Failure>;
    let checks: [(&str, Check); 3] = [
        ("simulated-genesis", v41_a_simulated_genesis_is_refused_in_words),
        ("machine-without-processor", v41_without_a_processor_it_says_so_and_ends),
        ("development-key", v40_no_key_is_ever_shown),
    ];
    let mut all = true;
    for (name, check) in checks {
        let verdict = match check(program) {
            Ok(attempts) => attempts.broken().join("; "),
            Err(failure) => format!("the story breaks off: {failure}"),
        };
        all &= verdict.is_empty();
        println!("{name:<28} {}", if verdict.is_empty() { "refused".into() } else { format!("BROKEN: {verdict}") });
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn v41_a_simulated_genesis_is_refused_in_words(program: &Path) -> Result<Attempts, Failure> {
    let (heard, said) = told(program, boot(true))?;
    let mut attempts = Attempts::default();
    attempts.add("a simulated chain begins", matches!(heard, Some(ToHost::Booted(_))));
    attempts.also("it halts over the genesis", matches!(heard, Some(ToHost::Halt(Halt::Genesis))));
    attempts.also(format!("it says why, without a fault: {said}"), said.contains("the genesis says SIMULATED"));
    Ok(attempts)
}

fn v41_without_a_processor_it_says_so_and_ends(program: &Path) -> Result<Attempts, Failure> {
    let enrol = Enrol { chain_id: "test-1".into(), sealing_key: SealingBytes([1; 32]), consensus_key: B256::ZERO };
    let mut attempts = Attempts::default();
    for message in [boot(false), ToEnclave::Enrol(enrol)] {
        let (heard, said) = told(program, message)?;
        // On a processor that vouches for it, it goes on.
        let alive = matches!(heard, Some(ToHost::Booted(_) | ToHost::Enrolled(_)));
        let halts = matches!(heard, Some(ToHost::Halt(Halt::Genesis)));
        attempts.also(format!("it halts: {heard:?}"), alive || halts);
        let words =
            ["this machine offers no evidence", "no processor is behind it", "gives the program no key to seal to"];
        let clear = words.iter().any(|word| said.contains(word));
        attempts.also(format!("it says what is missing, without a fault: {said}"), alive || clear);
    }
    Ok(attempts)
}

fn v40_no_key_is_ever_shown(program: &Path) -> Result<Attempts, Failure> {
    let mut attempts = Attempts::default();
    for simulated in [true, false] {
        let mut enclave = Enclave::spawn(Command::new(program).env_clear())?;
        let question = QueryAt { height: None, query: Query::UserKey(address(1)) };
        enclave.tell(&boot(simulated))?;
        enclave.hear()?;
        // One that has ended hears nothing and says nothing.
        let asked = wire::send(&mut enclave.query, &ToEnclave::Query(question)).is_ok();
        let answer = asked.then(|| wire::receive::<ToHost>(&mut enclave.query).ok()).flatten();
        let shown = matches!(answer, Some(ToHost::Answer(Answer::UserKey(_))));
        attempts.add(format!("the AES key of an account, simulated: {simulated}"), shown);
    }
    Ok(attempts)
}

/// What the program answers to its first message, and what it says to its operator: in order, or that is what it says.
fn told(program: &Path, message: ToEnclave) -> Result<(Option<ToHost>, String), Failure> {
    let mut enclave = Enclave::spawn(Command::new(program).env_clear())?;
    enclave.tell(&message)?;
    let heard = enclave.hear()?;
    let (said, status) = enclave.end()?;
    let in_order = status.code().is_some_and(|code| code < 2) && !said.contains("fault at");
    Ok((heard, if in_order { said } else { format!("it ended with {status}") }))
}

fn boot(simulated: bool) -> ToEnclave {
    let genesis = genesis(1, Vec::new());
    let genesis = if simulated { genesis } else { genesis.on_hardware() };
    let sealing_key = SealingBytes([1; 32]);
    ToEnclave::Boot(Boot {
        genesis,
        sealing_key,
        sealed_roots: None,
        checkpoint: None,
        trail: None,
        consensus_key: B256::ZERO,
    })
}
