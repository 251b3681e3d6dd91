use std::collections::BTreeMap;

use alloy_primitives::B256;
use cloister_chain::{Header, Leaf, ValidatorSet};

use super::{Anchor, Checkpoint, Headers, Inclusion, LightError, Link, Rules, Source};
use crate::Error;

/// Follows a chain from what is trusted, and checks what a [`Source`] says against it.
///
/// `now` is always the caller's clock, in nanoseconds since the Unix epoch. After an error what was verified before it is
/// still trusted, and another source may be asked ([`LightClient::trusted`]).
#[derive(Clone, Debug)]
pub struct LightClient<S> {
    source: S,
    trusted: Checkpoint,
    rules: Rules,
}

/// A transaction that is proven to stand in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// Hash by which clients know it.
    pub hash: B256,
    /// Header of its block, decided by the validators.
    pub header: Header,
    /// The transaction and its receipt.
    pub inclusion: Inclusion,
    /// What is known of the receipt.
    pub state: State,
}

/// How far validators answer for a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The block is decided, the receipt is the node's word: the next block, which names the results, is not there yet.
    Executed,
    /// More than two thirds of the power signed a header that names the results.
    Agreed,
}

/// What is proven of a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// After the block of this height.
    pub height: u64,
    /// The value; `None` if it is proven that there is none.
    pub value: Option<Vec<u8>>,
}

impl<S: Source> LightClient<S> {
    /// A client that trusts `checkpoint`.
    pub const fn new(source: S, checkpoint: Checkpoint, rules: Rules) -> Self {
        Self { source, trusted: checkpoint, rules }
    }

    /// A client that trusts a block of which it knows height and hash. The source says the rest.
    pub async fn open(source: S, anchor: Anchor, rules: Rules) -> Result<Self, Error> {
        let mut told = source.headers(anchor.height, 1).await?;
        let sets = sets(&told);
        let Some((header, _)) = told.headers.drain(..).next() else { return Err(missing(anchor.height)) };
        let next = sets.get(&header.next_validators).cloned().ok_or(LightError::Set(anchor.height))?;
        Ok(Self::new(source, Checkpoint::new(anchor, header, next)?, rules))
    }

    /// What is trusted now: the highest header that was verified.
    pub const fn trusted(&self) -> &Checkpoint {
        &self.trusted
    }

    /// The source.
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// Height of the last block, if the source tells the truth.
    pub async fn tip(&self) -> Result<u64, Error> {
        Ok(self.source.headers(self.trusted.height(), 1).await?.tip)
    }

    /// Verifies the header of a height, with as few of those in between as the validators in common allow. One that is not
    /// above what is trusted needs nothing.
    pub async fn follow(&mut self, height: u64, now: u64) -> Result<&Checkpoint, Error> {
        self.follow_links(height, now).await?;
        Ok(&self.trusted)
    }

    /// The same, for the headers that led there: whoever trusts what was trusted before can follow them without asking.
    pub async fn follow_links(&mut self, height: u64, now: u64) -> Result<Vec<Link>, Error> {
        let mut way = Vec::new();
        // Headers that wait for one further down. Each is at most half as far away as the one before.
        let mut waiting: Vec<Link> = Vec::new();
        while self.trusted.height() < height {
            let link = match waiting.pop() {
                Some(link) => link,
                None => self.link(height).await?,
            };
            match self.trusted.advance(&link, &self.rules, now) {
                Ok(next) => {
                    self.trusted = next;
                    way.push(link);
                }
                Err(LightError::Overlap(far)) => {
                    let middle = self.trusted.height().midpoint(far);
                    waiting.push(link);
                    waiting.push(self.link(middle).await?);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(way)
    }

    /// The same by verifying every header on the way.
    pub async fn follow_each(&mut self, height: u64, now: u64) -> Result<&Checkpoint, Error> {
        while self.trusted.height() < height {
            let from = self.trusted.height().saturating_add(1);
            let told = self.source.headers(from, batch(height.saturating_sub(from))).await?;
            let sets = sets(&told);
            if told.headers.is_empty() {
                return Err(missing(from));
            }
            for (header, certificate) in told.headers {
                if self.trusted.height().checked_add(1) != Some(header.height) {
                    return Err(LightError::Height(header.height).into());
                }
                let certificate = certificate.ok_or(LightError::Unsigned(header.height))?;
                self.trusted = self.trusted.advance(&joined(header, certificate, &sets)?, &self.rules, now)?;
                if self.trusted.height() == height {
                    break;
                }
            }
        }
        Ok(&self.trusted)
    }

    /// Proves that a transaction of either world stands in a block, and its receipt if that is agreed on by now.
    pub async fn transaction(&mut self, hash: B256, now: u64) -> Result<Proved, Error> {
        let place = self.source.place(hash).await?.ok_or(LightError::NoTransaction(hash))?;
        let (header, above) = self.around(place.height, now).await?;
        let inclusion = self.source.inclusion(place).await?;
        inclusion.verify_tx(&hash, &header)?;
        let state = match above {
            Some(above) => {
                inclusion.verify_receipt(&header, &above)?;
                State::Agreed
            }
            None => State::Executed,
        };
        Ok(Proved { hash, header, inclusion, state })
    }

    /// Proves what stands under a leaf after the block of a height, or after the last one whose state is agreed on.
    pub async fn leaf(&mut self, leaf: Leaf, height: Option<u64>, now: u64) -> Result<Value, Error> {
        let height = match height {
            Some(height) => height,
            // A source that knows nothing newer cannot be asked about what is trusted itself.
            None => self.tip().await?.max(self.trusted.height()).saturating_sub(1),
        };
        let (_, above) = self.around(height, now).await?;
        let above = above.ok_or_else(|| missing(height.saturating_add(1)))?;
        let told = self.source.leaf(leaf, height).await?;
        told.verify(&leaf, &above)?;
        Ok(Value { height, value: told.value })
    }

    /// The header of a height and the next one, verified; no next one if the source has none.
    async fn around(&mut self, height: u64, now: u64) -> Result<(Header, Option<Header>), Error> {
        if height < self.trusted.height() {
            let (header, above) = self.below(height).await?;
            return Ok((header, Some(above)));
        }
        let header = self.follow(height, now).await?.header().clone();
        let Some(next) = height.checked_add(1) else { return Ok((header, None)) };
        match self.follow(next, now).await {
            Ok(above) => Ok((header, Some(above.header().clone()))),
            Err(Error::Light(LightError::Missing(_))) => Ok((header, None)),
            Err(error) => Err(error),
        }
    }

    /// The header of a height below what is trusted, and the one above it: each names the one below by its hash.
    async fn below(&self, height: u64) -> Result<(Header, Header), Error> {
        let (mut header, mut above) = (self.trusted.header().clone(), None);
        while header.height > height {
            let distance = batch(header.height.saturating_sub(height).saturating_sub(1));
            let from = header.height.saturating_sub(u64::from(distance));
            let told = self.source.headers(from, distance).await?;
            if told.headers.len() != distance as usize {
                return Err(missing(from));
            }
            for (lower, _) in told.headers.into_iter().rev() {
                if lower.hash() != header.parent || lower.height.checked_add(1) != Some(header.height) {
                    return Err(LightError::Parent(header.height.saturating_sub(1)).into());
                }
                above = Some(std::mem::replace(&mut header, lower));
            }
        }
        Ok((header, above.ok_or_else(|| missing(height.saturating_add(1)))?))
    }

    async fn link(&self, height: u64) -> Result<Link, Error> {
        let mut told = self.source.headers(height, 1).await?;
        let sets = sets(&told);
        let Some((header, certificate)) = told.headers.drain(..).next() else { return Err(missing(height)) };
        if header.height != height {
            return Err(LightError::Height(header.height).into());
        }
        Ok(joined(header, certificate.ok_or(LightError::Unsigned(height))?, &sets)?)
    }
}

/// Sets by the hashes that headers name.
fn sets(told: &Headers) -> BTreeMap<B256, ValidatorSet> {
    told.validators.iter().map(|set| (set.hash(), set.clone())).collect()
}

fn joined(
    header: Header,
    certificate: cloister_chain::Certificate,
    sets: &BTreeMap<B256, ValidatorSet>,
) -> Result<Link, LightError> {
    let find = |hash| sets.get(hash).cloned().ok_or(LightError::Set(header.height));
    let (validators, next_validators) = (find(&header.validators)?, find(&header.next_validators)?);
    Ok(Link { header, certificate, validators, next_validators })
}

/// How many headers to ask for when `more` are wanted beside the first.
fn batch(more: u64) -> u32 {
    u32::try_from(more).unwrap_or(u32::MAX).saturating_add(1).min(BATCH)
}

fn missing(height: u64) -> Error {
    LightError::Missing(height).into()
}

/// Most headers of one question. Nodes answer with so many even of the largest sets of validators.
const BATCH: u32 = 16;
