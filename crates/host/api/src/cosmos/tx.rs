//! `cosmos.tx.v1beta1`: transactions. Sending them, trying them, and finding them again.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use cloister_chain::wire::{Answer, Query, QueryAt, Rejection};
use cloister_chain::{B256, CosmosTx, Tx};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::{RestError, verdict};
use super::request::{Answered, Asked, Body, Named, Reply, TxHash, base64};
use super::search::Search;
use super::{Backend, Door, block, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/tx/v1beta1/txs", post(broadcast).get(search))
        .route("/cosmos/tx/v1beta1/txs/{hash}", get(by_hash))
        .route("/cosmos/tx/v1beta1/txs/block/{height}", get(in_block))
        .route("/cosmos/tx/v1beta1/simulate", post(simulate))
        .route("/cosmos/tx/v1beta1/decode", post(decode))
}

/// A transaction to send, or to try.
#[derive(Deserialize)]
struct Signed {
    #[serde(alias = "txBytes")]
    tx_bytes: String,
    #[serde(default)]
    mode: Mode,
}

/// How far a transaction is followed, by name or by number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
enum Mode {
    #[default]
    Unspecified,
    Block,
    Sync,
    Async,
}

/// Puts a transaction into the mempool. Whether it may go there is known at once, so both modes say it.
async fn broadcast<B: Backend>(State(door): State<Door<B>>, Body(sent): Body<Signed>) -> Answered {
    let unsupported = |mode| {
        let text = format!("unsupported return type BROADCAST_MODE_{mode}; supported types: sync, async");
        Err(RestError::Invalid(text))
    };
    match sent.mode {
        Mode::Sync | Mode::Async => {}
        Mode::Block => return unsupported("BLOCK"),
        Mode::Unspecified => return unsupported("UNSPECIFIED"),
    }
    let bytes = sent.bytes()?;
    let submitted = match CosmosTx::decode(&bytes) {
        Ok(tx) => door.backend.submit(Tx::Cosmos(Box::new(tx))).map_err(verdict),
        Err(error) => Err(Rejection { codespace: "sdk".into(), code: error.code(), log: error.to_string() }),
    };
    // Checking signatures takes some 50 µs each: whoever sends many at a time must leave room for others.
    tokio::task::yield_now().await;
    let hash = B256::from_slice(&Sha256::digest(&bytes));
    let response = view::broadcast(&hash, submitted.err().as_ref());
    Ok(Reply::of(&json!({ "tx_response": response })))
}

async fn by_hash<B: Backend>(State(door): State<Door<B>>, Named(wanted): Named<TxHash>) -> Answered {
    let reader = door.reader()?;
    let missing = || RestError::NoTx(wanted.text.clone());
    let (height, index) = reader.locate(&wanted.hash)?.ok_or_else(missing)?;
    let mined = door.mined(&reader, height)?;
    let placed = mined.placed(index)?.ok_or_else(missing)?;
    let tx = view::tx(&placed.tx);
    Ok(Reply::of(&json!({ "tx_response": view::included(&placed, &tx), "tx": tx })))
}

async fn search<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    // The older form of the same is a list of conditions.
    let events = || asked.all().filter(|(name, _)| *name == "events").map(|(_, event)| event).collect::<Vec<_>>();
    let query = asked.text("query").map_or_else(|| events().join(" AND "), str::to_owned);
    let search = Search::parse(&query)?;
    let page = asked.page(PAGE)?;
    door.scan(move |door| {
        let found = door.search(&search, page)?;
        let reader = door.reader()?;
        let (mut txs, mut responses, mut room) = (Vec::new(), Vec::new(), PAGE_BYTES);
        for (height, index) in found.places {
            let mined = door.mined(&reader, height)?;
            room = room.checked_sub(mined.size(index)).ok_or(TOO_LONG)?;
            let Some(placed) = mined.placed(index)? else { continue };
            let tx = view::tx(&placed.tx);
            responses.push(view::included(&placed, &tx));
            txs.push(tx);
        }
        let total = found.total.to_string();
        Ok(Reply::of(&json!({ "txs": txs, "tx_responses": responses, "pagination": null, "total": total })))
    })
    .await
}

async fn in_block<B: Backend>(State(door): State<Door<B>>, Named(height): Named<u64>, asked: Asked) -> Answered {
    let page = asked.page(PAGE)?;
    door.scan(move |door| {
        let reader = door.reader()?;
        let mined = door.mined(&reader, height)?;
        let indexes: Vec<u32> = mined.indexes().collect();
        let (mut txs, mut room) = (Vec::new(), PAGE_BYTES);
        for index in indexes.iter().skip(page.offset).take(page.limit) {
            room = room.checked_sub(mined.size(*index)).ok_or(TOO_LONG)?;
            txs.extend(mined.placed(*index)?.map(|placed| view::tx(&placed.tx)));
        }
        Ok(Reply::of(&json!({
            "txs": txs,
            "block_id": block::id(&mined.hash),
            "block": block::view(door, &reader, &mined)?,
            "pagination": view::pagination(indexes.len()),
        })))
    })
    .await
}

/// Runs a transaction without effect, its signatures unchecked, for its gas. The enclave refuses what would run a contract.
async fn simulate<B: Backend>(State(door): State<Door<B>>, Body(sent): Body<Signed>) -> Answered {
    let bytes = sent.bytes()?;
    let tx = CosmosTx::decode(&bytes)?;
    let question = QueryAt { height: None, query: Query::Simulate(tx.bytes().clone()) };
    match door.backend.query(question).await? {
        Answer::Simulated(gas) => Ok(Reply::of(&json!({
            "gas_info": { "gas_wanted": tx.gas().to_string(), "gas_used": gas.to_string() },
            "result": { "data": null, "log": "", "events": [], "msg_responses": [] },
        }))),
        Answer::Rejected(rejection) => Err(RestError::Rejected(rejection)),
        Answer::Refused(refusal) => Err(RestError::Refused(refusal)),
        _ => Err(RestError::Internal),
    }
}

async fn decode(Body(sent): Body<Signed>) -> Answered {
    let tx = CosmosTx::decode(&sent.bytes()?)?;
    Ok(Reply::of(&json!({ "tx": view::tx(&tx) })))
}

impl Signed {
    fn bytes(&self) -> Result<Vec<u8>, RestError> {
        let bytes = base64(&self.tx_bytes).ok_or_else(|| RestError::Invalid("tx_bytes is not base64".into()))?;
        if bytes.is_empty() {
            return Err(RestError::Invalid("invalid empty tx".into()));
        }
        Ok(bytes)
    }
}

impl TryFrom<Value> for Mode {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match (value.as_str(), value.as_u64()) {
            (Some("BROADCAST_MODE_UNSPECIFIED"), _) | (_, Some(0)) => Ok(Self::Unspecified),
            (Some("BROADCAST_MODE_BLOCK"), _) | (_, Some(1)) => Ok(Self::Block),
            (Some("BROADCAST_MODE_SYNC"), _) | (_, Some(2)) => Ok(Self::Sync),
            (Some("BROADCAST_MODE_ASYNC"), _) | (_, Some(3)) => Ok(Self::Async),
            _ => Err("unknown broadcast mode"),
        }
    }
}

const TOO_LONG: RestError = RestError::Much("the transactions are too long for one answer, ask for fewer at a time");
/// Most transactions in one answer.
const PAGE: usize = 100;
/// Most bytes of transactions in one answer: a full block fits.
const PAGE_BYTES: usize = cloister_chain::limits::BLOCK_BYTES;
