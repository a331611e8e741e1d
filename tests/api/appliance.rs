//! An appliance under test: the real binary on a free port of loopback, in a data directory of its own.
//!
//! Requests go to it over a socket. What the operator makes beforehand is made by the admin commands, beside the running
//! server; keys, of which some tests need dozens, by the function that the command calls.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::AtomicI64;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use snapvisor::archive::Archives;
use snapvisor::domain::id::{DeploymentId, DivisionId, EnvironmentId, TenantId};
use snapvisor::domain::time::Timestamp;
use snapvisor::orchestrator::{Actor, ChangeError, KeyRequest, KeyRole, create_key};
use snapvisor::store::{Security, Store, Writer};

use crate::client::{ANSWER_MAX, Answer, Request};

/// How long a real examination of this host may take on a machine that has other things to do.
const EXAMINED_MAX: Duration = Duration::from_mins(3);

/// A running appliance; it is killed when the test is over, whatever came of it.
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
    /// The database, beside the server.
    pub store: Store,
    /// The archives, beside the server.
    pub archives: Archives,
    pub data_dir: PathBuf,
    /// Snapshots that were entered by hand.
    pub entered: AtomicI64,
    settings: Vec<(String, String)>,
    running: Running,
    folder: tempfile::TempDir,
}

struct Running {
    child: Child,
    /// Held, so that the greeting has somewhere to go.
    _stdout: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a stop both fail, which is right.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn snapvisor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapvisor"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Starts a server and gives the address that it prints. The setting `open files` is the shell's, not ours.
fn serve(data_dir: &Path, log: &Path, settings: &[(String, String)]) -> (Running, SocketAddr) {
    let mut command = snapvisor();
    if let Some((_, files)) = settings.iter().find(|(setting, _)| setting == "open files") {
        command = Command::new("sh");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", files, env!("CARGO_BIN_EXE_snapvisor")]);
    }
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
    for (setting, value) in settings.iter().filter(|(setting, _)| setting != "open files") {
        command.env(format!("SNAPVISOR_{}", setting.replace('.', "_").to_uppercase()), value);
    }
    let log = fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").expect("the server says where it listens");
    (Running { child, _stdout: stdout }, address.parse().unwrap())
}

impl Appliance {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// One with settings of the operator's, by their names in the configuration: `limits.connections`.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::named("data", settings)
    }

    /// One whose data directory has this name.
    pub fn named(name: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join(name);
        let no_iggy = folder.path().join("no-iggy").display().to_string();
        // A short sample, and no Iggy that may happen to run on this host.
        let own = [("archive.reserve_bytes", "0"), ("snapshot.sampling_ms", "50"), ("iggy.data_dir", no_iggy.as_str())];
        let settings: Vec<(String, String)> =
            own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (running, address) = serve(&data_dir, &folder.path().join("log"), &settings);
        let first: Value = serde_json::from_slice(&fs::read(data_dir.join("bootstrap.json")).unwrap()).unwrap();
        let url = settings.iter().find(|(name, _)| name == "public_url").map(|(_, url)| url.clone());
        let id = |name: &str| first[name].as_i64().unwrap();
        Self {
            address,
            url: url.unwrap_or_else(|| format!("http://{address}")),
            key: first["api_key"].as_str().unwrap().to_owned(),
            tenant: TenantId::new(id("tenant_id")).unwrap(),
            division: DivisionId::new(id("division_id")).unwrap(),
            environment: EnvironmentId::new(id("environment_id")).unwrap(),
            deployment: DeploymentId::new(id("deployment_id")).unwrap(),
            node: id("node_id"),
            store: Store::open(&data_dir).unwrap(),
            archives: Archives::open(&data_dir).unwrap(),
            data_dir,
            entered: AtomicI64::new(0),
            settings,
            running,
            folder,
        }
    }

    pub fn pid(&self) -> u32 {
        self.running.child.id()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.running.child), signal).unwrap();
    }

    /// Asks the server to stop, as a service manager does, without waiting.
    pub fn ask_to_stop(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits until the server has ended, and well.
    pub fn wait_for_end(&mut self) {
        assert!(self.running.child.wait().unwrap().success(), "{}", self.log());
    }

    /// Stops the server and starts it again on the same data directory, at another address.
    pub fn restart(&mut self) {
        self.ask_to_stop();
        self.wait_for_end();
        self.start_again();
    }

    /// Kills the server as a power cut does.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.running.child.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        let (running, address) = serve(&self.data_dir, &self.folder.path().join("log"), &self.settings);
        (self.running, self.address) = (running, address);
        self.url = format!("http://{address}");
    }

    /// What the server has written to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Runs an admin command on the data directory, beside the server.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let output = snapvisor().args(arguments).arg("--data-dir").arg(&self.data_dir).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Makes something by an admin command and gives its id.
    pub fn add(&self, arguments: &[&str]) -> i64 {
        let made = self.command(&[arguments, &["-o", "json"]].concat());
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        made["id"].as_i64().unwrap()
    }

    pub fn add_division(&self, name: &str) -> i64 {
        self.add(&["division", "add", name, "--tenant", &self.tenant.to_string()])
    }

    pub fn add_environment(&self, division: i64, name: &str) -> i64 {
        self.add(&["environment", "add", name, "--division", &division.to_string()])
    }

    pub fn add_deployment(&self, environment: i64, name: &str) -> i64 {
        self.add(&["deployment", "add", name, "--environment", &environment.to_string()])
    }

    pub fn add_node(&self, deployment: i64, name: &str) -> i64 {
        self.add(&["node", "add", name, "--kind", "remote", "--deployment", &deployment.to_string()])
    }

    /// Puts the tenant on a plan.
    pub fn set_plan(&self, plan: &str) {
        self.command(&["tenant", "set-plan", &self.tenant.to_string(), plan]);
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

    /// The newest row of the list.
    pub fn newest(&self) -> Value {
        self.get(&self.snapshots("?results=1")).good()["items"][0].clone()
    }

    /// How many rows the list has.
    pub fn rows(&self) -> i64 {
        self.get(&self.snapshots("")).good()["total_results"].as_i64().unwrap()
    }

    /// Triggers a real snapshot and gives its name.
    pub fn trigger(&self) -> String {
        let answer = self.send(&self.request("POST", &self.snapshots("")));
        answer.nothing();
        answer.header("ld-snapshot").unwrap().to_owned()
    }

    /// Deletes every row, which cancels those at work.
    pub fn clear(&self) {
        for item in self.get(&self.snapshots("?results=100")).good()["items"].as_array().unwrap() {
            self.delete(&self.snapshots(&format!("/{}", item["id"]))).nothing();
        }
    }

    /// Waits until no row of the deployment is processing, as every client does.
    pub fn wait_until_over(&self) {
        let processing = |item: &Value| {
            assert_eq!(item["status"] == "processing", item["completed_at"].is_null());
            item["completed_at"].is_null()
        };
        let list = || self.get(&self.snapshots("?results=100")).good()["items"].as_array().unwrap().clone();
        let start = Instant::now();
        while list().iter().any(processing) {
            assert!(start.elapsed() < EXAMINED_MAX, "the snapshot is not over");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The signed URL's path and query of a row.
    pub fn link(&self, id: i64) -> String {
        let url = self.get(&self.snapshots(&format!("/{id}/download"))).good()["url"].as_str().unwrap().to_owned();
        url.strip_prefix(&self.url).unwrap().to_owned()
    }

    /// Changes the database as the admin commands do.
    pub fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Writer) -> Result<T, ChangeError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(change).unwrap()
    }

    /// A connection to the database for what no function of ours would do.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.store.path()).unwrap()
    }

    /// The token of a new key with these permissions.
    pub fn key_with(&self, permissions: &Value, division: Option<i64>) -> String {
        self.secured_key(permissions, division, Security::default())
    }

    /// The token of a new key with these permissions and this allowlist.
    pub fn secured_key(&self, permissions: &Value, division: Option<i64>, security: Security) -> String {
        let tenant = self.tenant;
        let request = KeyRequest {
            name: format!("key-{}", snapvisor::store::fresh_id()),
            expires_at: now().plus_s(3600),
            security,
            division_id: division.map(|id| DivisionId::new(id).unwrap()),
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

    /// Waits until something is so.
    pub fn wait_for(&self, what: &str, so: impl Fn() -> bool) {
        let start = Instant::now();
        while !so() {
            assert!(start.elapsed() < ANSWER_MAX, "{what}: not so after {ANSWER_MAX:?}\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
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
