//! Transactions that come from peers.

use libp2p::PeerId;
use libp2p::gossipsub::{Event, MessageAcceptance, MessageId};
use tokio::time::Instant;

use super::Service;
use crate::gossip::judge::{Job, Judged, Origin};
use crate::gossip::lock;
use crate::gossip::rate::Admission;
use crate::gossip::wire::{Announcement, Message, Request};
use crate::gossip::{conduct, service::exchange::Asked};

impl Service {
    pub(super) fn on_gossip(&mut self, event: Event) {
        match event {
            Event::Message { propagation_source: peer, message_id, message } => {
                if let Some(acceptance) = self.receive(peer, &message_id, &message.data) {
                    self.report(&message_id, &peer, acceptance);
                }
            }
            Event::Subscribed { peer_id, .. } => self.subscribed(peer_id, true),
            Event::Unsubscribed { peer_id, .. } => self.subscribed(peer_id, false),
            // All nodes of this chain have the protocol: whoever lacks it is none.
            Event::GossipsubNotSupported { peer_id } => self.offend(peer_id),
            Event::SlowPeer { peer_id, failed_messages } => {
                tracing::debug!(peer = %peer_id, ?failed_messages, "a peer is too slow for what is sent to it");
            }
        }
    }

    /// The fate of a message, if it is clear before the pool is asked.
    fn receive(&mut self, peer: PeerId, id: &MessageId, data: &[u8]) -> Option<MessageAcceptance> {
        let message = Message::from_bytes(data);
        let txs = match &message {
            Ok(Message::Batch(txs)) => txs.len(),
            _ => 0,
        };
        match self.admit(peer, 1 + txs, data.len(), Instant::now()) {
            Admission::Within => {}
            Admission::Beyond => {
                self.shared.counters.beyond_rate(1);
                return Some(MessageAcceptance::Ignore);
            }
            Admission::Flood => {
                self.shared.counters.beyond_rate(1);
                if !self.bans.holds(&peer) {
                    tracing::warn!(%peer, "a peer floods this node, and is not let in for a while");
                    self.ban(peer, conduct::FLOOD_BAN);
                }
                return Some(MessageAcceptance::Ignore);
            }
        }
        match message {
            Ok(Message::Batch(txs)) => {
                let job = Job { origin: Origin::Message { peer, id: id.clone() }, txs };
                (!self.enqueue(job)).then_some(MessageAcceptance::Ignore)
            }
            Ok(Message::Large(announcement)) => {
                self.announced(peer, &announcement);
                // Whoever has fetched it says so in a message of its own.
                Some(MessageAcceptance::Ignore)
            }
            Err(error) => {
                tracing::debug!(%peer, %error, "a message cannot be read");
                self.shared.counters.invalid(1);
                self.offend(peer);
                Some(MessageAcceptance::Reject)
            }
        }
    }

    pub(super) fn on_judged(&mut self, judged: Judged) {
        let peer = judged.origin.peer();
        self.waiting = (self.waiting.0 - judged.txs, self.waiting.1 - judged.bytes);
        if let Some(sender) = self.peers.get_mut(&peer) {
            // It may be another connection's record by now, which has not waited for this.
            sender.waiting = sender.waiting.saturating_sub(judged.txs);
        }
        let counters = &self.shared.counters;
        counters.waiting_in(self.waiting.0);
        counters.accepted(judged.fresh.len());
        counters.ignored(judged.ignored);
        counters.invalid(judged.invalid);
        counters.known(judged.known);
        if judged.invalid > 0 {
            self.offend(peer);
        }
        let acceptance = judged.acceptance();
        let forwarded = match &judged.origin {
            Origin::Message { id, .. } => {
                let forward = matches!(acceptance, MessageAcceptance::Accept);
                self.report(id, &peer, acceptance) && forward
            }
            Origin::Answer { .. } => false,
        };
        if forwarded {
            self.shared.counters.forwarded(1);
            return;
        }
        for tx in judged.fresh {
            if !self.shared.outbox.push(tx) {
                self.shared.counters.unsent(1);
            }
        }
    }

    /// Hands transactions to the pool's thread; false if too many wait.
    pub(super) fn enqueue(&mut self, job: Job) -> bool {
        let limits = &self.shared.limits;
        let (txs, bytes) = (job.txs.len(), job.txs.iter().map(|tx| tx.len()).sum::<usize>());
        let full = self.waiting.0 + txs > limits.queue_txs || self.waiting.1 + bytes > limits.queue_bytes;
        let room = self
            .peers
            .get_mut(&job.origin.peer())
            .filter(|peer| !full && peer.waiting + txs <= limits.queue_txs / SHARES);
        let Some(sender) = room else {
            self.shared.counters.no_room(txs);
            return false;
        };
        sender.waiting += txs;
        self.waiting = (self.waiting.0 + txs, self.waiting.1 + bytes);
        self.shared.counters.waiting_in(self.waiting.0);
        // An error means that the thread has died, of which the task hears by itself.
        let _ = self.jobs.send(job);
        true
    }

    fn announced(&mut self, peer: PeerId, announced: &Announcement) {
        let seen = lock(&self.shared.seen).fate(&announced.id, Instant::now()).is_some();
        if !seen && self.large.want(announced.id, announced.length, peer) {
            self.fetch_large();
        }
    }

    /// Asks for large transactions that are wanted, as many as may be asked for at once.
    pub(super) fn fetch_large(&mut self) {
        let now = Instant::now();
        while let Some((peer, id, length)) = self.large.next(now) {
            if self.admit(peer, 1, length as usize, now) == Admission::Within {
                self.request(peer, Request::Tx(id), Asked::Large { id });
            } else {
                self.large.failed(&id);
            }
        }
    }

    /// Charges a peer for what it sends, or is going to send; who is not connected may send nothing.
    pub(super) fn admit(&mut self, peer: PeerId, units: usize, bytes: usize, now: Instant) -> Admission {
        self.peers.get_mut(&peer).map_or(Admission::Beyond, |peer| peer.allowance.take(units, bytes, now))
    }

    fn subscribed(&mut self, peer: PeerId, subscribed: bool) {
        let Some(record) = self.peers.get_mut(&peer) else { return };
        if subscribed && !record.subscribed {
            // What it has and we lack was sent while one of the two was away.
            record.subscribed = true;
            self.request(peer, Request::Waiting, Asked::Waiting);
        } else {
            record.subscribed = subscribed;
        }
    }

    fn report(&mut self, id: &MessageId, peer: &PeerId, acceptance: MessageAcceptance) -> bool {
        self.swarm.behaviour_mut().gossip.report_message_validation_result(id, peer, acceptance)
    }
}

/// One peer may fill this fraction of the queue.
const SHARES: usize = 4;
