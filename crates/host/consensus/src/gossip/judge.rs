//! The thread that asks the pool, so that the swarm never checks a signature.

use std::sync::{Arc, mpsc};
use std::{io, thread};

use cloister_chain::Bytes;
use libp2p::PeerId;
use libp2p::gossipsub::{MessageAcceptance, MessageId};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::seen::Fate;
use super::{Pool, Shared, Verdict, lock, wire};

/// Transactions of one peer. How many wait is the swarm's to bound.
pub(super) struct Job {
    pub(super) origin: Origin,
    pub(super) txs: Vec<Bytes>,
}

/// How transactions came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// On the topic: the message waits for its verdict.
    Message {
        /// Who sent it.
        peer: PeerId,
        /// Gossipsub's name of it.
        id: MessageId,
    },
    /// As the answer to a request.
    Answer {
        /// Who gave it.
        peer: PeerId,
    },
}

/// What became of a [`Job`].
pub(super) struct Judged {
    pub(super) origin: Origin,
    /// Transactions in the job.
    pub(super) txs: usize,
    /// Their bytes.
    pub(super) bytes: usize,
    /// Those that the pool accepted now.
    pub(super) fresh: Vec<Bytes>,
    pub(super) ignored: usize,
    pub(super) invalid: usize,
    /// Those that came by lately and were accepted.
    pub(super) known: usize,
}

impl Origin {
    pub(super) fn peer(&self) -> PeerId {
        match self {
            Self::Message { peer, .. } | Self::Answer { peer } => *peer,
        }
    }
}

impl Judged {
    /// What gossipsub does with the message: it is forwarded as it is if all of it is accepted and some of it is news.
    pub(super) fn acceptance(&self) -> MessageAcceptance {
        match (self.invalid, self.ignored, self.fresh.len()) {
            (1.., _, _) => MessageAcceptance::Reject,
            (0, 0, 1..) => MessageAcceptance::Accept,
            _ => MessageAcceptance::Ignore,
        }
    }
}

/// Starts the thread. It ends when the sender is dropped; the receiver ends when the pool panics.
pub(super) fn start(
    shared: Arc<Shared>,
    pool: Arc<dyn Pool>,
) -> io::Result<(mpsc::Sender<Job>, UnboundedReceiver<Judged>)> {
    let (jobs, inbox) = mpsc::channel::<Job>();
    let (outbox, judged) = unbounded_channel();
    thread::Builder::new().name("gossip-pool".into()).spawn(move || {
        for job in inbox {
            if outbox.send(judge(job, &shared, pool.as_ref())).is_err() {
                return;
            }
        }
    })?;
    Ok((jobs, judged))
}

fn judge(job: Job, shared: &Shared, pool: &dyn Pool) -> Judged {
    let bytes = job.txs.iter().map(|tx| tx.len()).sum();
    let (origin, txs) = (job.origin, job.txs.len());
    let mut judged = Judged { origin, txs, bytes, fresh: Vec::new(), ignored: 0, invalid: 0, known: 0 };
    for tx in job.txs {
        let id = wire::tx_id(&tx);
        let fate = lock(&shared.seen).fate(&id, Instant::now());
        let verdict = match fate {
            Some(Fate::Accepted) => {
                judged.known += 1;
                continue;
            }
            Some(Fate::Invalid) => Verdict::Invalid,
            None => pool.offer(&tx),
        };
        match verdict {
            Verdict::Accepted => {
                lock(&shared.seen).insert(id, Fate::Accepted, Instant::now());
                judged.fresh.push(tx);
            }
            Verdict::Ignored => judged.ignored += 1,
            Verdict::Invalid => {
                lock(&shared.seen).insert(id, Fate::Invalid, Instant::now());
                judged.invalid += 1;
            }
        }
    }
    judged
}
