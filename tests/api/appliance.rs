//! An appliance under test: the real server over a real database on port 0, with an examiner that a test holds in hand.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use snapvisor::archive::{Archives, Links};
use snapvisor::config::Config;
use snapvisor::domain::id::{DeploymentId, DivisionId, EnvironmentId, TenantId};
use snapvisor::domain::progress::{Progress, Stage};
use snapvisor::domain::time::Timestamp;
use snapvisor::domain::verdict::VerdictCounts;
use snapvisor::examine::{Job, Summary};
use snapvisor::http::connection::Patience;
use snapvisor::http::{self, AppState};
use snapvisor::observability::Metrics;
use snapvisor::orchestrator::{
    Actor, BOOTSTRAP_FILE, ChangeError, Examination, Examiner, KeyRequest, KeyRole, Orchestrator, Parts,
    ProgressSender, Stop, SystemClock, bootstrap, create_key,
};
use snapvisor::store::{Security, Store, Writer};
use tokio::sync::{oneshot, watch};

use crate::client::{ANSWER_MAX, Answer, Request};

/// What the examiner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It writes its archive at once.
    Open,
    /// It waits.
    Closed,
}

/// The archive that the examiner writes: of known content, and longer than a chunk of a stream.
pub fn archive() -> Vec<u8> {
    (0..=250_u8).cycle().take(300_000).collect()
}

#[derive(Debug)]
struct HeldExaminer {
    gate: watch::Receiver<Gate>,
}

impl Examiner for HeldExaminer {
    fn examine(&self, job: Job, progress: ProgressSender, mut stop: watch::Receiver<Stop>) -> Examination {
        let mut gate = self.gate.clone();
        Box::pin(async move {
            progress.tell(Progress { stage: Stage::Observing, done: 1, total: 4 });
            tokio::select! {
                opened = gate.wait_for(|gate| *gate == Gate::Open) => {
                    opened.map_err(|_| "the test is over".to_owned())?;
                }
                _ = stop.wait_for(|stop| *stop != Stop::No) => return Err("it was stopped".to_owned()),
            }
            write(&job.archive, "2 checks need a look")
        })
    }

    fn write_minimal(&self, job: &Job, reason: &str) -> Result<Summary, String> {
        write(&job.archive, reason)
    }
}

fn write(path: &Path, headline: &str) -> Result<Summary, String> {
    let file = fs::File::create(path).and_then(|mut file| file.write_all(&archive()).and_then(|()| file.sync_all()));
    file.map_err(|error| error.to_string())?;
    Ok(Summary {
        headline: headline.to_owned(),
        counts: VerdictCounts { fail: 0, warn: 2, pass: 30, info: 4, skip: 3 },
        left_out: vec!["iggy-data.zip: no data directory was found".to_owned()],
        duration_ms: 1,
    })
}

/// A running appliance.
pub struct Appliance {
    pub address: SocketAddr,
    pub url: String,
    /// The key of the first start: it may do everything.
    pub key: String,
    pub tenant: TenantId,
    pub division: DivisionId,
    pub environment: EnvironmentId,
    pub deployment: DeploymentId,
    pub node: i64,
    pub store: Store,
    gate: watch::Sender<Gate>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    // Last, so that it goes after everything that works in it.
    pub data_dir: tempfile::TempDir,
}

impl Appliance {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(set: impl FnOnce(&mut Config)) -> Self {
        Self::patient(Patience::default(), set)
    }

    pub fn patient(patience: Patience, set: impl FnOnce(&mut Config)) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: data_dir.path().to_owned(), ..Config::default() };
        config.archive.reserve_bytes = Some(0);
        set(&mut config);
        let config = Arc::new(config);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let url = config.public_url.as_ref().map_or_else(|| format!("http://{address}"), ToString::to_string);
        let store = Store::open(data_dir.path()).unwrap();
        bootstrap(&store, data_dir.path(), "host-1", &url, now()).unwrap();
        let first: Value = serde_json::from_slice(&fs::read(data_dir.path().join(BOOTSTRAP_FILE)).unwrap()).unwrap();
        let (gate, gated) = watch::channel(Gate::Open);
        let (stop, stopped) = oneshot::channel();
        let archives = Archives::open(data_dir.path()).unwrap();
        let orchestrator = Orchestrator::new(Parts {
            store: store.clone(),
            archives: archives.clone(),
            config: Arc::clone(&config),
            examiner: Arc::new(HeldExaminer { gate: gated }),
            clock: Arc::new(SystemClock),
        });
        let state = AppState {
            config,
            public_url: url.clone(),
            orchestrator: orchestrator.unwrap(),
            archives,
            links: Links::open(data_dir.path()).unwrap(),
            metrics: Arc::new(Metrics::new()),
        };
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let shutdown = async move {
                    let _ = stopped.await;
                };
                http::serve_with(state, listener, patience, shutdown).await;
            });
        });
        let id = |name: &str| first[name].as_i64().unwrap();
        Self {
            address,
            url,
            key: first["api_key"].as_str().unwrap().to_owned(),
            tenant: TenantId::new(id("tenant_id")).unwrap(),
            division: DivisionId::new(id("division_id")).unwrap(),
            environment: EnvironmentId::new(id("environment_id")).unwrap(),
            deployment: DeploymentId::new(id("deployment_id")).unwrap(),
            node: id("node_id"),
            store,
            gate,
            stop: Some(stop),
            server: Some(server),
            data_dir,
        }
    }

    /// From now on examinations wait, or end.
    pub fn gate(&self, gate: Gate) {
        self.gate.send_replace(gate);
    }

    /// Tells the server to stop, without waiting.
    pub fn ask_to_stop(&mut self) {
        self.stop.take();
    }

    /// Whether the server has ended.
    pub fn wait_for_end(&mut self) {
        self.ask_to_stop();
        self.server.take().unwrap().join().unwrap();
    }

    /// A request with the first key.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, path).header("ld-api-key", &self.key)
    }

    pub fn send(&self, request: &Request) -> Answer {
        request.send(self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&self.request("GET", path))
    }

    /// A GET with another key.
    pub fn get_with(&self, key: &str, path: &str) -> Answer {
        self.send(&Request::new("GET", path).header("ld-api-key", key))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&self.request("POST", path).json(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(&self.request("PUT", path).json(body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send(&self.request("DELETE", path))
    }

    /// A path below the deployment's snapshots.
    pub fn snapshots(&self, rest: &str) -> String {
        format!("/deployments/{}/snapshots{rest}", self.deployment)
    }

    /// A path below the tenant.
    pub fn tenant(&self, rest: &str) -> String {
        format!("/tenants/{}{rest}", self.tenant)
    }

    /// Triggers a snapshot and gives its name.
    pub fn trigger(&self) -> String {
        let answer = self.send(&self.request("POST", &self.snapshots("")));
        answer.nothing();
        answer.header("ld-snapshot").unwrap().to_owned()
    }

    /// Triggers a snapshot, waits until it is over, and gives the id of its first row.
    pub fn taken(&self) -> i64 {
        self.gate(Gate::Open);
        let name = self.trigger();
        self.wait_until_over();
        let items = self.get(&self.snapshots("?results=100")).good()["items"].as_array().unwrap().clone();
        items.iter().find(|item| item["name"] == name.as_str()).unwrap()["id"].as_i64().unwrap()
    }

    /// Waits until no row of the deployment is processing, as every client does.
    pub fn wait_until_over(&self) {
        let start = Instant::now();
        while self.get(&self.snapshots("?results=100")).good()["items"].as_array().unwrap().iter().any(processing) {
            assert!(start.elapsed() < ANSWER_MAX, "the snapshot is not over");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The signed URL's path and query of a row.
    pub fn link(&self, id: i64) -> String {
        let url = self.get(&self.snapshots(&format!("/{id}/download"))).good()["url"].as_str().unwrap().to_owned();
        url.strip_prefix(&self.url).unwrap().to_owned()
    }

    /// Changes the database as the command line does.
    pub fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Writer) -> Result<T, ChangeError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(change).unwrap()
    }

    /// The token of a new key with these permissions.
    pub fn key_with(&self, permissions: &Value, division: Option<DivisionId>) -> String {
        self.secured_key(permissions, division, Security::default())
    }

    /// The token of a new key with these permissions and this allowlist.
    pub fn secured_key(&self, permissions: &Value, division: Option<DivisionId>, security: Security) -> String {
        let tenant = self.tenant;
        let request = KeyRequest {
            name: format!("key-{}", snapvisor::store::fresh_id()),
            expires_at: now().plus_s(3600),
            security,
            division_id: division,
            role: KeyRole::Inline(serde_json::from_value(permissions.clone()).unwrap()),
        };
        let made = self.change(move |w| create_key(w, &Actor::command_line(), tenant, request, now()));
        made.1.expose().to_owned()
    }

    /// What the metrics say of one series.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = Request::new("GET", "/metrics").send(self.address);
        let line = text.text().lines().find_map(|line| line.strip_prefix(series).map(str::to_owned));
        line.map(|value| value.trim().parse().unwrap())
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

fn processing(item: &Value) -> bool {
    assert_eq!(item["status"] == "processing", item["completed_at"].is_null());
    item["completed_at"].is_null()
}

pub fn now() -> Timestamp {
    Timestamp::from_unix(
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap(),
    )
}

/// A tree that allows everything that counts in environments.
pub fn environment(permissions: &[&str]) -> Value {
    json!({"environment": permissions})
}
