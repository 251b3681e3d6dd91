//! The operator's door: how the node is, for people, for load balancers and for Prometheus.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /status` | JSON: the chain, the tip, what waits, peers, the enclave |
//! | `GET /health` | 200 `{"healthy":true}`, or 503 with the reason: the enclave does not answer, or the node is behind |
//! | `GET /metrics` | OpenMetrics text, as Prometheus reads it |
//!
//! Nothing here is secret and nothing can be changed, but it is for the operator: keep it off the public network. Peers' addresses
//! are not told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloister_chain::wire::{Answer, Query, QueryAt};
use cloister_store::StoreError;
use prometheus_client::encoding::text::encode;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::Backend;
use crate::cosmos::{self, ServerHandle};

mod metrics;
mod vitals;

pub use vitals::Vitals;

/// Serves what there is to know about `backend` on `address`; port 0 chooses a free one. The door is open when this returns.
pub async fn serve<B: Backend>(backend: Arc<B>, address: SocketAddr) -> io::Result<ServerHandle> {
    let routes = Router::new()
        .route("/", get(status))
        .route("/status", get(status))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(async || reply(StatusCode::NOT_FOUND, &json!({ "error": "ask for /status, /health or /metrics" })))
        .with_state(backend);
    cosmos::open(routes, address).await
}

async fn status<B: Backend>(State(backend): State<Arc<B>>) -> Response {
    match describe(&*backend) {
        Ok(status) => reply(StatusCode::OK, &status),
        Err(error) => reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": error.to_string() })),
    }
}

async fn health<B: Backend>(State(backend): State<Arc<B>>) -> Response {
    match fault(&*backend).await {
        None => reply(StatusCode::OK, &json!({ "healthy": true })),
        Some(reason) => reply(StatusCode::SERVICE_UNAVAILABLE, &json!({ "healthy": false, "reason": reason })),
    }
}

async fn metrics<B: Backend>(State(backend): State<Arc<B>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &metrics::registry(&backend)) {
        Ok(()) => {
            if let Some(engine) = backend.engine_metrics() {
                // One text has one end.
                text = [text.trim_end_matches(END), engine.trim_end().trim_end_matches(END.trim_end()), END].concat();
            }
            ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
        }
        Err(_) => reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "the metrics have no text form" })),
    }
}

fn describe<B: Backend>(backend: &B) -> Result<Value, StoreError> {
    let genesis = backend.genesis();
    let reader = backend.store().reader()?;
    let head = reader.head()?.ok_or(StoreError::Missing)?;
    let header = reader.header(head.height)?.ok_or(StoreError::Corrupted("headers"))?;
    let waiting = backend.mempool().status();
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "simulated": genesis.simulated,
        "chain_id": genesis.chain_id,
        "evm_chain_id": genesis.evm_chain_id,
        "genesis": genesis.hash(),
        "height": head.height,
        "block": header.hash(),
        "time": header.time,
        "state_root": head.state_root,
        "oldest_state": reader.oldest()?,
        "next_base_fee": head.next_base_fee,
        "next_validators": {
            "hash": head.next_validators.hash(),
            "count": head.next_validators.iter().count(),
            "power": head.next_validators.total_power(),
        },
        "mempool": { "pending": waiting.pending, "queued": waiting.queued, "cosmos": waiting.cosmos },
        "peers": backend.peers(),
        "syncing_to": backend.syncing(),
        "enclave_restarts": backend.vitals().map(Vitals::enclave_restarts),
    }))
}

/// Why clients had better ask another node.
async fn fault<B: Backend>(backend: &B) -> Option<String> {
    if let Some(target) = backend.syncing() {
        let height = *backend.heads().borrow();
        return Some(format!("at block {height}, behind the others, who are at {target}"));
    }
    match timeout(PATIENCE, backend.query(QueryAt { height: None, query: Query::NetworkKeys })).await {
        Ok(Ok(Answer::NetworkKeys(_))) => None,
        Ok(Ok(_)) => Some("the enclave has no state yet".into()),
        Ok(Err(unavailable)) => Some(unavailable.to_string()),
        Err(_) => Some("the enclave does not answer".into()),
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// What Prometheus calls the format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The last line of that format.
const END: &str = "# EOF\n";
/// How long an enclave that is well may take over a question.
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
