//! The Cosmos door: REST over HTTP (the "LCD"), with the paths, the JSON and the texts of the Cosmos SDK 0.50 and of Secret
//! Network's `compute` and `registration`, as secretjs speaks it.
//!
//! One file for each group of paths, each with the function that lists them; `view` and `message` make JSON of the chain's
//! words, and `error` is everything that a client can be told when it does not get an answer. What is encrypted here stays
//! encrypted: the door neither has keys nor needs any.
//!
//! JSON follows the gRPC gateway: names in snake case, every field present, 64-bit numbers as text, bytes in base64.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, header};
use cloister_chain::limits;
use cloister_chain::wire::NetworkKeys;
use tokio::sync::{OnceCell, Semaphore};
use tower_http::cors::{Any, CorsLayer};

use crate::Backend;
use error::RestError;
use read::Recent;

mod absent;
mod auth;
mod authz;
mod bank;
mod block;
mod compute;
mod distribution;
mod error;
mod feegrant;
mod gov;
mod light;
mod message;
mod node;
mod read;
mod request;
mod sealed;
mod search;
mod server;
mod slashing;
mod staking;
mod trust;
mod tx;
mod view;

pub use server::{ServerHandle, open};

/// Serves `backend` on `address`; port 0 chooses a free one. The door is open when this returns.
pub async fn serve<B: Backend>(backend: Arc<B>, address: SocketAddr) -> io::Result<ServerHandle> {
    server::open(Door::new(backend).routes(), address).await
}

/// What all paths share.
struct Door<B> {
    backend: Arc<B>,
    recent: Arc<Recent>,
    scans: Arc<Semaphore>,
    keys: Arc<OnceCell<NetworkKeys>>,
}

impl<B: Backend> Door<B> {
    fn new(backend: Arc<B>) -> Self {
        let scans = Arc::new(Semaphore::new(SCANS));
        Self { backend, recent: Arc::default(), scans, keys: Arc::default() }
    }

    /// Every path of the door.
    fn routes(self) -> Router {
        // Browsers of any origin may ask: there is nothing here that a cookie or an address of the network would unlock.
        let cors = CorsLayer::new()
            .allow_origin(Any)
            .allow_methods(Any)
            .allow_headers(Any)
            .expose_headers([header::CONTENT_TYPE, HEIGHT]);
        Router::new()
            .merge(auth::routes())
            .merge(bank::routes())
            .merge(tx::routes())
            .merge(compute::routes())
            .merge(sealed::routes())
            .merge(trust::routes())
            .merge(block::routes())
            .merge(node::routes())
            .merge(light::routes())
            .merge(feegrant::routes())
            .merge(authz::routes())
            .merge(gov::routes())
            .merge(staking::routes())
            .merge(slashing::routes())
            .merge(distribution::routes())
            .merge(absent::routes())
            .fallback(async || RestError::Unimplemented)
            .method_not_allowed_fallback(async || RestError::Method)
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .layer(cors)
            .with_state(self)
    }

    /// Runs what reads many blocks on a thread of its own, a few at a time.
    async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, RestError> + Send + 'static,
    ) -> Result<T, RestError> {
        let permit = self.scans.clone().acquire_owned().await.map_err(|_| RestError::Internal)?;
        let door = self.clone();
        let scan = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&door)
        });
        scan.await.map_err(|_| RestError::Internal)?
    }
}

impl<B> Clone for Door<B> {
    fn clone(&self) -> Self {
        let Self { backend, recent, scans, keys } = self;
        Self { backend: backend.clone(), recent: recent.clone(), scans: scans.clone(), keys: keys.clone() }
    }
}

/// Height whose state a request means, and that an answer is of.
const HEIGHT: HeaderName = HeaderName::from_static("x-cosmos-block-height");
/// Largest body of a request: the largest transaction in base64, and the JSON around it.
const BODY_BYTES: usize = limits::TX_BYTES.div_ceil(3) * 4 + 4_096;
/// Most answers at a time that read many blocks.
const SCANS: usize = 4;

#[cfg(test)]
pub(crate) mod tests;
