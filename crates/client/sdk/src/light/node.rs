use alloy_primitives::{B256, Bytes, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use borsh::BorshDeserialize;
use cloister_chain::{Genesis, Leaf};
use serde::Deserialize;

use super::source::{Headers, Place, Source};
use super::{Inclusion, LeafProof, LightError};
use crate::cosmos::rest::{Rest, number};
use crate::{DoorError, Error};

/// A node's Cosmos door. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Node {
    rest: Rest,
}

impl Node {
    /// Names a door, for example `http://127.0.0.1:1317`. Asks nothing yet.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self { rest: Rest::new(url)? })
    }

    /// The genesis, as this node has it: trust it only if you trust the node, or know its hash.
    pub async fn genesis(&self) -> Result<Genesis, Error> {
        self.rest.get(&path("genesis"), &[]).await
    }
}

impl Source for Node {
    async fn headers(&self, from: u64, count: u32) -> Result<Headers, Error> {
        let query = [("from", from.to_string()), ("count", count.to_string())];
        let told: HeadersAnswer = self.rest.get(&path("headers"), &query).await?;
        Ok(told.read()?)
    }

    async fn place(&self, hash: B256) -> Result<Option<Place>, Error> {
        let path = path(&format!("transactions/{}", hex::encode(hash)));
        match self.rest.get::<PlaceAnswer>(&path, &[]).await {
            Ok(PlaceAnswer { height, index }) => Ok(Some(Place { height, index })),
            Err(Error::Door(DoorError { status: 404, code: 5, .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn inclusion(&self, place: Place) -> Result<Inclusion, Error> {
        let path = path(&format!("receipts/{}/{}", place.height, place.index));
        let told: InclusionAnswer = self.rest.get(&path, &[]).await?;
        if told.index != place.index {
            return Err(LightError::Answer("index").into());
        }
        Ok(told.read()?)
    }

    async fn leaf(&self, leaf: Leaf, height: u64) -> Result<LeafProof, Error> {
        let query = [("leaf", STANDARD.encode(leaf.to_bytes())), ("height", height.to_string())];
        let told: LeafAnswer = self.rest.get(&path("proof"), &query).await?;
        Ok(told.read()?)
    }

    async fn genesis_certificate(&self, index: u32) -> Result<Option<Bytes>, Error> {
        let nodes = self.genesis().await?.nodes;
        let node = usize::try_from(index).ok().and_then(|index| nodes.into_iter().nth(index));
        Ok(node.map(|node| node.certificate))
    }
}

fn path(rest: &str) -> String {
    format!("/cloister/chain/v1/{rest}")
}

#[derive(Deserialize)]
pub(super) struct HeadersAnswer {
    #[serde(deserialize_with = "number")]
    tip: u64,
    headers: Vec<HeaderAnswer>,
    validators: Vec<String>,
}

#[derive(Deserialize)]
struct HeaderAnswer {
    header: String,
    certificate: Option<String>,
}

#[derive(Deserialize)]
struct PlaceAnswer {
    #[serde(deserialize_with = "number")]
    height: u64,
    index: u32,
}

#[derive(Deserialize)]
pub(super) struct InclusionAnswer {
    index: u32,
    count: u32,
    tx: String,
    tx_path: Vec<String>,
    receipt: String,
    receipt_path: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct LeafAnswer {
    value: Option<String>,
    proof: String,
}

impl HeadersAnswer {
    pub(super) fn read(self) -> Result<Headers, LightError> {
        let header = |told: HeaderAnswer| {
            let certificate = told.certificate.map(|text| decode(&text, "certificate"));
            Ok::<_, LightError>((decode(&told.header, "header")?, certificate.transpose()?))
        };
        Ok(Headers {
            tip: self.tip,
            headers: self.headers.into_iter().map(header).collect::<Result<_, _>>()?,
            validators: self.validators.iter().map(|set| decode(set, "validators")).collect::<Result<_, _>>()?,
        })
    }
}

impl InclusionAnswer {
    pub(super) fn read(self) -> Result<Inclusion, LightError> {
        let hashes =
            |texts: &[String], what| texts.iter().map(|text| decode(text, what)).collect::<Result<Vec<_>, _>>();
        Ok(Inclusion {
            index: self.index,
            count: self.count,
            tx: Bytes::from(bytes(&self.tx, "tx")?),
            tx_path: hashes(&self.tx_path, "tx_path")?,
            receipt: decode(&self.receipt, "receipt")?,
            receipt_path: hashes(&self.receipt_path, "receipt_path")?,
        })
    }
}

impl LeafAnswer {
    pub(super) fn read(self) -> Result<LeafProof, LightError> {
        let value = self.value.map(|value| bytes(&value, "value")).transpose()?;
        Ok(LeafProof { value, proof: decode(&self.proof, "proof")? })
    }
}

/// The borsh form of something, in base64.
fn decode<T: BorshDeserialize>(text: &str, what: &'static str) -> Result<T, LightError> {
    borsh::from_slice(&bytes(text, what)?).map_err(|_| LightError::Answer(what))
}

fn bytes(text: &str, what: &'static str) -> Result<Vec<u8>, LightError> {
    STANDARD.decode(text).map_err(|_| LightError::Answer(what))
}
