use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use alloy_primitives::B256;
use cloister_chain::{Certificate, Genesis, Header, ValidatorSet, limits};

use super::LightError;

/// A block that is trusted, and the validators that sign the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    header: Header,
    hash: B256,
    next: ValidatorSet,
}

/// A header with what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The header.
    pub header: Header,
    /// The proof that it was decided.
    pub certificate: Certificate,
    /// The set that signs it.
    pub validators: ValidatorSet,
    /// The set that signs the next one.
    pub next_validators: ValidatorSet,
}

/// What headers have to keep to, beside the rules of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long after its time a header's validators can vouch for others. To be well below the time for which they can
    /// still be punished: the unbonding period.
    pub trusting: Duration,
    /// How far a header's time may be ahead of the caller's clock.
    pub drift: Duration,
}

/// A block by height and hash, as a trustworthy place names it. Written `HEIGHT:HASH`.
///
/// The hash commits to everything: chain id, time, and the validators that sign the next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Height of the block.
    pub height: u64,
    /// Hash of its header.
    pub hash: B256,
}

impl Checkpoint {
    /// The block that every chain starts from. A genesis says all of it: nobody signs it, and no node is asked.
    pub fn genesis(genesis: &Genesis) -> Result<Self, LightError> {
        genesis.check()?;
        let header = Header::genesis(genesis);
        Ok(Self { hash: header.hash(), header, next: genesis.validators.clone() })
    }

    /// The block of an anchor. `next` is the set that signs the block after it.
    pub fn new(anchor: Anchor, header: Header, next: ValidatorSet) -> Result<Self, LightError> {
        let hash = header.hash();
        let bounded = header.chain_id.len() <= limits::CHAIN_ID_BYTES;
        if !bounded || (header.height, hash) != (anchor.height, anchor.hash) {
            return Err(LightError::OtherCheckpoint(anchor.height));
        }
        if header.next_validators != next.hash() {
            return Err(LightError::Set(anchor.height));
        }
        Ok(Self { header, hash, next })
    }

    /// The checkpoint of a later header: the next one, or one further up of which more than a third of the power that signs
    /// the next one is among the signers ([`LightError::Overlap`] if not). `now` is the caller's clock, in nanoseconds since
    /// the Unix epoch.
    ///
    /// More than a third of the power cannot be all dishonest, and the honest part signs only blocks of the chain.
    pub fn advance(&self, link: &Link, rules: &Rules, now: u64) -> Result<Self, LightError> {
        let Link { header, certificate, validators, next_validators: next } = link;
        let (height, hash) = (header.height, header.hash());
        self.admits(header, rules, now)?;
        if header.validators != validators.hash() || header.next_validators != next.hash() {
            return Err(LightError::Set(height));
        }
        let adjacent = height == self.height().saturating_add(1);
        if adjacent && header.parent != self.hash {
            return Err(LightError::Parent(height));
        }
        if adjacent && header.validators != self.header.next_validators {
            return Err(LightError::Validators(height));
        }
        let decided = certificate.verify(self.chain_id(), validators, height, &hash);
        decided.map_err(|error| LightError::Certificate { height, error })?;
        if !adjacent && u128::from(self.power_in(certificate)) * 3 <= u128::from(self.next.total_power()) {
            return Err(LightError::Overlap(height));
        }
        Ok(Self { header: header.clone(), hash, next: next.clone() })
    }

    /// The chain.
    pub fn chain_id(&self) -> &str {
        &self.header.chain_id
    }

    /// Height of the block.
    pub const fn height(&self) -> u64 {
        self.header.height
    }

    /// Hash of its header.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Its time, in nanoseconds since the Unix epoch. One that is long past says that the node hides what is new, or that
    /// the chain stands still.
    pub const fn time(&self) -> u64 {
        self.header.time
    }

    /// Its header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The set that signs the next block.
    pub const fn next_validators(&self) -> &ValidatorSet {
        &self.next
    }

    /// The same block in few words.
    pub const fn anchor(&self) -> Anchor {
        Anchor { height: self.height(), hash: self.hash }
    }

    /// What does not need signatures.
    fn admits(&self, header: &Header, rules: &Rules, now: u64) -> Result<(), LightError> {
        let height = header.height;
        if self.time().saturating_add(nanoseconds(rules.trusting)) <= now {
            return Err(LightError::Expired(self.height()));
        }
        if header.chain_id != self.header.chain_id {
            return Err(LightError::ChainId(header.chain_id.chars().take(limits::CHAIN_ID_BYTES).collect()));
        }
        if header.simulated != self.header.simulated {
            return Err(LightError::Simulated(header.simulated));
        }
        if height <= self.height() {
            return Err(LightError::Height(height));
        }
        if header.time <= self.time() {
            return Err(LightError::Time(height));
        }
        if header.time > now.saturating_add(nanoseconds(rules.drift)) {
            return Err(LightError::Future(height));
        }
        Ok(())
    }

    /// Power that the signers have in the set that signs the next block. The certificate has been verified: nobody stands
    /// in it twice.
    fn power_in(&self, certificate: &Certificate) -> u64 {
        let members = certificate.precommits.iter().filter_map(|precommit| self.next.find(&precommit.validator));
        members.map(|member| member.power).sum()
    }
}

impl Default for Rules {
    /// Two weeks, where unbonding takes three; ten seconds.
    fn default() -> Self {
        Self { trusting: Duration::from_secs(14 * 24 * 60 * 60), drift: Duration::from_secs(10) }
    }
}

impl FromStr for Anchor {
    type Err = LightError;

    fn from_str(text: &str) -> Result<Self, LightError> {
        let (height, hash) = text.split_once(':').ok_or(LightError::Anchor)?;
        let height = height.parse().map_err(|_| LightError::Anchor)?;
        Ok(Self { height, hash: hash.parse().map_err(|_| LightError::Anchor)? })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.height, self.hash)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
