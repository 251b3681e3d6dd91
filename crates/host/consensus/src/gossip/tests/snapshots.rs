//! Snapshots between peers.

use super::*;

fn snapshot(byte: u8, chunks: usize) -> (u64, Vec<Vec<u8>>) {
    (100, (0..chunks).map(|index| vec![byte + index as u8; 1_000]).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_the_first_peer_lacks_comes_from_the_second() {
    let poor = node(1).spawn();
    let rich = node(2).snapshots(vec![snapshot(1, 3)]).spawn();
    let fresh = node(3).peer(poor.address().await).peer(rich.address().await).spawn();
    fresh.has_peers(2).await;

    let offers = fresh.gossip.fetch_offers().await;
    let [(peer, offer)] = offers[..] else { panic!("one offers one: {offers:?}") };
    assert_eq!((peer, offer.height, offer.chunks), (rich.peer_id(), 100, 3));

    let peers = [poor.peer_id(), rich.peer_id()];
    for index in 0..3 {
        let chunk = fresh.gossip.fetch_chunk(&peers, 100, index).await.unwrap();
        assert_eq!(chunk, (rich.peer_id(), vec![1 + index as u8; 1_000]));
    }
    assert_eq!(fresh.gossip.fetch_chunk(&peers, 100, 3).await, Err(FetchError::Nobody));
    assert_eq!(fresh.gossip.fetch_chunk(&peers, 99, 0).await, Err(FetchError::Nobody));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gave_a_bad_chunk_is_not_asked_again() {
    let liar = node(1).snapshots(vec![snapshot(50, 1)]).spawn();
    let honest = node(2).snapshots(vec![snapshot(1, 1)]).spawn();
    let fresh = node(3).peer(liar.address().await).peer(honest.address().await).spawn();
    fresh.has_peers(2).await;
    let peers = [liar.peer_id(), honest.peer_id()];
    assert_eq!(fresh.gossip.fetch_chunk(&peers, 100, 0).await.unwrap().0, liar.peer_id());

    fresh.gossip.distrust(liar.peer_id());
    assert_eq!(fresh.gossip.fetch_chunk(&peers, 100, 0).await.unwrap().0, honest.peer_id());
    let offers = fresh.gossip.fetch_offers().await;
    assert_eq!(offers.iter().map(|(peer, _)| *peer).collect::<Vec<_>>(), [honest.peer_id()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_chunk_travels_and_a_larger_one_does_not_leave() {
    let chunks = vec![vec![1; CHUNK_BYTES], vec![1; CHUNK_BYTES + 1]];
    let rich = node(1).snapshots(vec![(7, chunks)]).spawn();
    let fresh = node(2).peer(rich.address().await).spawn();
    fresh.has_peers(1).await;
    let peers = [rich.peer_id()];
    assert_eq!(fresh.gossip.fetch_chunk(&peers, 7, 0).await, Ok((rich.peer_id(), vec![1; CHUNK_BYTES])));
    assert_eq!(fresh.gossip.fetch_chunk(&peers, 7, 1).await, Err(FetchError::Nobody));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_chunks_asked_for_at_once_all_come() {
    let rich = [1, 2].map(|seed| node(seed).snapshots(vec![snapshot(0, 100)]).spawn());
    let fresh = node(3).peer(rich[0].address().await).peer(rich[1].address().await).spawn();
    fresh.has_peers(2).await;
    let peers = [rich[0].peer_id(), rich[1].peer_id()];
    let asked = (0..100).map(|index| fresh.gossip.fetch_chunk(&peers, 100, index));
    let chunks = futures::future::join_all(asked).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    for (index, (_, chunk)) in chunks.iter().enumerate() {
        assert_eq!(chunk[0] as usize, index);
    }
    assert_eq!(chunks.iter().map(|(peer, _)| *peer).collect::<BTreeSet<_>>(), BTreeSet::from(peers), "both give some");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_fetches_nothing() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    b.gossip.stop().await;
    b.gossip.stop().await;
    assert_eq!(b.gossip.fetch_offers().await, []);
    assert_eq!(b.gossip.fetch_chunk(&[a.peer_id()], 1, 0).await, Err(FetchError::Stopped));
    a.has_peers(0).await;
}
