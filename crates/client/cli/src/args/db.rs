use std::path::PathBuf;

use clap::{Args as Group, Subcommand};

use super::Output;

/// Look into the store of a node that does not run.
#[derive(Debug, Group)]
pub struct Db {
    /// What to do.
    #[command(subcommand)]
    pub action: DbAction,
}

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum DbAction {
    /// Say what is in it.
    Info(DbHome),
    /// Drop the state of old heights. Blocks and receipts stay.
    Prune(Prune),
    /// Check every block, certificate and receipt that is in it.
    Verify(DbHome),
}

/// Which store.
#[derive(Debug, Group)]
pub struct DbHome {
    /// The node's directory.
    #[arg(long, value_name = "DIR", env = "CLOISTER_HOME")]
    pub home: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

/// Drop the state of old heights. Blocks and receipts stay.
#[derive(Debug, Group)]
pub struct Prune {
    /// How many heights of state to keep.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub keep: u64,
    #[command(flatten)]
    pub db: DbHome,
}

impl DbAction {
    /// How to print.
    pub const fn output(&self) -> &Output {
        match self {
            Self::Info(home) | Self::Verify(home) => &home.output,
            Self::Prune(prune) => &prune.db.output,
        }
    }
}
