//! What a start mends: rows that nobody works on, files that nobody mentions, and rows whose file is gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::memory::forget_removed_nodes;
use super::work::{self, Work};
use super::{Inner, blocking, fresh_key};
use crate::archive::ArchiveError;
use crate::domain::causes::chain;
use crate::domain::deployment::NodeKind;
use crate::domain::id::SnapshotId;
use crate::domain::snapshot::{Outcome, Status};
use crate::store::StoreError;

/// How long all rows together may take to be mended; what is left then stays for the sweeps.
const MEND_MAX: Duration = Duration::from_mins(1);

/// Why a row that was at work at the last run's end has no full report.
const INTERRUPTED: &str =
    "The appliance ended while this node was examined: it crashed, was killed, or its host went down.";

/// What a start found and mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Rows that were at work when the appliance ended; they are completed with a report that says so.
    pub interrupted: Vec<SnapshotId>,
    /// Files without a row; they are removed.
    pub orphans: Vec<SnapshotId>,
    /// Completed rows without their file; nothing can be done but say so.
    pub missing: Vec<SnapshotId>,
}

/// Why a start could not mend.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The database.
    #[error("the database cannot be asked what is unfinished")]
    Store(#[from] StoreError),
    /// The archives.
    #[error("the archives cannot be looked through")]
    Archives(#[source] ArchiveError),
}

/// Mends what the last run left; to be done before the first request. Every step may be repeated after a crash.
pub(super) async fn recover(inner: &Arc<Inner>) -> Result<Recovery, RecoverError> {
    let (processing, expected) = inner
        .store
        .read(|r| -> Result<_, StoreError> { Ok((r.snapshots_processing()?, r.archives_expected()?)) })
        .await?;
    let processing: BTreeSet<SnapshotId> = processing.into_iter().collect();
    let completed: BTreeSet<SnapshotId> = expected.into_iter().map(|(id, _)| id).collect();
    let (orphans, missing) = remove_orphans(inner, completed, processing.clone()).await?;
    for id in &missing {
        tracing::error!(snapshot = %id, "the archive of a completed snapshot is not on disk any more");
    }
    let (store, data_dir) = (inner.store.clone(), inner.config.data_dir.clone());
    if let Err(error) = blocking(move || forget_removed_nodes(&store, &data_dir)).await {
        tracing::warn!(error = %chain(&error), "what is remembered of removed nodes could not be removed");
    }
    let until = Instant::now() + MEND_MAX;
    let mut interrupted = Vec::new();
    for id in processing {
        if Instant::now() < until {
            finish(inner, id, INTERRUPTED).await?;
            interrupted.push(id);
        } else {
            tracing::error!(snapshot = %id, "the disk is too slow to finish this snapshot now; a sweep will");
        }
    }
    Ok(Recovery { interrupted, orphans, missing })
}

async fn remove_orphans(
    inner: &Arc<Inner>,
    completed: BTreeSet<SnapshotId>,
    processing: BTreeSet<SnapshotId>,
) -> Result<(Vec<SnapshotId>, Vec<SnapshotId>), RecoverError> {
    let archives = inner.archives.clone();
    let looked = blocking(move || {
        let found = archives.orphans(&completed, &processing)?;
        // Nobody works on anything yet, so every partial archive is a leftover.
        for id in found.partial_without_row.iter().chain(&processing) {
            archives.discard(*id)?;
        }
        for id in &found.files_without_row {
            archives.delete(*id)?;
        }
        for path in archives.inventory()?.strangers.iter().filter(|path| is_unfinished_data(path)) {
            // One that stays is only a little space lost.
            let _ = std::fs::remove_file(path);
        }
        let removed = found.files_without_row.union(&found.partial_without_row).copied().collect();
        Ok((removed, found.rows_without_file.into_iter().collect()))
    });
    looked.await.map_err(RecoverError::Archives)
}

/// Whether this is the name that an examination gives its data directory's ZIP for the moment between making the file
/// and unlinking it; a kill in that moment leaves the name.
fn is_unfinished_data(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_suffix(".zip.data").is_some_and(|id| id.parse::<SnapshotId>().is_ok())
}

/// Completes a row on which nobody works with a report that gives the reason.
pub(super) async fn finish(inner: &Arc<Inner>, id: SnapshotId, reason: &str) -> Result<(), RecoverError> {
    let row = inner.store.read(move |r| r.snapshot_by_id(id)).await?;
    let Some(row) = row.filter(|row| row.item.status == Status::Processing) else { return Ok(()) };
    let job = inner.job(&row, fresh_key());
    let work = Work { id, kind: NodeKind::Local, job, started: Instant::now() };
    let completion = work::minimal(inner, &work, Outcome::Interrupted, reason).await;
    work::complete(inner, id, completion).await;
    Ok(())
}

impl Recovery {
    /// Logs what was mended, if anything was.
    pub(super) fn log(&self) {
        if !self.interrupted.is_empty() || !self.orphans.is_empty() || !self.missing.is_empty() {
            tracing::warn!(
                interrupted = self.interrupted.len(),
                orphans = self.orphans.len(),
                missing = self.missing.len(),
                "mended what the last run left"
            );
        }
    }
}
