use borsh::{BorshDeserialize, BorshSerialize};

use crate::verified::Family;

/// Whom a chain believes, chosen for ever by its genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Root {
    /// The makers' own production roots: Intel's, and AMD's of each product.
    Hardware,
    /// The simulated authority, whose secret key everybody knows. **No confidentiality against the host.**
    Simulated,
}

impl Root {
    /// The root that a genesis with this flag stands for.
    pub fn of_genesis(simulated: bool) -> Self {
        if simulated { Self::Simulated } else { Self::Hardware }
    }

    /// The certificate, DER, that every Intel quote has to lead to.
    pub(crate) fn dcap(self) -> &'static [u8] {
        match self {
            Self::Hardware => include_bytes!("../roots/intel.der"),
            Self::Simulated => include_bytes!("../roots/simulated.der"),
        }
    }

    /// The certificates that AMD reports may lead to.
    pub(crate) fn snp(self) -> &'static [Ark] {
        match self {
            Self::Hardware => &AMD,
            Self::Simulated => &[],
        }
    }
}

/// AMD's root key (ARK) of one product.
pub(crate) struct Ark {
    pub(crate) family: Family,
    /// Self-signed, DER.
    pub(crate) certificate: &'static [u8],
}

const AMD: [Ark; 3] = [
    Ark { family: Family::SnpMilan, certificate: include_bytes!("../roots/amd_ark_milan.der") },
    Ark { family: Family::SnpGenoa, certificate: include_bytes!("../roots/amd_ark_genoa.der") },
    Ark { family: Family::SnpTurin, certificate: include_bytes!("../roots/amd_ark_turin.der") },
];
