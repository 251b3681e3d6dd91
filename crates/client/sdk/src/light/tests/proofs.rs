//! Transactions, receipts and leaves, told by nodes that forge, move and cut them.

use alloy_primitives::{B256, Bytes};
use cloister_chain::proof::{Proof, ProofError};
use cloister_chain::{Header, Status};

use super::links::altered;
use super::world::*;
use crate::light::{Anchor, Inclusion, LeafProof, LightClient, LightError, Place, Rules, State, Value};

#[tokio::test]
async fn every_transaction_of_a_chain_is_proven_with_its_receipt() {
    let chain = Chain::changing(9);
    for height in 1..=9 {
        for index in 0..height.min(7) as u32 {
            let mut client = client(&chain, Lie::None);
            let proved = client.transaction(chain.hash(height, index), clock(9)).await.unwrap();
            assert_eq!(proved.header, chain.header(height));
            assert_eq!(proved.inclusion, chain.inclusion(height, index));
            assert_eq!(proved.state, if height == 9 { State::Executed } else { State::Agreed }, "{height}");
        }
    }
}

#[tokio::test]
async fn a_transaction_below_what_is_trusted_is_proven_down_the_hashes() {
    let chain = Chain::changing(60);
    let anchor = Anchor { height: 50, hash: chain.header(50).hash() };
    let open = async |lie| LightClient::open(teller(&chain, lie), anchor, Rules::default()).await.unwrap();
    // Even when what is trusted is too old to vouch for anything above it.
    let late = clock(100 * 24 * 60 * 60);
    for height in [49, 48, 34, 33, 5, 1] {
        let mut client = open(Lie::None).await;
        let proved = client.transaction(chain.hash(height, 0), late).await.unwrap();
        assert_eq!((proved.header, proved.state), (chain.header(height), State::Agreed));
    }
    let mut client = open(Lie::None).await;
    assert_eq!(client.leaf(PRESENT, Some(20), late).await.unwrap().value, Some(value(20)));
    assert_eq!(light(client.transaction(chain.hash(50, 0), late).await), LightError::Expired(50));

    type Change = fn(&mut crate::light::Headers);
    let lies: [(LightError, Change); 3] = [
        (LightError::Parent(45), |told| {
            if let Some(told) = told.headers.iter_mut().find(|(header, _)| header.height == 45) {
                told.0.txs = B256::ZERO;
            }
        }),
        (LightError::Parent(48), |told| {
            if told.headers.len() > 1 {
                told.headers.swap(7, 8);
            }
        }),
        (LightError::Missing(40), |told| {
            if told.headers.len() > 1 {
                told.headers.pop();
            }
        }),
    ];
    for (error, lie) in lies {
        let mut client = open(Lie::Headers(Box::new(lie))).await;
        assert_eq!(light(client.transaction(chain.hash(40, 0), clock(60)).await), error);
    }
}

#[tokio::test]
async fn a_receipt_is_the_nodes_word_until_the_next_block_is_signed() {
    let chain = Chain::steady(5);
    let forge = |inclusion: &mut Inclusion| inclusion.receipt.status = Status::Failed;
    let hash = chain.hash(5, 0);
    let mut early = client(&chain, Lie::Inclusion(Box::new(forge)));
    assert_eq!(early.transaction(hash, clock(5)).await.unwrap().state, State::Executed);
    let chain = Chain::steady(6);
    let mut later = client(&chain, Lie::Inclusion(Box::new(forge)));
    assert_eq!(light(later.transaction(hash, clock(6)).await), LightError::Receipt(5));

    // A node that hides the next block makes nobody believe the receipt; one that shows another is caught.
    let hide = |told: &mut crate::light::Headers| told.headers.retain(|(header, _)| header.height < 6);
    let mut hiding = client(&chain, Lie::Headers(Box::new(hide)));
    assert_eq!(hiding.transaction(hash, clock(6)).await.unwrap().state, State::Executed);
    let bend = |told: &mut crate::light::Headers| {
        if told.headers[0].0.height == 6 {
            told.headers[0].0.results = B256::ZERO;
        }
    };
    let mut bending = client(&chain, Lie::Headers(Box::new(bend)));
    assert!(matches!(light(bending.transaction(hash, clock(6)).await), LightError::Certificate { height: 6, .. }));
}

#[tokio::test]
async fn forged_moved_and_cut_receipts_are_refused() {
    type Change = fn(&Chain, &mut Inclusion);
    let chain = Chain::steady(8);
    let hash = chain.hash(7, 2);
    let other = || LightError::OtherTransaction(chain.hash(7, 2));
    let lies: [(&str, LightError, Change); 21] = [
        ("another transaction", other(), |chain, told| told.tx = chain.inclusion(7, 3).tx),
        ("a byte more", other(), |_, told| told.tx = [told.tx.as_ref(), &[0]].concat().into()),
        ("a byte less", other(), |_, told| told.tx = told.tx.slice(..told.tx.len() - 1)),
        ("the other world's", other(), |_, told| told.tx = [&[2], &told.tx[1..]].concat().into()),
        ("nothing", other(), |_, told| told.tx = Bytes::new()),
        ("a neighbour's place", LightError::Transaction(7), |_, told| told.index = 3),
        ("a place that is none", LightError::Transaction(7), |_, told| told.index = 7),
        ("a place far away", LightError::Transaction(7), |_, told| told.index = u32::MAX),
        ("fewer transactions", LightError::Transaction(7), |_, told| told.count = 6),
        ("more transactions", LightError::Transaction(7), |_, told| told.count = 8),
        ("none", LightError::Transaction(7), |_, told| told.count = 0),
        ("a short path", LightError::Transaction(7), |_, told| told.tx_path.truncate(2)),
        ("a long path", LightError::Transaction(7), |_, told| told.tx_path.push(B256::ZERO)),
        ("the path reversed", LightError::Transaction(7), |_, told| told.tx_path.reverse()),
        ("a neighbour's path", LightError::Transaction(7), |chain, told| told.tx_path = chain.inclusion(7, 3).tx_path),
        ("a neighbour's receipt", LightError::OtherReceipt, |chain, told| {
            told.receipt = chain.inclusion(7, 3).receipt;
            told.receipt_path = chain.inclusion(7, 3).receipt_path;
        }),
        ("a receipt renamed", LightError::Receipt(7), |chain, told| {
            let tx = told.receipt.tx;
            *told = Inclusion { tx: told.tx.clone(), tx_path: told.tx_path.clone(), ..chain.inclusion(7, 2) };
            told.receipt = chain.inclusion(7, 3).receipt;
            told.receipt.tx = tx;
        }),
        ("a receipt forged", LightError::Receipt(7), |_, told| told.receipt.status = Status::Failed),
        ("its path cut", LightError::Receipt(7), |_, told| told.receipt_path.clear()),
        ("its path from elsewhere", LightError::Receipt(7), |_, told| told.receipt_path = told.tx_path.clone()),
        ("of another block", LightError::Receipt(7), |chain, told| {
            told.receipt_path = chain.inclusion(8, 2).receipt_path;
        }),
    ];
    for (name, error, lie) in lies {
        let told = std::sync::Arc::clone(&chain);
        let mut client = client(&chain, Lie::Inclusion(Box::new(move |inclusion| lie(&told, inclusion))));
        let told = client.transaction(hash, clock(8)).await;
        assert!(told.is_err(), "{name} was believed");
        assert_eq!(light(told), error, "{name}");
    }
    for (place, error) in [
        (None, LightError::NoTransaction(hash)),
        (Some(Place { height: 7, index: 3 }), other()),
        (Some(Place { height: 6, index: 2 }), other()),
        (Some(Place { height: 9, index: 2 }), LightError::Missing(9)),
        (Some(Place { height: u64::MAX, index: 2 }), LightError::Missing(u64::MAX)),
    ] {
        let mut client = client(&chain, Lie::Place(place));
        assert_eq!(light(client.transaction(hash, clock(8)).await), error, "{place:?}");
    }
}

#[test]
fn no_byte_of_an_inclusion_can_be_changed() {
    let chain = Chain::steady(8);
    let (hash, header, above) = (chain.hash(7, 2), chain.header(7), chain.header(8));
    let told = chain.inclusion(7, 2);
    let refused =
        |told: Inclusion| told.verify_tx(&hash, &header).and_then(|()| told.verify_receipt(&header, &above)).is_err();
    assert!(!refused(told.clone()));
    altered(&told.index, |index| refused(Inclusion { index, ..told.clone() }));
    altered(&told.count, |count| refused(Inclusion { count, ..told.clone() }));
    altered(&told.tx, |tx| refused(Inclusion { tx, ..told.clone() }));
    altered(&told.tx_path, |tx_path| refused(Inclusion { tx_path, ..told.clone() }));
    altered(&told.receipt, |receipt| refused(Inclusion { receipt, ..told.clone() }));
    altered(&told.receipt_path, |receipt_path| refused(Inclusion { receipt_path, ..told.clone() }));
    // Headers are verified before; still, the two have to be neighbours.
    assert_eq!(told.verify_receipt(&header, &chain.header(7)), Err(LightError::Parent(7)));
    assert_eq!(told.verify_tx(&hash, &Header { txs: B256::ZERO, ..header.clone() }), Err(LightError::Transaction(7)));
}

#[tokio::test]
async fn a_value_and_an_absence_are_proven_at_every_height_that_is_agreed_on() {
    let chain = Chain::changing(6);
    for height in 0..6 {
        let mut client = client(&chain, Lie::None);
        let present = client.leaf(PRESENT, Some(height), clock(6)).await.unwrap();
        assert_eq!(present, Value { height, value: Some(value(height)) });
        let absent = client.leaf(ABSENT, Some(height), clock(6)).await.unwrap();
        assert_eq!(absent, Value { height, value: None });
    }
    let mut client = client(&chain, Lie::None);
    assert_eq!(client.leaf(PRESENT, None, clock(6)).await.unwrap().height, 5, "the last that is agreed on");
    assert_eq!(light(client.leaf(PRESENT, Some(6), clock(6)).await), LightError::Missing(7));
}

#[tokio::test]
async fn a_state_that_is_not_so_is_refused() {
    type Change = fn(&mut LeafProof);
    let chain = Chain::steady(6);
    let lies: [(&str, ProofError, Change); 8] = [
        ("another value", ProofError::Value, |told| told.value = Some(value(4))),
        ("no value", ProofError::Value, |told| told.value = None),
        ("an older state", ProofError::Root, |told| *told = leaf_proof(&PRESENT, 4)),
        ("another leaf", ProofError::Value, |told| *told = leaf_proof(&ABSENT, 5)),
        ("a hash to match", ProofError::Root, |told| {
            told.value = Some(value(4));
            told.proof.leaf = Some((PRESENT.position(), cloister_chain::Leaf::value_hash(&value(4))));
        }),
        ("an empty state", ProofError::Root, |told| *told = LeafProof { value: None, proof: Proof::default() }),
        ("a path cut", ProofError::Root, |told| told.proof.siblings.clear()),
        ("a path doubled", ProofError::Path, |told| told.proof.siblings.push(told.proof.siblings[0])),
    ];
    for (name, error, lie) in lies {
        let mut client = client(&chain, Lie::Leaf(Box::new(lie)));
        let refused = light(client.leaf(PRESENT, Some(5), clock(6)).await);
        let wanted = [LightError::Leaf(error), LightError::Leaf(ProofError::Path)];
        assert!(wanted.contains(&refused), "{name}: {refused}");
    }
    for leaf in [PRESENT, ABSENT] {
        let (told, above) = (leaf_proof(&leaf, 5), chain.header(6));
        assert_eq!(told.verify(&leaf, &above), Ok(()));
        altered(&told.value, |value| LeafProof { value, ..told.clone() }.verify(&leaf, &above).is_err());
        altered(&told.proof, |proof| LeafProof { proof, ..told.clone() }.verify(&leaf, &above).is_err());
    }
}
