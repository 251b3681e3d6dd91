//! The command line.

use std::path::PathBuf;

use crate::Failure;
use crate::attacks;
use crate::scenario::Scenario;

/// What is asked for.
pub(crate) struct Args {
    pub(crate) seed: u64,
    pub(crate) seeds: u64,
    pub(crate) json: bool,
    pub(crate) list: bool,
    pub(crate) teeth: bool,
    /// A production enclave to be tried, instead of attacks.
    pub(crate) production: Option<PathBuf>,
    pub(crate) chosen: Vec<&'static Scenario>,
}

const USAGE: &str = "\
Usage: cloister-hostile [OPTIONS] [NAME..]

  Runs every attack, or those named. One line each: defended or BROKEN. Exit code 0: all defended.

  --seed N     what the attacks draw from (default 1)
  --seeds N    this many seeds, from that one on (default 1)
  --teeth      each attack once more with its defence switched off, which has to succeed; needs the feature `teeth`
  --production PROGRAM
               only that production enclave: what it refuses, on a machine with or without a processor
  --list       only say which attacks there are
  --json       one JSON object a line";

impl Args {
    pub(crate) fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut args =
            Self { seed: 1, seeds: 1, json: false, list: false, teeth: false, production: None, chosen: Vec::new() };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--seed" => args.seed = number(words.next())?,
                "--seeds" => args.seeds = number(words.next())?,
                "--production" => args.production = Some(words.next().ok_or(USAGE)?.into()),
                "--json" => args.json = true,
                "--list" => args.list = true,
                "--teeth" => args.teeth = true,
                name if !name.starts_with('-') => {
                    let found = attacks::all().find(|scenario| scenario.name == name);
                    args.chosen.push(found.ok_or_else(|| format!("no attack is called {name}"))?);
                }
                _ => return Err(USAGE.into()),
            }
        }
        if args.chosen.is_empty() {
            args.chosen = attacks::all().collect();
        }
        if args.teeth && !cfg!(feature = "teeth") {
            return Err("this build has no switches: build it with --features teeth".into());
        }
        Ok(args)
    }
}

fn number(word: Option<&str>) -> Result<u64, Failure> {
    word.and_then(|word| word.parse().ok()).ok_or_else(|| USAGE.into())
}
