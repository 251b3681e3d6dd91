//! The printed result. `docs/bench.md` explains every line.

use crate::load::Measured;
use crate::plan::Plan;

/// Everything that was measured, in the order of measuring.
pub(crate) struct Report {
    heading: String,
    starts: Vec<(&'static str, f64)>,
    rows: Vec<(&'static str, Measured)>,
    floor: Vec<(&'static str, f64)>,
}

impl Report {
    pub(crate) fn new(plan: &Plan) -> Self {
        let Plan { senders, transfers, connections, batch, .. } = plan;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let heading = format!(
            "{transfers} transfers by {senders} senders, {connections} connections, batches of {batch}, {cores} cores"
        );
        Self { heading, starts: Vec::new(), rows: Vec::new(), floor: Vec::new() }
    }

    pub(crate) fn cold_start(&mut self, name: &'static str, seconds: f64) {
        self.starts.push((name, seconds));
    }

    pub(crate) fn measured(&mut self, name: &'static str, measured: Measured) {
        eprintln!("{name}: {:.0} per second", measured.rate());
        self.rows.push((name, measured));
    }

    /// What the enclave cannot do without for one transfer, in seconds.
    pub(crate) fn floor(&mut self, floor: Vec<(&'static str, f64)>) {
        self.floor = floor;
    }

    pub(crate) fn print(&self) {
        println!("{}", self.heading);
        if !self.starts.is_empty() {
            println!("\n{:<42}{:>12}", "cold start to first accepted transaction", "ms");
        }
        for (name, seconds) in &self.starts {
            println!("{name:<42}{:>12.1}", seconds * 1e3);
        }
        println!("\n{:<42}{:>12}{:>10}{:>10}", "transfers", "per second", "seconds", "blocks");
        for (name, measured) in &self.rows {
            println!("{name:<42}{:>12.0}{:>10.2}{:>10}", measured.rate(), measured.seconds, measured.blocks);
        }
        println!("\nprocessor time, µs per transfer");
        for (name, measured) in &self.rows {
            println!("{name}");
            for (stage, seconds) in &measured.stages {
                let each = seconds * 1e6 / measured.transfers as f64;
                if each >= 0.05 {
                    println!("  {stage:<40}{each:>12.1}");
                }
            }
        }
        self.print_floor();
        self.print_ratios();
    }

    fn print_floor(&self) {
        let Some((_, first)) = self.rows.first().filter(|_| !self.floor.is_empty()) else { return };
        println!("\nprimitives that the enclave cannot do without, µs per transfer");
        for (name, seconds) in &self.floor {
            println!("  {name:<40}{:>12.1}", seconds * 1e6);
        }
        let floor: f64 = self.floor.iter().map(|(_, seconds)| seconds).sum();
        let enclave = first.stages.get("enclave: blocks").copied().unwrap_or_default() / first.transfers as f64;
        println!("  {:<40}{:>12.1}", "sum", floor * 1e6);
        println!("  {:<40}{:>12.2}", "enclave, as a multiple of that", enclave / floor);
    }

    fn print_ratios(&self) {
        let Some(((name, anvil), ours)) = self.rows.split_last() else { return };
        if !name.starts_with("anvil") {
            return;
        }
        println!("\n{:<42}{:>12}", "transfers per second, as a multiple of anvil", "ratio");
        for (name, measured) in ours {
            println!("{name:<42}{:>12.2}", measured.rate() / anvil.rate());
        }
    }
}

impl Measured {
    /// Transfers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.transfers as f64 / self.seconds
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
