#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, b256};
use cloister_chain::proof::ProofError;
use proptest::prelude::*;

use super::*;

type Model = BTreeMap<B256, B256>;

/// The root as the format describes it, with nothing but a sorted list: a second opinion.
fn plain_root(entries: &[(B256, B256)]) -> B256 {
    match entries {
        [] => empty_root(),
        [(position, value)] => leaf_hash(position, value),
        [(first, _), .., (last, _)] => {
            let at = (0..=255).find(|at| bit(first, *at) != bit(last, *at)).unwrap();
            let (left, right) = entries.split_at(entries.partition_point(|(position, _)| !bit(position, at)));
            branch_hash(at, &plain_root(left), &plain_root(right))
        }
    }
}

fn root_of(model: &Model) -> B256 {
    plain_root(&model.iter().map(|(position, value)| (*position, *value)).collect::<Vec<_>>())
}

fn tree_of(model: &Model) -> Tree {
    let mut tree = Tree::new();
    tree.apply(&model.iter().map(|(position, value)| (*position, Some(*value))).collect::<Vec<_>>());
    tree
}

/// Positions from a few first bytes and a few last ones: short and long shared prefixes, and many repetitions.
fn position() -> impl Strategy<Value = B256> {
    let ends = prop::sample::select(vec![0x00u8, 0x01, 0x7f, 0x80, 0xfe, 0xff]);
    (ends.clone(), ends.clone(), ends).prop_map(|(first, middle, last)| {
        let mut position = B256::ZERO;
        (position[0], position[16], position[31]) = (first, middle, last);
        position
    })
}

fn batch() -> impl Strategy<Value = Vec<(B256, Option<B256>)>> {
    prop::collection::vec((position(), prop::option::of((0..4u8).prop_map(B256::repeat_byte))), 0..40)
}

proptest! {
    #[test]
    fn any_history_agrees_with_a_plain_map_and_leaves_every_snapshot_alone(
        batches in prop::collection::vec(batch(), 1..8),
        asked in prop::collection::vec(position(), 8),
    ) {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        let mut snapshots = vec![(tree.clone(), model.clone())];
        for batch in &batches {
            tree.apply(batch);
            for (position, value) in batch {
                match value {
                    Some(value) => model.insert(*position, *value),
                    None => model.remove(position),
                };
            }
            snapshots.push((tree.clone(), model.clone()));
        }
        for (tree, model) in &snapshots {
            prop_assert_eq!(tree.root(), root_of(model));
            prop_assert_eq!(tree.root(), tree_of(model).root(), "the way does not matter");
            prop_assert_eq!(tree.len(), model.len());
            prop_assert_eq!(tree.is_empty(), model.is_empty());
            for position in &asked {
                prop_assert_eq!(tree.get(position), model.get(position).copied());
                let proof = tree.prove_at(position);
                prop_assert!(proof.siblings.windows(2).all(|pair| pair[0].0 < pair[1].0));
                let shown = proof.leaf.filter(|(found, _)| found == position).map(|(_, value)| value);
                prop_assert_eq!(shown, model.get(position).copied());
            }
        }
    }

    #[test]
    fn a_proof_shows_the_value_that_there_is_and_no_other(
        held in prop::collection::btree_map(0..60u8, prop::collection::vec(any::<u8>(), 0..4), 0..30),
        asked in 0..60u8,
        other in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let leaf = |number| Leaf::Account(Address::repeat_byte(number));
        let mut tree = Tree::new();
        tree.apply_writes(&held.iter().map(|(number, value)| (leaf(*number), Some(value.clone()))).collect::<Vec<_>>());

        let (root, proof, truth) = (tree.root(), tree.prove(&leaf(asked)), held.get(&asked).map(Vec::as_slice));
        prop_assert_eq!(proof.verify(&root, &leaf(asked), truth), Ok(()));
        for lie in [None, Some(other.as_slice())] {
            if lie != truth {
                prop_assert!(proof.verify(&root, &leaf(asked), lie).is_err());
            }
        }
        tree.apply_writes(&[(leaf(200), Some(vec![1]))]);
        prop_assert_eq!(proof.verify(&tree.root(), &leaf(asked), truth), Err(ProofError::Root));
        for index in 0..proof.siblings.len() {
            let mut bent = proof.clone();
            bent.siblings[index].1[7] ^= 1;
            prop_assert_eq!(bent.verify(&root, &leaf(asked), truth), Err(ProofError::Root));
        }
    }
}

#[test]
fn what_is_removed_leaves_no_trace() {
    let leaf = |number: u8| Leaf::BlockHash(number);
    let mut tree = Tree::new();
    let mut roots = vec![tree.root()];
    for number in 0..=255 {
        tree.apply_writes(&[(leaf(number), Some(vec![number]))]);
        roots.push(tree.root());
    }
    for number in (0..=255).rev() {
        assert_eq!(Some(tree.root()), roots.pop());
        tree.apply_writes(&[(leaf(number), None)]);
    }
    assert_eq!(tree.root(), empty_root());
    assert!(tree.is_empty());
}

#[test]
fn a_batch_without_effect_shares_every_node() {
    let mut tree = Tree::new();
    tree.apply_writes(&[(Leaf::Chain, Some(vec![1])), (Leaf::BlockHash(1), Some(vec![2]))]);
    let before = tree.clone();
    tree.apply_writes(&[(Leaf::Chain, Some(vec![1])), (Leaf::BlockHash(9), None)]);
    assert!(Arc::ptr_eq(tree.root.as_ref().unwrap(), before.root.as_ref().unwrap()));
}

#[test]
fn of_two_changes_of_one_name_the_later_counts() {
    let mut tree = Tree::new();
    tree.apply_writes(&[(Leaf::Chain, Some(vec![1])), (Leaf::Chain, None)]);
    assert!(tree.is_empty());
}

/// From an independent computation in another language, by the format in [`cloister_chain::proof`].
#[test]
fn roots_are_pinned() {
    let mut tree = Tree::new();
    assert_eq!(tree.root(), b256!("8e3880daa7d744f633dedd2ccd9b6cabd3a91f8bc98bacb3bf06b42f23034fa3"));
    tree.apply_writes(&[(Leaf::Chain, Some(b"chain".to_vec()))]);
    assert_eq!(tree.root(), b256!("c8014b0e1d49cb8d27427b2cdd0fc02be61799cd69ca22a4f0a86475221efece"));
    let writes: Vec<_> = (0..=255).map(|number| (Leaf::BlockHash(number), Some(vec![number; 32]))).collect();
    tree.apply_writes(&writes);
    assert_eq!(tree.root(), b256!("c45dbeb589ff61f8d684f6c0238dceb0fc770a7ca8af459c79138b671a70635e"));
}

/// Somebody grinds names until their positions share a prefix with each other. The longest that any amount of work can
/// reach is a comb: one position for every bit in which it may leave another.
#[test]
fn ground_positions_lengthen_their_own_paths_only() {
    let target = B256::repeat_byte(0x5a);
    let comb = |at: u8| {
        let mut position = target;
        position[usize::from(at / 8)] ^= 0x80 >> (at % 8);
        position
    };
    let mut honest = Tree::new();
    let crowd: Vec<_> = (0..2_000u32).map(|number| B256::from(Leaf::value_hash(&number.to_le_bytes()))).collect();
    honest.apply(&crowd.iter().map(|position| (*position, Some(target))).collect::<Vec<_>>());

    let mut attacked = honest.clone();
    let comb_changes: Vec<_> = (0..=255).map(|at| (comb(at), Some(target))).chain([(target, Some(target))]).collect();
    attacked.apply(&comb_changes);
    assert_eq!(attacked.prove_at(&target).siblings.len(), 256, "the longest path there can be");
    assert_eq!(attacked.len(), honest.len() + 257);

    let longer =
        |position: &B256| attacked.prove_at(position).siblings.len() - honest.prove_at(position).siblings.len();
    let first_difference = |position: &B256| first_difference(position, &target).unwrap();
    for position in &crowd {
        // A neighbour pays for the bits that it shares with the comb by chance, and for one more.
        assert!(longer(position) <= usize::from(first_difference(position)) + 1);
    }

    let mut one_by_one = honest.clone();
    for change in comb_changes.iter().rev() {
        one_by_one.apply(&[*change]);
    }
    assert_eq!(one_by_one.root(), attacked.root());
    attacked.apply(&comb_changes.iter().map(|(position, _)| (*position, None)).collect::<Vec<_>>());
    assert_eq!(attacked.root(), honest.root());
}

/// Some names of sealed values and of others; what is written under them says which epoch sealed it.
fn named(number: u8) -> Leaf {
    let address = Address::repeat_byte(number);
    if number.is_multiple_of(3) { Leaf::Account(address) } else { Leaf::Sealed(address, B256::ZERO) }
}

proptest! {
    #[test]
    fn the_sealed_positions_after_any_position_are_those_of_a_sorted_list(
        writes in prop::collection::vec((any::<u8>(), prop::option::of(0..4u8)), 0..120),
        foreign in prop::collection::vec(any::<[u8; 32]>(), 8),
        count in 0..40usize,
    ) {
        let (mut tree, mut model) = (Tree::new(), BTreeMap::new());
        for piece in writes.chunks(7) {
            let piece: Vec<_> = piece.iter().map(|(name, value)| (named(*name), value.map(|value| vec![value; 9]))).collect();
            tree.apply_writes(&piece);
            for (leaf, value) in piece {
                match value {
                    Some(_) => drop(model.insert(leaf.position(), leaf)),
                    None => drop(model.remove(&leaf.position())),
                }
            }
        }
        let sealed: Vec<B256> =
            model.iter().filter(|(_, leaf)| matches!(leaf, Leaf::Sealed(..))).map(|(position, _)| *position).collect();
        let ends = [B256::ZERO, B256::repeat_byte(0xff)];
        for from in ends.into_iter().chain(foreign.into_iter().map(B256::from)).chain(model.keys().copied()) {
            let expected: Vec<_> = sealed.iter().copied().filter(|position| *position > from).take(count).collect();
            prop_assert_eq!(tree.after(&from, count), expected, "{}", from);
        }
    }
}
