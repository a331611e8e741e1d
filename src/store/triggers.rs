//! Triggers: one per POST, the snapshot of a whole deployment.

use rusqlite::{Row, params};

use super::columns::{at_most_one, count, iggy_data_word, options, redaction_word};
use super::{Reader, StoreError, Writer};
use crate::domain::id::{DeploymentId, SnapshotId, TriggerId};
use crate::domain::snapshot::{SnapshotOptions, Status};
use crate::domain::time::Timestamp;

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerRow {
    /// Its id.
    pub id: TriggerId,
    /// Its deployment.
    pub deployment_id: DeploymentId,
    /// The name of all its rows.
    pub name: String,
    /// Over when every row is.
    pub state: Status,
    /// What was asked for.
    pub options: SnapshotOptions,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it disappears; fixed when it was made.
    pub expires_at: Timestamp,
    /// Its rows.
    pub rows_total: u64,
}

/// A trigger to be made.
#[derive(Debug, Clone)]
pub struct NewTrigger {
    /// Its deployment.
    pub deployment_id: DeploymentId,
    /// The name of all its rows.
    pub name: String,
    /// What was asked for.
    pub options: SnapshotOptions,
    /// Now.
    pub created_at: Timestamp,
    /// When it is to disappear.
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "id, deployment_id, name, state, redaction, iggy_data, created_at, expires_at, rows_total";

fn trigger(row: &Row<'_>) -> rusqlite::Result<TriggerRow> {
    Ok(TriggerRow {
        id: row.get(0)?,
        deployment_id: row.get(1)?,
        name: row.get(2)?,
        state: row.get(3)?,
        options: options(row.get_ref(4)?.as_str()?, row.get_ref(5)?.as_str()?),
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        rows_total: count(row.get(8)?),
    })
}

impl Reader {
    /// The trigger of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn trigger(&self, id: TriggerId) -> Result<Option<TriggerRow>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM triggers WHERE id = ?1");
        at_most_one(self.connection.prepare_cached(&query)?.query_row([id], trigger))
    }

    /// The deployment's trigger in progress.
    ///
    /// # Errors
    /// The database's.
    pub fn trigger_in_progress(&self, deployment: DeploymentId) -> Result<Option<TriggerRow>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM triggers WHERE deployment_id = ?1 AND state = 'processing'");
        at_most_one(self.connection.prepare_cached(&query)?.query_row([deployment], trigger))
    }

    /// The deployment's triggers that have not expired: how many, and the first to expire.
    ///
    /// # Errors
    /// The database's.
    pub fn triggers_kept(
        &self,
        deployment: DeploymentId,
        now: Timestamp,
    ) -> Result<(u64, Option<TriggerRow>), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM triggers WHERE deployment_id = ?1 AND expires_at > ?2")?;
        let kept = count(statement.query_row(params![deployment, now], |row| row.get(0))?);
        let query = format!(
            "SELECT {COLUMNS} FROM triggers WHERE deployment_id = ?1 AND expires_at > ?2 ORDER BY expires_at, id LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        Ok((kept, at_most_one(statement.query_row(params![deployment, now], trigger))?))
    }

    /// Whether a snapshot of this name is there, expired or not.
    ///
    /// # Errors
    /// The database's.
    pub fn trigger_named(&self, deployment: DeploymentId, name: &str) -> Result<bool, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM triggers WHERE deployment_id = ?1 AND name = ?2")?;
        Ok(statement.exists(params![deployment, name])?)
    }

    /// Triggers whose time has come, the longest overdue first, at most `triggers_max`. One in progress is left alone.
    ///
    /// # Errors
    /// The database's.
    pub fn triggers_expired(&self, now: Timestamp, triggers_max: u32) -> Result<Vec<TriggerRow>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM triggers WHERE state = 'completed' AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map(params![now, triggers_max], trigger)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The rows of a trigger.
    ///
    /// # Errors
    /// The database's.
    pub fn rows_of_trigger(&self, id: TriggerId) -> Result<Vec<SnapshotId>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM snapshots WHERE trigger_id = ?1 ORDER BY id")?;
        let rows = statement.query_map([id], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Writer {
    /// Enters a trigger, in progress.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the deployment has one in progress, or one of this name.
    pub fn insert_trigger(&self, new: &NewTrigger) -> Result<TriggerId, StoreError> {
        self.connection.execute(
            "INSERT INTO triggers (deployment_id, name, state, redaction, iggy_data, created_at, expires_at)
             VALUES (?1, ?2, 'processing', ?3, ?4, ?5, ?6)",
            params![
                new.deployment_id,
                new.name,
                redaction_word(new.options.redaction),
                iggy_data_word(new.options.iggy_data),
                new.created_at,
                new.expires_at
            ],
        )?;
        Ok(TriggerId::new(self.connection.last_insert_rowid()).expect("AUTOINCREMENT starts at one"))
    }
}
