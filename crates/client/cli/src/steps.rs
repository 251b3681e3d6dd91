//! What was verified and what was not, a line each.

use serde::Serialize;

use crate::error::Error;
use crate::shell::{Paint, Shell};

/// Prints each step when it is done, unless the result is to be JSON.
pub struct Steps<'a> {
    shell: &'a Shell,
    done: Vec<Step>,
}

/// A step, as JSON has it.
#[derive(Serialize)]
pub struct Step {
    step: &'static str,
    verified: bool,
    what: String,
}

impl<'a> Steps<'a> {
    /// None yet.
    pub fn new(shell: &'a Shell) -> Self {
        Self { shell, done: Vec::new() }
    }

    /// One more that was verified.
    pub fn verified(&mut self, step: &'static str, what: String) -> Result<(), Error> {
        self.add(Step { step, verified: true, what })
    }

    /// One more that was not.
    pub fn open(&mut self, step: &'static str, what: String) -> Result<(), Error> {
        self.add(Step { step, verified: false, what })
    }

    /// All of them.
    pub fn done(self) -> Vec<Step> {
        self.done
    }

    fn add(&mut self, step: Step) -> Result<(), Error> {
        if !self.shell.json() {
            let (paint, word) =
                if step.verified { (Paint::Private, "verified") } else { (Paint::Warning, "NOT verified") };
            let word = self.shell.paint(paint, format_args!("{word:<12}"));
            self.shell.result(format_args!("{word}  {:<11}  {}", step.step, step.what))?;
        }
        self.done.push(step);
        Ok(())
    }
}
