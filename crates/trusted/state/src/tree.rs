//! The tree of hashes: the compressed binary trie of [`cloister_chain::proof`], persistent.
//!
//! Nodes are immutable and shared. An update makes new nodes along the paths that it touches, each hashed once, and shares
//! all others with the tree before it. What is the same set of entries is the same tree, whatever led there. No path is
//! longer than 256 branches, and only positions that share a prefix lengthen each other's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use alloy_primitives::B256;
use cloister_chain::Leaf;
use cloister_chain::proof::{Proof, bit, branch_hash, empty_root, leaf_hash};

/// A map from positions to value hashes, with a root and proofs. Cloning takes constant time.
#[derive(Clone, Default)]
pub struct Tree {
    root: Option<Arc<Node>>,
    len: usize,
}

enum Node {
    /// Its hash is computed when a parent needs it: one hash for 32 bytes less per entry. `sealed`: see [`Tree::after`].
    Leaf { position: B256, value: B256, sealed: bool },
    /// The entries below agree in all bits before `at`; those on the left have a zero there.
    /// `sealed` if any of them is.
    Branch { at: u8, hash: B256, sealed: bool, left: Arc<Node>, right: Arc<Node> },
}

/// One position that gets a new value hash, or none.
struct Change {
    position: B256,
    value: Option<B256>,
    sealed: bool,
    /// The bit in which the position leaves the tree as it stands; `None` if it is in the tree, or the tree is empty.
    fork: Option<u8>,
}

impl Tree {
    /// The tree of a state that holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets or removes (`None`) the value hashes of positions; of two changes of one position the later counts.
    pub fn apply(&mut self, changes: &[(B256, Option<B256>)]) {
        self.set(changes.iter().map(|(position, value)| (*position, (*value, false))).collect());
    }

    /// The same, with whether the values are sealed.
    fn set(&mut self, sorted: BTreeMap<B256, (Option<B256>, bool)>) {
        let mut real = Vec::with_capacity(sorted.len());
        for (position, (value, sealed)) in sorted {
            let (held, fork) = match self.nearest(&position) {
                None => (None, None),
                Some((found, held)) => match first_difference(&found, &position) {
                    None => (Some(held), None),
                    fork => (None, fork),
                },
            };
            if held == value {
                continue;
            }
            if held.is_none() {
                self.len += 1;
            } else if value.is_none() {
                self.len -= 1;
            }
            real.push(Change { position, value, sealed, fork });
        }
        self.root = match &self.root {
            Some(root) => update(root, &real),
            None => build(&real),
        };
    }

    /// [`Tree::apply`] to the positions of names and the hashes of values.
    pub fn apply_writes(&mut self, writes: &[(Leaf, Option<Vec<u8>>)]) {
        let change = |(leaf, value): &(Leaf, Option<Vec<u8>>)| {
            let value = value.as_deref();
            let sealed = value.and_then(|value| leaf.sealed_in(value)).is_some();
            (leaf.position(), (value.map(Leaf::value_hash), sealed))
        };
        self.set(writes.iter().map(change).collect());
    }

    /// The first `count` positions above `position`, ascending, of values that the network sealed ([`Leaf::sealed_in`]). The tree
    /// has seen their names when they were written, so that no host can leave one out.
    pub fn after(&self, position: &B256, count: usize) -> Vec<B256> {
        let mut found = Vec::new();
        let Some(root) = &self.root else { return found };
        let (nearest, _) = self.nearest(position).expect("there is a root");
        root.walk(Some((position, first_difference(&nearest, position))), count, &mut found);
        found
    }

    /// The state root.
    pub fn root(&self) -> B256 {
        self.root.as_ref().map_or_else(empty_root, |root| root.hash())
    }

    /// The value hash at a position.
    pub fn get(&self, position: &B256) -> Option<B256> {
        self.nearest(position).and_then(|(found, value)| (found == *position).then_some(value))
    }

    /// Proof of the value under `leaf`, or of its absence.
    pub fn prove(&self, leaf: &Leaf) -> Proof {
        self.prove_at(&leaf.position())
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn prove_at(&self, position: &B256) -> Proof {
        let mut siblings = Vec::new();
        let mut next = self.root.as_ref();
        while let Some(node) = next {
            match &**node {
                Node::Leaf { position, value, .. } => return Proof { siblings, leaf: Some((*position, *value)) },
                Node::Branch { at, left, right, .. } => {
                    let (below, beside) = if bit(position, *at) { (right, left) } else { (left, right) };
                    siblings.push((*at, beside.hash()));
                    next = Some(below);
                }
            }
        }
        Proof::default()
    }

    /// Position and value hash of the one entry that `position` leads to; `None` only in the empty tree.
    fn nearest(&self, position: &B256) -> Option<(B256, B256)> {
        let mut node = self.root.as_ref()?;
        loop {
            match &**node {
                Node::Leaf { position, value, .. } => return Some((*position, *value)),
                Node::Branch { at, left, right, .. } => node = if bit(position, *at) { right } else { left },
            }
        }
    }
}

impl Node {
    fn hash(&self) -> B256 {
        match self {
            Self::Leaf { position, value, .. } => leaf_hash(position, value),
            Self::Branch { hash, .. } => *hash,
        }
    }

    /// True when a value here or below is sealed.
    fn sealed(&self) -> bool {
        match self {
            Self::Leaf { sealed, .. } | Self::Branch { sealed, .. } => *sealed,
        }
    }

    /// Adds the sealed positions below, ascending, until there are `count`. Above `bound` only, if there is one: a position,
    /// which leads to this node, and the bit in which it leaves the tree, `None` if it is in the tree.
    fn walk(&self, bound: Option<(&B256, Option<u8>)>, count: usize, found: &mut Vec<B256>) {
        if !self.sealed() || found.len() >= count {
            return;
        }
        let bound = match bound {
            // All that is here differs from the bound in that bit, and in none before it.
            Some((position, Some(fork))) if self.is_below(fork) => {
                if bit(position, fork) {
                    return;
                }
                None
            }
            bound => bound,
        };
        match (self, bound) {
            // The bound itself: nothing forks off it.
            (Self::Leaf { .. }, Some(_)) => {}
            (Self::Leaf { position, .. }, None) => found.push(*position),
            (Self::Branch { left, right, .. }, None) => {
                left.walk(None, count, found);
                right.walk(None, count, found);
            }
            (Self::Branch { at, right, .. }, Some((position, _))) if bit(position, *at) => {
                right.walk(bound, count, found);
            }
            (Self::Branch { left, right, .. }, Some(_)) => {
                left.walk(bound, count, found);
                right.walk(None, count, found);
            }
        }
    }

    /// True when a fork at `bit` lies above this node.
    fn is_below(&self, bit: u8) -> bool {
        match self {
            Self::Leaf { .. } => true,
            Self::Branch { at, .. } => bit < *at,
        }
    }
}

impl Change {
    fn leaf(&self) -> Option<Arc<Node>> {
        let Self { position, sealed, .. } = *self;
        self.value.map(|value| Arc::new(Node::Leaf { position, value, sealed }))
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("root", &self.root()).field("len", &self.len).finish()
    }
}

/// The subtree `node` after `changes`, which are sorted and all lead into it.
fn update(node: &Arc<Node>, changes: &[Change]) -> Option<Arc<Node>> {
    let Some(first) = changes.first() else {
        return Some(node.clone());
    };
    // New positions that leave the tree above this node stand beside it. The topmost fork is where the new branch goes:
    // what forks there is on the one side, and all that forks lower is with the node on the other.
    let topmost = changes.iter().filter(|change| change.fork.is_some()).min_by_key(|change| change.fork);
    if let Some(Change { position, fork: Some(at), .. }) = topmost
        && node.is_below(*at)
    {
        let (left, right) = split(changes, *at);
        return if bit(position, *at) {
            join(*at, update(node, left), build(right))
        } else {
            join(*at, build(left), update(node, right))
        };
    }
    match &**node {
        Node::Leaf { .. } => first.leaf(),
        Node::Branch { at, left, right, .. } => {
            let (to_left, to_right) = split(changes, *at);
            join(*at, update(left, to_left), update(right, to_right))
        }
    }
}

/// A subtree of nothing but `changes`, which are sorted and all set a value.
fn build(changes: &[Change]) -> Option<Arc<Node>> {
    let (first, last) = (changes.first()?, changes.last()?);
    match first_difference(&first.position, &last.position) {
        None => first.leaf(),
        // Sorted, so that where the first and the last part, all part.
        Some(at) => {
            let (left, right) = split(changes, at);
            join(at, build(left), build(right))
        }
    }
}

/// The branch of two sides, or the one side that there is.
fn join(at: u8, left: Option<Arc<Node>>, right: Option<Arc<Node>>) -> Option<Arc<Node>> {
    match (left, right) {
        (Some(left), Some(right)) => {
            let hash = branch_hash(at, &left.hash(), &right.hash());
            let sealed = left.sealed() || right.sealed();
            Some(Arc::new(Node::Branch { at, hash, sealed, left, right }))
        }
        (one, other) => one.or(other),
    }
}

/// Sorted changes that agree before bit `at`, by that bit.
fn split(changes: &[Change], at: u8) -> (&[Change], &[Change]) {
    changes.split_at(changes.partition_point(|change| !bit(&change.position, at)))
}

fn first_difference(one: &B256, other: &B256) -> Option<u8> {
    let byte = (0..32u8).find(|index| one[usize::from(*index)] != other[usize::from(*index)])?;
    let difference = one[usize::from(byte)] ^ other[usize::from(byte)];
    let zeros = u8::try_from(difference.leading_zeros()).expect("a byte has eight bits");
    // At most 31 * 8 + 7 = 255: the difference is not zero.
    Some(byte * 8 + zeros)
}

#[cfg(test)]
mod tests;
