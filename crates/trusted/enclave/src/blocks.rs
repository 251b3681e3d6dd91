//! The block stream: boot, state, then one decided block after the other.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use cloister_chain::Outcome;
use cloister_chain::wire::{self, Boot, Booted, Enrolled, Halt, Lockdown, ToEnclave, ToHost};
use cloister_ledger::{Checkpoint, Ledger};

use crate::machine::Machine;
use crate::provision::Introduction;
use crate::query::Tip;
use crate::sealed::{Vault, fresh_roots};
use crate::supply::SocketSupply;
use crate::{Stop, next, wipe};

pub(crate) fn run(
    stream: &mut UnixStream,
    machine: &mut Machine,
    boot: Boot,
    lockdown: Lockdown,
    tip: &Tip,
) -> Result<(), Stop> {
    // A name is part of every derivation, so it is checked before any.
    boot.genesis.check().map_err(|_| Halt::Genesis)?;
    let vault = machine.vault(&boot.genesis)?;
    let run = introduce(machine, &boot)?;
    let awaited = run.as_ref().map(|run| (run.chip, run.enrolled.boot.kem));
    let run = run.map(|run| run.enrolled);
    let Some(mut ledger) = start(stream, boot, &vault, Begun { lockdown, run }, tip)? else { return Ok(()) };
    if let Some((chip, boot_key)) = awaited {
        ledger.await_registration(chip, boot_key);
    }
    // The seed of a chain that begins was here.
    wipe::stack::<{ wipe::DEEP }>();
    while let Some(message) = next(stream)? {
        let ToEnclave::Execute(execute) = message else { return Err(Halt::Protocol.into()) };
        let before = Arc::downgrade(ledger.keys());
        let mut outcome = ledger.execute(&execute, &mut SocketSupply(stream))?;
        seal_checkpoint(&vault, &ledger, &mut outcome);
        if !before.ptr_eq(&Arc::downgrade(ledger.keys())) {
            outcome.sealed_roots = Some(vault.seal_roots(&ledger.keys().roots()));
            wipe::stack::<{ wipe::DEEP }>();
        }
        wire::send(stream, &ToHost::Outcome(outcome))?;
    }
    Ok(())
}

/// What the host is told of a start.
struct Begun {
    lockdown: Lockdown,
    run: Option<Enrolled>,
}

/// The keys of this run, if the chain admits enclaves. They open nothing: the run has the roots already. But a chain that has them
/// has seen the run (M-04).
fn introduce(machine: &mut Machine, boot: &Boot) -> Result<Option<Introduction>, Halt> {
    let Boot { genesis, consensus_key, .. } = boot;
    let introduce = || Introduction::make(machine, &genesis.chain_id, *consensus_key).map(|(run, _)| run);
    genesis.trust.is_some().then(introduce).transpose()
}

/// From a boot message to a ledger; `None` if the host leaves while it loads. Queries have their states before the host is
/// told that all is ready.
fn start(
    stream: &mut UnixStream,
    boot: Boot,
    vault: &Vault,
    Begun { lockdown, run }: Begun,
    tip: &Tip,
) -> Result<Option<Ledger>, Stop> {
    let Boot { genesis, sealed_roots, checkpoint, trail, .. } = boot;
    let roots = match &sealed_roots {
        Some(sealed) => vault.open_roots(sealed)?,
        // A state is of use only with the roots that sealed it, and the nodes of a genesis have theirs from its founder.
        None if checkpoint.is_some() || trail.is_some() || !genesis.nodes.is_empty() => return Err(Halt::Sealed.into()),
        None => fresh_roots(&genesis)?,
    };
    let sealed_roots = match sealed_roots {
        Some(sealed) => sealed,
        None => vault.seal_roots(&roots),
    };
    let (from, adopted) = match (checkpoint, trail) {
        (Some(sealed), None) => (vault.open_checkpoint(&sealed)?, None),
        (None, Some(trail)) => {
            let parent = trail.verify(&genesis).map_err(|_| Halt::Certificate)?;
            let checkpoint = Checkpoint::from(parent);
            let sealed = vault.seal_checkpoint(&checkpoint);
            (checkpoint, Some(sealed))
        }
        (Some(_), Some(_)) => return Err(Halt::Protocol.into()),
        (None, None) => {
            let (ledger, mut outcome) = Ledger::genesis(&genesis, roots)?;
            seal_checkpoint(vault, &ledger, &mut outcome);
            let _ = tip.set(ledger.snapshots());
            let booted = Booted { sealed_roots, genesis: Some(outcome), height: 0, checkpoint: None, lockdown, run };
            wire::send(stream, &ToHost::Booted(booted))?;
            return Ok(Some(ledger));
        }
    };
    let booted = Booted { sealed_roots, genesis: None, height: from.header.height, checkpoint: adopted, lockdown, run };
    wire::send(stream, &ToHost::Booted(booted))?;
    let given = (roots.epoch(), roots.is_retiring());
    let mut loading = Ledger::resume(&genesis, roots, from)?;
    loop {
        let Some(message) = next(stream)? else { return Ok(None) };
        let ToEnclave::Load { leaves, last } = message else { return Err(Halt::Protocol.into()) };
        loading.load(leaves);
        if last {
            break;
        }
    }
    let ledger = loading.finish()?;
    let _ = tip.set(ledger.snapshots());
    // The state may have left the epoch of what was kept.
    let roots = ledger.keys().roots();
    let sealed_roots = ((roots.epoch(), roots.is_retiring()) != given).then(|| vault.seal_roots(&roots));
    wire::send(stream, &ToHost::Loaded { sealed_roots })?;
    Ok(Some(ledger))
}

fn seal_checkpoint(vault: &Vault, ledger: &Ledger, outcome: &mut Outcome) {
    outcome.checkpoint = vault.seal_checkpoint(ledger.checkpoint());
}
