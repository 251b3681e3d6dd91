//! The published clients, unmodified, against a running node.

use std::process::Command;
use std::time::Duration;

use crate::node::{Doors, Node};
use crate::packages;
use crate::shell::{self, Failure, Outcome, Transcript};

/// Far above what a suite needs, and below what a whole run may take.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// One suite of `interop/`.
pub struct Suite {
    pub name: &'static str,
    folder: &'static str,
    /// Its packages come with `npm ci` from its lock file; the others install their own.
    npm: bool,
    command: &'static [&'static str],
    /// The quickest: it runs against several validators, too, wherever everything is tested. The others do when asked to.
    pub quick: bool,
}

pub const SUITES: &[Suite] = &[
    Suite { name: "python", folder: "interop/python", npm: false, command: &["bash", "run.sh"], quick: true },
    Suite { name: "js", folder: "interop/js", npm: true, command: &["npm", "test", "--silent"], quick: false },
    Suite {
        name: "secretjs",
        folder: "interop/secretjs",
        npm: true,
        command: &["npm", "test", "--silent"],
        quick: false,
    },
    Suite {
        name: "coti-contracts",
        folder: "interop/coti-contracts-suite",
        npm: true,
        command: &["npm", "test", "--silent"],
        quick: false,
    },
];

/// The sweep over operations and widths, which is also part of `js`.
pub const SWEEP: Suite = Suite {
    name: "sweep",
    folder: "interop/js",
    npm: true,
    command: &["npm", "run", "sweep", "--silent"],
    quick: false,
};

impl Suite {
    /// Runs it against a chain of its own with so many validators. `settings` are added to its environment.
    pub fn run(&self, validators: u16, settings: &[(&str, &str)]) -> Outcome<Transcript> {
        if self.npm {
            packages::npm(self.folder)?;
        }
        let node = Node::start(self.name, validators)?;
        let mut command = Command::new(self.command[0]);
        command.args(&self.command[1..]).current_dir(shell::root().join(self.folder));
        let Doors { rpc, rest, faucet } = &node.doors;
        command.env("CLOISTER_RPC", rpc).env("CLOISTER_REST", rest).env("CLOISTER_FAUCET", faucet);
        command.env("CLOISTER_VALIDATORS", validators.to_string());
        command.envs(settings.iter().copied());
        let transcript = shell::run_recorded(&mut command, LIMIT)?;
        node.end()?;
        Ok(transcript)
    }
}

/// The suite of that name.
pub fn named(name: &str) -> Outcome<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name).ok_or_else(|| {
        let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
        Failure::new(format!("no suite {name}; there are {}", names.join(", ")))
    })
}
