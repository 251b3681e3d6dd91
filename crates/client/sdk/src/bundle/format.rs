//! JSON of a bundle. What is hashed or signed stands there as the base64 of its borsh form, so that a wallet checks the very
//! bytes; what people look for stands there in words.

use super::{Bundle, BundleError, MAX_BYTES};

impl Bundle {
    /// Reads a bundle. Longer text than [`MAX_BYTES`] is not looked at.
    pub fn from_json(text: &str) -> Result<Self, BundleError> {
        if text.len() > MAX_BYTES {
            return Err(BundleError::Oversize);
        }
        serde_json::from_str(text).map_err(|error| BundleError::Json(error.to_string()))
    }

    /// Writes it, a member a line.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a bundle has a JSON form");
        text.push('\n');
        text
    }
}

/// Bytes in base64.
pub(super) mod bytes {
    use alloy_primitives::Bytes;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
    }
}

/// The borsh form in base64.
pub(super) mod borsh {
    use borsh::{BorshDeserialize, BorshSerialize};
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    use super::bytes;

    pub(in super::super) fn serialize<T: BorshSerialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        bytes::serialize(&::borsh::to_vec(value).expect("writing to memory does not fail"), serializer)
    }

    pub(in super::super) fn deserialize<'de, T: BorshDeserialize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        ::borsh::from_slice(&bytes::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A value, or null for its absence, and its proof.
pub(super) mod proof {
    use alloy_primitives::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{borsh, bytes};
    use crate::light::{LeafProof, Proof};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shown {
        value: Option<Value>,
        #[serde(with = "borsh")]
        proof: Proof,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Value(#[serde(with = "bytes")] Bytes);

    pub(in super::super) fn serialize<S: Serializer>(told: &LeafProof, serializer: S) -> Result<S::Ok, S::Error> {
        let value = told.value.as_deref().map(|value| Value(Bytes::copy_from_slice(value)));
        Shown { value, proof: told.proof.clone() }.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LeafProof, D::Error> {
        let Shown { value, proof } = Shown::deserialize(deserializer)?;
        Ok(LeafProof { value: value.map(|value| value.0.to_vec()), proof })
    }
}

/// Links, each of four parts.
pub(super) mod links {
    use cloister_chain::{Certificate, Header, ValidatorSet};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::borsh;
    use crate::light::Link;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shown {
        #[serde(with = "borsh")]
        header: Header,
        #[serde(with = "borsh")]
        certificate: Certificate,
        #[serde(with = "borsh")]
        validators: ValidatorSet,
        #[serde(with = "borsh")]
        next_validators: ValidatorSet,
    }

    pub(in super::super) fn serialize<S: Serializer>(links: &[Link], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(links.iter().cloned().map(|link| {
            let Link { header, certificate, validators, next_validators } = link;
            Shown { header, certificate, validators, next_validators }
        }))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Link>, D::Error> {
        let link = |shown: Shown| {
            let Shown { header, certificate, validators, next_validators } = shown;
            Link { header, certificate, validators, next_validators }
        };
        Ok(Vec::<Shown>::deserialize(deserializer)?.into_iter().map(link).collect())
    }
}
