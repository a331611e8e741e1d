//! How long a client may keep a connection waiting.
//!
//! The real limits are tens of seconds to minutes, and no setting changes them. So the server of these tests is not the
//! binary but the same code in this process, with limits that a test can wait for; one test at the end holds the binary
//! to those of its limits that are over within half a minute.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use snapvisor::archive::{Archives, Links};
use snapvisor::config::Config;
use snapvisor::http::connection::Patience;
use snapvisor::http::{self, AppState};
use snapvisor::observability::Metrics;
use snapvisor::orchestrator::{BOOTSTRAP_FILE, ChildExaminer, Orchestrator, Parts, SystemClock, bootstrap};
use snapvisor::store::Store;
use tokio::sync::oneshot;

use crate::appliance::{Appliance, now};
use crate::client::{ANSWER_MAX, Answer, Request};
use crate::seed::row_id;
use crate::sockets::{connect, rest};

/// Limits that a test can wait for.
fn short() -> Patience {
    Patience {
        first_byte: Duration::from_millis(100),
        head: Duration::from_millis(200),
        body: Duration::from_millis(200),
        idle: Duration::from_millis(300),
        stall: Duration::from_millis(500),
        farewell: Duration::from_secs(20),
    }
}

/// A server in this process.
struct Impatient {
    address: SocketAddr,
    key: String,
    deployment: Value,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    data_dir: tempfile::TempDir,
}

impl Impatient {
    fn start() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let config = Arc::new(Config { data_dir: data_dir.path().to_owned(), ..Config::default() });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let public_url = format!("http://{address}");
        let store = Store::open(data_dir.path()).unwrap();
        bootstrap(&store, data_dir.path(), "host-1", &public_url, now()).unwrap();
        let first = std::fs::read(data_dir.path().join(BOOTSTRAP_FILE)).unwrap();
        let first: Value = serde_json::from_slice(&first).unwrap();
        let archives = Archives::open(data_dir.path()).unwrap();
        let parts = Parts {
            store,
            archives: archives.clone(),
            config: Arc::clone(&config),
            examiner: Arc::new(ChildExaminer),
            clock: Arc::new(SystemClock),
        };
        let state = AppState {
            config,
            public_url,
            orchestrator: Orchestrator::new(parts).unwrap(),
            archives,
            links: Links::open(data_dir.path()).unwrap(),
            metrics: Arc::new(Metrics::new()),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let shutdown = async move {
                    let _ = stopped.await;
                };
                http::serve_with(state, listener, short(), shutdown).await;
            });
        });
        let (stop, server) = (Some(stop), Some(server));
        let key = first["api_key"].as_str().unwrap().to_owned();
        Self { address, key, deployment: first["deployment_id"].clone(), stop, server, data_dir }
    }

    fn connections_open(&self) -> i64 {
        let metrics = Request::new("GET", "/metrics").send(self.address);
        let line = metrics.text().lines().find(|line| line.starts_with("snapvisor_http_connections_open ")).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Impatient {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// Sends a byte after the other, each a while after the last, until the server has had enough; gives what it says.
fn drip(stream: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    let start = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut said = Vec::new();
    for byte in bytes.iter().cycle() {
        assert!(start.elapsed() < ANSWER_MAX, "the server never has enough");
        let sent = stream.write_all(&[*byte]).is_ok();
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => said.extend_from_slice(&chunk[..read]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) && sent => {}
            Err(_) => break,
        }
    }
    said
}

/// The head of a POST whose body is to have so many bytes.
fn post(path: &str, key: &str, body_bytes: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nld-api-key: {key}\r\ncontent-type: application/json\r\ncontent-length: \
         {body_bytes}\r\n\r\n"
    )
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let server = Impatient::start();
    assert_eq!(rest(&mut connect(server.address)), b"");
}

#[test]
fn a_client_that_drips_its_headers_is_let_go() {
    let server = Impatient::start();
    let mut stream = connect(server.address);
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    // A header a while keeps the connection busy, and yet it must end.
    assert_eq!(drip(&mut stream, b"x: y\r\n"), b"");
}

#[test]
fn a_client_that_drips_its_body_is_a_408_and_let_go() {
    let server = Impatient::start();
    let path = format!("/deployments/{}/snapshots", server.deployment);
    let mut stream = connect(server.address);
    stream.write_all(post(&path, &server.key, 60_000).as_bytes()).unwrap();
    let said = drip(&mut stream, b" ");
    Answer::parse(&said).problem(408, "request_timeout");
}

#[test]
fn a_client_that_stops_in_the_middle_of_the_http2_preface_is_let_go() {
    let server = Impatient::start();
    let mut stream = connect(server.address);
    stream.write_all(b"PRI * HT").unwrap();
    rest(&mut stream);
}

#[test]
fn a_connection_is_kept_for_the_next_request_and_let_go_when_there_is_none() {
    let server = Impatient::start();
    let mut stream = connect(server.address);
    for _ in 0..2 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let (mut seen, mut byte) = (Vec::new(), [0]);
        while !seen.ends_with(b"{\"status\":\"ok\"}") {
            stream.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
    }
    assert_eq!(rest(&mut stream), b"");
}

#[test]
fn a_client_that_does_not_read_its_archive_is_let_go() {
    let server = Impatient::start();
    // Beside the server, as another process would: its own rows are not touched by it.
    let long = 256 << 20;
    let link = crate::seed::sparse_link(server.data_dir.path(), row_id(1), long);
    let mut streams: Vec<TcpStream> = (0..20).map(|_| connect(server.address)).collect();
    for stream in &mut streams {
        stream.write_all(format!("GET {link} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
    }
    let start = Instant::now();
    while server.connections_open() > 1 {
        assert!(start.elapsed() < ANSWER_MAX, "the stalled connections stay");
        thread::sleep(Duration::from_millis(20));
    }
    for stream in &mut streams {
        let got = rest(stream).len() as u64;
        assert!(got < long, "a stalled answer breaks off");
    }
}

#[test]
fn the_binary_waits_ten_seconds_for_a_first_byte_and_thirty_for_a_head_or_a_body() {
    let appliance = Appliance::start();
    let (address, start) = (appliance.address, Instant::now());
    let body = post(&appliance.snapshots(""), &appliance.key, 60_000);
    let ended = |first: &[u8], dripped: &'static [u8]| {
        let mut stream = connect(address);
        stream.write_all(first).unwrap();
        thread::spawn(move || {
            let said = if dripped.is_empty() { rest(&mut stream) } else { drip(&mut stream, dripped) };
            (said, start.elapsed())
        })
    };
    let silent = ended(b"", b"");
    let head = ended(b"GET /healthz HTTP/1.1\r\n", b"x: y\r\n");
    let body = ended(body.as_bytes(), b" ");
    let in_time = |took: Duration, limit_s: u64| {
        assert!((Duration::from_secs(limit_s)..Duration::from_secs(limit_s * 2)).contains(&took), "{took:?}");
    };
    let (said, took) = silent.join().unwrap();
    assert_eq!(said, b"");
    in_time(took, 10);
    let (said, took) = head.join().unwrap();
    assert_eq!(said, b"");
    in_time(took, 30);
    let (said, took) = body.join().unwrap();
    Answer::parse(&said).problem(408, "request_timeout");
    in_time(took, 30);
}
