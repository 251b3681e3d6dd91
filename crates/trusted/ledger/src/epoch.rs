//! Epochs: switching to new keys, sealing old values again, erasing the old root (M-26).
//!
//! All of it happens at the end of a block, after its transactions: a block runs under one set of keys, its calls between
//! contracts end in it, and what its state says holds for the next one. What leads to the next root is the hash of the parent's
//! header, which more than two thirds of the validators signed. It is public: who has this epoch's root follows to the next, and
//! nobody comes back.
//!
//! | a block's end, if | does |
//! | --- | --- |
//! | the epoch lasted long enough, and none retires | switches |
//! | one retires and is not swept | seals again what the former epoch sealed among the next sealed values of the tree |
//! | one retires, is swept, and the time of grace is over | erases its root |
//!
//! A word of EVM storage that a contract copied from another slot, too, is sealed again at the end of the block that copied it: the
//! sweep may have passed its place already.

use std::collections::BTreeSet;
use std::sync::Arc;

use cloister_chain::epoch::{PublicKeys, Retiring};
use cloister_chain::wire::Halt;
use cloister_chain::{B256, Cell, Epoch, Epochs, Leaf};
use cloister_keys::{Keys, TxKeys, WritePlace};
use cloister_state::{Overlay, Supply, Tree};
use cloister_teeth::{Mechanism, holds};

use crate::compute::Scene;
use crate::eth::encode;
use crate::registration;

/// Where the chain stands after a block.
pub(crate) struct Turn {
    pub(crate) epoch: Epoch,
    /// If they are others than before.
    pub(crate) keys: Option<Keys>,
}

/// What the sweep looks at in the next block: positions in `tree`.
pub(crate) fn ahead(epochs: Option<&Epochs>, epoch: &Epoch, tree: &Tree) -> Vec<B256> {
    match (epochs, &epoch.retiring) {
        (Some(epochs), Some(retiring)) if !retiring.swept => tree.after(&retiring.cursor, count(epochs)),
        _ => Vec::new(),
    }
}

/// The end of a block. `swept` are the positions of [`ahead`], `leaves` their names and those of words that were copied.
pub(crate) fn end_block<S: Supply>(
    scene: &Scene<'_>,
    state: &mut Overlay<S>,
    swept: &[B256],
    leaves: BTreeSet<Leaf>,
) -> Result<Turn, Halt> {
    seal_again(scene, state, leaves)?;
    let mut turn = Turn { epoch: scene.epoch.clone(), keys: None };
    let Some(epochs) = &scene.genesis.epochs else { return Ok(turn) };
    match &mut turn.epoch.retiring {
        Some(retiring) => {
            if !retiring.swept {
                retiring.cursor = swept.last().copied().unwrap_or(retiring.cursor);
                retiring.swept = swept.len() < count(epochs);
            }
            if retiring.swept && !scene.grace {
                turn.epoch.retiring = None;
                turn.keys = holds(Mechanism::Erasure).then(|| scene.keys.retired());
            }
        }
        None if epochs.is_over(scene.epoch, scene.header.time) => {
            let randomness = scene.header.parent;
            let keys = scene.keys.next_epoch(&randomness);
            turn.epoch = Epoch {
                number: keys.epoch(),
                height: scene.header.height,
                began: scene.header.time,
                keys: public_keys(&keys),
                retiring: Some(Retiring { input: scene.epoch.keys.input, cursor: B256::ZERO, swept: false }),
            };
            state.write(Leaf::Switch(keys.epoch()), Some(encode(&randomness)));
            registration::hand_over(scene, &keys, state)?;
            turn.keys = Some(keys);
        }
        None => {}
    }
    if turn.epoch != *scene.epoch {
        state.write(Leaf::Epoch, Some(encode(&turn.epoch)));
    }
    Ok(turn)
}

/// The public halves of the keys.
pub(crate) fn public_keys(keys: &Keys) -> PublicKeys {
    PublicKeys {
        io: keys.io_public().into(),
        registration: keys.seed_exchange().public().into(),
        input: keys.input_public().into(),
    }
}

/// The keys of the epoch that a state says it is in, from those of this one or of an earlier one: `switch` gives what the state
/// holds of a switch.
pub(crate) fn reconcile(
    mut keys: Arc<Keys>,
    epoch: &Epoch,
    switch: impl Fn(u64) -> Option<B256>,
) -> Result<Arc<Keys>, Halt> {
    if !holds(Mechanism::StateEpoch) {
        return Ok(keys);
    }
    while keys.epoch() < epoch.number {
        let randomness = switch(keys.epoch().saturating_add(1)).ok_or(Halt::Root)?;
        keys = Arc::new(keys.next_epoch(&randomness));
    }
    if epoch.retiring.is_none() && keys.oldest_epoch() < keys.epoch() {
        keys = Arc::new(keys.retired());
    }
    // Roots of a later epoch, of another chain, or without one that this state still needs.
    let retiring = epoch.retiring.map(|retiring| retiring.input.0);
    if keys.epoch() != epoch.number || public_keys(&keys) != epoch.keys || keys.retiring_input() != retiring {
        return Err(Halt::Sealed);
    }
    Ok(keys)
}

/// Seals with the present epoch's keys what stands under these names and the former epoch sealed.
fn seal_again<S: Supply>(scene: &Scene<'_>, state: &mut Overlay<S>, leaves: BTreeSet<Leaf>) -> Result<(), Halt> {
    if leaves.is_empty() {
        return Ok(());
    }
    let mut draws = scene.keys.sweep(scene.header.height, scene.header_hash);
    for (write, leaf) in (0..).zip(leaves) {
        // A transaction of this block may have removed it.
        let Some(value) = state.read(&leaf).map_err(|_| Halt::Supply)? else { continue };
        if leaf.sealed_in(&value).is_none_or(|epoch| epoch == scene.keys.epoch()) {
            continue;
        }
        let again = sealed_again(scene, &leaf, &value, write, &mut draws).ok_or(Halt::Supply)?;
        state.write(leaf, Some(again));
    }
    Ok(())
}

/// `None` if the value is not what the former epoch sealed: the tree vouches for it, so that cannot be.
fn sealed_again(scene: &Scene<'_>, leaf: &Leaf, value: &[u8], write: u64, draws: &mut TxKeys) -> Option<Vec<u8>> {
    match leaf {
        Leaf::Sealed(contract, name) => {
            let keys = scene.keys.contract_state(*contract);
            let place = WritePlace {
                height: scene.header.height,
                header_hash: scene.header_hash,
                transaction: WritePlace::SWEEP,
                write,
            };
            keys.seal(*name, &place, &keys.open(*name, value).ok()?).ok()
        }
        Leaf::Storage(contract, _) => {
            let cell: Cell = borsh::from_slice(value).ok()?;
            let plain = scene.keys.network_cipher(*contract, cell.marked?)?.open(cell.word);
            let current = scene.keys.epoch();
            let cipher = scene.keys.network_cipher(*contract, current)?;
            // Zero means "never written" to contracts.
            let word = std::iter::repeat_with(|| cipher.seal(draws.salt(), plain)).find(|word| !word.is_zero())?;
            Some(encode(&Cell { word, marked: Some(current) }))
        }
        _ => None,
    }
}

fn count(epochs: &Epochs) -> usize {
    usize::try_from(epochs.sweep).unwrap_or(usize::MAX)
}
