//! Names of validators and of the accounts that modules hold coins in.

use alloy_primitives::{Address, B256};
use bech32::{Bech32, Hrp};
use sha2::{Digest as _, Sha256};

use crate::cosmos::{CosmosError, from_bytes};

/// `secretvaloper1…` of an operator's account.
pub fn valoper(operator: &Address) -> String {
    encode(VALOPER, operator)
}

/// `secretvalcons1…` of a key's address.
pub fn valcons(key: &Address) -> String {
    encode(VALCONS, key)
}

/// The operator that `text` names.
pub fn from_valoper(text: &str) -> Result<Address, CosmosError> {
    let wrong = |why: String| CosmosError::Address(format!("invalid validator address: {why}"));
    let decoded = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text)
        .map_err(|error| wrong(format!("decoding bech32 failed: {error}")))?;
    if decoded.hrp().as_str() != VALOPER {
        return Err(wrong(format!("invalid Bech32 prefix; expected {VALOPER}, got {}", decoded.hrp())));
    }
    from_bytes(&decoded.byte_iter().collect::<Vec<u8>>())
}

/// First 20 bytes of SHA-256 of an Ed25519 key, as Tendermint derives a validator's address.
pub fn key_address(key: &B256) -> Address {
    Address::from_slice(&Sha256::digest(key)[..20])
}

/// True if somebody can sign with this Ed25519 key: not all 32 bytes are a point.
pub fn is_signing_key(key: &B256) -> bool {
    ed25519_zebra::VerificationKey::try_from(key.0).is_ok()
}

/// Accounts of modules: the first 20 bytes of SHA-256 of the module's name.
pub mod pool {
    use alloy_primitives::Address;
    use sha2::{Digest as _, Sha256};

    /// Collects fees until the next block.
    pub fn fee_collector() -> Address {
        account("fee_collector")
    }

    /// Holds what is bonded to validators that sign.
    pub fn bonded() -> Address {
        account("bonded_tokens_pool")
    }

    /// Holds what is bonded to others, and what is on its way out.
    pub fn not_bonded() -> Address {
        account("not_bonded_tokens_pool")
    }

    /// Holds rewards and the community's coins.
    pub fn distribution() -> Address {
        account("distribution")
    }

    /// All of these. Only modules fill them: what others put there would be nobody's.
    pub fn all() -> [Address; 4] {
        [fee_collector(), bonded(), not_bonded(), distribution()]
    }

    /// The account of the module of this name.
    pub fn account(name: &str) -> Address {
        Address::from_slice(&Sha256::digest(name)[..20])
    }
}

fn encode(prefix: &str, address: &Address) -> String {
    let prefix = Hrp::parse(prefix).expect("the prefix is one");
    bech32::encode::<Bech32>(prefix, address.as_slice()).expect("20 bytes are short enough")
}

const VALOPER: &str = "secretvaloper";
const VALCONS: &str = "secretvalcons";
