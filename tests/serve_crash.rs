//! kill -9 of the running server, and separately of the process that examines, at random moments of a snapshot.
//!
//! After each, and after a start where one is needed: no row is stuck, no row lacks its archive, no archive lacks its
//! row, the database is whole, and the next snapshot works. `SNAPVISOR_TEST_KILLS` says how many kills of each kind there
//! are; the default keeps the suite short, and 50 is what a release is measured with.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Kills of each kind when nothing else is said.
const KILLS_DEFAULT: u64 = 8;
/// A snapshot takes about so long here; kills are spread over it.
const SNAPSHOT_MS: u64 = 900;
/// Whatever is waited for comes within this, or the test fails.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked for.
const POLL: Duration = Duration::from_millis(5);
/// Snapshots that are kept between runs; the plan allows 20.
const KEPT_MAX: usize = 6;

fn kills() -> u64 {
    std::env::var("SNAPVISOR_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS_DEFAULT)
}

fn random_moment() -> Duration {
    Duration::from_micros(getrandom::u64().unwrap() % (SNAPSHOT_MS * 1000))
}

struct Server {
    child: Child,
    url: String,
    key: String,
    deployment: String,
}

impl Server {
    /// Starts it and waits for its address.
    fn start(dir: &Path, iggy: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_snapvisor"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"])
            .arg(dir)
            .env_clear()
            .env("SNAPVISOR_IGGY_DATA_DIR", iggy)
            .env("SNAPVISOR_SNAPSHOT_SAMPLING_MS", "300")
            .env("SNAPVISOR_ARCHIVE_RESERVE_BYTES", "0")
            // The list is polled more often than a key may ask.
            .env("SNAPVISOR_LIMITS_REQUESTS_PER_MINUTE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::OpenOptions::new().create(true).append(true).open(dir.join("../server.log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned));
        let url = line.expect("the server says where it listens");
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let file = fs::read(dir.join("bootstrap.json")).unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        let key = file["api_key"].as_str().unwrap().to_owned();
        Self { child, url, key, deployment: file["deployment_id"].to_string() }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn agent() -> ureq::Agent {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        config.build().into()
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/deployments/{}/snapshots{rest}", self.url, self.deployment)
    }

    fn trigger(&self) {
        let request = Self::agent().post(self.path("")).header("ld-api-key", &self.key);
        let mut answer = request.send_empty().unwrap();
        assert_eq!(answer.status(), 204, "{}", answer.body_mut().read_to_string().unwrap());
    }

    /// Ids, newest first, and whether each is over.
    fn list(&self) -> Vec<(i64, bool)> {
        let request = Self::agent().get(self.path("?results=100")).header("ld-api-key", &self.key);
        let mut answer = request.call().unwrap();
        assert_eq!(answer.status(), 200);
        let body: Value = serde_json::from_reader(answer.body_mut().as_reader()).unwrap();
        let item = |item: &Value| (item["id"].as_i64().unwrap(), item["completed_at"].is_string());
        body["items"].as_array().unwrap().iter().map(item).collect()
    }

    fn wait_until_all_over(&self) {
        let until = Instant::now() + PATIENCE;
        while self.list().iter().any(|(_, over)| !over) {
            assert!(Instant::now() < until, "a row is stuck");
            std::thread::sleep(POLL);
        }
    }

    fn delete_old(&self) {
        for (id, _) in self.list().into_iter().skip(KEPT_MAX) {
            let request = Self::agent().delete(self.path(&format!("/{id}"))).header("ld-api-key", &self.key);
            assert_eq!(request.call().unwrap().status(), 204);
        }
    }

    /// The process that examines for this server, once it runs; `None` if the snapshot is over before it is seen.
    fn examiner(&self) -> Option<Pid> {
        loop {
            if let Some(pid) = children(self.child.id()).into_iter().next() {
                return Pid::from_raw(pid);
            }
            if self.list().iter().all(|(_, over)| *over) {
                return None;
            }
        }
    }
}

/// The processes whose parent is this one.
fn children(parent: u32) -> Vec<i32> {
    let parent_of = |path: &Path| -> Option<(i32, u32)> {
        let pid = path.file_name()?.to_str()?.parse().ok()?;
        let stat = fs::read_to_string(path.join("stat")).ok()?;
        // The name may hold anything, closing brackets too; after the last one come the state and the parent.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        Some((pid, fields.nth(1)?.parse().ok()?))
    };
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| parent_of(&entry.ok()?.path()));
    processes.filter(|(_, its)| *its == parent).map(|(pid, _)| pid).collect()
}

/// What must hold whenever no snapshot is at work; gives how many rows ended with which outcome.
fn check(dir: &Path, when: &str) -> BTreeMap<String, usize> {
    let database = rusqlite::Connection::open(dir.join("snapvisor.db")).unwrap();
    let integrity: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok", "{when}");
    let broken: i64 =
        database.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(broken, 0, "{when}: a reference leads nowhere");
    let mut statement = database.prepare("SELECT id, outcome, archive_bytes, archive_sha256 FROM snapshots").unwrap();
    let mut rows = statement.query([]).unwrap();
    let (mut in_rows, mut outcomes) = (BTreeMap::new(), BTreeMap::new());
    while let Some(row) = rows.next().unwrap() {
        let id: i64 = row.get(0).unwrap();
        let outcome: Option<String> = row.get(1).unwrap();
        *outcomes.entry(outcome.expect("a row is over")).or_insert(0) += 1;
        in_rows.insert(format!("{id}.zip"), (row.get::<_, i64>(2).unwrap(), row.get::<_, [u8; 32]>(3).unwrap()));
    }
    let mut on_disk = BTreeMap::new();
    for entry in fs::read_dir(dir.join("archives")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes));
        assert!(archive.is_ok(), "{when}: {} is no ZIP", path.display());
        on_disk.insert(
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            (i64::try_from(bytes.len()).unwrap(), digest),
        );
    }
    assert_eq!(in_rows, on_disk, "{when}: rows and archives differ");
    outcomes
}

/// A small data directory of a real server, somewhere writable.
fn iggy_data(below: &Path) -> PathBuf {
    let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/iggy-0.8.0-clean"), below.join("iggy"));
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(&from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    to
}

#[test]
fn a_killed_server_leaves_nothing_that_its_next_start_does_not_mend() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, iggy) = (folder.path().join("data"), iggy_data(folder.path()));
    fs::create_dir(&dir).unwrap();
    let mut server = Server::start(&dir, &iggy);
    for run in 0..kills() {
        server.trigger();
        let moment = random_moment();
        std::thread::sleep(moment);
        server.kill();
        let when = format!("run {run}, server killed after {moment:?}");
        server = Server::start(&dir, &iggy);
        server.wait_until_all_over();
        check(&dir, &when);
        server.trigger();
        server.wait_until_all_over();
        server.delete_old();
        check(&dir, &when);
    }
    let outcomes = check(&dir, "at the end");
    println!("after {} kills of the server the last rows ended {outcomes:?}", kills());
    assert!(outcomes.contains_key("examined"), "not one snapshot worked: {outcomes:?}");
    server.kill();
}

#[test]
fn a_killed_examination_costs_its_own_row_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, iggy) = (folder.path().join("data"), iggy_data(folder.path()));
    fs::create_dir(&dir).unwrap();
    let server = Server::start(&dir, &iggy);
    let mut killed = 0;
    for run in 0..kills() {
        server.trigger();
        let examiner = server.examiner();
        let moment = random_moment();
        std::thread::sleep(moment);
        // It may have ended just now; then nothing is killed, and the row is like any other.
        if examiner.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()) {
            killed += 1;
        }
        server.wait_until_all_over();
        let when = format!("run {run}, examination killed after {moment:?}");
        check(&dir, &when);
        server.trigger();
        server.wait_until_all_over();
        server.delete_old();
        check(&dir, &when);
    }
    let outcomes = check(&dir, "at the end");
    println!("{killed} examinations were killed; the last rows ended {outcomes:?}");
    assert!(killed > 0 && outcomes.contains_key("examined"), "{killed} killed, {outcomes:?}");
    server.kill();
}
