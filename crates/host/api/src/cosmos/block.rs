//! `cosmos.base.tendermint.v1beta1`: blocks and validators.
//!
//! What our header lacks is empty. Root and results in it are those of the parent, as Tendermint has it too.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use bech32::{Bech32, Hrp};
use cloister_chain::{Address, B256, Certificate, Header, Validator};
use cloister_store::Reader;
use serde_json::{Value, json};

use super::error::RestError;
use super::read::{Mined, tip};
use super::request::{Answered, Asked, Named, Page, Reply};
use super::{Backend, Door, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/base/tendermint/v1beta1/blocks/latest", get(latest))
        .route("/cosmos/base/tendermint/v1beta1/blocks/{height}", get(by_height))
        .route("/cosmos/base/tendermint/v1beta1/validatorsets/latest", get(latest_validators))
        .route("/cosmos/base/tendermint/v1beta1/validatorsets/{height}", get(validators))
}

async fn latest<B: Backend>(State(door): State<Door<B>>) -> Answered {
    door.block(None).await
}

async fn by_height<B: Backend>(State(door): State<Door<B>>, Named(height): Named<u64>) -> Answered {
    door.block(Some(height)).await
}

async fn latest_validators<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    door.validators(None, asked.page(VALIDATORS)?)
}

async fn validators<B: Backend>(State(door): State<Door<B>>, Named(height): Named<u64>, asked: Asked) -> Answered {
    door.validators(Some(height), asked.page(VALIDATORS)?)
}

impl<B: Backend> Door<B> {
    async fn block(&self, height: Option<u64>) -> Answered {
        self.scan(move |door| {
            let reader = door.reader()?;
            let height = height.map_or_else(|| tip(&reader), Ok)?;
            let mined = door.mined(&reader, height)?;
            let block = view(door, &reader, &mined)?;
            let mut sdk_block = block.clone();
            sdk_block["header"]["proposer_address"] = consensus(&mined.header.proposer).into();
            let id = id(&mined.hash);
            Ok(Reply::of(&json!({ "block_id": id, "block": block, "sdk_block": sdk_block })))
        })
        .await
    }

    /// The set that signed the block of a height.
    fn validators(&self, height: Option<u64>, page: Page) -> Answered {
        let reader = self.reader()?;
        let height = height.map_or_else(|| tip(&reader), Ok)?;
        let header = reader.header(height)?.ok_or(RestError::NoBlock(height))?;
        let set = reader.validators(&header.validators)?;
        let set = set.ok_or(RestError::Nothing("validator set of this height"))?;
        let validators: Vec<Value> = set.iter().skip(page.offset).take(page.limit).map(validator).collect();
        Ok(Reply::of(&json!({
            "block_height": height.to_string(),
            "validators": validators,
            "pagination": view::pagination(set.iter().count()),
        })))
    }
}

/// A block's `BlockID`. Our blocks do not travel in parts.
pub(super) fn id(hash: &B256) -> Value {
    json!({ "hash": view::base64(hash), "part_set_header": { "total": 0, "hash": "" } })
}

/// A block with the transactions of this door.
pub(super) fn view<B: Backend>(door: &Door<B>, reader: &Reader, mined: &Mined) -> Result<Value, RestError> {
    let parent = match mined.header.height.checked_sub(1) {
        Some(parent) => door.certificate(reader, parent)?,
        None => None,
    };
    Ok(json!({
        "header": header(&mined.header),
        "data": { "txs": mined.raw().map(view::base64).collect::<Vec<_>>() },
        "evidence": { "evidence": [] },
        "last_commit": parent.as_ref().map(|certificate| commit(certificate, &mined.header)),
    }))
}

fn header(header: &Header) -> Value {
    json!({
        "version": { "block": "11", "app": "0" },
        "chain_id": header.chain_id,
        "height": header.height.to_string(),
        "time": view::nanoseconds(header),
        "last_block_id": id(&header.parent),
        "last_commit_hash": view::base64(header.certificate),
        "data_hash": view::base64(header.txs),
        "validators_hash": view::base64(header.validators),
        "next_validators_hash": view::base64(header.next_validators),
        "consensus_hash": "",
        "app_hash": view::base64(header.state_root),
        "last_results_hash": view::base64(header.results),
        "evidence_hash": "",
        "proposer_address": view::base64(header.proposer),
    })
}

/// The proof that the parent was decided. Our precommits carry no time of their own.
fn commit(certificate: &Certificate, child: &Header) -> Value {
    let signatures = certificate.precommits.iter().map(|precommit| {
        let signer = Validator { key: precommit.validator, power: 1 };
        json!({
            "block_id_flag": "BLOCK_ID_FLAG_COMMIT",
            "validator_address": view::base64(signer.address()),
            "timestamp": view::nanoseconds(child),
            "signature": view::base64(precommit.signature),
        })
    });
    json!({
        "height": certificate.height.to_string(),
        "round": certificate.round,
        "block_id": id(&certificate.block),
        "signatures": signatures.collect::<Vec<_>>(),
    })
}

fn validator(validator: &Validator) -> Value {
    json!({
        "address": consensus(&validator.address()),
        "pub_key": { "@type": "/cosmos.crypto.ed25519.PubKey", "key": view::base64(validator.key) },
        "voting_power": validator.power.to_string(),
        "proposer_priority": "0",
    })
}

/// `secretvalcons1…`.
fn consensus(address: &Address) -> String {
    let prefix = Hrp::parse("secretvalcons").expect("the prefix is one");
    bech32::encode::<Bech32>(prefix, address.as_slice()).expect("20 bytes are short enough")
}

/// Most validators in one answer.
const VALIDATORS: usize = cloister_chain::limits::VALIDATORS;
