//! Counting tests across runners.

use crate::shell::Transcript;

/// How many passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
}

impl Tally {
    /// Of one check that either holds or not.
    pub fn of_check(holds: bool) -> Self {
        Self { passed: usize::from(holds), failed: usize::from(!holds) }
    }

    /// Of a suite's output, whichever runner wrote it. A suite that ended badly without naming a failed test, or that ran
    /// no test, has failed once.
    pub fn of_suite(transcript: &Transcript) -> Self {
        let mut tally = Self::of_lines(&transcript.lines);
        if tally.failed == 0 && (!transcript.success || tally.passed == 0) {
            tally.failed = 1;
        }
        tally
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    fn of_lines(lines: &[String]) -> Self {
        let mut total = Self::default();
        for line in lines.iter().map(|line| line.trim()) {
            // cargo test: one such line for each binary.
            if let Some(rest) = line.strip_prefix("test result: ") {
                total.add(Self::of_words(rest));
            // node --test, in either of its styles: one line for each class.
            } else if let Some(count) = after(line, &["# pass ", "ℹ pass "]) {
                total.passed += count;
            } else if let Some(count) = after(line, &["# fail ", "# cancelled ", "ℹ fail ", "ℹ cancelled "]) {
                total.failed += count;
            // pytest's last line, and the plain one.
            } else if (line.starts_with("==") && line.contains(" in ")) || is_plain(line) {
                total.add(Self::of_words(line));
            }
        }
        total
    }

    /// Of a line in which numbers precede `passed`, `failed` and `error(s)`.
    fn of_words(line: &str) -> Self {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut tally = Self::default();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<usize>() else { continue };
            match pair[1] {
                "passed" => tally.passed += count,
                "failed" | "error" | "errors" => tally.failed += count,
                _ => {}
            }
        }
        tally
    }
}

fn after(line: &str, prefixes: &[&str]) -> Option<usize> {
    prefixes.iter().find_map(|prefix| line.strip_prefix(prefix)?.trim().parse().ok())
}

/// `N passed`, or `N passed, N failed`, and pytest's `-q` form of it.
fn is_plain(line: &str) -> bool {
    let first = line.split_once(' ');
    first.is_some_and(|(count, rest)| {
        count.parse::<usize>().is_ok() && (rest.starts_with("passed") || rest.starts_with("failed"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str, success: bool) -> Tally {
        let lines = output.lines().map(str::to_owned).collect();
        Tally::of_suite(&Transcript { lines, success })
    }

    #[test]
    fn every_runner_is_read() {
        let cargo = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s\n\
                     test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(tally(cargo, false), Tally { passed: 15, failed: 2 });
        assert_eq!(tally("ℹ tests 9\nℹ pass 8\nℹ fail 1\nℹ cancelled 2", false), Tally { passed: 8, failed: 3 });
        assert_eq!(tally("# tests 9\n# pass 9\n# fail 0", true), Tally { passed: 9, failed: 0 });
        assert_eq!(tally("==== 1 failed, 4 passed, 2 errors in 3.1s ====", false), Tally { passed: 4, failed: 3 });
        assert_eq!(tally("5 passed in 3.10s", true), Tally { passed: 5, failed: 0 });
        assert_eq!(tally("127 passed, 0 failed", true), Tally { passed: 127, failed: 0 });
    }

    #[test]
    fn a_suite_that_ran_nothing_or_died_has_failed() {
        assert_eq!(tally("", true), Tally { passed: 0, failed: 1 });
        assert_eq!(tally("7 passed, 0 failed", false), Tally { passed: 7, failed: 1 });
    }
}
