//! `Decided`: the block and its proof, on disk.

use std::collections::BTreeMap;

use cloister_chain::{Certificate, certificate::Precommit};
use malachite_types::CommitCertificate;

use super::{App, Current, Outcome, Stage};
use crate::bft::context::{BlockHash, Tendermint};
use crate::bft::{End, Fatal};

impl App {
    /// Hands the block to the chain with its certificate. Its execution starts elsewhere.
    pub fn decided(&mut self, decision: &CommitCertificate<Tendermint>) -> Result<(), End> {
        let height = decision.height;
        let Some(current) = self.open(height) else { return Ok(()) };
        let certificate = current.certificate(decision);
        let Some(block) = current.block(&decision.value_id).cloned() else {
            return Err(current.lacks(&decision.value_id));
        };
        self.chain.decide(&block, &certificate)?;
        let current = self.current.as_mut().expect("it was open");
        let hurry = current.behind || !block.txs.is_empty() || !block.evidence.is_empty();
        current.stage = Stage::Decided(Outcome { certificate, hurry });
        Ok(())
    }
}

impl Current {
    /// Why a decided block is not on disk: this node is in the minority, or its store has lost something.
    fn lacks(&self, block: &BlockHash) -> End {
        match self.refused.iter().find(|(refused, _)| *refused == block.0) {
            Some((_, difference)) => difference.clone().into(),
            None => {
                let text = format!("block {}, {block}, was decided and is not on disk", self.height);
                Fatal(text.into()).into()
            }
        }
    }

    /// The chain's form of a certificate.
    pub(super) fn certificate(&self, decision: &CommitCertificate<Tendermint>) -> Certificate {
        let signed = |signed: &malachite_types::CommitSignature<Tendermint>| {
            self.set.find(&signed.address).map(|validator| (validator.key(), signed.signature.0))
        };
        let precommits: BTreeMap<_, _> = decision.commit_signatures.iter().filter_map(signed).collect();
        let precommit = |(validator, signature)| Precommit { validator, signature };
        Certificate {
            height: decision.height.0,
            round: decision.round.as_u32().expect("blocks are decided in rounds from 0"),
            block: decision.value_id.0,
            precommits: precommits.into_iter().map(precommit).collect(),
        }
    }
}
