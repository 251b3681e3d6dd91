//! A chain whose validators, transactions and state the test chooses, and nodes that tell it, truthfully or not.

use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use cloister_chain::hash::merkle_path;
use cloister_chain::proof::{Proof, branch_hash, leaf_hash};
use cloister_chain::{Block, Certificate, Genesis, Header, Leaf, Parent, Receipt, Status, Validator, ValidatorSet};
use ed25519_zebra::{SigningKey, VerificationKey};

use crate::Error;
use crate::light::{Checkpoint, Headers, Inclusion, LeafProof, LightClient, LightError, Link, Place, Rules, Source};

/// Members as (number of the key, power).
pub type Members = Vec<(u8, u64)>;

/// Blocks, each a second after the one before.
pub struct Chain {
    pub genesis: Genesis,
    links: Vec<(Header, Option<Certificate>)>,
    txs: Vec<Vec<Bytes>>,
    receipts: Vec<Vec<Receipt>>,
    sets: Vec<Members>,
}

impl Chain {
    /// A chain up to the height of the last set but two; the set of height h is `sets[h - 1]`, and everybody signs. Block h
    /// has h transactions, at most seven.
    pub fn of(sets: &[Members]) -> Arc<Self> {
        let txs = |height: u64| (0..height.min(7)).map(|index| tx(height, index)).collect();
        Self::telling(&Genesis::for_tests(), sets, state_root, txs)
    }

    /// The same with other transactions, and roots of a state that the test knows.
    pub fn telling(
        genesis: &Genesis,
        sets: &[Members],
        state_root: impl Fn(u64) -> B256,
        txs: impl Fn(u64) -> Vec<Bytes>,
    ) -> Arc<Self> {
        let genesis = Genesis { validators: set(&sets[0]), ..genesis.clone() };
        let mut parent = Parent { state_root: state_root(0), following: set(&sets[1]), ..Parent::for_tests(&genesis) };
        let sets = sets.to_vec();
        let mut chain = Self {
            genesis,
            links: vec![(parent.header.clone(), None)],
            txs: vec![vec![]],
            receipts: vec![vec![]],
            sets,
        };
        for height in 1..chain.sets.len() as u64 - 1 {
            let txs = txs(height);
            let receipts: Vec<Receipt> = txs.iter().map(receipt).collect();
            let proposer = parent.validators.iter().next().unwrap().address();
            let header = parent.block(txs.clone(), vec![], time(height), proposer).header;
            let certificate = sign(&header, &chain.sets[height as usize - 1]);
            parent = Parent {
                state_root: state_root(height),
                results: Receipt::root(&receipts),
                signers: parent.validators,
                validators: parent.following,
                following: set(&chain.sets[height as usize + 1]),
                certificate: Some(certificate.clone()),
                header: header.clone(),
                base_fee: 9,
            };
            chain.links.push((header, Some(certificate)));
            chain.txs.push(txs);
            chain.receipts.push(receipts);
        }
        Arc::new(chain)
    }

    /// The same four validators all the time.
    pub fn steady(height: u64) -> Arc<Self> {
        Self::of(&vec![vec![(1, 1), (2, 1), (3, 1), (4, 1)]; height as usize + 2])
    }

    /// One of four validators is replaced at each height, so that after four heights nobody is left.
    pub fn changing(height: u64) -> Arc<Self> {
        let members = |first: u64| (first..first + 4).map(|number| (number as u8, 1)).collect();
        Self::of(&(1..=height + 2).map(members).collect::<Vec<Members>>())
    }

    pub fn tip(&self) -> u64 {
        self.links.len() as u64 - 1
    }

    pub fn header(&self, height: u64) -> Header {
        self.links[height as usize].0.clone()
    }

    pub fn members(&self, height: u64) -> &Members {
        &self.sets[height as usize - 1]
    }

    pub fn link(&self, height: u64) -> Link {
        let (header, certificate) = self.links[height as usize].clone();
        Link {
            header,
            certificate: certificate.unwrap(),
            validators: set(&self.sets[height as usize - 1]),
            next_validators: set(&self.sets[height as usize]),
        }
    }

    /// Hash of a transaction.
    pub fn hash(&self, height: u64, index: u32) -> B256 {
        self.receipts[height as usize][index as usize].tx
    }

    pub fn inclusion(&self, height: u64, index: u32) -> Inclusion {
        let (txs, receipts) = (&self.txs[height as usize], &self.receipts[height as usize]);
        let path = |hashes: Vec<B256>| merkle_path(&hashes, index as usize).unwrap();
        Inclusion {
            index,
            count: txs.len() as u32,
            tx: txs[index as usize].clone(),
            tx_path: path(txs.iter().map(|tx| Block::tx_leaf(tx)).collect()),
            receipt: receipts[index as usize].clone(),
            receipt_path: path(receipts.iter().map(Receipt::hash).collect()),
        }
    }

    pub fn headers(&self, from: u64, count: u32) -> Headers {
        let links: Vec<_> = self.links.iter().skip(from as usize).take(count as usize).cloned().collect();
        let heights = links.iter().map(|(header, _)| header.height.max(1));
        let mut validators: Vec<ValidatorSet> =
            heights.flat_map(|height| [height, height + 1]).map(|height| set(self.members(height))).collect();
        validators.dedup();
        Headers { tip: self.tip(), headers: links, validators }
    }
}

/// What an honest node's answers are changed by.
pub enum Lie {
    None,
    Headers(Box<dyn Fn(&mut Headers) + Send + Sync>),
    Inclusion(Box<dyn Fn(&mut Inclusion) + Send + Sync>),
    Place(Option<Place>),
    Leaf(Box<dyn Fn(&mut LeafProof) + Send + Sync>),
}

/// A node.
pub struct Teller {
    pub chain: Arc<Chain>,
    pub lie: Lie,
    /// Heights from which headers were asked for.
    pub asked: Mutex<Vec<u64>>,
}

impl Source for Teller {
    async fn headers(&self, from: u64, count: u32) -> Result<Headers, Error> {
        self.asked.lock().unwrap().push(from);
        let mut told = self.chain.headers(from, count);
        if let Lie::Headers(lie) = &self.lie {
            lie(&mut told);
        }
        Ok(told)
    }

    async fn place(&self, hash: B256) -> Result<Option<Place>, Error> {
        if let Lie::Place(place) = self.lie {
            return Ok(place);
        }
        let found = (0u64..).zip(&self.chain.receipts).find_map(|(height, receipts)| {
            let index = receipts.iter().position(|receipt| receipt.tx == hash)?;
            Some(Place { height, index: index as u32 })
        });
        Ok(found)
    }

    async fn inclusion(&self, place: Place) -> Result<Inclusion, Error> {
        let mut told = self.chain.inclusion(place.height, place.index);
        if let Lie::Inclusion(lie) = &self.lie {
            lie(&mut told);
        }
        Ok(told)
    }

    async fn leaf(&self, leaf: Leaf, height: u64) -> Result<LeafProof, Error> {
        let mut told = leaf_proof(&leaf, height);
        if let Lie::Leaf(lie) = &self.lie {
            lie(&mut told);
        }
        Ok(told)
    }

    async fn genesis_certificate(&self, _: u32) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }
}

/// A client that trusts the genesis and asks a node.
pub fn client(chain: &Arc<Chain>, lie: Lie) -> LightClient<Teller> {
    LightClient::new(teller(chain, lie), Checkpoint::genesis(&chain.genesis).unwrap(), Rules::default())
}

pub fn teller(chain: &Arc<Chain>, lie: Lie) -> Teller {
    Teller { chain: Arc::clone(chain), lie, asked: Mutex::default() }
}

/// What a light client refused.
pub fn light<T>(told: Result<T, Error>) -> LightError {
    match told {
        Err(Error::Light(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("believed"),
    }
}

/// Heights from which headers were asked for.
pub fn asked(client: &LightClient<Teller>) -> Vec<u64> {
    client.source().asked.lock().unwrap().clone()
}

/// A clock that shows the time of height `height` and half a second.
pub fn clock(height: u64) -> u64 {
    time(height) + SECOND / 2
}

pub fn time(height: u64) -> u64 {
    Genesis::for_tests().time + height * SECOND
}

pub fn set(members: &Members) -> ValidatorSet {
    let validator = |(number, power): &(u8, u64)| Validator { key: public(*number), power: *power };
    ValidatorSet::new(members.iter().map(validator).collect()).unwrap()
}

/// A certificate by all of `members`.
pub fn sign(header: &Header, members: &Members) -> Certificate {
    let solo = |number: u8| {
        let key = SigningKey::from([number; 32]);
        Certificate::solo(&key, &header.chain_id, header.height, header.hash())
    };
    let mut precommits: Vec<_> = members.iter().map(|(number, _)| solo(*number).precommits.remove(0)).collect();
    precommits.sort_by_key(|precommit| precommit.validator);
    Certificate { precommits, ..solo(1) }
}

/// The present leaf.
pub const PRESENT: Leaf = Leaf::Account(Address::repeat_byte(1));
/// The absent one.
pub const ABSENT: Leaf = Leaf::Account(Address::repeat_byte(3));

/// Value of [`PRESENT`] at a height; a second leaf never changes.
pub fn value(height: u64) -> Vec<u8> {
    height.to_le_bytes().to_vec()
}

/// Proof of either leaf.
pub fn leaf_proof(leaf: &Leaf, height: u64) -> LeafProof {
    let (present, other) = (PRESENT.position(), OTHER.position());
    let at = first_difference(&present, &other);
    // Whichever way the absent leaf's position leads, a leaf of another position is there.
    let is_present = *leaf == PRESENT || bit(&leaf.position(), at) == bit(&present, at);
    let (end, sibling) = if is_present {
        ((present, Leaf::value_hash(&value(height))), leaf_hash(&other, &Leaf::value_hash(b"other")))
    } else {
        ((other, Leaf::value_hash(b"other")), leaf_hash(&present, &Leaf::value_hash(&value(height))))
    };
    let proof = Proof { siblings: vec![(at, sibling)], leaf: Some(end) };
    LeafProof { value: (*leaf == PRESENT).then(|| value(height)), proof }
}

fn state_root(height: u64) -> B256 {
    let (present, other) = (PRESENT.position(), OTHER.position());
    let at = first_difference(&present, &other);
    let here = leaf_hash(&present, &Leaf::value_hash(&value(height)));
    let there = leaf_hash(&other, &Leaf::value_hash(b"other"));
    if bit(&present, at) { branch_hash(at, &there, &here) } else { branch_hash(at, &here, &there) }
}

fn first_difference(one: &B256, other: &B256) -> u8 {
    (0..=255).find(|at| bit(one, *at) != bit(other, *at)).unwrap()
}

fn bit(position: &B256, at: u8) -> bool {
    cloister_chain::proof::bit(position, at)
}

/// Something that is hashed as an Ethereum transaction: nothing here executes it.
fn tx(height: u64, index: u64) -> Bytes {
    [&[1][..], &height.to_le_bytes(), &index.to_le_bytes()].concat().into()
}

fn receipt(tx: &Bytes) -> Receipt {
    Receipt {
        tx: keccak256(&tx[1..]),
        from: Address::repeat_byte(tx[1]),
        status: Status::Success,
        gas_used: 21_000 + u64::from(tx[9]),
        gas_price: 7,
        contract: None,
        logs: Vec::new(),
        cosmos: None,
    }
}

fn public(number: u8) -> B256 {
    B256::new(VerificationKey::from(&SigningKey::from([number; 32])).into())
}

const OTHER: Leaf = Leaf::Account(Address::repeat_byte(2));
pub const SECOND: u64 = 1_000_000_000;
