//! All metadata, in one SQLite database: all SQL of the program, one file per table.
//!
//! One connection writes, on a thread of its own; a few read, on theirs. No query ever runs on an async thread, and
//! none outlives the closure that asked: [`Store::read`] gives a [`Reader`] one consistent view, [`Store::write`]
//! gives a [`Writer`] one transaction that is durable once it returns `Ok` (WAL, `synchronous=FULL`). Other processes
//! may open the same database meanwhile; [`Store::outside_changes`] tells that one has written.
//!
//! It refuses: a database that is newer than this program, or another program's. It judges nothing: what may change
//! and who may ask is the orchestrator's. Invariant: what must not be is refused by `schema.sql` itself.

mod appliance;
mod audit;
mod columns;
mod deployments;
mod divisions;
mod environments;
mod error;
mod idempotency;
mod keys;
mod migrate;
mod nodes;
mod open;
mod page;
mod roles;
mod scope;
mod snapshots;
mod tenants;
mod threads;
mod triggers;

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

pub use appliance::{Appliance, Bootstrap};
pub use audit::{AuditEntry, AuditRow, Who};
pub use columns::fresh_id;
pub use deployments::{DeploymentRow, NewDeployment, Place};
pub use divisions::DivisionRow;
pub use environments::EnvironmentRow;
pub use error::StoreError;
pub use idempotency::KeptAnswer;
pub use keys::{KeyRow, NewKey, Security};
pub use nodes::NodeRow;
pub use open::make_data_dir;
pub use page::{PageRequest, Paged};
pub use roles::RoleRow;
pub use scope::{Contents, Scope};
pub use snapshots::{Completion, SnapshotItem, SnapshotRow, StoredArchive};
pub use tenants::TenantRow;
pub use triggers::{NewTrigger, TriggerRow};

use open::Older;
use threads::Threads;

/// The database's file in the data directory.
pub const DATABASE_FILE: &str = "snapvisor.db";

/// The database. Cheap to clone; the last clone ends its threads.
#[derive(Debug, Clone)]
pub struct Store {
    threads: Arc<Threads>,
    path: PathBuf,
}

/// One consistent view of the database. Its methods are spread over the files of the tables.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// One transaction: all of it happens, or nothing. It reads what it wrote.
#[derive(Debug)]
pub struct Writer {
    reader: Reader,
}

impl std::ops::Deref for Writer {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Store {
    /// Opens the database of this data directory, making both if they are missing (modes 0700 and 0600), and brings
    /// its schema up to date. Blocks for milliseconds.
    ///
    /// # Errors
    /// The database is another program's, newer than this one, or cannot be opened.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        Self::open_as(data_dir, Older::Upgrade)
    }

    /// [`Store::open`] beside a server that may be running: a schema that is not the current one is left as it is.
    ///
    /// # Errors
    /// As [`Store::open`], and [`StoreError::Older`].
    pub fn open_beside(data_dir: &Path) -> Result<Self, StoreError> {
        Self::open_as(data_dir, Older::Refuse)
    }

    fn open_as(data_dir: &Path, older: Older) -> Result<Self, StoreError> {
        let path = open::database_file(data_dir)?;
        let writer = open::writer(&path, older)?;
        let readers = (0..threads::READERS).map(|_| open::reader(&path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { threads: Arc::new(Threads::start(writer, readers)?), path })
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads from one consistent view. Dropping the future loses nothing but the answer.
    ///
    /// # Errors
    /// The closure's own, or [`StoreError::Busy`] when too many wait.
    pub async fn read<T, E, F>(&self, question: F) -> Result<T, E>
    where
        F: FnOnce(&Reader) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (send, answer) = oneshot::channel();
        self.threads.ask_reader(|reader| view(reader, question), |value| drop(send.send(value)))?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// [`Store::read`] for threads that may block: the command line, and a server before it takes requests.
    ///
    /// # Errors
    /// Those of [`Store::read`].
    pub fn read_blocking<T, E, F>(&self, question: F) -> Result<T, E>
    where
        F: FnOnce(&Reader) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (send, answer) = mpsc::sync_channel(1);
        self.threads.ask_reader(|reader| view(reader, question), move |value| drop(send.send(value)))?;
        answer.recv().unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// Runs one transaction: durable once it returns `Ok`, undone when the closure fails. Dropping the future leaves
    /// the transaction running to its end; only the answer is lost.
    ///
    /// # Errors
    /// The closure's own, or that of the commit, or [`StoreError::Busy`] when too many wait.
    pub async fn write<T, E, F>(&self, change: F) -> Result<T, E>
    where
        F: FnOnce(&Writer) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (send, answer) = oneshot::channel();
        self.threads.ask_writer(|writer| transaction(writer, change), |value| drop(send.send(value)))?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// [`Store::write`] for threads that may block: the command line, and a server before it takes requests.
    ///
    /// # Errors
    /// Those of [`Store::write`].
    pub fn write_blocking<T, E, F>(&self, change: F) -> Result<T, E>
    where
        F: FnOnce(&Writer) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (send, answer) = mpsc::sync_channel(1);
        self.threads.ask_writer(|writer| transaction(writer, change), move |value| drop(send.send(value)))?;
        answer.recv().unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// A number that differs from the last one when another process has written since.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub async fn outside_changes(&self) -> Result<i64, StoreError> {
        // Our own commits all go through this connection, and those do not count.
        let (send, answer) = oneshot::channel();
        let ask = |writer: &Writer| {
            writer.connection.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(StoreError::from)
        };
        self.threads.ask_writer(ask, |version| drop(send.send(version)))?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }
}

/// The threads own one reader or writer each and answer one question at a time, so a transaction never meets another.
fn view<T, E: From<StoreError>>(reader: &Reader, question: impl FnOnce(&Reader) -> Result<T, E>) -> Result<T, E> {
    let _transaction = reader.connection.unchecked_transaction().map_err(StoreError::from)?;
    question(reader)
}

fn transaction<T, E: From<StoreError>>(writer: &Writer, change: impl FnOnce(&Writer) -> Result<T, E>) -> Result<T, E> {
    let transaction =
        Transaction::new_unchecked(&writer.connection, TransactionBehavior::Immediate).map_err(StoreError::from)?;
    let result = change(writer)?;
    transaction.commit().map_err(StoreError::from)?;
    Ok(result)
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
