//! The audit log: who did what, when and from where. Written in the transaction of what it tells.

use std::net::IpAddr;

use rusqlite::params;

use super::columns::count;
use super::{PageRequest, Paged, Reader, StoreError, Writer};
use crate::domain::id::{KeyId, TenantId};
use crate::domain::time::Timestamp;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A client of the API.
    Key {
        /// Its key.
        id: KeyId,
        /// The key's name.
        name: String,
    },
    /// A user of this host at the command line.
    CommandLine {
        /// The user's number on this host.
        uid: u32,
    },
    /// The appliance by itself.
    Appliance,
    /// Whoever holds a signed download link, whose key is not known any more.
    Link,
}

impl Who {
    const fn word(&self) -> &'static str {
        match self {
            Self::Key { .. } => "key",
            Self::CommandLine { .. } => "command_line",
            Self::Appliance => "appliance",
            Self::Link => "link",
        }
    }

    fn id(&self) -> Option<i64> {
        match self {
            Self::Key { id, .. } => Some(id.get()),
            Self::CommandLine { uid } => Some(i64::from(*uid)),
            Self::Appliance | Self::Link => None,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Key { name, .. } => name,
            _ => "",
        }
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// In which tenant.
    pub tenant_id: Option<TenantId>,
    /// By whom.
    pub who: Who,
    /// From which address.
    pub address: Option<IpAddr>,
    /// In which request (`ld-request`).
    pub request_id: Option<String>,
    /// What: `key.create`, `snapshot.delete`.
    pub action: &'static str,
    /// To what: its id.
    pub target_id: Option<i64>,
    /// To what: its name, since it may be gone.
    pub target_name: String,
    /// More about it; never a secret.
    pub detail: String,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// By whom: `key`, `command_line`, `appliance`, `link`.
    pub actor: String,
    /// The key's id or the user's number.
    pub actor_id: Option<i64>,
    /// The key's name.
    pub actor_name: String,
    /// From which address.
    pub address: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What.
    pub action: String,
    /// To what.
    pub target_id: Option<i64>,
    /// To what.
    pub target_name: String,
    /// More about it.
    pub detail: String,
}

const TARGET_CHARS_MAX: usize = 256;
const DETAIL_CHARS_MAX: usize = 1024;

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

impl Reader {
    /// A page of a tenant's log, newest first. What concerns no tenant is not in it.
    ///
    /// # Errors
    /// The database's.
    pub fn audit(&self, tenant: TenantId, page: PageRequest) -> Result<Paged<AuditRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, at, actor, actor_id, actor_name, address, request_id, action, target_id, target_name, detail
             FROM audit WHERE tenant_id = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3",
        )?;
        let rows = statement.query_map(params![tenant, page.results(), page.sql_offset()], |row| {
            Ok(AuditRow {
                id: row.get(0)?,
                at: row.get(1)?,
                actor: row.get(2)?,
                actor_id: row.get(3)?,
                actor_name: row.get(4)?,
                address: row.get(5)?,
                request_id: row.get(6)?,
                action: row.get(7)?,
                target_id: row.get(8)?,
                target_name: row.get(9)?,
                detail: row.get(10)?,
            })
        })?;
        let items = rows.collect::<Result<_, _>>()?;
        let mut total = self.connection.prepare_cached("SELECT count(*) FROM audit WHERE tenant_id = ?1")?;
        Ok(Paged { items, total: count(total.query_row([tenant], |row| row.get(0))?) })
    }
}

impl Writer {
    /// Adds a line.
    ///
    /// # Errors
    /// The database's.
    pub fn record(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO audit (at, tenant_id, actor, actor_id, actor_name, address, request_id, action, target_id,
                target_name, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        statement.execute(params![
            entry.at,
            entry.tenant_id,
            entry.who.word(),
            entry.who.id(),
            entry.who.name(),
            entry.address.map(|address| address.to_string()),
            entry.request_id,
            entry.action,
            entry.target_id,
            cut(&entry.target_name, TARGET_CHARS_MAX),
            cut(&entry.detail, DETAIL_CHARS_MAX)
        ])?;
        Ok(())
    }

    /// Removes lines written at or before `until`, and the oldest ones beyond `rows_max`; at most `step_max` at a time.
    ///
    /// # Errors
    /// The database's.
    pub fn drop_audit(&self, until: Timestamp, rows_max: u32, step_max: u32) -> Result<u64, StoreError> {
        let dropped = self.connection.execute(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit
                WHERE at <= ?1 OR id <= (SELECT coalesce(max(id), 0) FROM audit) - ?2 ORDER BY id LIMIT ?3)",
            params![until, rows_max, step_max],
        )?;
        Ok(count(i64::try_from(dropped).unwrap_or(i64::MAX)))
    }
}
