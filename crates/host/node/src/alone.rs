//! The way of blocks when this node is the only validator: whatever waits is decided at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloister_chain::Leaf;
use cloister_chain::gov::Governance;
use cloister_chain::staking::Queue;
use cloister_consensus::Solo;

use crate::executor::Executor;
use crate::node::{NodeError, Shared, block_budget, epoch_due, now};
use crate::signal::Event;

/// What the loop's thread owns.
pub(crate) struct Alone {
    pub(crate) shared: Arc<Shared>,
    pub(crate) executor: Executor,
    pub(crate) solo: Solo,
    /// Makes a block this long after the last one, even of nothing.
    pub(crate) block_time: Option<Duration>,
}

impl Alone {
    /// Makes blocks until the node is to stop.
    pub(crate) fn run(mut self) -> Result<(), NodeError> {
        let mut deadline = self.deadline();
        loop {
            let idle = match self.shared.signal.wait(deadline) {
                Event::Stop => return Ok(()),
                Event::Lost(generation) => {
                    self.executor.lost(generation)?;
                    continue;
                }
                Event::Work => false,
                Event::Time => true,
            };
            if self.blocks(idle)? || idle {
                deadline = self.deadline();
            }
        }
    }

    /// When to make a block even of nothing: at the operator's pace, and when something ends that only a block can end.
    fn deadline(&self) -> Option<Instant> {
        let timed = self.due().map(|due| Duration::from_nanos(due.saturating_sub(now())).max(LEAST_PAUSE));
        self.block_time.into_iter().chain(timed).min().map(|time| Instant::now() + time)
    }

    /// When the next vote or unbonding ends, or an epoch needs a block, in nanoseconds since 1970. Without an answer of the store nothing ends by itself.
    fn due(&self) -> Option<u64> {
        let reader = self.shared.store.reader().ok()?;
        let height = reader.tip().ok()??;
        let read = |leaf| reader.leaf(&leaf, height).ok().flatten();
        let governance: Option<Governance> = read(Leaf::Governance).and_then(|bytes| borsh::from_slice(&bytes).ok());
        let staking: Option<Queue> = read(Leaf::StakingQueue).and_then(|bytes| borsh::from_slice(&bytes).ok());
        let epoch = epoch_due(&reader, height, &self.shared.genesis);
        let dues = [governance.and_then(|governance| governance.due), staking.and_then(|queue| queue.due), epoch];
        dues.into_iter().flatten().min()
    }

    /// Blocks of what waits, as many as it takes, and one even of nothing if `idle`; true if there was one.
    fn blocks(&mut self, mut idle: bool) -> Result<bool, NodeError> {
        let mut made = false;
        while !self.shared.signal.stopping() {
            let Shared { genesis, mempool, .. } = &*self.shared;
            let parent = Arc::clone(self.executor.parent());
            let chosen = mempool.select(parent.base_fee, block_budget(genesis));
            // What was admitted and waits for a lower base fee is work too: only blocks lower it, down to its floor.
            let underpriced = parent.base_fee > genesis.base_fee && mempool.status().pending > 0;
            if chosen.is_empty() && !idle && !underpriced {
                break;
            }
            let txs = chosen.into_iter().map(|(_, bytes)| bytes).collect();
            let (block, certificate) = self.solo.propose(&parent, txs, now());
            self.executor.run(block, certificate)?;
            (made, idle) = (true, false);
        }
        Ok(made)
    }
}

/// Between two blocks that nobody asked for: ends that take several blocks leave room for what somebody did ask for.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
