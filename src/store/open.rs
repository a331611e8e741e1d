//! Opening the database: the directory, the file, the settings of a connection.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{DATABASE_FILE, Reader, StoreError, Writer, migrate};

/// How long a connection waits for another process's lock before it says busy.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared; there are fewer in this room.
const STATEMENTS_KEPT_MAX: usize = 128;

/// Makes a data directory if it is missing, and makes it its owner's alone.
///
/// # Errors
/// It cannot be made, or its mode cannot be changed.
pub fn make_data_dir(data_dir: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    made.and_then(|()| close_to_others(data_dir, 0o700)).map_err(failed(data_dir))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { path, source }
}

/// The file of the database below `data_dir`, made with its directory if it is missing; both the owner's alone.
pub(super) fn database_file(data_dir: &Path) -> Result<PathBuf, StoreError> {
    make_data_dir(data_dir)?;
    let path = data_dir.join(DATABASE_FILE);
    // SQLite gives its journal files the mode of the database, so that is right before SQLite sees it.
    OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(failed(&path))?;
    close_to_others(&path, 0o600).map_err(failed(&path))?;
    Ok(path)
}

fn close_to_others(path: &Path, mode: u32) -> io::Result<()> {
    let found = fs::metadata(path)?.permissions().mode() & 0o777;
    let for_others = found & 0o077;
    if for_others == 0 { Ok(()) } else { fs::set_permissions(path, Permissions::from_mode(mode)) }
}

/// Whether an older schema may be brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Older {
    /// It may: nobody else is at work on it.
    Upgrade,
    /// It is refused.
    Refuse,
}

pub(super) fn writer(path: &Path, older: Older) -> Result<Writer, StoreError> {
    let mut connection = connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    migrate::identify(&connection, path)?;
    if older == Older::Refuse {
        migrate::refuse_older(&connection)?;
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A state that was announced survives a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    migrate::bring_up_to_date(&mut connection)?;
    Ok(Writer { reader: Reader { connection } })
}

pub(super) fn reader(path: &Path) -> Result<Reader, StoreError> {
    let connection = connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(Reader { connection })
}

fn connection(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    Ok(connection)
}
