//! `GetDecidedValues` and `GetHistoryMinHeight`: blocks for those who catch up.

use std::ops::RangeInclusive;

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::{Block, Certificate, Validator};
use malachite_sync::RawDecidedValue;
use malachite_types::{ExtendedCommitCertificate, ExtendedCommitSignature, Round};

use super::App;
use crate::bft::End;
use crate::bft::codec::RESPONSE_BYTES;
use crate::bft::context::{Address, BlockHash, Height, Signature, Tendermint};

/// Most blocks of one answer, whatever their size.
const BLOCKS: usize = 64;

/// A decided block as it travels to whoever catches up: with its certificate, although the engine sends one along, because
/// the engine does not show it to the application that has to judge the block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(in crate::bft) struct Decided {
    /// The block.
    pub block: Block,
    /// The proof.
    pub certificate: Certificate,
}

impl App {
    /// Stored blocks from the start of `range`, without a gap, as many as fit into one answer.
    pub fn decided_values(&self, range: &RangeInclusive<Height>) -> Result<Vec<RawDecidedValue<Tendermint>>, End> {
        let (first, last) = (range.start().0.max(1), range.end().0.min(self.chain.tip()?));
        let (mut values, mut bytes) = (Vec::new(), 0usize);
        for height in (first..=last).take(BLOCKS) {
            let Some((block, certificate)) = self.chain.decided(height)? else { break };
            let value = raw(Decided { block, certificate });
            bytes = bytes.saturating_add(value.value_bytes.len());
            if !values.is_empty() && bytes > RESPONSE_BYTES / 2 {
                break;
            }
            values.push(value);
        }
        Ok(values)
    }

    /// The lowest height whose block is still here.
    pub fn oldest(&self) -> Result<Height, End> {
        Ok(Height(self.chain.oldest()?))
    }
}

fn raw(decided: Decided) -> RawDecidedValue<Tendermint> {
    let bytes = borsh::to_vec(&decided).expect("writing to memory does not fail");
    let Certificate { height, round, block, precommits } = decided.certificate;
    let signed = precommits.into_iter().map(|precommit| {
        let by = Address(Validator { key: precommit.validator, power: 1 }.address());
        ExtendedCommitSignature::new(by, Signature(precommit.signature), None)
    });
    let mut commit_signatures: Vec<_> = signed.collect();
    commit_signatures.sort_by_key(|signed| signed.address);
    let (height, round, value_id) = (Height(height), Round::new(round), BlockHash(block));
    RawDecidedValue::new(bytes.into(), ExtendedCommitCertificate { height, round, value_id, commit_signatures })
}
