//! One thread, one stream: questions about committed states, answered beside the blocks.

use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;

use cloister_chain::wire::{self, Answer, QueryAt, QueryRefusal, ToEnclave, ToHost};
use cloister_ledger::Snapshots;

use crate::supply::SocketSupply;
use crate::{Stop, wipe};

/// What query threads read: nothing before the first state is there.
pub(crate) type Tip = Arc<OnceLock<Arc<Snapshots>>>;

/// Starts a thread that answers on `stream` until the host closes it. The thread needs nothing more from the operating
/// system once it has passed `started`.
pub(crate) fn start(stream: UnixStream, tip: &Tip, started: &Arc<Barrier>) -> io::Result<()> {
    let (tip, started) = (Arc::clone(tip), Arc::clone(started));
    thread::Builder::new().name("query".into()).stack_size(STACK_BYTES).spawn(move || {
        started.wait();
        // A stream that breaks or breaks the protocol ends this thread; dropping the stream tells the host.
        let _ = answer_all(stream, &tip);
    })?;
    Ok(())
}

fn answer_all(mut stream: UnixStream, tip: &Tip) -> Result<(), Stop> {
    while let Some(message) = crate::next(&mut stream)? {
        let ToEnclave::Query(query) = message else { return Ok(()) };
        let answer = match tip.get() {
            Some(snapshots) => answer(snapshots, &query, &mut stream),
            None => Answer::Refused(QueryRefusal::NotReady),
        };
        wipe::stack::<{ wipe::SHALLOW }>();
        wire::send(&mut stream, &ToHost::Answer(answer))?;
    }
    Ok(())
}

/// A question changes nothing, so a fault while answering it concerns nobody else; of the fault one public code is told (M-12).
fn answer(snapshots: &Snapshots, query: &QueryAt, stream: &mut UnixStream) -> Answer {
    let ask = || snapshots.query(query, &mut SocketSupply(stream));
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or(Answer::Refused(QueryRefusal::Fault))
}

/// As much as the main thread of a process usually has: a contract behaves the same in a query and in a block.
const STACK_BYTES: usize = 8 << 20;
