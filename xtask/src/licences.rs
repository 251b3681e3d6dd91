//! Licences of what we link: permissive ones, with a reason for each exception.

use std::collections::BTreeSet;

/// Licences that ask for no more than a notice.
const FINE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates with another licence, each with the reason why it is acceptable.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// A complaint for each linked package, by name and licence, whose licence is neither fine nor excepted.
pub fn check(linked: &BTreeSet<(String, String)>) -> Vec<String> {
    let excepted = |name: &str| EXCEPTIONS.iter().any(|(exception, _)| *exception == name);
    let wrong = linked.iter().filter(|(name, licence)| !is_fine(licence) && !excepted(name));
    wrong.map(|(name, licence)| format!("{name}: licence {licence:?}")).collect()
}

/// Whether an SPDX expression can be met with fine licences alone. `/` is the old way to write `OR`.
fn is_fine(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ").replace("Apache-2.0 WITH LLVM-exception", "Apache-2.0");
    if let Some((before, inner, after)) = innermost(&flat) {
        let verdict = if is_fine(inner) { "MIT" } else { "refused" };
        return is_fine(&format!("{before} {verdict} {after}"));
    }
    flat.split(" OR ").any(|all| all.split(" AND ").all(|one| FINE.contains(&one.trim())))
}

/// What stands before, in and after the first innermost pair of brackets.
fn innermost(expression: &str) -> Option<(&str, &str, &str)> {
    let close = expression.find(')')?;
    let open = expression[..close].rfind('(')?;
    Some((&expression[..open], &expression[open + 1..close], &expression[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::is_fine;

    #[test]
    fn expressions_are_judged_as_spdx_means_them() {
        for fine in ["MIT", "MIT/Apache-2.0", "GPL-2.0 OR MIT", "(MIT OR GPL-3.0) AND Unicode-3.0", "MIT AND ISC"] {
            assert!(is_fine(fine), "{fine}");
        }
        for refused in ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR GPL-3.0) AND MIT"] {
            assert!(!is_fine(refused), "{refused}");
        }
    }
}
