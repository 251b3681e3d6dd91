//! Bad weather: TCP connections with delay, jitter and loss.
//!
//! What is lost on the way of a TCP connection comes nevertheless, a retransmission time-out later, and holds up all that
//! was sent after it. So a lost segment here is a chunk that is held back for so long.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::channel;
use tokio::time::{Instant, sleep_until};

use super::chance::Chance;

/// How it is on every link, in each direction.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub delay: Duration,
    /// At most this much more.
    pub jitter: Duration,
    /// Of a hundred segments.
    pub loss: u64,
}

/// Links in bad weather. Gone when dropped.
pub struct Proxy {
    runtime: Option<Runtime>,
    weather: Weather,
    chance: Chance,
    links: u64,
    carried: Arc<AtomicU64>,
}

impl Proxy {
    pub fn new(weather: Weather, chance: Chance) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { runtime: Some(runtime), weather, chance, links: 0, carried: Arc::default() }
    }

    /// A port of this machine that leads to `target`.
    pub fn link(&mut self, target: SocketAddr) -> u16 {
        let (weather, chance, carried) = (self.weather, self.chance.branch(self.links), Arc::clone(&self.carried));
        self.links += 1;
        let runtime = self.runtime.as_ref().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move {
            for connection in 0.. {
                let Ok((near, _)) = listener.accept().await else { return };
                let Ok(far) = TcpStream::connect(target).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                let chance = chance.branch(connection);
                tokio::spawn(carry(near_in, far_out, weather, chance.branch(0), Arc::clone(&carried)));
                tokio::spawn(carry(far_in, near_out, weather, chance.branch(1), Arc::clone(&carried)));
            }
        });
        port
    }

    /// Bytes that have passed.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

/// One direction of a connection.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    weather: Weather,
    mut chance: Chance,
    carried: Arc<AtomicU64>,
) {
    let (send, mut receive) = channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let write = tokio::spawn(async move {
        while let Some((due, bytes)) = receive.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let mut buffer = vec![0; CHUNK];
    let mut last = Instant::now();
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let jitter = chance.below(1 + u64::try_from(weather.jitter.as_millis()).unwrap());
        let mut due = Instant::now() + weather.delay + Duration::from_millis(jitter);
        let lost = (0..read.div_ceil(SEGMENT)).filter(|_| chance.happens(weather.loss)).count();
        if lost > 0 {
            // RFC 6298: at least a round trip and some more. Segments that are lost together are sent again together.
            due += weather.delay * 2 + RETRANSMISSION;
        }
        last = last.max(due);
        carried.fetch_add(read as u64, Ordering::Relaxed);
        if send.send((last, buffer[..read].to_vec())).await.is_err() {
            break;
        }
    }
    drop(send);
    let _ = write.await;
}

/// Bytes that are read at once.
const CHUNK: usize = 16 << 10;
/// Bytes of a segment on Ethernet.
const SEGMENT: usize = 1_460;
/// Chunks on their way: more than a window of bytes at this delay.
const UNDER_WAY: usize = 1_024;
/// Linux waits at least so long.
const RETRANSMISSION: Duration = Duration::from_millis(200);
