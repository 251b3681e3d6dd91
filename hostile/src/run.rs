//! Attack after attack, and a line for each.

use std::process::ExitCode;

use cloister_teeth::Mechanism;
use serde_json::json;

use crate::args::Args;
use crate::scenario::{Attempts, Scenario};
use crate::stage::Stage;

pub(crate) fn run(args: &Args) -> ExitCode {
    if args.list {
        args.chosen.iter().for_each(|scenario| list(scenario, args.json));
        return ExitCode::SUCCESS;
    }
    let mut all = true;
    for seed in args.seed..args.seed.saturating_add(args.seeds) {
        for scenario in &args.chosen {
            let defended = verdict(attack(scenario, seed, None), Attempts::broken);
            let bites =
                args.teeth.then(|| verdict(attack(scenario, seed, Some(scenario.mechanism)), Attempts::toothless));
            all &= defended.is_ok() && !matches!(bites, Some(Err(_)));
            print(scenario, seed, &defended, bites.as_ref(), args.json);
        }
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Nothing to complain of, or what.
type Verdict = Result<(), String>;

fn attack(scenario: &Scenario, seed: u64, without: Option<Mechanism>) -> Result<Attempts, crate::Failure> {
    let mut stage = Stage::new(seed, without);
    let attempts = (scenario.attack)(&mut stage);
    stage.close();
    attempts
}

fn verdict(attempts: Result<Attempts, crate::Failure>, complaints: fn(&Attempts) -> Vec<&str>) -> Verdict {
    let attempts = attempts.map_err(|failure| format!("the story breaks off: {failure}"))?;
    if attempts.is_empty() {
        return Err("nothing was tried".into());
    }
    match complaints(&attempts).as_slice() {
        [] => Ok(()),
        some => Err(some.join("; ")),
    }
}

fn print(scenario: &Scenario, seed: u64, defended: &Verdict, bites: Option<&Verdict>, json: bool) {
    let name = scenario.name;
    if json {
        let complaints: Vec<_> =
            [Some(defended), bites].into_iter().flatten().filter_map(|it| it.as_ref().err()).collect();
        let line = json!({
            "name": name,
            "seed": seed,
            "rules": scenario.rules,
            "mechanism": scenario.mechanism.word(),
            "defended": defended.is_ok(),
            "teeth": bites.map(Result::is_ok),
            "complaints": complaints,
        });
        println!("{line}");
        return;
    }
    let first = match defended {
        Ok(()) => "defended".to_owned(),
        Err(why) => format!("BROKEN: {why}"),
    };
    let second = match bites {
        None => String::new(),
        Some(Ok(())) => format!(", and succeeds without {}", scenario.mechanism.word()),
        Some(Err(why)) => format!(", TOOTHLESS without {}: {why}", scenario.mechanism.word()),
    };
    println!("{name:<28} {first}{second}");
}

fn list(scenario: &Scenario, json: bool) {
    let Scenario { name, rules, mechanism, story, .. } = scenario;
    if json {
        println!("{}", json!({ "name": name, "rules": rules, "mechanism": mechanism.word(), "story": story }));
    } else {
        println!("{name:<28} {rules:<12} {story}");
    }
}
