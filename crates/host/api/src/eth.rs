//! The Ethereum door: JSON-RPC 2.0 over HTTP and WebSocket on one port, as go-ethereum speaks it.
//!
//! One file for each group of methods, each with a trait that lists them; `view` makes Ethereum's words of the chain's, and
//! `error` is everything that a client can be told when it does not get an answer. Confidential values are ciphertext in
//! what is served here, and `eth_call` and estimation run inside the enclave, which does not evaluate them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use cloister_chain::limits;
use jsonrpsee::RpcModule;
use jsonrpsee::server::{BatchRequestConfig, Server, ServerConfig};
use tokio::sync::Semaphore;
use tower_http::cors::{Any, CorsLayer};

use crate::Backend;
use error::EthError;
use filters::Filters;
use read::Recent;

mod block;
mod call;
mod error;
mod fee;
mod filters;
mod log;
mod node;
mod own;
mod read;
mod state;
mod subscribe;
mod transaction;
mod view;

/// Serves `backend` on `address`; port 0 chooses a free one. The door is open when this returns.
pub async fn serve<B: Backend>(backend: Arc<B>, address: SocketAddr) -> io::Result<ServerHandle> {
    let config = ServerConfig::builder()
        .max_request_body_size(size(limits::RPC_BODY_BYTES))
        .max_response_body_size(size(ANSWER_BYTES))
        .max_connections(CONNECTIONS)
        .max_subscriptions_per_connection(SUBSCRIPTIONS)
        .set_batch_request_config(BatchRequestConfig::Limit(BATCH))
        .set_message_buffer_capacity(MESSAGES)
        .set_id_provider(subscribe::HexIds)
        .build();
    // Browsers of any origin may ask: there is nothing here that a cookie or an address of the network would unlock.
    let cors = CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any);
    let server = Server::builder()
        .set_config(config)
        .set_http_middleware(tower::ServiceBuilder::new().layer(cors))
        .build(address)
        .await?;
    let address = server.local_addr()?;
    let inner = server.start(Door::new(backend).methods());
    Ok(ServerHandle { address, inner })
}

/// An open door. Dropping it closes the door.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    inner: jsonrpsee::server::ServerHandle,
}

impl ServerHandle {
    /// Where the door is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, answers those that are under way, and returns when all connections are closed.
    pub async fn stop(self) {
        // An error says that it is stopped already.
        let _ = self.inner.stop();
        self.inner.stopped().await;
    }
}

/// What all methods share.
struct Door<B> {
    backend: Arc<B>,
    filters: Arc<Filters>,
    recent: Arc<Recent>,
    scans: Arc<Semaphore>,
}

impl<B: Backend> Door<B> {
    fn new(backend: Arc<B>) -> Self {
        let scans = Arc::new(Semaphore::new(SCANS));
        Self { backend, filters: Arc::default(), recent: Arc::default(), scans }
    }

    /// Every method of the door.
    fn methods(&self) -> RpcModule<()> {
        let groups: [jsonrpsee::Methods; 9] = [
            node::NodeServer::into_rpc(self.clone()).into(),
            block::EthBlockServer::into_rpc(self.clone()).into(),
            transaction::EthTransactionServer::into_rpc(self.clone()).into(),
            state::EthStateServer::into_rpc(self.clone()).into(),
            call::EthCallServer::into_rpc(self.clone()).into(),
            fee::EthFeeServer::into_rpc(self.clone()).into(),
            log::EthLogServer::into_rpc(self.clone()).into(),
            subscribe::EthSubscribeServer::into_rpc(self.clone()).into(),
            own::OwnServer::into_rpc(self.clone()).into(),
        ];
        let mut all = RpcModule::new(());
        for group in groups {
            all.merge(group).expect("no method has two names");
        }
        all
    }

    /// Runs what reads many blocks on a thread of its own, a few at a time.
    async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, EthError> + Send + 'static,
    ) -> Result<T, EthError> {
        let permit = self.scans.clone().acquire_owned().await.map_err(|_| EthError::Internal)?;
        let door = self.clone();
        let scan = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&door)
        });
        scan.await.map_err(|_| EthError::Internal)?
    }
}

impl<B> Clone for Door<B> {
    fn clone(&self) -> Self {
        let Self { backend, filters, recent, scans } = self;
        Self { backend: backend.clone(), filters: filters.clone(), recent: recent.clone(), scans: scans.clone() }
    }
}

fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("limits are far below 4 GiB")
}

/// Largest answer, batch or not, in bytes. A full block in hexadecimal is twice [`limits::BLOCK_BYTES`].
const ANSWER_BYTES: usize = 4 * limits::RPC_BODY_BYTES;
/// Most connections at a time.
const CONNECTIONS: u32 = 1_024;
/// Most subscriptions of one connection.
const SUBSCRIPTIONS: u32 = 128;
/// Most requests in one batch. Published clients send a hundred.
const BATCH: u32 = 1_000;
/// Most messages that wait for one slow WebSocket client.
const MESSAGES: u32 = 256;
/// Most searches over ranges of blocks at a time.
const SCANS: usize = 4;

#[cfg(test)]
mod tests;
