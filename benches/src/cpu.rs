//! Processor time of other processes, by thread, from `/proc`.

use std::collections::BTreeMap;
use std::fs;

use crate::Failure;

/// The kernel counts in hundredths of a second on every architecture we know (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time by stage.
pub(crate) type Stages = BTreeMap<&'static str, f64>;

/// Adds up, by stage, what the threads of a node and of its enclave and this client have used so far. A node without an
/// enclave is one stage.
pub(crate) fn stages(node: u32) -> Result<Stages, Failure> {
    let mut stages = Stages::new();
    let enclaves = children(node)?;
    for (thread, seconds) in threads(node)? {
        let stage = if enclaves.is_empty() { "node" } else { node_stage(&thread) };
        *stages.entry(stage).or_default() += seconds;
    }
    for child in enclaves {
        for (number, (_, seconds)) in threads(child)?.into_iter().enumerate() {
            // The first thread of an enclave reads the block stream; the others answer queries.
            *stages.entry(if number == 0 { "enclave: blocks" } else { "enclave: queries" }).or_default() += seconds;
        }
    }
    stages.insert("client", threads(std::process::id())?.iter().map(|(_, seconds)| seconds).sum());
    Ok(stages)
}

/// `after` less `before`.
pub(crate) fn between(before: &Stages, after: &Stages) -> Stages {
    after.iter().map(|(stage, seconds)| (*stage, seconds - before.get(stage).unwrap_or(&0.0))).collect()
}

fn node_stage(thread: &str) -> &'static str {
    match thread {
        "blocks" => "node: blocks",
        name if name.starts_with("tokio") => "node: door",
        _ => "node: rest",
    }
}

/// Name and seconds of each thread, the first one first.
fn threads(process: u32) -> Result<Vec<(String, f64)>, Failure> {
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
        let number: u32 = entry.file_name().to_string_lossy().parse()?;
        // A thread that ended meanwhile has no more to say.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // pid (name) state ppid ...: the name may hold anything, so what follows is counted from the last bracket.
        let (head, tail) = stat.rsplit_once(") ").ok_or("an unreadable /proc/PID/stat")?;
        let name = head.split_once('(').map_or("", |(_, name)| name);
        let fields: Vec<&str> = tail.split(' ').collect();
        // utime and stime are fields 14 and 15; the state, here number 0, is field 3.
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        threads.insert(number, (name.to_owned(), ticks / TICKS_PER_SECOND));
    }
    Ok(threads.into_values().collect())
}

fn children(process: u32) -> Result<Vec<u32>, Failure> {
    let mut children = Vec::new();
    for entry in fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
        let list = fs::read_to_string(entry.path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
    }
    Ok(children)
}
