//! How an enclave comes to have the seed of a chain.
//!
//! ```text
//! host                                   enclave
//!   ── Enrol(chain, consensus key) ──▶     makes boot keys in memory, and has its processor vouch for them
//!   ◀── Enrolled(boot keys, statement) ──
//!
//!   a new chain: the certificates of all its enclaves stand in the genesis
//!   ── Found(genesis) ──▶                  one of them verifies the others as the chain will, and makes the seed
//!   ◀── Founded(sealed seed, shares) ──
//!
//!   a share of it, from there or from a running chain that verified the certificate
//!   ── Admit(genesis, share) ──▶           opens with the boot key
//!   ◀── Admitted(sealed seed) ──
//! ```
//!
//! The seed crosses the wall sealed to a machine, or to a boot key that somebody's evidence vouches for, never in the clear.

use std::os::unix::net::UnixStream;

use cloister_chain::trust::Boot as BootKeys;
use cloister_chain::wire::{self, Enrol, Enrolled, Found, Founded, Halt, ToEnclave, ToHost};
use cloister_chain::{B256, Genesis, limits};
use cloister_keys::{BootKey, ShareError};
use ed25519_zebra::{SigningKey, VerificationKey};

use crate::machine::Machine;
use crate::sealed::{Vault, fresh_roots, fresh_secret};
use crate::{Stop, next};

/// Enrols, and waits to be told which way the seed comes.
pub(crate) fn enrol(stream: &mut UnixStream, mut machine: Machine, enrol: Enrol) -> Result<(), Stop> {
    let Enrol { chain_id, sealing_key: _, consensus_key } = enrol;
    if chain_id.len() > limits::CHAIN_ID_BYTES {
        return Err(Halt::Genesis.into());
    }
    let (introduction, kem) = Introduction::make(&mut machine, &chain_id, consensus_key)?;
    let boot = introduction.enrolled.boot;
    let applicant = Applicant { machine, chain_id, consensus_key, kem };
    wire::send(stream, &ToHost::Enrolled(introduction.enrolled))?;
    let Some(message) = next(stream)? else { return Ok(()) };
    let answer = match message {
        ToEnclave::Admit(admit) => {
            let sealed_roots = applicant.admit(&boot, &admit.genesis, &admit.share)?;
            ToHost::Admitted { sealed_roots }
        }
        ToEnclave::Found(found) => ToHost::Founded(applicant.found(&boot, &found)?),
        _ => return Err(Halt::Protocol.into()),
    };
    Ok(wire::send(stream, &answer)?)
}

/// The keys of a run, and what vouches for them.
pub(crate) struct Introduction {
    pub(crate) chip: B256,
    pub(crate) enrolled: Enrolled,
}

impl Introduction {
    /// Draws the keys of this run; the second value opens what is sealed to them.
    pub(crate) fn make(machine: &mut Machine, chain_id: &str, consensus_key: B256) -> Result<(Self, BootKey), Halt> {
        let kem = BootKey::from_secret(fresh_secret()?);
        let sign = fresh_secret()?.expose(|secret| VerificationKey::from(&SigningKey::from(*secret)));
        let nonce = fresh_secret()?.expose(|drawn| B256::from(*drawn));
        let boot = BootKeys { sign: B256::new(sign.into()), kem: kem.public().into(), nonce };
        let (chip, statement) = machine.statement(|chip| boot.report_data(chain_id, &consensus_key, chip))?;
        Ok((Self { chip: chip.0, enrolled: Enrolled { boot, statement } }, kem))
    }
}

/// An enclave that has made its boot keys.
struct Applicant {
    machine: Machine,
    chain_id: String,
    consensus_key: B256,
    kem: BootKey,
}

impl Applicant {
    /// Makes a seed, and hands it over to every enclave of the genesis.
    fn found(&self, boot: &BootKeys, found: &Found) -> Result<Founded, Halt> {
        let genesis = &found.genesis;
        let vault = self.vault(genesis)?;
        // As the chain itself will, before anything is sealed.
        let nodes = genesis.admitted().map_err(|_| Halt::Genesis)?;
        if !nodes.iter().any(|(_, node)| node.boot == *boot) {
            return Err(Halt::Genesis);
        }
        let roots = fresh_roots(genesis)?;
        let hash = genesis.hash();
        let share = |node: &cloister_chain::trust::Node| {
            let (registration, kem) = (node.boot.registration(&node.consensus_key), &node.boot.kem);
            roots.share(&genesis.chain_id, &hash, &registration, kem, fresh_secret()?).map_err(refused)
        };
        let shares = nodes.iter().map(|(_, node)| share(node)).collect::<Result<_, Halt>>()?;
        Ok(Founded { sealed_roots: vault.seal_roots(&roots), shares })
    }

    /// Takes a seed that was handed over, and seals it to this machine.
    fn admit(&self, boot: &BootKeys, genesis: &Genesis, share: &[u8]) -> Result<Vec<u8>, Halt> {
        let vault = self.vault(genesis)?;
        let registration = boot.registration(&self.consensus_key);
        let roots = self.kem.open(&genesis.chain_id, &genesis.hash(), &registration, share).map_err(refused)?;
        Ok(vault.seal_roots(&roots))
    }

    /// What seals for the chain on this machine, if it is the chain that the processor's statement names.
    fn vault(&self, genesis: &Genesis) -> Result<Vault, Halt> {
        if genesis.check().is_err() || genesis.chain_id != self.chain_id {
            return Err(Halt::Genesis);
        }
        self.machine.vault(genesis)
    }
}

fn refused(error: ShareError) -> Halt {
    match error {
        ShareError::PublicKey => Halt::Protocol,
        ShareError::Length | ShareError::Version | ShareError::Refused => Halt::Sealed,
    }
}

#[cfg(test)]
mod tests;
