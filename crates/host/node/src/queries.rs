//! Questions to the enclave: many askers, a few streams.

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use cloister_api::Unavailable;
use cloister_chain::wire::{self, Answer, QueryAt, QueryRefusal, ToEnclave, ToHost};
use cloister_store::{Store, StoreError};
use tokio::sync::oneshot;

use crate::enclave::supply;
use crate::signal::Signal;

/// Questions that wait for a free stream. While an enclave restarts they go on waiting.
#[derive(Debug)]
pub(crate) struct Queries {
    queue: Mutex<Queue>,
    bell: Condvar,
    workers: Mutex<Vec<JoinHandle<()>>>,
    store: Arc<Store>,
    signal: Arc<Signal>,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Question>,
    /// The enclave that may take questions; workers of others leave.
    generation: Option<u64>,
    closed: bool,
}

#[derive(Debug)]
struct Question {
    question: QueryAt,
    reply: oneshot::Sender<Result<Answer, Unavailable>>,
}

impl Queries {
    pub(crate) fn new(store: Arc<Store>, signal: Arc<Signal>) -> Arc<Self> {
        let queue = Queue { waiting: VecDeque::new(), generation: None, closed: false };
        Arc::new(Self { queue: Mutex::new(queue), bell: Condvar::new(), workers: Mutex::default(), store, signal })
    }

    /// Puts a question in the queue.
    pub(crate) async fn ask(&self, question: QueryAt) -> Result<Answer, Unavailable> {
        let (reply, answer) = oneshot::channel();
        {
            let mut queue = self.lock();
            if queue.closed {
                return Err(Unavailable::Stopping);
            }
            // Whoever stopped waiting for an answer makes room.
            if queue.waiting.len() >= WAITING {
                queue.waiting.retain(|waiting| !waiting.reply.is_closed());
            }
            if queue.waiting.len() >= WAITING {
                return Err(Unavailable::Busy);
            }
            queue.waiting.push_back(Question { question, reply });
        }
        self.bell.notify_one();
        answer.await.unwrap_or(Err(Unavailable::Stopping))
    }

    /// Lets the enclave of `generation` take questions, one thread for each of its streams.
    pub(crate) fn serve(self: &Arc<Self>, generation: u64, streams: Vec<UnixStream>) -> io::Result<()> {
        self.lock().generation = Some(generation);
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| !worker.is_finished());
        for stream in streams {
            let queries = Arc::clone(self);
            let work = move || queries.work(generation, stream);
            workers.push(thread::Builder::new().name("enclave-query".into()).spawn(work)?);
        }
        Ok(())
    }

    /// Sends the present workers home: their enclave is gone.
    pub(crate) fn pause(&self) {
        self.lock().generation = None;
        self.bell.notify_all();
    }

    /// Refuses all questions, now and later, and returns when nobody uses the store any more. The enclave has ended.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.generation = None;
        // Dropping a question tells its asker.
        queue.waiting.clear();
        drop(queue);
        self.bell.notify_all();
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            // One that failed has ended as well.
            let _ = worker.join();
        }
    }

    fn work(&self, generation: u64, mut stream: UnixStream) {
        while let Some(Question { question, reply }) = self.next(generation) {
            match self.put(&mut stream, question) {
                Some(answer) => {
                    // Its asker may have stopped waiting.
                    let _ = reply.send(Ok(answer));
                }
                None => {
                    let _ = reply.send(Err(Unavailable::Restarting));
                    return self.signal.lost(generation);
                }
            }
        }
    }

    fn next(&self, generation: u64) -> Option<Question> {
        let mut queue = self.lock();
        while queue.generation == Some(generation) {
            match queue.waiting.pop_front() {
                Some(question) if question.reply.is_closed() => {}
                Some(question) => return Some(question),
                None => queue = self.bell.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
        // The bell may have rung for this thread: pass it on.
        self.bell.notify_one();
        None
    }

    /// Asks the enclave; `None` if it is gone or talks nonsense.
    fn put(&self, stream: &mut UnixStream, question: QueryAt) -> Option<Answer> {
        // The enclave's tip is one block ahead until that block is committed, so the tip is the store's, where receipts come
        // from too; and it is that of now: the one when the question was asked may be behind what the enclave keeps.
        let Some(height) = question.height.or_else(|| self.tip()) else {
            return Some(Answer::Refused(QueryRefusal::Supply));
        };
        wire::send(stream, &ToEnclave::Query(QueryAt { height: Some(height), ..question })).ok()?;
        loop {
            match wire::receive(stream).ok()? {
                ToHost::Answer(answer) => return Some(answer),
                ToHost::Need { height, leaves, positions, blobs } => {
                    let supplied = supply(&self.store, height, &leaves, &positions, &blobs).unwrap_or_else(|error| {
                        if !matches!(error, StoreError::Pruned { .. } | StoreError::Ahead { .. }) {
                            tracing::error!(%error, height, "a query could not be given its state");
                        }
                        let (leaves, blobs) = (vec![None; leaves.len()], vec![None; blobs.len()]);
                        ToEnclave::Supply { leaves, sealed: vec![None; positions.len()], blobs }
                    });
                    wire::send(stream, &supplied).ok()?;
                }
                _ => return None,
            }
        }
    }

    fn tip(&self) -> Option<u64> {
        let tip = self.store.reader().and_then(|reader| reader.tip());
        tip.inspect_err(|error| tracing::error!(%error, "the store does not say its tip")).ok().flatten()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Every critical section leaves a queue that can be used.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Most questions that wait.
const WAITING: usize = 1_024;
