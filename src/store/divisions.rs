//! Divisions of a tenant.

use rusqlite::{Row, params};

use super::columns::{at_most_one, fresh_id};
use super::{Reader, StoreError, Writer};
use crate::domain::id::{DivisionId, TenantId};
use crate::domain::time::Timestamp;

/// A division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DivisionRow {
    /// Its id.
    pub id: DivisionId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its name, unique in the tenant.
    pub name: String,
    /// What it is, in its own words.
    pub description: String,
    /// Whom to write to; empty if nobody.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, tenant_id, name, description, email, created_at, updated_at";

fn division(row: &Row<'_>) -> rusqlite::Result<DivisionRow> {
    Ok(DivisionRow {
        id: row.get(0)?,
        tenant_id: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        email: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

impl Reader {
    /// All divisions of a tenant by name. They are few ([`crate::domain::plan::DIVISIONS_MAX`]), so that what a key may
    /// see is decided outside SQL.
    ///
    /// # Errors
    /// The database's.
    pub fn divisions(&self, tenant: TenantId) -> Result<Vec<DivisionRow>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM divisions WHERE tenant_id = ?1 ORDER BY name");
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([tenant], division)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The division of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn division(&self, id: DivisionId) -> Result<Option<DivisionRow>, StoreError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM divisions WHERE id = ?1"))?;
        at_most_one(statement.query_row([id], division))
    }
}

impl Writer {
    /// Enters a division.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used; [`StoreError::Referenced`]: there is no such tenant.
    pub fn insert_division(&self, tenant: TenantId, name: &str, now: Timestamp) -> Result<DivisionId, StoreError> {
        let id = fresh_id();
        self.connection.execute(
            "INSERT INTO divisions (id, tenant_id, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)",
            params![id, tenant, name, now],
        )?;
        Ok(DivisionId::new(id).expect("fresh ids are positive"))
    }
}
