//! Tenants.

use rusqlite::{Row, params};

use super::columns::{at_most_one, fresh_id};
use super::{Reader, StoreError, Writer};
use crate::domain::id::TenantId;
use crate::domain::time::Timestamp;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRow {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique in the appliance.
    pub name: String,
    /// What it is, in its own words.
    pub description: String,
    /// Whom to write to; empty if nobody.
    pub email: String,
    /// The name of its plan.
    pub plan: String,
    /// Since when it has that plan.
    pub plan_since: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, name, description, email, plan, plan_since, created_at, updated_at";

fn tenant(row: &Row<'_>) -> rusqlite::Result<TenantRow> {
    Ok(TenantRow {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        email: row.get(3)?,
        plan: row.get(4)?,
        plan_since: row.get(5)?,
        created_at: row.get(6)?,
        updated_at: row.get(7)?,
    })
}

impl Reader {
    /// All tenants by name.
    ///
    /// # Errors
    /// The database's.
    pub fn tenants(&self) -> Result<Vec<TenantRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM tenants ORDER BY name"))?;
        let rows = statement.query_map([], tenant)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The tenant of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn tenant(&self, id: TenantId) -> Result<Option<TenantRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM tenants WHERE id = ?1"))?;
        at_most_one(statement.query_row([id], tenant))
    }
}

impl Writer {
    /// Enters a tenant.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used.
    pub fn insert_tenant(&self, name: &str, plan: &str, now: Timestamp) -> Result<TenantId, StoreError> {
        let id = fresh_id();
        self.connection.execute(
            "INSERT INTO tenants (id, name, plan, plan_since, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4, ?4)",
            params![id, name, plan, now],
        )?;
        Ok(TenantId::new(id).expect("fresh ids are positive"))
    }

    /// Puts a tenant on a plan; snapshots that exist keep the expiry that they were made with.
    ///
    /// # Errors
    /// The database's.
    pub fn set_plan(&self, id: TenantId, plan: &str, now: Timestamp) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE tenants SET plan = ?2, plan_since = ?3, updated_at = ?3 WHERE id = ?1 AND plan <> ?2",
            params![id, plan, now],
        )?;
        Ok(())
    }
}
