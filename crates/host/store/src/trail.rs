//! States of others: the way to them, and a store that begins with one.

use alloy_primitives::{B256, Bytes};
use cloister_chain::trail::{Link, Trail};
use cloister_chain::{Certificate, Header, Leaf, Parent, ValidatorSet, limits};
use redb::WriteTransaction;

use crate::store::{add_sets, encode, name, tip};
use crate::tables::{BLOBS, CERTIFICATES, HEADERS, HEIGHTS, LEAVES, LINKS, META, NAMES, decode, meta, version_key};
use crate::{Head, Reader, Store, StoreError};

/// What a state is made of: leaves, then blobs.
#[derive(Clone, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub enum Item {
    /// A leaf and its value.
    Leaf(Leaf, Vec<u8>),
    /// A blob under its keccak-256.
    Blob(B256, Bytes),
}

impl Store {
    /// Begins with the state after the block of `parent` instead of the genesis: `trail` leads there, `checkpoint` is the
    /// enclave's. All of it or nothing. The caller has had the enclave check the leaves. Refused ([`StoreError::Order`]) when
    /// there is a tip.
    pub fn adopt<E: From<StoreError>>(
        &self,
        parent: &Parent,
        trail: &Trail,
        checkpoint: &[u8],
        items: impl Iterator<Item = Result<Item, E>>,
    ) -> Result<(), E> {
        let genesis = Header::genesis(&self.reader()?.genesis()?);
        let transaction = self.begin()?;
        let height = parent.header.height;
        begin(&transaction, &genesis, parent, trail, checkpoint)?;
        {
            let mut leaves = transaction.open_table(LEAVES).map_err(StoreError::from)?;
            let mut names = transaction.open_table(NAMES).map_err(StoreError::from)?;
            let mut blobs = transaction.open_table(BLOBS).map_err(StoreError::from)?;
            for item in items {
                match item? {
                    Item::Leaf(leaf, value) => {
                        leaves.insert(&*version_key(&leaf, height), Some(&*value)).map_err(StoreError::from)?;
                        name(&mut names, &leaf, Some(&value))?;
                    }
                    Item::Blob(hash, blob) => {
                        blobs.insert(&hash.0, &*blob.0).map_err(StoreError::from)?;
                    }
                }
            }
        }
        Ok(transaction.commit().map_err(StoreError::from)?)
    }
}

impl Reader {
    /// The way to the state after the block of `height`, once the header above it is executed too; `None` before, or if one
    /// of the two is not kept.
    pub fn trail(&self, height: u64) -> Result<Option<Trail>, StoreError> {
        let Some(next) = height.checked_add(1) else { return Ok(None) };
        let (Some(header), Some(above)) = (self.header(height)?, self.header(next)?) else { return Ok(None) };
        let table = self.transaction().open_table(LINKS)?;
        let mut links = Vec::new();
        for entry in table.range(1..next)? {
            links.push(decode::<Link>(entry?.1.value(), "links")?);
        }
        if height == 0 || links.len() >= limits::TRAIL {
            return Ok(None);
        }
        let set = |hash: &B256| self.validators(hash)?.ok_or(StoreError::Corrupted("sets"));
        let link = Link { certificate: self.certificate(next)?, next: set(&above.next_validators)?, header: above };
        links.push(link);
        let (certificate, signers) = (self.certificate(height)?, set(&header.validators)?);
        Ok(Some(Trail { links, header, certificate, signers }))
    }

    /// All blobs, ascending.
    pub fn blobs(&self) -> Result<impl Iterator<Item = Result<(B256, Bytes), StoreError>> + use<>, StoreError> {
        let table = self.transaction().open_table(BLOBS)?.range_owned::<&[u8; 32]>(..)?;
        Ok(table.map(|entry| {
            let (hash, blob) = entry?;
            Ok((B256::new(*hash.value()), Bytes::copy_from_slice(blob.value())))
        }))
    }

    /// The certificate of the tip; `None` at genesis.
    pub fn tip_certificate(&self) -> Result<Option<Certificate>, StoreError> {
        match self.tip()? {
            None | Some(0) => Ok(None),
            Some(height) => self.certificate(height).map(Some),
        }
    }
}

/// A header after which another set signs is a step of every later trail.
pub(crate) fn link(
    transaction: &WriteTransaction,
    header: &Header,
    certificate: &Certificate,
    next: &ValidatorSet,
) -> Result<(), StoreError> {
    if header.validators != header.next_validators {
        let link = Link { header: header.clone(), certificate: certificate.clone(), next: next.clone() };
        transaction.open_table(LINKS)?.insert(header.height, &*encode(&link))?;
    }
    Ok(())
}

/// All but the state itself.
fn begin(
    transaction: &WriteTransaction,
    genesis: &Header,
    parent: &Parent,
    trail: &Trail,
    checkpoint: &[u8],
) -> Result<(), StoreError> {
    let height = parent.header.height;
    let mut table = transaction.open_table(META)?;
    if tip(&table)?.is_some() {
        return Err(StoreError::Order { expected: 0, found: height });
    }
    let head = Head {
        height,
        state_root: parent.state_root,
        results: parent.results,
        next_base_fee: parent.base_fee,
        signers: parent.signers.clone(),
        next_validators: parent.validators.clone(),
        following_validators: parent.following.clone(),
    };
    table.insert(meta::HEAD, &*encode(&head))?;
    table.insert(meta::CHECKPOINT, checkpoint)?;
    table.insert(meta::OLDEST, &height.to_le_bytes()[..])?;
    add_sets(transaction, &head)?;
    let mut headers = transaction.open_table(HEADERS)?;
    let mut heights = transaction.open_table(HEIGHTS)?;
    for header in [genesis, &parent.header] {
        headers.insert(header.height, &*encode(header))?;
        heights.insert(&header.hash().0, header.height)?;
    }
    if let Some(certificate) = &parent.certificate {
        transaction.open_table(CERTIFICATES)?.insert(height, &*encode(certificate))?;
    }
    // The last link is not executed here: when it is, it is kept like any other block.
    let steps = trail.links.iter().filter(|link| link.header.height <= height);
    for step in steps {
        link(transaction, &step.header, &step.certificate, &step.next)?;
    }
    Ok(())
}
