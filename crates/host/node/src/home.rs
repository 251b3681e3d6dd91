//! Where a node lives: its keys, and the directory with its store.
//!
//! | file | what | mode |
//! | --- | --- | --- |
//! | `validator.key` | Ed25519 signing key: 32 bytes in hex and a newline | 0600 |
//! | `node.key` | Ed25519 key that peers know the node by, on a network only: 32 bytes in hex and a newline | 0600 |
//! | `sealing.key` | SIMULATED hardware: what this machine's enclave seals to; 32 bytes in hex and a newline | 0600 |
//! | `roots.sealed` | the network's roots, as the enclave of this machine sealed them | 0600 |
//! | `chain.redb` | the store | 0600 |
//!
//! The directory has mode 0700. Keys are made when they are absent; a key that does not read is an error and never replaced.
//! While a process uses a home it holds a lock (`flock`) on `validator.key`: two nodes with one key would sign against each
//! other. A *copy* of the key is not found out by this: a validator key must never be in two places.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloister_chain::wire::SealingBytes;
use cloister_chain::{B256, Genesis};
use cloister_store::{Store, StoreError};
use ed25519_zebra::{SigningKey, VerificationKey};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tempfile::NamedTempFile;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::roots::{Place, Safe};

/// Keys, and a directory unless the node keeps everything in memory.
#[derive(Debug)]
pub struct Home {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) validator: SigningKey,
    pub(crate) sealing: SealingBytes,
    roots: Arc<Place>,
}

/// What keeps other processes from a home. The system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct HomeLock(#[expect(dead_code, reason = "open is locked")] File);

/// Why a home cannot be used.
#[derive(Debug, Error)]
pub enum HomeError {
    /// The file system refused: permissions, a full disk, a file where the directory should be.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        error: io::Error,
    },
    /// A key file that does not hold 32 bytes in hex.
    #[error("{0} does not hold a key: 64 hexadecimal digits")]
    Key(PathBuf),
    /// Another process runs a node with this validator key.
    #[error("{0} is in use by another process: two nodes with one key would sign against each other")]
    Locked(PathBuf),
    /// The operating system gave no randomness.
    #[error("no randomness for a new key: {0}")]
    Random(getrandom::Error),
    /// The store in the directory does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Home {
    /// New keys that are forgotten with everything else when the node stops.
    pub fn in_memory() -> Result<Self, HomeError> {
        Ok(Self {
            directory: None,
            validator: SigningKey::from(*random()?),
            sealing: SealingBytes(*random()?),
            roots: Arc::new(Place::in_memory()),
        })
    }

    /// The home in `directory`, made if there is none.
    pub fn open(directory: &Path) -> Result<Self, HomeError> {
        let refused = |error| HomeError::Io { path: directory.into(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(refused)?;
        Ok(Self {
            directory: Some(directory.into()),
            validator: SigningKey::from(*key(&directory.join(VALIDATOR_KEY))?),
            sealing: SealingBytes(*key(&directory.join("sealing.key"))?),
            roots: Arc::new(Place::in_directory(directory)),
        })
    }

    /// Whether there are sealed roots: without any, an enclave that starts here makes a chain of its own.
    pub fn has_seed(&self) -> Result<bool, HomeError> {
        Ok(self.roots.read()?.is_some())
    }

    /// What an enclave that starts here seals with, and what it sealed.
    pub(crate) fn safe(&self) -> Safe {
        let (sealing, place) = (SealingBytes(self.sealing.0), Arc::clone(&self.roots));
        Safe { sealing, consensus_key: self.validator(), place }
    }

    /// Keeps every other process from using this home for as long as the lock lives; `None` for a home in memory.
    pub fn lock(&self) -> Result<Option<HomeLock>, HomeError> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let path = directory.join(VALIDATOR_KEY);
        let file = File::open(&path).map_err(|error| HomeError::Io { path: path.clone(), error })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(HomeLock(file))),
            Err(Errno::WOULDBLOCK) => Err(HomeError::Locked(path)),
            Err(error) => Err(HomeError::Io { path, error: error.into() }),
        }
    }

    /// The secret that peers know the node by, made if there is none.
    pub fn node_key(&self) -> Result<Zeroizing<[u8; 32]>, HomeError> {
        match &self.directory {
            Some(directory) => key(&directory.join("node.key")),
            None => random(),
        }
    }

    /// The same home with another validator key: chains for tests and development have known ones.
    pub fn with_validator(self, validator: SigningKey) -> Self {
        Self { validator, ..self }
    }

    /// The validator's public key.
    pub fn validator(&self) -> B256 {
        B256::new(VerificationKey::from(&self.validator).into())
    }

    /// The genesis of the chain that lives here already.
    pub fn genesis(&self) -> Result<Option<Genesis>, HomeError> {
        let Some(directory) = &self.directory else { return Ok(None) };
        match Store::open(directory) {
            Ok(store) => Ok(Some(store.reader()?.genesis()?)),
            Err(StoreError::Missing) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The key in a file; a new one, on disk before it is used, if there is no file.
fn key(path: &Path) -> Result<Zeroizing<[u8; 32]>, HomeError> {
    let refused = |error| HomeError::Io { path: path.into(), error };
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => {
            let mut bytes = Zeroizing::new([0; 32]);
            hex::decode_to_slice(text.trim_end(), bytes.as_mut()).map_err(|_| HomeError::Key(path.into()))?;
            return Ok(bytes);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(HomeError::Key(path.into())),
        Err(error) => return Err(refused(error)),
    }
    let text = Zeroizing::new(hex::encode(*random()?));
    make(path, &Zeroizing::new(format!("{}\n", text.as_str()))).map_err(refused)?;
    // Another process may have been faster: the key is the one in the file.
    key(path)
}

/// All of the file or none of it, even if the machine stops meanwhile. A file that is there already stays.
fn make(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(lost) if lost.error.kind() != io::ErrorKind::AlreadyExists => Err(lost.error),
        _ => File::open(directory)?.sync_all(),
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, HomeError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(HomeError::Random)?;
    Ok(bytes)
}

/// What signs for the validator, and what a running node locks.
const VALIDATOR_KEY: &str = "validator.key";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_made_once_for_their_owner_alone_and_stay() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("home");
        let home = Home::open(&directory).unwrap();
        let again = Home::open(&directory).unwrap();
        assert_eq!((home.validator(), home.sealing.0), (again.validator(), again.sealing.0));
        assert_ne!(home.validator.as_ref(), home.sealing.0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join("validator.key")), 0o600);
        assert_eq!(mode(&directory.join("sealing.key")), 0o600);
        assert_eq!(home.genesis().unwrap(), None);
    }

    #[test]
    fn one_key_has_one_user_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::open(root.path()).unwrap();
        let lock = home.lock().unwrap();
        // A lock belongs to an opened file, so that another home of this process stands for another process.
        let again = Home::open(root.path()).unwrap();
        assert!(matches!(again.lock(), Err(HomeError::Locked(path)) if path.ends_with("validator.key")));
        drop(lock);
        assert!(again.lock().unwrap().is_some());
        assert!(Home::in_memory().unwrap().lock().unwrap().is_none());
    }

    #[test]
    fn peers_know_a_node_by_a_key_that_is_not_its_validators() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::open(root.path()).unwrap();
        let key = home.node_key().unwrap();
        assert_eq!(*Home::open(root.path()).unwrap().node_key().unwrap(), *key);
        assert_ne!(*key, <[u8; 32]>::from(home.validator));
        let mode = fs::metadata(root.path().join("node.key")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }

    #[test]
    fn of_several_that_make_a_home_at_once_none_has_keys_of_its_own() {
        for _ in 0..20 {
            let root = tempfile::tempdir().unwrap();
            let start = std::sync::Barrier::new(4);
            let open = || {
                start.wait();
                let home = Home::open(root.path()).unwrap();
                (home.validator(), home.sealing.0)
            };
            let keys = std::thread::scope(|scope| [(); 4].map(|()| scope.spawn(open)).map(|home| home.join().unwrap()));
            let last = Home::open(root.path()).unwrap();
            assert_eq!(keys, [(last.validator(), last.sealing.0); 4]);
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2, "nothing is left beside the keys");
        }
    }

    #[test]
    fn a_damaged_key_is_refused_and_left_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        Home::open(root.path()).unwrap();
        let path = root.path().join("validator.key");
        let whole = fs::read_to_string(&path).unwrap();
        for damaged in ["", &whole[..63], "not a key", "é"] {
            fs::write(&path, damaged).unwrap();
            assert!(matches!(Home::open(root.path()), Err(HomeError::Key(at)) if at == path), "{damaged:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
        fs::write(&path, [0xff]).unwrap();
        assert!(matches!(Home::open(root.path()), Err(HomeError::Key(_))), "not even text");
    }
}
