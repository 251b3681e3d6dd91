//! Addresses and public keys of the Cosmos door.

use alloy_primitives::Address;
use bech32::{Bech32, Hrp};
use prost::Message as _;
use ripemd::{Digest as _, Ripemd160};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::crypto::{multisig, secp256k1};
use sha2::Sha256;

use super::CosmosError;

/// Prefix of account addresses.
pub const PREFIX: &str = "secret";

/// A key that an account signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// secp256k1, compressed.
    Single([u8; 33]),
    /// So many of these keys (`cosmos.crypto.multisig.LegacyAminoPubKey`).
    Multi {
        /// How many have to sign.
        threshold: u32,
        /// The members, in their order.
        members: Vec<[u8; 33]>,
    },
}

impl PublicKey {
    /// Reads the `Any` of a signer's info.
    pub fn decode(any: &Any) -> Result<Self, CosmosError> {
        let wrong = |what: &str| CosmosError::PublicKey(what.to_owned());
        match any.type_url.as_str() {
            SINGLE => single(&any.value).map(Self::Single),
            MULTI => {
                let key = multisig::LegacyAminoPubKey::decode(any.value.as_slice())
                    .map_err(|_| wrong("not a multisig key"))?;
                // A member is not looked into: how deep keys stand inside keys is a stranger's choice.
                let members = key.public_keys.iter().map(|member| match member.type_url.as_str() {
                    SINGLE => single(&member.value),
                    _ => Err(wrong("a member of a multisig key is a secp256k1 key")),
                });
                let members = members.collect::<Result<Vec<_>, _>>()?;
                let possible = key.threshold > 0 && usize::try_from(key.threshold).is_ok_and(|n| n <= members.len());
                if !possible || members.len() > crate::limits::COSMOS_SIGNERS {
                    return Err(wrong("a multisig key that nobody can use"));
                }
                Ok(Self::Multi { threshold: key.threshold, members })
            }
            other => Err(CosmosError::PublicKey(format!("unknown type of key {other}"))),
        }
    }

    /// The account that the key controls: RIPEMD-160 of SHA-256 of the key; for several keys, the first 20 bytes of
    /// SHA-256 of their amino form.
    pub fn address(&self) -> Address {
        match self {
            Self::Single(key) => Address::from_slice(&Ripemd160::digest(Sha256::digest(key))),
            Self::Multi { threshold, members } => {
                let mut amino = AMINO_MULTI.to_vec();
                amino.push(0x08);
                prost::encoding::encode_varint(u64::from(*threshold), &mut amino);
                for member in members {
                    amino.extend([0x12, 38]);
                    amino.extend(AMINO_SINGLE);
                    amino.extend(member);
                }
                Address::from_slice(&Sha256::digest(&amino)[..20])
            }
        }
    }

    /// The bytes of the `Any`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_any().encode_to_vec()
    }

    /// Reads what [`PublicKey::to_bytes`] makes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CosmosError> {
        Self::decode(&Any::decode(bytes).map_err(|_| CosmosError::PublicKey("not a key".into()))?)
    }

    /// The `Any` that [`PublicKey::decode`] reads.
    pub fn to_any(&self) -> Any {
        match self {
            Self::Single(key) => {
                Any { type_url: SINGLE.into(), value: secp256k1::PubKey { key: key.to_vec() }.encode_to_vec() }
            }
            Self::Multi { threshold, members } => {
                let public_keys = members.iter().map(|key| Self::Single(*key).to_any()).collect();
                let value = multisig::LegacyAminoPubKey { threshold: *threshold, public_keys }.encode_to_vec();
                Any { type_url: MULTI.into(), value }
            }
        }
    }
}

/// A compressed key in its protobuf form.
fn single(value: &[u8]) -> Result<[u8; 33], CosmosError> {
    let wrong = |what: &str| CosmosError::PublicKey(what.to_owned());
    let key = secp256k1::PubKey::decode(value).map_err(|_| wrong("not a secp256k1 key"))?;
    key.key.try_into().map_err(|_| wrong("a secp256k1 key has 33 bytes"))
}

/// `secret1…`.
pub fn bech32(address: &Address) -> String {
    let prefix = Hrp::parse(PREFIX).expect("the prefix is one");
    bech32::encode::<Bech32>(prefix, address.as_slice()).expect("20 bytes are short enough")
}

/// The account that `text` names.
pub fn from_bech32(text: &str) -> Result<Address, CosmosError> {
    let wrong = |why: String| CosmosError::Address(why);
    let decoded = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text)
        .map_err(|error| wrong(format!("decoding bech32 failed: {error}")))?;
    if decoded.hrp().as_str() != PREFIX {
        return Err(wrong(format!("invalid Bech32 prefix; expected {PREFIX}, got {}", decoded.hrp())));
    }
    let bytes: Vec<u8> = decoded.byte_iter().collect();
    from_bytes(&bytes)
}

/// The account of 20 raw bytes.
pub fn from_bytes(bytes: &[u8]) -> Result<Address, CosmosError> {
    Address::try_from(bytes).map_err(|_| CosmosError::Address(format!("an address has 20 bytes, got {}", bytes.len())))
}

const SINGLE: &str = "/cosmos.crypto.secp256k1.PubKey";
const MULTI: &str = "/cosmos.crypto.multisig.LegacyAminoPubKey";
/// Amino's type prefixes, `tendermint/PubKeyMultisigThreshold` and `tendermint/PubKeySecp256k1` with its length.
const AMINO_MULTI: [u8; 4] = [0x22, 0xc1, 0xf7, 0xe2];
const AMINO_SINGLE: [u8; 5] = [0xeb, 0x5a, 0xe9, 0x87, 0x21];
