//! Requests, in both directions.

use std::io;

use cloister_chain::B256;
use libp2p::PeerId;
use libp2p::request_response::{Event, InboundFailure, InboundRequestId, Message, OutboundFailure, ResponseChannel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Service;
use crate::gossip::FetchError;
use crate::gossip::judge::{Job, Origin};
use crate::gossip::rate::Admission;
use crate::gossip::server::{Answer, Question};
use crate::gossip::wire::{BATCH_TXS, Request, Response, tx_id};

/// Why something was asked.
pub(super) enum Asked {
    /// The handle wants it.
    Handle {
        /// What was asked.
        request: Request,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Response, FetchError>>,
    },
    /// A peer announced a transaction.
    Large {
        /// Which.
        id: B256,
    },
    /// A peer came.
    Waiting,
}

impl Service {
    pub(super) fn ask(&mut self, peer: PeerId, request: Request, reply: oneshot::Sender<Result<Response, FetchError>>) {
        if !self.peers.contains_key(&peer) || self.asked.len() >= ASKED {
            // An error: nobody waits any more. So with all replies.
            let _ = reply.send(Err(FetchError::Silent));
            return;
        }
        self.request(peer, request.clone(), Asked::Handle { request, reply });
    }

    pub(super) fn request(&mut self, peer: PeerId, request: Request, asked: Asked) {
        let id = self.swarm.behaviour_mut().exchange.send_request(&peer, request);
        self.asked.insert(id, asked);
    }

    pub(super) fn on_exchange(&mut self, event: Event<Request, Response>) {
        match event {
            Event::Message { peer, message: Message::Request { request_id, request, channel }, .. } => {
                self.on_request(peer, request_id, request, channel);
            }
            Event::Message { peer, message: Message::Response { request_id, response }, .. } => {
                if let Some(asked) = self.asked.remove(&request_id) {
                    self.on_response(peer, asked, response);
                }
            }
            Event::OutboundFailure { peer, request_id, error, .. } => {
                tracing::debug!(%peer, %error, "a peer did not answer");
                if matches!(&error, OutboundFailure::Io(error) if error.kind() == io::ErrorKind::InvalidData) {
                    self.offend(peer);
                }
                match self.asked.remove(&request_id) {
                    Some(Asked::Handle { reply, .. }) => drop(reply.send(Err(FetchError::Silent))),
                    Some(Asked::Large { id }) => {
                        self.large.failed(&id);
                        self.fetch_large();
                    }
                    Some(Asked::Waiting) | None => {}
                }
            }
            Event::InboundFailure { peer, request_id, error, .. } => {
                self.serving.remove(&request_id);
                if matches!(&error, InboundFailure::Io(error) if error.kind() == io::ErrorKind::InvalidData) {
                    self.offend(peer);
                }
            }
            Event::ResponseSent { request_id, .. } => drop(self.serving.remove(&request_id)),
        }
    }

    fn on_request(&mut self, peer: PeerId, id: InboundRequestId, request: Request, channel: ResponseChannel<Response>) {
        let own = self.serving.values().filter(|served| **served == peer).count();
        let often = self.peers.get_mut(&peer).is_none_or(|peer| !peer.allowance.request(Instant::now()));
        if often || own >= SERVED_PER_PEER || self.serving.len() >= SERVED {
            // Without its channel it is answered with nothing.
            self.shared.counters.declined(1);
            return;
        }
        self.serving.insert(id, peer);
        match request {
            Request::Tx(id) => {
                let response = Some(Response::Tx(self.large.held(&id)));
                self.on_answer(Answer { response, channel });
            }
            // An error means that the thread has died, of which the task hears by itself.
            _ => drop(self.questions.send(Question { request, channel })),
        }
    }

    pub(super) fn on_answer(&mut self, answer: Answer) {
        if let Some(response) = answer.response {
            // An error: the peer has gone, or waited too long. An event follows either way.
            let _ = self.swarm.behaviour_mut().exchange.send_response(answer.channel, response);
        }
    }

    fn on_response(&mut self, peer: PeerId, asked: Asked, response: Response) {
        match (asked, response) {
            (Asked::Handle { request, reply }, response) if response.answers(&request) => {
                let _ = reply.send(Ok(response));
            }
            (Asked::Large { id }, Response::Tx(Some(tx))) if tx_id(&tx) == id => {
                self.large.came(&id);
                self.enqueue(Job { origin: Origin::Answer { peer }, txs: vec![tx] });
                self.fetch_large();
            }
            // It has dropped it since.
            (Asked::Large { id }, Response::Tx(None)) => {
                self.large.failed(&id);
                self.fetch_large();
            }
            (Asked::Waiting, Response::Waiting(txs)) => {
                let bytes = txs.iter().map(|tx| tx.len()).sum();
                if self.admit(peer, txs.len(), bytes, Instant::now()) != Admission::Within {
                    self.shared.counters.beyond_rate(1);
                    return;
                }
                for txs in txs.chunks(BATCH_TXS) {
                    self.enqueue(Job { origin: Origin::Answer { peer }, txs: txs.to_vec() });
                }
            }
            // The answer to another question.
            (asked, _) => {
                self.offend(peer);
                match asked {
                    Asked::Handle { reply, .. } => drop(reply.send(Err(FetchError::Silent))),
                    Asked::Large { id } => self.large.failed(&id),
                    Asked::Waiting => {}
                }
            }
        }
    }
}

/// Most requests of the handle under way.
const ASKED: usize = 256;
/// Most responses being made or sent, each up to 3 MiB long.
const SERVED: usize = 16;
/// Most of them for one peer.
pub(in crate::gossip) const SERVED_PER_PEER: usize = 4;
