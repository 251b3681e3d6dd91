//! What an attack is, and what it came to.

use cloister_teeth::Mechanism;

use crate::Failure;
use crate::stage::Stage;

/// One attack.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Rules of the trust model that it tries.
    pub(crate) rules: &'static str,
    /// What keeps it off: without this one mechanism it must succeed.
    pub(crate) mechanism: Mechanism,
    /// In one sentence.
    pub(crate) story: &'static str,
    pub(crate) attack: fn(&mut Stage) -> Result<Attempts, Failure>,
}

/// The ways in which one attack was tried.
#[derive(Default)]
pub(crate) struct Attempts {
    tried: Vec<(String, bool)>,
    lost: Vec<String>,
}

impl Attempts {
    /// One way, and whether it got what it was after.
    pub(crate) fn add(&mut self, what: impl Into<String>, succeeded: bool) {
        self.tried.push((what.into(), succeeded));
    }

    /// What has to be so whatever is switched off: without it the story says nothing.
    pub(crate) fn also(&mut self, what: impl Into<String>, holds: bool) {
        if !holds {
            self.lost.push(what.into());
        }
    }

    /// What went wrong for the defence, by what was tried.
    pub(crate) fn broken(&self) -> Vec<&str> {
        let succeeded = self.tried.iter().filter(|(_, succeeded)| *succeeded).map(|(what, _)| what);
        succeeded.chain(&self.lost).map(String::as_str).collect()
    }

    /// What failed although its defence was off.
    pub(crate) fn toothless(&self) -> Vec<&str> {
        let failed = self.tried.iter().filter(|(_, succeeded)| !succeeded).map(|(what, _)| what);
        failed.chain(&self.lost).map(String::as_str).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tried.is_empty()
    }
}
