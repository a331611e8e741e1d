//! The one row about the appliance itself.

use rusqlite::params;

use super::columns::at_most_one;
use super::{Reader, StoreError, Writer};
use crate::domain::id::{KeyId, UserId};
use crate::domain::time::Timestamp;

/// Whether the first key's token has reached its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    /// Not known to have.
    Pending,
    /// It has, once.
    Done,
}

/// The appliance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appliance {
    /// Its one operator: who made every key.
    pub user_id: UserId,
    /// When the database was filled for the first time.
    pub created_at: Timestamp,
    /// How far the first start has come.
    pub bootstrap: Bootstrap,
    /// The key of the first start, while it exists.
    pub bootstrap_key_id: Option<KeyId>,
    /// The time by which snapshots were last expired.
    pub retention_now: Timestamp,
}

impl Reader {
    /// The appliance, once the first start has filled the database.
    ///
    /// # Errors
    /// The database's.
    pub fn appliance(&self) -> Result<Option<Appliance>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT user_id, created_at, bootstrap, bootstrap_key_id, retention_now FROM appliance")?;
        at_most_one(statement.query_row([], |row| {
            Ok(Appliance {
                user_id: row.get(0)?,
                created_at: row.get(1)?,
                bootstrap: if row.get_ref(2)?.as_str()? == "done" { Bootstrap::Done } else { Bootstrap::Pending },
                bootstrap_key_id: row.get(3)?,
                retention_now: row.get(4)?,
            })
        }))
    }
}

impl Writer {
    /// Enters the appliance, its first start pending.
    ///
    /// # Errors
    /// There is one already.
    pub fn insert_appliance(&self, user: UserId, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO appliance (id, user_id, created_at, bootstrap, bootstrap_key_id, retention_now)
             VALUES (1, ?1, ?2, 'pending', ?3, ?2)",
            params![user, now, key],
        )?;
        Ok(())
    }

    /// The first key's token is in its file.
    ///
    /// # Errors
    /// The database's.
    pub fn bootstrap_done(&self) -> Result<(), StoreError> {
        self.connection.execute("UPDATE appliance SET bootstrap = 'done'", [])?;
        Ok(())
    }

    /// Keeps the time by which snapshots expire.
    ///
    /// # Errors
    /// The database's.
    pub fn keep_retention_now(&self, now: Timestamp) -> Result<(), StoreError> {
        self.connection.execute("UPDATE appliance SET retention_now = ?1", [now])?;
        Ok(())
    }
}
