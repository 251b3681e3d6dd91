//! `GetValue`: a block to propose.

use cloister_chain::{Bytes, limits};
use malachite::app::engine::host::LocallyProposedValue;
use malachite_types::Round;

use super::{App, Kept, Parts};
use crate::bft::End;
use crate::bft::context::{BlockHash, Height, Tendermint};

impl App {
    /// A block for this round, kept before it is named, and its parts. The same round gives the same block again, so that
    /// a restart cannot make this validator propose two. `None` if the height is not open any more.
    pub fn get_value(
        &mut self,
        height: Height,
        round: Round,
    ) -> Result<Option<(LocallyProposedValue<Tendermint>, Parts)>, End> {
        let me = self.key.address();
        let (Some(current), Some(number)) = (self.open(height), round.as_u32()) else { return Ok(None) };
        let own = |kept: &&Kept| kept.round == number && kept.proposer == me && kept.valid_round.is_none();
        let kept = match current.kept.iter().find(own) {
            Some(kept) => kept.clone(),
            None => {
                let parent = current.parent.clone();
                let mut evidence = self.chain.evidence();
                evidence.retain(|piece| piece.verify(&self.chain_id).is_ok());
                evidence.truncate(limits::EVIDENCE);
                let txs = bounded(self.chain.select(&parent));
                let block = parent.block(txs, evidence, self.chain.now(), me);
                Kept { round: number, valid_round: None, proposer: me, block }
            }
        };
        self.keep(kept.clone())?;
        let value = BlockHash(kept.block.header.hash());
        Ok(Some((LocallyProposedValue::new(height, round, value), self.parts(&kept))))
    }
}

/// As many of `txs`, from the first, as a block may have.
fn bounded(mut txs: Vec<Bytes>) -> Vec<Bytes> {
    let mut bytes = 0usize;
    let fits = |tx: &&Bytes| {
        bytes = bytes.saturating_add(tx.len());
        bytes <= limits::BLOCK_BYTES
    };
    let count = txs.iter().take(limits::BLOCK_TXS).take_while(fits).count();
    txs.truncate(count);
    txs
}
