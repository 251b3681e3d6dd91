//! The first hand-over of a seed, before there is a chain that could say who may have it.
//!
//! ```text
//! host                      enclave of node 0        enclaves of nodes 1…
//!   ── Enrol ─────────────────────────────────────────────▶   makes a boot key in memory
//!   ◀─────────────────────────────────── Enrolled(boot key) ──
//!   ── Found(genesis, boot keys) ──▶   makes the seed
//!   ◀── Founded(sealed seed, shares) ──
//!   ── Admit(genesis, share) ─────────────────────────────▶   opens with the boot key
//!   ◀──────────────────────────────── Admitted(sealed seed) ──
//! ```
//!
//! The seed crosses the wall sealed to a machine or to a boot key, never in the clear. What is missing here is proof that a boot
//! key belongs to an enclave: the host could name one of its own. So this exists on a SIMULATED chain only, where the host
//! could read the enclave's memory as well; on hardware the seed travels on attested registration alone.

use std::os::unix::net::UnixStream;

use cloister_chain::wire::{self, Admit, Found, Founded, Halt, SealingBytes, ToEnclave, ToHost};
use cloister_chain::{B256, Genesis, limits};
use cloister_keys::{BootKey, ShareError};

use crate::sealed::{Vault, fresh_roots, fresh_secret};
use crate::{Stop, next};

/// Waits for a share of the seed.
pub(crate) fn enrol(stream: &mut UnixStream) -> Result<(), Stop> {
    let boot = BootKey::from_secret(fresh_secret()?);
    wire::send(stream, &ToHost::Enrolled(boot.public()))?;
    let Some(message) = next(stream)? else { return Ok(()) };
    let ToEnclave::Admit(admit) = message else { return Err(Halt::Protocol.into()) };
    let sealed_seed = admit_with(&boot, &admit)?;
    Ok(wire::send(stream, &ToHost::Admitted { sealed_seed })?)
}

/// Makes a seed and hands it over.
pub(crate) fn found(stream: &mut UnixStream, found: &Found) -> Result<(), Stop> {
    let Found { genesis, sealing_key, to } = found;
    let vault = vault(genesis, sealing_key)?;
    if to.len() > limits::VALIDATORS {
        return Err(Halt::Protocol.into());
    }
    let roots = fresh_roots(genesis)?;
    let hash = genesis.hash();
    let share =
        |boot: &[u8; 32]| roots.share(&genesis.chain_id, &hash, &B256::ZERO, boot, fresh_secret()?).map_err(refused);
    let shares = to.iter().map(share).collect::<Result<_, Halt>>()?;
    Ok(wire::send(stream, &ToHost::Founded(Founded { sealed_seed: vault.seal_roots(&roots), shares }))?)
}

fn admit_with(boot: &BootKey, admit: &Admit) -> Result<Vec<u8>, Halt> {
    let Admit { genesis, sealing_key, share } = admit;
    let vault = vault(genesis, sealing_key)?;
    let roots = boot.open(&genesis.chain_id, &genesis.hash(), &B256::ZERO, share).map_err(refused)?;
    Ok(vault.seal_roots(&roots))
}

/// What seals for a SIMULATED chain on this machine; nothing does for any other.
fn vault(genesis: &Genesis, key: &SealingBytes) -> Result<Vault, Halt> {
    if genesis.check().is_err() || !genesis.simulated {
        return Err(Halt::Genesis);
    }
    Ok(Vault::new(genesis, key))
}

fn refused(error: ShareError) -> Halt {
    match error {
        ShareError::PublicKey => Halt::Protocol,
        ShareError::Length | ShareError::Version | ShareError::Refused => Halt::Sealed,
    }
}

#[cfg(test)]
mod tests;
