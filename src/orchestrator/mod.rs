//! Every change of state. The server's requests and the command line call the same functions.
//!
//! What only writes rows is a function over a [`Writer`]: `create_key`, `set_plan`, `remove` and their like, each one
//! transaction with its line in the audit log. What also works on nodes and archives is a method of [`Orchestrator`]:
//! trigger, delete, recover, sweep. Invariants: an archive is on disk before its row says completed, and a row is gone
//! before its archive is; every row is over by its deadline, whatever its node does.
//!
//! It answers no one: it gives values and errors, and says nothing about HTTP or terminals.

mod actor;
mod bootstrap;
mod clock;
mod error;
mod examiner;
mod hierarchy;
mod hub;
mod keys;
mod lock;
mod memory;
mod names;
mod recover;
mod roles;
mod sweep;
mod trigger;
mod work;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::archive::Archives;
use crate::config::Config;
use crate::domain::id::{DeploymentId, NodeId, SnapshotId};
use crate::domain::snapshot::SnapshotOptions;
use crate::domain::time::Timestamp;
use crate::examine::{Before, Job, Origin, SnapshotLabel};
use crate::redact::PseudonymKey;
use crate::store::{AuditEntry, Reader, SnapshotRow, Store, StoreError, Writer};

pub use actor::{Actor, Authority};
pub use bootstrap::{BOOTSTRAP_FILE, BootstrapError, BootstrapFile, Start, bootstrap};
pub use clock::{Clock, RetentionClock, SystemClock};
pub use error::{ChangeError, Listed, Noun};
pub use examiner::{ChildExaminer, Examination, Examiner};
pub use hierarchy::{
    ADMINISTRATOR, Confirmation, change_deployment, create_deployment, create_division, create_environment,
    create_node, create_tenant, remove, set_plan,
};
pub use hub::{Hub, ProgressSender, Stop};
pub use keys::{
    KeyRequest, KeyRole, SecurityChange, TOKEN_PREFIX, Token, change_security, create_key, revoke_key, sees_key,
    token_sha256,
};
pub use lock::{LockError, ServeLock};
pub use memory::{forget_removed_nodes, last_snapshots};
pub use recover::{RecoverError, Recovery};
pub use roles::{RoleChange, change_role, create_role, remove_role};
pub use sweep::Swept;
pub use trigger::{TriggerError, Triggered};

use work::Work;

/// Examinations of this host at a time, over all deployments; the others wait, within their deadlines. Where stored
/// archives have a limit together it is one: each may take all the room that is left.
const EXAMINATIONS_MAX: usize = 2;
/// How long a deletion waits for the work on its row to stop; after that the row goes, and the work finds it gone.
const STOP_MAX: Duration = Duration::from_secs(3);
/// How long a shutdown waits for all rows to end with a report that says so.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// What an orchestrator works with.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The archives.
    pub archives: Archives,
    /// The configuration.
    pub config: Arc<Config>,
    /// Who looks at this host.
    pub examiner: Arc<dyn Examiner>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

/// The one that changes state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Orchestrator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    archives: Archives,
    config: Arc<Config>,
    examiner: Arc<dyn Examiner>,
    clock: Arc<dyn Clock>,
    hub: Hub,
    retention: Mutex<RetentionClock>,
    slots: Semaphore,
    stopping: AtomicBool,
}

/// Why a snapshot was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// There is none, or it has expired.
    #[error("no such snapshot")]
    NotFound,
    /// The database.
    #[error("the database refused it")]
    Store(#[from] StoreError),
}

impl Orchestrator {
    /// One over these parts. Nothing runs yet: call [`Orchestrator::recover`], then [`Orchestrator::keep_house`]. Blocks
    /// for one query.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn new(parts: Parts) -> Result<Self, StoreError> {
        let Parts { store, archives, config, examiner, clock } = parts;
        let kept = store.read_blocking(Reader::appliance)?.map_or_else(|| clock.now(), |found| found.retention_now);
        let retention = Mutex::new(RetentionClock::starting(kept, clock.as_ref()));
        let examinations_max = if config.archive.max_bytes == 0 { EXAMINATIONS_MAX } else { 1 };
        let inner = Inner {
            store,
            archives,
            config,
            examiner,
            clock,
            hub: Hub::default(),
            retention,
            slots: Semaphore::new(examinations_max),
            stopping: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The database, for reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// How far the rows at work have come.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    /// The time by which snapshots expire: the system's, unless that has jumped ahead. Lists are read with it.
    #[must_use]
    pub fn retention_now(&self) -> Timestamp {
        self.inner.retention_now()
    }

    /// What the system's clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Runs a change, such as [`create_key`], as one transaction: `orchestrator.change(move |w, now| create_key(w, …, now))`.
    ///
    /// # Errors
    /// The change's own; nothing has changed then.
    pub async fn change<T, F>(&self, change: F) -> Result<T, ChangeError>
    where
        T: Send + 'static,
        F: FnOnce(&Writer, Timestamp) -> Result<T, ChangeError> + Send + 'static,
    {
        let now = self.now();
        self.inner.store.write(move |w| change(w, now)).await
    }

    /// Triggers a snapshot of every node of a deployment and starts the work; returns at once. Dropping the future may
    /// leave a trigger in progress that nobody works on: the next start finishes it, so do not drop it.
    ///
    /// # Errors
    /// See [`TriggerError`].
    pub async fn trigger(
        &self,
        deployment: DeploymentId,
        options: SnapshotOptions,
        actor: Actor,
    ) -> Result<Triggered, TriggerError> {
        // A client that goes away in the middle must not leave rows that nobody works on.
        let orchestrator = self.clone();
        let triggered = tokio::spawn(async move { orchestrator.trigger_now(deployment, options, actor).await });
        triggered.await.unwrap_or(Err(TriggerError::Store(StoreError::Stopped)))
    }

    async fn trigger_now(
        &self,
        deployment: DeploymentId,
        options: SnapshotOptions,
        actor: Actor,
    ) -> Result<Triggered, TriggerError> {
        let inner = &self.inner;
        if inner.stopping.load(Ordering::Acquire) {
            return Err(TriggerError::Stopping);
        }
        let (archives, config) = (inner.archives.clone(), Arc::clone(&inner.config));
        let room = blocking(move || trigger::room(&archives, &config.archive));
        let (room, started) = (room.await, Instant::now());
        let (config, now, retention_now) = (Arc::clone(&inner.config), inner.clock.now(), inner.retention_now());
        let entered = inner.store.write(move |w| {
            // What the caller can change is told before what the operator must.
            let entered = trigger::enter(w, &config, &actor, deployment, options, now, retention_now)?;
            room.map(|_| entered)
        });
        let entered = entered.await?;
        let key = fresh_key();
        for (id, node) in entered.triggered.rows.iter().zip(&entered.nodes) {
            let label = SnapshotLabel {
                name: entered.triggered.name.clone(),
                deployment_name: entered.place.deployment_name.clone(),
                node_name: node.name.clone(),
                tenant_id: Some(entered.place.tenant_id),
                division_id: Some(entered.place.division_id),
                environment_id: Some(entered.place.environment_id),
                deployment_id: Some(deployment),
                node_id: Some(node.id),
                snapshot_id: Some(*id),
            };
            let job = inner.job_of(*id, label, options, key.clone());
            self.start(Work { id: *id, kind: node.kind, job, started });
        }
        Ok(entered.triggered)
    }

    /// Starts the work on a row. Should the work itself fail by a defect of ours, the row is completed all the same.
    fn start(&self, work: Work) {
        let entry = self.inner.hub.enter(work.id);
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            let task = tokio::spawn(work::run(Arc::clone(&inner), work.clone(), entry));
            if task.await.is_err() {
                let reason = "The appliance failed while it worked on this node; its log says more.";
                let completion = work::minimal(&inner, &work, crate::domain::snapshot::Outcome::Failed, reason).await;
                work::complete(&inner, work.id, completion).await;
            }
        });
    }

    /// Deletes a row and its archive. A row at work is cancelled first. Once it begins, it ends, even if the future is
    /// dropped.
    ///
    /// # Errors
    /// There is none in this deployment, or it has expired.
    pub async fn delete_snapshot(
        &self,
        deployment: DeploymentId,
        id: SnapshotId,
        actor: Actor,
    ) -> Result<(), DeleteError> {
        let orchestrator = self.clone();
        let deleted = tokio::spawn(async move { orchestrator.delete_now(deployment, id, actor).await });
        deleted.await.unwrap_or(Err(DeleteError::Store(StoreError::Stopped)))
    }

    async fn delete_now(&self, deployment: DeploymentId, id: SnapshotId, actor: Actor) -> Result<(), DeleteError> {
        let (inner, now, retention_now) = (&self.inner, self.now(), self.retention_now());
        let row = inner.store.read(move |r| r.snapshot(deployment, id, retention_now)).await?;
        let row = row.ok_or(DeleteError::NotFound)?;
        if let Some(over) = inner.hub.stop(id, Stop::Deleted) {
            hub::stopped(over, STOP_MAX).await;
        }
        let deleted = inner.store.write(move |w| -> Result<bool, StoreError> {
            let entry = AuditEntry {
                target_id: Some(id.get()),
                target_name: row.item.name,
                detail: format!("node {}", row.node_name),
                ..actor.entry("snapshot.delete", row.item.tenant_id, now)
            };
            let deleted = w.delete_snapshot(id)?;
            if deleted {
                w.record(&entry)?;
            }
            Ok(deleted)
        });
        // Two may delete at once: the second finds nothing.
        if !deleted.await? {
            return Err(DeleteError::NotFound);
        }
        sweep::remove_archives(inner, vec![id]).await;
        Ok(())
    }

    /// Mends what the last run left: to be awaited before the first request is answered.
    ///
    /// # Errors
    /// See [`RecoverError`].
    pub async fn recover(&self) -> Result<Recovery, RecoverError> {
        let recovery = recover::recover(&self.inner).await?;
        recovery.log();
        Ok(recovery)
    }

    /// Expires, tidies and looks for outside changes, until the future is dropped.
    pub async fn keep_house(&self) {
        sweep::keep_house(Arc::clone(&self.inner)).await;
    }

    /// One sweep, now.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        sweep::sweep(&self.inner).await
    }

    /// Takes no more triggers and ends all work under way with reports that say so; waits for them a few seconds.
    pub async fn shut_down(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        let until = tokio::time::Instant::now() + SHUTDOWN_MAX;
        let running = self.inner.hub.running();
        let over: Vec<_> = running.into_iter().filter_map(|id| self.inner.hub.stop(id, Stop::ShuttingDown)).collect();
        for row in over {
            hub::stopped(row, until.saturating_duration_since(tokio::time::Instant::now())).await;
        }
    }
}

impl Inner {
    fn retention_now(&self) -> Timestamp {
        let mut retention = self.retention.lock().unwrap_or_else(PoisonError::into_inner);
        retention.advance(self.clock.as_ref())
    }

    /// The job of a row that is found in the database.
    fn job(&self, row: &SnapshotRow, key: PseudonymKey) -> Job {
        let label = SnapshotLabel {
            name: row.item.name.clone(),
            deployment_name: row.item.deployment_name.clone(),
            node_name: row.node_name.clone(),
            tenant_id: Some(row.item.tenant_id),
            division_id: Some(row.item.division_id),
            environment_id: Some(row.item.environment_id),
            deployment_id: Some(row.item.deployment_id),
            node_id: Some(row.item.node_id),
            snapshot_id: Some(row.item.id),
        };
        self.job_of(row.item.id, label, row.options, key)
    }

    fn job_of(&self, id: SnapshotId, label: SnapshotLabel, options: SnapshotOptions, key: PseudonymKey) -> Job {
        let last = |node: NodeId| memory::file(&self.config.data_dir, node);
        Job {
            before: label.node_id.map_or(Before::Nothing, |node| Before::Kept { file: last(node) }),
            label,
            options,
            origin: Origin::Live { record: None },
            archive: self.archives.partial_path(id),
            deadline_s: work::examine_within(self.config.snapshot.deadline_s).as_secs().max(1),
            archive_bytes_max: 0,
            reserve_bytes: 0,
            config: (*self.config).clone(),
            parent_pid: 0,
            pseudonym_key: key,
        }
    }
}

/// A key for the pseudonyms of one trigger: in memory until its last row is over, never on disk.
fn fresh_key() -> PseudonymKey {
    PseudonymKey::generate().expect("Linux has a random number generator")
}

/// Runs what blocks, files mostly, away from the async threads. A panic in it is the caller's panic.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and drops this task next.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests;
