//! Starting an enclave and handing its streams over.

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use cloister_chain::limits;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

/// The node's ends of the streams of one enclave that has just started.
#[derive(Debug)]
pub struct Streams {
    /// Boot, leaves and blocks.
    pub block: UnixStream,
    /// One for each thread that answers questions.
    pub queries: Vec<UnixStream>,
    /// The process at the other end; `None` if it is a thread of this one.
    pub process: Option<Child>,
}

/// Starts an enclave: once at first, and again each time it has died.
pub type Spawner = Arc<dyn Fn() -> io::Result<Streams> + Send + Sync>;

/// Starts `program` with `arguments` as an enclave with `queries` query threads, at most [`limits::QUERY_STREAMS`]. With
/// `/proc/self/exe` as program it is this very program, even if its file was replaced meanwhile.
pub fn process(program: PathBuf, arguments: Vec<OsString>, queries: usize) -> Spawner {
    let queries = queries.min(limits::QUERY_STREAMS);
    Arc::new(move || {
        let (block, far_block) = UnixStream::pair()?;
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for _ in 0..queries {
            let (this, other) = UnixStream::pair()?;
            near.push(this);
            far.push(other);
        }
        let process = Command::new(&program)
            .args(&arguments)
            .env_clear()
            .stdin(OwnedFd::from(far_block))
            .stdout(Stdio::null())
            // Ctrl-C in a terminal goes to a whole process group; the node decides when its enclave ends.
            .process_group(0)
            .spawn()?;
        let streams = Streams { block, queries: near, process: Some(process) };
        match hand_over(&streams.block, &far) {
            Ok(()) => Ok(streams),
            // It has ended already: how, its exit status says, to whoever speaks to it next.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(streams),
            Err(error) => {
                streams.process.into_iter().for_each(end);
                Err(error)
            }
        }
    })
}

/// One byte, the number of streams, and their descriptors with it.
fn hand_over(block: &UnixStream, streams: &[UnixStream]) -> io::Result<()> {
    let descriptors: Vec<_> = streams.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(limits::QUERY_STREAMS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let count = [u8::try_from(streams.len()).map_err(|_| io::ErrorKind::InvalidInput)?];
    rustix::net::sendmsg(block, &[IoSlice::new(&count)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Ends a process that may be dead already, and takes note of its death.
pub(crate) fn end(mut process: Child) {
    let _ = process.kill();
    let _ = process.wait();
}
