//! What can go wrong with the database.

use std::io;
use std::path::PathBuf;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory or the database's file.
    #[error("cannot prepare {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of the database's threads.
    #[error("a thread of the database cannot be started")]
    Thread(#[source] io::Error),
    /// It is another program's database, or was damaged at its head.
    #[error("{0} is damaged, or is not a database of snapvisor: put it aside, or choose another data directory")]
    Foreign(PathBuf),
    /// It was written by a newer snapvisor.
    #[error("the database has schema {found} and this snapvisor knows {known} at most: run a newer one")]
    Newer {
        /// The version in the file.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// It was written by an older snapvisor, and only a server may bring it up to date.
    #[error(
        "the database has schema {found} and this snapvisor needs {needed}: start its server once, which brings it there"
    )]
    Older {
        /// The version in the file.
        found: i64,
        /// The version that this program needs.
        needed: i64,
    },
    /// A UNIQUE constraint refused a row.
    #[error("there is one already")]
    NotUnique(#[source] rusqlite::Error),
    /// A foreign key refused a row or a removal.
    #[error("something else refers to it, or what it refers to is not there")]
    Referenced(#[source] rusqlite::Error),
    /// A CHECK, a NOT NULL or a trigger of the schema refused a row.
    #[error("the schema refuses it")]
    Refused(#[source] rusqlite::Error),
    /// The disk of the database is full.
    #[error("the disk of the database is full")]
    Full(rusqlite::Error),
    /// Too many wait, or another process holds the database for longer than we wait.
    #[error("the database is busy")]
    Busy,
    /// The database's threads have ended, or a question panicked.
    #[error("the database did not answer")]
    Stopped,
    /// A column holds what this program does not understand.
    #[error("{table}: a row holds what cannot be understood")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What it is.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Any other answer of SQLite's.
    #[error("the database failed")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        use rusqlite::ffi::{SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
        let Some(failure) = error.sqlite_error() else { return Self::Sqlite(error) };
        match (failure.code, failure.extended_code) {
            (_, SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY) => Self::NotUnique(error),
            (_, SQLITE_CONSTRAINT_FOREIGNKEY) => Self::Referenced(error),
            (ErrorCode::ConstraintViolation, _) => Self::Refused(error),
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Busy,
            (ErrorCode::DiskFull, _) => Self::Full(error),
            _ => Self::Sqlite(error),
        }
    }
}
