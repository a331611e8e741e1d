//! Environments of a division.

use rusqlite::{Row, params};

use super::columns::{at_most_one, fresh_id};
use super::{Reader, StoreError, Writer};
use crate::domain::id::{DivisionId, EnvironmentId, TenantId};
use crate::domain::time::Timestamp;

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRow {
    /// Its id.
    pub id: EnvironmentId,
    /// Its division.
    pub division_id: DivisionId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its name, unique in the division.
    pub name: String,
    /// What it is, in its own words.
    pub description: String,
    /// Deployments in it.
    pub deployments_count: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

const QUERY: &str = "SELECT e.id, e.division_id, d.tenant_id, e.name, e.description,
        (SELECT count(*) FROM deployments WHERE environment_id = e.id), e.created_at, e.updated_at
    FROM environments e JOIN divisions d ON d.id = e.division_id";

fn environment(row: &Row<'_>) -> rusqlite::Result<EnvironmentRow> {
    Ok(EnvironmentRow {
        id: row.get(0)?,
        division_id: row.get(1)?,
        tenant_id: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        deployments_count: row.get(5)?,
        created_at: row.get(6)?,
        updated_at: row.get(7)?,
    })
}

impl Reader {
    /// All environments of a division by name. They are few
    /// ([`crate::domain::plan::ENVIRONMENTS_PER_DIVISION_MAX`]), so that what a key may see is decided outside SQL.
    ///
    /// # Errors
    /// The database's.
    pub fn environments(&self, division: DivisionId) -> Result<Vec<EnvironmentRow>, StoreError> {
        let mut statement =
            self.connection.prepare_cached(&format!("{QUERY} WHERE e.division_id = ?1 ORDER BY e.name"))?;
        let rows = statement.query_map([division], environment)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All environments of a tenant by division and name: for its structure.
    ///
    /// # Errors
    /// The database's.
    pub fn environments_of_tenant(&self, tenant: TenantId) -> Result<Vec<EnvironmentRow>, StoreError> {
        let mut statement =
            self.connection.prepare_cached(&format!("{QUERY} WHERE d.tenant_id = ?1 ORDER BY d.name, e.name"))?;
        let rows = statement.query_map([tenant], environment)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The environment of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn environment(&self, id: EnvironmentId) -> Result<Option<EnvironmentRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{QUERY} WHERE e.id = ?1"))?;
        at_most_one(statement.query_row([id], environment))
    }
}

impl Writer {
    /// Enters an environment.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used; [`StoreError::Referenced`]: there is no such division.
    pub fn insert_environment(
        &self,
        division: DivisionId,
        name: &str,
        now: Timestamp,
    ) -> Result<EnvironmentId, StoreError> {
        let id = fresh_id();
        self.connection.execute(
            "INSERT INTO environments (id, division_id, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)",
            params![id, division, name, now],
        )?;
        Ok(EnvironmentId::new(id).expect("fresh ids are positive"))
    }
}
