//! Forged commits (V-01). What is refused at the level of blocks is in the ledger's stories; here is the proof of a decision.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

use alloy_primitives::{B256, U256};
use cloister_chain::certificate::{Certificate, CertificateError, Precommit};
use cloister_chain::vote::Statement;
use cloister_chain::{Validator, ValidatorSet};
use ed25519_zebra::{Signature, SigningKey, VerificationKey};
use proptest::prelude::*;

const CHAIN: &str = "test-1";
const HEIGHT: u64 = 5;
const ROUND: u32 = 2;
const BLOCK: B256 = B256::repeat_byte(0xab);
const OTHER: B256 = B256::repeat_byte(0xcd);
/// Of a whole set. Three divide it.
const GREATEST: u64 = (1 << 62) - 1;

fn key(seed: u8) -> (SigningKey, B256) {
    let key = SigningKey::from([seed; 32]);
    let public = B256::new(VerificationKey::from(&key).into());
    (key, public)
}

fn set(powers: &[u64]) -> ValidatorSet {
    let member = |(at, power): (usize, &u64)| Validator { key: key(at as u8 + 1).1, power: *power };
    ValidatorSet::new(powers.iter().enumerate().map(member).collect()).unwrap()
}

fn precommit(seed: u8, chain: &str, statement: Statement) -> Precommit {
    let (signer, validator) = key(seed);
    Precommit { validator, signature: signer.sign(statement.sign_bytes(chain).as_slice()).into() }
}

fn vote(height: u64, round: u32, block: Option<B256>) -> Statement {
    Statement::Precommit { height, round, block }
}

/// A certificate by these members of [`set`], counted from 1.
fn signed(signers: &[u8]) -> Certificate {
    let mut precommits: Vec<_> =
        signers.iter().map(|seed| precommit(*seed, CHAIN, vote(HEIGHT, ROUND, Some(BLOCK)))).collect();
    precommits.sort_by_key(|precommit| precommit.validator);
    Certificate { height: HEIGHT, round: ROUND, block: BLOCK, precommits }
}

/// `good` with the signature of member 1 made for something else.
fn resigned(chain: &str, statement: Statement) -> Certificate {
    let mut certificate = signed(&[1, 2, 3]);
    let forged = precommit(1, chain, statement);
    let own = certificate.precommits.iter_mut().find(|precommit| precommit.validator == forged.validator).unwrap();
    *own = forged;
    certificate
}

fn changed(change: impl FnOnce(&mut Certificate)) -> Certificate {
    let mut certificate = signed(&[1, 2, 3]);
    change(&mut certificate);
    certificate
}

/// `s + L` in the place of `s`: the same signature to a lax verifier.
fn lifted(signature: &mut [u8; 64]) {
    let order = "7237005577332262213973186563042994240857116359379907606001950938285454250989";
    let s = U256::from_le_slice(&signature[32..]) + U256::from_str_radix(order, 10).unwrap();
    signature[32..].copy_from_slice(&s.to_le_bytes::<32>());
}

#[test]
fn v01_no_forged_commit_decides_anything() {
    use CertificateError::{Order, OtherBlock, Power, Signature as Bad, Stranger};
    let four = [1, 1, 1, 1];
    let families: Vec<(&str, CertificateError, ValidatorSet, Certificate)> = vec![
        ("height above", OtherBlock, set(&four), changed(|it| it.height += 1)),
        ("height below", OtherBlock, set(&four), changed(|it| it.height -= 1)),
        ("block", OtherBlock, set(&four), changed(|it| it.block = OTHER)),
        ("round above", Bad, set(&four), changed(|it| it.round += 1)),
        ("round below", Bad, set(&four), changed(|it| it.round -= 1)),
        ("signed for another chain", Bad, set(&four), resigned("test-2", vote(HEIGHT, ROUND, Some(BLOCK)))),
        ("signed for no chain", Bad, set(&four), resigned("", vote(HEIGHT, ROUND, Some(BLOCK)))),
        ("signed for another height", Bad, set(&four), resigned(CHAIN, vote(HEIGHT - 1, ROUND, Some(BLOCK)))),
        ("signed for another round", Bad, set(&four), resigned(CHAIN, vote(HEIGHT, ROUND + 1, Some(BLOCK)))),
        ("signed for another block", Bad, set(&four), resigned(CHAIN, vote(HEIGHT, ROUND, Some(OTHER)))),
        ("a vote for nil", Bad, set(&four), resigned(CHAIN, vote(HEIGHT, ROUND, None))),
        ("a prevote", Bad, set(&four), {
            resigned(CHAIN, Statement::Prevote { height: HEIGHT, round: ROUND, block: Some(BLOCK) })
        }),
        ("a proposal", Bad, set(&four), {
            let statement = Statement::Proposal { height: HEIGHT, round: ROUND, block: BLOCK, valid_round: None };
            resigned(CHAIN, statement)
        }),
        ("no signature", Bad, set(&four), changed(|it| it.precommits[0].signature = [0; 64])),
        ("R bent", Bad, set(&four), changed(|it| it.precommits[0].signature[0] ^= 1)),
        ("s bent", Bad, set(&four), changed(|it| it.precommits[0].signature[32] ^= 1)),
        ("s not reduced", Bad, set(&four), changed(|it| lifted(&mut it.precommits[0].signature))),
        ("another's signature", Bad, set(&four), {
            changed(|it| it.precommits[0].signature = it.precommits[1].signature)
        }),
        ("a signer twice", Order, set(&four), changed(|it| it.precommits[1] = it.precommits[0].clone())),
        ("a signer twice at the end", Order, set(&four), {
            changed(|it| it.precommits.push(it.precommits[2].clone()))
        }),
        ("out of order", Order, set(&four), changed(|it| it.precommits.swap(0, 2))),
        ("a stranger", Stranger, set(&four), signed(&[1, 2, 9])),
        ("a member of before", Stranger, set(&four[..2]), signed(&[1, 2, 3])),
        ("nobody", Power, set(&four), signed(&[])),
        ("exactly two thirds of three", Power, set(&[1, 1, 1]), signed(&[1, 2])),
        ("half of four", Power, set(&four), signed(&[1, 2])),
        ("many but weak", Power, set(&[10, 1, 1, 1]), signed(&[2, 3, 4])),
        ("strong but one short of more", Power, set(&[200, 50, 50]), signed(&[1])),
        ("two thirds of the greatest power", Power, set(&[GREATEST / 3 * 2, GREATEST / 3]), signed(&[1])),
    ];
    assert!(families.len() >= 25);
    let names: BTreeSet<_> = families.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), families.len());
    for (name, error, set, certificate) in families {
        assert_eq!(certificate.verify(CHAIN, &set, HEIGHT, &BLOCK), Err(error), "{name}");
        assert!(!model(&certificate, &set), "{name}: the second implementation agrees");
    }
    assert_eq!(signed(&[1, 2, 3]).verify(CHAIN, &set(&four), HEIGHT, &BLOCK), Ok(()));
    assert_eq!(signed(&[1]).verify(CHAIN, &set(&[201, 50, 50]), HEIGHT, &BLOCK), Ok(()));
}

/// A second implementation, the other way round: every member of the set looks for its own precommits.
fn model(certificate: &Certificate, set: &ValidatorSet) -> bool {
    let message = vote(HEIGHT, certificate.round, Some(BLOCK)).sign_bytes(CHAIN);
    let keys: Vec<B256> = certificate.precommits.iter().map(|precommit| precommit.validator).collect();
    let mut sorted: Vec<B256> = keys.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    sorted.sort();
    let all_known = keys.iter().all(|key| set.iter().any(|member| member.key == *key));
    let mut all_good = true;
    let mut power = 0u128;
    for member in set.iter() {
        for precommit in certificate.precommits.iter().filter(|precommit| precommit.validator == member.key) {
            let key = VerificationKey::try_from(member.key.0).unwrap();
            all_good &= key.verify(&Signature::from(precommit.signature), message.as_slice()).is_ok();
            power += u128::from(member.power);
        }
    }
    let total: u128 = set.iter().map(|member| u128::from(member.power)).sum();
    let names_it = certificate.height == HEIGHT && certificate.block == BLOCK;
    names_it && sorted == keys && all_known && all_good && power * 3 > total * 2
}

proptest! {
    /// Any powers, any signers, any damage: both implementations say the same.
    #[test]
    fn v01_two_implementations_agree_on_what_decides(
        powers in prop::collection::vec(1u64..6, 1..7),
        signers in prop::collection::btree_set(1u8..9, 0..8),
        damage in prop::option::weighted(0.3, (0usize..8, 0usize..64, any::<prop::sample::Index>())),
    ) {
        let set = set(&powers);
        let mut certificate = signed(&signers.into_iter().collect::<Vec<_>>());
        if let Some((kind, byte, at)) = damage && !certificate.precommits.is_empty() {
            let at = at.index(certificate.precommits.len());
            match kind {
                0 => certificate.precommits[at].signature[byte] ^= 1,
                1 => certificate.precommits.push(certificate.precommits[at].clone()),
                2 => certificate.precommits.reverse(),
                3 => certificate.round += 1,
                4 => certificate.height += 1,
                5 => certificate.block = OTHER,
                6 => certificate.precommits[at] = precommit(at as u8 + 1, CHAIN, vote(HEIGHT, ROUND, None)),
                _ => drop(certificate.precommits.remove(at)),
            }
        }
        prop_assert_eq!(certificate.verify(CHAIN, &set, HEIGHT, &BLOCK).is_ok(), model(&certificate, &set));
    }
}
