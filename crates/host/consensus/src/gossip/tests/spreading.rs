//! Honest nodes.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_given_to_one_end_of_a_line_reaches_the_other() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    let c = node(3).peer(b.address().await).spawn();
    let d = node(4).peer(c.address().await).spawn();
    d.has_peers(1).await;
    c.has_peers(2).await;
    b.has_peers(2).await;
    let txs = (0..300).map(|number| tx(&format!("tx {number}"))).collect::<Vec<_>>();
    for tx in &txs {
        a.submit(tx);
    }
    for node in [&b, &c, &d] {
        for tx in &txs {
            node.gets(tx).await;
            assert_eq!(node.pool.was_offered(tx), 1);
        }
    }
    assert!(a.gossip.counts().sent < 300, "those that wait for each other travel together");
    assert!(b.gossip.counts().forwarded > 0 && d.gossip.counts().forwarded > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_hears_in_the_order_of_speaking() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    let txs = (0..1_000).map(|number| tx(&format!("tx {number}"))).collect::<Vec<_>>();
    for tx in &txs {
        a.submit(tx);
    }
    b.gets(&txs[999]).await;
    assert_eq!(b.pool.accepted(), txs);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_all_dial_each_other_and_themselves_hear_everything_once() {
    let ports = [(); 4].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = ports.map(|port| format!("/ip4/127.0.0.1/tcp/{}", port.local_addr().unwrap().port()));
    let addresses = addresses.map(|address| address.parse::<Multiaddr>().unwrap());
    let nodes = [0, 1, 2, 3].map(|index| {
        let setup = node(index as u8 + 1).listen(addresses[index].clone());
        addresses.iter().cloned().fold(setup, Setup::peer).spawn()
    });
    for node in &nodes {
        node.has_peers(3).await;
    }
    let txs = [0, 1, 2, 3].map(|index| tx(&format!("from {index}")));
    for (node, tx) in nodes.iter().zip(&txs) {
        node.submit(tx);
    }
    for node in &nodes {
        for tx in &txs {
            node.gets(tx).await;
            assert!(node.pool.was_offered(tx) <= 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_transaction_at_two_doors_is_nobodys_fault() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    let c = node(3).peer(a.address().await).peer(b.address().await).spawn();
    c.has_peers(2).await;
    a.has_peers(2).await;
    for number in 0..30 {
        let tx = tx(&format!("twice {number}"));
        a.submit(&tx);
        b.submit(&tx);
        c.gets(&tx).await;
    }
    for node in [&a, &b, &c] {
        assert_eq!((node.gossip.counts().banned, node.gossip.counts().invalid), (0, 0));
        node.has_peers(2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_too_large_for_a_message_is_fetched_along_the_line() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    let c = node(3).peer(b.address().await).spawn();
    b.has_peers(2).await;
    let large = Bytes::from(vec![b'x'; limits::TX_BYTES]);
    a.submit(&large);
    a.submit(&tx("small"));
    c.gets(&tx("small")).await;
    until("the large one has come", || c.pool.has(&large)).await;
    assert_eq!((b.pool.was_offered(&large), c.pool.was_offered(&large)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_while_nobody_listened_is_not_lost() {
    let a = node(1).spawn();
    a.gossip.publish(tx("alone"));
    let b = node(2).peer(a.address().await).spawn();
    b.gets(&tx("alone")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_asks_for_what_waits_and_tells_its_other_peers() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    a.submit(&tx("early"));
    b.gets(&tx("early")).await;

    let far = node(3).spawn();
    let bridge = node(4).peer(b.address().await).peer(far.address().await).spawn();
    bridge.gets(&tx("early")).await;
    far.gets(&tx("early")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_restarts_is_found_again() {
    let a = node(1).spawn();
    let address = a.address().await;
    let port = address.iter().take(2).collect::<Multiaddr>();
    let b = node(2).peer(address).spawn();
    b.has_peers(1).await;

    a.gossip.stop().await;
    assert!(!a.gossip.is_running());
    b.has_peers(0).await;
    let a = node(1).listen(port.clone()).spawn();
    b.has_peers(1).await;
    b.submit(&tx("after the restart"));
    a.gets(&tx("after the restart")).await;
    a.submit(&tx("and back"));
    b.gets(&tx("and back")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_name_may_change_its_owner() {
    let a = node(1).spawn();
    let port = a.address().await.iter().take(2).collect::<Multiaddr>();
    let b = node(2).peer(port.clone()).spawn();
    b.has_peers(1).await;
    drop(a);
    b.has_peers(0).await;
    let heir = node(9).listen(port).spawn();
    b.has_peers(1).await;
    b.submit(&tx("hello"));
    heir.gets(&tx("hello")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_blocks_and_nothing_grows_without_peers() {
    let small = Limits { queue_txs: 100, ..Limits::default() };
    let a = node(1).limits(small).spawn();
    for number in 0..1_000 {
        a.gossip.publish(tx(&format!("tx {number}")));
    }
    a.gossip.publish(Bytes::new());
    a.gossip.publish(vec![1; limits::TX_BYTES + 1].into());
    let counts = a.gossip.counts();
    assert_eq!((counts.waiting_out, counts.unsent), (100, 902));
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_says_so_when_its_pool_has_died() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    b.pool.panics.store(true, Ordering::Relaxed);
    a.submit(&tx("deadly"));
    until("gossip has ended", || !b.gossip.is_running()).await;
    b.gossip.stop().await;
    assert!(a.gossip.is_running());
}
