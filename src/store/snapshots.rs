//! Snapshots' rows: one per node of a trigger.

use rusqlite::{Row, params};

use super::columns::{count, from_json, options, redaction, redaction_word, to_json};
use super::{NodeRow, PageRequest, Paged, Reader, StoreError, Writer};
use crate::domain::hex::hex;
use crate::domain::id::{DeploymentId, DivisionId, EnvironmentId, NodeId, SnapshotId, TenantId, TriggerId};
use crate::domain::snapshot::{Outcome, Redaction, SnapshotOptions, Status};
use crate::domain::time::Timestamp;
use crate::domain::verdict::VerdictCounts;

/// A row as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotItem {
    /// Its id: small and increasing.
    pub id: SnapshotId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The division.
    pub division_id: DivisionId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// The node.
    pub node_id: NodeId,
    /// The deployment's name.
    pub deployment_name: String,
    /// The trigger's name, shared by its rows.
    pub name: String,
    /// Whether it is over.
    pub status: Status,
    /// When it was triggered.
    pub created_at: Timestamp,
    /// When it was over.
    pub completed_at: Option<Timestamp>,
}

/// An archive that is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredArchive {
    /// Its size.
    pub size_bytes: u64,
    /// Its digest.
    pub sha256: [u8; 32],
    /// What stands in it, whatever was asked for.
    pub redaction: Redaction,
}

impl StoredArchive {
    /// The digest in hexadecimal.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        hex(&self.sha256)
    }

    /// The digest that this hexadecimal text says.
    #[must_use]
    pub fn sha256_from_hex(text: &str) -> Option<[u8; 32]> {
        let mut digest = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(digest)
    }
}

/// All that is known of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// What lists show.
    pub item: SnapshotItem,
    /// Its trigger.
    pub trigger_id: TriggerId,
    /// The node's name when it was triggered.
    pub node_name: String,
    /// What was asked for.
    pub options: SnapshotOptions,
    /// When it disappears.
    pub expires_at: Timestamp,
    /// Its archive, unless it is at work or lost.
    pub archive: Option<StoredArchive>,
    /// How the work ended.
    pub outcome: Option<Outcome>,
    /// The report's headline, or why there is no report.
    pub headline: Option<String>,
    /// What the archive does not hold and why, a sentence each.
    pub left_out: Vec<String>,
    /// How many checks ended how.
    pub counts: VerdictCounts,
}

/// How a row ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// How the work ended.
    pub outcome: Outcome,
    /// The archive; `None` only when it is lost.
    pub archive: Option<StoredArchive>,
    /// The report's headline, or why there is no report.
    pub headline: String,
    /// What the archive does not hold and why, a sentence each.
    pub left_out: Vec<String>,
    /// How many checks ended how.
    pub counts: VerdictCounts,
}

/// Characters of a headline that are kept.
const HEADLINE_CHARS_MAX: usize = 1024;

const ITEM: &str = "s.id, d.tenant_id, e.division_id, p.environment_id, s.deployment_id, s.node_id, p.name, t.name,
    s.status, t.created_at, s.completed_at";
const FROM: &str = "snapshots s JOIN triggers t ON t.id = s.trigger_id JOIN deployments p ON p.id = s.deployment_id
    JOIN environments e ON e.id = p.environment_id JOIN divisions d ON d.id = e.division_id";
const REST: &str = "s.trigger_id, s.node_name, t.redaction, t.iggy_data, s.expires_at, s.archive_bytes,
    s.archive_sha256, s.redaction, s.outcome, s.headline, s.left_out, s.checks_fail, s.checks_warn, s.checks_pass, s.checks_info,
    s.checks_skip";
const ITEM_COLUMNS: usize = 11;

fn item(row: &Row<'_>) -> rusqlite::Result<SnapshotItem> {
    Ok(SnapshotItem {
        id: row.get(0)?,
        tenant_id: row.get(1)?,
        division_id: row.get(2)?,
        environment_id: row.get(3)?,
        deployment_id: row.get(4)?,
        node_id: row.get(5)?,
        deployment_name: row.get(6)?,
        name: row.get(7)?,
        status: row.get(8)?,
        created_at: row.get(9)?,
        completed_at: row.get(10)?,
    })
}

fn snapshot(row: &Row<'_>) -> Result<SnapshotRow, StoreError> {
    let at = |index: usize| ITEM_COLUMNS + index;
    let word = |index: usize| row.get_ref(at(index))?.as_str().map_err(rusqlite::Error::from);
    let size: Option<i64> = row.get(at(5))?;
    let sha256: Option<[u8; 32]> = row.get(at(6))?;
    Ok(SnapshotRow {
        item: item(row)?,
        trigger_id: row.get(at(0))?,
        node_name: row.get(at(1))?,
        options: options(word(2)?, word(3)?),
        expires_at: row.get(at(4))?,
        archive: match size.zip(sha256) {
            Some((size, sha256)) => {
                Some(StoredArchive { size_bytes: count(size), sha256, redaction: redaction(word(7)?) })
            }
            None => None,
        },
        outcome: row.get(at(8))?,
        headline: row.get(at(9))?,
        left_out: from_json("snapshots", word(10)?)?,
        counts: VerdictCounts {
            fail: row.get(at(11))?,
            warn: row.get(at(12))?,
            pass: row.get(at(13))?,
            info: row.get(at(14))?,
            skip: row.get(at(15))?,
        },
    })
}

impl Reader {
    /// A page of a deployment's rows, newest first, without those that have expired at `now`. The first and the last
    /// pages take microseconds however many rows there are; one in the middle costs a walk over half of an index.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshots(
        &self,
        deployment: DeploymentId,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Paged<SnapshotItem>, StoreError> {
        let total = self.snapshots_total(deployment, now)?;
        let left = total.saturating_sub(page.offset());
        let wanted = left.min(u64::from(page.results()));
        if wanted == 0 {
            return Ok(Paged { items: Vec::new(), total });
        }
        // The walk begins at the nearer end.
        let (order, offset) = if page.offset() <= left { ("DESC", page.offset()) } else { ("ASC", left - wanted) };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ITEM} FROM {FROM} WHERE s.id IN (
                SELECT id FROM snapshots WHERE deployment_id = ?1 AND expires_at > ?2 ORDER BY id {order}
                LIMIT ?3 OFFSET ?4)
             ORDER BY s.id DESC"
        ))?;
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![deployment, now, wanted, offset], item)?;
        Ok(Paged { items: rows.collect::<Result<_, _>>()?, total })
    }

    /// How many rows of a deployment have not expired at `now`: its counter, less the few that wait to be swept.
    fn snapshots_total(&self, deployment: DeploymentId, now: Timestamp) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT snapshots_total - (SELECT coalesce(sum(rows_total), 0) FROM triggers
                WHERE deployment_id = ?1 AND expires_at <= ?2) FROM deployments WHERE id = ?1",
        )?;
        let total = super::columns::at_most_one(statement.query_row(params![deployment, now], |row| row.get(0)))?;
        Ok(count(total.unwrap_or(0)))
    }

    /// A row of this deployment that has not expired at `now`.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshot(
        &self,
        deployment: DeploymentId,
        id: SnapshotId,
        now: Timestamp,
    ) -> Result<Option<SnapshotRow>, StoreError> {
        Ok(self.snapshot_by_id(id)?.filter(|row| row.item.deployment_id == deployment && row.expires_at > now))
    }

    /// The row of this id, expired or not.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshot_by_id(&self, id: SnapshotId) -> Result<Option<SnapshotRow>, StoreError> {
        let query = format!("SELECT {ITEM}, {REST} FROM {FROM} WHERE s.id = ?1");
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(snapshot).transpose()
    }

    /// All rows of the trigger that this row belongs to, by node.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshots_beside(&self, id: SnapshotId) -> Result<Vec<SnapshotRow>, StoreError> {
        let query = format!(
            "SELECT {ITEM}, {REST} FROM {FROM} WHERE s.trigger_id = (SELECT trigger_id FROM snapshots WHERE id = ?1)
             ORDER BY s.node_name"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut rows = statement.query([id])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(snapshot(row)?);
        }
        Ok(found)
    }

    /// Every row that is at work.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshots_processing(&self) -> Result<Vec<SnapshotId>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM snapshots WHERE status = 'processing' ORDER BY id")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every row whose archive must be on disk, and the archive's size.
    ///
    /// # Errors
    /// The database's.
    pub fn archives_expected(&self) -> Result<Vec<(SnapshotId, u64)>, StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT id, archive_bytes FROM snapshots WHERE archive_bytes IS NOT NULL ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, count(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether there is a row of this id, at work or not.
    ///
    /// # Errors
    /// The database's.
    pub fn snapshot_exists(&self, id: SnapshotId) -> Result<bool, StoreError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM snapshots WHERE id = ?1")?.exists([id])?)
    }
}

impl Writer {
    /// Enters the row of one node of a trigger, at work.
    ///
    /// # Errors
    /// [`StoreError::Referenced`]: the node is not of the trigger's deployment.
    pub fn insert_snapshot(&self, trigger: TriggerId, node: &NodeRow) -> Result<SnapshotId, StoreError> {
        self.connection.execute(
            "INSERT INTO snapshots (trigger_id, deployment_id, node_id, node_name, status, expires_at)
             SELECT id, deployment_id, ?2, ?3, 'processing', expires_at FROM triggers WHERE id = ?1",
            params![trigger, node.id, node.name],
        )?;
        Ok(SnapshotId::new(self.connection.last_insert_rowid()).expect("AUTOINCREMENT starts at one"))
    }

    /// Completes a row that is at work: a compare-and-set. `false`: it was completed or deleted meanwhile, and nothing
    /// has changed.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: an archive where there may be none, or none where there must be one.
    pub fn complete_snapshot(&self, id: SnapshotId, end: &Completion, now: Timestamp) -> Result<bool, StoreError> {
        let headline: String = end.headline.chars().take(HEADLINE_CHARS_MAX).collect();
        let changed = self.connection.execute(
            "UPDATE snapshots SET status = 'completed', completed_at = ?2, outcome = ?3, archive_bytes = ?4,
                archive_sha256 = ?5, headline = ?6, left_out = ?7, checks_fail = ?8, checks_warn = ?9, checks_pass = ?10,
                checks_info = ?11, checks_skip = ?12, redaction = ?13
             WHERE id = ?1 AND status = 'processing'",
            params![
                id,
                now,
                end.outcome,
                end.archive.map(|archive| i64::try_from(archive.size_bytes).unwrap_or(i64::MAX)),
                end.archive.map(|archive| archive.sha256),
                headline,
                to_json(&end.left_out),
                end.counts.fail,
                end.counts.warn,
                end.counts.pass,
                end.counts.info,
                end.counts.skip,
                end.archive.map(|archive| redaction_word(archive.redaction))
            ],
        )?;
        Ok(changed == 1)
    }

    /// Deletes a row; its trigger goes with the last one. `false`: it was not there.
    ///
    /// # Errors
    /// The database's.
    pub fn delete_snapshot(&self, id: SnapshotId) -> Result<bool, StoreError> {
        Ok(self.connection.execute("DELETE FROM snapshots WHERE id = ?1", [id])? == 1)
    }
}
