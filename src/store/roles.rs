//! Roles of a tenant: named permission trees.

use rusqlite::{Row, params};

use super::columns::{at_most_one, count, fresh_id, from_json, to_json};
use super::{PageRequest, Paged, Reader, StoreError, Writer};
use crate::domain::id::{RoleId, TenantId};
use crate::domain::permission::{Permissions, RoleKind};
use crate::domain::time::Timestamp;

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    /// Its id.
    pub id: RoleId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its name, unique in the tenant but among the roles of single keys.
    pub name: String,
    /// Where it comes from.
    pub kind: RoleKind,
    /// What it allows, expanded.
    pub permissions: Permissions,
}

const COLUMNS: &str = "id, tenant_id, name, kind, permissions";

fn role(row: &Row<'_>) -> Result<RoleRow, StoreError> {
    Ok(RoleRow {
        id: row.get(0)?,
        tenant_id: row.get(1)?,
        name: row.get(2)?,
        kind: row.get(3)?,
        permissions: from_json("roles", row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)?,
    })
}

impl Reader {
    /// A page of a tenant's roles in the order of their making.
    ///
    /// # Errors
    /// The database's.
    pub fn roles(&self, tenant: TenantId, page: PageRequest) -> Result<Paged<RoleRow>, StoreError> {
        let query =
            format!("SELECT {COLUMNS} FROM roles WHERE tenant_id = ?1 ORDER BY created_at, id LIMIT ?2 OFFSET ?3");
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![tenant, page.results(), page.sql_offset()])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(role(row)?);
        }
        let mut total = self.connection.prepare_cached("SELECT count(*) FROM roles WHERE tenant_id = ?1")?;
        Ok(Paged { items, total: count(total.query_row([tenant], |row| row.get(0))?) })
    }

    /// The role of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn role(&self, id: RoleId) -> Result<Option<RoleRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM roles WHERE id = ?1"))?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(role).transpose()
    }

    /// How many roles a tenant has, those of single keys not counted.
    ///
    /// # Errors
    /// The database's.
    pub fn roles_total(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT count(*) FROM roles WHERE tenant_id = ?1 AND kind <> 'api_key'")?;
        Ok(count(statement.query_row([tenant], |row| row.get(0))?))
    }

    /// How many keys have this role.
    ///
    /// # Errors
    /// The database's.
    pub fn keys_with_role(&self, id: RoleId) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT count(*) FROM keys WHERE role_id = ?1")?;
        Ok(count(statement.query_row([id], |row| row.get(0))?))
    }

    /// The tenant's system role, if it has one.
    ///
    /// # Errors
    /// The database's.
    pub fn system_role(&self, tenant: TenantId) -> Result<Option<RoleId>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM roles WHERE tenant_id = ?1 AND kind = 'system' ORDER BY id LIMIT 1")?;
        at_most_one(statement.query_row([tenant], |row| row.get(0)))
    }
}

impl Writer {
    /// Enters a role.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used; [`StoreError::Referenced`]: there is no such tenant.
    pub fn insert_role(
        &self,
        tenant: TenantId,
        name: &str,
        kind: RoleKind,
        permissions: &Permissions,
        now: Timestamp,
    ) -> Result<RoleId, StoreError> {
        let id = fresh_id();
        self.connection.execute(
            "INSERT INTO roles (id, tenant_id, name, kind, permissions, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
            params![id, tenant, name, kind, to_json(permissions), now],
        )?;
        Ok(RoleId::new(id).expect("fresh ids are positive"))
    }

    /// Writes a role's name and tree anew.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used.
    pub fn update_role(
        &self,
        id: RoleId,
        name: &str,
        permissions: &Permissions,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE roles SET name = ?2, permissions = ?3, updated_at = ?4 WHERE id = ?1",
            params![id, name, to_json(permissions), now],
        )?;
        Ok(())
    }

    /// Removes a role.
    ///
    /// # Errors
    /// [`StoreError::Referenced`]: keys have it.
    pub fn delete_role(&self, id: RoleId) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM roles WHERE id = ?1", [id])?;
        Ok(())
    }
}
