//! The host as an adversary (V-03), and the overlay of a block.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use proptest::prelude::*;

use crate::*;

/// A host with a state at heights 1 and 2 that answers as it is told.
#[derive(Debug, Default)]
struct Host {
    values: BTreeMap<(u64, Leaf), Vec<u8>>,
    blobs: BTreeMap<B256, Bytes>,
    lie: Option<Lie>,
    crossings: usize,
}

#[derive(Clone, Copy, Debug)]
enum Lie {
    Older,
    Missing,
    OtherLeafs,
    Bent,
    Renamed,
    TooFew,
    TooMany,
    UnaskedBlobs,
    Gone,
}

const LIES: [Lie; 8] =
    [Lie::Older, Lie::Missing, Lie::OtherLeafs, Lie::Bent, Lie::TooFew, Lie::TooMany, Lie::UnaskedBlobs, Lie::Gone];

fn leaf(number: u8) -> Leaf {
    Leaf::Account(Address::repeat_byte(number))
}

impl Host {
    /// Leaves 0 to 9 with other values at height 2 than at height 1, and the trees of both.
    fn with_two_heights() -> (Self, Tree, Tree) {
        let mut host = Self::default();
        let [mut first, mut second] = [Tree::new(), Tree::new()];
        for number in 0..10 {
            for (height, tree) in [(1, &mut first), (2, &mut second)] {
                let value = vec![number, height as u8];
                tree.apply_writes(&[(leaf(number), Some(value.clone()))]);
                host.values.insert((height, leaf(number)), value);
            }
        }
        (host, first, second)
    }

    fn at(&self, height: u64, position: &B256) -> Option<(Leaf, Vec<u8>)> {
        let here = |((at, leaf), _): &(&(u64, Leaf), &Vec<u8>)| *at == height && leaf.position() == *position;
        self.values.iter().find(here).map(|((_, leaf), value)| (*leaf, value.clone()))
    }
}

impl Supply for Host {
    fn supply(&mut self, height: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError> {
        let Wanted { leaves, positions, blobs } = *wanted;
        self.crossings += 1;
        let find = |leaf: &Leaf| self.values.get(&(height, *leaf)).cloned();
        let mut supplied = Supplied {
            leaves: leaves.iter().map(find).collect(),
            sealed: positions.iter().map(|position| self.at(height, position)).collect(),
            blobs: blobs.iter().map(|hash| self.blobs.get(hash).cloned()).collect(),
        };
        match self.lie {
            None => {}
            Some(Lie::Older) => {
                supplied.leaves = leaves.iter().map(|leaf| self.values.get(&(1, *leaf)).cloned()).collect();
                supplied.sealed = positions.iter().map(|position| self.at(1, position)).collect();
            }
            Some(Lie::Missing) => {
                supplied.leaves.iter_mut().for_each(|value| *value = None);
                supplied.sealed.iter_mut().for_each(|named| *named = None);
                supplied.blobs.iter_mut().for_each(|blob| *blob = None);
            }
            Some(Lie::OtherLeafs) => {
                let other = self.values.get(&(2, leaf(9))).cloned();
                supplied.leaves.iter_mut().for_each(|value| value.clone_from(&other));
                supplied.sealed.reverse();
                supplied.blobs.iter_mut().for_each(|blob| *blob = Some(Bytes::from_static(b"another blob")));
            }
            Some(Lie::Bent) => {
                supplied.leaves.iter_mut().flatten().for_each(|value| value[0] ^= 0x80);
                supplied.sealed.iter_mut().flatten().for_each(|(_, value)| value[0] ^= 0x80);
                supplied.blobs.iter_mut().flatten().for_each(|blob| *blob = blob.slice(1..));
            }
            Some(Lie::Renamed) => {
                supplied.sealed.iter_mut().flatten().for_each(|(name, _)| *name = Leaf::Chain);
            }
            Some(Lie::TooFew) => {
                supplied.leaves.pop();
                supplied.sealed.pop();
                supplied.blobs.pop();
            }
            Some(Lie::TooMany) => {
                supplied.leaves.push(Some(vec![1]));
                supplied.sealed.push(None);
                supplied.blobs.push(Some(Bytes::new()));
            }
            Some(Lie::UnaskedBlobs) => {
                supplied.leaves.extend(blobs.iter().map(|_| None));
                supplied.blobs.extend(leaves.iter().map(|_| None));
            }
            Some(Lie::Gone) => return Err(SupplyError::Gone),
        }
        Ok(supplied)
    }
}

#[test]
fn v03_nothing_but_the_leaf_of_a_position_is_ever_named() {
    let (mut host, _, tree) = Host::with_two_heights();
    let wanted = [leaf(3), leaf(4)].map(|leaf| leaf.position());
    let lies = LIES.into_iter().filter(|lie| !matches!(lie, Lie::UnaskedBlobs)).chain([Lie::Renamed]);
    for lie in lies {
        host.lie = Some(lie);
        let mut view = View::new(tree.clone(), 2, Cache::default(), &mut host);
        assert!(view.prefetch(&[], &wanted).is_err(), "{lie:?}");
    }
    host.lie = None;
    host.crossings = 0;
    let mut view = View::new(tree.clone(), 2, Cache::default(), &mut host);
    assert_eq!(view.prefetch(&[leaf(1)], &wanted), Ok(vec![leaf(3), leaf(4)]));
    let values = [1, 3, 4].map(|number| view.read(&leaf(number)).unwrap().unwrap());
    assert_eq!(values, [vec![1, 2], vec![3, 2], vec![4, 2]]);
    assert_eq!(host.crossings, 1, "names and values come together");
}

#[test]
fn v03_nothing_but_the_value_of_the_tree_is_ever_read() {
    for lie in LIES {
        for small_cache in [0, 1 << 20] {
            let (mut host, _, tree) = Host::with_two_heights();
            host.lie = Some(lie);
            let cache = Cache::new(small_cache, small_cache);
            let mut view = View::new(tree.clone(), 2, cache.clone(), &mut host);

            let expected = match lie {
                Lie::TooFew | Lie::TooMany | Lie::UnaskedBlobs => StateError::Count,
                Lie::Gone => StateError::Supply(SupplyError::Gone),
                _ => StateError::Forged(leaf(3)),
            };
            assert_eq!(view.read(&leaf(3)), Err(expected), "{lie:?}");
            assert!(view.prefetch(&[leaf(4), leaf(5)], &[]).is_err(), "{lie:?}");
            assert!(view.prove(&leaf(6)).is_err(), "{lie:?}");

            host.lie = None;
            let mut view = View::new(tree, 2, cache, &mut host);
            for number in 3..=6 {
                assert_eq!(view.read(&leaf(number)), Ok(Some(vec![number, 2])), "{lie:?} left nothing in the cache");
            }
        }
    }
}

#[test]
fn v03_nothing_but_the_blob_of_a_hash_is_ever_read() {
    let code = Bytes::from_static(b"\x60\x01\x60\x02");
    let hash = keccak256(&code);
    for lie in LIES.into_iter().filter(|lie| !matches!(lie, Lie::Older)) {
        let mut host = Host { lie: Some(lie), ..Host::default() };
        host.blobs.insert(hash, code.clone());
        let mut view = View::new(Tree::new(), 0, Cache::default(), &mut host);
        let expected = match lie {
            Lie::TooFew | Lie::TooMany | Lie::UnaskedBlobs => StateError::Count,
            Lie::Gone => StateError::Supply(SupplyError::Gone),
            _ => StateError::ForgedBlob(hash),
        };
        assert_eq!(view.blob(&hash), Err(expected), "{lie:?}");

        host.lie = None;
        let mut view = View::new(Tree::new(), 0, Cache::default(), &mut host);
        assert_eq!(view.blob(&hash), Ok(code.clone()));
    }
}

#[test]
fn the_host_is_asked_once_for_what_there_is_and_never_for_what_there_is_not() {
    let (mut host, _, tree) = Host::with_two_heights();
    let mut view = View::new(tree, 2, Cache::default(), &mut host);
    assert_eq!(view.read(&Leaf::Chain), Ok(None));
    view.prefetch(&[leaf(1), leaf(0), leaf(1), leaf(77), Leaf::Chain], &[]).unwrap();
    for number in [0, 1, 0, 1] {
        assert_eq!(view.read(&leaf(number)), Ok(Some(vec![number, 2])));
    }
    view.prefetch(&[leaf(0), leaf(1)], &[]).unwrap();
    view.prefetch(&[], &[]).unwrap();
    assert_eq!(host.crossings, 1);
}

#[test]
fn one_cache_serves_all_heights() {
    let (mut host, first, second) = Host::with_two_heights();
    let cache = Cache::default();
    for _ in 0..2 {
        for (height, tree) in [(1, &first), (2, &second)] {
            let mut view = View::new(tree.clone(), height, cache.clone(), &mut host);
            assert_eq!(view.read(&leaf(5)), Ok(Some(vec![5, height as u8])));
        }
    }
    assert_eq!(host.crossings, 2, "one for each height");
}

#[test]
fn what_a_block_wrote_the_next_one_has_at_hand() {
    let (cache, mut tree) = (Cache::default(), Tree::new());
    let mut overlay = Overlay::new(View::new(tree.clone(), 0, cache.clone(), NoSupply));
    overlay.write(leaf(1), Some(vec![1; 40]));
    let code = overlay.put_blob(Bytes::from_static(b"code"));
    assert_eq!(overlay.blob(&code), Ok(Bytes::from_static(b"code")));
    let changes = overlay.finish();
    tree.apply_writes(&changes.writes);
    cache.absorb(&changes.writes, &changes.blobs);

    let mut view = View::new(tree, 1, cache, NoSupply);
    assert_eq!(view.read(&leaf(1)), Ok(Some(vec![1; 40])));
    assert_eq!(view.blob(&code), Ok(Bytes::from_static(b"code")));
}

#[test]
fn a_proof_comes_with_its_value() {
    let (mut host, _, tree) = Host::with_two_heights();
    let mut view = View::new(tree, 2, Cache::default(), &mut host);
    for number in [2, 99] {
        let (value, proof) = view.prove(&leaf(number)).unwrap();
        assert_eq!(value, (number == 2).then(|| vec![2, 2]));
        assert_eq!(proof.verify(&view.tree().root(), &leaf(number), value.as_deref()), Ok(()));
    }
}

proptest! {
    /// Whatever a block writes and reads, it sees a plain map, and its changes are the difference of two maps. Whether the
    /// cache holds all, some or nothing shows nowhere.
    #[test]
    fn an_overlay_is_a_map_and_its_changes_are_a_difference(
        before in prop::collection::btree_map(0..20u8, 0..3u8, 0..20),
        steps in prop::collection::vec((0..20u8, prop::option::of(0..3u8), any::<bool>()), 0..60),
        cache_bytes in prop::sample::select(vec![0usize, 1_000, 1 << 20]),
    ) {
        let mut host = Host::default();
        let mut tree = Tree::new();
        for (number, value) in &before {
            host.values.insert((2, leaf(*number)), vec![*value]);
            tree.apply_writes(&[(leaf(*number), Some(vec![*value]))]);
        }
        let mut overlay = Overlay::new(View::new(tree.clone(), 2, Cache::new(cache_bytes, 0), &mut host));
        let mut model = before.clone();
        for (number, value, write) in steps {
            if write {
                overlay.write(leaf(number), value.map(|value| vec![value]));
                match value {
                    Some(value) => model.insert(number, value),
                    None => model.remove(&number),
                };
            } else {
                prop_assert_eq!(overlay.read(&leaf(number)), Ok(model.get(&number).map(|value| vec![*value])));
            }
        }
        let changes = overlay.finish();
        let difference: Vec<_> = (0..20u8)
            .filter(|number| before.get(number) != model.get(number))
            .map(|number| (leaf(number), model.get(&number).map(|value| vec![*value])))
            .collect();
        prop_assert_eq!(&changes.writes, &difference);
        tree.apply_writes(&changes.writes);
        let mut after = Tree::new();
        after.apply_writes(&model.iter().map(|(number, value)| (leaf(*number), Some(vec![*value]))).collect::<Vec<_>>());
        prop_assert_eq!(tree.root(), after.root());
    }

    /// Layers are copies of a map: keeping one replaces the map below, forgetting one throws the copy away.
    #[test]
    fn layers_are_copies_of_a_map(steps in prop::collection::vec((0..6u8, 0..6u8, prop::option::of(0..3u8)), 0..60)) {
        let mut overlay = Overlay::new(View::new(Tree::new(), 0, Cache::default(), NoSupply));
        let mut model = vec![std::collections::BTreeMap::new()];
        for (action, number, value) in steps {
            let value = value.map(|value| vec![value]);
            match action {
                0 => {
                    overlay.open();
                    model.push(model.last().unwrap().clone());
                }
                1 | 2 => {
                    overlay.close(action == 1);
                    if model.len() > 1 {
                        let top = model.pop().unwrap();
                        if action == 1 {
                            *model.last_mut().unwrap() = top;
                        }
                    }
                }
                _ => {
                    overlay.write(leaf(number), value.clone());
                    model.last_mut().unwrap().insert(leaf(number), value);
                }
            }
            for number in 0..6 {
                let expected = model.last().unwrap().get(&leaf(number)).cloned().flatten();
                prop_assert_eq!(overlay.read(&leaf(number)).unwrap(), expected);
            }
        }
    }
}
