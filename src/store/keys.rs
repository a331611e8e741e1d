//! API keys: found by the hash of their token, never holding the token.

use rusqlite::{Row, params};

use super::columns::{count, fresh_id, from_json, to_json};
use super::{PageRequest, Paged, Reader, StoreError, Writer};
use crate::domain::id::{DivisionId, KeyId, RoleId, TenantId, UserId};
use crate::domain::permission::{Grant, Permissions, Reach, RoleKind};
use crate::domain::time::Timestamp;

/// Whether the addresses of a key's requests are looked at, and which are allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Security {
    /// Whether the list below counts.
    pub validate_ip: bool,
    /// Addresses and CIDR blocks, as they were given.
    pub allowed_ips: Vec<String>,
}

/// A key, its role and its division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its name, unique in the tenant.
    pub name: String,
    /// Who made it.
    pub user_id: UserId,
    /// Its role.
    pub role_id: RoleId,
    /// The role's name.
    pub role_name: String,
    /// Where the role comes from.
    pub role_kind: RoleKind,
    /// What the role allows, expanded.
    pub permissions: Permissions,
    /// The one division that it sees.
    pub division_id: Option<DivisionId>,
    /// That one's name.
    pub division_name: Option<String>,
    /// Its allowlist.
    pub security: Security,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

impl KeyRow {
    /// What it may do.
    #[must_use]
    pub fn grant(&self) -> Grant {
        Grant { permissions: self.permissions.clone(), reach: Reach::of(self.division_id) }
    }
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
    /// Who makes it.
    pub user_id: UserId,
    /// Its role.
    pub role_id: RoleId,
    /// The one division that it sees.
    pub division_id: Option<DivisionId>,
    /// Its allowlist.
    pub security: Security,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// The hash of its token.
    pub token_sha256: [u8; 32],
}

const QUERY: &str = "SELECT k.id, k.tenant_id, k.name, k.user_id, k.role_id, r.name, r.kind, r.permissions,
        k.division_id, d.name, k.validate_ip, k.allowed_ips, k.created_at, k.expires_at
    FROM keys k JOIN roles r ON r.id = k.role_id LEFT JOIN divisions d ON d.id = k.division_id";

fn key(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    let text =
        |index: usize| -> Result<&str, StoreError> { Ok(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?) };
    Ok(KeyRow {
        id: row.get(0)?,
        tenant_id: row.get(1)?,
        name: row.get(2)?,
        user_id: row.get(3)?,
        role_id: row.get(4)?,
        role_name: row.get(5)?,
        role_kind: row.get(6)?,
        permissions: from_json("roles", text(7)?)?,
        division_id: row.get(8)?,
        division_name: row.get(9)?,
        security: Security { validate_ip: row.get(10)?, allowed_ips: from_json("keys", text(11)?)? },
        created_at: row.get(12)?,
        expires_at: row.get(13)?,
    })
}

impl Reader {
    /// A page of a tenant's keys in the order of their making, expired ones included: those bound to the division if
    /// `reach` is one, those whose name holds `name` (in any case of ASCII letters) if it is given.
    ///
    /// # Errors
    /// The database's.
    pub fn keys(
        &self,
        tenant: TenantId,
        reach: Reach,
        name: Option<&str>,
        page: PageRequest,
    ) -> Result<Paged<KeyRow>, StoreError> {
        const FILTER: &str = "k.tenant_id = ?1 AND (?2 IS NULL OR k.division_id = ?2)
            AND (?3 IS NULL OR instr(lower(k.name), lower(?3)) > 0)";
        let division = match reach {
            Reach::Tenant => None,
            Reach::Division(division) => Some(division),
        };
        let mut statement = self
            .connection
            .prepare_cached(&format!("{QUERY} WHERE {FILTER} ORDER BY k.created_at, k.id LIMIT ?4 OFFSET ?5"))?;
        let mut rows = statement.query(params![tenant, division, name, page.results(), page.sql_offset()])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(key(row)?);
        }
        let mut total = self.connection.prepare_cached(&format!("SELECT count(*) FROM keys k WHERE {FILTER}"))?;
        Ok(Paged { items, total: count(total.query_row(params![tenant, division, name], |row| row.get(0))?) })
    }

    /// The key of this id.
    ///
    /// # Errors
    /// The database's.
    pub fn key(&self, id: KeyId) -> Result<Option<KeyRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{QUERY} WHERE k.id = ?1"))?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(key).transpose()
    }

    /// The key whose token has this hash; it may have expired.
    ///
    /// # Errors
    /// The database's.
    pub fn key_by_token(&self, token_sha256: [u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{QUERY} WHERE k.token_sha256 = ?1"))?;
        let mut rows = statement.query([token_sha256])?;
        rows.next()?.map(key).transpose()
    }

    /// How many keys a tenant has, expired ones included.
    ///
    /// # Errors
    /// The database's.
    pub fn keys_total(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT count(*) FROM keys WHERE tenant_id = ?1")?;
        Ok(count(statement.query_row([tenant], |row| row.get(0))?))
    }
}

impl Writer {
    /// Enters a key.
    ///
    /// # Errors
    /// [`StoreError::NotUnique`]: the name is used; [`StoreError::Referenced`]: the role or the division is not there
    /// or another tenant's; [`StoreError::Refused`]: it lives too long, or its allowlist counts and is empty.
    pub fn insert_key(&self, new: &NewKey, now: Timestamp) -> Result<KeyId, StoreError> {
        let id = fresh_id();
        self.connection.execute(
            "INSERT INTO keys (id, tenant_id, role_id, division_id, user_id, name, token_sha256, validate_ip, allowed_ips,
                created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                id,
                new.tenant_id,
                new.role_id,
                new.division_id,
                new.user_id,
                new.name,
                new.token_sha256,
                new.security.validate_ip,
                to_json(&new.security.allowed_ips),
                now,
                new.expires_at
            ],
        )?;
        Ok(KeyId::new(id).expect("fresh ids are positive"))
    }

    /// Gives a key another token: the old one is unknown from now on.
    ///
    /// # Errors
    /// The database's.
    pub fn replace_token(&self, id: KeyId, token_sha256: [u8; 32]) -> Result<(), StoreError> {
        self.connection.execute("UPDATE keys SET token_sha256 = ?2 WHERE id = ?1", params![id, token_sha256])?;
        Ok(())
    }

    /// Writes a key's allowlist anew.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: it counts and is empty.
    pub fn update_security(&self, id: KeyId, security: &Security) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE keys SET validate_ip = ?2, allowed_ips = ?3 WHERE id = ?1",
            params![id, security.validate_ip, to_json(&security.allowed_ips)],
        )?;
        Ok(())
    }

    /// Revokes a key; a role that was its own goes with it.
    ///
    /// # Errors
    /// The database's.
    pub fn delete_key(&self, id: KeyId) -> Result<(), StoreError> {
        let role: Option<i64> = super::columns::at_most_one(self.connection.query_row(
            "SELECT r.id FROM keys k JOIN roles r ON r.id = k.role_id WHERE k.id = ?1 AND r.kind = 'api_key'",
            [id],
            |row| row.get(0),
        ))?;
        self.connection.execute("DELETE FROM keys WHERE id = ?1", [id])?;
        if let Some(role) = role {
            self.connection.execute("DELETE FROM roles WHERE id = ?1", [role])?;
        }
        Ok(())
    }
}
