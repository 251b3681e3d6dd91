//! The network's roots as this machine's enclave sealed them.
//!
//! They have a file of their own and not a place in the store: when the chain has erased a root, the blob that held it has to go,
//! and the store's engine leaves old pages in its file until it happens to use them again. A new blob takes the old one's place
//! after the block that changed the roots is on disk; should the machine stop in between, the enclave finds out from the state and
//! steps on by itself. What a file system or a disk keeps of a file that was replaced is beyond a program's reach.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cloister_chain::B256;
use cloister_chain::wire::SealingBytes;
use tempfile::NamedTempFile;

use crate::home::HomeError;

/// What an enclave of this machine starts with, and the one thing that it keeps sealed outside the store.
#[derive(Debug)]
pub(crate) struct Safe {
    pub(crate) sealing: SealingBytes,
    /// The validator's public key, which the enclave's registrations name.
    pub(crate) consensus_key: B256,
    pub(crate) place: Arc<Place>,
}

/// Where the sealed roots are.
#[derive(Debug)]
pub(crate) enum Place {
    Memory(Mutex<Option<Vec<u8>>>),
    File(PathBuf),
}

impl Safe {
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, HomeError> {
        self.place.read()
    }

    pub(crate) fn write(&self, sealed: &[u8]) -> Result<(), HomeError> {
        self.place.write(sealed)
    }
}

impl Place {
    pub(crate) fn in_memory() -> Self {
        Self::Memory(Mutex::default())
    }

    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self::File(directory.join(FILE))
    }

    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, HomeError> {
        match self {
            Self::Memory(sealed) => Ok(sealed.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Self::File(path) => match fs::read(path) {
                Ok(sealed) => Ok(Some(sealed)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(HomeError::Io { path: path.clone(), error }),
            },
        }
    }

    fn write(&self, sealed: &[u8]) -> Result<(), HomeError> {
        match self {
            Self::Memory(place) => {
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(sealed.to_vec());
                Ok(())
            }
            Self::File(path) => replace(path, sealed).map_err(|error| HomeError::Io { path: path.clone(), error }),
        }
    }
}

/// The old content or the new one, even if the machine stops meanwhile.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|lost| lost.error)?;
    File::open(directory)?.sync_all()
}

/// Beside the store.
const FILE: &str = "roots.sealed";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_last_roots_that_were_written_are_the_ones_that_there_are() {
        let root = tempfile::tempdir().unwrap();
        for place in [Place::in_memory(), Place::in_directory(root.path())] {
            assert_eq!(place.read().unwrap(), None);
            for sealed in [&b"a longer blob"[..], b"another"] {
                place.write(sealed).unwrap();
                assert_eq!(place.read().unwrap().as_deref(), Some(sealed));
            }
        }
        let path = root.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing of the older ones is left");
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::in_directory(&root.path().join("none"));
        assert!(matches!(place.write(b"roots"), Err(HomeError::Io { .. })));
        fs::create_dir(root.path().join(FILE)).unwrap();
        assert!(Place::in_directory(root.path()).read().is_err(), "a directory is no blob");
    }
}
