//! Blocks that the validators did not decide (M-01).

use alloy_primitives::{U256, uint};
use cloister_chain::certificate::Precommit;
use cloister_chain::trail::{Link, Trail};
use cloister_chain::wire::Execute;
use cloister_chain::{Account, B256, Header, Leaf, Parent, Statement, ValidatorSet};
use cloister_state::Tree;
use cloister_teeth::Mechanism;
use ed25519_zebra::{SigningKey, VerificationKey};

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Stage, address, key, named, next_of, signed_by, transfer};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "uncertified-block",
        rules: "M-01 D1",
        mechanism: Mechanism::Certificate,
        story: "The host makes a block of its own and has it executed without the validators.",
        attack: uncertified,
    },
    Scenario {
        name: "sub-quorum",
        rules: "M-01",
        mechanism: Mechanism::Power,
        story: "Two thirds of the power, or less, sign a block.",
        attack: sub_quorum,
    },
    Scenario {
        name: "duplicate-signer",
        rules: "M-01",
        mechanism: Mechanism::DistinctSigners,
        story: "One validator's signature is counted as often as it takes.",
        attack: duplicate_signer,
    },
    Scenario {
        name: "borrowed-votes",
        rules: "M-01",
        mechanism: Mechanism::Signatures,
        story: "True signatures of all validators, over nil, a prevote, another round, height, block or chain, or written in another way, pass for precommits.",
        attack: borrowed_votes,
    },
    Scenario {
        name: "forged-set",
        rules: "M-01 M-30",
        mechanism: Mechanism::SetLink,
        story: "On the way to a snapshot the host names a validator set of its own, which then signs whatever it likes.",
        attack: forged_set,
    },
    Scenario {
        name: "old-keys",
        rules: "M-01 M-30",
        mechanism: Mechanism::Rotation,
        story: "Validators that handed over long ago sign a later state (long range).",
        attack: old_keys,
    },
];

fn uncertified(stage: &mut Stage) -> Result<Attempts, Failure> {
    let chain = Chain::four(stage)?;
    let block = chain.propose(vec![transfer(1, 0, address(2), 5)]);
    let stranger = SigningKey::from(stage.dice.bytes());
    let mut garbled = chain.decide(block.clone());
    for precommit in &mut garbled.certificate.precommits {
        precommit.signature = [stage.dice.bytes::<32>(), stage.dice.bytes()].concat().try_into().unwrap_or([0; 64]);
    }
    let mut attempts = Attempts::default();
    for (what, block) in [
        ("signed by nobody", signed_by(&[], block.clone())),
        ("signed by a stranger", signed_by(&[stranger], block)),
        ("signed with noise", garbled),
    ] {
        attempts.add(what, chain.offer(stage, &block)?.is_done());
    }
    Ok(attempts)
}

fn sub_quorum(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut attempts = Attempts::default();
    for (validators, signers) in [(4, 1), (4, 2), (3, 2), (6, 4)] {
        let chain = Chain::of(stage, validators)?;
        let signers: Vec<_> = (1..=signers).map(key).collect();
        let block = signed_by(&signers, chain.propose(vec![transfer(1, 0, address(2), 5)]));
        let what = format!("{} of {validators}", signers.len());
        attempts.add(what, chain.offer(stage, &block)?.is_done());
    }
    Ok(attempts)
}

fn duplicate_signer(stage: &mut Stage) -> Result<Attempts, Failure> {
    let chain = Chain::four(stage)?;
    let mut attempts = Attempts::default();
    for (one, other) in [(1, 1), (1, 2), (2, 1)] {
        let mut block = signed_by(&[key(one), key(other)], chain.propose(Vec::new()));
        let again = block.certificate.precommits[0].clone();
        block.certificate.precommits.insert(0, again);
        attempts.add(format!("{one}, and {other} twice"), chain.offer(stage, &block)?.is_done());
    }
    Ok(attempts)
}

fn borrowed_votes(stage: &mut Stage) -> Result<Attempts, Failure> {
    let chain = Chain::four(stage)?;
    let honest = chain.decide(chain.propose(vec![transfer(1, 0, address(2), 5)]));
    let header = &honest.block.header;
    let (height, round, block) = (header.height, 0, header.hash());
    let other = Some(B256::new(stage.dice.bytes()));
    let precommit = |height, round, block| Statement::Precommit { height, round, block };
    let mut attempts = Attempts::default();
    for (what, chain_id, statement) in [
        ("nil", "test-1", precommit(height, round, None)),
        ("another block", "test-1", precommit(height, round, other)),
        ("another height", "test-1", precommit(height + 1, round, Some(block))),
        ("another round", "test-1", precommit(height, round + 1, Some(block))),
        ("another chain", "test-2", precommit(height, round, Some(block))),
        ("a prevote", "test-1", Statement::Prevote { height, round, block: Some(block) }),
        ("a proposal", "test-1", Statement::Proposal { height, round, block, valid_round: None }),
    ] {
        let message = statement.sign_bytes(chain_id);
        let vote = |key: SigningKey| Precommit {
            validator: B256::new(VerificationKey::from(&key).into()),
            signature: key.sign(message.as_slice()).into(),
        };
        let mut precommits: Vec<_> = (1..=4).map(|validator| vote(key(validator))).collect();
        precommits.sort_by_key(|precommit| precommit.validator);
        let mut certificate = honest.certificate.clone();
        certificate.precommits = precommits;
        let block = Execute { block: honest.block.clone(), certificate };
        attempts.add(what, chain.offer(stage, &block)?.is_done());
    }
    // The true votes, but each `s` written as `s + L`: another certificate for the same block.
    let mut other = chain.decide(honest.block.clone());
    for precommit in &mut other.certificate.precommits {
        let s = U256::from_le_slice(&precommit.signature[32..]) + GROUP_ORDER;
        precommit.signature[32..].copy_from_slice(&s.to_le_bytes::<32>());
    }
    attempts.add("scalars above the group order", chain.offer(stage, &other)?.is_done());
    Ok(attempts)
}

fn forged_set(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    chain.run(Vec::new())?;
    let forger = SigningKey::from(stage.dice.bytes());
    let first = &chain.decided[0];
    // The header and its signatures are true; the set is not the one that the header names.
    let own = named(std::slice::from_ref(&forger));
    let link = Link { header: first.block.header.clone(), certificate: first.certificate.clone(), next: own };
    taken(stage, &chain, link, forger)
}

fn old_keys(stage: &mut Stage) -> Result<Attempts, Failure> {
    let chain = Chain::solo(stage)?;
    // The first validator hands over to the second: it signs the header that says so.
    let heir = named(&[key(2)]);
    let mut block = chain.propose(Vec::new());
    block.header.next_validators = heir.hash();
    let first = signed_by(&[key(1)], block);
    let link = Link { header: first.block.header, certificate: first.certificate, next: heir };
    taken(stage, &chain, link, key(1))
}

/// Whether an enclave that joins takes a state in which the host is rich, from a trail that goes on from `link` with nothing but
/// the signatures of `forger`.
fn taken(stage: &mut Stage, chain: &Chain, link: Link, forger: SigningKey) -> Result<Attempts, Failure> {
    let mut disk = chain.disk.clone();
    let rich = Account { balance: U256::MAX, ..Account::default() };
    disk.leaves.insert(Leaf::Account(address(2)), borsh::to_vec(&rich)?);
    let mut tree = Tree::new();
    tree.apply_writes(&disk.leaves.iter().map(|(leaf, value)| (*leaf, Some(value.clone()))).collect::<Vec<_>>());

    let set = named(std::slice::from_ref(&forger));
    let keys = [forger];
    let state = forged(&set, link.header.clone(), tree.root());
    let block = signed_by(&keys, next_of(&state, Vec::new()));
    let above = Parent { header: block.block.header.clone(), certificate: Some(block.certificate.clone()), ..state };
    let above = signed_by(&keys, next_of(&above, Vec::new()));
    let last = Link { header: above.block.header, certificate: above.certificate, next: set.clone() };
    let (header, certificate) = (block.block.header, block.certificate);
    let trail = Trail { links: vec![link, last], header, certificate, signers: set };

    let mut enclave = stage.enclave()?;
    let booted = enclave.boot(&chain.genesis, &disk, Some(trail))?.is_some();
    let mut attempts = Attempts::default();
    attempts.add("a state in which the host is rich", booted && enclave.load(&disk.leaves)?);
    Ok(attempts)
}

/// What a forger's next block stands on.
fn forged(set: &ValidatorSet, header: Header, state_root: B256) -> Parent {
    let (results, base_fee) = (B256::ZERO, header.base_fee);
    let (signers, validators, following) = (set.clone(), set.clone(), set.clone());
    Parent { header, certificate: None, state_root, results, base_fee, signers, validators, following }
}

/// Of edwards25519 (RFC 8032).
const GROUP_ORDER: U256 = uint!(7237005577332262213973186563042994240857116359379907606001950938285454250989_U256);
