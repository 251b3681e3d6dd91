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

/// Root of the list `items` of hashes, in order, with the shape of RFC 6962: leaves and inner nodes have different labels,
/// an odd tail is promoted. The empty list has the root of an empty string under its own label.
pub fn merkle_root(items: &[B256]) -> B256 {
    match items {
        [] => tagged("cloister/list/empty", &[]),
        [one] => list_leaf(*one),
        _ => {
            let half = items.len().next_power_of_two() / 2;
            list_node(merkle_root(&items[..half]), merkle_root(&items[half..]))
        }
    }
}

/// Sibling hashes from leaf `index` up to the root of `items`, or `None` when `index` is out of range.
pub fn merkle_path(items: &[B256], index: usize) -> Option<Vec<B256>> {
    if index >= items.len() {
        return None;
    }
    if items.len() == 1 {
        return Some(Vec::new());
    }
    let half = items.len().next_power_of_two() / 2;
    let (mut path, sibling) = if index < half {
        (merkle_path(&items[..half], index)?, merkle_root(&items[half..]))
    } else {
        (merkle_path(&items[half..], index - half)?, merkle_root(&items[..half]))
    };
    path.push(sibling);
    Some(path)
}

/// Root of a list of `count` items in which `item` stands at `index`, given the path from [`merkle_path`]. `None` when the
/// path does not have the length that `index` and `count` demand.
pub fn merkle_climb(item: B256, index: usize, count: usize, path: &[B256]) -> Option<B256> {
    if index >= count {
        return None;
    }
    if count == 1 {
        return path.is_empty().then(|| list_leaf(item));
    }
    let (sibling, rest) = path.split_last()?;
    let half = count.next_power_of_two() / 2;
    if index < half {
        Some(list_node(merkle_climb(item, index, half, rest)?, *sibling))
    } else {
        Some(list_node(*sibling, merkle_climb(item, index - half, count - half, rest)?))
    }
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
                assert_ne!(merkle_climb(items[index], index + 1, count, &path), Some(root));
            }
        }
    }

    #[test]
    fn the_empty_list_and_labels_are_pinned() {
        assert_eq!(merkle_root(&[]).to_string(), tagged("cloister/list/empty", &[]).to_string());
        assert_ne!(tagged("a", &[b"bc"]), tagged("ab", &[b"c"]));
    }
}
