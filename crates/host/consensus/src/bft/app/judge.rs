//! What makes a block valid on top of its parent.

use std::fmt::Display;

use cloister_chain::{Address, Block, Certificate, Header, Parent, limits};

use crate::bft::Divergence;

/// How far a proposer's clock may be ahead of this node's, in nanoseconds.
const AHEAD: u64 = 10_000_000_000;

/// What does not follow from the parent.
pub(super) struct Rules<'a> {
    /// The chain.
    pub chain_id: &'a str,
    /// Who may have made the block.
    pub may_propose: &'a dyn Fn(Address) -> bool,
    /// The clock, for a block that is being proposed; `None` for one that was decided: that it was agreed on is enough.
    pub now: Option<u64>,
}

/// Succeeds when `block` follows from `parent`: everything its header says of the parent is what this node's enclave
/// computed (R10), its time is later, whoever made it could, the parent's certificate is one, and the evidence shows
/// something. Its transactions are not looked at: the ledger refuses what is none. The caller has checked that the header
/// commits to the body and that the body is within the limits.
pub(super) fn judge(block: &Block, parent: &Parent, rules: &Rules<'_>) -> Result<(), Divergence> {
    let Header {
        chain_id,
        height,
        time,
        parent: above,
        certificate: _,
        txs: _,
        evidence: _,
        state_root,
        results,
        base_fee,
        validators,
        next_validators,
        proposer,
        simulated,
    } = &block.header;
    let last = &parent.header;
    let is = Field { height: *height };
    is.same("chain id", last.chain_id.as_str(), chain_id.as_str())?;
    is.same("height", &(last.height + 1), height)?;
    is.same("parent", &last.hash(), above)?;
    is.same("state root", &parent.state_root, state_root)?;
    is.same("results", &parent.results, results)?;
    is.same("base fee", &parent.base_fee, base_fee)?;
    is.same("validators", &parent.validators.hash(), validators)?;
    is.same("next validators", &parent.following.hash(), next_validators)?;
    is.same("simulated", &last.simulated, simulated)?;
    is.so(*time > last.time, "time", format_args!("more than {}", last.time), time)?;
    if let Some(now) = rules.now {
        let latest = now.saturating_add(AHEAD);
        is.so(*time <= latest, "time", format_args!("at most {latest}"), time)?;
    }
    is.so((rules.may_propose)(*proposer), "proposer", "whose turn it was", proposer)?;
    is.so(certifies(block.parent.as_ref(), parent, rules), "parent certificate", "one of the parent", "none")?;
    is.so(block.evidence.len() <= limits::EVIDENCE, "evidence", limits::EVIDENCE, block.evidence.len())?;
    let shown = block.evidence.iter().all(|piece| piece.verify(rules.chain_id).is_ok());
    is.so(shown, "evidence", "evidence", "what shows nothing")
}

/// Nobody signs the genesis; whatever comes later was decided.
fn certifies(certificate: Option<&Certificate>, parent: &Parent, rules: &Rules<'_>) -> bool {
    let header = &parent.header;
    match certificate {
        None => header.height == 0,
        Some(certificate) if header.height > 0 => {
            certificate.verify(rules.chain_id, &parent.signers, header.height, &header.hash()).is_ok()
        }
        Some(_) => false,
    }
}

struct Field {
    height: u64,
}

impl Field {
    fn same<T: PartialEq + Display + ?Sized>(
        &self,
        field: &'static str,
        ours: &T,
        theirs: &T,
    ) -> Result<(), Divergence> {
        self.so(ours == theirs, field, ours, theirs)
    }

    fn so(&self, ok: bool, field: &'static str, ours: impl Display, theirs: impl Display) -> Result<(), Divergence> {
        if ok {
            return Ok(());
        }
        Err(Divergence { height: self.height, field, ours: ours.to_string(), theirs: theirs.to_string() })
    }
}

#[cfg(test)]
mod tests;
