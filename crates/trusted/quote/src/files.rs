//! The files of the processor's interfaces: opened here and nowhere else, read with a bound.
//!
//! System calls are made one by one, because a locked-down process is left `read`, `write` and `close`; the standard library's
//! convenient forms also ask for sizes and positions.

// The one exception of the trusted room, known to `cargo xtask pure`: without these files there is no evidence.
#![allow(clippy::disallowed_methods)]

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use zeroize::Zeroizing;

use crate::QuoteError;

/// Opens a file that exists. Behind the lock-down's filter this is refused, and not fatal as `open` would be.
pub(crate) fn open(path: &Path, access: Access) -> Result<OwnedFd, QuoteError> {
    let flags = match access {
        Access::Read => OFlags::RDONLY,
        Access::Write => OFlags::WRONLY,
    };
    rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty()).map_err(|error| failed(path, error))
}

/// Makes a folder, unless it is there; `false` if the folder above it is not.
pub(crate) fn make_folder(path: &Path) -> Result<bool, QuoteError> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(true),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
        Err(Errno::NXIO) => Err(QuoteError::NoProvider(path.to_owned())),
        Err(error) => Err(failed(path, error)),
    }
}

/// For what a file is opened.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Everything that is left in `file`, to its end, if it is at most `most` bytes.
pub(crate) fn read(descriptor: &OwnedFd, file: &'static str, most: usize) -> Result<Zeroizing<Vec<u8>>, QuoteError> {
    // Reserved at once: what is read may be a key, and growing would leave copies of it.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    let mut chunk = Zeroizing::new([0u8; CHUNK]);
    loop {
        let count = retry_on_intr(|| rustix::io::read(descriptor, &mut chunk[..]))
            .map_err(|error| QuoteError::Io { file, error: error.into() })?;
        let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else { return Ok(bytes) };
        if read.len() > most.saturating_sub(bytes.len()) {
            return Err(QuoteError::Oversize { file, most });
        }
        bytes.extend_from_slice(read);
    }
}

/// A word: what one `read` brings, as every text attribute of the kernel does, without the white space at its end.
pub(crate) fn read_word(descriptor: &OwnedFd, file: &'static str) -> Result<String, QuoteError> {
    let mut chunk = [0u8; WORD];
    let count = retry_on_intr(|| rustix::io::read(descriptor, &mut chunk[..]))
        .map_err(|error| QuoteError::Io { file, error: error.into() })?;
    let text = chunk.get(..count).filter(|text| text.len() < WORD).ok_or(QuoteError::Oversize { file, most: WORD })?;
    let text = std::str::from_utf8(text).map_err(|_| QuoteError::Unreadable(file))?;
    Ok(text.trim_end().to_owned())
}

/// Writes `bytes` in one piece and closes the file.
pub(crate) fn write(descriptor: OwnedFd, file: &'static str, bytes: &[u8]) -> Result<(), QuoteError> {
    let count = retry_on_intr(|| rustix::io::write(&descriptor, bytes))
        .map_err(|error| QuoteError::Io { file, error: error.into() })?;
    if count == bytes.len() { Ok(()) } else { Err(QuoteError::Unreadable(file)) }
}

fn failed(path: &Path, error: Errno) -> QuoteError {
    match error {
        Errno::ACCESS | Errno::PERM => QuoteError::Denied(path.to_owned()),
        Errno::NOENT => QuoteError::Absent(path.to_owned()),
        _ => QuoteError::Open { path: path.to_owned(), error: error.into() },
    }
}

const CHUNK: usize = 4096;
/// More than any name or number that a kernel writes.
const WORD: usize = 128;
