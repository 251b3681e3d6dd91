//! What can go wrong with a store.

use std::io;

use thiserror::Error;

/// Why the store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has the store open.
    #[error("the store is in use by another process")]
    Locked,
    /// There is no store in the directory, or its making was interrupted.
    #[error("there is no chain in this directory")]
    Missing,
    /// The store belongs to another chain.
    #[error("the directory holds another chain")]
    OtherGenesis,
    /// The store was written by a version of this program whose layout this one does not know.
    #[error("the store has layout {0}, this program knows {known}", known = crate::tables::LAYOUT)]
    Layout(u64),
    /// The file is not a store, or is damaged. What names the part.
    #[error("the store is damaged: {0}")]
    Corrupted(&'static str),
    /// The block is not the one after the tip.
    #[error("block {found} cannot follow: the next one is {expected}")]
    Order {
        /// Height of the next block.
        expected: u64,
        /// Height of the block that was given.
        found: u64,
    },
    /// Parts of different blocks: heights or numbers of transactions differ.
    #[error("block, certificate and outcome do not belong together")]
    Mismatch,
    /// The state of that height is no longer kept.
    #[error("the state of height {height} is pruned, the oldest is {oldest}")]
    Pruned {
        /// Height that was asked for.
        height: u64,
        /// Oldest height whose state is kept.
        oldest: u64,
    },
    /// There is no such height yet.
    #[error("height {height} is above the tip")]
    Ahead {
        /// Height that was asked for.
        height: u64,
    },
    /// The file system failed: permissions, a full disk.
    #[error("the store's file: {0}")]
    Io(#[source] io::Error),
    /// The database engine failed in another way.
    #[error("the database: {0}")]
    Engine(#[source] Box<redb::Error>),
}

macro_rules! from_engine {
    ($($error:ty),*) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                match redb::Error::from(error) {
                    redb::Error::DatabaseAlreadyOpen => Self::Locked,
                    redb::Error::Corrupted(_) => Self::Corrupted("database file"),
                    // The engine's words for a file that is not its own.
                    redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => Self::Corrupted("database file"),
                    redb::Error::Io(error) => Self::Io(error),
                    other => Self::Engine(Box::new(other)),
                }
            }
        })*
    };
}

from_engine!(redb::DatabaseError, redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
