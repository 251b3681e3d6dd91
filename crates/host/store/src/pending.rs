//! What is above the tip: proposals of which one will be decided, and decided blocks that are still to be executed.

use alloy_primitives::B256;
use cloister_chain::{Block, Certificate};
use redb::{ReadableTable as _, WriteTransaction};

use crate::store::{encode, tip};
use crate::tables::{BODIES, CERTIFICATES, DECIDED, META, PROPOSALS, decode};
use crate::{Reader, Store, StoreError, StoredBlock};

impl Store {
    /// Keeps what consensus has to remember of a proposal for a height above the tip. On disk when this returns.
    pub fn keep(&self, height: u64, round: u32, block: &B256, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.open_table(PROPOSALS)?.insert((height, &proposal(round, block)), bytes)?;
            Ok(())
        })
    }

    /// Keeps the next block with the proof that it was decided. On disk when this returns; [`Store::commit`] is to follow.
    pub fn decide(&self, block: &Block, certificate: &Certificate) -> Result<(), StoreError> {
        if certificate.height != block.header.height || certificate.block != block.header.hash() {
            return Err(StoreError::Mismatch);
        }
        self.write(|transaction| {
            let found = block.header.height;
            let mut decided = transaction.open_table(DECIDED)?;
            let last = decided.last()?.map(|(height, _)| height.value());
            let expected = last.or(tip(&transaction.open_table(META)?)?).map_or(0, |height| height + 1);
            if found != expected {
                return Err(StoreError::Order { expected, found });
            }
            decided.insert(found, &*encode(block))?;
            transaction.open_table(CERTIFICATES)?.insert(found, &*encode(certificate))?;
            Ok(())
        })
    }

    /// Replaces the certificate of a decided block by one that says the same with other precommits.
    pub fn extend(&self, certificate: &Certificate) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(CERTIFICATES)?;
            let held = table.get(certificate.height)?.map(|bytes| decode::<Certificate>(bytes.value(), "certificates"));
            if held.transpose()?.is_none_or(|held| held.block != certificate.block) {
                return Err(StoreError::Mismatch);
            }
            table.insert(certificate.height, &*encode(certificate))?;
            Ok(())
        })
    }
}

impl Reader {
    /// What was kept of the proposals for a height, in the order of rounds.
    pub fn proposals(&self, height: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let table = self.transaction().open_table(PROPOSALS)?;
        let all = table.range((height, &[0; 36])..=(height, &[0xff; 36]))?;
        all.map(|entry| Ok(entry?.1.value().to_vec())).collect()
    }

    /// The decided block of a height and its certificate, executed or not.
    pub fn decided(&self, height: u64) -> Result<Option<StoredBlock>, StoreError> {
        let waiting = self.transaction().open_table(DECIDED)?.get(height)?;
        let Some(block) = waiting else { return self.block(height) };
        let block = decode(block.value(), "decided")?;
        Ok(Some(StoredBlock { block, certificate: self.certificate(height)? }))
    }

    /// Height of the block that was decided last, executed or not; `None` until the genesis is committed.
    pub fn decided_tip(&self) -> Result<Option<u64>, StoreError> {
        let last = self.transaction().open_table(DECIDED)?.last()?.map(|(height, _)| height.value());
        Ok(last.or(self.tip()?))
    }

    /// Lowest height whose block is kept with its transactions; `None` before the first block.
    pub fn oldest_block(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.transaction().open_table(BODIES)?.first()?.map(|(height, _)| height.value()))
    }

    pub(crate) fn certificate(&self, height: u64) -> Result<Certificate, StoreError> {
        let bytes = self.transaction().open_table(CERTIFICATES)?.get(height)?;
        decode(bytes.ok_or(StoreError::Corrupted("certificates"))?.value(), "certificates")
    }
}

/// A block was executed: it is not above the tip any more, and neither is anything that was proposed in its place.
pub(crate) fn settle(transaction: &WriteTransaction, certificate: &Certificate) -> Result<(), StoreError> {
    let height = certificate.height;
    let mut decided = transaction.open_table(DECIDED)?;
    if decided.remove(height)?.is_none() {
        transaction.open_table(CERTIFICATES)?.insert(height, &*encode(certificate))?;
    }
    transaction.open_table(PROPOSALS)?.retain_in(..=(height, &[0xff; 36]), |_, _| false)?;
    Ok(())
}

/// Proposals of a height in the order of their rounds, big-endian.
fn proposal(round: u32, block: &B256) -> [u8; 36] {
    let mut key = [0; 36];
    key[..4].copy_from_slice(&round.to_be_bytes());
    key[4..].copy_from_slice(block.as_slice());
    key
}
