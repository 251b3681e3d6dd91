//! The way of blocks when this node is the only validator: whatever waits is decided at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloister_consensus::Solo;

use crate::executor::Executor;
use crate::node::{NodeError, Shared, block_budget, now};
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

    fn deadline(&self) -> Option<Instant> {
        self.block_time.map(|time| Instant::now() + time)
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
