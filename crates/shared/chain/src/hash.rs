//! Domain-separated SHA-256 (FIPS 180-4) and the Merkle root of a list.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

/// `SHA-256(len(label) as u8 ‖ label ‖ parts[0] ‖ parts[1] ‖ …)`.
///
/// The label keeps the domains apart. Parts are not length-prefixed: a caller passes parts of fixed size, or only one part
/// of variable size, in last place.
pub fn tagged(label: &'static str, parts: &[&[u8]]) -> B256 {
    let mut hasher = Sha256::new();
    hasher.update([u8::try_from(label.len()).expect("labels are short constants")]);
    hasher.update(label.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    B256::from_slice(&hasher.finalize())
}

/// Root of the list `items` of hashes, in order: `H("cloister/list", count (8, LE) ‖ top)`, where the top is that of a tree
/// with the shape of RFC 6962: leaves and inner nodes have different labels, an odd tail is promoted. The empty list has a
/// label instead of a top.
///
/// The count is part of the root because paths alone do not tell it: the last item of three has the path of the last of five.
pub fn merkle_root(items: &[B256]) -> B256 {
    list_root(items.len(), top(items))
}

/// Sibling hashes from leaf `index` up to the top of `items`, or `None` when `index` is out of range.
pub fn merkle_path(items: &[B256], index: usize) -> Option<Vec<B256>> {
    if index >= items.len() {
        return None;
    }
    if items.len() == 1 {
        return Some(Vec::new());
    }
    let half = items.len().next_power_of_two() / 2;
    let (mut path, sibling) = if index < half {
        (merkle_path(&items[..half], index)?, top(&items[half..]))
    } else {
        (merkle_path(&items[half..], index - half)?, top(&items[..half]))
    };
    path.push(sibling);
    Some(path)
}

/// Root of a list of `count` items in which `item` stands at `index`, given the path from [`merkle_path`]. `None` when the
/// path does not have the length that `index` and `count` demand.
pub fn merkle_climb(item: B256, index: usize, count: usize, path: &[B256]) -> Option<B256> {
    Some(list_root(count, climb(item, index, count, path)?))
}

fn top(items: &[B256]) -> B256 {
    match items {
        [] => tagged("cloister/list/empty", &[]),
        [one] => list_leaf(*one),
        _ => {
            let half = items.len().next_power_of_two() / 2;
            list_node(top(&items[..half]), top(&items[half..]))
        }
    }
}

fn climb(item: B256, index: usize, count: usize, path: &[B256]) -> Option<B256> {
    if index >= count {
        return None;
    }
    if count == 1 {
        return path.is_empty().then(|| list_leaf(item));
    }
    let (sibling, rest) = path.split_last()?;
    // Not `next_power_of_two`: a hostile count may have none.
    let half = 1 << (count - 1).ilog2();
    if index < half {
        Some(list_node(climb(item, index, half, rest)?, *sibling))
    } else {
        Some(list_node(*sibling, climb(item, index - half, count - half, rest)?))
    }
}

fn list_root(count: usize, top: B256) -> B256 {
    tagged("cloister/list", &[&(count as u64).to_le_bytes(), top.as_slice()])
}

fn list_leaf(item: B256) -> B256 {
    tagged("cloister/list/leaf", &[item.as_slice()])
}

fn list_node(left: B256, right: B256) -> B256 {
    tagged("cloister/list/node", &[left.as_slice(), right.as_slice()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_of_every_short_list_climbs_to_the_root_and_nowhere_else() {
        for count in 1..40usize {
            let items: Vec<B256> = (0..count).map(|i| B256::with_last_byte(i as u8 + 1)).collect();
            let root = merkle_root(&items);
            for index in 0..count {
                let path = merkle_path(&items, index).expect("index is in range");
                assert_eq!(merkle_climb(items[index], index, count, &path), Some(root));
                assert_ne!(merkle_climb(B256::ZERO, index, count, &path), Some(root));
                for (other, of) in (1..40).flat_map(|of| (0..of).map(move |other| (other, of))) {
                    let climbed = merkle_climb(items[index], other, of, &path);
                    assert_eq!(climbed == Some(root), (other, of) == (index, count), "{index} of {count}");
                }
            }
        }
    }

    #[test]
    fn a_count_that_no_list_has_climbs_nowhere() {
        for count in [usize::MAX, usize::MAX - 1, 1 << (usize::BITS - 1)] {
            assert_eq!(merkle_climb(B256::ZERO, 0, count, &[]), None);
            assert_eq!(merkle_climb(B256::ZERO, count, count, &[]), None);
            assert!(merkle_climb(B256::ZERO, count - 1, count, &[B256::ZERO; 64]).is_none());
        }
    }

    #[test]
    fn the_empty_list_and_labels_are_pinned() {
        assert_eq!(merkle_root(&[]), list_root(0, tagged("cloister/list/empty", &[])));
        assert_ne!(tagged("a", &[b"bc"]), tagged("ab", &[b"c"]));
    }
}
