//! A network that swallows everything and breaks no connection.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// The way to one node. While it is broken, it takes nothing and gives nothing.
struct Way {
    address: Multiaddr,
    broken: watch::Sender<bool>,
}

impl Way {
    async fn to(node: &Node) -> Self {
        let port = node.address().await.to_string().split('/').nth(4).unwrap().parse::<u16>().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().unwrap().port()).parse().unwrap();
        let (broken, state) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (from, _) = listener.accept().await.unwrap();
                let to = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
                let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
                tokio::spawn(carry(from_read, to_write, state.clone()));
                tokio::spawn(carry(to_read, from_write, state.clone()));
            }
        });
        Self { address, broken }
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut broken: watch::Receiver<bool>) {
    let mut buffer = vec![0; 4_096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if broken.wait_for(|broken| !broken).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_heals_and_what_was_said_in_it_comes_through() {
    let a = node(1).spawn();
    let way = Way::to(&a).await;
    let b = node(2).peer(way.address.clone()).spawn();
    b.has_peers(1).await;
    a.submit(&tx("before"));
    b.gets(&tx("before")).await;

    way.broken.send_replace(true);
    a.submit(&tx("from a, within"));
    b.submit(&tx("from b, within"));
    a.has_peers(0).await;
    b.has_peers(0).await;

    way.broken.send_replace(false);
    a.has_peers(1).await;
    b.has_peers(1).await;
    b.gets(&tx("from a, within")).await;
    a.gets(&tx("from b, within")).await;
    a.submit(&tx("after"));
    b.gets(&tx("after")).await;
}
