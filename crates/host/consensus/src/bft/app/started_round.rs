//! `StartedRound`: what is already known of it.

use malachite_types::Round;

use super::{App, Proposed};
use crate::bft::End;
use crate::bft::context::Height;

impl App {
    /// Kept blocks of exactly this round, and those that arrived before their parent was executed, judged now.
    pub fn started_round(&mut self, height: Height, round: Round) -> Result<Vec<Proposed>, End> {
        let (Some(current), Some(round)) = (self.open(height), round.as_u32()) else { return Ok(Vec::new()) };
        current.round = round;
        let kept = current.kept.iter().filter(|kept| kept.round == round);
        let mut known: Vec<Proposed> = kept.map(Proposed::from).collect();
        for whole in std::mem::take(&mut self.early) {
            known.push(self.consider(whole)?);
        }
        Ok(known)
    }
}
