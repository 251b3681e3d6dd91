//! A client that follows a chain through nodes of all kinds.

use alloy_primitives::B256;
use proptest::prelude::*;
use tokio::runtime::Builder;

use super::world::*;
use crate::light::{Anchor, LightClient, LightError, Rules};

#[tokio::test]
async fn validators_that_stay_vouch_for_any_leap() {
    let chain = Chain::steady(40);
    let mut client = client(&chain, Lie::None);
    assert_eq!(client.follow(40, clock(40)).await.unwrap().hash(), chain.header(40).hash());
    assert_eq!(asked(&client), [40]);
    client.follow(7, clock(40)).await.unwrap();
    assert_eq!((client.trusted().height(), asked(&client).len()), (40, 1), "it never goes back");
}

#[tokio::test]
async fn too_little_overlap_makes_it_look_at_those_in_between_down_to_each() {
    let chain = Chain::changing(16);
    let mut leaping = client(&chain, Lie::None);
    assert_eq!(leaping.follow(16, clock(16)).await.unwrap().hash(), chain.header(16).hash());
    let questions = asked(&leaping);
    assert_eq!(questions[..4], [16, 8, 4, 2]);
    assert!(questions.len() < 16, "fewer than each: {questions:?}");

    // Nobody of one height is left at the next one but one: no leap ever succeeds.
    let members = |height: u8| vec![(2 * height, 1), (2 * height + 1, 1)];
    let chain = Chain::of(&(1..=18).map(members).collect::<Vec<_>>());
    let mut stepping = client(&chain, Lie::None);
    assert_eq!(stepping.follow(16, clock(16)).await.unwrap().hash(), chain.header(16).hash());
    let mut questions = asked(&stepping);
    questions.sort_unstable();
    assert_eq!(questions, (1..=16).collect::<Vec<_>>(), "every one of them, and each once");
}

#[tokio::test]
async fn each_header_can_be_looked_at_in_turn() {
    let chain = Chain::changing(40);
    let mut client = client(&chain, Lie::None);
    assert_eq!(client.follow_each(40, clock(40)).await.unwrap().hash(), chain.header(40).hash());
    assert_eq!(asked(&client), [1, 17, 33], "sixteen at a time");
    assert_eq!(light(client.follow_each(41, clock(40)).await), LightError::Missing(41));
}

#[tokio::test]
async fn a_node_that_makes_up_a_chain_of_its_own_is_found_out() {
    let honest = Chain::changing(12);
    let forged = Chain::of(&vec![vec![(99, 1)]; 14]);
    let mut client = client(
        &honest,
        Lie::Headers(Box::new(move |told| {
            let from = told.headers[0].0.height;
            *told = forged.headers(from, 1);
        })),
    );
    // The forged first header does not even name the genesis.
    assert_eq!(light(client.follow(12, clock(12)).await), LightError::Parent(1));
    assert_eq!(asked(&client), [12, 6, 3, 1], "found out after a few questions");
    assert_eq!(client.trusted().height(), 0);

    // What was verified before a lie stays, and an honest node takes over.
    let late = |told: &mut crate::light::Headers| told.headers.retain(|(header, _)| header.height < 9);
    let mut hiding = super::world::client(&honest, Lie::Headers(Box::new(late)));
    assert_eq!(light(hiding.follow_each(12, clock(12)).await), LightError::Missing(9));
    let (trusted, source) = (hiding.trusted().clone(), teller(&honest, Lie::None));
    assert_eq!(trusted.height(), 8);
    let mut client = LightClient::new(source, trusted, Rules::default());
    assert_eq!(client.follow(12, clock(12)).await.unwrap().hash(), honest.header(12).hash());
}

#[tokio::test]
async fn every_lie_about_headers_is_named() {
    type Change = fn(&mut crate::light::Headers);
    let lies: [(&str, LightError, Change); 6] = [
        ("no header", LightError::Missing(5), |told| told.headers.clear()),
        ("no certificate", LightError::Unsigned(5), |told| told.headers[0].1 = None),
        ("no sets", LightError::Set(5), |told| told.validators.clear()),
        ("another set", LightError::Set(5), |told| told.validators = vec![set(&vec![(1, 1)])]),
        ("another height", LightError::Height(4), |told| {
            let chain = Chain::steady(9);
            *told = chain.headers(4, 1);
        }),
        ("no answer to what was asked", LightError::Height(6), |told| {
            let chain = Chain::steady(9);
            *told = chain.headers(6, 1);
        }),
    ];
    let chain = Chain::steady(9);
    for (name, error, lie) in lies {
        let mut client = client(&chain, Lie::Headers(Box::new(lie)));
        assert_eq!(light(client.follow(5, clock(9)).await), error, "{name}");
        assert_eq!(client.trusted().height(), 0, "{name}");
    }
    // One by one: headers that are left out, or stand twice.
    let mut gap = client(&chain, Lie::Headers(Box::new(|told| drop(told.headers.remove(1)))));
    assert_eq!(light(gap.follow_each(5, clock(9)).await), LightError::Height(3));
    assert_eq!(gap.trusted().height(), 1, "what came before it was true");
    let mut twice = client(&chain, Lie::Headers(Box::new(|told| told.headers[1] = told.headers[0].clone())));
    assert_eq!(light(twice.follow_each(5, clock(9)).await), LightError::Height(1));
}

#[tokio::test]
async fn a_client_starts_from_a_height_and_a_hash() {
    let chain = Chain::changing(20);
    let anchor = Anchor { height: 12, hash: chain.header(12).hash() };
    let open = async |anchor, lie| LightClient::open(teller(&chain, lie), anchor, Rules::default()).await;
    let mut opened = open(anchor, Lie::None).await.unwrap();
    assert_eq!(opened.trusted().anchor(), anchor);
    assert_eq!(opened.follow(20, clock(20)).await.unwrap().hash(), chain.header(20).hash());

    let wrong = Anchor { hash: B256::repeat_byte(1), ..anchor };
    assert_eq!(light(open(wrong, Lie::None).await), LightError::OtherCheckpoint(12));
    let high = Anchor { height: 21, ..anchor };
    assert_eq!(light(open(high, Lie::None).await), LightError::Missing(21));
    let other = Lie::Headers(Box::new(|told| told.headers[0].0.time += 1));
    assert_eq!(light(open(anchor, other).await), LightError::OtherCheckpoint(12));
    let bare = Lie::Headers(Box::new(|told| told.validators.clear()));
    assert_eq!(light(open(anchor, bare).await), LightError::Set(12));
}

#[tokio::test]
async fn old_trust_is_not_enough() {
    let chain = Chain::steady(9);
    let mut client = client(&chain, Lie::None);
    let late = clock(15 * 24 * 60 * 60);
    assert_eq!(light(client.follow(9, late).await), LightError::Expired(0));
    assert_eq!(light(client.follow_each(9, late).await), LightError::Expired(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However the sets change, leaping ends where stepping ends.
    #[test]
    fn leaping_and_stepping_agree(
        sets in proptest::collection::vec(proptest::collection::btree_map(1u8..7, 1u64..5, 1..4), 4..14),
    ) {
        let sets: Vec<Members> = sets.into_iter().map(|set| set.into_iter().collect()).collect();
        let chain = Chain::of(&sets);
        let runtime = Builder::new_current_thread().build().unwrap();
        let (mut leaping, mut stepping) = (client(&chain, Lie::None), client(&chain, Lie::None));
        let tip = chain.tip();
        let leapt = runtime.block_on(leaping.follow(tip, clock(tip))).unwrap();
        let stepped = runtime.block_on(stepping.follow_each(tip, clock(tip))).unwrap();
        prop_assert_eq!(leapt, stepped);
    }
}
