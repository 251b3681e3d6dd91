//! `RestreamProposal`: parts again, for those who missed them.

use malachite_types::Round;
use tracing::warn;

use super::{App, Kept, Parts};
use crate::bft::End;
use crate::bft::context::{Address, BlockHash, Height};

impl App {
    /// The parts of a known block for `round`. Kept under that round first: whoever proposes it again proposes it.
    pub fn restream(
        &mut self,
        height: Height,
        round: Round,
        valid_round: Round,
        proposer: Address,
        block: BlockHash,
    ) -> Result<Parts, End> {
        let (Some(current), Some(round)) = (self.open(height), round.as_u32()) else { return Ok(Vec::new()) };
        let Some(block) = current.block(&block).cloned() else {
            warn!(%height, %block, "cannot repeat a proposal that is not here");
            return Ok(Vec::new());
        };
        let kept = Kept { round, valid_round: valid_round.as_u32(), proposer: proposer.0, block };
        self.keep(kept.clone())?;
        Ok(self.parts(&kept))
    }
}
