//! kill -9 at random moments, of a process that does nothing but change state.
//!
//! The victim is this very test program, started again with a data directory in its environment: it triggers, examines
//! (slowly, in pieces, sometimes failing), deletes and sweeps over the real database and the real archives. What a kill
//! leaves is mended by the next start; after that, whatever the moment was, every row is over, every archive has its row
//! and every row its archive, whole, and the next snapshot works.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use snapvisor::archive::Archives;
use snapvisor::config::Config;
use snapvisor::domain::id::{DeploymentId, SnapshotId};
use snapvisor::domain::snapshot::{Redaction, SnapshotOptions};
use snapvisor::domain::verdict::VerdictCounts;
use snapvisor::examine::{Job, Summary, write_minimal};
use snapvisor::orchestrator::{
    Actor, BOOTSTRAP_FILE, BootstrapFile, Clock as _, Examination, Examiner, Orchestrator, Parts, ProgressSender,
    ServeLock, Stop, SystemClock, bootstrap, token_sha256,
};
use snapvisor::store::{DATABASE_FILE, PageRequest, Reader, Store, StoreError, StoredArchive};
use tokio::sync::watch;

/// Where the victim works; set only for the child.
const VICTIM_DIR: &str = "SNAPVISOR_TEST_CRASH_DIR";
const READY: &str = "the victim works";
/// Kills while snapshots are taken.
const KILLS: u64 = 50;
/// Kills during the first start, each of a fresh data directory.
const FIRST_START_KILLS: u64 = 20;
/// A cycle of the victim takes about so long; kills are spread over two.
const CYCLE_MS: u64 = 120;
/// A first start takes about so long.
const FIRST_START_MS: u64 = 40;
/// Snapshots that the victim keeps before it deletes the oldest.
const KEPT_MAX: usize = 5;
/// Pieces of an archive, each synced.
const PIECES: usize = 8;

/// Writes a small archive in pieces; every fourth examination fails half-way.
#[derive(Debug)]
struct SlowExaminer;

impl Examiner for SlowExaminer {
    fn examine(&self, job: Job, _: ProgressSender, _: watch::Receiver<Stop>) -> Examination {
        Box::pin(async move {
            let id = job.label.snapshot_id.unwrap().get();
            let mut out = OpenOptions::new().write(true).create_new(true).open(&job.archive).unwrap();
            for piece in 0..PIECES {
                if id % 4 == 0 && piece == PIECES / 2 {
                    return Err("every fourth fails".to_owned());
                }
                out.write_all(&vec![u8::try_from(piece).unwrap(); 4096]).unwrap();
                out.sync_all().unwrap();
                tokio::task::yield_now().await;
            }
            let counts = VerdictCounts { pass: 1, ..VerdictCounts::default() };
            Ok(Summary {
                headline: "Fine.".into(),
                counts,
                left_out: vec![],
                redaction: Redaction::Masked,
                duration_ms: 1,
            })
        })
    }

    fn write_minimal(&self, job: &Job, reason: &str) -> Result<Summary, String> {
        write_minimal(&job.label, job.options, reason, &job.archive).map_err(|error| error.to_string())
    }
}

struct Appliance {
    orchestrator: Orchestrator,
    store: Store,
    archives: Archives,
    deployment: DeploymentId,
    interrupted: usize,
    _lock: ServeLock,
}

/// The start of a server, as `serve` does it.
async fn start(dir: &Path) -> Appliance {
    let store = Store::open(dir).unwrap();
    let lock = ServeLock::take(dir).unwrap();
    let archives = Archives::open(dir).unwrap();
    bootstrap(&store, dir, "iggy-01", "http://127.0.0.1:8787", SystemClock.now()).unwrap();
    let mut config = Config { data_dir: dir.to_owned(), ..Config::default() };
    config.archive.reserve_bytes = Some(0);
    let parts = Parts {
        store: store.clone(),
        archives: archives.clone(),
        config: Arc::new(config),
        examiner: Arc::new(SlowExaminer),
        clock: Arc::new(SystemClock),
    };
    let orchestrator = Orchestrator::new(parts).unwrap();
    let interrupted = orchestrator.recover().await.unwrap().interrupted.len();
    let deployment = store
        .read(|r| -> Result<_, StoreError> { Ok(r.deployments_of_tenant(r.tenants()?[0].id)?[0].id) })
        .await
        .unwrap();
    Appliance { orchestrator, store, archives, deployment, interrupted, _lock: lock }
}

impl Appliance {
    async fn rows(&self) -> Vec<SnapshotId> {
        let (deployment, now) = (self.deployment, SystemClock.now());
        let page = PageRequest::new(1.try_into().unwrap(), 100.try_into().unwrap());
        let list = self.store.read(move |r| r.snapshots(deployment, now, page)).await.unwrap();
        list.items.into_iter().map(|item| item.id).collect()
    }

    /// One snapshot, start to end.
    async fn snapshot(&self) -> SnapshotId {
        let triggered =
            self.orchestrator.trigger(self.deployment, SnapshotOptions::default(), Actor::appliance()).await;
        let id = triggered.unwrap().rows[0];
        if let Some(mut progress) = self.orchestrator.hub().watch(id) {
            while progress.changed().await.is_ok() {}
        }
        id
    }

    /// What must hold after any start.
    async fn check(&self, dir: &Path, when: &str) {
        let database = rusqlite::Connection::open(dir.join(DATABASE_FILE)).unwrap();
        let integrity: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok", "{when}");
        let broken: i64 =
            database.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
        assert_eq!(broken, 0, "{when}: a reference leads nowhere");
        let (total, counted): (i64, i64) = database
            .query_row("SELECT (SELECT count(*) FROM snapshots), sum(snapshots_total) FROM deployments", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(total, counted, "{when}: the counter is wrong");
        let stuck = self.store.read(Reader::snapshots_processing).await.unwrap();
        assert_eq!(stuck, [], "{when}: a row is stuck");
        let (mut in_rows, mut on_disk) = (BTreeMap::new(), BTreeMap::new());
        for id in self.rows().await {
            let row = self.store.read(move |r| r.snapshot_by_id(id)).await.unwrap().unwrap();
            in_rows.insert(id, row.archive.unwrap());
        }
        let inventory = self.archives.inventory().unwrap();
        assert!(inventory.partial.is_empty() && inventory.strangers.is_empty(), "{when}: {inventory:?}");
        for id in inventory.finished {
            let bytes = std::fs::read(self.archives.path(id)).unwrap();
            on_disk.insert(
                id,
                StoredArchive {
                    size_bytes: bytes.len() as u64,
                    sha256: Sha256::digest(&bytes).into(),
                    redaction: Redaction::Masked,
                },
            );
        }
        assert_eq!(in_rows, on_disk, "{when}: rows and archives differ");
    }
}

/// What the child does until it is killed.
async fn victim(dir: &Path) {
    let appliance = start(dir).await;
    println!("{READY}");
    loop {
        appliance.snapshot().await;
        let rows = appliance.rows().await;
        for oldest in rows.into_iter().skip(KEPT_MAX) {
            appliance.orchestrator.delete_snapshot(appliance.deployment, oldest, Actor::appliance()).await.unwrap();
        }
        // And one that is deleted while it is at work.
        let trigger =
            appliance.orchestrator.trigger(appliance.deployment, SnapshotOptions::default(), Actor::appliance());
        let id = trigger.await.unwrap().rows[0];
        appliance.orchestrator.delete_snapshot(appliance.deployment, id, Actor::appliance()).await.unwrap();
        appliance.orchestrator.sweep().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other tests start it as a child process and kill it"]
async fn the_victim() {
    if let Some(dir) = std::env::var_os(VICTIM_DIR) {
        victim(Path::new(&dir)).await;
    }
}

fn start_victim(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["the_victim", "--exact", "--ignored", "--nocapture"])
        .env(VICTIM_DIR, dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Why it died, if it did so by itself.
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

fn wait_until_ready(child: &mut Child) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains(READY)), "the victim died by itself");
}

/// A moment within the span, another one for each run: a kill at a fixed one would always hit the same step.
fn random_moment(span_ms: u64) -> Duration {
    Duration::from_micros(getrandom::u64().unwrap() % (span_ms * 1000))
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn whenever_it_is_killed_no_row_is_stuck_and_rows_and_archives_agree() {
    let dir = tempfile::tempdir().unwrap();
    let mut interrupted = 0;
    for run in 0..KILLS {
        let mut child = start_victim(dir.path());
        wait_until_ready(&mut child);
        let moment = random_moment(2 * CYCLE_MS);
        tokio::time::sleep(moment).await;
        kill(child);
        let when = format!("run {run}, killed after {moment:?}");
        let appliance = start(dir.path()).await;
        interrupted += appliance.interrupted;
        appliance.check(dir.path(), &when).await;
        let id = appliance.snapshot().await;
        assert!(appliance.rows().await.contains(&id), "{when}: the next snapshot");
        appliance.check(dir.path(), &when).await;
        appliance.orchestrator.delete_snapshot(appliance.deployment, id, Actor::appliance()).await.unwrap();
    }
    println!("{interrupted} of {KILLS} kills met a snapshot at work");
    assert!(interrupted > 0, "no kill met a snapshot at work: the test proves nothing");
}

#[tokio::test]
async fn whenever_the_first_start_is_killed_the_next_one_leaves_a_key_that_works() {
    for run in 0..FIRST_START_KILLS {
        let dir = tempfile::tempdir().unwrap();
        let child = start_victim(dir.path());
        let moment = random_moment(FIRST_START_MS);
        tokio::time::sleep(moment).await;
        kill(child);
        let appliance = start(dir.path()).await;
        let text = std::fs::read(dir.path().join(BOOTSTRAP_FILE)).unwrap();
        let file: BootstrapFile = serde_json::from_slice(&text).unwrap();
        let hash = token_sha256(&file.api_key);
        let key = appliance.store.read(move |r| r.key_by_token(hash)).await.unwrap();
        assert_eq!(key.map(|key| key.tenant_id), Some(file.tenant_id), "run {run}, killed after {moment:?}");
        assert_eq!(appliance.deployment, file.deployment_id);
        let tenants = appliance.store.read(Reader::tenants).await.unwrap();
        assert_eq!(tenants.len(), 1, "run {run}: filled once");
        appliance.check(dir.path(), &format!("first start {run}, killed after {moment:?}")).await;
    }
}
