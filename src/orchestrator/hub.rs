//! What is under way: how far each row has come, and the way to stop it. In memory only; after a crash nothing is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::domain::id::SnapshotId;
use crate::domain::progress::{Progress, Stage};

/// Why a row's work is to end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It is not.
    No,
    /// The row was, or is about to be, deleted: nothing of it is wanted any more.
    Deleted,
    /// The appliance stops: the row is to end with a report that says so.
    ShuttingDown,
}

/// Says how far a row has come.
#[derive(Debug, Clone)]
pub struct ProgressSender(watch::Sender<Progress>);

impl ProgressSender {
    /// Says it. A client that looks seldom sees the latest only.
    pub fn tell(&self, now: Progress) {
        self.0.send_replace(now);
    }
}

#[derive(Debug)]
struct Running {
    progress: watch::Sender<Progress>,
    stop: watch::Sender<Stop>,
    since: Instant,
}

/// The rows that are at work in this process.
#[derive(Debug, Clone, Default)]
pub struct Hub(Arc<Mutex<HashMap<SnapshotId, Running>>>);

/// A row at work. Dropping it tells everybody that it is over.
#[derive(Debug)]
pub(super) struct Entry {
    hub: Hub,
    id: SnapshotId,
    pub(super) progress: ProgressSender,
    pub(super) stop: watch::Receiver<Stop>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.hub.rows().remove(&self.id);
    }
}

impl Hub {
    fn rows(&self) -> MutexGuard<'_, HashMap<SnapshotId, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a row.
    pub(super) fn enter(&self, id: SnapshotId) -> Entry {
        let (progress, _) = watch::channel(Progress { stage: Stage::Queued, done: 0, total: 0 });
        let (stop, stopped) = watch::channel(Stop::No);
        let sender = ProgressSender(progress.clone());
        self.rows().insert(id, Running { progress, stop, since: Instant::now() });
        Entry { hub: self.clone(), id, progress: sender, stop: stopped }
    }

    /// How far a row has come; `None` once it is over. The channel closes when it is.
    #[must_use]
    pub fn watch(&self, id: SnapshotId) -> Option<watch::Receiver<Progress>> {
        self.rows().get(&id).map(|running| running.progress.subscribe())
    }

    /// How far a row has come now, and for how long it has been at work.
    #[must_use]
    pub fn progress(&self, id: SnapshotId) -> Option<(Progress, Duration)> {
        self.rows().get(&id).map(|running| (running.progress.borrow().clone(), running.since.elapsed()))
    }

    /// The rows at work.
    #[must_use]
    pub fn running(&self) -> Vec<SnapshotId> {
        self.rows().keys().copied().collect()
    }

    /// Asks a row to stop; gives a channel that closes when it has. `None`: it is not at work.
    pub(super) fn stop(&self, id: SnapshotId, why: Stop) -> Option<watch::Receiver<Progress>> {
        let rows = self.rows();
        let running = rows.get(&id)?;
        // Who deletes a row overrules a shutdown, not the other way round.
        running.stop.send_if_modified(|now| {
            let change = *now == Stop::No || why == Stop::Deleted;
            if change {
                *now = why;
            }
            change
        });
        Some(running.progress.subscribe())
    }
}

/// Waits until a row that was asked to stop has, at most this long.
pub(super) async fn stopped(mut over: watch::Receiver<Progress>, at_most: Duration) {
    // The senders live in the hub and with the work; both are gone when it is over.
    let _ = tokio::time::timeout(at_most, async { while over.changed().await.is_ok() {} }).await;
}
