//! The real binary on port 0, with its own examination of this host: what the contract promises from the trigger to the
//! archive's last byte, and what the log may say of it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::client::{ANSWER_MAX, Answer, Request};

struct Server {
    child: Child,
    address: std::net::SocketAddr,
    key: String,
    deployment: i64,
    log: Option<thread::JoinHandle<String>>,
    data_dir: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let config = data_dir.path().join("snapvisor.toml");
        std::fs::write(&config, "[snapshot]\nsampling_ms = 100\n[archive]\nreserve_bytes = 0\n").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_snapvisor"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--config"])
            .arg(&config)
            .arg("--data-dir")
            .arg(data_dir.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut text = String::new();
            log.read_to_string(&mut text).unwrap();
            text
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect(&line).parse().unwrap();
        // Nobody reads the rest, and nothing may block on it.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let first = std::fs::read(data_dir.path().join("data/bootstrap.json")).unwrap();
        let first: Value = serde_json::from_slice(&first).unwrap();
        let key = first["api_key"].as_str().unwrap().to_owned();
        assert_eq!(first["supervisor_url"], format!("http://{address}"));
        Self { child, address, key, deployment: first["deployment_id"].as_i64().unwrap(), log: Some(log), data_dir }
    }

    fn send(&self, method: &str, rest: &str) -> Answer {
        let path = format!("/deployments/{}/snapshots{rest}", self.deployment);
        Request::new(method, &path).header("ld-api-key", &self.key).send(self.address)
    }

    /// Stops the server as a service manager does; gives its log.
    fn stop(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_snapshot_of_this_host_goes_from_trigger_to_archive_and_is_gone_when_deleted() {
    let server = Server::start();
    let triggered = server.send("POST", "");
    triggered.nothing();
    let name = triggered.header("ld-snapshot").unwrap().to_owned();
    server.send("POST", "").problem(409, "snapshot_in_progress");
    let start = Instant::now();
    let item = loop {
        let list = server.send("GET", "?page=1&results=10").good();
        assert_eq!((&list["total_results"], &list["items"][0]["name"]), (&1.into(), &name.as_str().into()));
        if list["items"][0]["status"] == "completed" {
            break list["items"][0].clone();
        }
        assert!(start.elapsed() < ANSWER_MAX * 3, "the snapshot is not over");
        thread::sleep(Duration::from_millis(20));
    };
    assert!(item["completed_at"].is_string());
    let detail = server.send("GET", "/1").good();
    assert_eq!(detail["outcome"], "examined", "{detail}");
    let url = server.send("GET", "/1/download").good()["url"].as_str().unwrap().to_owned();
    let link = url.strip_prefix(&format!("http://{}", server.address)).unwrap();
    let whole = Request::new("GET", link).send(server.address);
    assert_eq!(whole.status, 200);
    assert_eq!(detail["size_bytes"], whole.body.len());
    let sha256 = Sha256::digest(&whole.body).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(detail["sha256"], sha256.as_str());
    assert_eq!(whole.header("etag"), Some(format!("\"{sha256}\"").as_str()));
    let part = Request::new("GET", link).header("range", "bytes=10-19").send(server.address);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[10..20]));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&whole.body)).unwrap();
    for entry in ["report.html", "report.json", "manifest.json"] {
        let mut content = Vec::new();
        archive.by_name(entry).unwrap().read_to_end(&mut content).unwrap();
        assert!(!content.is_empty(), "{entry}");
    }
    server.send("DELETE", "/1").nothing();
    Request::new("GET", link).send(server.address).problem(404, "snapshot_not_found");
    assert_eq!(std::fs::read_dir(server.data_dir.path().join("data/archives")).unwrap().count(), 0);
    let (key, signature) = (server.key.clone(), link.split_once("signature=").unwrap().1.to_owned());
    let log = server.stop();
    assert!(!log.contains(&key[6..]) && !log.contains(&signature), "no secret reaches the log");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |answer: &Answer| {
        let id = answer.request_id();
        lines.iter().find(|line| line["request"] == id).unwrap_or_else(|| panic!("no line has {id}")).clone()
    };
    let answered = of(&triggered);
    assert_eq!((&answered["method"], &answered["status"]), (&"POST".into(), &204.into()));
    assert_eq!(answered["route"], "/deployments/{deployment_id}/snapshots");
    assert!(answered["key"].as_i64().unwrap() > 0 && answered["duration_ms"].is_f64());
    let answered = of(&whole);
    assert_eq!((&answered["route"], &answered["client"]), (&"/archives/{snapshot_id}".into(), &"127.0.0.1".into()));
}
