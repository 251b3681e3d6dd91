//! The thread that reads snapshots and the pool for peers, so that the swarm never waits for a disk.

use std::sync::{Arc, mpsc};
use std::{io, thread};

use cloister_chain::Bytes;
use libp2p::request_response::ResponseChannel;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::wire::{OFFERS, Request, Response, TX_OVERHEAD, WAITING_BYTES};
use super::{Pool, Snapshots};

/// A peer's request, and where its response goes. How many wait is the swarm's to bound.
pub(super) struct Question {
    pub(super) request: Request,
    pub(super) channel: ResponseChannel<Response>,
}

/// The response; `None` declines.
pub(super) struct Answer {
    pub(super) response: Option<Response>,
    pub(super) channel: ResponseChannel<Response>,
}

/// Starts the thread. It ends when the sender is dropped; the receiver ends when the pool or the snapshots panic.
pub(super) fn start(
    pool: Arc<dyn Pool>,
    snapshots: Arc<dyn Snapshots>,
) -> io::Result<(mpsc::Sender<Question>, UnboundedReceiver<Answer>)> {
    let (questions, inbox) = mpsc::channel::<Question>();
    let (outbox, answers) = unbounded_channel();
    thread::Builder::new().name("gossip-server".into()).spawn(move || {
        for Question { request, channel } in inbox {
            let response = answer(&request, pool.as_ref(), snapshots.as_ref());
            if outbox.send(Answer { response, channel }).is_err() {
                return;
            }
        }
    })?;
    Ok((questions, answers))
}

fn answer(request: &Request, pool: &dyn Pool, snapshots: &dyn Snapshots) -> Option<Response> {
    let response = match request {
        Request::Offers => Response::Offers(snapshots.offers().into_iter().take(OFFERS).collect()),
        Request::Chunk { height, index } => Response::Chunk(snapshots.chunk(*height, *index)),
        Request::Waiting => Response::Waiting(bounded(pool.waiting(WAITING_BYTES))),
        // The swarm itself holds these.
        Request::Tx(_) => return None,
    };
    if !response.is_bounded() {
        tracing::error!(?request, "the own answer is larger than a peer would take");
        return None;
    }
    Some(response)
}

/// The first of `txs`, as many as one response holds.
fn bounded(txs: Vec<Bytes>) -> Vec<Bytes> {
    let mut sum = 0;
    let fits = |tx: &Bytes| {
        sum += tx.len() + TX_OVERHEAD;
        sum <= WAITING_BYTES
    };
    txs.into_iter().filter(|tx| !tx.is_empty()).take_while(fits).collect()
}
