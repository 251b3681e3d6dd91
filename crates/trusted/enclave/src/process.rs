//! The enclave as a process of its own.
//!
//! Its standard input is the block stream, a Unix socket. Before the boot message the host sends one byte over it, the
//! number of query streams, with their descriptors attached (`SCM_RIGHTS`); so nothing but that one socket is inherited, no
//! descriptor number is ever trusted, and no other child of the host can hold a stream by accident. Standard error is prose
//! for the operator, a line for a fault and never a word of data. The process ends when the host closes the block stream.

use std::ffi::OsString;
use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic;
use std::process::ExitCode;

use cloister_chain::limits;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

use crate::{Options, Violation, serve};

/// Runs an enclave on the streams that the parent hands over, with `args` as they follow the program's name. The only one
/// is `--deny`: a system call that the lock-down forbids fails instead of ending the process.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    panic::set_hook(Box::new(panicked));
    let mut violation = Violation::Kill;
    for argument in args {
        if argument != "--deny" {
            complain(&"usage: cloister-enclave [--deny], with the block stream of a node as standard input");
            return ExitCode::from(2);
        }
        violation = Violation::Deny;
    }
    let (block, queries) = match streams() {
        Ok(streams) => streams,
        Err(error) => {
            complain(&format_args!("no streams from a node on standard input: {error}"));
            return ExitCode::from(2);
        }
    };
    match serve(block, queries, Options { lock_down: Some(violation) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            complain(&stop);
            ExitCode::FAILURE
        }
    }
}

/// One line on standard error. What is said must not depend on data that clients sent or that the state holds.
pub(crate) fn complain(line: &dyn std::fmt::Display) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "cloister-enclave: {line}");
}

/// A panic message may hold what the code worked on; its place in the source cannot (M-12).
fn panicked(info: &panic::PanicHookInfo<'_>) {
    match info.location() {
        Some(place) => complain(&format_args!("fault at {}:{}", place.file(), place.line())),
        None => complain(&"fault"),
    }
}

/// The block stream, and the query streams that come over it.
fn streams() -> io::Result<(UnixStream, Vec<UnixStream>)> {
    // A copy, because standard input lives for ever; the lock-down closes the original.
    let block = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(limits::QUERY_STREAMS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut count = [0];
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::WAITALL;
    let received = rustix::net::recvmsg(&block, &mut [IoSliceMut::new(&mut count)], &mut control, flags)?;
    let mut queries = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            queries.extend(descriptors.map(|descriptor: OwnedFd| UnixStream::from(descriptor)));
        }
    }
    if received.bytes != 1 || queries.len() != usize::from(count[0]) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((block, queries))
}
