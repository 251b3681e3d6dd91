//! What a signature covers, and whether it does.
//!
//! | mode | covered | digest |
//! | --- | --- | --- |
//! | `SIGN_MODE_DIRECT` | the protobuf `SignDoc` | SHA-256 |
//! | `SIGN_MODE_LEGACY_AMINO_JSON` | the amino JSON document | SHA-256 |
//! | `SIGN_MODE_EIP_191` | the same document, indented, behind Ethereum's prefix | Keccak-256 |
//! | several keys | each member's signature over the amino document | SHA-256 |

use alloy_primitives::eip191_hash_message;
use prost::Message as _;
use secp256k1::ecdsa::Signature;
use secp256k1::{Message, SECP256K1};
use secret_sdk_proto::cosmos::crypto::multisig::v1beta1::{CompactBitArray, MultiSignature};
use secret_sdk_proto::cosmos::tx::v1beta1::SignDoc;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Multi, Sum};
use sha2::{Digest as _, Sha256};

use super::{CosmosTx, PublicKey, amino};

/// What the chain knows of a signer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignerData {
    /// Account number.
    pub number: u64,
    /// Next sequence.
    pub sequence: u64,
    /// The key with which the account signed before, if it did.
    pub key: Option<PublicKey>,
}

/// A transaction as one of its signers signs it.
pub(super) struct Covered<'a> {
    pub(super) tx: &'a CosmosTx,
    pub(super) chain_id: &'a str,
    pub(super) number: u64,
    pub(super) sequence: u64,
}

impl Covered<'_> {
    /// Whether `signature` is one by `key` over this, in this mode.
    pub(super) fn verify(&self, key: &PublicKey, mode: &Sum, signature: &[u8]) -> bool {
        match (key, mode) {
            (PublicKey::Single(key), Sum::Single(mode)) => {
                self.digest(mode.mode).is_some_and(|digest| verify(key, digest, signature))
            }
            (PublicKey::Multi { threshold, members }, Sum::Multi(mode)) => {
                self.verify_members(*threshold, members, mode, signature).is_some()
            }
            _ => false,
        }
    }

    fn verify_members(&self, threshold: u32, members: &[[u8; 33]], mode: &Multi, signature: &[u8]) -> Option<()> {
        let signatures = MultiSignature::decode(signature).ok()?.signatures;
        let signed = marked(mode.bitarray.as_ref()?, members.len())?;
        let enough = signed.len() >= usize::try_from(threshold).ok()?;
        if !enough || signatures.len() != signed.len() || mode.mode_infos.len() != signed.len() {
            return None;
        }
        for ((member, signature), info) in signed.into_iter().zip(&signatures).zip(&mode.mode_infos) {
            let Some(Sum::Single(single)) = &info.sum else { return None };
            // A direct document names the whole set of signers, so that members could not sign apart.
            if single.mode == DIRECT || !verify(&members[member], self.digest(single.mode)?, signature) {
                return None;
            }
        }
        Some(())
    }

    fn digest(&self, mode: i32) -> Option<[u8; 32]> {
        let document = || amino::document(self.tx, self.chain_id, self.number, self.sequence);
        match mode {
            DIRECT => Some(Sha256::digest(self.direct()).into()),
            AMINO => Some(Sha256::digest(document()?.compact()).into()),
            EIP_191 => Some(eip191_hash_message(document()?.pretty()).0),
            _ => None,
        }
    }

    fn direct(&self) -> Vec<u8> {
        let (body_bytes, auth_info_bytes) = (self.tx.raw.body_bytes.clone(), self.tx.raw.auth_info_bytes.clone());
        SignDoc { body_bytes, auth_info_bytes, chain_id: self.chain_id.into(), account_number: self.number }
            .encode_to_vec()
    }
}

/// Whether a signature of this mode covers the protobuf document.
pub(super) fn direct(mode: &Sum) -> bool {
    matches!(mode, Sum::Single(single) if single.mode == DIRECT)
}

/// A 64-byte signature `r ‖ s` with a low `s`.
fn verify(key: &[u8; 33], digest: [u8; 32], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (secp256k1::PublicKey::from_slice(key), Signature::from_compact(signature)) else {
        return false;
    };
    // libsecp256k1 refuses a high s by itself.
    SECP256K1.verify_ecdsa(Message::from_digest(digest), &signature, &key).is_ok()
}

/// Indices of the bits that are set, most significant first; `None` unless the array has exactly `count` bits.
fn marked(bits: &CompactBitArray, count: usize) -> Option<Vec<usize>> {
    let extra = usize::try_from(bits.extra_bits_stored).ok()?;
    let whole = if extra == 0 { bits.elems.len() } else { bits.elems.len().checked_sub(1)? };
    if extra > 7 || whole.checked_mul(8)?.checked_add(extra)? != count {
        return None;
    }
    Some((0..count).filter(|bit| bits.elems[bit / 8] >> (7 - bit % 8) & 1 == 1).collect())
}

const DIRECT: i32 = 1;
const AMINO: i32 = 127;
const EIP_191: i32 = 191;
