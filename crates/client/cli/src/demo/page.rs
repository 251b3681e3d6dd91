//! How a step looks: what the public sees, what you see, and what was checked. At most 100 columns.

use std::fmt::Display;
use std::time::Instant;

use cloister_sdk::{Bytes, U256};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::shell::{Paint, Shell};

/// Prints one step after the other.
pub struct Page<'a> {
    shell: &'a Shell,
    number: u32,
    since: Instant,
}

/// One step of the demonstration.
pub struct Step {
    title: &'static str,
    function: Option<&'static str>,
    public: Vec<(&'static str, Shown)>,
    you: Vec<(&'static str, Shown)>,
    checks: Vec<(&'static str, bool)>,
}

/// A value in the form in which it is shown.
pub enum Shown {
    /// As it is.
    Text(String),
    /// Bytes without structure.
    Data(Bytes),
    /// A function's selector and the words that follow it.
    Input(Bytes),
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(shell: &'a Shell) -> Self {
        Self { shell, number: 0, since: Instant::now() }
    }

    /// Prints the next step. A check that failed ends the demonstration.
    pub fn show(&mut self, step: &Step) -> Result<(), Error> {
        self.number += 1;
        if self.shell.json() {
            self.shell.object(&self.object(step))?;
        } else {
            self.print(step)?;
        }
        self.since = Instant::now();
        step.verdict(self.number)
    }

    fn object(&self, step: &Step) -> Value {
        let map = |rows: &[(&'static str, Shown)]| -> Map<String, Value> {
            rows.iter().map(|(label, shown)| ((*label).to_owned(), shown.whole().into())).collect()
        };
        let checks: Vec<Value> =
            step.checks.iter().map(|(what, passed)| json!({ "what": what, "passed": passed })).collect();
        json!({
            "step": self.number,
            "title": step.title,
            "function": step.function,
            "public": map(&step.public),
            "you": map(&step.you),
            "checks": checks,
            "milliseconds": u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn print(&self, step: &Step) -> Result<(), Error> {
        let shell = self.shell;
        let heading = shell.paint(Paint::Strong, format_args!("{:>2}  {}", self.number, step.title));
        shell.result(format_args!("\n{heading}"))?;
        if let Some(function) = step.function {
            shell.result(format_args!("    {}", shell.paint(Paint::Faint, function)))?;
        }
        self.rows(&step.public, "public", Paint::Public)?;
        self.rows(&step.you, "you", Paint::Private)?;
        for (what, passed) in &step.checks {
            let mark = if *passed { shell.paint(Paint::Private, "ok") } else { shell.paint(Paint::Warning, "NO") };
            shell.result(format_args!("    {mark}      {what}"))?;
        }
        Ok(())
    }

    fn rows(&self, rows: &[(&'static str, Shown)], who: &str, paint: Paint) -> Result<(), Error> {
        let mut who = who;
        for (label, shown) in rows {
            let mut label = *label;
            for line in shown.lines() {
                let tag = self.shell.paint(paint, format_args!("{who:<8}"));
                self.shell.result(format_args!("    {tag}{label:<19}{}", self.shell.paint(paint, line)))?;
                (who, label) = ("", "");
            }
        }
        Ok(())
    }
}

impl Step {
    /// A step with nothing to see yet.
    pub const fn new(title: &'static str) -> Self {
        Self { title, function: None, public: Vec::new(), you: Vec::new(), checks: Vec::new() }
    }

    /// Names the function that is called.
    pub const fn calls(mut self, function: &'static str) -> Self {
        self.function = Some(function);
        self
    }

    /// Something that everybody sees.
    pub fn public(mut self, label: &'static str, shown: impl Into<Shown>) -> Self {
        self.public.push((label, shown.into()));
        self
    }

    /// Something that only this user sees.
    pub fn you(mut self, label: &'static str, shown: impl Into<Shown>) -> Self {
        self.you.push((label, shown.into()));
        self
    }

    /// Something that has to be true.
    pub fn check(mut self, what: &'static str, passed: bool) -> Self {
        self.checks.push((what, passed));
        self
    }

    /// The first check that failed.
    fn verdict(&self, number: u32) -> Result<(), Error> {
        match self.checks.iter().find(|(_, passed)| !passed) {
            Some((what, _)) => Err(Error::Demo { step: number, what }),
            None => Ok(()),
        }
    }
}

impl Shown {
    /// Anything that prints itself.
    pub fn text(value: impl Display) -> Self {
        Self::Text(value.to_string())
    }

    fn whole(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Data(bytes) | Self::Input(bytes) => bytes.to_string(),
        }
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::Data(bytes) if bytes.len() <= WORD => vec![bytes.to_string()],
            Self::Data(bytes) => {
                let rest = bytes.len() - WORD;
                vec![bytes.slice(..WORD).to_string(), format!("and {rest} bytes more")]
            }
            Self::Input(bytes) => {
                let head = bytes.slice(..bytes.len().min(4));
                let words: Vec<String> = bytes[head.len()..]
                    .chunks(WORD)
                    .map(|word| Bytes::copy_from_slice(word).to_string().replacen("0x", "  ", 1))
                    .collect();
                let mut lines = vec![head.to_string()];
                lines.extend(words.iter().take(WORDS).cloned());
                if words.len() > WORDS {
                    lines.push(format!("  and {} words more", words.len() - WORDS));
                }
                lines
            }
        }
    }
}

impl From<U256> for Shown {
    fn from(word: U256) -> Self {
        Self::Data(word.to_be_bytes::<WORD>().into())
    }
}

impl From<Bytes> for Shown {
    fn from(bytes: Bytes) -> Self {
        Self::Data(bytes)
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// Bytes in one line.
const WORD: usize = 32;
/// Words of an input that are shown.
const WORDS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let long = Bytes::from(vec![0xab; 228]);
        for shown in [Shown::Data(long.clone()), Shown::Input(long), Shown::from(U256::MAX)] {
            for line in shown.lines() {
                assert!(line.len() + 4 + 8 + 19 <= 100, "{line}");
            }
        }
    }

    #[test]
    fn an_input_is_shown_word_by_word_and_kept_whole_in_json() {
        let input = [&[0xaf, 0x38, 0x4a, 0xc7][..], &U256::from(7).to_be_bytes::<32>()].concat();
        let shown = Shown::Input(input.into());
        let word = format!("  {}7", "0".repeat(63));
        assert_eq!(shown.lines(), ["0xaf384ac7".to_owned(), word.clone()]);
        assert_eq!(shown.whole(), format!("0xaf384ac7{}", word.trim()));
        assert_eq!(Shown::Input(Bytes::new()).lines(), ["0x"]);
    }

    #[test]
    fn a_failed_check_ends_the_demonstration_and_names_itself() {
        assert!(Step::new("good").check("one is one", true).verdict(1).is_ok());
        let bad = Step::new("bad").check("one is one", true).check("one is two", false);
        assert!(matches!(bad.verdict(2), Err(Error::Demo { step: 2, what: "one is two" })));
    }
}
