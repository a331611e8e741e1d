//! What happens by itself: expiry, tidying, and noticing what another process changed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::hub::Stop;
use super::{Inner, blocking, recover};
use crate::domain::causes::chain;
use crate::domain::id::SnapshotId;
use crate::domain::plan::{AUDIT_RETENTION_DAYS, DAY_S};
use crate::domain::time::Timestamp;
use crate::store::{AuditEntry, Reader, StoreError};

/// How often expired snapshots are removed. They are off the lists at once; this frees the disk.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// How often the database is asked whether another process has written.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Triggers that one sweep removes at most.
const TRIGGERS_MAX: u32 = 50;
/// Lines of the audit log at most.
const AUDIT_ROWS_MAX: u32 = 1_000_000;
/// Lines of the audit log that one sweep removes at most.
const AUDIT_STEP_MAX: u32 = 10_000;
/// Seconds for which answers are kept for replays.
const ANSWERS_KEPT_S: i64 = 600;

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows that expired, their archives with them.
    pub snapshots: Vec<SnapshotId>,
}

/// Sweeps and looks for outside changes until the appliance stops. A failure is logged and tried again.
pub(super) async fn keep_house(inner: Arc<Inner>) {
    let mut sweep_at = tokio::time::Instant::now();
    let mut seen = None;
    let mut idle = BTreeSet::new();
    loop {
        if tokio::time::Instant::now() >= sweep_at {
            idle = finish_abandoned(&inner, idle).await;
            if let Err(error) = sweep(&inner).await {
                tracing::error!(error = %chain(&error), "a sweep failed");
            }
            sweep_at = tokio::time::Instant::now() + SWEEP_EVERY;
        }
        match inner.store.outside_changes().await {
            Ok(version) if seen.replace(version) != Some(version) => {
                stop_what_was_removed(&inner).await;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(error = %chain(&error), "the database cannot be asked for changes"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// One sweep: expires by plan, at most [`TRIGGERS_MAX`] triggers; drops old answers and audit lines.
pub(super) async fn sweep(inner: &Arc<Inner>) -> Result<Swept, StoreError> {
    let now = inner.retention_now();
    let wall = inner.clock.now();
    let snapshots = inner.store.write(move |w| -> Result<Vec<SnapshotId>, StoreError> {
        let mut gone = Vec::new();
        for trigger in w.triggers_expired(now, TRIGGERS_MAX)? {
            for row in w.rows_of_trigger(trigger.id)? {
                w.delete_snapshot(row)?;
                gone.push(row);
            }
            let tenant_id = w.place(trigger.deployment_id)?.map(|place| place.tenant_id);
            w.record(&expired(&trigger.name, trigger.deployment_id.get(), tenant_id, wall))?;
        }
        w.keep_retention_now(now)?;
        w.drop_answers(wall.plus_s(-ANSWERS_KEPT_S))?;
        // By the same clock as snapshots: a jump of the system's must not empty the log.
        w.drop_audit(now.plus_s(-AUDIT_RETENTION_DAYS * DAY_S), AUDIT_ROWS_MAX, AUDIT_STEP_MAX)?;
        Ok(gone)
    });
    let snapshots = snapshots.await?;
    remove_archives(inner, snapshots.clone()).await;
    Ok(Swept { snapshots })
}

fn expired(name: &str, deployment: i64, tenant_id: Option<crate::domain::id::TenantId>, at: Timestamp) -> AuditEntry {
    AuditEntry {
        at,
        tenant_id,
        who: crate::store::Who::Appliance,
        address: None,
        request_id: None,
        action: "snapshot.expire",
        target_id: Some(deployment),
        target_name: name.to_owned(),
        detail: String::new(),
    }
}

/// Removes the archives of rows that are gone. One that cannot be removed now goes at the next start, as an orphan.
pub(super) async fn remove_archives(inner: &Arc<Inner>, rows: Vec<SnapshotId>) {
    let archives = inner.archives.clone();
    blocking(move || {
        for row in rows {
            if let Err(error) = archives.delete(row) {
                tracing::error!(snapshot = %row, error = %chain(&error), "an archive could not be removed");
            }
        }
    })
    .await;
}

/// Finishes rows in progress on which nobody worked at the sweep before this one either: the database had refused their
/// end for too long, or the work on them failed. Gives the rows on which nobody works now.
pub(super) async fn finish_abandoned(inner: &Arc<Inner>, before: BTreeSet<SnapshotId>) -> BTreeSet<SnapshotId> {
    let processing = match inner.store.read(Reader::snapshots_processing).await {
        Ok(processing) => processing,
        Err(error) => {
            tracing::error!(error = %chain(&error), "the database cannot be asked what is unfinished");
            return before;
        }
    };
    let running = inner.hub.running();
    let idle: BTreeSet<SnapshotId> = processing.into_iter().filter(|id| !running.contains(id)).collect();
    for id in idle.intersection(&before) {
        let reason = "The appliance lost hold of this node's snapshot; its log says why.";
        if let Err(error) = recover::finish(inner, *id, reason).await {
            tracing::error!(snapshot = %id, error = %chain(&error), "a row could not be finished");
        }
    }
    idle
}

/// Stops the work on rows that another process has removed.
async fn stop_what_was_removed(inner: &Arc<Inner>) {
    for id in inner.hub.running() {
        let exists = inner.store.read(move |r| r.snapshot_exists(id)).await;
        if matches!(exists, Ok(false)) {
            inner.hub.stop(id, Stop::Deleted);
        }
    }
}
