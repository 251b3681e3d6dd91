use alloy_primitives::B256;
use ed25519_zebra::{SigningKey, VerificationKey};

use super::*;
use crate::certificate::{Precommit, sign_bytes};
use crate::{Block, Validator};

fn key(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

fn set(seeds: &[u8]) -> ValidatorSet {
    let member = |seed: &u8| Validator { key: B256::new(VerificationKey::from(&key(*seed)).into()), power: 1 };
    ValidatorSet::new(seeds.iter().map(member).collect()).expect("a set")
}

/// A chain of which every block is signed by all of its set; `sets[h - 1]` signs block h.
struct Chain {
    genesis: Genesis,
    blocks: Vec<(Block, Certificate)>,
    sets: Vec<Vec<u8>>,
}

impl Chain {
    fn of(sets: &[&[u8]]) -> Self {
        let genesis = Genesis { validators: set(sets[0]), ..Genesis::for_tests() };
        let mut parent = Parent { following: set(sets[1]), ..Parent::for_tests(&genesis) };
        let mut blocks = Vec::new();
        for height in 1..sets.len() - 1 {
            let proposer = parent.validators.iter().next().expect("a set has members").address();
            let block = parent.block(vec![], vec![], 0, proposer);
            let certificate = certificate(&block.header, sets[height - 1]);
            parent = Parent {
                header: block.header.clone(),
                certificate: Some(certificate.clone()),
                state_root: B256::repeat_byte(height as u8),
                signers: parent.validators,
                validators: parent.following,
                following: set(sets[height + 1]),
                ..parent
            };
            blocks.push((block, certificate));
        }
        Self { genesis, blocks, sets: sets.iter().map(|set| set.to_vec()).collect() }
    }

    fn link(&self, height: usize) -> Link {
        let (block, certificate) = self.blocks[height - 1].clone();
        Link { header: block.header, certificate, next: set(&self.sets[height]) }
    }

    /// The trail to the state after `height`, over `links`.
    fn trail(&self, links: &[usize], height: usize) -> Trail {
        let (block, certificate) = self.blocks[height - 1].clone();
        let links = links.iter().map(|height| self.link(*height)).collect();
        Trail { links, header: block.header, certificate, signers: set(&self.sets[height - 1]) }
    }
}

fn certificate(header: &Header, signers: &[u8]) -> Certificate {
    let message = sign_bytes(&header.chain_id, header.height, 0, &header.hash());
    let precommit = |seed: &u8| Precommit {
        validator: B256::new(VerificationKey::from(&key(*seed)).into()),
        signature: key(*seed).sign(message.as_slice()).into(),
    };
    let mut precommits: Vec<_> = signers.iter().map(precommit).collect();
    precommits.sort_by_key(|precommit| precommit.validator);
    Certificate { height: header.height, round: 0, block: header.hash(), precommits }
}

/// Six blocks; the set changes twice: block 3 is the first of {2, 3, 4}, block 5 of {4, 5}.
fn chain() -> Chain {
    let (a, b, c): (&[u8], &[u8], &[u8]) = (&[1, 2, 3], &[2, 3, 4], &[4, 5]);
    Chain::of(&[a, a, b, b, c, c, c, c])
}

#[test]
fn a_trail_needs_one_link_for_each_change_of_the_set() {
    let chain = chain();
    let parent = chain.trail(&[2, 4, 6], 5).verify(&chain.genesis).expect("every change is there");
    assert_eq!(parent.header, chain.blocks[4].0.header);
    assert_eq!(parent.state_root, B256::repeat_byte(5));
    assert_eq!((parent.signers, parent.validators, parent.following), (set(&[4, 5]), set(&[4, 5]), set(&[4, 5])));
    let parent = chain.trail(&[1, 2, 3], 2).verify(&chain.genesis).expect("more than needed");
    // What a node that executed the block would say of the next one is what the chain says.
    let next = parent.block(vec![], vec![], 0, chain.blocks[2].0.header.proposer);
    assert_eq!(next.header, chain.blocks[2].0.header);
    assert_eq!(
        (parent.signers, parent.validators, parent.following),
        (set(&[1, 2, 3]), set(&[2, 3, 4]), set(&[2, 3, 4]))
    );
}

#[test]
fn a_trail_with_a_hole_leads_nowhere() {
    let chain = chain();
    let refused =
        |links: &[usize], height| chain.trail(links, height).verify(&chain.genesis).map(|_| ()).expect_err("nowhere");
    assert_eq!(refused(&[4, 6], 5), TrailError::Set(4), "the first change is not shown");
    assert_eq!(refused(&[2, 6], 5), TrailError::Set(6));
    assert_eq!(refused(&[4, 2, 6], 5), TrailError::Set(4));
    assert_eq!(refused(&[2, 2, 4, 6], 5), TrailError::Order(2));
    assert_eq!(refused(&[2, 4, 5], 5), TrailError::Above, "nothing above names the state's root");
    assert_eq!(refused(&[2, 4], 5), TrailError::Above);
    assert_eq!(refused(&[], 5), TrailError::Length);
}

#[test]
fn nothing_on_a_trail_can_be_changed() {
    let chain = chain();
    let good = chain.trail(&[2, 4, 6], 5);
    type Change = fn(&mut Trail);
    let families: [(&str, Change); 11] = [
        ("root", |trail| trail.links[2].header.state_root = B256::ZERO),
        ("results", |trail| trail.links[2].header.results = B256::ZERO),
        ("next set", |trail| trail.links[0].next = set(&[9])),
        ("next set with its hash", |trail| {
            trail.links[0].next = set(&[9]);
            trail.links[0].header.next_validators = set(&[9]).hash();
        }),
        ("last set", |trail| trail.links[2].next = set(&[9])),
        ("chain", |trail| trail.links[1].header.chain_id = "test-2".into()),
        ("hardware", |trail| trail.links[1].header.simulated = false),
        ("signature", |trail| trail.links[1].certificate.precommits[0].signature[0] ^= 1),
        ("power", |trail| trail.links[1].certificate.precommits.truncate(2)),
        ("block", |trail| trail.header.time += 1),
        ("block's certificate", |trail| trail.certificate.precommits.truncate(1)),
    ];
    for (name, change) in families {
        let mut trail = good.clone();
        change(&mut trail);
        assert!(trail.verify(&chain.genesis).is_err(), "{name}");
    }
    let mut other = good.clone();
    other.signers = set(&[1, 2, 3]);
    assert_eq!(other.verify(&chain.genesis).map(|_| ()), Err(TrailError::Set(5)));
    let elsewhere = Genesis { validators: set(&[7]), ..chain.genesis.clone() };
    assert_eq!(good.verify(&elsewhere).map(|_| ()), Err(TrailError::Set(2)));
    good.verify(&chain.genesis).expect("the trail itself");
}
