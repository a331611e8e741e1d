//! The orchestrator over a real database and real files, with an examiner and a clock that the tests set.

mod changes;
mod recovery;
mod retention;
mod work;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::clock::FakeClock;
use super::*;
use crate::domain::id::{NodeId, TenantId};
use crate::domain::progress::{Progress, Stage};
use crate::domain::snapshot::{Redaction, Status};
use crate::domain::verdict::VerdictCounts;
use crate::examine::Summary;
use crate::store::{PageRequest, SnapshotItem};

const NOW: Timestamp = Timestamp::from_unix(1_780_309_800);
/// Whatever is waited for comes within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked for.
const POLL: Duration = Duration::from_millis(2);

/// What the fake examiner does with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Play {
    /// Writes its archive as soon as a permit is there.
    Succeed,
    /// Writes half an archive and fails.
    Fail,
    /// Writes half an archive and never ends.
    Hang,
    /// Says that it succeeded and has written nothing.
    Lie,
    /// Panics.
    Panic,
}

#[derive(Debug)]
struct Fake {
    play: Mutex<Play>,
    /// Permits to succeed; with none, an examination waits for one or for being stopped.
    gate: Arc<Semaphore>,
    begun: AtomicUsize,
    minimal_fails: std::sync::atomic::AtomicBool,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            play: Mutex::new(Play::Succeed),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            begun: AtomicUsize::new(0),
            minimal_fails: std::sync::atomic::AtomicBool::new(false),
        }
    }
}

fn summary(headline: &str) -> Summary {
    let counts = VerdictCounts { pass: 39, ..VerdictCounts::default() };
    Summary {
        headline: headline.to_owned(),
        counts,
        left_out: vec!["a socket".into()],
        redaction: Redaction::Masked,
        duration_ms: 1,
    }
}

impl Examiner for Fake {
    fn examine(&self, job: Job, progress: ProgressSender, mut stop: watch::Receiver<Stop>) -> Examination {
        let (play, gate) = (*self.play.lock().unwrap(), Arc::clone(&self.gate));
        self.begun.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            progress.tell(Progress { stage: Stage::Bundling, done: 1, total: 2 });
            if play != Play::Lie {
                std::fs::write(&job.archive, "half").unwrap();
            }
            match play {
                Play::Fail => return Err("the disk was too hot".to_owned()),
                Play::Hang => std::future::pending::<()>().await,
                Play::Panic => panic!("on purpose"),
                Play::Succeed | Play::Lie => {}
            }
            tokio::select! {
                permit = gate.acquire() => permit.unwrap().forget(),
                _ = stop.wait_for(|why| *why != Stop::No) => return Err("it was cancelled".to_owned()),
            }
            if play == Play::Succeed {
                std::fs::write(&job.archive, format!("archive of {}", job.label.node_name)).unwrap();
            }
            Ok(summary("All is fine."))
        })
    }

    fn write_minimal(&self, job: &Job, reason: &str) -> Result<Summary, String> {
        if self.minimal_fails.load(Ordering::SeqCst) {
            return Err("no space left".to_owned());
        }
        assert!(!job.archive.exists(), "a minimal archive starts from nothing");
        std::fs::write(&job.archive, format!("minimal: {reason}")).unwrap();
        Ok(Summary { left_out: vec![reason.to_owned()], ..summary("No check ran.") })
    }
}

struct Fixture {
    dir: tempfile::TempDir,
    orchestrator: Orchestrator,
    store: Store,
    archives: Archives,
    clock: Arc<FakeClock>,
    fake: Arc<Fake>,
    tenant: TenantId,
    deployment: DeploymentId,
    node: NodeId,
}

/// A fresh appliance.
fn fixture() -> Fixture {
    fixture_with(|_| {})
}

fn fixture_with(change: impl FnOnce(&mut Config)) -> Fixture {
    // In memory where there is such a place: a thousand days are some thousand fsyncs.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
    config.archive.reserve_bytes = Some(0);
    change(&mut config);
    let store = Store::open(dir.path()).unwrap();
    bootstrap(&store, dir.path(), "iggy-01", "http://127.0.0.1:8787", NOW).unwrap();
    let archives = Archives::open(dir.path()).unwrap();
    let (clock, fake) = (Arc::new(FakeClock::at(NOW)), Arc::new(Fake::default()));
    let parts = Parts {
        store: store.clone(),
        archives: archives.clone(),
        config: Arc::new(config),
        examiner: Arc::clone(&fake) as Arc<dyn Examiner>,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
    };
    let orchestrator = Orchestrator::new(parts).unwrap();
    let (tenant, deployment, node) = store
        .read_blocking(|r| -> Result<_, StoreError> {
            let tenant = r.tenants()?[0].id;
            let deployment = r.deployments_of_tenant(tenant)?[0].id;
            Ok((tenant, deployment, r.nodes(deployment)?[0].id))
        })
        .unwrap();
    Fixture { dir, orchestrator, store, archives, clock, fake, tenant, deployment, node }
}

impl Fixture {
    async fn trigger(&self) -> Result<Triggered, TriggerError> {
        self.orchestrator.trigger(self.deployment, SnapshotOptions::default(), Actor::command_line()).await
    }

    /// Lets examinations wait for [`Fixture::release`].
    fn hold(&self) {
        self.fake.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn release(&self, examinations: usize) {
        self.fake.gate.add_permits(examinations);
    }

    fn play(&self, play: Play) {
        *self.fake.play.lock().unwrap() = play;
    }

    async fn list(&self) -> Vec<SnapshotItem> {
        let (deployment, now) = (self.deployment, self.orchestrator.retention_now());
        let page = PageRequest::new(1.try_into().unwrap(), 100.try_into().unwrap());
        self.store.read(move |r| r.snapshots(deployment, now, page)).await.unwrap().items
    }

    async fn row(&self, id: SnapshotId) -> Option<SnapshotRow> {
        self.store.read(move |r| r.snapshot_by_id(id)).await.unwrap()
    }

    /// The row once it is over.
    async fn over(&self, id: SnapshotId) -> SnapshotRow {
        let wait = async {
            loop {
                if let Some(mut progress) = self.orchestrator.hub().watch(id) {
                    while progress.changed().await.is_ok() {}
                }
                let row = self.row(id).await.unwrap();
                if row.item.status == Status::Completed {
                    return row;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the row is over in time")
    }

    /// The rows' ids that have a file, and how many other files there are.
    fn files(&self) -> (Vec<SnapshotId>, usize) {
        let found = self.archives.inventory().unwrap();
        (found.finished.into_iter().collect(), found.partial.len() + found.strangers.len())
    }

    fn text(&self, id: SnapshotId) -> String {
        std::fs::read_to_string(self.archives.path(id)).unwrap()
    }

    /// The same appliance after its process has ended and another has started.
    fn restarted(self) -> Fixture {
        let Fixture { dir, orchestrator, store, archives, clock, fake, tenant, deployment, node } = self;
        let config = Arc::clone(&orchestrator.inner.config);
        drop((orchestrator, store));
        let store = Store::open(dir.path()).unwrap();
        let parts = Parts {
            store: store.clone(),
            archives: archives.clone(),
            config,
            examiner: Arc::clone(&fake) as Arc<dyn Examiner>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        let orchestrator = Orchestrator::new(parts).unwrap();
        Fixture { dir, orchestrator, store, archives, clock, fake, tenant, deployment, node }
    }
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(POLL).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "never: {what}");
}
