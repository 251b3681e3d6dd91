//! The first hand-over of a chain's seed: from the enclave that makes it to the enclaves of all other homes, with this process
//! as the messenger, which sees nothing but ciphertext.

use std::os::unix::net::UnixStream;
use std::process::Child;

use cloister_chain::Genesis;
use cloister_chain::wire::{self, Admit, Found, SealingBytes, ToEnclave, ToHost, WireError};
use cloister_store::{Store, StoreError};
use thiserror::Error;

use crate::enclave::EnclaveError;
use crate::home::{Home, HomeError};
use crate::spawn::{self, Spawner};

/// Why the homes of a new chain do not get its seed.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// An enclave does not do its part.
    #[error(transparent)]
    Enclave(#[from] EnclaveError),
    /// The store of a home holds another chain.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A home refuses the roots.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There is a seed in a home already: its chain began.
    #[error("a home of this chain has its seed already")]
    Begun,
}

/// Has a seed made for the chain of `genesis`, and keeps it in the store of every home, each sealed to the home's own machine.
/// The genesis has to be SIMULATED: nothing here proves to an enclave who the others are.
pub fn provision(genesis: &Genesis, homes: &[Home], enclave: &Spawner) -> Result<(), ProvisionError> {
    let Some((founder, members)) = homes.split_first() else { return Ok(()) };
    // Kept open: nobody else begins meanwhile.
    let stores = homes.iter().map(|home| empty(home, genesis)).collect::<Result<Vec<_>, _>>()?;
    let mut enrolled = Vec::new();
    let mut to = Vec::new();
    for _ in members {
        let mut member = Stranger::start(enclave)?;
        let ToHost::Enrolled(key) = member.ask(&ToEnclave::Enrol)? else { return Err(EnclaveError::Protocol.into()) };
        to.push(key);
        enrolled.push(member);
    }
    let found = Found { genesis: genesis.clone(), sealing_key: sealing(founder), to };
    let ToHost::Founded(founded) = Stranger::start(enclave)?.ask(&ToEnclave::Found(found))? else {
        return Err(EnclaveError::Protocol.into());
    };
    let mut sealed = vec![founded.sealed_seed];
    for ((mut member, share), home) in enrolled.into_iter().zip(founded.shares).zip(members) {
        let admit = Admit { genesis: genesis.clone(), sealing_key: sealing(home), share };
        let ToHost::Admitted { sealed_seed } = member.ask(&ToEnclave::Admit(admit))? else {
            return Err(EnclaveError::Protocol.into());
        };
        sealed.push(sealed_seed);
    }
    if sealed.len() != stores.len() {
        return Err(EnclaveError::Protocol.into());
    }
    for (home, sealed) in homes.iter().zip(&sealed) {
        home.safe().write(sealed)?;
    }
    Ok(())
}

/// The store of a home in which the chain has not begun.
fn empty(home: &Home, genesis: &Genesis) -> Result<Store, ProvisionError> {
    let store = Store::create(home.directory.as_deref(), genesis)?;
    if home.has_seed()? { Err(ProvisionError::Begun) } else { Ok(store) }
}

fn sealing(home: &Home) -> SealingBytes {
    SealingBytes(home.sealing.0)
}

/// An enclave that belongs to no chain yet. It ends with this value.
struct Stranger {
    stream: UnixStream,
    process: Option<Child>,
}

impl Stranger {
    fn start(enclave: &Spawner) -> Result<Self, EnclaveError> {
        let streams = enclave().map_err(EnclaveError::Spawn)?;
        Ok(Self { stream: streams.block, process: streams.process })
    }

    fn ask(&mut self, message: &ToEnclave) -> Result<ToHost, EnclaveError> {
        let answer = wire::send(&mut self.stream, message).and_then(|()| wire::receive(&mut self.stream));
        match answer {
            Ok(ToHost::Halt(halt)) => Err(EnclaveError::Halted(halt)),
            Ok(answer) => Ok(answer),
            Err(WireError::Io(error)) => Err(EnclaveError::Died(error.to_string())),
            Err(_) => Err(EnclaveError::Protocol),
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(spawn::end);
    }
}
