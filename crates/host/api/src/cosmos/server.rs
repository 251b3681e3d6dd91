//! The HTTP server: connections in, a bounded number at a time, each answered by the router.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

/// An open door. Dropping it closes the door.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl ServerHandle {
    /// Where the door is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, answers those that are under way, and returns when all connections are closed.
    pub async fn stop(self) {
        // An error says that it is stopped already.
        let _ = self.stop.send(());
        let _ = self.server.await;
    }
}

/// Listens on `address` and answers with `router`.
pub async fn open(router: Router, address: SocketAddr) -> io::Result<ServerHandle> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(run(listener, router, stopped));
    Ok(ServerHandle { address, stop, server })
}

/// Serves until `stopped` is sent or dropped.
async fn run(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accept = async {
            let permit = room.clone().acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accept => accepted,
            _ = &mut stopped => break,
        };
        let Ok((stream, _)) = accepted else {
            // The client is gone already, or this process has no descriptor left: others may give theirs back.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _permit = permit;
            // An error is the client's: it hung up, or spoke something else.
            let _ = connection.await;
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// Most connections at a time.
const CONNECTIONS: usize = 1_024;
/// How long a client may take over the head of a request, and stay connected without asking.
const HEADERS: Duration = Duration::from_secs(60);
/// Between two attempts to accept when there is no room for a connection.
const PAUSE: Duration = Duration::from_millis(50);
