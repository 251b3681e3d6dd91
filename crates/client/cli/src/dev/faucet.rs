//! LocalSecret's faucet: coins of its account `a` for whoever asks.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /`, `GET /status` | `{"faucet_address":"secret1…","amount":"1000000000"}` |
//! | `GET /faucet?address=secret1…` | `{"txhash":"<64 upper-case hex digits>"}` once the transaction waits for its block |
//! | anything that goes wrong | `{"error":"…"}`: 400 for a bad address, 404 for another path, 500 for what the chain refuses |

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloister_api::Backend;
use cloister_api::cosmos::{self, ServerHandle};
use cloister_chain::cosmos::{CosmosError, CosmosTx, bech32, from_bech32};
use cloister_chain::leaf::Auth;
use cloister_chain::{Address, B256, Leaf, Tx};
use cloister_consensus::SubmitError;
use cloister_sdk::cosmos::{Place, Sequence, Terms, bank_send};
use cloister_sdk::{Rejection, Wallet};
use cloister_store::StoreError;
use serde_json::json;
use thiserror::Error;

/// What one request gives, in the micro-denomination.
pub const AMOUNT: u128 = 1_000_000_000;

/// Gives coins of `wallet`'s account at `address`; port 0 chooses a free one. It is open when this returns.
pub async fn serve<B: Backend>(node: Arc<B>, wallet: Wallet, address: SocketAddr) -> io::Result<ServerHandle> {
    let faucet = Faucet { node, wallet, next: Mutex::default() };
    let routes = Router::new()
        .route("/", get(status))
        .route("/status", get(status))
        .route("/faucet", get(give))
        .fallback(async || Refusal::Path)
        .with_state(Arc::new(faucet));
    cosmos::open(routes, address).await
}

struct Faucet<B> {
    node: Arc<B>,
    wallet: Wallet,
    /// The sequence after the last transaction that went from here. Whoever holds it is alone in choosing the next.
    next: Mutex<u64>,
}

/// Why nobody gets anything.
#[derive(Debug, Error)]
enum Refusal {
    /// Nobody said who is to get it.
    #[error("address is required")]
    Nobody,
    /// That is no address.
    #[error(transparent)]
    Address(CosmosError),
    /// There is nothing at this path.
    #[error("ask for /status or /faucet?address=secret1…")]
    Path,
    /// This chain began without coins for the faucet.
    #[error("the faucet's account {0} has nothing on this chain")]
    Empty(String),
    /// The chain says no.
    #[error(transparent)]
    Chain(#[from] SubmitError),
    /// The state cannot be read.
    #[error("the state cannot be read")]
    Store(#[from] StoreError),
}

async fn status<B: Backend>(State(faucet): State<Arc<Faucet<B>>>) -> Response {
    let faucet_address = bech32(&faucet.wallet.cosmos_address());
    reply(StatusCode::OK, &json!({ "faucet_address": faucet_address, "amount": AMOUNT.to_string() }))
}

async fn give<B: Backend>(
    State(faucet): State<Arc<Faucet<B>>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    let address = query.get("address").filter(|address| !address.is_empty()).ok_or(Refusal::Nobody)?;
    let hash = faucet.send(from_bech32(address).map_err(Refusal::Address)?)?;
    Ok(reply(StatusCode::OK, &json!({ "txhash": format!("{hash:X}") })))
}

impl<B: Backend> Faucet<B> {
    /// Signs and hands over. Nothing here waits for a block.
    fn send(&self, to: Address) -> Result<B256, Refusal> {
        let from = self.wallet.cosmos_address();
        // A number: whatever panicked beside it, it is one.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let committed = self.committed(from)?;
        let sign = |sequence| {
            let place = Place { chain_id: &self.node.genesis().chain_id, number: committed.number, sequence };
            let terms = Terms { gas: GAS, fee: FEE, memo: String::new() };
            let (raw, _) = self.wallet.sign_cosmos(&place, vec![bank_send(from, to, AMOUNT)], &terms);
            let tx = CosmosTx::decode(&raw).map_err(SubmitError::from)?;
            let hash = self.node.submit(Tx::Cosmos(Box::new(tx)))?;
            Ok::<_, SubmitError>((sequence, hash))
        };
        // Everybody knows this key, so that others may have used the sequence.
        let sent = sign(committed.sequence.max(*next)).or_else(|error| match expected(&error) {
            Some(sequence) => sign(sequence),
            None => Err(error),
        });
        let (sequence, hash) = sent?;
        *next = sequence.saturating_add(1);
        Ok(hash)
    }

    /// The account as it stands in the last block.
    fn committed(&self, address: Address) -> Result<Sequence, Refusal> {
        let reader = self.node.store().reader()?;
        let height = reader.tip()?.ok_or(StoreError::Missing)?;
        let auth = reader.leaf(&Leaf::Auth(address), height)?.ok_or_else(|| Refusal::Empty(bech32(&address)))?;
        let auth: Auth = borsh::from_slice(&auth).map_err(|_| StoreError::Corrupted("account"))?;
        Ok(Sequence { number: auth.number, sequence: reader.account(&address, height)?.sequence })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Nobody | Self::Address(_) => StatusCode::BAD_REQUEST,
            Self::Path => StatusCode::NOT_FOUND,
            Self::Empty(_) | Self::Chain(_) | Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        reply(status, &json!({ "error": self.to_string() }))
    }
}

/// JSON that a page of any origin may read.
fn reply(status: StatusCode, body: &serde_json::Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (status, headers, body.to_string()).into_response()
}

/// The sequence that the pool wants instead.
fn expected(error: &SubmitError) -> Option<u64> {
    let SubmitError::Rejected(reason) = error else { return None };
    let (codespace, code, log) = (reason.codespace.clone(), reason.code, reason.log.clone());
    Rejection { codespace, code, log }.expected_sequence()
}

/// Enough gas for a transfer.
const GAS: u64 = 100_000;
/// What that costs at the price of 0.1 that published clients offer.
const FEE: u128 = 10_000;

#[cfg(test)]
mod tests;
