//! What a light client needs: headers with what decides them, and the ways from transactions, receipts and leaves up to
//! the roots that headers name. Our own `cloister.chain.v1`.
//!
//! Everything that is hashed or signed travels as its borsh form in base64, so that a client checks the very bytes. A
//! client believes none of it: see the SDK's `light`.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::hash::merkle_path;
use cloister_chain::wire::{Answer, Query, QueryAt};
use cloister_chain::{B256, Block, Certificate, Header, Leaf, Receipt, ValidatorSet};
use cloister_store::{Reader, StoreError};
use serde_json::{Value, json};

use super::error::RestError;
use super::read::tip;
use super::request::{Answered, Asked, Named, Reply, TxHash};
use super::{Backend, Door, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cloister/chain/v1/genesis", get(genesis))
        .route("/cloister/chain/v1/headers", get(headers))
        .route("/cloister/chain/v1/transactions/{hash}", get(transaction))
        .route("/cloister/chain/v1/receipts/{height}/{index}", get(receipt))
        .route("/cloister/chain/v1/proof", get(proof))
}

/// The genesis as a file has it. It proves nothing: whoever asks a node for it trusts the node.
async fn genesis<B: Backend>(State(door): State<Door<B>>) -> Answered {
    let text = serde_json::to_string(door.backend.genesis()).map_err(|_| RestError::Internal)?;
    Ok(Reply::json(text))
}

/// Headers from a height upward, and each validator set that one of them names, once. Fewer than asked for when they are
/// large, or when the chain ends or the node lacks one: a node that began with the state of others has no blocks below it.
async fn headers<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let from = asked.number("from")?.ok_or_else(|| RestError::Invalid("from is missing".into()))?;
    let count = asked.number("count")?.unwrap_or(1).clamp(1, HEADERS);
    door.scan(move |door| {
        let reader = door.reader()?;
        let tip = tip(&reader)?;
        let (mut list, mut named, mut sets, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for height in from..from.saturating_add(count) {
            if height > tip || bytes > ANSWER_BYTES {
                break;
            }
            let Some((header, certificate)) = decided(door, &reader, height)? else { break };
            for hash in [header.validators, header.next_validators] {
                if !named.contains(&hash) {
                    named.push(hash);
                    sets.push(text(&set(&reader, &hash)?, &mut bytes));
                }
            }
            let certificate = certificate.map(|certificate| text(&certificate, &mut bytes));
            list.push(json!({ "header": text(&header, &mut bytes), "certificate": certificate }));
        }
        Ok(Reply::of(&json!({ "tip": tip.to_string(), "headers": list, "validators": sets })))
    })
    .await
}

/// Where a transaction of either world stands.
async fn transaction<B: Backend>(State(door): State<Door<B>>, Named(named): Named<TxHash>) -> Answered {
    let place = door.reader()?.locate(&named.hash)?;
    let (height, index) = place.ok_or(RestError::NoTx(named.text))?;
    Ok(Reply::of(&json!({ "height": height.to_string(), "index": index })))
}

/// A transaction and its receipt, with their ways to the roots in the headers of this height and of the next.
async fn receipt<B: Backend>(State(door): State<Door<B>>, place: Place) -> Answered {
    let Path((height, index)) = place.map_err(|_| RestError::Invalid("a height and an index are numbers".into()))?;
    door.scan(move |door| {
        let reader = door.reader()?;
        let mined = door.mined(&reader, height)?;
        let (txs, receipts) = (mined.txs(), mined.receipts());
        let nothing = || RestError::Nothing("transaction of this block with this index");
        let at = usize::try_from(index).map_err(|_| nothing())?;
        let (Some(tx), Some(receipt)) = (txs.get(at), receipts.get(at)) else { return Err(nothing()) };
        let tx_leaves: Vec<B256> = txs.iter().map(|tx| Block::tx_leaf(tx)).collect();
        let receipt_leaves: Vec<B256> = receipts.iter().map(Receipt::hash).collect();
        Ok(Reply::of(&json!({
            "height": height.to_string(),
            "index": index,
            "count": txs.len(),
            "tx": view::base64(tx),
            "tx_path": path(&tx_leaves, at),
            "receipt": text(receipt, &mut 0),
            "receipt_path": path(&receipt_leaves, at),
        })))
    })
    .await
}

/// What stands under a leaf after the block of a height, or of the tip. The root stands in the header of the next one.
async fn proof<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let leaf = Leaf::try_from_slice(&asked.bytes("leaf")?);
    let leaf = leaf.map_err(|_| RestError::Invalid("leaf is not the name of one".into()))?;
    let height = asked.number("height")?.or(asked.height);
    // Refuses heights that there are not, in the words of this door.
    door.state(height)?;
    match door.backend.query(QueryAt { height, query: Query::Prove(leaf) }).await? {
        Answer::Proved { height, root, value, proof } => Ok(Reply::at(
            height,
            &json!({
                "height": height.to_string(),
                "root": view::base64(root),
                "value": value.map(view::base64),
                "proof": text(&proof, &mut 0),
            }),
        )),
        Answer::Refused(refusal) => Err(RestError::Refused(refusal)),
        _ => Err(RestError::Internal),
    }
}

type Place = Result<Path<(u64, u32)>, axum::extract::rejection::PathRejection>;

/// A header with what decides it, which nothing does for that of the genesis; `None` if the node lacks either.
fn decided<B: Backend>(
    door: &Door<B>,
    reader: &Reader,
    height: u64,
) -> Result<Option<(Header, Option<Certificate>)>, RestError> {
    let Some(header) = reader.header(height)? else { return Ok(None) };
    let certificate = door.certificate(reader, height)?;
    Ok((height == 0 || certificate.is_some()).then_some((header, certificate)))
}

fn set(reader: &Reader, hash: &B256) -> Result<ValidatorSet, RestError> {
    Ok(reader.validators(hash)?.ok_or(StoreError::Corrupted("sets"))?)
}

fn path(leaves: &[B256], index: usize) -> Vec<Value> {
    merkle_path(leaves, index).unwrap_or_default().into_iter().map(|hash| view::base64(hash).into()).collect()
}

/// The borsh form in base64. Its length is added to `bytes`.
fn text(value: &impl BorshSerialize, bytes: &mut usize) -> String {
    let value = borsh::to_vec(value).expect("writing to memory does not fail");
    *bytes = bytes.saturating_add(value.len());
    view::base64(value)
}

/// Most headers of one answer.
const HEADERS: u64 = 100;
/// An answer ends with the header that makes it longer than this. Sixteen headers with their certificates and sets fit even
/// when all sets are as large as they may be.
const ANSWER_BYTES: usize = 4 << 20;
