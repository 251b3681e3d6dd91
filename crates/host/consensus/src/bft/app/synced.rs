//! `ProcessSyncedValue`: a block that was decided without this node.

use malachite::app::engine::host::SyncedValueOutcome;
use malachite_types::Round;
use tracing::warn;

use super::history::Decided;
use super::judge::{self, Rules};
use super::{Address, App, Kept, Proposed};
use crate::bft::End;
use crate::bft::context::{Height, Tendermint};
use crate::bft::parts::is_within_limits;

impl App {
    /// Judges and keeps it. A block that more than two thirds signed and that this node finds invalid ends consensus: the
    /// node is in the minority (R10). The clock is not asked: that the others accepted the time is enough.
    pub fn synced(
        &mut self,
        height: Height,
        round: Round,
        proposer: Address,
        bytes: &[u8],
    ) -> Result<SyncedValueOutcome<Tendermint>, End> {
        let (Some(current), Some(round)) = (self.current.as_ref(), round.as_u32()) else {
            return Ok(SyncedValueOutcome::LocalTransientError);
        };
        if current.height != height.0 {
            return Ok(SyncedValueOutcome::LocalTransientError);
        }
        let decided = borsh::from_slice::<Decided>(bytes).ok().filter(|decided| {
            let Decided { block, certificate } = decided;
            let hash = block.header.hash();
            certificate.round == round
                && is_within_limits(block)
                && block.is_whole()
                && certificate.verify(&self.chain_id, &current.parent.validators, height.0, &hash).is_ok()
        });
        let Some(Decided { block, .. }) = decided else {
            warn!(%height, "a peer served what is not the decided block");
            return Ok(SyncedValueOutcome::PeerFault);
        };
        let may = |by| (0..=round).any(|round| current.proposer(round).0 == by);
        judge::judge(&block, &current.parent, &Rules { chain_id: &self.chain_id, may_propose: &may, now: None })?;
        let kept = Kept { round, valid_round: None, proposer: proposer.0, block };
        let verdict = Proposed::from(&kept);
        self.keep(kept)?;
        self.current.as_mut().expect("it is open").behind = true;
        Ok(SyncedValueOutcome::Verdict(verdict))
    }
}
