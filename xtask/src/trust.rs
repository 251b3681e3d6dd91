//! `docs/trust.md` says which mechanism of the trust model holds, and by which test. What it says has to be so.

use std::fs;
use std::path::Path;

use crate::shell;

const TABLE: &str = "docs/trust.md";
/// The model's mechanisms, M-01 to this number.
const MECHANISMS: u32 = 34;
/// What the model says of builds and geneses has numbers of its own.
const BUILDS: &[&str] = &["V-40", "V-41"];
/// Stands before the name of an attack of the hostile-host kit.
const ATTACK: &str = "attack ";

/// What is wrong with the table.
pub fn complaints() -> Vec<String> {
    match fs::read_to_string(shell::root().join(TABLE)) {
        Ok(text) => judge(&text, |path| fs::read_to_string(shell::root().join("docs").join(path)).ok()),
        Err(error) => vec![format!("{TABLE}: {error}")],
    }
}

/// `read` gives the file that a link of the table leads to.
fn judge(text: &str, read: impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, path) in text.lines().flat_map(named) {
        let defined = match name.strip_prefix(ATTACK) {
            Some(attack) => format!("name: \"{attack}\""),
            None => format!("fn {name}("),
        };
        let found = read(Path::new(path)).is_some_and(|source| source.contains(&defined));
        if !found {
            wrong.push(format!("{TABLE}: no test {name} in {path}"));
        }
    }
    let rows: Vec<Vec<&str>> = text.lines().filter_map(row).collect();
    let listed: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let expected = (1..=MECHANISMS).map(|number| format!("M-{number:02}"));
    let expected: Vec<String> = expected.chain(BUILDS.iter().map(|id| (*id).to_owned())).collect();
    if listed != expected {
        wrong.push(format!("{TABLE}: the table has {listed:?}"));
    }
    for row in rows {
        let (id, state, shown, missing) = (row[0], row[2], named(row[3]), row[4]);
        let fits = match state {
            "done" => !shown.is_empty() && missing.is_empty(),
            "partly" => !shown.is_empty() && !missing.is_empty(),
            "not yet" => !missing.is_empty(),
            _ => false,
        };
        if !fits {
            wrong.push(format!("{TABLE}: {id} is not {state:?} with {} tests and {missing:?} missing", shown.len()));
        }
    }
    wrong
}

/// The five cells of a mechanism's line.
fn row(line: &str) -> Option<Vec<&str>> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.trim_end().strip_suffix('|')?.split('|').map(str::trim).collect();
    let known = cells[0].starts_with("M-") || cells[0].starts_with("V-");
    (known && cells.len() == 5).then_some(cells)
}

/// Names and paths of the links whose text is code: ``[`name`](path)``.
fn named(text: &str) -> Vec<(&str, &str)> {
    text.split("[`")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once("`](")?;
            Some((name, rest.split_once(')')?.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn v01_it_holds() {}\n    name: \"fork\",\n";

    fn table(change: impl Fn(&str) -> String) -> String {
        let ids = (1..=MECHANISMS).map(|number| format!("M-{number:02}"));
        let line = |id: String| format!("| {id} | words | done | [`v01_it_holds`](../a.rs) |  |");
        ids.chain(BUILDS.iter().map(|id| (*id).to_owned())).map(|id| change(&line(id)) + "\n").collect()
    }

    fn judged(text: &str) -> Vec<String> {
        judge(text, |path| (path == Path::new("../a.rs")).then(|| SOURCE.to_owned()))
    }

    #[test]
    fn a_table_is_believed_only_with_its_tests() {
        let only_first = |from: &'static str, to: &'static str| {
            table(move |line| if line.contains("M-01") { line.replace(from, to) } else { line.to_owned() })
        };
        assert_eq!(judged(&table(str::to_owned)), [""; 0]);
        assert_eq!(judged(&only_first("v01_it_holds", "v01_it_does_not")).len(), 1, "no such test");
        assert_eq!(judged(&only_first("../a.rs", "../b.rs")).len(), 1, "no such file");
        assert_eq!(judged(&only_first("v01_it_holds", "attack fork")), [""; 0]);
        assert_eq!(judged(&only_first("v01_it_holds", "attack spoon")).len(), 1, "no such attack");
        assert_eq!(judged(&only_first("[`v01_it_holds`](../a.rs)", "")).len(), 1, "done without a test");
        assert_eq!(judged(&only_first("|  |", "| much |")).len(), 1, "done, and something is missing");
        assert_eq!(judged(&only_first("done", "partly")).len(), 1, "partly, and nothing is missing");
        assert_eq!(judged(&only_first("done", "nearly")).len(), 1, "no such state");
        assert_eq!(judged(&only_first("M-01", "M-02")).len(), 1, "one mechanism twice");
        assert_eq!(judged(&table(|line| line.replace("| M-34", "|| M-34"))).len(), 1, "one mechanism is missing");
    }
}
