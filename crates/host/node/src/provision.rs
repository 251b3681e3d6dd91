//! Enclaves that ask for the seed of a chain, with this process as the messenger, which sees nothing but ciphertext.

use std::os::unix::net::UnixStream;
use std::process::Child;

use cloister_attest::{Collateral, Evidence};
use cloister_chain::trust::Registration;
use cloister_chain::wire::{self, Admit, Enrol, Enrolled, Found, SealingBytes, ToEnclave, ToHost, WireError};
use cloister_chain::{B256, Genesis};
use cloister_store::{Store, StoreError};
use thiserror::Error;

use crate::enclave::EnclaveError;
use crate::home::{Home, HomeError};
use crate::spawn::{self, Spawner};

/// Why a home does not get the seed of its chain.
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
    /// The genesis has other nodes than those that are to have its seed.
    #[error("the nodes of the genesis are not those that enrolled")]
    Nodes,
}

/// The keys that one run of an enclave drew, and what its processor says about them.
#[derive(Clone, Debug)]
pub struct Introduction {
    pub(crate) consensus_key: B256,
    pub(crate) run: Enrolled,
}

impl Introduction {
    /// Which machine it is, and what it is to be believed by. Its maker publishes the collateral.
    pub fn registration(&self, collateral: Collateral) -> Registration {
        let Enrolled { boot, statement } = self.run.clone();
        Registration { consensus_key: self.consensus_key, boot, evidence: Evidence { statement, collateral } }
    }

    /// The key that a share for it is sealed to.
    pub const fn boot_key(&self) -> B256 {
        self.run.boot.kem
    }
}

/// The enclave of a home that has made its boot keys. It ends with this value, and its boot keys with it.
pub struct Applicant {
    stream: UnixStream,
    process: Option<Child>,
    introduction: Introduction,
}

impl Applicant {
    /// Starts an enclave for the node in `home`, to get the seed of a chain or to renew a registration.
    pub fn enrol(chain_id: &str, home: &Home, enclave: &Spawner) -> Result<Self, ProvisionError> {
        let streams = enclave().map_err(EnclaveError::Spawn)?;
        let (mut stream, process) = (streams.block, streams.process);
        let consensus_key = home.validator();
        let enrol = Enrol { chain_id: chain_id.into(), sealing_key: SealingBytes(home.sealing.0), consensus_key };
        match ask(&mut stream, &ToEnclave::Enrol(enrol))? {
            ToHost::Enrolled(run) => Ok(Self { stream, process, introduction: Introduction { consensus_key, run } }),
            _ => Err(EnclaveError::Protocol.into()),
        }
    }

    /// What it registers with.
    pub const fn introduction(&self) -> &Introduction {
        &self.introduction
    }

    /// Has it open a share, and keeps what it seals to its machine in `home`. A seed that is there already is replaced: it is
    /// the same, or the chain is another one.
    pub fn admit(mut self, genesis: &Genesis, home: &Home, share: &[u8]) -> Result<(), ProvisionError> {
        Store::create(home.directory.as_deref(), genesis)?;
        Ok(home.safe().write(&self.open(genesis, share)?)?)
    }

    fn open(&mut self, genesis: &Genesis, share: &[u8]) -> Result<Vec<u8>, ProvisionError> {
        let admit = Admit { genesis: genesis.clone(), share: share.to_vec() };
        match ask(&mut self.stream, &ToEnclave::Admit(admit))? {
            ToHost::Admitted { sealed_roots } => Ok(sealed_roots),
            _ => Err(EnclaveError::Protocol.into()),
        }
    }
}

/// Has the first of the enclaves make the seed of the chain of `genesis`, whose nodes they are, in their order, and keeps it in
/// the store of every home, each sealed to the home's own machine.
pub fn found(genesis: &Genesis, enrolled: Vec<(Applicant, &Home)>) -> Result<(), ProvisionError> {
    let (enclaves, homes): (Vec<_>, Vec<_>) = enrolled.into_iter().unzip();
    // Kept open: nobody else begins meanwhile.
    let _stores = homes.iter().map(|home| empty(home, genesis)).collect::<Result<Vec<_>, _>>()?;
    let mut enclaves = enclaves.into_iter();
    let Some(mut founder) = enclaves.next() else { return Ok(()) };
    let ToHost::Founded(founded) = ask(&mut founder.stream, &ToEnclave::Found(Found { genesis: genesis.clone() }))?
    else {
        return Err(EnclaveError::Protocol.into());
    };
    if founded.shares.len() != homes.len() {
        return Err(ProvisionError::Nodes);
    }
    let mut sealed = vec![founded.sealed_roots];
    for (mut enclave, share) in enclaves.zip(founded.shares.iter().skip(1)) {
        sealed.push(enclave.open(genesis, share)?);
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

fn ask(stream: &mut UnixStream, message: &ToEnclave) -> Result<ToHost, EnclaveError> {
    match wire::send(stream, message).and_then(|()| wire::receive(stream)) {
        Ok(ToHost::Halt(halt)) => Err(EnclaveError::Halted(halt)),
        Ok(answer) => Ok(answer),
        Err(WireError::Io(error)) => Err(EnclaveError::Died(error.to_string())),
        Err(_) => Err(EnclaveError::Protocol),
    }
}

impl Drop for Applicant {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(spawn::end);
    }
}
