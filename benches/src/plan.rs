//! How much is measured.

use crate::Failure;

pub(crate) const USAGE: &str = "\
usage: cloister-bench evm|wasm|net [OPTION]...
  --senders N       accounts that pay one another (200)
  --transfers N     transfers in each measurement (20000)
  --connections N   HTTP connections, each on its own thread (2)
  --batch N         transactions in one JSON-RPC batch (100); the Cosmos door has no batches
  --starts N        cold starts, of which the median counts (9)
  --no-anvil        without the peer, which wasm does not have";

/// The numbers of one run.
pub(crate) struct Plan {
    pub(crate) senders: usize,
    pub(crate) transfers: usize,
    pub(crate) connections: usize,
    pub(crate) batch: usize,
    pub(crate) starts: usize,
    pub(crate) anvil: bool,
}

impl Plan {
    pub(crate) fn parse(args: &[&str]) -> Result<Self, Failure> {
        let mut plan = Self { senders: 200, transfers: 20_000, connections: 2, batch: 100, starts: 9, anvil: true };
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let target = match *name {
                "--senders" => &mut plan.senders,
                "--transfers" => &mut plan.transfers,
                "--connections" => &mut plan.connections,
                "--batch" => &mut plan.batch,
                "--starts" => &mut plan.starts,
                "--no-anvil" => {
                    plan.anvil = false;
                    continue;
                }
                _ => return Err(USAGE.into()),
            };
            let number = args.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
            *target = number.ok_or(USAGE)?;
        }
        if plan.senders < 2 || plan.senders > 1_000 || plan.connections > plan.senders || plan.batch > 1_000 {
            return Err("2 to 1000 senders, no more connections than senders, batches of at most 1000".into());
        }
        // Every sender sends equally many.
        plan.transfers = plan.transfers.next_multiple_of(plan.senders);
        Ok(plan)
    }

    /// How many transfers each sender sends.
    pub(crate) fn rounds(&self) -> usize {
        self.transfers / self.senders
    }
}
