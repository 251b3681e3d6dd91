//! One node of each story is hostile: a bare swarm that keeps no rules.

use futures::StreamExt as _;
use libp2p::Swarm;
use libp2p::gossipsub::PublishError;
use libp2p::request_response;
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::DialOpts;

use super::*;
use crate::gossip::swarm::{self as own, Behaviour, BehaviourEvent};
use crate::gossip::wire::{Announcement, Message};

struct Rogue(Swarm<Behaviour>);

impl Rogue {
    fn new(chain: B256) -> Self {
        Self(own::build(key(66), &chain, &Limits::default()).unwrap())
    }

    /// Connected, and told that the other side wants transactions.
    async fn connected_to(node: &Node) -> Self {
        let mut rogue = Self::new(CHAIN);
        rogue.0.dial(DialOpts::from(node.address().await)).unwrap();
        rogue.until(|event| matches!(event, SwarmEvent::Behaviour(BehaviourEvent::Gossip(_)))).await;
        rogue
    }

    async fn until(&mut self, mut wanted: impl FnMut(&SwarmEvent<BehaviourEvent>) -> bool) {
        let found = async {
            loop {
                let event = self.0.select_next_some().await;
                if wanted(&event) {
                    return;
                }
                if let SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) = event {
                    self.answer_wrongly(event);
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(120), found).await.unwrap();
    }

    /// To whatever is asked: another kind of answer.
    fn answer_wrongly(&mut self, event: request_response::Event<Request, Response>) {
        let request_response::Event::Message { message, .. } = event else { return };
        let request_response::Message::Request { request, channel, .. } = message else { return };
        let response = match request {
            Request::Offers => Response::Chunk(None),
            _ => Response::Offers(Vec::new()),
        };
        let _ = self.0.behaviour_mut().exchange.send_response(channel, response);
    }

    async fn until_thrown_out(&mut self) {
        self.until(|event| matches!(event, SwarmEvent::ConnectionClosed { .. })).await;
    }

    /// Sends it, or loses it when there is no room, for which it then waits a little.
    async fn publish(&mut self, data: Vec<u8>) -> Result<(), PublishError> {
        match self.0.behaviour_mut().gossip.publish(own::topic(&CHAIN).hash(), data) {
            Err(PublishError::AllQueuesFull(_)) => {
                let _ = tokio::time::timeout(Duration::from_millis(5), self.0.select_next_some()).await;
                Ok(())
            }
            published => published.map(drop),
        }
    }

    async fn publish_batch(&mut self, names: &[&str]) {
        let batch = Message::Batch(names.iter().map(|name| tx(name)).collect());
        self.publish(batch.to_bytes()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_of_another_genesis_does_not_get_past_the_handshake() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    a.has_peers(1).await;
    let mut stranger = Rogue::new(B256::repeat_byte(0xc2));
    stranger.0.dial(DialOpts::from(a.address().await)).unwrap();
    let mut failed = false;
    stranger
        .until(|event| {
            failed = matches!(event, SwarmEvent::OutgoingConnectionError { .. });
            failed || matches!(event, SwarmEvent::ConnectionEstablished { .. })
        })
        .await;
    assert!(failed);
    assert_eq!(a.gossip.peers(), BTreeSet::from([b.peer_id()]));

    let mut member = Rogue::new(CHAIN);
    member.0.dial(DialOpts::from(a.address().await)).unwrap();
    member.until(|event| matches!(event, SwarmEvent::ConnectionEstablished { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_invalid_goes_no_further_and_its_sender_is_thrown_out() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    let mut rogue = Rogue::connected_to(&b).await;
    rogue.publish_batch(&["good in bad company", "bad 0"]).await;
    for number in 1..8 {
        rogue.publish_batch(&[&format!("bad {number}")]).await;
    }
    rogue.until_thrown_out().await;
    assert_eq!((b.gossip.counts().banned, b.gossip.counts().invalid), (1, 8));
    a.gets(&tx("good in bad company")).await;
    assert!((0..8).all(|number| a.pool.was_offered(&tx(&format!("bad {number}"))) == 0));
    assert_eq!(a.gossip.counts().invalid, 0);

    rogue.0.dial(DialOpts::from(b.address().await)).unwrap();
    rogue
        .until(|event| {
            matches!(event, SwarmEvent::OutgoingConnectionError { .. } | SwarmEvent::ConnectionClosed { .. })
        })
        .await;
    until("it is not let in again", || b.gossip.peers() == BTreeSet::from([a.peer_id()])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_goes_no_further_and_is_no_offence() {
    let a = node(1).spawn();
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    let mut rogue = Rogue::connected_to(&b).await;
    for number in 0..50 {
        rogue.publish_batch(&[&format!("meh {number}")]).await;
    }
    rogue.publish_batch(&["last"]).await;
    let last = tx("last");
    let got = a.gets(&last);
    tokio::select! {
        () = got => {}
        () = rogue.until_thrown_out() => panic!("it did nothing wrong"),
    }
    assert_eq!(b.gossip.counts().ignored, 50);
    assert!((0..50).all(|number| a.pool.was_offered(&tx(&format!("meh {number}"))) == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_talks_gibberish_is_thrown_out() {
    let a = node(1).spawn();
    let mut rogue = Rogue::connected_to(&a).await;
    for number in 0..8 {
        rogue.publish(vec![0xff, number]).await.unwrap();
    }
    rogue.until_thrown_out().await;
    assert_eq!(a.gossip.counts().banned, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_fills_no_memory_and_others_still_get_through() {
    let limits = Limits { peer_units: 200, queue_txs: 400, ..Limits::default() };
    let a = node(1).limits(limits).spawn();
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    a.pool.shut.store(true, Ordering::Relaxed);

    let mut rogue = Rogue::connected_to(&a).await;
    let mut most = 0;
    for number in 0..100_000_u32 {
        let flood = Message::Batch(vec![tx(&format!("flood {number}"))]).to_bytes();
        if rogue.publish(flood).await.is_err() {
            break;
        }
        most = most.max(a.gossip.counts().waiting_in);
    }
    if a.gossip.counts().banned == 0 {
        rogue.until_thrown_out().await;
    }
    let counts = a.gossip.counts();
    most = most.max(counts.waiting_in);
    assert!(most <= 100, "{most} waited: a quarter of the queue is what one peer may fill");
    assert!(counts.no_room > 0 && counts.beyond_rate > 0);

    b.submit(&tx("honest"));
    until("there is room for another peer", || a.gossip.counts().waiting_in == most + 1).await;
    a.pool.shut.store(false, Ordering::Relaxed);
    a.gets(&tx("honest")).await;
    until("nothing waits", || a.gossip.counts().waiting_in == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_transaction_that_does_not_exist_keeps_nobody_from_the_real_one() {
    let a = node(1).spawn();
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    let mut rogue = Rogue::connected_to(&a).await;
    let lie = Announcement { id: wire::tx_id(&large), length: 1 << 20, holder: B256::ZERO };
    rogue.publish(Message::Large(lie).to_bytes()).await.unwrap();
    rogue
        .until(|event| {
            matches!(
                event,
                SwarmEvent::Behaviour(BehaviourEvent::Exchange(request_response::Event::Message {
                    message: request_response::Message::Request { request: Request::Tx(_), .. },
                    ..
                }))
            )
        })
        .await;
    let b = node(2).peer(a.address().await).spawn();
    b.has_peers(1).await;
    b.submit(&large);
    tokio::select! {
        () = until("the real one comes", || a.pool.has(&large)) => {}
        () = rogue.until_thrown_out() => panic!("one wrong answer is pardoned"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_other_questions_gives_no_snapshot() {
    let a = node(1).spawn();
    let mut rogue = Rogue::connected_to(&a).await;
    a.has_peers(1).await;
    let asking = async {
        for _ in 0..conduct::PARDONED {
            assert_eq!(a.gossip.fetch_offers().await, []);
        }
    };
    tokio::join!(asking, rogue.until_thrown_out());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_much_at_once_is_declined_some_of_it() {
    let setup = node(1).snapshots(vec![(7, vec![vec![1; 1_000]])]);
    let shut = Arc::clone(&setup.snapshots.shut);
    let a = setup.spawn();
    let mut rogue = Rogue::connected_to(&a).await;
    shut.store(true, Ordering::Relaxed);
    for _ in 0..10 {
        rogue.0.behaviour_mut().exchange.send_request(&a.peer_id(), Request::Chunk { height: 7, index: 0 });
    }
    let (mut given, mut declined) = (0, 0);
    while given + declined < 10 {
        rogue
            .until(|event| match event {
                SwarmEvent::Behaviour(BehaviourEvent::Exchange(request_response::Event::OutboundFailure {
                    ..
                })) => {
                    declined += 1;
                    true
                }
                SwarmEvent::Behaviour(BehaviourEvent::Exchange(request_response::Event::Message {
                    message: request_response::Message::Response { response, .. },
                    ..
                })) => {
                    assert_eq!(*response, Response::Chunk(Some(vec![1; 1_000])));
                    given += 1;
                    true
                }
                _ => false,
            })
            .await;
        shut.store(declined < 6, Ordering::Relaxed);
    }
    assert_eq!((given, declined, a.gossip.counts().declined), (4, 6, 6));
}
