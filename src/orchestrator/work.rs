//! One row's work, from its node to its end. Whatever happens on the way, the row is completed: with a report, with a
//! minimal one that says what failed, or, where no archive at all can be written, with a headline that says so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::hub::{Entry, Stop};
use super::trigger;
use super::{Inner, blocking};
use crate::archive::Stored;
use crate::domain::causes::chain;
use crate::domain::deployment::NodeKind;
use crate::domain::id::SnapshotId;
use crate::domain::progress::{Progress, Stage};
use crate::domain::snapshot::Outcome;
use crate::domain::verdict::VerdictCounts;
use crate::examine::child::ENDING_MAX;
use crate::examine::{Job, Summary};
use crate::store::{Completion, StoreError, StoredArchive};

/// Seconds before a row's deadline at which its node must be done: to hash, rename and sync what it wrote. A tenth of
/// the deadline, and at most this.
const FINISH_S_MAX: u64 = 54;
/// How long a minimal archive of a few kilobytes may take to write.
const MINIMAL_MAX: Duration = Duration::from_secs(5);
/// For how long the end of a row is tried while the database does not take it: its disk may be full.
const END_TRIED_MAX: Duration = Duration::from_mins(10);
/// How long to wait before the second try; then twice as long each time, up to the second number.
const END_PAUSE_MIN: Duration = Duration::from_millis(500);
const END_PAUSE_MAX: Duration = Duration::from_secs(15);
/// Characters of a reason that are kept.
const REASON_CHARS_MAX: usize = 500;

/// What a row's work needs to know.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) id: SnapshotId,
    pub(super) kind: NodeKind,
    pub(super) job: Job,
    /// When it was triggered.
    pub(super) started: Instant,
}

/// How the node's part ended.
#[derive(Debug)]
enum End {
    Examined(Summary),
    Failed(Outcome, String),
    Deleted,
}

/// When a node must be done so that its row can be over after `deadline_s`.
pub(super) fn examine_within(deadline_s: u64) -> Duration {
    Duration::from_secs(deadline_s).saturating_sub(finish_within(deadline_s))
}

fn finish_within(deadline_s: u64) -> Duration {
    (Duration::from_secs(deadline_s) / 10).min(Duration::from_secs(FINISH_S_MAX))
}

/// Does the work and completes the row. Dropping this future leaves the row at work; the next start finishes it.
pub(super) async fn run(inner: Arc<Inner>, work: Work, entry: Entry) {
    let id = work.id;
    let end = examined(&inner, &work, &entry).await;
    let completion = match end {
        End::Deleted => {
            discard(&inner, id).await;
            return;
        }
        End::Examined(summary) => match commit(&inner, &work).await {
            Ok(stored) => completion(Outcome::Examined, &stored, summary),
            Err(reason) => minimal(&inner, &work, Outcome::Failed, &reason).await,
        },
        End::Failed(outcome, reason) => minimal(&inner, &work, outcome, &reason).await,
    };
    complete(&inner, id, completion).await;
    entry.progress.tell(Progress { stage: Stage::Done, done: 0, total: 0 });
}

async fn examined(inner: &Arc<Inner>, work: &Work, entry: &Entry) -> End {
    if work.kind == NodeKind::Remote {
        let reason = "No agent of this node is connected to the appliance, so nothing is known of it.";
        return End::Failed(Outcome::Failed, reason.to_owned());
    }
    let deadline_s = inner.config.snapshot.deadline_s;
    let until = tokio::time::Instant::from_std(work.started + examine_within(deadline_s));
    let mut stop = entry.stop.clone();
    let Ok(slot) = tokio::time::timeout_at(until, slot(inner, &mut stop)).await else {
        let reason = format!("Other snapshots of this host were still at work after {deadline_s} s.");
        return End::Failed(Outcome::Failed, reason);
    };
    if let Some(end) = stopped(*stop.borrow()) {
        return end;
    }
    // As it is now: others may have been stored while this one waited.
    let (archives, config) = (inner.archives.clone(), Arc::clone(&inner.config));
    let room = match blocking(move || trigger::room(&archives, &config.archive)).await {
        Ok(room) => room,
        Err(error) => return End::Failed(Outcome::Failed, sentence(&error.to_string())),
    };
    let left = until.saturating_duration_since(tokio::time::Instant::now());
    let job = Job {
        deadline_s: left.as_secs().max(1),
        archive_bytes_max: room.bytes_max.unwrap_or(0),
        reserve_bytes: room.reserve_bytes,
        ..work.job.clone()
    };
    let examination = inner.examiner.examine(job, entry.progress.clone(), stop.clone());
    // The turn is kept until the child is gone, so that what comes next does not meet its files.
    let ending = ENDING_MAX.min(finish_within(deadline_s) / 2);
    let answer = tokio::time::timeout_at(until + ending, examination).await;
    drop(slot);
    let asked = *stop.borrow();
    match answer {
        _ if asked == Stop::Deleted => End::Deleted,
        Ok(Ok(summary)) => End::Examined(summary),
        _ if asked == Stop::ShuttingDown => stopped(asked).expect("it was asked to stop"),
        Ok(Err(reason)) => End::Failed(Outcome::Failed, sentence(&reason)),
        Err(_) => {
            let reason = format!("The snapshot of this node was not over after {} s.", left.as_secs());
            End::Failed(Outcome::Failed, reason)
        }
    }
}

/// A turn to examine this host, or a reason to stop.
async fn slot<'a>(inner: &'a Inner, stop: &mut watch::Receiver<Stop>) -> Option<tokio::sync::SemaphorePermit<'a>> {
    tokio::select! {
        permit = inner.slots.acquire() => permit.ok(),
        _ = stop.wait_for(|why| *why != Stop::No) => None,
    }
}

fn stopped(why: Stop) -> Option<End> {
    match why {
        Stop::No => None,
        Stop::Deleted => Some(End::Deleted),
        Stop::ShuttingDown => {
            let reason = "The appliance was stopped while this node was examined; take another snapshot.";
            Some(End::Failed(Outcome::Interrupted, reason.to_owned()))
        }
    }
}

/// The archive is whole on disk, synced and under its name.
async fn commit(inner: &Arc<Inner>, work: &Work) -> Result<Stored, String> {
    let (archives, id) = (inner.archives.clone(), work.id);
    // The reason is shown to clients, the log to the operator: a path stands in the second alone.
    let committed = blocking(move || {
        archives.commit(id).map_err(|error| {
            tracing::error!(snapshot = %id, error = %chain(&error), "an archive could not be stored");
            error.without_paths()
        })
    });
    let until = tokio::time::Instant::from_std(work.started + Duration::from_secs(inner.config.snapshot.deadline_s));
    match tokio::time::timeout_at(until, committed).await {
        Ok(Ok(stored)) => Ok(stored),
        Ok(Err(reason)) => Err(format!("The archive of this node could not be stored: {reason}.")),
        Err(_) => Err("The archive of this node could not be hashed and synced before the deadline.".to_owned()),
    }
}

/// A minimal archive that gives the reason; without even that, a row that is lost and says why.
pub(super) async fn minimal(inner: &Arc<Inner>, work: &Work, outcome: Outcome, reason: &str) -> Completion {
    tracing::warn!(snapshot = %work.id, node = %work.job.label.node_name, outcome = %outcome, reason, "no full report");
    let (owned, job, text, id) = (Arc::clone(inner), work.job.clone(), reason.to_owned(), work.id);
    let written = blocking(move || -> Result<(Summary, Stored), String> {
        // What a failed examination left behind, or still writes, is not this file any more.
        owned.archives.discard(id).map_err(|error| chain(&error))?;
        let summary = owned.examiner.write_minimal(&job, &text)?;
        let stored = owned.archives.commit(id).map_err(|error| chain(&error))?;
        Ok((summary, stored))
    });
    let failure = match tokio::time::timeout(MINIMAL_MAX, written).await {
        Ok(Ok((summary, stored))) => return completion(outcome, &stored, summary),
        Ok(Err(failure)) => failure,
        Err(_) => format!("the disk did not answer within {} s", MINIMAL_MAX.as_secs()),
    };
    tracing::error!(snapshot = %work.id, %failure, "not even a minimal archive could be written");
    Completion {
        outcome: Outcome::Lost,
        archive: None,
        headline: format!("{reason} Nor could an archive that says so be written; the appliance's log says why."),
        left_out: vec![reason.to_owned()],
        counts: VerdictCounts::default(),
    }
}

fn completion(outcome: Outcome, stored: &Stored, summary: Summary) -> Completion {
    let sha256 = StoredArchive::sha256_from_hex(&stored.sha256).expect("a digest is 64 hexadecimal digits");
    Completion {
        outcome,
        archive: Some(StoredArchive { size_bytes: stored.size_bytes, sha256, redaction: summary.redaction }),
        headline: summary.headline,
        left_out: summary.left_out,
        counts: summary.counts,
    }
}

/// Completes the row if it is still at work: a compare-and-set, tried again while the database is busy. A row that was
/// deleted meanwhile leaves no file.
pub(super) async fn complete(inner: &Arc<Inner>, id: SnapshotId, completion: Completion) {
    let (until, mut pause) = (Instant::now() + END_TRIED_MAX, END_PAUSE_MIN);
    while Instant::now() < until {
        let (end, now) = (completion.clone(), inner.clock.now());
        match inner.store.write(move |w| -> Result<_, StoreError> { w.complete_snapshot(id, &end, now) }).await {
            Ok(true) => {
                let VerdictCounts { fail, warn, .. } = completion.counts;
                let size_bytes = completion.archive.as_ref().map_or(0, |archive| archive.size_bytes);
                tracing::info!(snapshot = %id, outcome = %completion.outcome, fail, warn, size_bytes, "a node is done");
                return;
            }
            Ok(false) => {
                discard(inner, id).await;
                return;
            }
            Err(error) => {
                tracing::error!(snapshot = %id, error = %chain(&error), "the row could not be completed");
                tokio::time::sleep(pause).await;
                pause = END_PAUSE_MAX.min(pause * 2);
            }
        }
    }
    // The row stays at work, and a sweep finds that nobody works on it.
    tracing::error!(snapshot = %id, "gave up completing the row");
}

/// Removes the files of a row that is gone or going.
pub(super) async fn discard(inner: &Arc<Inner>, id: SnapshotId) {
    let owned = Arc::clone(inner);
    let removed = blocking(move || -> Result<(), String> {
        let exists = owned.store.read_blocking(move |r| r.snapshot_by_id(id));
        match exists {
            // Completed by somebody else: its finished archive is not ours to remove.
            Ok(Some(row)) if row.archive.is_some() => owned.archives.discard(id).map(|_| ()),
            Ok(_) => owned.archives.delete(id).map(|_| ()),
            // Whose it is cannot be known now; a file without a row goes at the next start.
            Err(error) => return Err(chain(&error)),
        }
        .map_err(|error| chain(&error))
    });
    if let Err(error) = removed.await {
        tracing::error!(snapshot = %id, error, "the archive of a deleted snapshot could not be removed");
    }
}

/// A fragment as a sentence, cut to what is kept.
fn sentence(reason: &str) -> String {
    let text: String = reason.trim().trim_end_matches('.').chars().take(REASON_CHARS_MAX).collect();
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_deadline_is_kept_for_the_end() {
        for (deadline_s, examine_ms) in [(1, 900), (10, 9_000), (540, 486_000), (570, 516_000)] {
            assert_eq!(examine_within(deadline_s), Duration::from_millis(examine_ms));
        }
    }

    #[test]
    fn a_reason_is_a_sentence() {
        for (reason, expected) in [("it died", "It died."), ("It died.", "It died."), ("", "."), ("élan", "Élan.")] {
            assert_eq!(sentence(reason), expected);
        }
    }
}
