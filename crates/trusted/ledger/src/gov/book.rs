//! Lists of accounts, and the queue of what ends with time: a binary heap of leaves, so that no entry costs more because
//! there are more of them.

use cloister_chain::gov::{Due, Governance, PAGE};
use cloister_chain::{Address, Leaf};
use cloister_state::Supply;

use super::Gov;
use crate::cosmos::Fail;

/// Which list of a proposal.
pub(super) type Pages = fn(u64, u32) -> Leaf;

impl<S: Supply> Gov<'_, '_, S> {
    pub(super) fn governance(&mut self) -> Result<Governance, Fail> {
        Ok(self.meter.read(Leaf::Governance)?.unwrap_or_default())
    }

    pub(super) fn put_governance(&mut self, governance: &Governance) -> Result<(), Fail> {
        self.meter.write(Leaf::Governance, Some(governance))
    }

    /// Adds an account to a list of `count` entries.
    pub(super) fn enlist(&mut self, pages: Pages, id: u64, count: &mut u32, account: Address) -> Result<(), Fail> {
        let leaf = pages(id, *count / PAGE);
        let mut page: Vec<Address> = self.meter.read(leaf)?.unwrap_or_default();
        page.push(account);
        self.meter.write(leaf, Some(&page))?;
        *count = count.saturating_add(1);
        Ok(())
    }

    /// Takes as many accounts as `most` from the end of a list of `count` entries: all from one page.
    pub(super) fn delist(&mut self, pages: Pages, id: u64, count: &mut u32, most: u32) -> Result<Vec<Address>, Fail> {
        let Some(last) = count.checked_sub(1) else { return Ok(Vec::new()) };
        let leaf = pages(id, last / PAGE);
        let mut page: Vec<Address> = self.meter.read(leaf)?.unwrap_or_default();
        let stay = page.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        let taken = page.split_off(stay);
        self.meter.write(leaf, (!page.is_empty()).then_some(&page))?;
        *count = count.saturating_sub(u32::try_from(taken.len()).unwrap_or(u32::MAX));
        // A list that is shorter than its count says would never end.
        if taken.is_empty() {
            *count = 0;
        }
        Ok(taken)
    }

    /// What ends first.
    pub(super) fn first(&mut self) -> Result<Option<Due>, Fail> {
        if self.governance()?.queued == 0 { Ok(None) } else { self.meter.read(Leaf::GovQueue(0)) }
    }

    /// Remembers that something ends.
    pub(super) fn push(&mut self, due: Due) -> Result<(), Fail> {
        let mut governance = self.governance()?;
        let mut at = governance.queued;
        governance.queued = governance.queued.saturating_add(1);
        while at > 0 {
            let parent = (at - 1) / 2;
            let above = self.entry(parent)?;
            if above <= due {
                break;
            }
            self.meter.write(Leaf::GovQueue(at), Some(&above))?;
            at = parent;
        }
        self.meter.write(Leaf::GovQueue(at), Some(&due))?;
        governance.due = Some(self.entry(0)?.time);
        self.put_governance(&governance)
    }

    /// Forgets what ends first.
    pub(super) fn pop(&mut self) -> Result<(), Fail> {
        let mut governance = self.governance()?;
        let Some(left) = governance.queued.checked_sub(1) else { return Ok(()) };
        governance.queued = left;
        let moved = self.entry(left)?;
        self.meter.write(Leaf::GovQueue(left), None::<&Due>)?;
        let mut at = 0u32;
        loop {
            let child = at.saturating_mul(2).saturating_add(1);
            if child >= left {
                break;
            }
            let mut least = (self.entry(child)?, child);
            if child + 1 < left {
                least = least.min((self.entry(child + 1)?, child + 1));
            }
            if moved <= least.0 {
                break;
            }
            self.meter.write(Leaf::GovQueue(at), Some(&least.0))?;
            at = least.1;
        }
        governance.due = None;
        if left > 0 {
            self.meter.write(Leaf::GovQueue(at), Some(&moved))?;
            governance.due = Some(self.entry(0)?.time);
        }
        self.put_governance(&governance)
    }

    fn entry(&mut self, at: u32) -> Result<Due, Fail> {
        Ok(self.meter.read(Leaf::GovQueue(at))?.unwrap_or_default())
    }
}
