//! A node without a store and without an enclave, for the tests of this room.
//!
//! Execution is a hash chain: the root after a block hashes the root before it and the block. What a real node has on disk
//! is a value of its own here, which survives the crashes that a test makes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use cloister_chain::hash::tagged;
use cloister_chain::{B256, Block, Bytes, Certificate, Evidence, Genesis, Header, Parent, Validator, ValidatorSet};
use zeroize::Zeroizing;

use super::{Chain, Fatal, Kept, ValidatorKey};

/// The chain id of all tests.
pub(super) fn chain_id() -> String {
    Genesis::for_tests().chain_id
}

/// The key of validator `index`.
pub(super) fn key(index: usize) -> ValidatorKey {
    let mut seed = Zeroizing::new([0u8; 32]);
    seed[..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
    ValidatorKey::new(&seed)
}

/// Validators 0, 1, … with these powers.
pub(super) fn set(powers: &[u64]) -> ValidatorSet {
    let member = |(index, &power)| Validator { key: key(index).public(), power };
    ValidatorSet::new(powers.iter().enumerate().map(member).collect()).expect("a set")
}

/// What a transaction of the tests may do beside being there: from two heights on, the key has this power (0: leaves).
pub(super) fn power_tx(key: B256, power: u64) -> Bytes {
    [b"power".as_slice(), key.as_slice(), &power.to_le_bytes()].concat().into()
}

/// What is left after a crash.
#[derive(Default)]
pub(super) struct Disk {
    pub kept: BTreeMap<(u64, u32, Option<u32>, B256), Kept>,
    pub decided: Vec<(Block, Certificate)>,
}

/// A node.
pub(super) struct Node {
    pub disk: Disk,
    pub parent: Arc<Parent>,
    pub pool: Vec<Bytes>,
    pub evidence: BTreeSet<Evidence>,
    /// The clock stands still until it is set; `None` is the machine's.
    pub clock: Option<u64>,
    /// Added to every state root: an enclave that computes something else.
    pub deviation: u8,
}

/// A handle to a [`Node`]: what consensus gets, and what the test keeps.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Node>>);

impl Node {
    /// At the genesis, with this set.
    pub fn new(validators: &ValidatorSet) -> Self {
        let genesis = Parent::for_tests(&Genesis::for_tests());
        let [signers, following] = [validators.clone(), validators.clone()];
        let parent = Parent { signers, validators: validators.clone(), following, ..genesis };
        Self {
            disk: Disk::default(),
            parent: Arc::new(parent),
            pool: Vec::new(),
            evidence: BTreeSet::new(),
            clock: None,
            deviation: 0,
        }
    }

    /// After a crash: all that is not on disk is lost, and what was decided is executed again.
    pub fn restarted(disk: Disk, validators: &ValidatorSet, clock: Option<u64>) -> Self {
        let mut node = Self { disk, clock, ..Self::new(validators) };
        while node.execute() {}
        node
    }

    /// Executes the next decided block, if there is one.
    pub fn execute(&mut self) -> bool {
        let parent = &self.parent;
        let Some((block, certificate)) = self.disk.decided.get(parent.header.height as usize) else { return false };
        let header: &Header = &block.header;
        assert_eq!(header.parent, parent.header.hash(), "a decided block follows its parent");
        assert_eq!(header.state_root, parent.state_root, "and agrees with its results");
        let id = chain_id();
        certificate.verify(&id, &parent.validators, header.height, &header.hash()).expect("and is certified");
        let mut root = tagged("test/root", &[parent.state_root.as_slice(), header.hash().as_slice()]);
        root.0[0] ^= self.deviation;
        let next = Parent {
            header: header.clone(),
            certificate: Some(certificate.clone()),
            state_root: root,
            results: tagged("test/results", &[root.as_slice()]),
            base_fee: parent.base_fee,
            signers: parent.validators.clone(),
            validators: parent.following.clone(),
            following: following(&parent.following, &block.txs),
        };
        self.pool.retain(|tx| !block.txs.contains(tx));
        self.evidence.retain(|piece| !block.evidence.contains(piece));
        self.parent = Arc::new(next);
        true
    }

    /// Hashes of the decided blocks from height 1.
    pub fn hashes(&self) -> Vec<B256> {
        self.disk.decided.iter().map(|(block, _)| block.header.hash()).collect()
    }
}

fn following(set: &ValidatorSet, txs: &[Bytes]) -> ValidatorSet {
    let mut powers: BTreeMap<B256, u64> = set.iter().map(|validator| (validator.key, validator.power)).collect();
    for tx in txs {
        if let Some((key, power)) = tx.strip_prefix(b"power").and_then(|rest| rest.split_at_checked(32)) {
            let power = u64::from_le_bytes(power.try_into().expect("eight bytes of power"));
            powers.insert(B256::from_slice(key), power);
        }
    }
    let members = powers.into_iter().filter(|(_, power)| *power > 0).map(|(key, power)| Validator { key, power });
    ValidatorSet::new(members.collect()).unwrap_or_else(|_| set.clone())
}

impl Shared {
    /// A handle to `node`.
    pub fn new(node: Node) -> Self {
        Self(Arc::new(Mutex::new(node)))
    }

    /// The node.
    pub fn lock(&self) -> MutexGuard<'_, Node> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Chain for Shared {
    fn parent(&self) -> Arc<Parent> {
        Arc::clone(&self.lock().parent)
    }

    fn select(&self, _: &Parent) -> Vec<Bytes> {
        self.lock().pool.clone()
    }

    fn evidence(&self) -> Vec<Evidence> {
        self.lock().evidence.iter().cloned().collect()
    }

    fn has_work(&self) -> bool {
        let node = self.lock();
        !node.pool.is_empty() || !node.evidence.is_empty()
    }

    fn report(&mut self, evidence: Evidence) {
        self.lock().evidence.insert(evidence);
    }

    fn keep(&mut self, kept: &Kept) -> Result<(), Fatal> {
        let header = &kept.block.header;
        let place = (header.height, kept.round, kept.valid_round, header.hash());
        self.lock().disk.kept.insert(place, kept.clone());
        Ok(())
    }

    fn kept(&self, height: u64) -> Result<Vec<Kept>, Fatal> {
        let node = self.lock();
        let own = node.disk.kept.iter().filter(|(place, _)| place.0 == height);
        Ok(own.map(|(_, kept)| kept.clone()).collect())
    }

    fn decide(&mut self, block: &Block, certificate: &Certificate) -> Result<(), Fatal> {
        let mut node = self.lock();
        assert_eq!(node.disk.decided.len() as u64 + 1, block.header.height, "heights are decided in order");
        node.disk.decided.push((block.clone(), certificate.clone()));
        node.disk.kept.retain(|place, _| place.0 > block.header.height);
        Ok(())
    }

    fn extend(&mut self, certificate: &Certificate) -> Result<(), Fatal> {
        let mut node = self.lock();
        let (block, last) = node.disk.decided.last_mut().expect("there is a decided block");
        assert_eq!((certificate.height, certificate.block), (block.header.height, block.header.hash()));
        *last = certificate.clone();
        if node.parent.header.height == certificate.height {
            Arc::make_mut(&mut node.parent).certificate = Some(certificate.clone());
        }
        Ok(())
    }

    fn tip(&self) -> Result<u64, Fatal> {
        Ok(self.lock().disk.decided.len() as u64)
    }

    fn decided(&self, height: u64) -> Result<Option<(Block, Certificate)>, Fatal> {
        let index = height.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        Ok(index.and_then(|index| self.lock().disk.decided.get(index).cloned()))
    }

    fn oldest(&self) -> Result<u64, Fatal> {
        Ok(1)
    }

    fn now(&self) -> u64 {
        let machine = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
        self.lock().clock.unwrap_or_else(machine)
    }
}
