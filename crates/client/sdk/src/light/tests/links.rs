//! One step from a trusted header to a later one.

use core::time::Duration;

use alloy_primitives::B256;
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::CertificateError;
use proptest::prelude::*;

use super::world::*;
use crate::light::{Anchor, Checkpoint, LightError, Link, Rules};

/// A checkpoint of a chain's height.
fn at(chain: &Chain, height: u64) -> Checkpoint {
    let link = chain.link(height);
    let anchor = Anchor { height, hash: link.header.hash() };
    Checkpoint::new(anchor, link.header, link.next_validators).unwrap()
}

fn advance(trusted: &Checkpoint, link: &Link) -> Result<Checkpoint, LightError> {
    trusted.advance(link, &Rules::default(), clock(9))
}

fn certificate(height: u64, error: CertificateError) -> LightError {
    LightError::Certificate { height, error }
}

#[test]
fn the_next_header_and_one_further_up_are_trusted_when_they_are_signed() {
    let chain = Chain::steady(9);
    let genesis = Checkpoint::genesis(&chain.genesis).unwrap();
    for height in 1..=9 {
        let reached = advance(&genesis, &chain.link(height)).unwrap();
        assert_eq!(reached, at(&chain, height));
        assert_eq!((reached.height(), reached.hash()), (height, chain.header(height).hash()));
        assert_eq!((reached.chain_id(), reached.time()), ("test-1", time(height)));
        assert_eq!(reached.next_validators(), &set(chain.members(height + 1)));
    }
}

/// Every lie about a header that its own validators would even sign.
#[test]
fn a_signed_header_that_does_not_follow_is_refused() {
    type Change = fn(&mut Link);
    let lies: [(&str, u64, LightError, Change); 15] = [
        ("chain id", 3, LightError::ChainId("test-2".into()), |link| link.header.chain_id = "test-2".into()),
        ("long chain id", 3, LightError::ChainId("x".repeat(50)), |link| link.header.chain_id = "x".repeat(300)),
        ("hardware", 3, LightError::Simulated(false), |link| link.header.simulated = false),
        ("the same height", 2, LightError::Height(2), |_| {}),
        ("a lower height", 1, LightError::Height(1), |_| {}),
        ("another height", 3, LightError::Height(0), |link| link.header.height = 0),
        ("the same time", 3, LightError::Time(3), |link| link.header.time = time(2)),
        ("an earlier time", 4, LightError::Time(4), |link| link.header.time = time(1)),
        ("a time to come", 3, LightError::Future(3), |link| link.header.time = time(30)),
        ("a parent that is another", 3, LightError::Parent(3), |link| link.header.parent = B256::repeat_byte(1)),
        ("a set that is not sent", 3, LightError::Set(3), |link| link.header.validators = B256::repeat_byte(1)),
        ("a next set that is not sent", 4, LightError::Set(4), |link| link.header.next_validators = B256::ZERO),
        ("a set that was not announced", 3, LightError::Validators(3), |link| {
            link.validators = set(&vec![(1, 1), (2, 1), (3, 1)]);
            link.header.validators = link.validators.hash();
        }),
        ("the sets exchanged", 4, LightError::Set(4), |link| {
            link.next_validators = set(&vec![(7, 1)]);
        }),
        ("a stranger's set", 4, LightError::Overlap(4), |link| {
            link.validators = set(&vec![(7, 1)]);
            link.header.validators = link.validators.hash();
        }),
    ];
    let chain = Chain::steady(9);
    let trusted = at(&chain, 2);
    for (name, height, error, lie) in lies {
        let mut link = chain.link(height);
        lie(&mut link);
        let signers = if name == "a stranger's set" { vec![(7, 1)] } else { chain.members(height).clone() };
        if !name.contains("long") {
            link.certificate = sign(&link.header, &signers);
        }
        assert_eq!(advance(&trusted, &link), Err(error), "{name}");
    }
}

#[test]
fn a_header_that_is_not_decided_is_refused() {
    let chain = Chain::steady(9);
    let trusted = at(&chain, 2);
    for height in [3, 4] {
        let with = |change: fn(&mut Link)| {
            let mut link = chain.link(height);
            change(&mut link);
            advance(&trusted, &link).unwrap_err()
        };
        let refused = |error| certificate(height, error);
        assert_eq!(with(|link| link.certificate.precommits.truncate(2)), refused(CertificateError::Power));
        assert_eq!(with(|link| link.certificate.precommits.clear()), refused(CertificateError::Power));
        assert_eq!(with(|link| link.certificate.precommits.reverse()), refused(CertificateError::Order));
        let twice = with(|link| link.certificate.precommits[1] = link.certificate.precommits[0].clone());
        assert_eq!(twice, refused(CertificateError::Order));
        assert_eq!(with(|link| link.certificate.round = 1), refused(CertificateError::Signature));
        assert_eq!(with(|link| link.certificate.height += 1), refused(CertificateError::OtherBlock));
        assert_eq!(with(|link| link.header.state_root = B256::ZERO), refused(CertificateError::OtherBlock));
        let stranger = with(|link| link.certificate = sign(&link.header, &vec![(1, 1), (2, 1), (3, 1), (5, 1)]));
        assert_eq!(stranger, refused(CertificateError::Stranger));
        // Three of four are enough.
        let mut link = chain.link(height);
        link.certificate.precommits.remove(1);
        assert!(advance(&trusted, &link).is_ok());
    }
}

/// Bytes of a link as a node sends them: every one of them counts.
#[test]
fn no_byte_of_a_link_can_be_changed() {
    let chain = Chain::changing(9);
    for (trusted, link) in [(at(&chain, 2), chain.link(3)), (at(&chain, 2), chain.link(4))] {
        assert!(advance(&trusted, &link).is_ok());
        altered(&link.header, |header| advance(&trusted, &Link { header, ..link.clone() }).is_err());
        altered(&link.certificate, |certificate| advance(&trusted, &Link { certificate, ..link.clone() }).is_err());
        altered(&link.validators, |validators| advance(&trusted, &Link { validators, ..link.clone() }).is_err());
        altered(&link.next_validators, |next| {
            advance(&trusted, &Link { next_validators: next, ..link.clone() }).is_err()
        });
    }
}

/// Checks that every change of one byte of `value` either does not decode or is refused.
pub fn altered<T: BorshSerialize + BorshDeserialize>(value: &T, refused: impl Fn(T) -> bool) {
    let bytes = borsh::to_vec(value).unwrap();
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(changed) = borsh::from_slice(&bytes) {
            assert!(refused(changed), "byte {at} of {}", core::any::type_name::<T>());
        }
    }
}

#[test]
fn trust_ends_with_the_trusting_period_and_the_future_is_not_trusted() {
    let chain = Chain::steady(9);
    let (trusted, link) = (at(&chain, 2), chain.link(5));
    let rules = Rules { trusting: Duration::from_secs(60), drift: Duration::from_secs(3) };
    let at = |now| trusted.advance(&link, &rules, now).map(|_| ());
    assert_eq!(at(time(62) - 1), Ok(()));
    assert_eq!(at(time(62)), Err(LightError::Expired(2)));
    assert_eq!(at(u64::MAX), Err(LightError::Expired(2)));
    assert_eq!(at(time(2)), Ok(()), "three seconds ahead");
    assert_eq!(at(time(2) - 1), Err(LightError::Future(5)));
    assert_eq!(at(0), Err(LightError::Future(5)));
}

#[test]
fn more_than_a_third_of_the_trusted_power_has_to_vouch_for_a_leap() {
    // Of the trusted power, 9, the signers of the header further up have so much.
    for (left, trusted) in [(2, false), (3, false), (4, true), (9, true)] {
        let before = if left == 9 { vec![(1, 9)] } else { vec![(1, left), (2, 9 - left)] };
        let after = vec![(1, 1), (5, 1), (6, 1)];
        let chain = Chain::of(&[before.clone(), before.clone(), before, after.clone(), after.clone(), after]);
        let reached = advance(&at(&chain, 2), &chain.link(4));
        assert_eq!(reached.is_ok(), trusted, "{left} of 9");
        if !trusted {
            assert_eq!(reached, Err(LightError::Overlap(4)));
            assert!(advance(&advance(&at(&chain, 2), &chain.link(3)).unwrap(), &chain.link(4)).is_ok(), "step by step");
        }
    }
}

#[test]
fn a_trusted_member_counts_only_if_it_signed() {
    let before = vec![(1, 1)];
    let after = vec![(1, 1), (5, 1), (6, 1), (7, 1)];
    let chain = Chain::of(&[before.clone(), before.clone(), before, after.clone(), after.clone(), after]);
    let mut link = chain.link(4);
    link.certificate = sign(&link.header, &vec![(5, 1), (6, 1), (7, 1)]);
    assert_eq!(advance(&at(&chain, 2), &link), Err(LightError::Overlap(4)));
}

#[test]
fn an_anchor_is_written_with_a_colon_and_opens_one_header_only() {
    let chain = Chain::steady(3);
    let link = chain.link(2);
    let anchor = Anchor { height: 2, hash: link.header.hash() };
    assert_eq!(anchor.to_string().parse(), Ok(anchor));
    assert_eq!(anchor.to_string().replace("0x", "").parse(), Ok(anchor));
    for text in ["", "2", "2:", ":00", "x:00", "2:00", &format!("-1:{}", anchor.hash), &format!("2:{}0", anchor.hash)] {
        assert_eq!(text.parse::<Anchor>(), Err(LightError::Anchor), "{text}");
    }
    let open = |anchor, header, next| Checkpoint::new(anchor, header, next).map(|reached| reached.anchor());
    let next = link.next_validators.clone();
    assert_eq!(open(anchor, link.header.clone(), next.clone()), Ok(anchor));
    let other = LightError::OtherCheckpoint(2);
    assert_eq!(open(anchor, chain.header(3), next.clone()), Err(other.clone()));
    assert_eq!(open(Anchor { height: 3, ..anchor }, link.header.clone(), next), Err(LightError::OtherCheckpoint(3)));
    assert_eq!(open(anchor, link.header.clone(), set(&vec![(9, 1)])), Err(LightError::Set(2)));
    let mut long = link.header.clone();
    long.chain_id = "x".repeat(256);
    assert_eq!(open(Anchor { height: 2, hash: long.hash() }, long, set(chain.members(3))), Err(other.clone()));
    altered(&link.header, |header| open(anchor, header, link.next_validators.clone()) == Err(other.clone()));
}

#[test]
fn a_genesis_that_is_none_is_refused() {
    let mut genesis = Chain::steady(1).genesis.clone();
    genesis.chain_id = "x".repeat(300);
    assert!(matches!(Checkpoint::genesis(&genesis), Err(LightError::Genesis(_))));
}

proptest! {
    /// A leap is trusted exactly when the plain sums say so.
    #[test]
    fn a_leap_needs_what_the_paper_says(
        before in proptest::collection::btree_map(1u8..8, 1u64..9, 1..5),
        after in proptest::collection::btree_map(1u8..8, 1u64..9, 1..5),
        absent in 0u8..8,
    ) {
        let (before, after): (Members, Members) = (before.into_iter().collect(), after.into_iter().collect());
        let chain = Chain::of(&[before.clone(), before.clone(), before.clone(), after.clone(), after.clone(), after.clone()]);
        let signers: Members = after.iter().copied().filter(|(number, _)| *number != absent).collect();
        let mut link = chain.link(4);
        link.certificate = sign(&link.header, &signers);
        let sum = |members: &Members| members.iter().map(|(_, power)| power).sum::<u64>();
        let decided = sum(&signers) * 3 > sum(&after) * 2;
        let signed = |number: u8| signers.iter().any(|(signer, _)| *signer == number);
        let vouching: u64 = before.iter().filter(|(number, _)| signed(*number)).map(|(_, power)| power).sum();
        let trusted = decided && vouching * 3 > sum(&before);
        prop_assert_eq!(advance(&at(&chain, 2), &link).is_ok(), trusted);
    }
}
